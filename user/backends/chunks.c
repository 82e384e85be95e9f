/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * chunks.c - an allocator without locks: counters in three layers, each CPU with
 * a chunk of its own. The idea is that of LLFree (Wrenger et al., USENIX ATC
 * 2023); the code is not.
 *
 *   local  [cpu][kind]   chunk it allocates from, and how many free frames of it
 *     |                  it has set aside
 *   chunk  | free, taken | free, taken | ...       by 2^5 children (options: chunk=)
 *     |
 *   child  | 512 | 37 | HUGE | 0 | ...             free frames of 512 each
 *     |
 *   bits   | 8 words: 1 = in use |
 *
 * Whoever wants frames first takes their number from a counter above, from local
 * down to the child; what a counter gave is sure to be found below, or is given
 * back. So every step is one compare-and-swap, and nobody ever waits: only the
 * splitting of a child that was handed out whole (HUGE) makes others retry.
 *
 * Two kinds, movable and not, get chunks of their own; so do CPUs: what lives
 * and dies together lies together.
 *
 * Invariants, when nobody is at work: a child's counter is the number of its zero
 * bits (HUGE: none, and all bits are zero); a chunk's counter and what is set
 * aside of it add up to its children's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "child.h"

enum { KINDS = 2, MAX_ORDER = CHILD_ORDER + 1 };

#define TAKEN	 (1u << 31) /* a chunk: some CPU's */
#define NO_CHUNK UINT32_MAX

struct local {
	_Alignas(64) _Atomic uint64_t word; /* chunk << 32 | frames set aside */
};

struct zone {
	uint64_t first_child, children; /* numbered over all zones */
	uint32_t chunks;
	_Atomic uint32_t *chunk;
	struct local *local; /* [cpu * KINDS + kind] */
};

struct chunks {
	const struct kml_machine *m;
	uint32_t chunk_order; /* children: 2^this */
	struct zone *zone;
	struct children children;
	_Atomic uint64_t moves; /* a CPU took another chunk */
};

/* ---- A chunk -------------------------------------------------------------- */

/* Order 10: two children, the first with an even number. */
static uint64_t take_pair(struct chunks *c, uint64_t child)
{
	if (child % 2 || !child_take_whole(&c->children, child))
		return KML_NO_PFN;
	if (child_take_whole(&c->children, child + 1))
		return child << CHILD_ORDER;
	atomic_store(&c->children.free[child], CHILD_FRAMES);
	return KML_NO_PFN;
}

static uint64_t chunk_alloc(struct chunks *c, const struct zone *z, uint32_t chunk, uint32_t order)
{
	uint64_t first = z->first_child + ((uint64_t)chunk << c->chunk_order);
	uint64_t end = first + (1ull << c->chunk_order);
	uint64_t last = z->first_child + z->children;

	for (uint64_t i = first; i < end && i < last; i++) {
		uint64_t at = KML_NO_PFN;

		if (order < CHILD_ORDER)
			at = child_alloc(&c->children, i, order);
		else if (order == CHILD_ORDER)
			at = child_take_whole(&c->children, i) ? 0 : KML_NO_PFN;
		else if (i + 1 < end && i + 1 < last && (at = take_pair(c, i)) != KML_NO_PFN)
			return at;
		if (at != KML_NO_PFN)
			return (i << CHILD_ORDER) + at;
	}
	return KML_NO_PFN;
}

/* ---- Local ---------------------------------------------------------------- */

static uint64_t local_word(uint32_t chunk, uint32_t frames)
{
	return (uint64_t)chunk << 32 | frames;
}

/* Give the chunk back to all, with what was set aside of it. */
static void local_release(struct zone *z, struct local *l)
{
	uint64_t word = atomic_exchange(&l->word, local_word(NO_CHUNK, 0));
	uint32_t chunk = (uint32_t)(word >> 32);

	if (chunk != NO_CHUNK) {
		atomic_fetch_add(&z->chunk[chunk], (uint32_t)word);
		atomic_fetch_and(&z->chunk[chunk], ~TAKEN);
	}
}

/* Set aside all of @chunk that is free, if it is nobody's and has @frames. */
static bool local_take(struct zone *z, struct local *l, uint32_t chunk, uint32_t frames)
{
	uint32_t free = atomic_load(&z->chunk[chunk]);

	do {
		if (free & TAKEN || free < frames)
			return false;
	} while (!atomic_compare_exchange_weak(&z->chunk[chunk], &free, TAKEN));
	local_release(z, l);
	atomic_store(&l->word, local_word(chunk, free));
	return true;
}

/* Put @frames of @chunk where they are counted: the CPU may have lost it meanwhile. */
static void local_give(struct zone *z, struct local *l, uint32_t chunk, uint32_t frames)
{
	uint64_t word = atomic_load(&l->word);

	while ((uint32_t)(word >> 32) == chunk)
		if (atomic_compare_exchange_weak(&l->word, &word, word + frames))
			return;
	atomic_fetch_add(&z->chunk[chunk], frames);
}

/* Frames that others gave back to the CPU's chunk meanwhile. */
static void local_collect(struct zone *z, struct local *l)
{
	uint32_t chunk = (uint32_t)(atomic_load(&l->word) >> 32);

	if (chunk != NO_CHUNK)
		local_give(z, l, chunk, atomic_fetch_and(&z->chunk[chunk], TAKEN) & ~TAKEN);
}

static uint64_t local_alloc(struct chunks *c, struct zone *z, struct local *l, uint32_t order)
{
	uint64_t word = atomic_load(&l->word), pfn;
	uint32_t frames = 1u << order;

	do {
		if ((uint32_t)word < frames)
			return KML_NO_PFN;
	} while (!atomic_compare_exchange_weak(&l->word, &word, word - frames));
	pfn = chunk_alloc(c, z, (uint32_t)(word >> 32), order);
	if (pfn == KML_NO_PFN)
		local_give(z, l, (uint32_t)(word >> 32), frames);
	return pfn;
}

/*
 * From another chunk: one in use before an empty one, so that whole chunks stay
 * free; beginning behind the CPU's own, so that CPUs do not meet.
 */
static uint64_t move_on(struct chunks *c, struct zone *z, struct local *l, uint32_t order)
{
	uint32_t own = (uint32_t)(atomic_load(&l->word) >> 32);
	uint32_t start = own == NO_CHUNK ? 0 : own + 1;
	uint32_t whole = (uint32_t)CHILD_FRAMES << c->chunk_order;

	for (int empty = 0; empty < 2; empty++) {
		for (uint32_t i = 0; i < z->chunks; i++) {
			uint32_t chunk = (start + i) % z->chunks;
			uint64_t pfn;

			if (!empty && atomic_load(&z->chunk[chunk]) == whole)
				continue;
			if (!local_take(z, l, chunk, 1u << order))
				continue;
			atomic_fetch_add(&c->moves, 1);
			pfn = local_alloc(c, z, l, order);
			if (pfn != KML_NO_PFN)
				return pfn;
		}
	}
	return KML_NO_PFN;
}

static void release_all(struct chunks *c, struct zone *z)
{
	for (uint32_t i = 0; i < c->m->nr_cpus * KINDS; i++)
		local_release(z, &z->local[i]);
}

static uint64_t zone_alloc(struct chunks *c, struct zone *z, uint32_t owner, uint32_t order)
{
	struct local *l = &z->local[owner];
	uint64_t pfn = local_alloc(c, z, l, order);

	if (pfn == KML_NO_PFN) {
		local_collect(z, l);
		pfn = local_alloc(c, z, l, order);
	}
	if (pfn == KML_NO_PFN)
		pfn = move_on(c, z, l, order);
	if (pfn == KML_NO_PFN) {
		release_all(c, z);
		pfn = move_on(c, z, l, order);
	}
	return pfn;
}

/* ---- The plug-in ---------------------------------------------------------- */

static void destroy(void *self)
{
	struct chunks *c = self;

	for (uint32_t i = 0; c->zone && i < c->m->nr_zones; i++) {
		free((void *)c->zone[i].chunk);
		free(c->zone[i].local);
	}
	free(c->zone);
	free((void *)c->children.free);
	free((void *)c->children.bits);
	free(c);
}

static bool init_zone(struct chunks *c, struct zone *z, const struct kml_zone *from)
{
	uint64_t end = from->start_pfn + from->spanned;
	size_t locals = (size_t)c->m->nr_cpus * KINDS;

	/* Order 10 needs pairs: a chunk begins with an even child. */
	z->first_child = from->start_pfn >> MAX_ORDER << 1;
	z->children = ((end + CHILD_FRAMES - 1) >> CHILD_ORDER) - z->first_child;
	z->chunks = (uint32_t)((z->children + (1ull << c->chunk_order) - 1) >> c->chunk_order);
	z->chunk = calloc(z->chunks + 1, sizeof(*z->chunk));
	z->local = aligned_alloc(64, locals * sizeof(*z->local));
	for (size_t i = 0; z->local && i < locals; i++)
		atomic_init(&z->local[i].word, local_word(NO_CHUNK, 0));
	return z->chunk && z->local;
}

static bool init_tables(struct chunks *c)
{
	uint64_t children = (c->m->nr_pfns >> CHILD_ORDER) + 2;
	bool ok;

	c->zone = calloc(c->m->nr_zones, sizeof(*c->zone));
	c->children.free = calloc(children, sizeof(*c->children.free));
	c->children.bits = malloc(children * CHILD_WORDS * sizeof(*c->children.bits));
	ok = c->zone && c->children.free && c->children.bits;
	if (ok)
		memset((void *)c->children.bits, 0xff,
		       children * CHILD_WORDS * sizeof(*c->children.bits));
	for (uint32_t i = 0; ok && i < c->m->nr_zones; i++)
		ok = init_zone(c, &c->zone[i], &c->m->zones[i]);
	return ok;
}

static bool read_options(struct chunks *c, char *error, size_t size)
{
	unsigned int n = 32;
	char rest;

	if (*c->m->options && (sscanf(c->m->options, "chunk=%u%c", &n, &rest) != 1 || n < 2 ||
			       n > 4096 || n & (n - 1))) {
		snprintf(error, size,
			 "its option is chunk=N, N a power of two in 2..4096, not '%s'",
			 c->m->options);
		return false;
	}
	if (c->m->max_order > MAX_ORDER) {
		snprintf(error, size, "it serves orders up to %d, the host has %u", MAX_ORDER,
			 c->m->max_order);
		return false;
	}
	c->chunk_order = (uint32_t)__builtin_ctz(n);
	return true;
}

static void *init(const struct kml_machine *m, char *error, size_t size)
{
	struct chunks *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->m = m;
	if (read_options(c, error, size)) {
		if (init_tables(c))
			return c;
		snprintf(error, size, "out of memory");
	}
	destroy(c);
	return NULL;
}

static struct zone *zone_of(const struct chunks *c, uint64_t pfn)
{
	for (uint32_t i = 0; i < c->m->nr_zones; i++)
		if (pfn - c->m->zones[i].start_pfn < c->m->zones[i].spanned)
			return &c->zone[i];
	return NULL;
}

static int give_back(void *self, uint32_t cpu, uint64_t pfn, uint32_t order)
{
	struct chunks *c = self;
	uint32_t part = order < CHILD_ORDER ? order : CHILD_ORDER;
	struct zone *z = zone_of(c, pfn);

	(void)cpu;
	if (!z)
		return -1;
	for (uint64_t p = pfn; p < pfn + (1ull << order); p += 1ull << part)
		if (!child_free(&c->children, p, part))
			return -1;
	atomic_fetch_add(&z->chunk[((pfn >> CHILD_ORDER) - z->first_child) >> c->chunk_order],
			 1u << order);
	return 0;
}

/* All bits are set at first: in use, or a hole. To load free frames is to free. */
static int load(void *self, uint64_t pfn, uint32_t order, int is_free)
{
	return is_free ? give_back(self, 0, pfn, order) : 0;
}

static uint64_t alloc(void *self, const struct kml_request *r)
{
	struct chunks *c = self;
	uint32_t owner = r->cpu * KINDS + (r->migratetype == RMM_MOVABLE);

	for (uint32_t type = r->highest_zone + 1; type-- > 0;) {
		for (uint32_t z = 0; z < c->m->nr_zones; z++) {
			uint64_t pfn = KML_NO_PFN;

			if (c->m->zones[z].type == type)
				pfn = zone_alloc(c, &c->zone[z], owner, r->order);
			if (pfn != KML_NO_PFN)
				return pfn;
		}
	}
	return KML_NO_PFN;
}

/* Free runs of one child by order, larger ones first. */
static void count_child(const struct children *c, uint64_t child, uint64_t *blocks)
{
	for (uint32_t i = 0; i < CHILD_WORDS;) {
		uint32_t order = 8;

		for (; order > 6; order--) {
			uint32_t words = 1u << (order - 6), n = 0;

			while (!(i % words) && n < words &&
			       !atomic_load(&c->bits[child * CHILD_WORDS + i + n]))
				n++;
			if (n == words)
				break;
		}
		if (order > 6) {
			blocks[order]++;
			i += 1u << (order - 6);
			continue;
		}
		for (uint64_t used = atomic_load(&c->bits[child * CHILD_WORDS + i++]); order <= 6;
		     order--) {
			uint64_t at = runs(used, order);

			blocks[order] += (uint64_t)__builtin_popcountll(at);
			for (; at; at &= at - 1)
				used |= run_mask(order) << __builtin_ctzll(at);
		}
	}
}

static bool is_whole(const struct chunks *c, uint64_t child)
{
	return atomic_load(&c->children.free[child]) == CHILD_FRAMES;
}

static uint64_t count(void *self, uint32_t zone, uint64_t *blocks)
{
	struct chunks *c = self;
	const struct zone *z = &c->zone[zone];
	uint64_t end = z->first_child + z->children;

	for (uint64_t i = z->first_child; i < end; i++) {
		if (atomic_load(&c->children.free[i]) & HUGE)
			continue;
		if (!is_whole(c, i)) {
			count_child(&c->children, i, blocks);
		} else if (c->m->max_order == MAX_ORDER && i % 2 == 0 && i + 1 < end &&
			   is_whole(c, i + 1)) {
			blocks[MAX_ORDER]++;
			i++;
		} else {
			blocks[CHILD_ORDER]++;
		}
	}
	return 0;
}

static size_t counters(void *self, struct kml_counter *out, size_t n)
{
	struct chunks *c = self;

	if (!n)
		return 0;
	out[0] = (struct kml_counter){"chunk_moves", atomic_load(&c->moves)};
	return 1;
}

const struct kml_backend *kmemlab_backend(void)
{
	static const struct kml_backend backend = {
		.abi = KML_BACKEND_ABI,
		.size = sizeof(backend),
		.name = "chunks",
		.init = init,
		.load = load,
		.alloc = alloc,
		.free = give_back,
		.count = count,
		.counters = counters,
		.destroy = destroy,
	};

	return &backend;
}
