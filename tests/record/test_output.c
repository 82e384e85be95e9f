// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* test_output.c - the file has its name when it is complete, and not before. */
#include "../support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <record/output.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/kmemlab-test.XXXXXX";

static int setup(void **state)
{
	(void)state;
	memcpy(dir + sizeof(dir) - 7, "XXXXXX", 7);
	return mkdtemp(dir) && !chdir(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	static const char *const names[] = {"t", "t.partial", "t.0002", "t.0002.partial", "target"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlink(names[i]);
	return chdir("/") || rmdir(dir);
}

static bool exists(const char *name)
{
	return !access(name, F_OK);
}

static void touch(const char *name)
{
	close(open(name, O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
}

static void test_output_is_partial_until_committed(void **state)
{
	struct output o;
	struct stat st;

	(void)state;
	assert_int_equal(output_open(&o, "t", 0, false), 0);
	assert_true(exists("t.partial"));
	assert_false(exists("t"));
	assert_int_equal(fstat(o.fd, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(output_commit(&o), 0);
	assert_true(exists("t"));
	assert_false(exists("t.partial"));
}

static void test_output_discarded_leaves_nothing(void **state)
{
	struct output o;

	(void)state;
	assert_int_equal(output_open(&o, "t", 2, false), 0);
	assert_true(exists("t.0002.partial"));
	output_discard(&o);
	assert_false(exists("t.0002.partial"));
	assert_false(exists("t.0002"));
}

static void test_output_existing_file_needs_overwrite(void **state)
{
	struct output o;

	(void)state;
	touch("t");
	assert_int_equal(output_open(&o, "t", 0, false), -EEXIST);
	assert_int_equal(output_open(&o, "t", 0, true), 0);
	assert_int_equal(output_commit(&o), 0);
}

static void test_output_made_meanwhile_is_not_replaced(void **state)
{
	struct output o;

	(void)state;
	assert_int_equal(output_open(&o, "t", 0, false), 0);
	touch("t");
	assert_int_equal(output_commit(&o), -EEXIST);
	assert_true(exists("t.partial"));
}

static void test_output_of_a_killed_recorder_needs_overwrite(void **state)
{
	struct output o;
	char why[128];

	(void)state;
	touch("t.partial");
	assert_int_equal(output_open(&o, "t", 0, false), -EEXIST);
	assert_non_null(strstr(output_why(&o, -EEXIST, why, sizeof(why)), "killed"));
	assert_int_equal(output_open(&o, "t", 0, true), 0);
	output_discard(&o);
}

static void test_output_of_a_living_recorder_is_left_alone(void **state)
{
	struct output first, second;

	(void)state;
	assert_int_equal(output_open(&first, "t", 0, true), 0);
	assert_int_equal(output_open(&second, "t", 0, true), -EBUSY);
	assert_int_equal(output_commit(&first), 0);
}

static void test_output_links_are_not_followed(void **state)
{
	struct output o;

	(void)state;
	assert_int_equal(symlink("target", "t"), 0);
	assert_int_equal(output_open(&o, "t", 0, true), -ELOOP);
	unlink("t");
	assert_int_equal(symlink("target", "t.partial"), 0);
	assert_int_not_equal(output_open(&o, "t", 0, true), 0);
	assert_false(exists("target"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_output_is_partial_until_committed, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_output_discarded_leaves_nothing, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_output_existing_file_needs_overwrite, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_output_made_meanwhile_is_not_replaced, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_output_of_a_killed_recorder_needs_overwrite,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_output_of_a_living_recorder_is_left_alone,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_output_links_are_not_followed, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
