/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One thread a CPU on one window, one set of stacks, one kmap window. */
#include <pthread.h>

#include "vm.h"

#include "../../refmm/highmem.h"
#include "../../refmm/stack.h"

enum { CPUS = 4, HELD = 40, ROUNDS = 3000, SHARED = 6 };

struct worker {
	struct rmm *rmm;
	unsigned int cpu, errors, n;
	uint32_t random;
	char *area[HELD];
	size_t bytes[HELD];
};

static struct rmm_page *shared[SHARED];
static pthread_barrier_t together;

static uint32_t draw(struct worker *w, uint32_t n)
{
	w->random = w->random * 1664525u + 1013904223u;
	return (w->random >> 16) % n;
}

/* First and last byte of each area are its owner's, or the memory is shared. */
static void area_new(struct worker *w)
{
	size_t bytes = (draw(w, 12) + 1) * PAGE;
	char *a = rmm_vmalloc(w->rmm, w->cpu, bytes);

	if (!a) {
		w->errors++;
		return;
	}
	a[0] = a[bytes - 1] = (char)w->cpu;
	w->area[w->n] = a;
	w->bytes[w->n++] = bytes;
}

static void area_end(struct worker *w, unsigned int i, bool atomic)
{
	char *a = w->area[i];

	w->errors += a[0] != (char)w->cpu || a[w->bytes[i] - 1] != (char)w->cpu;
	if (atomic)
		w->errors += rmm_vfree_atomic(w->rmm, w->cpu, a) != 0;
	else
		w->errors += rmm_vfree(w->rmm, w->cpu, a) != 0;
	w->n--;
	w->area[i] = w->area[w->n];
	w->bytes[i] = w->bytes[w->n];
}

static void *use_areas(void *arg)
{
	struct worker *w = arg;

	for (int i = 0; i < ROUNDS; i++) {
		if (w->n < HELD && draw(w, 2))
			area_new(w);
		else if (w->n)
			area_end(w, draw(w, w->n), draw(w, 10) == 0);
		if (draw(w, 100) == 0)
			rmm_delayed_vfree_work(w->rmm, w->cpu);
		if (draw(w, 300) == 0)
			rmm_drain_vmap_work(w->rmm, w->cpu);
		if (draw(w, 300) == 0)
			rmm_shrink_vmap_pools(w->rmm, w->cpu);
	}
	while (w->n)
		area_end(w, w->n - 1, false);
	rmm_delayed_vfree_work(w->rmm, w->cpu);
	return NULL;
}

/* All CPUs free the same areas, each in its way: one of them does. */
static void *free_the_same(void *arg)
{
	static char *area[HELD];
	static unsigned int freed;
	struct worker *w = arg;

	for (int i = 0; i < ROUNDS / 10; i++) {
		for (int k = 0; w->cpu == 0 && k < HELD; k++)
			area[k] = rmm_vmalloc(w->rmm, 0, PAGE);
		pthread_barrier_wait(&together);
		for (int k = 0; k < HELD; k++) {
			int err = draw(w, 2) ? rmm_vfree(w->rmm, w->cpu, area[k])
					     : rmm_vfree_atomic(w->rmm, w->cpu, area[k]);

			if (!err)
				__atomic_fetch_add(&freed, 1, __ATOMIC_RELAXED);
			if (draw(w, 4) == 0)
				rmm_delayed_vfree_work(w->rmm, w->cpu);
		}
		pthread_barrier_wait(&together);
		if (w->cpu == 0) {
			w->errors += freed != HELD;
			freed = 0;
		}
	}
	rmm_delayed_vfree_work(w->rmm, w->cpu);
	return NULL;
}

static void *use_stacks(void *arg)
{
	struct worker *w = arg;

	for (int i = 0; i < ROUNDS; i++) {
		if (w->n < 6 && draw(w, 2)) {
			char *s = rmm_alloc_thread_stack(w->rmm, w->cpu, -1);

			w->errors += !s || rmm_stack_usage(w->rmm, s) != 0;
			if (!s)
				continue;
			memset(s + 8192, (int)w->cpu + 1, 8192);
			w->area[w->n++] = s;
		} else if (w->n) {
			char *s = w->area[--w->n];

			w->errors += s[8192] != (char)(w->cpu + 1);
			w->errors += rmm_free_thread_stack(w->rmm, w->cpu, s) != 0;
		}
	}
	while (w->n)
		w->errors += rmm_free_thread_stack(w->rmm, w->cpu, w->area[--w->n]) != 0;
	return NULL;
}

/* More pages than slots, so that callers wait for each other */
static void *use_kmaps(void *arg)
{
	struct worker *w = arg;

	for (int i = 0; i < ROUNDS; i++) {
		struct rmm_page *page = shared[draw(w, SHARED)];
		char *at = rmm_kmap(w->rmm, w->cpu, page), *local;

		local = rmm_kmap_local_page(w->rmm, w->cpu, page);
		if (!at || !local) {
			w->errors++;
			continue;
		}
		w->errors += *(volatile char *)at != *(volatile char *)local;
		w->errors += rmm_kunmap_local(w->rmm, w->cpu, local) != 0;
		w->errors += rmm_kunmap(w->rmm, w->cpu, page) != 0;
	}
	return NULL;
}

static bool wait_turn(void *ctx, unsigned int cpu)
{
	(void)ctx, (void)cpu;
	sched_yield();
	return true;
}

static void run_all(struct rmm *rmm, void *(*work)(void *))
{
	static struct worker w[CPUS];
	pthread_t thread[CPUS];

	for (unsigned int i = 0; i < CPUS; i++) {
		w[i] = (struct worker){.rmm = rmm, .cpu = i, .random = i + 1};
		assert_int_equal(pthread_create(&thread[i], NULL, work, &w[i]), 0);
	}
	for (unsigned int i = 0; i < CPUS; i++) {
		pthread_join(thread[i], NULL);
		assert_int_equal(w[i].errors, 0);
	}
	check(rmm);
}

static struct rmm *boot(unsigned int high_mib)
{
	struct rmm_vmalloc_config c;
	struct machine m;

	machine_init(&m, high_mib ? 0 : 16);
	if (high_mib)
		rmm_config_32bit(&m.config, m.zone, high_mib << 8);
	m.config.nr_cpus = CPUS;
	m.config.threads = true;
	vm_backed(&m);
	rmm_vmalloc_config_init(&c);
	c.lazy_max_pages = 300;
	return vm_boot(&m, &c);
}

static void test_threads_share_the_vmalloc_window(void **state)
{
	struct rmm *rmm = boot(0);
	uint64_t before = rmm_nr_free_pages(rmm);

	(void)state;
	run_all(rmm, use_areas);
	assert_int_equal(vm_stats(rmm).areas, 0);
	assert_int_equal(free_pages(rmm), before);
	assert_true(vm_stats(rmm).pool_hit > 100 && vm_stats(rmm).drain > 10);
	rmm_destroy(rmm);
}

static void test_threads_free_an_area_once(void **state)
{
	struct rmm *rmm = boot(0);

	(void)state;
	pthread_barrier_init(&together, NULL, CPUS);
	run_all(rmm, free_the_same);
	pthread_barrier_destroy(&together);
	assert_int_equal(vm_stats(rmm).areas, 0);
	assert_int_equal(vm_stats(rmm).free, vm_stats(rmm).alloc);
	assert_true(vm_stats(rmm).deferred > 100);
	rmm_destroy(rmm);
}

static void test_threads_have_their_own_stack_caches(void **state)
{
	struct rmm *rmm = boot(0);
	struct rmm_stack_stat s;

	(void)state;
	assert_int_equal(rmm_stack_init(rmm, NULL), 0);
	run_all(rmm, use_stacks);
	rmm_stack_stat(rmm, &s);
	assert_int_equal(s.live, 0);
	assert_int_equal(s.cached, 2 * CPUS);
	assert_int_equal(s.alloc, s.free);
	assert_true(s.cache_hit > s.alloc / 4);
	rmm_destroy(rmm);
}

static void test_threads_wait_for_kmap_slots(void **state)
{
	const struct rmm_highmem_config c = {.last_pkmap = 4, .wait = wait_turn};
	struct rmm *rmm = boot(900);
	struct rmm_highmem_stat s;

	(void)state;
	assert_int_equal(rmm_highmem_init(rmm, &c), 0);
	for (int i = 0; i < SHARED; i++)
		shared[i] = rmm_alloc_page(rmm, 0, RMM_GFP_HIGHUSER);
	run_all(rmm, use_kmaps);
	rmm_highmem_stat(rmm, &s);
	assert_int_equal(s.used, 0);
	assert_int_equal(s.kmap, CPUS * ROUNDS);
	assert_int_equal(s.kunmap, CPUS * ROUNDS);
	rmm_destroy(rmm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_threads_share_the_vmalloc_window),
		cmocka_unit_test(test_threads_free_an_area_once),
		cmocka_unit_test(test_threads_have_their_own_stack_caches),
		cmocka_unit_test(test_threads_wait_for_kmap_slots),
	};

	return RUN(tests);
}
