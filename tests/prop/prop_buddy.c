/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * prop_buddy.c - the buddy lists against a bitmap.
 *
 * With one migrate type and no per-CPU lists, coalescing is complete, so which
 * pages are free decides alone which blocks there must be: each is the largest
 * aligned one that is free throughout. The oracle finds them anew from the bitmap
 * after each operation and compares block by block.
 */
#include "prop.h"

#include "../../refmm/alloc.h"

enum { TOP = 7, FIRST = 5, PAGES = 700, END = FIRST + PAGES };

enum code { ALLOC, ALLOC_SMALL, FREE, FREE_MORE, CODES };

static const char *const names[] = {"alloc", "alloc-page", "free", "free"};

struct world {
	struct rmm *rmm;
	bool free[1024];
	struct {
		rmm_pfn pfn;
		unsigned int order;
	} live[PAGES];
	size_t n;
};

static void start(struct world *w)
{
	static const struct rmm_zone_config zone = {.type = RMM_ZONE_NORMAL,
						    .start_pfn = FIRST,
						    .spanned = PAGES,
						    .present = PAGES,
						    .managed = PAGES};
	struct rmm_config c;

	memset(w, 0, sizeof(*w));
	rmm_config_init(&c);
	c.zones = &zone;
	c.nr_zones = 1;
	c.max_order = TOP;
	c.pageblock_order = 5;
	c.mobility = false;
	c.pcp = false;
	w->rmm = rmm_create(&c, NULL);
	assert_non_null(w->rmm);
	assert_int_equal(rmm_free_reserved(w->rmm, FIRST, PAGES), 0);
	assert_int_equal(rmm_setup_done(w->rmm), 0);
	memset(w->free + FIRST, true, PAGES);
}

static bool all_free(const struct world *w, rmm_pfn pfn, unsigned int order)
{
	for (rmm_pfn p = pfn; p < pfn + (1u << order); p++)
		if (p >= END || !w->free[p])
			return false;
	return true;
}

/* The block that must begin at the free page @pfn */
static unsigned int oracle_order(const struct world *w, rmm_pfn pfn)
{
	unsigned int order = 0;

	while (order < TOP && !(pfn & ((2u << order) - 1)) && all_free(w, pfn, order + 1))
		order++;
	return order;
}

static bool compare(const struct world *w, char *msg)
{
	unsigned int counts[TOP + 1] = {0};

	for (rmm_pfn p = FIRST; p < END;) {
		struct rmm_page_info info;
		unsigned int order;

		if (!w->free[p]) {
			p++;
			continue;
		}
		rmm_page_info(w->rmm, p, &info);
		order = oracle_order(w, p);
		if (info.state != RMM_PG_BUDDY || info.order != order) {
			snprintf(msg, 512, "pfn %u: state %u order %u, not free of order %u", p,
				 (unsigned int)info.state, info.order, order);
			return false;
		}
		counts[order]++;
		p += 1u << order;
	}
	for (unsigned int o = 0; o <= TOP; o++)
		if (rmm_nr_free(w->rmm, 0, o, -1) != counts[o]) {
			snprintf(msg, 512, "%llu blocks of order %u, not %u",
				 (unsigned long long)rmm_nr_free(w->rmm, 0, o, -1), o, counts[o]);
			return false;
		}
	return true;
}

static bool do_alloc(struct world *w, unsigned int order, char *msg)
{
	unsigned int gfp = RMM_GFP_KERNEL | RMM_GFP_MEMALLOC;
	struct rmm_page *page = rmm_alloc_pages(w->rmm, 0, gfp, order);
	rmm_pfn pfn = 0;

	if (page) {
		pfn = rmm_page_to_pfn(w->rmm, page);
		if (!all_free(w, pfn, order)) {
			snprintf(msg, 512, "allocated pfn %u, order %u, which is in use", pfn,
				 order);
			return false;
		}
		memset(w->free + pfn, false, 1u << order);
		w->live[w->n].pfn = pfn;
		w->live[w->n++].order = order;
		return true;
	}
	for (pfn = 0; pfn < END; pfn += 1u << order)
		if (all_free(w, pfn, order)) {
			snprintf(msg, 512, "failed at order %u, but pfn %u is free", order, pfn);
			return false;
		}
	return true;
}

static bool do_free(struct world *w, uint32_t a, char *msg)
{
	size_t i;

	if (!w->n)
		return true;
	i = a % w->n;
	memset(w->free + w->live[i].pfn, true, 1u << w->live[i].order);
	if (rmm_free_pages(w->rmm, 0, &w->rmm->memmap[w->live[i].pfn], w->live[i].order)) {
		snprintf(msg, 512, "%.500s", rmm_last_error(w->rmm));
		return false;
	}
	w->live[i] = w->live[--w->n];
	return true;
}

static bool run(const struct op *ops, size_t n, uint64_t seed, bool careful, char *msg)
{
	static struct world w;
	bool ok = true;

	(void)seed, (void)careful;
	start(&w);
	for (size_t i = 0; ok && i < n; i++) {
		if (ops[i].code <= ALLOC_SMALL)
			ok = do_alloc(&w, ops[i].code == ALLOC ? ops[i].a % (TOP + 1) : 0, msg);
		else
			ok = do_free(&w, ops[i].a, msg);
		ok = ok && compare(&w, msg);
	}
	ok = ok && !rmm_validate(w.rmm, msg, 512);
	rmm_destroy(w.rmm);
	return ok;
}

static void test_buddy_blocks_are_the_largest_that_are_free(void **state)
{
	const struct property p = {"buddy", names, CODES, 1000, run, 0};

	(void)state;
	prop_check(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_buddy_blocks_are_the_largest_that_are_free),
	};

	return cmocka_run_group_tests_name("prop_buddy", tests, NULL, NULL);
}
