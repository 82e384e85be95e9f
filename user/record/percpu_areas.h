/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* percpu_areas.h - the areas of a chunk of per-CPU memory, out of the kernel's bitmaps. */
#ifndef KMEMLAB_RECORD_PERCPU_AREAS_H
#define KMEMLAB_RECORD_PERCPU_AREAS_H

#include <stdbool.h>
#include <stdint.h>

#include <kmemlab/percpu_walk.h>

/* In bytes of the chunk's units, or in pages of them. */
struct percpu_run {
	uint32_t at, n;
};

/** percpu_chunk_sound() - can a chunk look so, or was it read while it changed? */
bool percpu_chunk_sound(const struct kml_percpu_chunk *c);
/** percpu_chunk_same() - are two readings of it alike? */
bool percpu_chunk_same(const struct kml_percpu_chunk *a, const struct kml_percpu_chunk *b);

/** percpu_next_area() - the next behind *@r, which is all 0 at first: an offset and a
 *  size in bytes. Return: false: there is none. @c is sound. */
bool percpu_next_area(const struct kml_percpu_chunk *c, struct percpu_run *r);
/** percpu_next_populated() - likewise the next pages that are there */
bool percpu_next_populated(const struct kml_percpu_chunk *c, struct percpu_run *r);

#endif
