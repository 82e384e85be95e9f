// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* test_child.c - the traced command, from start to end. */
#include "../support/test.h"

#include <errno.h>
#include <record/child.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void no_pause(void *context)
{
	(void)context;
}

static const struct recording_pause pause_none = {.run = no_pause};

static void wait_for(struct child *c)
{
	const struct timespec tick = {.tv_nsec = 1000000};

	while (!child_ended(c))
		nanosleep(&tick, NULL);
}

static void test_child_runs_when_told_and_its_end_is_seen(void **state)
{
	static char *const argv[] = {"sh", "-c", "exit 3", NULL};
	struct child c = {0};
	char words[64];

	(void)state;
	assert_int_equal(child_prepare(&c, argv, true), 0);
	assert_false(child_ended(&c));
	assert_int_equal(child_go(&c), 0);
	wait_for(&c);
	assert_string_equal(child_words(&c, words, sizeof(words)), "exited with status 3");
	assert_false(child_succeeded(&c));
}

static void test_child_that_exits_with_0_succeeded(void **state)
{
	static char *const argv[] = {"true", NULL};
	struct child c = {0};

	(void)state;
	assert_int_equal(child_prepare(&c, argv, true), 0);
	assert_int_equal(child_go(&c), 0);
	wait_for(&c);
	assert_true(child_succeeded(&c));
	c.ran = false;
	assert_false(child_succeeded(&c));
}

static void test_child_that_cannot_be_run_tells_why(void **state)
{
	static char *const argv[] = {"/no/such/command", NULL};
	struct child c = {0};

	(void)state;
	assert_int_equal(child_prepare(&c, argv, true), 0);
	assert_int_equal(child_go(&c), -ENOENT);
	wait_for(&c);
}

static void test_child_never_let_go_does_nothing(void **state)
{
	static char *const argv[] = {"sh", "-c", "exit 3", NULL};
	struct child c = {0};
	char words[64];

	(void)state;
	assert_int_equal(child_prepare(&c, argv, true), 0);
	assert_true(child_stop(&c, &pause_none));
	assert_string_equal(child_words(&c, words, sizeof(words)), "was not started");
}

/* Where the kernel makes no process: as at a limit of processes. */
static int without_fork(void)
{
	static char *const argv[] = {"true", NULL};
	struct child c = {0};
	scmp_filter_ctx calls = seccomp_init(SCMP_ACT_ALLOW);

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    seccomp_rule_add(calls, SCMP_ACT_ERRNO(EAGAIN), SCMP_SYS(clone), 0) ||
	    seccomp_load(calls))
		return 2;
	return child_prepare(&c, argv, true) != -EAGAIN || c.pid || c.go != -1;
}

static void test_child_without_a_process_is_none(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	if (pid == 0)
		_exit(without_fork());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_child_runs_when_told_and_its_end_is_seen),
		cmocka_unit_test(test_child_that_exits_with_0_succeeded),
		cmocka_unit_test(test_child_that_cannot_be_run_tells_why),
		cmocka_unit_test(test_child_never_let_go_does_nothing),
		cmocka_unit_test(test_child_without_a_process_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
