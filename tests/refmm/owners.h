/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * owners.h - owners whose pages may move: each knows where its block is, and its
 * block knows it (private).
 */
#ifndef KMEMLAB_TESTS_OWNERS_H
#define KMEMLAB_TESTS_OWNERS_H

#include "snapshot.h"

enum { OWNERS = 8192 };

struct owners {
	struct rmm *rmm;
	rmm_pfn pfn[OWNERS]; /* RMM_NO_PFN: gave it back */
	uint8_t order[OWNERS];
	unsigned int n, moves;
	bool refuse;
};

HELPER bool owners_migrate(void *ctx, unsigned int cpu, rmm_pfn from, rmm_pfn to,
			   unsigned int order)
{
	struct owners *w = ctx;
	uint64_t id = w->rmm->memmap[from].private;

	(void)cpu;
	if (w->refuse)
		return false;
	assert_true(id < w->n && w->pfn[id] == from && w->order[id] == order);
	assert_int_equal(w->rmm->memmap[to].private, id);
	w->pfn[id] = to;
	w->moves++;
	return true;
}

HELPER void owners_init(struct owners *w, struct rmm *rmm)
{
	const struct rmm_hooks hooks = {.ctx = w, .migrate = owners_migrate};

	memset(w, 0, sizeof(*w));
	w->rmm = rmm;
	rmm_set_hooks(rmm, &hooks);
}

/* One more owner; false if there is no memory */
HELPER bool owners_get(struct owners *w, unsigned int gfp, unsigned int order)
{
	rmm_pfn pfn = get(w->rmm, gfp, order);

	if (pfn == RMM_NO_PFN || w->n == OWNERS)
		return false;
	w->rmm->memmap[pfn].private = w->n;
	w->order[w->n] = (uint8_t)order;
	w->pfn[w->n++] = pfn;
	return true;
}

HELPER void owners_put(struct owners *w, unsigned int id)
{
	if (w->pfn[id] == RMM_NO_PFN)
		return;
	put(w->rmm, w->pfn[id], w->order[id]);
	w->pfn[id] = RMM_NO_PFN;
}

/* Fill the machine with movable pages, and free all but every @keep-th */
HELPER void owners_fragment(struct owners *w, unsigned int keep)
{
	while (owners_get(w, RMM_GFP_HIGHUSER_MOVABLE | RMM_GFP_MEMALLOC, 0))
		;
	for (unsigned int id = 0; id < w->n; id++)
		if (id % keep)
			owners_put(w, id);
	rmm_drain_all_pages(w->rmm, 0);
}

/* A machine of eight pageblocks, fragmented; @is_61: of a 6.1; without per-CPU lists if
 * not @pcp */
HELPER struct rmm *owners_fragmented_on(struct owners *w, bool is_61, unsigned int keep, bool pcp)
{
	struct machine m;

	machine_init(&m, 8);
	m.config.pcp = pcp;
	if (is_61)
		m.config.fallback = RMM_FALLBACK_STEAL;
	owners_init(w, machine_boot(&m));
	owners_fragment(w, keep);
	assert_int_equal(rmm_nr_free(w->rmm, 0, 9, -1) + rmm_nr_free(w->rmm, 0, 10, -1), 0);
	return w->rmm;
}

HELPER struct rmm *owners_fragmented(struct owners *w, unsigned int keep, bool pcp)
{
	return owners_fragmented_on(w, false, keep, pcp);
}

/* Each still has a block of its own, and nobody else has any */
HELPER void owners_check(struct owners *w)
{
	const struct rmm *rmm = w->rmm;
	uint64_t used = 0, allocated = 0;

	check(rmm);
	for (unsigned int id = 0; id < w->n; id++) {
		struct rmm_page *page;

		if (w->pfn[id] == RMM_NO_PFN)
			continue;
		page = rmm_pfn_to_page(rmm, w->pfn[id]);
		assert_int_equal(page->state, RMM_PG_ALLOCATED);
		assert_int_equal(page->order, w->order[id]);
		assert_int_equal(page->private, id);
		assert_int_equal(rmm_page_count(rmm, page), 1);
		used += 1u << w->order[id];
	}
	for (rmm_pfn p = 0; p < rmm->end_pfn; p++)
		if (rmm->memmap[p].state == RMM_PG_ALLOCATED)
			allocated += 1u << rmm->memmap[p].order;
	assert_int_equal(used, allocated);
}

HELPER void owners_destroy(struct owners *w)
{
	owners_check(w);
	for (unsigned int id = 0; id < w->n; id++)
		owners_put(w, id);
	check_destroy(w->rmm);
}

#endif
