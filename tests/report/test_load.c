/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_load.c - what is refused as a result and why; writing reports to disk. */
#include "../support/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report/report.h"
#include "fixture.h"

static void test_check_bad_shapes_are_named(void **state)
{
	static const struct {
		const char *path, *value, *says;
	} c[] = {
		{"schema", "\"kmemlab-result/9\"", "replay the trace again"},
		{"schema", NULL, "not a kmemlab result"},
		{"runs", "[]", "runs is missing or empty"},
		{"runs.0.name", NULL, "runs[0] has no name"},
		{"runs.0.free_blocks.1.3", "[1,2]", "runs[0].free_blocks[1][3] has 2 samples"},
		{"runs.0.free_blocks.1", NULL, "not one entry per zone"},
		{"runs.1.unusable.9", "[1]", "runs[1].unusable has 1 samples"},
		{"runs.1.free_pages", "7", "runs[1].free_pages is not an array"},
		{"time_ns", "[]", "time_ns must hold"},
		{"zones", NULL, "zones is missing"},
		{"kernel_samples.time_ns", "[1]", "kernel_samples.free_blocks[0][0] has 16"},
		{"pageblocks.zones.0.rows", "41", "not as many rows"},
		{"pageblocks.zones.0.used.3", "[]", "row of pageblocks has 0 samples"},
	};
	char error[REPORT_ERROR_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(c) / sizeof(*c); i++) {
		json_t *root = fixture();
		assert_int_equal(fixture_set(root, c[i].path, c[i].value), 0);
		assert_false(report_check(root, error));
		if (!strstr(error, c[i].says))
			fail_msg("%s: %s", c[i].path, error);
		json_decref(root);
	}
}

static void test_check_unknown_fields_are_ignored(void **state)
{
	char error[REPORT_ERROR_BYTES];
	json_t *root = fixture();

	(void)state;
	assert_int_equal(fixture_set(root, "of_a_later_version", "{\"a\":[1]}"), 0);
	assert_true(report_check(root, error));
	json_decref(root);
}

static void test_load_unusable_files_say_which_and_why(void **state)
{
	static const struct {
		const char *path, *says;
		int err;
	} c[] = {
		{"/nonexistent/r.json", "cannot open '/nonexistent/r.json': No such", -ENOENT},
		{"tests/report/fixture.h", "not JSON at line 1", -EBADMSG},
		{"reports/page/package.json", "is not a kmemlab result", -EBADMSG},
		{"tests", "cannot read 'tests': Is a directory", -EISDIR},
		{"/dev/null", "cannot read '/dev/null': it is empty", -ENODATA},
	};
	struct report_result r;
	char error[REPORT_ERROR_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(c) / sizeof(*c); i++) {
		assert_int_equal(report_load(c[i].path, &r, error), c[i].err);
		assert_non_null(strstr(error, c[i].says));
	}
}

static void test_load_sample_is_named_after_its_file(void **state)
{
	struct report_result r;
	char error[REPORT_ERROR_BYTES];

	(void)state;
	assert_int_equal(report_load(FIXTURE_PATH, &r, error), 0);
	assert_string_equal(r.label, "result-small");
	report_result_free(&r);
	assert_null(r.root);
}

static void test_write_existing_file_needs_force(void **state)
{
	char dir[] = "/tmp/kmemlab-test-XXXXXX", path[64], link_path[64];
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/r.html", dir);
	snprintf(link_path, sizeof(link_path), "%s/link", dir);
	assert_int_equal(report_write(path, "one", 3, false), 0);
	assert_int_equal(report_write(path, "two two", 7, false), -EEXIST);
	assert_int_equal(symlink("nowhere", link_path), 0);
	assert_int_equal(report_write(link_path, "one", 3, false), -EEXIST);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 3);
	assert_int_equal(report_write(path, "two two", 7, true), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 7);
	/* Nothing but the two names is left. */
	assert_int_equal(unlink(path) | unlink(link_path) | rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check_bad_shapes_are_named),
		cmocka_unit_test(test_check_unknown_fields_are_ignored),
		cmocka_unit_test(test_load_unusable_files_say_which_and_why),
		cmocka_unit_test(test_load_sample_is_named_after_its_file),
		cmocka_unit_test(test_write_existing_file_needs_force),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
