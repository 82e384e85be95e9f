/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Rows of kinds that the sample traces have not. */
#include "exported.h"

static void test_rows_two_unnamed_types_are_two_names(void **state)
{
	static const struct kmt_class c = {.kind = KMT_EXTFRAG,
					   .order = 1,
					   .migratetype = 7,
					   .fallback_order = 3,
					   .fallback_type = 8};
	struct fixture f;
	char *text;

	(void)state;
	fixture_start(&f, 1);
	exported_event(&f, &c, 10, 64);
	text = exported(&f, export_jsonl);
	assert_string_equal(text, "{\"time_ns\":10,\"cpu\":0,\"event\":\"mm_page_alloc_extfrag\","
				  "\"pfn\":64,\"order\":1,\"migratetype\":\"type 7\","
				  "\"fallback_order\":3,\"fallback_type\":\"type 8\"}\n");
	free(text);
}

/* An event of a class, and what its row has. */
static const struct {
	struct kmt_class class;
	uint64_t address;
	const char *fields;
} cases[] = {
	{{.kind = KMT_CONTIG_ALLOC, .gfp = 3, .bytes_alloc = 512},
	 1024,
	 "\"alloc_contig_range\",\"pfn\":1024,\"gfp\":3,\"pages\":512"},
	{{.kind = KMT_VMALLOC_ALLOC, .order = 2, .bytes_alloc = 5},
	 70,
	 "\"alloc_vmap_area\",\"order\":2,\"pages\":5,\"number\":70"},
	{{.kind = KMT_VMALLOC_ALLOC, .bytes_alloc = 5},
	 KMT_NO_PAGE,
	 "\"alloc_vmap_area\",\"order\":0,\"pages\":5,\"failed\":1"},
	{{.kind = KMT_PERCPU_FAIL, .bytes_req = 9, .bytes_alloc = 16, .fallback_type = 2},
	 0,
	 "\"percpu_alloc_percpu_fail\",\"bytes_req\":9,\"number\":16,\"detail\":2"},
	{{.kind = KMT_PERCPU_ALLOC, .order = 3, .gfp = 1, .bytes_req = 9, .bytes_alloc = 16},
	 5,
	 "\"percpu_alloc_percpu\",\"order\":3,\"gfp\":1,\"bytes_req\":9,"
	 "\"bytes_alloc\":16,\"number\":5,\"detail\":0"},
	{{.kind = KMT_PERCPU_ALLOC, .gfp = 1, .bytes_req = 9, .bytes_alloc = 16},
	 5,
	 "\"percpu_alloc_percpu\",\"gfp\":1,\"bytes_req\":9,"
	 "\"bytes_alloc\":16,\"number\":5,\"detail\":0"},
	{{.kind = KMT_KMALLOC,
	  .gfp = 1,
	  .bytes_req = 9,
	  .bytes_alloc = 16,
	  .node = -1,
	  .context = KMT_CONTEXT_SOFTIRQ},
	 5,
	 "\"kmalloc\",\"phys\":40,\"gfp\":1,\"bytes_req\":9,\"bytes_alloc\":16,"
	 "\"context\":\"softirq\""},
	{{.kind = KMT_MIGRATE_PAGES},
	 7 | 3ull << 32,
	 "\"mm_migrate_pages\",\"number\":7,\"failed\":3"},
	{{.kind = KMT_THROTTLED, .node = 1, .fallback_type = 4},
	 200,
	 "\"mm_vmscan_throttled\",\"node\":1,\"number\":200,\"detail\":4"},
	{{.kind = KMT_OOM_VICTIM, .pid = 77}, 0, "\"mark_victim\",\"number\":77"},
	{{.kind = KMT_PAGE_ALLOC, .order = 9, .gfp = 1},
	 KMT_NO_PAGE,
	 "\"mm_page_alloc\",\"order\":9,\"migratetype\":\"type 0\",\"gfp\":1,\"failed\":1"},
};

static void test_rows_rare_kinds_have_their_fields(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char want[256];
		struct fixture f;
		char *text;

		fixture_start(&f, 1);
		exported_event(&f, &cases[i].class, 10, cases[i].address);
		text = exported(&f, export_jsonl);
		snprintf(want, sizeof(want), "{\"time_ns\":10,\"cpu\":0,\"event\":%s}\n",
			 cases[i].fields);
		assert_string_equal(text, want);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows_two_unnamed_types_are_two_names),
		cmocka_unit_test(test_rows_rare_kinds_have_their_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
