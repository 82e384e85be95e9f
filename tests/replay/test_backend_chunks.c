/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "../support/test.h"

#include <pthread.h>

/* NOLINTNEXTLINE(bugprone-suspicious-include): a plug-in is one file */
#include "../../user/backends/chunks.c"
#include "backend.h"

enum { THREADS = 4, ROUNDS = 20000, MINE = 64 };

static struct oracle o;

static void test_chunks_random_requests_matches_oracle(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 5; seed++)
		oracle_run(kmemlab_backend(), seed);
}

static void test_chunks_double_free_refused(void **state)
{
	const struct kml_request r = {.highest_zone = RMM_ZONE_NORMAL, .order = 2};
	uint64_t pfn;

	(void)state;
	oracle_init(&o, kmemlab_backend(), 1);
	pfn = o.b->alloc(o.self, &r);
	assert_int_equal(o.b->free(o.self, 0, pfn, 2), 0);
	assert_int_not_equal(o.b->free(o.self, 0, pfn, 2), 0);
	o.b->destroy(o.self);
}

static void test_chunks_bad_option_says_so(void **state)
{
	struct kml_machine m = backend_machine;
	char error[256] = "";

	(void)state;
	m.options = "chunk=3";
	assert_null(kmemlab_backend()->init(&m, error, sizeof(error)));
	assert_non_null(strstr(error, "power of two"));
}

/* Each thread's frames are its own: it writes its number and finds it again. */
static _Atomic unsigned char owner[FRAMES];

static bool hold(uint64_t pfn, uint32_t order, unsigned char before, unsigned char after)
{
	bool ok = true;

	for (uint64_t f = pfn; f < pfn + (1ull << order); f++)
		ok &= atomic_exchange(&owner[f], after) == before;
	return ok;
}

static void *work(void *arg)
{
	struct oracle mine = {.seed = (uintptr_t)arg};
	uint32_t cpu = (uint32_t)(uintptr_t)arg;
	uint64_t pfn[MINE], bad = 0;
	uint32_t order[MINE];

	memset(pfn, 0xff, sizeof(pfn));
	for (uint32_t n = 0; n < ROUNDS; n++) {
		uint32_t i = oracle_random(&mine, MINE);
		struct kml_request r = {.cpu = cpu, .highest_zone = RMM_ZONE_NORMAL};

		if (pfn[i] != KML_NO_PFN) {
			bad += !hold(pfn[i], order[i], (unsigned char)(cpu + 1), 0);
			bad += o.b->free(o.self, cpu, pfn[i], order[i]) != 0;
			pfn[i] = KML_NO_PFN;
			continue;
		}
		r.order = order[i] = oracle_random(&mine, 11) % (1 + oracle_random(&mine, 11));
		pfn[i] = o.b->alloc(o.self, &r);
		if (pfn[i] != KML_NO_PFN)
			bad += !hold(pfn[i], order[i], 0, (unsigned char)(cpu + 1));
	}
	for (uint32_t i = 0; i < MINE; i++)
		if (pfn[i] != KML_NO_PFN)
			bad += !hold(pfn[i], order[i], (unsigned char)(cpu + 1), 0) ||
			       o.b->free(o.self, cpu, pfn[i], order[i]) != 0;
	return (void *)(uintptr_t)bad;
}

/* Chunks' counters and what is set aside of them add up to the children's. */
static void check_counters(const struct chunks *c)
{
	for (uint32_t i = 0; i < c->m->nr_zones; i++) {
		const struct zone *z = &c->zone[i];
		uint64_t above = 0, below = 0;

		for (uint32_t k = 0; k < z->chunks; k++)
			above += z->chunk[k] & ~TAKEN;
		for (uint32_t k = 0; k < c->m->nr_cpus * KINDS; k++)
			above += (uint32_t)z->local[k].word;
		for (uint64_t k = 0; k < z->children; k++)
			below += c->children.free[z->first_child + k] & ~HUGE;
		assert_int_equal(above, below);
	}
}

static void test_chunks_threads_never_share_a_frame(void **state)
{
	pthread_t thread[THREADS];
	void *bad;

	(void)state;
	memset((void *)owner, 0, sizeof(owner));
	oracle_init(&o, kmemlab_backend(), 1);
	for (uintptr_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, work, (void *)i), 0);
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(thread[i], &bad), 0);
		assert_null(bad);
	}
	oracle_count(&o);
	check_counters(o.self);
	o.b->destroy(o.self);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chunks_random_requests_matches_oracle),
		cmocka_unit_test(test_chunks_double_free_refused),
		cmocka_unit_test(test_chunks_bad_option_says_so),
		cmocka_unit_test(test_chunks_threads_never_share_a_frame),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
