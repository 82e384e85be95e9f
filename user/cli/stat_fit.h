/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* stat_fit.h - what kmalloc's size classes waste, and what a better class would save. */
#ifndef KMEMLAB_STAT_FIT_H
#define KMEMLAB_STAT_FIT_H

#include "cli/stat_tables.h"

/* Requests of one size that a class serves. */
struct fit_request {
	uint32_t bytes;
	uint64_t allocs, live;
};

/* A class of its own for the smaller requests of a class. */
struct fit {
	uint32_t bytes;	 /* 0: none saves anything */
	uint64_t allocs; /* that fit it */
	uint64_t saved, saved_live;
};

/**
 * fit_room() - memory that an object takes in a class of @bytes: its share of a slab, what
 * the slab leaves over included
 *
 * A slab is the smallest of up to 8 pages that leaves over no more than a 16th, as the
 * kernel chooses. Beyond 8 KiB, pages.
 */
double fit_room(uint32_t bytes);

/** fit_best() - the class below @class_bytes that saves most of what its requests were
 *  given; @r, @n: these, of sizes that differ, rising */
struct fit fit_best(uint32_t class_bytes, const struct fit_request *r, size_t n);

/** stat_fit_table() - a row a size class */
struct out_table *stat_fit_table(const struct stat_table *t, const struct view *v,
				 const struct stat_count *counts);

#endif
