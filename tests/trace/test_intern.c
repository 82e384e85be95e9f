/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_intern.c - equal bytes, equal numbers. */
#include <stdio.h>
#include <string.h>

#include "../support/test.h"
#include "trace/intern.h"

static void test_intern_equal_bytes_share_a_number(void **state)
{
	struct intern t;

	(void)state;
	assert_int_equal(intern_init(&t, 100), 0);
	assert_int_equal(intern_add(&t, "", 0), 0);
	assert_int_equal(intern_add(&t, "dentry", 6), 1);
	assert_int_equal(intern_add(&t, "dentry2", 7), 2);
	assert_int_equal(intern_add(&t, "dentry", 6), 1);
	assert_int_equal(intern_add(&t, "", 0), 0);
	intern_free(&t);
}

static void test_intern_many_keep_numbers_and_bytes(void **state)
{
	struct intern t;
	char name[32];

	(void)state;
	assert_int_equal(intern_init(&t, 1 << 20), 0);
	for (uint32_t i = 0; i < 10000; i++) {
		snprintf(name, sizeof(name), "name-%u", i);
		assert_int_equal(intern_add(&t, name, strlen(name)), i);
	}
	for (uint32_t i = 0; i < 10000; i += 7) {
		size_t bytes;
		const void *got = intern_get(&t, i, &bytes);

		snprintf(name, sizeof(name), "name-%u", i);
		assert_int_equal(bytes, strlen(name));
		assert_memory_equal(got, name, bytes);
		assert_int_equal(intern_add(&t, name, strlen(name)), i);
	}
	intern_free(&t);
}

static void test_intern_full_refuses_new_finds_old(void **state)
{
	struct intern t;

	(void)state;
	assert_int_equal(intern_init(&t, 2), 0);
	assert_int_equal(intern_add(&t, "a", 1), 0);
	assert_int_equal(intern_add(&t, "b", 1), 1);
	assert_int_equal(intern_add(&t, "c", 1), INTERN_NONE);
	assert_int_equal(intern_add(&t, "b", 1), 1);
	intern_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_intern_equal_bytes_share_a_number),
		cmocka_unit_test(test_intern_many_keep_numbers_and_bytes),
		cmocka_unit_test(test_intern_full_refuses_new_finds_old),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
