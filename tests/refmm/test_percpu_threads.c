/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One thread for each CPU, and the worker: mutex and lock of refmm/percpu.h. */
#include <pthread.h>

#include "percpu_machine.h"

enum { CPUS = 3, HELD = 40, ROUNDS = 4000 };

struct worker {
	struct rmm *rmm;
	unsigned int cpu;
	uint32_t random;
	rmm_percpu ptr[HELD];
	unsigned int n, errors, taken;
};

static uint32_t draw(struct worker *w, uint32_t n)
{
	w->random = w->random * 1664525u + 1013904223u;
	return (w->random >> 16) % n;
}

/* Nobody else may have it: what is written there stays. */
static uint32_t *mark(struct worker *w, unsigned int i)
{
	return rmm_per_cpu_ptr(w->rmm, w->ptr[i], w->cpu);
}

static void release(struct worker *w, unsigned int i)
{
	w->errors += *mark(w, i) != w->cpu + 1;
	w->errors += rmm_free_percpu(w->rmm, w->cpu, w->ptr[i]) != 0;
	w->ptr[i] = w->ptr[--w->n];
}

static void take(struct worker *w)
{
	unsigned int gfp = draw(w, 3) ? RMM_GFP_KERNEL : RMM_GFP_ATOMIC;
	size_t size = draw(w, 8) ? 4 + draw(w, 500) : 4 + draw(w, 8000);
	rmm_percpu ptr = rmm___alloc_percpu_gfp(w->rmm, w->cpu, size, 4u << draw(w, 4), gfp);

	if (!ptr)
		return;
	w->ptr[w->n++] = ptr;
	w->errors += *mark(w, w->n - 1) != 0;
	*mark(w, w->n - 1) = w->cpu + 1;
	w->taken++;
}

static void *work(void *arg)
{
	struct worker *w = arg;

	for (int i = 0; i < ROUNDS; i++) {
		if (w->n < HELD && draw(w, 2))
			take(w);
		else if (w->n)
			release(w, draw(w, w->n));
		if (rmm_percpu_balance_needed(w->rmm) && draw(w, 4) == 0)
			rmm_percpu_balance(w->rmm, w->cpu);
	}
	while (w->n)
		release(w, w->n - 1);
	return NULL;
}

static void test_percpu_threads_share_chunks_without_overlap(void **state)
{
	static struct worker w[CPUS];
	pthread_t thread[CPUS];
	struct rmm_percpu_config c;
	struct machine m;
	struct rmm *rmm;

	(void)state;
	machine_init(&m, 8);
	m.config.nr_cpus = CPUS;
	m.config.threads = true;
	m.config.backed = m.config.remappable = true;
	percpu_config(&c);
	rmm = percpu_boot(&m, &c);
	for (unsigned int i = 0; i < CPUS; i++) {
		w[i] = (struct worker){.rmm = rmm, .cpu = i, .random = i + 1};
		assert_int_equal(pthread_create(&thread[i], NULL, work, &w[i]), 0);
	}
	for (unsigned int i = 0; i < CPUS; i++) {
		pthread_join(thread[i], NULL);
		assert_int_equal(w[i].errors, 0);
		assert_true(w[i].taken > ROUNDS / 4);
	}
	assert_int_equal(percpu_stats(rmm).nr_cur_alloc, 0);
	assert_true(percpu_stats(rmm).nr_max_chunks > 1);
	check_destroy(rmm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_percpu_threads_share_chunks_without_overlap),
	};

	return RUN(tests);
}
