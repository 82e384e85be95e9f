/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which pages in the way lead to which advice, and which to none. */
#include "../support/test.h"

#include <string.h>

#include "advise/advise.h"

#define OWNER(comm, kind, blocks, alone, pages)                                                    \
	"{\"comm\":\"" comm "\",\"kind\":\"" kind "\",\"pageblocks\":" #blocks                     \
	",\"alone\":" #alone ",\"pages\":" #pages                                                  \
	",\"on_cpu_list\":false,\"oldest_age_ns\":8000000000}"
#define RESULT(member, blocks, owners)                                                             \
	"{\"host\":{\"page_bytes\":4096},\"trace\":{\"duration_ns\":10000000000},\"culprits\":{"   \
	"\"" member "\":{\"free_percent\":90,\"pageblocks\":" #blocks                              \
	",\"free_pages\":9000,\"owners\":[" owners "]}}}"

static struct advices advice_of(const char *text)
{
	json_t *result = json_loads(text, 0, NULL);
	struct advices all = {0};

	assert_non_null(result);
	assert_int_equal(advise_culprits(&all, result), 0);
	json_decref(result);
	return all;
}

static void test_culprits_movable_pages_in_nearly_free_blocks_get_compaction(void **state)
{
	struct advices all =
		advice_of(RESULT("pinned", 16,
				 OWNER("a", "anonymous", 16, 0, 60) "," OWNER(
					 "b", "file", 9, 0, 20) "," OWNER("c", "slab", 9, 0, 20)));

	(void)state;
	assert_int_equal(all.n, 1);
	assert_string_equal(all.at[0].topic, "compact");
	assert_non_null(strstr(all.at[0].evidence, "16 pageblocks are at least 90 % free"));
	assert_non_null(strstr(all.at[0].evidence, "80 % of the 100 pages"));
	assert_non_null(strstr(all.at[0].evidence, "35M"));
	assert_true(strlen(all.at[0].check) > 10);
	advices_free(&all);
}

static void test_culprits_few_or_unmovable_get_none(void **state)
{
	static const char *const texts[] = {
		"{}",
		RESULT("pinned", 15, OWNER("a", "anonymous", 15, 15, 15)),
		RESULT("pinned", 16,
		       OWNER("a", "anonymous", 16, 0, 79) "," OWNER("b", "slab", 16, 0, 21)),
		RESULT("pinned", 16, ""),
		RESULT("unmovable_in_movable", 7, OWNER("a", "slab", 7, 7, 70)),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct advices all = advice_of(texts[i]);

		if (all.n)
			fail_msg("%zu: %s", i, all.at[0].what);
		advices_free(&all);
	}
}

static void test_culprits_scattered_unmovable_pages_get_grouping(void **state)
{
	struct advices all =
		advice_of(RESULT("unmovable_in_movable", 30,
				 OWNER("a", "slab", 20, 10, 50) "," OWNER("b", "kernel", 8, 3, 9)));

	(void)state;
	assert_int_equal(all.n, 2);
	assert_string_equal(all.at[0].topic, "group");
	assert_int_equal(all.at[0].sure, ADVICE_MEDIUM);
	assert_non_null(strstr(all.at[0].evidence, "50 slab pages of it lie in 20 movable"));
	assert_non_null(strstr(all.at[0].check, "kmemlab replay --set"));
	assert_int_equal(all.at[1].sure, ADVICE_LOW); /* mostly beside others */
	advices_free(&all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_culprits_movable_pages_in_nearly_free_blocks_get_compaction),
		cmocka_unit_test(test_culprits_few_or_unmovable_get_none),
		cmocka_unit_test(test_culprits_scattered_unmovable_pages_get_grouping),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
