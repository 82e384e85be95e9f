/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* start.c - build the reference's start state by a first pass over the trace. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "replay/blocktype.h"
#include "replay/start_lists.h"
#include "trace/trace_io.h"

enum { BATCH = 1 << 14 };

/* The snapshot's page, or the page that an event put there, was on a list. */
static void was_on_list(struct touch *t, const struct trace_event *e, uint8_t migratetype)
{
	struct pagemap *m = &t->s->at.map;
	struct start_pcp p = {.pfn = (uint32_t)e->address, .cpu = e->cpu, .order = e->order};
	uint64_t pages[PAGE_KINDS] = {0};

	p.migratetype = migratetype < PCP_TYPES ? migratetype : MOVABLE;
	pagemap_detach(m, e->address, e->order, pages);
	pagemap_put(m, e->address, e->order, PAGE_PCP);
	touch_listed(t, &p, e->kind == KMT_PCPU_DRAIN);
}

static void was_one_block(struct touch *t, const struct trace_event *e)
{
	struct pagemap *m = &t->s->at.map;
	uint64_t pages[PAGE_KINDS] = {0};
	uint8_t head;

	pagemap_find(m, e->address, &head);
	if (page_head_order(head) >= e->order)
		return;
	pagemap_detach(m, e->address, e->order, pages);
	pagemap_put(m, e->address, e->order, PAGE_LIVE);
	t->s->joined++;
}

static void was_given(struct touch *t, const struct trace_event *e)
{
	struct start *s = t->s;

	if (s->growths == s->growth_room) {
		size_t more = s->growth_room ? s->growth_room * 2 : 64;
		struct start_growth *grown = realloc(s->growth, more * sizeof(*grown));

		t->no_memory |= !grown;
		if (!grown)
			return;
		s->growth = grown;
		s->growth_room = more;
	}
	s->growth[s->growths++] = (struct start_growth){(uint32_t)e->address, e->order};
}

/* Blocks on lists are not marked as such: a large one looks like pages side by side. */
static bool may_be_listed(const struct pagemap *m, const struct trace_event *e)
{
	uint64_t pfn = e->address, end = pfn + (1ull << e->order);

	while (pfn < end) {
		uint8_t head;
		uint64_t first = pagemap_find(m, pfn, &head);
		enum page_kind kind = page_head_kind(head);

		if ((kind != PAGE_START && kind != PAGE_PCP) || page_head_order(head) > e->order)
			return false;
		pfn = first + (1ull << page_head_order(head));
	}
	return true;
}

static void first_touch(struct touch *t, const struct trace_event *e, const struct kmt_class *c)
{
	uint8_t head;
	enum page_kind kind;

	pagemap_find(&t->s->at.map, e->address, &head);
	kind = page_head_kind(head);
	if (e->kind == KMT_PAGE_FREE && (kind == PAGE_LIVE || kind == PAGE_START))
		was_one_block(t, e);
	else if (e->kind == KMT_PAGE_FREE && kind == PAGE_RESERVED)
		was_given(t, e);
	else if (!t->s->read.at &&
		 (e->kind == KMT_PAGE_ALLOC || e->kind == KMT_BULK_PAGE ||
		  e->kind == KMT_PCPU_DRAIN) &&
		 may_be_listed(&t->s->at.map, e))
		was_on_list(t, e, c->migratetype);
}

static bool tell_type(struct touch *t, uint64_t pfn, uint8_t type)
{
	uint8_t *known = &t->s->at.block_type[pfn >> t->s->at.map.pageblock_order];

	if (*known != OBSERVED_NO_TYPE)
		return false;
	*known = type;
	return true;
}

/* See observed.h: what a CPU does next tells the style of an extfrag. */
static void learn_style(struct touch *t, const struct trace_event *e, const struct kmt_class *c)
{
	struct last_locked *last = &t->last[e->cpu];
	unsigned int order = t->s->at.map.pageblock_order;
	bool near = e->address == last->pfn ||
		    (last->fallback_order < order && e->address >> order == last->pfn >> order);

	if (e->kind == KMT_EXTFRAG && !last->waiting && last->pfn == e->address) {
		t->s->claim_votes++;
		return;
	}
	if (last->waiting) {
		last->waiting = false;
		*(e->kind == KMT_ZONE_LOCKED && near ? &t->s->steal_votes : &t->s->claim_votes) +=
			1;
	}
	if (e->kind == KMT_EXTFRAG) {
		last->waiting = true;
		last->pfn = e->address;
		last->fallback_order = c->fallback_order;
	}
}

static void learn_type(struct touch *t, const struct trace_event *e, const struct kmt_class *c)
{
	struct last_locked *last = &t->last[e->cpu];
	unsigned int order = t->s->at.map.pageblock_order;

	if (e->kind == KMT_ZONE_LOCKED) {
		last->told = tell_type(t, e->address, c->migratetype);
		last->pfn = e->address;
	} else if (e->kind == KMT_PCPU_DRAIN) {
		tell_type(t, e->address, c->migratetype);
	} else if (e->kind == KMT_EXTFRAG) {
		if (last->told && last->pfn == e->address)
			t->s->at.block_type[e->address >> order] = c->fallback_type;
		for (uint64_t i = 0; i < 1ull << c->fallback_order; i += 1ull << order)
			if (e->address + i < t->s->at.map.nr_pfns)
				tell_type(t, e->address + i, c->fallback_type);
	}
}

/* A page that is freed goes to the list of its pageblock's type, from which the next
 * request for that type takes it. */
static void learn_list(struct touch *t, const struct trace_event *e, const struct kmt_class *c)
{
	if (e->kind == KMT_PAGE_ALLOC && t->touched[e->address] == FREED &&
	    c->migratetype < PCP_TYPES)
		tell_type(t, e->address, c->migratetype);
}

/* The page events, and those after which a page's first event is none. */
static bool tells_of_start(unsigned int kind)
{
	return kind <= KMT_PCPU_DRAIN || kind == KMT_BULK_PAGE || kind == KMT_PAGE_ISOLATE ||
	       kind == KMT_MIGRATE_TO || kind == KMT_PAGE_KEEP;
}

static void learn_page_event(struct touch *t, const struct trace_event *e,
			     const struct kmt_class *c)
{
	unsigned int zone = pagemap_zone(&t->s->at.map, e->address);

	if (e->kind == KMT_PAGE_ALLOC && zone != HOST_ZONE_NONE)
		t->s->taken[zone * t->s->at.nr_cpus + e->cpu]++;
	touch_empty(t, e, c);
	learn_style(t, e, c);
	if (t->s->read.types_ns && e->time_ns > t->s->read.types_ns)
		return;
	learn_type(t, e, c);
	learn_list(t, e, c);
}

static void learn(struct touch *t, const struct trace_event *e)
{
	const struct observed *o = &t->s->at;
	const struct kmt_class *c;
	uint64_t size;

	if (!tells_of_start(e->kind) || e->class_id >= o->nr_classes ||
	    !(c = o->classes[e->class_id]) || e->order > o->map.max_order || e->cpu >= o->nr_cpus)
		return;
	size = 1ull << e->order;
	if (e->address >= o->map.nr_pfns || size > o->map.nr_pfns - e->address ||
	    e->address & (size - 1))
		return;
	if (e->kind <= KMT_PCPU_DRAIN || e->kind == KMT_BULK_PAGE)
		levels_event(&t->s->levels, &o->map, e);
	if (e->kind <= KMT_PCPU_DRAIN || e->kind == KMT_BULK_PAGE)
		t->no_memory |= start_read_event(&t->s->read, e, c) != 0;
	if (e->kind <= KMT_PCPU_DRAIN)
		learn_page_event(t, e, c);
	if (!t->touched[e->address])
		first_touch(t, e, c);
	memset(t->touched + e->address, e->kind == KMT_PAGE_FREE ? FREED : TOUCHED, size);
}

/* The state is complete; from here on events only tell about it. */
static void begin_learning(struct touch *t)
{
	observed_finish(&t->s->at);
	t->started = true;
}

static int scan(struct touch *t, struct trace_reader *r)
{
	struct trace_event *e = malloc(BATCH * sizeof(*e));
	struct start *s = t->s;
	long n = e ? 1 : -ENOMEM;

	while (n > 0 && !t->no_memory) {
		n = trace_reader_next(r, e, BATCH);
		for (long i = 0; i < n; i++) {
			t->no_memory |= kswapd_spans_event(&s->kswapd, &e[i]) != 0;
			if (e[i].time_ns <= s->t_ns) {
				observed_feed(&s->at, &e[i], 1);
				continue;
			}
			if (!t->started)
				begin_learning(t);
			learn(t, &e[i]);
		}
	}
	free(e);
	if (!t->started)
		begin_learning(t);
	return n < 0 ? (int)n : t->no_memory ? -ENOMEM : 0;
}

struct content {
	struct block_content *blocks;
	const struct pagemap *map;
};

static void count_run(void *ctx, uint64_t pfn, const struct trace_page_run *run)
{
	struct content *c = ctx;

	blocktype_content(c->blocks, c->map, pfn, run);
}

static int fit_types(struct start *s, const struct host *h, struct trace_reader *r,
		     const struct block_fit *fit)
{
	struct proc_pagetypeinfo info;
	struct trace_text text;
	int64_t changed = 0;
	int err;

	if (trace_reader_find_text(r, "pagetypeinfo", KMT_PHASE_START, &text))
		return 0;
	err = proc_pagetypeinfo_parse(text.text, &info);
	trace_text_free(&text);
	if (err)
		return err == -ENOMEM ? err : 0;
	for (size_t i = 0; i < info.n && changed >= 0; i++) {
		unsigned int z = host_zone_find(h, info.zones[i].node, info.zones[i].name);

		if (z != HOST_ZONE_NONE)
			changed = blocktype_fit(fit, z, &info.zones[i]);
		if (changed > 0)
			s->blocks_adjusted += (uint64_t)changed;
	}
	proc_pagetypeinfo_free(&info);
	return changed < 0 ? (int)changed : 0;
}

static int type_blocks(struct start *s, const struct host *h, const struct snapshot *snap,
		       struct trace_reader *r)
{
	uint64_t n = s->at.map.nr_blocks;
	struct block_content *content = calloc(n, sizeof(*content));
	uint8_t *guessed = calloc(n, 1);
	struct content ctx = {content, &s->at.map};
	const struct block_fit fit = {s->at.block_type, guessed, content, &s->at.map};
	int err = content && guessed ? 0 : -ENOMEM;

	for (size_t i = 0; i < snap->n && !err; i++)
		err = snapshot_chunk_runs(snap, r, i, count_run, &ctx);
	for (uint64_t b = 0; b < n && !err; b++) {
		if (s->at.block_type[b] != OBSERVED_NO_TYPE) {
			s->blocks_told++;
			continue;
		}
		if (s->read.types_ns && s->read.type[b] != OBSERVED_NO_TYPE) {
			s->at.block_type[b] = s->read.type[b];
			s->blocks_read += s->at.map.block_zone[b] != HOST_ZONE_NONE;
			continue;
		}
		guessed[b] = 1;
		s->at.block_type[b] = blocktype_guess(&content[b]);
		s->blocks_by_content += s->at.map.block_known[b] > 0;
	}
	if (!err && !s->read.types_ns)
		err = fit_types(s, h, r, &fit);
	free(content);
	free(guessed);
	return err;
}

static int first_pass(struct start *s, const struct host *h, const struct snapshot *snap,
		      struct trace_reader *r)
{
	struct touch t = {.s = s};
	int err = -ENOMEM;

	t.touched = calloc(s->at.map.nr_pfns, 1);
	t.last = calloc(s->at.nr_cpus, sizeof(*t.last));
	t.empty = calloc((size_t)h->nr_zones * s->at.nr_cpus, sizeof(*t.empty));
	t.drain = calloc(s->at.nr_cpus, sizeof(*t.drain));
	if (t.touched && t.last && t.empty && t.drain)
		err = scan(&t, r);
	levels_finish(&s->levels, h);
	if (!err)
		err = type_blocks(s, h, snap, r);
	if (!err) {
		touch_lists(&t, h);
		err = t.no_memory ? -ENOMEM : 0;
	}
	free(t.touched);
	free(t.last);
	free(t.empty);
	free(t.drain);
	free(t.drained);
	return err;
}

int start_build(struct start *s, const struct host *h, const struct snapshot *snap,
		struct trace_reader *r, const struct kmt_class *const *classes, uint32_t nr_classes)
{
	int err;

	memset(s, 0, sizeof(*s));
	s->t_ns = snap->t_last_ns;
	err = observed_init(&s->at, h, classes, nr_classes);
	if (err)
		return err;
	err = start_read_init(&s->read, h, &s->at.map, r);
	if (!err)
		err = levels_init(&s->levels, h, r, s->t_ns);
	if (!err)
		err = kswapd_spans_init(&s->kswapd, r, s->at.nr_cpus);
	s->taken = calloc((size_t)h->nr_zones * s->at.nr_cpus, sizeof(*s->taken));
	if (!err && !s->taken)
		err = -ENOMEM;
	if (err) {
		start_destroy(s);
		return err;
	}
	log_progress("replay: inferring the start state");
	err = observed_load(&s->at, snap, r);
	if (!err)
		err = first_pass(s, h, snap, r);
	if (!err)
		err = trace_reader_rewind(r);
	if (err)
		start_destroy(s);
	return err;
}

void start_destroy(struct start *s)
{
	observed_destroy(&s->at);
	levels_destroy(&s->levels);
	kswapd_spans_destroy(&s->kswapd);
	start_read_destroy(&s->read);
	free(s->taken);
	free(s->pcp);
	free(s->growth);
	memset(s, 0, sizeof(*s));
}
