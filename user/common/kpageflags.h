/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* kpageflags.h - what readers of /proc/kpageflags share. */
#ifndef KMEMLAB_KPAGEFLAGS_H
#define KMEMLAB_KPAGEFLAGS_H

#include <stdint.h>

struct proc_zone;

enum { KPAGEFLAGS_CHUNK = 1 << 15 }; /* pages that are read at a time */

/**
 * kpageflags_deferred_from() - pages at a zone's end whose struct pages are still
 * blank have not been handed to the allocator yet (deferred initialisation): not
 * allocated, but reserved. If they are more than the zone has present pages that are
 * not managed, they are a hole.
 * @flags: room for KPAGEFLAGS_CHUNK words
 * Return: the frame where they begin; the zone's end if there are none.
 */
uint64_t kpageflags_deferred_from(int fd, uint64_t *flags, const struct proc_zone *zone);

#endif
