/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * pages_world.h - a machine of any knobs, and an oracle that knows which of its
 * pages are in use and what was written into them; what prop_pages.c plays with.
 */
#ifndef KMEMLAB_TESTS_PAGES_WORLD_H
#define KMEMLAB_TESTS_PAGES_WORLD_H

#include "prop.h"
#include "knobs.h"

#include "../../refmm/compact.h"

enum {
	PAGE_SHIFT = 15, /* a huge page is order 6 then */
	BLOCK_ORDER = 4,
	TOP_ORDER = 6,
	PAGES = 2048, /* frames of the oracle */
	LIVE_MAX = PAGES,
};

/* Behind the pages of a backed machine, one at a time */
static _Alignas(1 << PAGE_SHIFT) uint8_t arena[(size_t)PAGES << PAGE_SHIFT];

struct live {
	rmm_pfn pfn;
	unsigned int order;
	uint32_t serial; /* what its owner wrote */
};

struct world {
	struct rmm *rmm;
	uint8_t used[PAGES], given[PAGES];
	struct live live[LIVE_MAX];
	uint16_t index[PAGES]; /* by first page: of live[]; valid if that says so */
	size_t n;
	uint32_t serial;
	bool wrong;	 /* a block moved from or to where it must not */
	bool faults;	 /* anything may fail */
	uint64_t refuse; /* owners refuse to follow now and then */
	uint64_t hash;	 /* of everything that was allocated */
	bool set_types;	 /* pageblocks may change type; then buddies may lie unmerged */
	char *msg;
};

static bool broken(struct world *w, const char *what, rmm_pfn pfn, unsigned int order)
{
	snprintf(w->msg, 512, "%s (pfn %u, order %u)", what, pfn, order);
	return false;
}

/* @knobs: any number; its bits and remainders set what there is to set */
static struct rmm *make(uint64_t knobs)
{
	static const uint8_t cpu_node[2] = {0, 1}, distance[4] = {10, 255, 11, 10};
	static struct rmm_zone_config mine[4]; /* until rmm_setup_done() */
	struct rmm_config c;

	memcpy(mine, zones, sizeof(mine));
	rmm_config_init(&c);
	c.nr_cpus = 2;
	c.cpu_node = cpu_node;
	c.page_shift = PAGE_SHIFT;
	c.pageblock_order =
		knobs >> 7 & 1 ? (unsigned int)(knobs >> 8) % (TOP_ORDER + 1) : BLOCK_ORDER;
	c.max_order = TOP_ORDER;
	c.nr_zones = knobs & 64 ? 4 : 2;
	c.zones = knobs_zones(mine, c.nr_zones, knobs);
	if (knobs_far(knobs)) {
		c.nr_nodes = 2;
		c.node_distance = distance;
	}
	c.min_free_kbytes = knobs & 1 ? 2000 : 0;
	c.fallback = knobs & 2 ? RMM_FALLBACK_STEAL : RMM_FALLBACK_CLAIM;
	c.pcp_mode = knobs & 4 ? RMM_PCP_FIXED : RMM_PCP_AUTO;
	c.pcp_thp_lists = (unsigned int)(knobs >> 3) % 3;
	c.mobility = knobs % 7 != 0;
	c.pcp = knobs % 5 != 0;
	c.defrag_mode = knobs % 11 == 0;
	c.pcp_batch = knobs & 32 ? 6 : 0;
	c.isolate_bit = knobs % 2;
	knobs_more(&c, knobs);
	c.arena = c.backed ? arena : NULL;
	return rmm_create(&c, NULL);
}

/* The live block that begins at @pfn, or NULL */
static struct live *find(struct world *w, rmm_pfn pfn)
{
	struct live *l = &w->live[w->index[pfn]];

	return w->index[pfn] < w->n && l->pfn == pfn ? l : NULL;
}

/* Live block @i is this one now. */
static void set_live(struct world *w, size_t i, struct live l)
{
	w->live[i] = l;
	w->index[l.pfn] = (uint16_t)i;
}

/* Where the owner of page @p of a block writes; NULL: nowhere */
static uint32_t *content(const struct world *w, rmm_pfn p)
{
	return w->rmm->arena ? (uint32_t *)(arena + ((size_t)p << PAGE_SHIFT)) : NULL;
}

/* The oracle knows a new block. */
static void own(struct world *w, rmm_pfn pfn, unsigned int order)
{
	uint32_t serial = ++w->serial;

	set_live(w, w->n++, (struct live){pfn, order, serial});
	for (rmm_pfn i = 0; w->rmm->arena && i < 1u << order; i++)
		*content(w, pfn + i) = serial + i;
}

/* It is about to be freed. */
static bool disown(struct world *w, struct live *l)
{
	struct live gone = *l;

	if (--w->n != (size_t)(l - w->live))
		set_live(w, (size_t)(l - w->live), w->live[w->n]);
	memset(w->used + gone.pfn, 0, 1u << gone.order);
	for (rmm_pfn i = 0; w->rmm->arena && i < 1u << gone.order; i++)
		if (*content(w, gone.pfn + i) != gone.serial + i)
			return broken(w, "a block lost what it held", gone.pfn, gone.order);
	return true;
}

/* A block moves, to where nobody is; each fifth time its owner refuses. */
static bool migrate(void *ctx, unsigned int cpu, rmm_pfn from, rmm_pfn to, unsigned int order)
{
	struct world *w = ctx;
	struct live *l = find(w, from);

	(void)cpu;
	if (++w->refuse % 5 == 0)
		return false;
	if (!l || l->order != order) {
		w->wrong = true; /* it moves what nobody has */
		return false;
	}
	for (rmm_pfn p = 0; p < 1u << order; p++)
		w->wrong |= w->used[to + p] || !w->given[to + p];
	memset(w->used + from, 0, 1u << order);
	memset(w->used + to, 1, 1u << order);
	set_live(w, (size_t)(l - w->live), (struct live){to, order, l->serial});
	w->hash = w->hash * 31 + to;
	return true;
}

static void start(struct world *w, uint64_t seed, char *msg)
{
	uint64_t number = prop_config(seed), knobs = prop_random(&number);

	memset(w, 0, sizeof(*w));
	w->msg = msg;
	w->set_types = knobs % 3 == 0;
	w->rmm = make(knobs);
	assert_non_null(w->rmm);
	knobs_print(&w->rmm->config, w->set_types, knobs_far(knobs));
	for (unsigned int i = 0; i < rmm_nr_zones(w->rmm); i++) {
		rmm_pfn from = zones[i].start_pfn, nr = zones[i].present;

		assert_int_equal(rmm_free_reserved(w->rmm, from, nr), 0);
		memset(w->given + from, 1, nr);
	}
	assert_int_equal(rmm_setup_done(w->rmm), 0);
	rmm_set_hooks(w->rmm, &(struct rmm_hooks){.ctx = w, .migrate = migrate});
}

#endif
