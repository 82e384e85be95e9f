/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One thread for each simulated CPU: objects are freed where they were not
 * allocated, in every configuration of the layer. */
#include <errno.h>
#include <pthread.h>

#include "slabs.h"

enum { CPUS = 4, SLOTS = 64, ROUNDS = 12000, OBJECTS = 60 };

/* A place where a thread leaves an object for another one to free */
struct shared {
	struct rmm *rmm;
	struct rmm_kmem_cache *s;
	void *slot[SLOTS];
	unsigned int errors;
	bool backed;
};

struct worker {
	struct shared *shared;
	unsigned int cpu;
	uint32_t random;
};

static uint32_t draw(struct worker *w, uint32_t n)
{
	w->random = w->random * 1664525u + 1013904223u;
	return (w->random >> 16) % n;
}

static void release(struct worker *w, void *object)
{
	struct shared *sh = w->shared;
	bool rcu = draw(w, 32) == 0;
	int err = rcu ? rmm_kfree_rcu(sh->rmm, w->cpu, object)
		      : rmm_kmem_cache_free(sh->rmm, w->cpu, sh->s, object);

	if (err)
		__atomic_fetch_add(&sh->errors, 1, __ATOMIC_RELAXED);
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct shared *sh = w->shared;

	for (int i = 0; i < ROUNDS; i++) {
		uint64_t *object = rmm_kmem_cache_alloc(sh->rmm, w->cpu, sh->s, RMM_GFP_KERNEL);
		void *other;

		if (!object)
			continue;
		if (sh->backed)
			object[0] = object[7] = (uint64_t)(uintptr_t)object;
		other = __atomic_exchange_n(&sh->slot[draw(w, SLOTS)], (void *)object,
					    __ATOMIC_ACQ_REL);
		if (!other)
			continue;
		if (sh->backed && ((uint64_t *)other)[7] != (uint64_t)(uintptr_t)other)
			__atomic_fetch_add(&sh->errors, 1, __ATOMIC_RELAXED);
		release(w, other);
		if (draw(w, 1000) == 0)
			rmm_kmem_cache_shrink(sh->rmm, w->cpu, sh->s);
		if (draw(w, 300) == 0)
			rmm_rcu_barrier(sh->rmm, w->cpu);
	}
	return NULL;
}

static void run(const struct slabs *w, unsigned int flags)
{
	struct shared sh = {.rmm = slabs_boot(w), .backed = w->m.config.backed};
	struct worker workers[CPUS];
	pthread_t thread[CPUS];

	sh.s = cache_of(sh.rmm, "shared", 64, flags);
	for (unsigned int i = 0; i < CPUS; i++) {
		workers[i] = (struct worker){.shared = &sh, .cpu = i, .random = i + 1};
		assert_int_equal(pthread_create(&thread[i], NULL, work, &workers[i]), 0);
	}
	for (unsigned int i = 0; i < CPUS; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(sh.errors, 0);
	check(sh.rmm);
	for (unsigned int i = 0; i < SLOTS; i++)
		give(sh.rmm, sh.s, sh.slot[i]);
	for (unsigned int i = 0; i < CPUS; i++)
		rmm_rcu_barrier(sh.rmm, i);
	assert_int_equal(info_of(sh.rmm, sh.s).objects, 0);
	assert_int_equal(rmm_kmem_cache_destroy(sh.rmm, 0, sh.s), 0);
	rmm_drain_all_pages(sh.rmm, 0);
	assert_int_equal(rmm_nr_free_pages(sh.rmm), 4 * BLOCK);
	check_destroy(sh.rmm);
}

static void threads_init(struct slabs *w, bool backed)
{
	static const uint8_t nodes[CPUS] = {0, 1, 0, 1};

	slabs_init(w, 0, backed);
	machine_zone(&w->m, 0, RMM_ZONE_NORMAL, 0, 2 * BLOCK);
	machine_zone(&w->m, 1, RMM_ZONE_NORMAL, 2 * BLOCK, 2 * BLOCK);
	w->m.config.nr_cpus = CPUS;
	w->m.config.cpu_node = nodes;
	w->m.config.threads = true;
}

static void test_threads_objects_freed_across_cpus_are_not_lost(void **state)
{
	struct slabs w;

	(void)state;
	for (int backed = 0; backed < 2; backed++) {
		threads_init(&w, backed);
		run(&w, 0);
		run(&w, RMM_SLAB_TYPESAFE_BY_RCU);
	}
}

static void test_threads_without_cpu_partial_share_the_node(void **state)
{
	struct slabs w;

	(void)state;
	threads_init(&w, true);
	w.config.cpu_partial = false;
	run(&w, 0);
}

static void test_threads_with_sheaves_share_the_barn(void **state)
{
	struct slabs w;

	(void)state;
	threads_init(&w, true);
	w.config.sheaves = RMM_SHEAVES_ALL;
	run(&w, 0);
}

/* As each of four users of like caches: they come and go, and their objects are
 * freed at once or after a grace period */
static void *come_and_go(void *arg)
{
	struct worker *w = arg;
	struct shared *sh = w->shared;

	for (int i = 0; i < ROUNDS / 6; i++) {
		struct rmm_kmem_cache_args args = {.name = "like", .size = 104};
		struct rmm_kmem_cache *s = rmm_kmem_cache_create(sh->rmm, &args);
		bool rcu = draw(w, 2);
		void *object[OBJECTS];
		int err = s ? 0 : -ENOMEM;

		for (int k = 0; k < OBJECTS && !err; k++) {
			object[k] = rmm_kmem_cache_alloc(sh->rmm, w->cpu, s, RMM_GFP_KERNEL);
			err = object[k] ? 0 : -ENOMEM;
		}
		for (int k = 0; k < OBJECTS && !err; k++)
			err = rcu ? rmm_kfree_rcu(sh->rmm, w->cpu, object[k])
				  : rmm_kmem_cache_free(sh->rmm, w->cpu, s, object[k]);
		if (draw(w, 8) == 0)
			rmm_rcu_barrier(sh->rmm, w->cpu);
		if (err || rmm_kmem_cache_destroy(sh->rmm, w->cpu, s))
			__atomic_fetch_add(&sh->errors, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void users(const struct slabs *w)
{
	struct shared sh = {.rmm = slabs_boot(w)};
	struct worker workers[CPUS];
	pthread_t thread[CPUS];

	for (unsigned int i = 0; i < CPUS; i++) {
		workers[i] = (struct worker){.shared = &sh, .cpu = i, .random = i + 1};
		assert_int_equal(pthread_create(&thread[i], NULL, come_and_go, &workers[i]), 0);
	}
	for (unsigned int i = 0; i < CPUS; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(sh.errors, 0);
	assert_null(rmm_kmem_cache_find(sh.rmm, "like"));
	rmm_drain_all_pages(sh.rmm, 0);
	assert_int_equal(rmm_nr_free_pages(sh.rmm), 4 * BLOCK);
	check_destroy(sh.rmm);
}

static void test_threads_cache_is_shared_until_its_last_user_goes(void **state)
{
	struct slabs w;

	(void)state;
	threads_init(&w, true);
	users(&w);
	w.config.sheaves = RMM_SHEAVES_ALL;
	users(&w);
	w.config.nomerge = true;
	users(&w);
}

static void test_threads_debug_caches_share_the_lock(void **state)
{
	struct slabs w;

	(void)state;
	threads_init(&w, true);
	w.config.debug = RMM_SLAB_DEBUG_FLAGS;
	run(&w, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_threads_objects_freed_across_cpus_are_not_lost),
		cmocka_unit_test(test_threads_without_cpu_partial_share_the_node),
		cmocka_unit_test(test_threads_with_sheaves_share_the_barn),
		cmocka_unit_test(test_threads_cache_is_shared_until_its_last_user_goes),
		cmocka_unit_test(test_threads_debug_caches_share_the_lock),
	};

	return RUN(tests);
}
