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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_threads_share_a_machine_without_loss),
	};

	return RUN(tests);
}
