/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* load.h - loops that make the kernel allocate, each for one shape of work. */
#ifndef KMEMLAB_BENCH_LOAD_H
#define KMEMLAB_BENCH_LOAD_H

enum {
	LOAD_PAGE_EVENTS = 8192, /* that a round of "page" causes, about */
};

/** load_by_name() - one round of "page", "slab", "mixed" or "compile"; NULL if unknown */
void (*load_by_name(const char *name))(void);

#endif
