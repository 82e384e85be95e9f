/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * prop_exhaustive.c - every state that a zone of 16 pages can get into.
 *
 * Two pageblocks of order 3, one unmovable and one movable at first. From that
 * state on, each operation is performed in each state that was found, in each
 * way that the free lists may be ordered (space.h), until nothing new comes up:
 * allocation of each order and type, free and split of each block, drain, decay,
 * the end of a boost. After every step
 *
 *   rmm_validate() holds
 *   in use = what it was, and what was allocated, or less what was freed
 *   in use + free + on per-CPU lists = all, without overlap
 *   a request fails only if no aligned run of free pages is long enough
 *   no two buddies are both free
 *
 * and in every state a wrong free is refused and changes nothing. All but the
 * first is judged by three bitmaps that know nothing of lists and counters.
 *
 * A broken invariant is printed with the shortest way there.
 * KML_PROP_SCOPE=full: larger scopes, which take some minutes of CPU time each; or
 * the name of one scope, for that alone. The largest, "steal, split", has 3,976,470
 * states and 530,206,498 transitions, a million of which take a second.
 */
#include "prop.h"
#include "space.h"

enum { ALL = (1 << SPACE_PAGES) - 1 };

struct scope {
	const char *name;
	enum rmm_fallback fallback;
	unsigned int pcp; /* high mark of the per-CPU lists; 0: none */
	unsigned int pcp_batch;
	enum rmm_pcp_mode pcp_mode;
	unsigned int max_order;
	unsigned int orders; /* bit per order that is allocated */
	unsigned int types;  /* 1: unmovable; 2: and movable; 3: and reclaimable */
	unsigned int live;   /* blocks in use at most */
	bool boost, split, full;
};

enum kind { ALLOC, FREE, SPLIT, DRAIN, DECAY, UNBOOST };

static const char *const kinds[] = {"alloc", "free", "split", "drain", "decay", "kswapd-done"};

struct step {
	uint8_t kind, order, type, pfn, mirror, second;
};

/* A state that was found, and how */
struct node {
	struct space_state state;
	uint32_t from;
	struct step step;
};

struct search {
	const struct scope *scope;
	struct rmm *rmm;
	struct node *node;
	uint32_t n, room;
	uint32_t *table; /* node + 1, by hash */
	uint64_t slots, transitions;
	char msg[512];
};

struct bitmaps {
	unsigned int used, free, pcp;
	bool overlap;
};

static const unsigned int masks[RMM_PCPTYPES] = {
	RMM_GFP_KERNEL | RMM_GFP_MEMALLOC,
	RMM_GFP_HIGHUSER_MOVABLE | RMM_GFP_MEMALLOC,
	RMM_GFP_KERNEL | RMM_GFP_MEMALLOC | RMM_GFP_RECLAIMABLE,
};

static struct rmm *machine(const struct scope *s)
{
	/* Wider than what is there: a zone of two pageblocks is never boosted. */
	struct rmm_zone_config zone = {.type = RMM_ZONE_NORMAL,
				       .spanned = 2 * SPACE_PAGES,
				       .present = 2 * SPACE_PAGES,
				       .managed = 2 * SPACE_PAGES};
	struct rmm_config c;
	struct rmm *rmm;

	zone.wmark[RMM_WMARK_HIGH] = s->boost;
	rmm_config_init(&c);
	c.zones = &zone;
	c.nr_zones = 1;
	c.thp = false;
	c.given_watermarks = true;
	c.max_order = s->max_order;
	c.pageblock_order = SPACE_BLOCK_ORDER;
	c.fallback = s->fallback;
	c.pcp = s->pcp;
	c.pcp_high = s->pcp;
	c.pcp_batch = s->pcp_batch;
	c.pcp_mode = s->pcp_mode;
	rmm = rmm_create(&c, NULL);
	assert_non_null(rmm);
	rmm_set_pageblock_migratetype(rmm, 0, RMM_UNMOVABLE);
	for (rmm_pfn p = 0; p < SPACE_PAGES; p += SPACE_PAGES / 2)
		assert_int_equal(rmm_free_reserved(rmm, p, SPACE_PAGES / 2), 0);
	assert_int_equal(rmm_setup_done(rmm), 0);
	return rmm;
}

static struct bitmaps look(const struct rmm *rmm)
{
	struct bitmaps b = {0};

	for (rmm_pfn p = 0; p < SPACE_PAGES; p++) {
		const struct rmm_page *page = &rmm->memmap[p];
		unsigned int bits = ((1u << (1u << page->order)) - 1) << p;

		if (page->state == RMM_PG_RESERVED)
			continue;
		b.overlap |= ((b.used | b.free | b.pcp) & bits) || bits > ALL;
		if (page->state == RMM_PG_ALLOCATED)
			b.used |= bits;
		else if (page->state == RMM_PG_BUDDY)
			b.free |= bits;
		else
			b.pcp |= bits;
	}
	return b;
}

static unsigned int run_of(rmm_pfn pfn, unsigned int order)
{
	return ((1u << (1u << order)) - 1) << pfn;
}

static bool has_run(unsigned int free, unsigned int order)
{
	for (rmm_pfn p = 0; p < SPACE_PAGES; p += 1u << order)
		if (!(~free & run_of(p, order)))
			return true;
	return false;
}

static bool fails(struct search *s, const char *what)
{
	snprintf(s->msg, sizeof(s->msg), "%s", what);
	return false;
}

/* Free blocks are the largest there can be. */
static bool coalesced(const struct search *s, unsigned int free)
{
	for (rmm_pfn p = 0; p < SPACE_PAGES; p++) {
		const struct rmm_page *page = &s->rmm->memmap[p];

		if (page->state == RMM_PG_BUDDY && page->order < s->scope->max_order &&
		    !(~free & run_of(p & ~(1u << page->order), page->order + 1u)))
			return false;
	}
	return true;
}

/* @used: the pages that should be in use now */
static bool sound(struct search *s, unsigned int used)
{
	struct bitmaps b = look(s->rmm);

	if (rmm_validate(s->rmm, s->msg, sizeof(s->msg)))
		return false;
	if (b.overlap)
		return fails(s, "blocks overlap");
	if ((b.used | b.free | b.pcp) != ALL)
		return fails(s, "a page is lost");
	if (b.used != used)
		return fails(s, "other pages are in use than should be");
	return coalesced(s, b.free) || fails(s, "buddies are free but not merged");
}

static bool do_alloc(struct search *s, const struct step *step, unsigned int *used)
{
	struct bitmaps before = look(s->rmm);
	struct rmm_page *page = rmm_alloc_pages(s->rmm, 0, masks[step->type], step->order);
	rmm_pfn pfn;

	if (!page)
		return !has_run(before.free, step->order) || fails(s, "refused, but there is room");
	pfn = rmm_page_to_pfn(s->rmm, page);
	if (pfn & ((1u << step->order) - 1))
		return fails(s, "not aligned");
	if (before.used & run_of(pfn, step->order))
		return fails(s, "given out twice");
	*used |= run_of(pfn, step->order);
	return true;
}

/* Perform @step in the present state, and look at what came of it. */
static bool perform(struct search *s, const struct step *step)
{
	struct rmm_page *page = &s->rmm->memmap[step->pfn];
	unsigned int used = look(s->rmm).used;

	switch ((enum kind)step->kind) {
	case ALLOC:
		if (!do_alloc(s, step, &used))
			return false;
		break;
	case FREE:
		if (rmm_free_pages(s->rmm, 0, page, step->order))
			return fails(s, rmm_last_error(s->rmm));
		used &= ~run_of(step->pfn, step->order);
		break;
	case SPLIT:
		if (rmm_split_page(s->rmm, page, step->order))
			return fails(s, rmm_last_error(s->rmm));
		break;
	case DRAIN:
		rmm_drain_all_pages(s->rmm, 0);
		if (look(s->rmm).pcp)
			return fails(s, "drained, but not empty");
		break;
	case DECAY:
		rmm_refresh_cpu_vm_stats(s->rmm, 0);
		break;
	case UNBOOST:
		rmm_kswapd_done(s->rmm, 0);
		break;
	}
	return sound(s, used);
}

static uint64_t hash(const struct space_state *s)
{
	const unsigned char *byte = (const unsigned char *)s;
	uint64_t h = 0, word;

	for (size_t i = 0; i + sizeof(word) <= sizeof(*s); i += sizeof(word)) {
		memcpy(&word, byte + i, sizeof(word));
		h = prop_random(&h) ^ word;
	}
	memcpy(&word, byte + sizeof(*s) - sizeof(word), sizeof(word));
	h = prop_random(&h) ^ word;
	return prop_random(&h);
}

static void grow(struct search *s)
{
	uint64_t slots = s->slots ? s->slots * 2 : 1 << 16;

	s->room = (uint32_t)(slots / 2);
	s->node = realloc(s->node, s->room * sizeof(*s->node));
	free(s->table);
	s->table = calloc(slots, sizeof(*s->table));
	assert_true(s->node && s->table);
	s->slots = slots;
	for (uint32_t i = 0; i < s->n; i++) {
		uint64_t at = hash(&s->node[i].state) & (slots - 1);

		while (s->table[at])
			at = (at + 1) & (slots - 1);
		s->table[at] = i + 1;
	}
}

/* Note the machine's state if it is a new one. */
static void note(struct search *s, uint32_t from, const struct step *step)
{
	struct space_state state;
	uint64_t at;

	space_pack(s->rmm, &state);
	space_canon(&state);
	at = hash(&state) & (s->slots - 1);
	for (; s->table[at]; at = (at + 1) & (s->slots - 1))
		if (!memcmp(&s->node[s->table[at] - 1].state, &state, sizeof(state)))
			return;
	s->node[s->n] = (struct node){state, from, *step};
	s->table[at] = ++s->n;
	if (s->n == s->room)
		grow(s);
}

static bool try_step(struct search *s, uint32_t from, const struct step *step)
{
	struct space_state state = s->node[from].state;

	space_unpack(s->rmm, &state, step->mirror, step->second);
	s->transitions++;
	if (!perform(s, step))
		return false;
	note(s, from, step);
	return true;
}

/* How often must an allocation be tried? Once if a per-CPU list serves it; with
 * each member first if a free list does; else with every frame first, as what
 * the fallback moves comes in the order of frames. Returns a bit per mirror. */
static unsigned int mirrors(const struct search *s, const struct space_state *state,
			    const struct step *step)
{
	unsigned int found[SPACE_TOP + 1] = {0};

	for (rmm_pfn p = 0; p < SPACE_PAGES; p++) {
		unsigned int kind = space_kind(state->page[p]), order = space_order(state->page[p]);

		if (!state->page[p] || space_type(state->page[p]) != step->type)
			continue;
		if (kind == RMM_PG_PCP && order == step->order)
			return 1;
		if (kind == RMM_PG_BUDDY)
			found[order] |= 1u << p;
	}
	for (unsigned int o = step->order; o <= s->scope->max_order && s->scope->pcp_batch < 2; o++)
		if (found[o])
			return found[o];
	return ALL;
}

static unsigned int longest_list(const struct space_state *state)
{
	unsigned int count[SPACE_TOP + 1] = {0}, most = 0;

	for (rmm_pfn p = 0; p < SPACE_PAGES; p++)
		if (space_kind(state->page[p]) == RMM_PG_BUDDY) {
			unsigned int n = ++count[space_order(state->page[p])];

			most = n > most ? n : most;
		}
	return most;
}

static bool try_alloc(struct search *s, uint32_t from, unsigned int order, unsigned int type)
{
	const struct space_state state = s->node[from].state;
	struct step step = {.kind = ALLOC, .order = (uint8_t)order, .type = (uint8_t)type};
	unsigned int which = mirrors(s, &state, &step);
	unsigned int seconds = s->scope->pcp_batch > 1 ? longest_list(&state) : 1;

	for (step.mirror = 0; step.mirror < SPACE_PAGES; step.mirror++) {
		if (!(which >> step.mirror & 1))
			continue;
		for (unsigned int second = 1; second <= 1 || second < seconds; second++) {
			step.second = (uint8_t)second;
			if (!try_step(s, from, &step))
				return false;
		}
	}
	return true;
}

static bool try_allocs(struct search *s, uint32_t from)
{
	const struct space_state *state = &s->node[from].state;
	unsigned int live = 0;

	for (rmm_pfn p = 0; p < SPACE_PAGES; p++)
		live += space_kind(state->page[p]) == RMM_PG_ALLOCATED;
	if (live >= s->scope->live)
		return true;
	for (unsigned int type = 0; type < s->scope->types; type++)
		for (unsigned int o = 0; o <= s->scope->max_order; o++)
			if ((s->scope->orders >> o & 1) && !try_alloc(s, from, o, type))
				return false;
	return true;
}

static bool try_frees(struct search *s, uint32_t from)
{
	for (rmm_pfn p = 0; p < SPACE_PAGES; p++) {
		uint16_t cell = s->node[from].state.page[p];
		struct step step = {.kind = FREE, .pfn = (uint8_t)p};

		if (space_kind(cell) != RMM_PG_ALLOCATED)
			continue;
		step.order = (uint8_t)space_order(cell);
		if (!try_step(s, from, &step))
			return false;
		step.kind = SPLIT;
		if (s->scope->split && step.order && !try_step(s, from, &step))
			return false;
	}
	return true;
}

/* A wrong free: another frame and order in each state */
static bool try_bad_free(struct search *s, uint32_t from)
{
	const struct space_state *state = &s->node[from].state;
	struct step step = {
		.kind = FREE, .order = from / SPACE_PAGES % 5, .pfn = from % SPACE_PAGES};
	uint16_t cell = state->page[step.pfn];
	struct space_state after;

	if (space_kind(cell) == RMM_PG_ALLOCATED && space_order(cell) == step.order)
		return true;
	space_unpack(s->rmm, state, 0, 1);
	if (rmm_free_pages(s->rmm, 0, &s->rmm->memmap[step.pfn], step.order) != -EINVAL)
		return fails(s, "a wrong free was not refused");
	space_pack(s->rmm, &after);
	return !memcmp(&after, state, sizeof(after)) ||
	       fails(s, "a refused free changed something");
}

static bool try_all(struct search *s, uint32_t from)
{
	const struct scope *c = s->scope;
	struct step drain = {.kind = DRAIN}, decay = {.kind = DECAY}, unboost = {.kind = UNBOOST};

	return try_allocs(s, from) && try_frees(s, from) && try_bad_free(s, from) &&
	       (!c->pcp || try_step(s, from, &drain)) && (!c->pcp || try_step(s, from, &decay)) &&
	       (!c->boost || try_step(s, from, &unboost));
}

static uint32_t depth_of(const struct search *s, uint32_t node)
{
	uint32_t depth = 0;

	for (; node; node = s->node[node].from)
		depth++;
	return depth;
}

static void print_way(const struct search *s, uint32_t node)
{
	const struct step *step = &s->node[node].step;

	if (!node)
		return;
	print_way(s, s->node[node].from);
	print_error("  %s pfn %u order %u type %u, lists in order ^ %u, then %u\n",
		    kinds[step->kind], step->pfn, step->order, step->type, step->mirror,
		    step->second);
}

static void test_exhaustive_every_state_is_sound(void **state)
{
	const struct scope *scope = *state;
	struct search s = {.scope = scope};
	double start = prop_now();
	uint32_t i;
	bool ok = true;

	s.rmm = machine(scope);
	grow(&s);
	note(&s, 0, &(struct step){0});
	for (i = 0; ok && i < s.n; i++)
		ok = try_all(&s, i);
	if (!ok) {
		print_error("%s: %s, after\n", scope->name, s.msg);
		print_way(&s, i - 1);
	}
	print_message("exhaustive, %s: %u states, %llu transitions, %u steps deep, %.1f s\n",
		      scope->name, s.n, (unsigned long long)s.transitions, depth_of(&s, s.n - 1),
		      prop_now() - start);
	rmm_destroy(s.rmm);
	free(s.node);
	free(s.table);
	assert_true(ok);
}

#define CLAIM RMM_FALLBACK_CLAIM
#define STEAL RMM_FALLBACK_STEAL

static struct scope scopes[] = {
	{"claim", CLAIM, 0, 0, RMM_PCP_AUTO, 4, 0x1e, 2, 16, false, false, false},
	{"boost", CLAIM, 0, 0, RMM_PCP_AUTO, 3, 0x0e, 2, 16, true, false, false},
	{"claim4", CLAIM, 0, 0, RMM_PCP_AUTO, 4, 0x1f, 2, 4, false, true, false},
	{"steal4", STEAL, 0, 0, RMM_PCP_AUTO, 4, 0x1f, 2, 4, false, true, false},
	{"pcp fixed", STEAL, 2, 1, RMM_PCP_FIXED, 3, 0xf, 2, 2, false, false, false},
	{"pcp auto", CLAIM, 2, 1, RMM_PCP_AUTO, 3, 0xf, 2, 2, false, false, false},
	{"pcp batch 2", CLAIM, 2, 2, RMM_PCP_AUTO, 3, 0x3, 2, 1, false, false, false},
	{"claim, three types", CLAIM, 0, 0, RMM_PCP_AUTO, 4, 0x1e, 3, 16, false, false, true},
	{"claim, split", CLAIM, 0, 0, RMM_PCP_AUTO, 4, 0x1f, 2, 16, false, true, true},
	{"steal, split", STEAL, 0, 0, RMM_PCP_AUTO, 4, 0x1f, 2, 16, false, true, true},
	{"boost, single pages", CLAIM, 0, 0, RMM_PCP_AUTO, 3, 0xf, 2, 5, true, false, true},
	{"pcp fixed, longer", STEAL, 3, 1, RMM_PCP_FIXED, 3, 0xf, 2, 2, false, false, true},
	{"pcp auto, longer", CLAIM, 3, 1, RMM_PCP_AUTO, 3, 0xf, 2, 2, false, false, true},
	{"pcp batch 2, longer", CLAIM, 4, 2, RMM_PCP_AUTO, 3, 0x3, 2, 2, false, false, true},
};

int main(void)
{
	const char *wanted = getenv("KML_PROP_SCOPE");
	struct CMUnitTest tests[sizeof(scopes) / sizeof(*scopes)] = {0};
	bool full = wanted && !strcmp(wanted, "full");
	bool named = wanted && strcmp(wanted, "quick");

	for (size_t i = 0; i < sizeof(scopes) / sizeof(*scopes); i++)
		if (full || (named ? !strcmp(wanted, scopes[i].name) : !scopes[i].full))
			/* without a function none is run */
			tests[i] = (struct CMUnitTest){scopes[i].name,
						       test_exhaustive_every_state_is_sound, NULL,
						       NULL, &scopes[i]};
	return cmocka_run_group_tests_name("prop_exhaustive", tests, NULL, NULL);
}
