/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * live.h - map from a live object's address to a 32-bit value.
 *
 * Open addressing, linear probing, deletion by shifting back (no tombstones),
 * so lookups stay short however long the trace. Keys and values lie in separate
 * arrays: 12 bytes an entry. Address UINT64_MAX marks an empty slot: no object is
 * there, so it is never kept and never found.
 */
#ifndef KMEMLAB_LIVE_H
#define KMEMLAB_LIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LIVE_NONE UINT32_MAX

struct live {
	uint64_t *keys;
	uint32_t *values;
	size_t mask; /* slots - 1 */
	size_t used;
};

/** live_init() - empty; 0 or -ENOMEM */
int live_init(struct live *l);
void live_destroy(struct live *l);
/** live_put() - @old gets the value replaced, or LIVE_NONE; 0 or -ENOMEM */
int live_put(struct live *l, uint64_t key, uint32_t value, uint32_t *old);
/** live_find() - the value, or LIVE_NONE if there is none */
uint32_t live_find(const struct live *l, uint64_t key);
/** live_take() - remove; the value, or LIVE_NONE if there was none */
uint32_t live_take(struct live *l, uint64_t key);

#endif
