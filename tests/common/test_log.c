/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_log.c - one line a message, on stderr, and silence when asked. */
#include <string.h>
#include <unistd.h>

#include "../support/test.h"
#include "common/log.h"

/* What @say writes to stderr. */
static void capture(void (*say)(void), char *text, size_t size)
{
	int ends[2], saved = dup(STDERR_FILENO);
	ssize_t n;

	assert_int_equal(pipe(ends), 0);
	dup2(ends[1], STDERR_FILENO);
	close(ends[1]);
	say();
	dup2(saved, STDERR_FILENO);
	close(saved);
	n = read(ends[0], text, size - 1);
	close(ends[0]);
	text[n > 0 ? n : 0] = 0;
}

static void say_all(void)
{
	log_error("cannot open '%s': %s", "x", "no");
	log_warn("%d lost", 3);
	log_info("done");
	log_progress("50 %%");
	log_progress_done();
}

static void test_log_messages_are_lines_with_a_label(void **state)
{
	char text[256];

	(void)state;
	capture(say_all, text, sizeof(text));
	assert_string_equal(text, "kmemlab: error: cannot open 'x': no\n"
				  "kmemlab: warning: 3 lost\n"
				  "kmemlab: done\n");
}

static void test_log_quiet_keeps_errors_and_warnings(void **state)
{
	char text[256];

	(void)state;
	log_quiet(true);
	capture(say_all, text, sizeof(text));
	log_quiet(false);
	assert_string_equal(text, "kmemlab: error: cannot open 'x': no\n"
				  "kmemlab: warning: 3 lost\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_log_messages_are_lines_with_a_label),
		cmocka_unit_test(test_log_quiet_keeps_errors_and_warnings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
