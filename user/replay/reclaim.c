/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* reclaim.c - kswapd and direct reclaim, by the model's own watermarks. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "replay/kswapd.h"
#include "replay/reclaim.h"
#include "replay/requests.h"
#include "trace/trace_io.h"

enum {
	DEF_PRIORITY = 12,
	CLUSTER_PAGES = 32,  /* SWAP_CLUSTER_MAX */
	PAGE_NS = 10 * 1000, /* to reclaim a page, if the trace shows none */
	HUGE_PAGE_ORDER = 9,
	COSTLY_ORDER = 3,
	MIN_LRU_BATCH = 64, /* pages that lru_gen takes at once */
};

/* From what the recorded kswapds freed in the time they were at work. */
static uint64_t pace(const struct kswapd_spans *s)
{
	uint64_t ns = 0;

	for (size_t i = 0; i < s->n; i++)
		ns += s->at[i].end_ns - s->at[i].begin_ns;
	if (s->freed_pages < CLUSTER_PAGES)
		return PAGE_NS;
	return ns / s->freed_pages + 1;
}

int reclaim_init(struct reclaim *m, struct rmm *rmm, struct requests *q,
		 const struct kswapd_spans *spans, const uint8_t *cpu_node)
{
	bool lru_gen = m->lru_gen;
	struct rmm_zone_info z;

	memset(m, 0, sizeof(*m));
	m->lru_gen = lru_gen;
	m->rmm = rmm;
	m->requests = q;
	m->spans = spans;
	m->cpu_node = cpu_node;
	m->ns_per_page = pace(spans);
	m->next_ns = UINT64_MAX;
	for (unsigned int i = 0; i < rmm_nr_zones(rmm); i++) {
		if (rmm_zone_info(rmm, i, &z))
			continue;
		m->zone_node[i] = z.node;
		if (z.node >= m->nodes)
			m->nodes = z.node + 1u;
	}
	m->in_reclaim = calloc((size_t)spans->nr_classes + 1, sizeof(*m->in_reclaim));
	return m->in_reclaim ? lru_init(&m->lru, q->nr_pfns) : -ENOMEM;
}

void reclaim_destroy(struct reclaim *m)
{
	lru_destroy(&m->lru);
	free(m->in_reclaim);
	memset(m, 0, sizeof(*m));
}

/*
 * Reading ahead asks with NORETRY, writing with WRITE. Anonymous memory is zeroed
 * (ZERO), huge pages are cleared later and may not dip into reserves (NOMEMALLOC).
 */
bool reclaim_takes(uint32_t gfp, unsigned int order)
{
	return (gfp & RMM_GFP_MOVABLE) && (gfp & (RMM_GFP_WRITE | RMM_GFP_NORETRY)) &&
	       !(gfp & (RMM_GFP_ZERO | RMM_GFP_NOMEMALLOC)) && order < HUGE_PAGE_ORDER;
}

static unsigned int node_of(const struct reclaim *m, uint32_t at)
{
	int zone = rmm_pfn_zone(m->rmm, at);

	return zone < 0 ? 0 : m->zone_node[zone];
}

void reclaim_add(struct reclaim *m, uint32_t at, unsigned int order, bool kept)
{
	if (!lru_has(&m->lru, at))
		lru_add(&m->lru, node_of(m, at), at, order, kept);
}

void reclaim_gone(struct reclaim *m, uint32_t at)
{
	if (lru_has(&m->lru, at))
		lru_remove(&m->lru, node_of(m, at), at);
}

bool reclaim_moved(struct reclaim *m, uint32_t from, uint32_t to)
{
	if (!lru_has(&m->lru, from))
		return false;
	lru_move(&m->lru, from, to);
	return true;
}

static bool is_kswapd(const struct reclaim *m, uint32_t class)
{
	return class < m->spans->nr_classes && m->spans->of_class[class];
}

bool reclaim_defers(struct reclaim *m, unsigned int cpu, uint32_t at)
{
	uint32_t class = m->requests->task[cpu];

	if (class >= m->spans->nr_classes || !lru_has(&m->lru, at))
		return false;
	if (!is_kswapd(m, class) && !m->in_reclaim[class])
		return false;
	if (is_kswapd(m, class))
		m->node[m->spans->of_class[class] - 1].seen_on = cpu + 1;
	m->counts.deferred += 1ull << m->lru.order[at];
	lru_age(&m->lru, node_of(m, at), at);
	return true;
}

void reclaim_note(struct reclaim *m, const struct trace_event *e)
{
	uint32_t class = m->requests->task[e->cpu];

	if (class < m->spans->nr_classes)
		m->in_reclaim[class] = e->kind == KMT_RECLAIM_BEGIN;
}

/* The oldest block of @node is freed on @cpu. Return: its pages; 0: there is none */
static uint64_t take_one(struct reclaim *m, unsigned int node, unsigned int cpu)
{
	uint32_t at = lru_next(&m->lru, node);
	unsigned int order;

	if (at == LRU_NONE)
		return 0;
	order = m->lru.order[at];
	lru_remove(&m->lru, node, at);
	if (requests_reclaimed(m->requests, at, order))
		m->counts.early += 1ull << order;
	else
		m->counts.late += 1ull << order;
	if (rmm_free_pages(m->rmm, cpu, rmm_pfn_to_page(m->rmm, at), order))
		m->requests->counts.free_refused++;
	return 1ull << order;
}

/* What the node's zones say together */
struct marks {
	bool balanced;		    /* pgdat_balanced(): one zone is above its high mark */
	bool enough;		    /* should_abort_scan(): all are, and by a batch */
	uint64_t boost, to_reclaim; /* sum of the boosts, of the high marks */
};

static void look(const struct reclaim *m, unsigned int node, struct marks *out)
{
	unsigned int highest = 0;
	struct rmm_zone_info z;

	memset(out, 0, sizeof(*out));
	out->enough = true;
	for (unsigned int i = 0; i < rmm_nr_zones(m->rmm); i++)
		if (!rmm_zone_info(m->rmm, i, &z) && z.node == node && z.managed &&
		    z.type > highest)
			highest = z.type;
	for (unsigned int i = 0; i < rmm_nr_zones(m->rmm); i++) {
		uint64_t high;

		if (rmm_zone_info(m->rmm, i, &z) || z.node != node || !z.managed)
			continue;
		high = z.wmark[RMM_WMARK_HIGH] + z.boost + z.lowmem_reserve[highest];
		out->boost += z.boost;
		out->to_reclaim += z.wmark[RMM_WMARK_HIGH] + z.boost;
		out->balanced |= z.free_pages > high;
		out->enough &= z.free_pages > high + MIN_LRU_BATCH;
	}
}

static void set_next(struct reclaim *m)
{
	m->next_ns = UINT64_MAX;
	for (unsigned int i = 0; i < m->nodes; i++) {
		uint64_t due = m->node[i].done_ns + m->ns_per_page;

		if (m->node[i].active && due < m->next_ns)
			m->next_ns = due;
	}
}

/* Where the recorded one was last seen; else another CPU of the node than the one that
 * wakes it, if there is one */
static unsigned int cpu_for(const struct reclaim *m, unsigned int node, unsigned int waker)
{
	if (m->node[node].seen_on)
		return m->node[node].seen_on - 1;
	for (unsigned int cpu = 0; cpu < m->requests->nr_cpus; cpu++)
		if (cpu != waker && m->cpu_node[cpu] == node)
			return cpu;
	return waker;
}

/* fls_long() */
static unsigned int bits(uint64_t n)
{
	return n ? 64 - (unsigned int)__builtin_clzll(n) : 0;
}

/*
 * Where passes begin: the smallest; the generations of lru_gen have it estimate at once
 * how many pages it will need (set_initial_priority()).
 */
static unsigned int first_priority(const struct reclaim *m, unsigned int node, uint64_t to_reclaim)
{
	int estimate = (int)bits(m->lru.pages[node]) - 1 - (int)bits(to_reclaim - 1);

	if (!m->lru_gen || to_reclaim < MIN_LRU_BATCH || estimate > DEF_PRIORITY)
		return DEF_PRIORITY;
	return estimate < DEF_PRIORITY / 2 ? DEF_PRIORITY / 2 : (unsigned int)estimate;
}

void reclaim_wake(struct reclaim *m, unsigned int node, unsigned int cpu, uint64_t now_ns)
{
	struct reclaim_node *n = &m->node[node];
	struct marks marks;

	if (node >= m->nodes || n->active)
		return;
	look(m, node, &marks);
	if (marks.balanced && !marks.boost)
		return;
	*n = (struct reclaim_node){.active = true,
				   .cpu = cpu_for(m, node, cpu),
				   .seen_on = n->seen_on,
				   .priority = first_priority(m, node, marks.to_reclaim),
				   .boosted = marks.boost,
				   .done_ns = now_ns};
	m->counts.wakes++;
	kswapd_at_work(m->rmm, node, true);
	set_next(m);
}

/* The next pass of balance_pgdat(). Return: whether there is one */
static bool begin_pass(struct reclaim *m, unsigned int node)
{
	struct reclaim_node *n = &m->node[node];
	struct marks marks;

	look(m, node, &marks);
	if (!marks.balanced && n->boosted) {
		n->boosted = 0;
		n->priority = first_priority(m, node, marks.to_reclaim);
	}
	if (marks.balanced && !n->boosted)
		return false;
	while (n->priority && !(m->lru.pages[node] >> n->priority))
		n->priority--;
	n->pass = m->lru.pages[node] >> n->priority;
	if (m->lru_gen && n->pass > marks.to_reclaim)
		n->pass = marks.to_reclaim;
	if (!n->pass || !n->priority) {
		m->counts.gave_up += !m->lru.pages[node];
		return false;
	}
	/* For a boost it does not try harder than this; nor if it has scanned enough. */
	if (!(n->boosted && n->priority <= DEF_PRIORITY - 2) && n->pass < marks.to_reclaim)
		n->priority--;
	return true;
}

/* Generations are taken from in batches, and after each kswapd may see that it is done. */
static bool is_enough(struct reclaim *m, unsigned int node)
{
	struct reclaim_node *n = &m->node[node];
	struct marks marks;

	if (!m->lru_gen || n->batch < MIN_LRU_BATCH)
		return false;
	n->batch = 0;
	look(m, node, &marks);
	return marks.enough;
}

static void work(struct reclaim *m, unsigned int node, uint64_t now_ns)
{
	struct reclaim_node *n = &m->node[node];

	while (n->active && n->done_ns + m->ns_per_page <= now_ns) {
		uint64_t pages = 0;

		if (n->pass || begin_pass(m, node))
			pages = take_one(m, node, n->cpu);
		if (!pages) {
			n->active = false;
			kswapd_at_work(m->rmm, node, false);
			return;
		}
		m->counts.kswapd += pages;
		n->done_ns += pages * m->ns_per_page;
		n->batch += pages;
		n->pass -= pages < n->pass ? pages : n->pass;
		n->boosted -= pages < n->boosted ? pages : n->boosted;
		if (is_enough(m, node))
			n->pass = 0;
	}
}

void reclaim_tick(struct reclaim *m, uint64_t now_ns)
{
	for (unsigned int i = 0; i < m->nodes; i++)
		work(m, i, now_ns);
	set_next(m);
}

uint64_t reclaim_direct(struct reclaim *m, unsigned int cpu, unsigned int order)
{
	uint64_t taken = 0, pages = 1, most = m->lru_gen ? MIN_LRU_BATCH : CLUSTER_PAGES;
	struct marks marks;

	look(m, m->cpu_node[cpu], &marks);
	if (order > COSTLY_ORDER && marks.balanced)
		return 0;
	for (unsigned int i = 0; i < m->nodes && taken < most; i++) {
		unsigned int node = (m->cpu_node[cpu] + i) % m->nodes;

		for (pages = 1; pages && taken < most; taken += pages)
			pages = take_one(m, node, cpu);
	}
	m->counts.gave_up += !taken;
	m->counts.direct += taken;
	return taken;
}
