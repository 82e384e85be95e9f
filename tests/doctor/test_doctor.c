/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_doctor.c - what findings add up to; the checks themselves need a kernel. */
#include "../support/test.h"

#include <errno.h>
#include <string.h>

#include "common/log.h"
#include "doctor/doctor.h"

enum { CHECKS_MAX = 64 };

static size_t index_of(const char *what)
{
	for (size_t i = 0; i < doctor_check_count; i++)
		if (!strcmp(doctor_checks[i].what, what))
			return i;
	fail_msg("no check named '%s'", what);
	return 0;
}

static void test_verdict_one_finding_decides(void **state)
{
	static const struct {
		const char *what;
		struct doctor_finding f;
		int verdict;
	} cases[] = {
		{"BTF", {.state = DOCTOR_YES}, EXIT_DONE},
		{"BTF", {.state = DOCTOR_NO, .error = ENOENT}, EXIT_KERNEL},
		{"BTF", {.state = DOCTOR_NO, .error = EACCES, .denied = true}, EXIT_PERMISSION},
		{"raw_tp", {.state = DOCTOR_NO, .error = EPERM}, EXIT_KERNEL},
		{"raw_tp", {.state = DOCTOR_NO, .error = EPERM, .denied = true}, EXIT_PERMISSION},
		{"raw_tp", {.state = DOCTOR_PART, .error = ENOENT}, EXIT_DONE},
		{"frame numbers",
		 {.state = DOCTOR_NO, .error = EACCES, .denied = true},
		 EXIT_PERMISSION},
		{"frame numbers", {.state = DOCTOR_NO, .error = ENOENT}, EXIT_KERNEL},
		{"classic tp", {.state = DOCTOR_NO, .error = EACCES, .denied = true}, EXIT_DONE},
		{"tracefs", {.state = DOCTOR_MOUNT}, EXIT_DONE},
		{"fentry", {.state = DOCTOR_NO, .error = EPERM, .denied = true}, EXIT_DONE},
		{"debugfs", {.state = DOCTOR_NO, .error = ENOENT}, EXIT_DONE},
	};
	struct doctor_finding found[CHECKS_MAX];

	(void)state;
	assert_true(doctor_check_count <= CHECKS_MAX);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(found, 0, sizeof(found));
		found[index_of(cases[i].what)] = cases[i].f;
		assert_int_equal(doctor_verdict(found), cases[i].verdict);
	}
}

static void test_verdict_permission_and_kernel_asks_for_permission_first(void **state)
{
	struct doctor_finding found[CHECKS_MAX] = {{0}};

	(void)state;
	found[index_of("BTF")] = (struct doctor_finding){.state = DOCTOR_NO, .error = ENOENT};
	found[index_of("raw_tp")] =
		(struct doctor_finding){.state = DOCTOR_NO, .error = EPERM, .denied = true};
	assert_int_equal(doctor_verdict(found), EXIT_PERMISSION);
}

static void test_todo_by_finding_differs(void **state)
{
	const struct doctor_finding met = {.state = DOCTOR_YES};
	const struct doctor_finding denied = {.state = DOCTOR_NO, .error = EPERM, .denied = true};
	const struct doctor_finding absent = {.state = DOCTOR_NO, .error = ENOENT};
	const struct doctor_finding refused = {.state = DOCTOR_NO, .error = EPERM};
	size_t i = index_of("BTF");

	(void)state;
	assert_null(doctor_todo(i, &met));
	assert_string_equal(doctor_todo(i, &denied), DOCTOR_PRIVILEGE);
	assert_ptr_equal(doctor_todo(i, &absent), doctor_checks[i].todo);
	assert_non_null(strstr(doctor_todo(i, &refused), "even to root"));
}

static void test_failed_errno_is_put_in_words(void **state)
{
	static const struct {
		int error;
		const char *detail;
	} cases[] = {
		{ENOENT, "cannot open x: No such file or directory"},
		{524, "cannot open x: not supported by this kernel"},
	};
	struct doctor_finding f;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		doctor_failed(&f, cases[i].error, "cannot open %s", "x");
		assert_int_equal(f.state, DOCTOR_NO);
		assert_string_equal(f.detail, cases[i].detail);
	}
}

static void test_failed_long_text_stays_in_bounds(void **state)
{
	struct doctor_finding f[2] = {{0}};
	char text[400];

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	doctor_failed(&f[0], EPERM, "%s", text);
	assert_int_equal(strlen(f[0].detail), sizeof(f[0].detail) - 1);
	assert_int_equal(f[1].state, DOCTOR_YES);
}

static void test_frames_one_source_suffices(void **state)
{
	static const struct {
		int classic, pagemap;
		enum doctor_state state;
		int error;
	} cases[] = {
		{0, 0, DOCTOR_YES, 0},
		{0, EPERM, DOCTOR_YES, 0},
		{EACCES, 0, DOCTOR_YES, 0},
		{ENOENT, 0, DOCTOR_YES, 0},
		{EACCES, EPERM, DOCTOR_NO, EACCES},
		{EACCES, ENOENT, DOCTOR_NO, EACCES},
		{ENOENT, EPERM, DOCTOR_NO, EPERM},
		{ENOENT, ENOENT, DOCTOR_NO, ENOENT},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct doctor_finding f = {0};

		doctor_sum_frames(cases[i].classic, cases[i].pagemap, &f);
		assert_int_equal(f.state, cases[i].state);
		assert_int_equal(f.error, cases[i].error);
	}
}

static void test_checks_all_say_what_is_lost_and_what_to_do(void **state)
{
	(void)state;
	for (size_t i = 0; i < doctor_check_count; i++) {
		assert_non_null(doctor_checks[i].attempt);
		assert_true(strlen(doctor_checks[i].without) > 5);
		assert_true(strlen(doctor_checks[i].todo) > 5);
		assert_int_equal(index_of(doctor_checks[i].what), i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdict_one_finding_decides),
		cmocka_unit_test(test_verdict_permission_and_kernel_asks_for_permission_first),
		cmocka_unit_test(test_todo_by_finding_differs),
		cmocka_unit_test(test_failed_errno_is_put_in_words),
		cmocka_unit_test(test_failed_long_text_stays_in_bounds),
		cmocka_unit_test(test_frames_one_source_suffices),
		cmocka_unit_test(test_checks_all_say_what_is_lost_and_what_to_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
