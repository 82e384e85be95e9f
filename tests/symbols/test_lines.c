/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_lines.c - call sites of this very program, by its own debug information. */
#include "../support/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "symbols/lines.h"

static const struct lines_kernel kernel = {.release = "6.12.0-test"};
static char *returns_to;
static int inner_line, outer_line;

/* Not at the end of its caller, or the call would be a jump. */
__attribute__((noinline)) static int note(void)
{
	returns_to = __builtin_return_address(0);
	return 1;
}

static inline __attribute__((always_inline)) int inlined_caller(void)
{
	inner_line = __LINE__ + 1;
	return note() + inner_line;
}

__attribute__((noinline)) static int outer_caller(void)
{
	outer_line = __LINE__ + 1;
	return inlined_caller() * 2;
}

static struct lines *own_lines(void)
{
	char error[256];
	struct lines *l = lines_open(&kernel, "/proc/self/exe", error);

	if (!l)
		fail_msg("%s", error);
	return l;
}

static void test_lines_inlined_call_is_told_from_the_inside_out(void **state)
{
	struct lines *l = own_lines();
	char site[128], want[256];
	const char *got;

	(void)state;
	assert_true(outer_caller() > 0);
	snprintf(site, sizeof(site), "outer_caller+0x%zx",
		 (size_t)(returns_to - (char *)&outer_caller));
	got = lines_find(l, site);
	assert_non_null(got);
	snprintf(want, sizeof(want), "test_lines.c:%d (inlined by outer_caller ", inner_line);
	assert_non_null(strstr(got, want));
	snprintf(want, sizeof(want), "test_lines.c:%d)", outer_line);
	assert_non_null(strstr(got, want));
	assert_ptr_equal(lines_find(l, site), got);
	lines_close(l);
}

static void test_lines_what_is_no_site_has_none(void **state)
{
	static const char *const sites[] = {
		"",
		"outer_caller",
		"no_such_function+0x10",
		"outer_caller+0x7fffffff",
		"outer_caller+zz",
		"outer_caller+0x4 [no_module]",
		"outer_caller+0x4 [../../x",
		"+0x10",
	};
	struct lines *l = own_lines();

	(void)state;
	for (size_t i = 0; i < sizeof(sites) / sizeof(*sites); i++)
		if (lines_find(l, sites[i]))
			fail_msg("'%s' has a line", sites[i]);
	lines_close(l);
}

static void test_lines_other_build_id_is_refused(void **state)
{
	const struct lines_kernel other = {.release = "x", .build_id = "00112233"};
	char error[256];

	(void)state;
	assert_null(lines_open(&other, "/proc/self/exe", error));
	assert_int_equal(errno, EINVAL);
	assert_non_null(strstr(error, "another kernel"));
}

static void test_lines_without_debug_information_say_so(void **state)
{
	static const struct {
		const char *path;
		int err;
	} cases[] = {
		{"/proc/self", ENOENT}, {"/no/such/place", ENOENT}, {"/proc/version", EBADMSG}};
	char error[256];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_null(lines_open(&kernel, cases[i].path, error));
		assert_int_equal(errno, cases[i].err);
		assert_non_null(strstr(error, "debug information"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_inlined_call_is_told_from_the_inside_out),
		cmocka_unit_test(test_lines_what_is_no_site_has_none),
		cmocka_unit_test(test_lines_other_build_id_is_refused),
		cmocka_unit_test(test_lines_without_debug_information_say_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
