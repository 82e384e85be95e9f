/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* utf8.h against jansson's idea of what is valid, and against examples. */
#include "../support/test.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "common/utf8.h"

#define FFFD "\xef\xbf\xbd"

static void test_utf8_examples_are_cleaned(void **state)
{
	static const struct {
		const char *from, *to;
	} cases[] = {
		{"", ""},
		{"bash", "bash"},
		{"caf\xc3\xa9", "caf\xc3\xa9"},
		{"caf\xc3", "caf" FFFD}, /* as TASK_COMM_LEN cuts it */
		{"\xe4", FFFD},
		{"a\xe4z", "a" FFFD "z"},
		{"\xc0\xaf", FFFD FFFD},			/* a '/', too long */
		{"\xed\xa0\x80", FFFD FFFD FFFD},		/* a surrogate */
		{"\xf4\x90\x80\x80x", FFFD FFFD FFFD FFFD "x"}, /* beyond U+10FFFF */
		{"\xf0\x9f\x90\xa7", "\xf0\x9f\x90\xa7"},
		{"\xf0\x9f\x90", FFFD FFFD FFFD},
		{"\x80\xff", FFFD FFFD},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *s = utf8_copy(cases[i].from);

		assert_string_equal(s, cases[i].to);
		free(s);
	}
}

/* Three bytes of all values: valid ones stay, others become valid. */
static void test_utf8_valid_stays_and_invalid_becomes_valid(void **state)
{
	char s[4] = "", to[sizeof(s) * UTF8_GROWTH + 1];

	(void)state;
	for (unsigned int v = 0; v < 1u << 24; v += v < 1u << 16 ? 1 : 251) {
		json_t *before, *after;

		s[0] = (char)(v >> 16);
		s[1] = (char)(v >> 8);
		s[2] = (char)v;
		before = json_string(s);
		after = json_stringn(to, utf8_clean(to, s, 3));
		if (!after || (before != NULL) != !strcmp(s, to))
			fail_msg("%06x", v);
		json_decref(before);
		json_decref(after);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_utf8_examples_are_cleaned),
		cmocka_unit_test(test_utf8_valid_stays_and_invalid_becomes_valid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
