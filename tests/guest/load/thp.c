/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * thp.c - anonymous memory that comes and goes, much of it in huge pages.
 *
 * Regions of 2 to 16 MiB are mapped, written in part or in whole, given back in
 * pieces (which splits huge pages) and unmapped, in random order.
 */
#include "load.h"

enum { REGIONS = 24 };

struct region {
	char *at;
	size_t bytes;
};

static void renew(struct load *w, struct region *r)
{
	if (r->at)
		munmap(r->at, r->bytes);
	r->bytes = (1 + load_random(w, 8)) * HUGE;
	r->at = load_map(r->bytes);
	madvise(r->at, r->bytes, load_random(w, 4) ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	load_touch(r->at, load_random(w, 2) ? r->bytes : r->bytes / 2);
}

/* Single pages, runs of them, or a hole unmapped for good. */
static void punch(struct load *w, const struct region *r)
{
	size_t pages = r->bytes / PAGE, first = load_random(w, pages);
	size_t n = 1 + load_random(w, 64);

	if (n > pages - first)
		n = pages - first;
	madvise(r->at + first * PAGE, n * PAGE, MADV_DONTNEED);
	if (load_random(w, 2))
		load_touch(r->at + first * PAGE, n * PAGE);
}

int main(int argc, char **argv)
{
	struct load w = load_begin(argc, argv, 150);
	struct region regions[REGIONS] = {0};

	for (unsigned long i = 0; i < w.rounds; i++) {
		struct region *r = &regions[load_random(&w, REGIONS)];

		if (!r->at || !load_random(&w, 3))
			renew(&w, r);
		else
			for (int holes = 0; holes < 8; holes++)
				punch(&w, r);
	}
	return 0;
}
