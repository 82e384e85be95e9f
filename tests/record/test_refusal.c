// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* test_refusal.c - what is kept of libbpf's words when a kernel refuses a program. */
#include "../support/test.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <record/refusal.h>
#include <stdarg.h>
#include <string.h>

static void says(enum libbpf_print_level level, const char *format, ...)
{
	libbpf_print_fn_t listener = libbpf_set_print(NULL);
	va_list args;

	va_start(args, format);
	listener(level, format, args);
	va_end(args);
	libbpf_set_print(listener);
}

static const char log_format[] =
	"libbpf: prog '%s': -- BEGIN PROG LOAD LOG --\n%s-- END PROG LOAD LOG --\n";

static void test_the_verifiers_last_word_is_told(void **state)
{
	(void)state;
	refusal_keep();
	says(LIBBPF_WARN, "libbpf: prog '%s': BPF program load failed: Invalid argument\n", "walk");
	says(LIBBPF_WARN, log_format, "walk",
	     "0: (b7) r0 = 0\ninfinite loop detected at insn 23\ncur state: R0=1\n"
	     "old state: R0=0\n"
	     "processed 66 insns (limit 1000000)\n");
	assert_string_equal(
		refusal_words(-EINVAL),
		"this kernel's verifier refuses 'walk': infinite loop detected at insn 23");
}

static void test_other_failures_are_told_by_their_number(void **state)
{
	(void)state;
	refusal_keep();
	says(LIBBPF_WARN, "libbpf: failed to find valid kernel BTF\n");
	says(LIBBPF_INFO, log_format, "walk", "x\nprocessed 1 insns\n");
	assert_string_equal(refusal_words(-ESRCH), strerror(ESRCH));
	says(LIBBPF_WARN, log_format, "walk", "no statistics follow\n");
	assert_string_equal(refusal_words(-ESRCH), strerror(ESRCH));
	says(LIBBPF_WARN, log_format, "walk", "first\nprocessed 1 insns\n");
	refusal_keep();
	assert_string_equal(refusal_words(-EPERM), strerror(EPERM));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_verifiers_last_word_is_told),
		cmocka_unit_test(test_other_failures_are_told_by_their_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
