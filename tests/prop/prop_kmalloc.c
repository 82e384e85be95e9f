/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Random kmalloc(), krealloc(), kfree() and ksize() in usable memory, against a list
 * of what should be there: each object is full of bytes that follow from a number of
 * its own, so an overlap, a lost byte or a wrong copy is seen. Wrong frees must be
 * refused and change nothing; all freed and shrunk, every page is free again.
 *
 * And threads, one for each CPU, that free what others have allocated.
 */
#include <pthread.h>

#include <kmemlab/refmm.h>
#include <kmemlab/refmm_slab.h>

#include "prop.h"

enum { PAGES = 8192, LIVE_MAX = 600, CHECK_EVERY = 200, CPUS = 4, SLOTS = 256, ROUNDS = 10000 };

enum code {
	KMALLOC,
	KMALLOC_MORE,
	KZALLOC,
	KREALLOC,
	KFREE,
	KFREE_MORE,
	BAD_FREE,
	KSIZE,
	SHRINK,
	FAULT,
	CODES,
};

static const char *const names[] = {"kmalloc", "kmalloc",  "kzalloc", "krealloc", "kfree",
				    "kfree",   "bad_free", "ksize",   "shrink",	  "fault"};

static const unsigned int masks[] = {
	RMM_GFP_KERNEL,
	RMM_GFP_ATOMIC,
	RMM_GFP_KERNEL | RMM_GFP_RECLAIMABLE,
	RMM_GFP_KERNEL | RMM_GFP_ACCOUNT,
};

struct live {
	unsigned char *p;
	size_t size;
	uint8_t seed;
};

struct world {
	struct rmm *rmm;
	struct rmm_slab_config config;
	struct live live[LIVE_MAX];
	size_t n;
	uint64_t pages; /* free at the start */
	uint8_t seed;
	bool faults;
	char *msg; /* 512 bytes */
};

static struct rmm *machine(unsigned int cpus, const struct rmm_slab_config *slab)
{
	struct rmm_zone_config zone = {
		.type = RMM_ZONE_NORMAL, .spanned = PAGES, .present = PAGES, .managed = PAGES};
	struct rmm_config c;
	struct rmm *rmm;

	rmm_config_init(&c);
	c.zones = &zone;
	c.nr_zones = 1;
	c.nr_cpus = cpus;
	c.threads = cpus > 2;
	c.min_free_kbytes = 0;
	c.backed = true;
	rmm = rmm_create(&c, NULL);
	assert_non_null(rmm);
	assert_int_equal(rmm_free_reserved(rmm, 0, PAGES), 0);
	assert_int_equal(rmm_setup_done(rmm), 0);
	assert_int_equal(rmm_kmem_cache_init(rmm, slab), 0);
	return rmm;
}

/* A sequence's seed decides how the caches work. */
static void choose(struct rmm_slab_config *c, uint64_t seed)
{
	static const unsigned int debug[] = {
		0, 0, 0, RMM_SLAB_RED_ZONE, RMM_SLAB_POISON, RMM_SLAB_DEBUG_FLAGS};
	uint64_t state = prop_config(seed);

	rmm_slab_config_init(c);
	c->debug = debug[prop_random(&state) % 6];
	c->freelist_random = prop_random(&state) & 1;
	c->random_seed = seed;
	c->kmalloc_minalign = 8u << prop_random(&state) % 5;
	c->kmalloc_account = prop_random(&state) & 1;
	c->sheaves = prop_random(&state) % 3;
	c->cpu_partial = prop_random(&state) % 4 != 0;
}

static bool broken(const struct world *w, const char *what, const struct live *l)
{
	snprintf(w->msg, 512, "%s (%p, %zu bytes); last error: %s", what,
		 l ? (const void *)l->p : NULL, l ? l->size : 0, rmm_last_error(w->rmm));
	return false;
}

static void paint(const struct live *l)
{
	for (size_t i = 0; i < l->size; i++)
		l->p[i] = (unsigned char)(l->seed + i * 7);
}

static bool painted(const struct live *l, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (l->p[i] != (unsigned char)(l->seed + i * 7))
			return false;
	return true;
}

/* Mostly small; around the classes' limits; sometimes pages */
static size_t some_size(const struct op *op)
{
	switch (op->b >> 4 & 7) {
	case 0:
		return op->a % 9000;
	case 1:
		return op->a % 70000;
	case 2:
		return ((size_t)8 << op->a % 11) + (op->a >> 8) % 3 - 1;
	default:
		return op->a % 300;
	}
}

static bool take(struct world *w, void *p, size_t size)
{
	struct live *l = &w->live[w->n];

	*l = (struct live){.p = p, .size = size, .seed = ++w->seed};
	if (!p) /* there is enough memory, unless somebody makes it fail */
		return w->faults || broken(w, "kmalloc failed", l);
	if (!size)
		return p == RMM_ZERO_SIZE_PTR || broken(w, "not ZERO_SIZE_PTR", l);
	if (rmm_ksize(w->rmm, p) < size)
		return broken(w, "ksize is less than asked for", l);
	paint(l);
	w->n++;
	return true;
}

/* Odd sizes are as if the compiler knew them. */
static void *get(struct rmm *rmm, unsigned int cpu, size_t size, unsigned int gfp)
{
	if (size % 2 && size <= RMM_KMALLOC_MAX_CACHE_BYTES && !(gfp & RMM_KMALLOC_SPECIAL))
		return rmm__kmalloc_cache(rmm, cpu, size, gfp, rmm_kmalloc_index(size));
	return rmm_kmalloc(rmm, cpu, size, gfp);
}

static bool do_kmalloc(struct world *w, const struct op *op, bool zero)
{
	size_t size = some_size(op);
	unsigned int cpu = op->b & 1, gfp = masks[op->b >> 8 & 3];
	unsigned char *p;

	if (w->n == LIVE_MAX)
		return true;
	if (!zero)
		return take(w, get(w->rmm, cpu, size, gfp), size);
	p = rmm_kzalloc(w->rmm, cpu, size, gfp);
	for (size_t i = 0; p && i < size; i++)
		if (p[i])
			return broken(w, "kzalloc memory is not zero", NULL);
	return take(w, p, size);
}

static bool do_krealloc(struct world *w, const struct op *op)
{
	size_t size = some_size(op) + 1, both;
	struct live *l, old;
	unsigned char *p;

	if (!w->n)
		return true;
	l = &w->live[op->a % w->n];
	old = *l;
	both = size < old.size ? size : old.size;
	p = rmm_krealloc(w->rmm, op->b & 1, old.p, size, masks[op->b >> 8 & 3]);
	if (!p)
		return (w->faults && painted(&old, old.size)) ||
		       broken(w, "krealloc failed, or changed what it did not move", l);
	l->p = p;
	if (!painted(l, both))
		return broken(w, "krealloc lost content", l);
	l->size = size;
	if (rmm_ksize(w->rmm, p) < size)
		return broken(w, "ksize is less than asked for", l);
	paint(l);
	return true;
}

static bool do_kfree(struct world *w, const struct op *op)
{
	struct live *l, gone;

	if (!w->n)
		return true;
	l = &w->live[op->a % w->n];
	gone = *l;
	*l = w->live[--w->n];
	if (!painted(&gone, gone.size))
		return broken(w, "content has changed", &gone);
	if (rmm_kfree(w->rmm, op->b & 1, gone.p))
		return broken(w, "kfree refused an object", &gone);
	return true;
}

/* Anywhere in memory, unless the list says that it would be right; or inside a
 * live object */
static bool do_bad_free(struct world *w, const struct op *op)
{
	const struct rmm_page *first = rmm_pfn_to_page(w->rmm, 0);
	unsigned char *p = (unsigned char *)rmm_page_address(w->rmm, first) +
			   (op->a % ((size_t)PAGES * 512)) * 8;
	int err;

	if (w->n && (op->b & 1))
		p = w->live[op->a % w->n].p + 1 + op->b / 2 % 300;
	for (size_t i = 0; i < w->n; i++)
		if (w->live[i].p == p)
			return true;
	if (p == RMM_ZERO_SIZE_PTR)
		return true;
	err = rmm_kfree(w->rmm, op->b >> 1 & 1, p);
	if (err != -EINVAL)
		return broken(w, "a wrong free was not refused", &(struct live){.p = p});
	return true;
}

static bool do_ksize(struct world *w, const struct op *op)
{
	const struct live *l;

	if (!w->n || w->config.debug)
		return true;
	l = &w->live[op->a % w->n];
	/* krealloc() may have left a small one in a large slot. */
	if (rmm_ksize(w->rmm, l->p) < rmm_kmalloc_size_roundup(w->rmm, l->size))
		return broken(w, "ksize is less than its class", l);
	return true;
}

/* With threads, each CPU has to give back its own slabs. */
static void shrink_all(struct rmm *rmm)
{
	struct rmm_kmem_cache *s = NULL;

	while ((s = rmm_kmem_cache_next(rmm, s)) != NULL)
		for (unsigned int cpu = 0; cpu < CPUS; cpu++)
			rmm_kmem_cache_shrink(rmm, cpu, s);
	rmm_drain_all_pages(rmm, 0);
}

static bool do_fault(struct world *w, const struct op *op)
{
	const struct rmm_fault fault = {
		.points = op->b & 8 ? RMM_FAULT_ALLOC : RMM_FAULT_SLAB,
		.nth = op->b >> 8 & 63,
		.probability = op->b & 16 ? 100000 : 0,
		.seed = op->a,
	};

	w->faults = op->b & 1;
	rmm_set_fault(w->rmm, w->faults ? &fault : NULL);
	return true;
}

static bool perform(struct world *w, const struct op *op)
{
	switch ((enum code)op->code) {
	case KMALLOC:
	case KMALLOC_MORE:
		return do_kmalloc(w, op, false);
	case KZALLOC:
		return do_kmalloc(w, op, true);
	case KREALLOC:
		return do_krealloc(w, op);
	case KFREE:
	case KFREE_MORE:
		return do_kfree(w, op);
	case BAD_FREE:
		return do_bad_free(w, op);
	case KSIZE:
		return do_ksize(w, op);
	case SHRINK:
		if (op->b % 64 == 0)
			shrink_all(w->rmm);
		return true;
	case FAULT:
		return op->b >> 16 & 7 ? true : do_fault(w, op);
	case CODES:
		break;
	}
	return false;
}

/* The caches and the accounts must know as many objects and bytes. */
static bool check_sums(const struct world *w)
{
	uint64_t objects = 0, small = 0, requested = 0, asked = 0;
	struct rmm_kmem_cache *s = NULL;
	struct rmm_kmalloc_usage u;

	while ((s = rmm_kmem_cache_next(w->rmm, s)) != NULL) {
		struct rmm_kmem_cache_info info;

		rmm_kmem_cache_info(w->rmm, s, &info);
		objects += info.objects;
	}
	for (size_t i = 0; i < w->n; i++) {
		small += rmm_virt_to_cache(w->rmm, w->live[i].p) != NULL;
		asked += w->live[i].size;
	}
	if (objects != small)
		return broken(w, "caches count other objects than there are", NULL);
	for (unsigned int n = 0; rmm_kmalloc_usage(w->rmm, n, &u); n++)
		requested += u.requested_bytes;
	return !w->config.kmalloc_account || requested == asked ||
	       broken(w, "accounts know of other bytes than were asked for", NULL);
}

static bool check(struct world *w)
{
	char msg[256];

	if (rmm_validate(w->rmm, msg, sizeof(msg))) {
		snprintf(w->msg, 512, "%s", msg);
		return false;
	}
	for (size_t i = 0; i < w->n; i++)
		if (!painted(&w->live[i], w->live[i].size))
			return broken(w, "content has changed", &w->live[i]);
	return check_sums(w);
}

static bool finish(struct world *w)
{
	const struct op any = {0};

	rmm_set_fault(w->rmm, NULL);
	while (w->n)
		if (!do_kfree(w, &any))
			return false;
	shrink_all(w->rmm);
	if (rmm_nr_free_pages(w->rmm) != w->pages)
		return broken(w, "pages got lost", NULL);
	return check(w);
}

static bool run_ops(struct world *w, const struct op *ops, size_t n, bool careful)
{
	for (size_t i = 0; i < n; i++) {
		if (!perform(w, &ops[i]))
			return false;
		if ((careful || i % CHECK_EVERY == 0) && !check(w))
			return false;
	}
	return check(w) && finish(w);
}

static bool run(const struct op *ops, size_t n, uint64_t seed, bool careful, char *msg)
{
	static struct world w;
	bool ok;

	memset(&w, 0, sizeof(w));
	w.msg = msg;
	choose(&w.config, seed);
	w.rmm = machine(2, &w.config);
	w.pages = rmm_nr_free_pages(w.rmm);
	ok = run_ops(&w, ops, n, careful);
	rmm_destroy(w.rmm);
	return ok;
}

static void test_kmalloc_random_operations_agree_with_oracle(void **state)
{
	const struct property p = {"kmalloc", names, CODES, 3000, run, 0};

	(void)state;
	prop_check(&p);
}

/* ---- Threads ---------------------------------------------------------------- */

struct worker {
	struct rmm *rmm;
	unsigned int cpu, errors;
	uint64_t random;
};

/* Whoever swaps an object out owns it. Its length and seed are its first words. */
static unsigned char *slots[SLOTS];

static void let_go(struct worker *w, unsigned char *p)
{
	struct live l = {.p = p};

	if (!p)
		return;
	memcpy(&l.size, p, sizeof(l.size));
	l.seed = (uint8_t)l.size;
	l.p += sizeof(l.size);
	w->errors += !painted(&l, l.size);
	w->errors += rmm_kfree(w->rmm, w->cpu, p) != 0;
}

static unsigned char *make(struct worker *w)
{
	size_t size = prop_random(&w->random) % (prop_random(&w->random) % 30 ? 400 : 20000);
	unsigned char *p = rmm_kmalloc(w->rmm, w->cpu, size + sizeof(size),
				       masks[prop_random(&w->random) & 3]);
	struct live l = {.p = p, .size = size, .seed = (uint8_t)size};

	if (!p)
		return NULL; /* memory is short: an answer, too */
	memcpy(p, &size, sizeof(size));
	l.p += sizeof(size);
	paint(&l);
	if (prop_random(&w->random) % 8 == 0) {
		unsigned char *q = rmm_krealloc(w->rmm, w->cpu, p, size + 500, RMM_GFP_KERNEL);

		p = q ? q : p;
	}
	return p;
}

static void *work(void *arg)
{
	struct worker *w = arg;

	for (int i = 0; i < ROUNDS; i++) {
		unsigned char **slot = &slots[prop_random(&w->random) % SLOTS];

		let_go(w, __atomic_exchange_n(slot, make(w), __ATOMIC_ACQ_REL));
		if (prop_random(&w->random) % 1000 == 0)
			rmm_drain_all_pages(w->rmm, w->cpu);
	}
	return NULL;
}

static void run_threads(uint64_t seed)
{
	struct worker w[CPUS];
	struct rmm_slab_config c;
	pthread_t thread[CPUS];
	struct rmm *rmm;
	uint64_t pages;
	char msg[256];

	choose(&c, seed);
	rmm = machine(CPUS, &c);
	pages = rmm_nr_free_pages(rmm);
	for (unsigned int i = 0; i < CPUS; i++) {
		w[i] = (struct worker){.rmm = rmm, .cpu = i, .random = seed * CPUS + i};
		assert_int_equal(pthread_create(&thread[i], NULL, work, &w[i]), 0);
	}
	for (unsigned int i = 0; i < CPUS; i++) {
		pthread_join(thread[i], NULL);
		assert_int_equal(w[i].errors, 0);
	}
	if (rmm_validate(rmm, msg, sizeof(msg)))
		fail_msg("%s", msg);
	for (unsigned int i = 0; i < SLOTS; i++) {
		let_go(&w[0], slots[i]);
		slots[i] = NULL;
	}
	assert_int_equal(w[0].errors, 0);
	shrink_all(rmm);
	assert_int_equal(rmm_nr_free_pages(rmm), pages);
	rmm_destroy(rmm);
}

static void test_kmalloc_threads_free_what_others_allocated(void **state)
{
	uint64_t first = prop_setting("KML_PROP_SEED", 1);

	(void)state;
	for (uint64_t seed = first; seed < first + 6; seed++)
		run_threads(seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kmalloc_random_operations_agree_with_oracle),
		cmocka_unit_test(test_kmalloc_threads_free_what_others_allocated),
	};

	return cmocka_run_group_tests_name("prop_kmalloc", tests, NULL, NULL);
}
