/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * prop_vmalloc.c - vmalloc against an array: one entry a page of the window.
 *
 * The oracle knows for each page of addresses whether it is free, in use, or
 * has been freed. What is allocated must be aligned, inside the window, free or
 * purged before, and, where neither pools nor alignment interfere, the lowest
 * that fits. Freed addresses must not come back before a purge.
 */
#include "prop.h"

#include "../../refmm/vmalloc.h"

enum { WINDOW = 1024, LIVE_MAX = 128, CPUS = 3, CHECK_EVERY = 32, PAGE = 4096 };

enum code {
	ALLOC,
	ALLOC_SMALL,
	ALIGNED,
	VMAP,
	FREE,
	FREE_MORE,
	ATOMIC,
	WORK,
	DRAIN,
	SHRINK,
	CODES
};

static const char *const names[] = {"alloc", "alloc",  "aligned", "vmap",  "free",
				    "free",  "atomic", "work",	  "drain", "shrink"};

enum state { FREE_PAGE, USED, LAZY };

struct live {
	uintptr_t page; /* of the window */
	size_t pages;	/* guard included */
	bool deferred;
};

struct world {
	struct rmm *rmm;
	uint8_t state[WINDOW];
	struct live live[LIVE_MAX];
	size_t n;
	uint64_t purges, drains; /* seen so far */
	bool pools;
	uint64_t hash;
	char *msg;
};

static bool broken(struct world *w, const char *what, uintptr_t page, size_t pages)
{
	snprintf(w->msg, 512, "%s (page %zu, %zu pages)", what, (size_t)page, pages);
	return false;
}

static void start(struct world *w, uint64_t seed, char *msg)
{
	static const struct rmm_zone_config zone = {
		.type = RMM_ZONE_NORMAL, .spanned = 2048, .present = 2048, .managed = 2048};
	uint64_t number = prop_config(seed), knobs = prop_random(&number);
	struct rmm_vmalloc_config v;
	struct rmm_config c;

	memset(w, 0, sizeof(*w));
	w->msg = msg;
	w->pools = knobs & 1;
	rmm_config_init(&c);
	c.nr_cpus = knobs & 2 ? CPUS : 1;
	c.zones = &zone;
	c.nr_zones = 1;
	c.min_free_kbytes = 0;
	w->rmm = rmm_create(&c, NULL);
	assert_non_null(w->rmm);
	assert_int_equal(rmm_free_reserved(w->rmm, 0, 2048), 0);
	assert_int_equal(rmm_setup_done(w->rmm), 0);
	rmm_vmalloc_config_init(&v);
	v.start = 0xffffc90000000000;
	v.end = v.start + (uintptr_t)WINDOW * PAGE;
	v.pools = w->pools;
	v.pool_drops_small = knobs >> 2 & 1;
	v.manual_purge = knobs >> 3 & 1;
	v.lazy_max_pages = 1 + (knobs >> 4) % 200;
	w->pools = w->pools && c.nr_cpus > 1;
	assert_int_equal(rmm_vmalloc_init(w->rmm, &v), 0);
}

/* A purge makes all that was freed available again. */
static void note_purges(struct world *w)
{
	struct rmm_vmalloc_stat s;

	rmm_vmalloc_stat(w->rmm, &s);
	if (s.purge == w->purges && s.drain == w->drains)
		return;
	w->purges = s.purge;
	w->drains = s.drain;
	for (size_t i = 0; i < WINDOW; i++)
		if (w->state[i] == LAZY)
			w->state[i] = FREE_PAGE;
}

static bool fits(const struct world *w, size_t at, size_t pages)
{
	for (size_t i = 0; i < pages; i++)
		if (at + i >= WINDOW || w->state[at + i] != FREE_PAGE)
			return false;
	return true;
}

/* The lowest place; WINDOW: there is none */
static size_t lowest(const struct world *w, size_t pages, size_t align)
{
	for (size_t at = 0; at < WINDOW; at += align)
		if (fits(w, at, pages))
			return at;
	return WINDOW;
}

/* Is the area at @a, of @pages with guard, where it may be? */
static bool take(struct world *w, const char *a, size_t pages, size_t align)
{
	uintptr_t at = ((uintptr_t)a - rmm_vmalloc_start(w->rmm)) / PAGE;

	note_purges(w);
	if (!a) {
		w->hash = w->hash * 31 + 1;
		/* A failed request has purged everything. With alignment it asks for room
		 * to spare. */
		if (lowest(w, pages + (align > 1 ? align : 0), 1) < WINDOW)
			return broken(w, "no addresses, though there is a hole", 0, pages);
		return true;
	}
	w->hash = w->hash * 31 + at;
	if (at % align || !fits(w, at, pages))
		return broken(w, "addresses not free, or not aligned", at, pages);
	if (!w->pools && align == 1 && lowest(w, pages, 1) != at)
		return broken(w, "not the lowest addresses that fit", at, pages);
	memset(w->state + at, USED, pages);
	w->live[w->n++] = (struct live){.page = at, .pages = pages};
	return true;
}

static bool do_alloc(struct world *w, const struct op *op, size_t pages, size_t align)
{
	const struct rmm_vmalloc_args args = {.size = pages * PAGE - op->b % PAGE,
					      .align = align * PAGE,
					      .gfp = RMM_GFP_KERNEL,
					      .nid = -1};

	if (w->n == LIVE_MAX || rmm_nr_free_pages(w->rmm) < 100)
		return true;
	return take(w, rmm___vmalloc_node_range(w->rmm, op->b % w->rmm->config.nr_cpus, &args),
		    pages + 1, align);
}

static bool do_vmap(struct world *w, const struct op *op)
{
	struct rmm_page *pages[4];
	size_t n = op->a % 4 + 1;

	if (w->n == LIVE_MAX)
		return true;
	for (size_t i = 0; i < n; i++)
		pages[i] = &w->rmm->memmap[(op->b + i * 5) % 2048];
	return take(w, rmm_vmap(w->rmm, op->b % w->rmm->config.nr_cpus, pages, n, RMM_VM_MAP),
		    n + 1, 1);
}

static char *address(const struct world *w, const struct live *l)
{
	return (char *)rmm_vmalloc_start(w->rmm) + l->page * PAGE;
}

/* What was put off is freed, on whatever CPU it was. */
static bool do_work(struct world *w)
{
	size_t freed = 0, gone = 0;

	for (unsigned int cpu = 0; cpu < w->rmm->config.nr_cpus; cpu++)
		freed += rmm_delayed_vfree_work(w->rmm, cpu);
	for (size_t i = 0; i < w->n;) {
		struct live l = w->live[i];

		if (!l.deferred) {
			i++;
			continue;
		}
		memset(w->state + l.page, LAZY, l.pages);
		w->live[i] = w->live[--w->n];
		gone++;
	}
	/* A purge that came between two of them has not seen the others. */
	rmm_drain_vmap_work(w->rmm, 0);
	note_purges(w);
	return freed == gone || broken(w, "put off areas got lost", 0, freed);
}

static bool do_free(struct world *w, const struct op *op)
{
	unsigned int cpu = op->b % w->rmm->config.nr_cpus;
	struct live *l, gone;
	int err;

	if (!w->n)
		return true;
	l = &w->live[op->a % w->n];
	gone = *l;
	err = rmm_vfree(w->rmm, cpu, address(w, l) + (op->b >> 8 & 15 ? 0 : PAGE));
	if (!(op->b >> 8 & 15) || l->deferred)
		return err == -EINVAL || broken(w, "a wrong free was taken", l->page, l->pages);
	if (err)
		return broken(w, rmm_last_error(w->rmm), gone.page, gone.pages);
	*l = w->live[--w->n];
	memset(w->state + gone.page, LAZY, gone.pages);
	note_purges(w);
	if (rmm_vfree(w->rmm, cpu, address(w, &gone)) != -EINVAL)
		return broken(w, "a double free was taken", gone.page, gone.pages);
	return true;
}

static bool do_atomic(struct world *w, const struct op *op)
{
	struct live *l;

	if (!w->n)
		return true;
	l = &w->live[op->a % w->n];
	if ((rmm_vfree_atomic(w->rmm, op->b % w->rmm->config.nr_cpus, address(w, l)) == 0) ==
	    l->deferred)
		return broken(w, "put off twice, or not at all", l->page, l->pages);
	l->deferred = true;
	return true;
}

static bool perform(struct world *w, const struct op *op)
{
	switch ((enum code)op->code) {
	case ALLOC:
		return do_alloc(w, op, op->a % 60 + 1, 1);
	case ALLOC_SMALL:
		return do_alloc(w, op, op->a % 4 + 1, 1);
	case ALIGNED:
		return do_alloc(w, op, op->a % 8 + 1, (size_t)1 << (op->a >> 8) % 5);
	case VMAP:
		return do_vmap(w, op);
	case FREE:
	case FREE_MORE:
		return do_free(w, op);
	case ATOMIC:
		return op->b & 0x300 ? true : do_atomic(w, op);
	case WORK:
		return do_work(w);
	case DRAIN:
		if (op->b % 4 == 0)
			rmm_drain_vmap_work(w->rmm, 0);
		note_purges(w);
		return true;
	case SHRINK:
		if (op->b % 8 == 0)
			rmm_shrink_vmap_pools(w->rmm, 0);
		return true;
	case CODES:
		break;
	}
	return false;
}

/* Areas in order are the oracle's; each page of them is known. */
static bool check(struct world *w)
{
	struct rmm_vm_area area = {0};
	size_t n = 0, used = 0;
	uintptr_t at = 0;
	char msg[256];

	if (rmm_validate(w->rmm, msg, sizeof(msg)))
		return broken(w, msg, 0, 0);
	for (; !rmm_next_vm_area(w->rmm, at, &area); at = area.address + area.size, n++)
		used += area.size / PAGE;
	for (size_t i = 0; i < WINDOW; i++)
		used -= w->state[i] == USED;
	if (n != w->n || used)
		return broken(w, "areas got lost, or came from nowhere", n, used);
	return true;
}

static bool run(const struct op *ops, size_t n, uint64_t seed, bool careful, char *msg)
{
	static struct world w;
	bool ok = true;

	start(&w, seed, msg);
	for (size_t i = 0; i < n && ok; i++) {
		ok = perform(&w, &ops[i]);
		if (ok && (careful || i % CHECK_EVERY == 0))
			ok = check(&w);
	}
	ok = ok && check(&w);
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
	       broken(&w[0], "the second run allocated other addresses", 0, 0);
}

static void test_vmalloc_random_operations_agree_with_oracle(void **state)
{
	const struct property p = {"vmalloc", names, CODES, 2000, run, 0};

	(void)state;
	prop_check(&p);
}

static void test_vmalloc_same_operations_give_same_addresses(void **state)
{
	const struct property p = {
		"vmalloc determinism", names, CODES, 2000, run_twice, PROP_TWICE};

	(void)state;
	prop_check(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vmalloc_random_operations_agree_with_oracle),
		cmocka_unit_test(test_vmalloc_same_operations_give_same_addresses),
	};

	return cmocka_run_group_tests_name("prop_vmalloc", tests, NULL, NULL);
}
