/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * exercise.c - what any malloc promises. tests/cli/preload.sh runs it on libc's,
 * to see that the promises are right, and on librmm-malloc.so.
 */
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../support/test.h"

#define MIB ((size_t)1 << 20)

enum { THREADS = 12, HELD = 300, ROUNDS = 20000 };

/* On both sides of every size class, largest block, and page */
static const size_t sizes[] = {0,    1,	    8,	 16,	  17,	       96,     97,
			       128,  192,   193, 256,	  4096,	       4097,   8192,
			       8193, 65536, MIB, 4 * MIB, 4 * MIB + 1, 9 * MIB};

enum { SIZES = sizeof(sizes) / sizeof(*sizes) };

static bool all_bytes(const unsigned char *p, size_t n, unsigned char value)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != value)
			return false;
	return true;
}

/* NOLINTBEGIN(clang-analyzer-*): what is checked here is what these do at their limits */
static void test_malloc_any_size_is_usable_and_aligned(void **state)
{
	void *p[SIZES];

	(void)state;
	for (size_t i = 0; i < SIZES; i++) {
		p[i] = malloc(sizes[i]);
		assert_non_null(p[i]);
		assert_int_equal((uintptr_t)p[i] % 16, 0);
		assert_true(malloc_usable_size(p[i]) >= sizes[i]);
		memset(p[i], (int)i, sizes[i]);
	}
	for (size_t i = 0; i < SIZES; i++) {
		assert_true(all_bytes(p[i], sizes[i], (unsigned char)i));
		free(p[i]);
	}
	free(NULL);
	assert_int_equal(malloc_usable_size(NULL), 0);
}

static void test_calloc_memory_used_before_is_zero(void **state)
{
	(void)state;
	for (size_t i = 0; i < SIZES; i++) {
		unsigned char *p = malloc(sizes[i]);

		memset(p, 0xff, sizes[i]);
		free(p);
		p = calloc(1, sizes[i]);
		assert_true(all_bytes(p, sizes[i], 0));
		free(p);
	}
}

static void test_realloc_between_any_sizes_keeps_content(void **state)
{
	(void)state;
	for (size_t i = 0; i < SIZES * SIZES; i++) {
		size_t from = sizes[i / SIZES], to = sizes[i % SIZES];
		unsigned char *p = realloc(NULL, from), *q;

		memset(p, 0x5a, from);
		if (!to) { /* frees */
			assert_null(realloc(p, 0));
			continue;
		}
		q = realloc(p, to);
		assert_non_null(q);
		assert_true(all_bytes(q, from < to ? from : to, 0x5a));
		free(q);
	}
}

static void test_malloc_impossible_sizes_fail_with_enomem(void **state)
{
	volatile size_t half = SIZE_MAX / 2 + 2, most = SIZE_MAX;
	void *p = malloc(10);
	void *volatile same = p; /* what failed has freed nothing */

	(void)state;
	errno = 0;
	assert_null(malloc(most));
	assert_int_equal(errno, ENOMEM);
	errno = 0;
	assert_null(calloc(half, 2));
	assert_int_equal(errno, ENOMEM);
	errno = 0;
	assert_null(realloc(same, most - 100));
	assert_int_equal(errno, ENOMEM);
	errno = 0;
	assert_null(reallocarray(same, half, 2));
	assert_int_equal(errno, ENOMEM);
	free(same);
}

static void test_memalign_every_alignment_is_kept(void **state)
{
	(void)state;
	for (size_t align = sizeof(void *); align <= 32 * MIB; align *= 2)
		for (size_t i = 0; i < SIZES; i++) {
			void *p = NULL, *q = aligned_alloc(align, sizes[i]);

			assert_int_equal(posix_memalign(&p, align, sizes[i]), 0);
			assert_int_equal((uintptr_t)p % align, 0);
			/* cppcheck-suppress uninitdata */
			assert_int_equal((uintptr_t)q % align, 0);
			memset(p, 1, sizes[i]);
			memset(q, 2, sizes[i]);
			assert_true(all_bytes(p, sizes[i], 1));
			free(p);
			free(q);
		}
}

static void test_memalign_wrong_alignments_are_refused(void **state)
{
	void *p = state;

	assert_int_equal(posix_memalign(&p, 3, 10), EINVAL);
	assert_int_equal(posix_memalign(&p, 4, 10), EINVAL); /* under a pointer */
	assert_int_equal(posix_memalign(&p, 0, 10), EINVAL);
	assert_ptr_equal(p, state);
}

static void test_valloc_gives_whole_pages(void **state)
{
	void *p = valloc(10), *q = pvalloc(4097), *r = memalign(4096, 100);

	(void)state;
	assert_int_equal(((uintptr_t)p | (uintptr_t)q | (uintptr_t)r) % 4096, 0);
	assert_true(malloc_usable_size(q) >= 8192);
	free(p);
	free(q);
	free(r);
}

struct worker {
	pthread_t thread;
	uint32_t random;
	unsigned int errors;
	struct worker *other;
	unsigned char *held[HELD]; /* exchanged atomically, freed by anybody */
};

static uint32_t draw(struct worker *w, uint32_t n)
{
	w->random = w->random * 1664525u + 1013904223u;
	return (w->random >> 16) % n;
}

/* The first word says how long, and the last byte must agree. */
static unsigned char *make(size_t size)
{
	unsigned char *p = malloc(size + sizeof(size));

	memcpy(p, &size, sizeof(size));
	p[sizeof(size) + size - 1] = (unsigned char)(size * 7);
	return p;
}

static bool unmake(unsigned char *p)
{
	size_t size;
	bool fine;

	if (!p)
		return true;
	memcpy(&size, p, sizeof(size));
	fine = p[sizeof(size) + size - 1] == (unsigned char)(size * 7);
	free(p);
	return fine;
}

static void *churn(void *arg)
{
	struct worker *w = arg;

	for (int i = 0; i < ROUNDS; i++) {
		struct worker *whose = draw(w, 4) ? w : w->other;
		unsigned char *p = make(1 + draw(w, draw(w, 50) ? 300 : 20000));

		p = __atomic_exchange_n(&whose->held[draw(w, HELD)], p, __ATOMIC_ACQ_REL);
		w->errors += !unmake(p);
	}
	return NULL;
}

/* More threads than the library's CPUs, frees across them; and a child each
 * time, that allocates too, while locks may be held. */
static void test_malloc_threads_and_forks_lose_nothing(void **state)
{
	struct worker *w = calloc(THREADS, sizeof(*w));
	unsigned int errors = 0;

	(void)state;
	for (unsigned int i = 0; i < THREADS; i++) {
		w[i].random = i;
		w[i].other = &w[(i + 1) % THREADS];
	}
	for (unsigned int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&w[i].thread, NULL, churn, &w[i]), 0);
	for (int i = 0; i < 20; i++) {
		int status = 1;
		pid_t pid = fork();

		if (pid == 0) {
			struct worker child = {.random = (uint32_t)i, .other = &child};

			alarm(60); /* a deadlock ends the child */
			churn(&child);
			_exit(child.errors != 0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		errors += status != 0;
	}
	for (unsigned int i = 0; i < THREADS; i++)
		pthread_join(w[i].thread, NULL);
	for (unsigned int i = 0; i < THREADS; i++) {
		errors += w[i].errors;
		for (int k = 0; k < HELD; k++)
			errors += !unmake(w[i].held[k]);
	}
	free(w);
	assert_int_equal(errors, 0);
}

static void *allocate_and_end(void *arg)
{
	void *p = memset(malloc(100), 1, 100);

	free(p);
	return arg;
}

static void test_malloc_many_short_threads_end_well(void **state)
{
	(void)state;
	for (int i = 0; i < 500; i++) {
		pthread_t thread;

		assert_int_equal(pthread_create(&thread, NULL, allocate_and_end, NULL), 0);
		pthread_join(thread, NULL);
	}
}

/* NOLINTEND(clang-analyzer-*) */

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_malloc_any_size_is_usable_and_aligned),
		cmocka_unit_test(test_calloc_memory_used_before_is_zero),
		cmocka_unit_test(test_realloc_between_any_sizes_keeps_content),
		cmocka_unit_test(test_malloc_impossible_sizes_fail_with_enomem),
		cmocka_unit_test(test_memalign_every_alignment_is_kept),
		cmocka_unit_test(test_memalign_wrong_alignments_are_refused),
		cmocka_unit_test(test_valloc_gives_whole_pages),
		cmocka_unit_test(test_malloc_threads_and_forks_lose_nothing),
		cmocka_unit_test(test_malloc_many_short_threads_end_well),
	};

	return cmocka_run_group_tests_name("malloc", tests, NULL, NULL);
}
