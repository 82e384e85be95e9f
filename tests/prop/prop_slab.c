/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * prop_slab.c - the slab layer against a byte per word of memory.
 *
 * The oracle knows which words are in use and by whom. What is given out must be
 * aligned, inside allocated pages, and nobody's; with memory behind it, it must
 * hold what its owner wrote until it is freed, zeros if asked for, what its
 * constructor wrote; counts must agree; wrong frees must be refused; all
 * invariants hold; at the end every page comes back; and two machines given the
 * same operations do the same.
 */
#include "slab_world.h"

enum code {
	CREATE,
	DESTROY,
	ALLOC,
	ALLOC_MORE,
	ALLOC_MOST,
	ALLOC_NODE,
	FREE,
	FREE_MORE,
	FREE_MOST,
	ALLOC_BULK,
	FREE_BULK,
	SHRINK,
	FREE_RCU,
	BARRIER,
	BAD_FREE,
	FAULT,
	CODES,
};

static const char *const names[] = {
	"create",   "destroy", "alloc",	   "alloc",	 "alloc",     "alloc-node",
	"free",	    "free",    "free",	   "alloc-bulk", "free-bulk", "shrink",
	"free-rcu", "barrier", "bad-free", "fault",
};

static bool do_create(struct world *w, const struct op *op)
{
	static const unsigned int sizes[] = {1,	  8,   16,  24,	 40,   64,   96,
					     100, 192, 256, 500, 1024, 1500, 2048};
	unsigned int i = op->a % CACHES, size = sizes[op->b % 14];
	struct rmm_kmem_cache_args a = {.name = "prop", .size = size};

	if (w->cache[i])
		return true;
	a.align = op->b >> 4 & 1 ? 1u << (op->b >> 5) % 8 : 0;
	a.flags = op->b >> 8 & 7 ? 0 : RMM_SLAB_TYPESAFE_BY_RCU;
	a.flags |= op->b >> 11 & 3 ? 0 : RMM_SLAB_HWCACHE_ALIGN;
	a.flags |= op->b >> 13 & 3 ? 0 : RMM_SLAB_RECLAIM_ACCOUNT;
	a.flags |= op->b >> 15 & 7 ? 0 : RMM_SLAB_RED_ZONE | RMM_SLAB_POISON;
	a.ctor = size >= 8 && (op->b >> 18 & 7) == 0 ? construct : NULL;
	a.sheaf_capacity = op->b >> 21 & 1 ? 1 + (op->b >> 22) % 32 : 0;
	w->cache[i] = rmm_kmem_cache_create(w->rmm, &a);
	w->args[i] = a;
	if (!w->cache[i] && !w->faults)
		return broken(w, rmm_last_error(w->rmm), 0);
	return true;
}

static uint64_t live_in(const struct world *w, const struct rmm_kmem_cache *s)
{
	uint64_t nr = 0;

	for (size_t i = 0; i < w->n; i++)
		nr += w->cache[w->live[i].cache] == s;
	return nr;
}

static bool do_destroy(struct world *w, const struct op *op)
{
	unsigned int i = op->a % CACHES;
	struct rmm_kmem_cache *s = w->cache[i];
	unsigned int handles = 0;
	bool busy;
	int err;

	if (!s || op->b % 4)
		return true;
	for (unsigned int k = 0; k < CACHES; k++)
		handles += w->cache[k] == s;
	/* This user's objects would stay behind in a cache that others use. */
	for (size_t k = 0; handles > 1 && k < w->n; k++)
		if (w->live[k].cache == i)
			return true;
	if (handles == 1)
		forget_rcu(w);
	busy = handles == 1 && live_in(w, s);
	err = rmm_kmem_cache_destroy(w->rmm, op->b >> 8 & 1, s);
	if (err != (busy ? -EBUSY : 0))
		return broken(w, "destroyed, or not, against the objects in use", 0);
	if (!err)
		w->cache[i] = NULL;
	return true;
}

static const unsigned int masks[] = {
	RMM_GFP_KERNEL,
	RMM_GFP_ATOMIC,
	RMM_GFP_KERNEL | RMM_GFP_ZERO,
	RMM_GFP_NOWAIT,
};

static bool plenty(const struct world *w)
{
	return !w->faults && rmm_nr_free_pages(w->rmm) > 600;
}

static unsigned int mask_for(const struct world *w, unsigned int cache, uint32_t number)
{
	unsigned int gfp = masks[number % 4];

	return w->args[cache].ctor ? gfp & ~(unsigned int)RMM_GFP_ZERO : gfp;
}

static bool do_alloc(struct world *w, const struct op *op, bool node)
{
	unsigned int i = op->a % CACHES, cpu = op->b % 3, gfp = mask_for(w, i, op->b >> 4);
	int nid = (int)(op->b >> 8) % 4 - 1;
	void *object;

	if (!w->cache[i] || w->n == LIVE_MAX)
		return true;
	if (node && (op->b >> 12 & 1))
		gfp |= RMM_GFP_THISNODE;
	object = node ? rmm_kmem_cache_alloc_node(w->rmm, cpu, w->cache[i], gfp, nid)
		      : rmm_kmem_cache_alloc(w->rmm, cpu, w->cache[i], gfp);
	if (!object)
		return !plenty(w) || node || broken(w, "failed though there is memory", 0);
	if (node && (gfp & RMM_GFP_THISNODE) && (nid == 0 || nid == 1) &&
	    rmm_virt_to_slab(rmm_slab_layer(w->rmm), (uintptr_t)object)->node != nid)
		return broken(w, "allocated on another node", (uintptr_t)object);
	return take(w, object, i, gfp);
}

static bool do_free(struct world *w, const struct op *op)
{
	struct rmm_kmem_cache *s;
	struct live *l;
	void *object;

	if (!w->n)
		return true;
	l = &w->live[op->a % w->n];
	if (l->in_rcu)
		return true;
	s = w->cache[l->cache];
	object = (void *)l->at;
	if (!forget(w, op->a % w->n))
		return false;
	if (rmm_kmem_cache_free(w->rmm, op->b % 3, s, object))
		return broken(w, rmm_last_error(w->rmm), (uintptr_t)object);
	return true;
}

static bool do_alloc_bulk(struct world *w, const struct op *op)
{
	unsigned int i = op->a % CACHES, gfp = mask_for(w, i, op->b >> 4);
	void *objects[BULK_MAX];
	size_t nr = op->b >> 8 & 31, got;

	if (!w->cache[i] || w->n + nr > LIVE_MAX)
		return true;
	got = rmm_kmem_cache_alloc_bulk(w->rmm, op->b % 3, w->cache[i], gfp, nr, objects);
	if (got != nr && (got || plenty(w)))
		return broken(w, "a bulk call gave some of its objects, or none", got);
	for (size_t k = 0; k < got; k++)
		if (!take(w, objects[k], i, gfp))
			return false;
	return true;
}

static bool do_free_bulk(struct world *w, const struct op *op)
{
	size_t nr = op->b >> 8 & 31, n = 0;
	void *objects[BULK_MAX];

	for (size_t k = 0; k < nr && w->n; k++) {
		size_t i = (op->a + k) % w->n;

		if (w->live[i].in_rcu)
			continue;
		objects[n++] = (void *)w->live[i].at;
		if (!forget(w, i))
			return false;
	}
	if (rmm_kmem_cache_free_bulk(w->rmm, op->b % 3, NULL, n, objects))
		return broken(w, rmm_last_error(w->rmm), 0);
	return true;
}

static bool do_free_rcu(struct world *w, const struct op *op)
{
	struct rmm_slab *slab;
	struct live *l;

	if (!w->n)
		return true;
	l = &w->live[op->a % w->n];
	if (l->in_rcu)
		return true;
	slab = rmm_virt_to_slab(rmm_slab_layer(w->rmm), l->at);
	if (rmm_kfree_rcu(w->rmm, op->b % 3, (void *)l->at))
		return broken(w, rmm_last_error(w->rmm), l->at);
	l->in_rcu = true;
	/* Without memory to remember it, it is free at once. */
	if (slab->head != slab || !rmm_object_is_live(w->cache[l->cache], slab, l->at)) {
		memset(words_at(w, l), 0, words_of(w, l));
		*l = w->live[--w->n];
	}
	return true;
}

static bool do_bad_free(struct world *w, const struct op *op)
{
	unsigned int i = op->a % CACHES, cpu = op->b % 3;
	struct rmm_kmem_cache *s = w->cache[i];
	char *object = s ? rmm_kmem_cache_alloc(w->rmm, cpu, s, RMM_GFP_KERNEL) : NULL;

	if (!object)
		return true;
	if (rmm_kmem_cache_free(w->rmm, cpu, s, object + 1) != -EINVAL ||
	    rmm_kmem_cache_free(w->rmm, 99, s, object) != -EINVAL)
		return broken(w, "freed what is no object", (uintptr_t)object);
	for (unsigned int k = 0; k < CACHES; k++)
		if (w->cache[k] && w->cache[k] != s &&
		    rmm_kmem_cache_free(w->rmm, cpu, w->cache[k], object) != -EINVAL)
			return broken(w, "freed to the wrong cache", (uintptr_t)object);
	if (rmm_kmem_cache_free(w->rmm, cpu, s, object))
		return broken(w, rmm_last_error(w->rmm), (uintptr_t)object);
	if (rmm_kmem_cache_free(w->rmm, (cpu + 1) % 3, s, object) != -EINVAL)
		return broken(w, "freed twice", (uintptr_t)object);
	return true;
}

static void do_fault(struct world *w, const struct op *op)
{
	const struct rmm_fault fault = {
		.points = RMM_FAULT_SLAB | RMM_FAULT_ALLOC,
		.probability = op->a % 300000,
		.seed = op->b,
	};

	w->faults = op->b % 4 == 0;
	rmm_set_fault(w->rmm, w->faults ? &fault : NULL);
}

static bool perform(struct world *w, const struct op *op)
{
	switch ((enum code)op->code) {
	case CREATE:
		return do_create(w, op);
	case DESTROY:
		return do_destroy(w, op);
	case ALLOC:
	case ALLOC_MORE:
	case ALLOC_MOST:
		return do_alloc(w, op, false);
	case ALLOC_NODE:
		return do_alloc(w, op, true);
	case FREE:
	case FREE_MORE:
	case FREE_MOST:
		return do_free(w, op);
	case ALLOC_BULK:
		return do_alloc_bulk(w, op);
	case FREE_BULK:
		return do_free_bulk(w, op);
	case SHRINK:
		if (w->cache[op->a % CACHES] && op->b % 4 == 0)
			rmm_kmem_cache_shrink(w->rmm, op->b >> 4 & 1, w->cache[op->a % CACHES]);
		return true;
	case FREE_RCU:
		return do_free_rcu(w, op);
	case BARRIER:
		rmm_rcu_barrier(w->rmm, op->a % 3);
		return forget_rcu(w);
	case BAD_FREE:
		return do_bad_free(w, op);
	case FAULT:
		do_fault(w, op);
		return true;
	case CODES:
		break;
	}
	return false;
}

/* As many objects live as the oracle says, and all invariants hold */
static bool check(struct world *w)
{
	struct rmm_kmem_cache_info info;
	char msg[256];

	if (rmm_validate(w->rmm, msg, sizeof(msg)))
		return broken(w, msg, 0);
	for (unsigned int i = 0; i < CACHES; i++) {
		if (!w->cache[i])
			continue;
		rmm_kmem_cache_info(w->rmm, w->cache[i], &info);
		if (info.objects != live_in(w, w->cache[i]))
			return broken(w, "live objects got lost, or came from nowhere",
				      info.objects);
	}
	return true;
}

/* Everything back: no page may be missing then */
static bool finish(struct world *w)
{
	rmm_set_fault(w->rmm, NULL);
	rmm_rcu_barrier(w->rmm, 0);
	forget_rcu(w);
	while (w->n) {
		struct rmm_kmem_cache *s = w->cache[w->live[w->n - 1].cache];
		void *object = (void *)w->live[w->n - 1].at;

		if (!forget(w, w->n - 1) || rmm_kmem_cache_free(w->rmm, 1, s, object))
			return false;
	}
	for (unsigned int i = 0; i < CACHES; i++)
		if (w->cache[i] && rmm_kmem_cache_destroy(w->rmm, 0, w->cache[i]))
			return broken(w, rmm_last_error(w->rmm), 0);
	rmm_drain_all_pages(w->rmm, 0);
	if (rmm_nr_free_pages(w->rmm) != PAGES)
		return broken(w, "pages got lost", rmm_nr_free_pages(w->rmm));
	return true;
}

static bool run_oracle(const struct op *ops, size_t n, uint64_t seed, bool careful, char *msg)
{
	static struct world w;
	bool ok = true;

	start(&w, seed, msg);
	for (size_t i = 0; ok && i < n; i++) {
		ok = perform(&w, &ops[i]);
		if (ok && (careful || i % CHECK_EVERY == 0))
			ok = check(&w);
	}
	ok = ok && check(&w) && finish(&w);
	rmm_destroy(w.rmm);
	return ok;
}

static bool run_twice(const struct op *ops, size_t n, uint64_t seed, bool careful, char *msg)
{
	static struct world w[2];
	bool same;

	(void)careful;
	for (int i = 0; i < 2; i++) {
		start(&w[i], seed, msg);
		for (size_t k = 0; k < n; k++)
			perform(&w[i], &ops[k]);
	}
	same = w[0].hash == w[1].hash;
	rmm_destroy(w[0].rmm);
	rmm_destroy(w[1].rmm);
	return same || broken(&w[0], "the second run allocated other objects", 0);
}

static void test_slab_random_operations_agree_with_oracle(void **state)
{
	const struct property p = {"slab", names, CODES, 3000, run_oracle, 0};

	(void)state;
	prop_check(&p);
}

static void test_slab_same_operations_give_same_objects(void **state)
{
	const struct property p = {"slab determinism", names, CODES, 2000, run_twice, PROP_TWICE};

	(void)state;
	prop_check(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slab_random_operations_agree_with_oracle),
		cmocka_unit_test(test_slab_same_operations_give_same_objects),
	};

	return cmocka_run_group_tests_name("prop_slab", tests, NULL, NULL);
}
