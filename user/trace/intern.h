/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * intern.h - equal things get equal numbers, from 0 in order of appearance.
 * One table serves strings and classes: both are bytes.
 */
#ifndef KMEMLAB_INTERN_H
#define KMEMLAB_INTERN_H

#include <stddef.h>
#include <stdint.h>

#define INTERN_NONE UINT32_MAX

struct intern {
	uint8_t *bytes; /* all entries, one after another */
	size_t bytes_used, bytes_max;
	size_t *end;	 /* of each entry, in bytes */
	uint32_t *slots; /* open addressing: number + 1, 0 = empty */
	uint32_t slots_n;
	uint32_t count, count_max, limit;
	uint32_t written; /* entries below this one are in the file */
};

/** intern_init() - empty, for at most @limit entries; 0 or -ENOMEM */
int intern_init(struct intern *t, uint32_t limit);
void intern_free(struct intern *t);

/** intern_add() - number of these bytes; INTERN_NONE if full or no memory */
uint32_t intern_add(struct intern *t, const void *data, size_t bytes);

/** intern_get() - entry @id (which exists); its length in @bytes if not NULL */
const void *intern_get(const struct intern *t, uint32_t id, size_t *bytes);

#endif
