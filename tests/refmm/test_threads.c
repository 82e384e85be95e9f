/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One thread for each simulated CPU, at once: locks of refmm/lock.h. */
#include <pthread.h>

#include "machine.h"

enum { CPUS = 4, HELD = 200, ROUNDS = 20000 };

struct worker {
	struct rmm *rmm;
	unsigned int cpu;
	uint32_t random;
	rmm_pfn pfn[HELD];
	unsigned int order[HELD];
	unsigned int n, errors;
};

static uint32_t draw(struct worker *w, uint32_t n)
{
	w->random = w->random * 1664525u + 1013904223u;
	return (w->random >> 16) % n;
}

static void release(struct worker *w, unsigned int i)
{
	w->errors += rmm_free_pages(w->rmm, w->cpu, &w->rmm->memmap[w->pfn[i]], w->order[i]) != 0;
	w->n--;
	w->pfn[i] = w->pfn[w->n];
	w->order[i] = w->order[w->n];
}

/* Allocate and free; now and then drain everybody's lists, as reclaim does. */
static void *work(void *arg)
{
	static const unsigned int masks[] = {RMM_GFP_KERNEL, RMM_GFP_HIGHUSER_MOVABLE,
					     RMM_GFP_ATOMIC};
	struct worker *w = arg;

	for (int i = 0; i < ROUNDS; i++) {
		unsigned int order = draw(w, 5);
		struct rmm_page *page = NULL;

		if (w->n < HELD)
			page = rmm_alloc_pages(w->rmm, w->cpu, masks[draw(w, 3)], order);
		if (page) {
			w->pfn[w->n] = rmm_page_to_pfn(w->rmm, page);
			w->order[w->n++] = order;
			/* Nobody else may have it: the owner's word stays. */
			page->private = w->cpu;
		}
		if (w->n && draw(w, 2))
			release(w, draw(w, w->n));
		if (draw(w, 500) == 0)
			rmm_drain_all_pages(w->rmm, w->cpu);
		if (draw(w, 500) == 0)
			rmm_refresh_cpu_vm_stats(w->rmm, w->cpu);
	}
	for (unsigned int i = 0; i < w->n; i++)
		w->errors += w->rmm->memmap[w->pfn[i]].private != w->cpu;
	while (w->n)
		release(w, w->n - 1);
	return NULL;
}

static void test_threads_share_a_machine_without_loss(void **state)
{
	static struct worker w[CPUS];
	pthread_t thread[CPUS];
	struct machine m;
	struct rmm *rmm;

	(void)state;
	machine_init(&m, 8);
	m.config.nr_cpus = CPUS;
	m.config.threads = true;
	rmm = machine_boot(&m);
	for (unsigned int i = 0; i < CPUS; i++) {
		w[i] = (struct worker){.rmm = rmm, .cpu = i, .random = i + 1};
		assert_int_equal(pthread_create(&thread[i], NULL, work, &w[i]), 0);
	}
	for (unsigned int i = 0; i < CPUS; i++) {
		pthread_join(thread[i], NULL);
		assert_int_equal(w[i].errors, 0);
	}
	check(rmm);
	rmm_drain_all_pages(rmm, 0);
	assert_int_equal(rmm_nr_free_pages(rmm), 8 * BLOCK);
	assert_int_equal(stats(rmm).alloc_pages, stats(rmm).free_pages);
	check_destroy(rmm);
}

/* An owner on each CPU whose pages may move: its lock keeps its frees and moves
 * apart. CPU 0 moves them. */
struct tenant {
	struct rmm *rmm;
	unsigned int cpu;
	uint32_t random;
	pthread_mutex_t lock;
	rmm_pfn pfn[HELD]; /* RMM_NO_PFN: none */
	unsigned int moves;
	bool stop;
};

static struct tenant tenants[CPUS];

static bool follow(void *ctx, unsigned int cpu, rmm_pfn from, rmm_pfn to, unsigned int order)
{
	bool found = false;

	(void)ctx, (void)cpu, (void)order;
	for (unsigned int t = 1; !found && t < CPUS; t++) {
		struct tenant *w = &tenants[t];

		pthread_mutex_lock(&w->lock);
		for (unsigned int i = 0; !found && i < HELD; i++)
			if (w->pfn[i] == from) {
				w->pfn[i] = to;
				w->moves++;
				found = true;
			}
		pthread_mutex_unlock(&w->lock);
	}
	return found; /* else it was freed meanwhile */
}

static rmm_pfn take(struct tenant *w)
{
	struct rmm_page *page = rmm_alloc_pages(w->rmm, w->cpu, RMM_GFP_HIGHUSER_MOVABLE, 0);

	return page ? rmm_page_to_pfn(w->rmm, page) : RMM_NO_PFN;
}

static void give(struct tenant *w, unsigned int k)
{
	if (rmm_free_pages(w->rmm, w->cpu, &w->rmm->memmap[w->pfn[k]], 0) == 0)
		w->pfn[k] = RMM_NO_PFN;
}

static void live_once(struct tenant *w)
{
	unsigned int k = (w->random = w->random * 1664525u + 1013904223u) >> 16;

	k %= HELD;
	pthread_mutex_lock(&w->lock);
	if (w->pfn[k] == RMM_NO_PFN)
		w->pfn[k] = take(w);
	else
		give(w, k);
	pthread_mutex_unlock(&w->lock);
}

static void *live(void *arg)
{
	struct tenant *w = arg;

	while (!__atomic_load_n(&w->stop, __ATOMIC_RELAXED))
		live_once(w);
	return NULL;
}

/* Tenants on all CPUs but 0, while @move runs; then all must be there again. */
static void move_among_tenants(struct machine *m, void (*move)(struct rmm *rmm))
{
	pthread_t thread[CPUS];
	struct rmm *rmm;

	m->config.nr_cpus = CPUS + 1; /* the last one is @move's, too */
	m->config.threads = true;
	rmm = machine_boot(m);
	rmm_set_hooks(rmm, &(struct rmm_hooks){.migrate = follow});
	for (unsigned int t = 1; t < CPUS; t++) {
		tenants[t] = (struct tenant){.rmm = rmm, .cpu = t, .random = t};
		pthread_mutex_init(&tenants[t].lock, NULL);
		memset(tenants[t].pfn, 0xff, sizeof(tenants[t].pfn));
		assert_int_equal(pthread_create(&thread[t], NULL, live, &tenants[t]), 0);
	}
	move(rmm);
	for (unsigned int t = 1; t < CPUS; t++) {
		__atomic_store_n(&tenants[t].stop, true, __ATOMIC_RELAXED);
		pthread_join(thread[t], NULL);
	}
	check(rmm);
	for (unsigned int t = 1; t < CPUS; t++)
		for (unsigned int i = 0; i < HELD; i++)
			if (tenants[t].pfn[i] != RMM_NO_PFN)
				put(rmm, tenants[t].pfn[i], 0);
	rmm_drain_all_pages(rmm, 0);
	assert_int_equal(rmm_nr_free_pages(rmm), m->zone[0].managed);
	check_destroy(rmm);
}

static void compact_often(struct rmm *rmm)
{
	for (int i = 0; i < 300; i++)
		rmm_compact_node(rmm, 0, 0);
}

static void test_threads_pages_move_while_owners_free(void **state)
{
	struct machine m;

	(void)state;
	machine_init(&m, 8);
	move_among_tenants(&m, compact_often);
}

/* Asks for huge pages where there are none: compacts, fails, defers. */
static void *compact_for_requests(void *arg)
{
	struct rmm *rmm = arg;

	for (int i = 0; i < 300; i++) {
		struct rmm_page *page = rmm_alloc_pages(rmm, CPUS, RMM_GFP_TRANSHUGE, 10);

		if (page)
			rmm_free_pages(rmm, CPUS, page, 10);
		rmm_compact_node(rmm, CPUS, 0);
	}
	return NULL;
}

static void compact_twice(struct rmm *rmm)
{
	pthread_t other;

	assert_int_equal(pthread_create(&other, NULL, compact_for_requests, rmm), 0);
	for (int i = 0; i < 300; i++) {
		rmm_compact_node(rmm, 0, 0);
		rmm_kswapd_done(rmm, 0);
	}
	pthread_join(other, NULL);
}

static void test_threads_two_cpus_compact_one_zone(void **state)
{
	struct machine m;

	(void)state;
	machine_init(&m, 4);
	move_among_tenants(&m, compact_twice);
}

/* Ranges of @nr pages at ever other places, of which @least must be had; what it does to
 * lists is for rmm_validate() and ThreadSanitizer to see */
static void take_ranges(struct rmm *rmm, unsigned int rounds, unsigned int nr, unsigned int least)
{
	unsigned int had = 0;

	for (unsigned int i = 0; i < rounds; i++) {
		rmm_pfn start = i * 37 % (4 * BLOCK - nr);

		if (rmm_alloc_contig_range(rmm, 0, start, nr, RMM_MOVABLE))
			continue;
		had++;
		assert_int_equal(rmm_free_contig_range(rmm, 0, start, nr), 0);
	}
	assert_true(had >= least);
}

static void take_single_pages(struct rmm *rmm)
{
	take_ranges(rmm, 1000, 1, 10);
}

static void take_some_pages(struct rmm *rmm)
{
	take_ranges(rmm, 300, 20, 0);
}

/* What is freed beside a range merges with it: no head may be lost by that. */
static void test_threads_ranges_are_had_while_neighbours_are_freed(void **state)
{
	struct machine m;

	(void)state;
	for (int pcp = 0; pcp < 2; pcp++) {
		machine_init(&m, 4);
		m.config.pcp = pcp;
		m.config.pcp_high = 32;
		m.config.pcp_batch = 8;
		move_among_tenants(&m, pcp ? take_some_pages : take_single_pages);
	}
}

/* Fails again and again, and reads why: always this thread's own reason. */
static void *fail_often(void *arg)
{
	struct worker *w = arg;
	char mine[64];

	snprintf(mine, sizeof(mine), "on CPU %u:", w->cpu);
	for (int i = 0; i < ROUNDS / 10; i++) {
		w->errors += rmm_free_page(w->rmm, w->cpu, w->rmm->memmap) != -EINVAL;
		w->errors += !strstr(rmm_last_error(w->rmm), mine);
	}
	return NULL;
}

static void test_threads_read_their_own_errors(void **state)
{
	struct worker w[CPUS];
	pthread_t thread[CPUS];
	struct machine m;
	struct rmm *rmm;

	(void)state;
	machine_init(&m, 2);
	m.config.threads = true;
	rmm = machine_boot(&m);
	for (unsigned int i = 0; i < CPUS; i++) {
		w[i] = (struct worker){.rmm = rmm, .cpu = 100 + i};
		assert_int_equal(pthread_create(&thread[i], NULL, fail_often, &w[i]), 0);
	}
	for (unsigned int i = 0; i < CPUS; i++) {
		pthread_join(thread[i], NULL);
		assert_int_equal(w[i].errors, 0);
	}
	assert_string_equal(rmm_last_error(rmm), "");
	check_destroy(rmm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_threads_pages_move_while_owners_free),
		cmocka_unit_test(test_threads_two_cpus_compact_one_zone),
		cmocka_unit_test(test_threads_ranges_are_had_while_neighbours_are_freed),
		cmocka_unit_test(test_threads_read_their_own_errors),
		cmocka_unit_test(test_threads_share_a_machine_without_loss),
	};

	return RUN(tests);
}
