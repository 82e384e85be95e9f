/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* filter.h - what to record of: words of the command line to struct kml_filter. */
#ifndef KMEMLAB_RECORD_FILTER_H
#define KMEMLAB_RECORD_FILTER_H

#include <kmemlab/filter.h>

#include "record.h"

enum filter_key {
	FILTER_PID,
	FILTER_COMM,
	FILTER_CGROUP,
	FILTER_CACHE,
	FILTER_ORDER,
	FILTER_SIZE,
	FILTER_SITE,
};

enum { FILTER_WORDS_MAX = 16 };

struct filters {
	struct kml_filter kernel;
	const char *site[KML_FILTER_SITES]; /* symbols, until filters_resolve() */
	/* As given, for the header. */
	struct {
		enum filter_key key;
		const char *text;
	} word[FILTER_WORDS_MAX];
	unsigned int words;
};

/** filter_name() - of the option, without dashes */
const char *filter_name(enum filter_key key);

/**
 * filters_add() - take one option's @text: a pid, a command, a cgroup's path, a
 * cache ("kmalloc-64", "kmalloc-*"), an order or a size or a range of them
 * ("3", "3-", "64-256", with k or m), a kernel symbol
 * Return: 0, -EINVAL, -E2BIG: too many, or -errno of the cgroup's directory.
 */
int filters_add(struct filters *f, enum filter_key key, const char *text);

/** filters_conflict() - why nothing can meet all criteria where @families (enum
 *  kind_family) are recorded; NULL: something can */
const char *filters_conflict(const struct filters *f, unsigned int families);

/** filters_resolve() - call sites by name to addresses; @symbols may be NULL
 *  Return: NULL, or the name that is not known */
const char *filters_resolve(struct filters *f, const struct symbols *symbols);

/** filters_sample() - from now on record one address in 2^shift */
void filters_sample(const struct rings *r, unsigned int shift);

#endif
