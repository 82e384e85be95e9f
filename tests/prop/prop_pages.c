/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * prop_pages.c - the page allocator against a byte per page.
 *
 * The oracle knows only which pages are in use. Whatever is allocated must be
 * aligned, in a zone that the mask allows, and not in use; what its owner wrote
 * must be in it when it is freed, wherever it has moved to; wrong frees must be
 * refused; no page may get lost; all invariants hold; and two machines given the
 * same operations do the same.
 */
#include "pages_world.h"

enum { CHECK_EVERY = 64 };

enum code {
	ALLOC,
	ALLOC_MORE,
	ALLOC_PAGE,
	FREE,
	FREE_MORE,
	BULK,
	SPLIT,
	BAD_FREE,
	SET_TYPE,
	DRAIN,
	TICK,
	PRESSURE,
	COMPACT,
	CONTIG,
	GET_PUT,
	FAULT,
	CODES,
};

static const char *const names[] = {
	"alloc",    "alloc", "page", "free",	 "free",    "bulk",   "split",	 "bad-free",
	"set-type", "drain", "tick", "pressure", "compact", "contig", "get-put", "fault",
};

static const unsigned int masks[] = {
	RMM_GFP_KERNEL,
	RMM_GFP_HIGHUSER_MOVABLE,
	RMM_GFP_KERNEL | RMM_GFP_RECLAIMABLE,
	RMM_GFP_ATOMIC,
	RMM_GFP_NOWAIT,
	RMM_GFP_KERNEL | RMM_GFP_DMA32,
	RMM_GFP_HIGHUSER_MOVABLE | RMM_GFP_MEMALLOC,
	RMM_GFP_KERNEL | RMM_GFP_MEMALLOC,
	RMM_GFP_USER | RMM_GFP_THISNODE | RMM_GFP_NORETRY,
	RMM_GFP_KERNEL | RMM_GFP_NOFAIL,
	RMM_GFP_HIGHUSER_MOVABLE | RMM_GFP_COMP,
};

/* Is what was given out what may be given out? */
static bool take(struct world *w, struct rmm_page *page, unsigned int gfp, unsigned int order)
{
	rmm_pfn pfn = rmm_page_to_pfn(w->rmm, page);
	int zone = rmm_pfn_zone(w->rmm, pfn);

	w->hash = w->hash * 31 + pfn;
	if (pfn & ((1u << order) - 1))
		return broken(w, "allocated a block that is not aligned", pfn, order);
	if (zone < 0 || zones[zone].type > rmm_gfp_zone(w->rmm, gfp))
		return broken(w, "allocated from a zone that is not allowed", pfn, order);
	for (rmm_pfn p = pfn; p < pfn + (1u << order); p++) {
		if (!w->given[p] || w->used[p])
			return broken(w, "allocated a page that is in use", p, order);
		w->used[p] = 1;
	}
	own(w, pfn, order);
	return true;
}

static uint64_t oracle_free(const struct world *w)
{
	uint64_t n = 0;

	for (rmm_pfn p = 0; p < PAGES; p++)
		n += w->given[p] && !w->used[p];
	return n;
}

/* Pages free but out of reach of an unmovable request without watermarks */
static uint64_t out_of_reach(const struct world *w)
{
	uint64_t n = 0;

	for (unsigned int z = 0; z < rmm_nr_zones(w->rmm); z++) {
		n += rmm_pcp_count(w->rmm, z, 0) + rmm_pcp_count(w->rmm, z, 1);
		for (unsigned int o = 0; o <= TOP_ORDER; o++)
			for (int mt = 0; mt < RMM_MIGRATE_TYPES; mt++)
				if (mt >= RMM_PCPTYPES || zones[z].type == RMM_ZONE_MOVABLE)
					n += rmm_nr_free(w->rmm, z, o, mt) << o;
	}
	return n;
}

static bool do_alloc(struct world *w, const struct op *op, unsigned int order)
{
	unsigned int gfp = masks[op->b % (sizeof(masks) / sizeof(*masks))], cpu = op->b >> 8 & 1;
	struct rmm_page *page;

	if (w->n == LIVE_MAX)
		return true;
	page = rmm_alloc_pages(w->rmm, cpu, gfp, order);
	if (page)
		return take(w, page, gfp, order);
	w->hash = w->hash * 31 + 1;
	if (order == 0 && (gfp & RMM_GFP_MEMALLOC) && oracle_free(w) > out_of_reach(w) &&
	    !w->rmm->config.defrag_mode && !w->faults)
		return broken(w, "failed though there is memory", 0, 0);
	return true;
}

static bool do_free(struct world *w, const struct op *op)
{
	struct live gone;

	if (!w->n)
		return true;
	gone = w->live[op->a % w->n];
	if (!disown(w, &w->live[op->a % w->n]))
		return false;
	if (rmm_free_pages(w->rmm, op->b & 1, rmm_pfn_to_page(w->rmm, gone.pfn), gone.order))
		return broken(w, rmm_last_error(w->rmm), gone.pfn, gone.order);
	return true;
}

static bool do_bulk(struct world *w, const struct op *op)
{
	unsigned int gfp = masks[op->b % 3];
	struct rmm_page *pages[32] = {0};
	size_t nr = op->a % 32 + 1, got;

	if (w->n + nr > LIVE_MAX)
		return true;
	got = rmm_alloc_pages_bulk(w->rmm, op->b >> 8 & 1, gfp, nr, pages);
	for (size_t i = 0; i < got; i++)
		if (!take(w, pages[i], gfp, 0))
			return false;
	return got <= nr;
}

static bool do_split(struct world *w, const struct op *op)
{
	struct live l;

	if (!w->n)
		return true;
	l = w->live[op->a % w->n];
	if (w->n + (1u << l.order) > LIVE_MAX)
		return true;
	if (rmm_PageCompound(w->rmm, rmm_pfn_to_page(w->rmm, l.pfn)))
		return rmm_split_page(w->rmm, rmm_pfn_to_page(w->rmm, l.pfn), l.order) == -EINVAL;
	if (rmm_split_page(w->rmm, rmm_pfn_to_page(w->rmm, l.pfn), l.order))
		return broken(w, rmm_last_error(w->rmm), l.pfn, l.order);
	w->live[op->a % w->n].order = 0;
	for (rmm_pfn p = 1; p < 1u << l.order; p++)
		set_live(w, w->n++, (struct live){l.pfn + p, 0, l.serial + p});
	return true;
}

/* Any page with any order, unless the oracle says it would be right */
static bool do_bad_free(struct world *w, const struct op *op)
{
	rmm_pfn pfn = op->a % w->rmm->end_pfn;
	unsigned int order = op->b % (TOP_ORDER + 1);
	const struct live *l = find(w, pfn);

	if (l && l->order == order)
		return true;
	if (rmm_free_pages(w->rmm, 0, &w->rmm->memmap[pfn], order) != -EINVAL)
		return broken(w, "a wrong free was not refused", pfn, order);
	return true;
}

static bool do_compact(struct world *w, const struct op *op)
{
	unsigned int cpu = op->b & 1, zone = op->a % rmm_nr_zones(w->rmm);

	if (op->b % 64 == 0)
		rmm_compact_node(w->rmm, cpu, zones[zone].node);
	else if (op->b % 64 == 1)
		rmm_proactive_compact(w->rmm, cpu, zones[zone].node);
	else
		rmm_compact_step(w->rmm, cpu, zone, 1 + op->b / 64 % TOP_ORDER);
	return !w->wrong || broken(w, "a block moved from or to a wrong place", 0, 0);
}

static bool do_contig(struct world *w, const struct op *op)
{
	rmm_pfn pfn = op->a % PAGES;
	unsigned int nr = op->b % 80;

	if (op->b >> 8 & 3 || w->n + nr > LIVE_MAX)
		return true;
	if (rmm_alloc_contig_range(w->rmm, op->b & 1, pfn, nr, RMM_MOVABLE))
		return true;
	for (unsigned int i = 0; i < nr; i++)
		if (!take(w, rmm_pfn_to_page(w->rmm, pfn + i), RMM_GFP_HIGHUSER_MOVABLE, 0))
			return false;
	return true;
}

/* Two users: the first to go changes nothing, the last one frees. */
static bool do_get_put(struct world *w, const struct op *op)
{
	struct rmm_page *page;
	struct live *l;

	if (!w->n)
		return true;
	l = &w->live[op->a % w->n];
	page = rmm_pfn_to_page(w->rmm, l->pfn);
	if (op->b >> 8 & 1) /* also of the first page of a plain block */
		return !rmm_set_page_flags(w->rmm, page,
					   op->b >> 9 & 1 ? RMM_PF_UNEVICTABLE : RMM_PF_DIRTY);
	if (l->order && !rmm_PageHead(w->rmm, page))
		return true;
	if (rmm_get_page(w->rmm, page) || rmm_page_count(w->rmm, page) != 2 ||
	    rmm_free_pages(w->rmm, 0, page, l->order) || rmm_page_count(w->rmm, page) != 1 ||
	    rmm_put_page(w->rmm, 1, page) || rmm_page_count(w->rmm, page))
		return broken(w, "references are not counted", l->pfn, l->order);
	return disown(w, l);
}

static bool do_fault(struct world *w, const struct op *op)
{
	const struct rmm_fault fault = {
		.points = op->a & 31,
		.nth = op->b % 50,
		.probability = op->b >> 8 & 1 ? 50000 : 0,
		.seed = op->a,
	};

	w->faults = op->b >> 9 & 1;
	rmm_set_fault(w->rmm, w->faults ? &fault : NULL);
	return true;
}

static bool perform(struct world *w, const struct op *op)
{
	switch ((enum code)op->code) {
	case ALLOC:
	case ALLOC_MORE:
		return do_alloc(w, op, op->a % (TOP_ORDER + 1));
	case ALLOC_PAGE:
		return do_alloc(w, op, 0);
	case FREE:
	case FREE_MORE:
		return do_free(w, op);
	case BULK:
		return do_bulk(w, op);
	case SPLIT:
		return op->b % 8 ? true : do_split(w, op);
	case BAD_FREE:
		return do_bad_free(w, op);
	case SET_TYPE:
		if (w->set_types && op->b % 16 < RMM_MIGRATE_TYPES)
			rmm_set_pageblock_migratetype(w->rmm, op->a % PAGES, (int)(op->b % 16));
		return true;
	case DRAIN:
		if (op->b % 8 == 0)
			rmm_drain_all_pages(w->rmm, op->a & 1);
		return true;
	case TICK:
		rmm_refresh_cpu_vm_stats(w->rmm, op->a & 1);
		return true;
	case PRESSURE:
		rmm_set_reclaim_active(w->rmm, op->a % 4, op->b & 1);
		rmm_kswapd_done(w->rmm, op->a % 4);
		return true;
	case COMPACT:
		return do_compact(w, op);
	case CONTIG:
		return do_contig(w, op);
	case GET_PUT:
		return do_get_put(w, op);
	case FAULT:
		return do_fault(w, op);
	case CODES:
		break;
	}
	return false;
}

/* All free pages are on a list, and all invariants hold */
static bool check(struct world *w)
{
	uint64_t free = 0;
	char msg[256];

	if (rmm_validate(w->rmm, msg, sizeof(msg)))
		return broken(w, msg, 0, 0);
	for (unsigned int z = 0; z < rmm_nr_zones(w->rmm); z++) {
		free += rmm_pcp_count(w->rmm, z, 0) + rmm_pcp_count(w->rmm, z, 1);
		for (unsigned int o = 0; o <= TOP_ORDER; o++)
			free += rmm_nr_free(w->rmm, z, o, -1) << o;
	}
	if (free != oracle_free(w))
		return broken(w, "pages got lost", (rmm_pfn)free, 0);
	return true;
}

static bool run_world(struct world *w, const struct op *ops, size_t n, bool careful)
{
	for (size_t i = 0; i < n; i++) {
		if (!perform(w, &ops[i]))
			return false;
		if ((careful || i % CHECK_EVERY == 0) && !check(w))
			return false;
	}
	return check(w);
}

static bool run_oracle(const struct op *ops, size_t n, uint64_t seed, bool careful, char *msg)
{
	static struct world w;
	bool ok;

	start(&w, seed, msg);
	ok = run_world(&w, ops, n, careful);
	rmm_destroy(w.rmm);
	return ok;
}

static bool run_twice(const struct op *ops, size_t n, uint64_t seed, bool careful, char *msg)
{
	static struct world w[2];

	(void)careful;
	for (int i = 0; i < 2; i++) {
		start(&w[i], seed, msg);
		for (size_t k = 0; k < n; k++)
			perform(&w[i], &ops[k]);
		rmm_destroy(w[i].rmm);
	}
	return w[0].hash == w[1].hash ||
	       broken(&w[0], "the second run allocated other pages", 0, 0);
}

static void test_pages_random_operations_agree_with_oracle(void **state)
{
	const struct property p = {"pages", names, CODES, 3000, run_oracle, 0};

	(void)state;
	prop_check(&p);
}

static void test_pages_same_operations_give_same_pages(void **state)
{
	const struct property p = {"determinism", names, CODES, 2000, run_twice, PROP_TWICE};

	(void)state;
	prop_check(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pages_random_operations_agree_with_oracle),
		cmocka_unit_test(test_pages_same_operations_give_same_pages),
	};

	return cmocka_run_group_tests_name("prop_pages", tests, NULL, NULL);
}
