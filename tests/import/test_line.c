/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Lines as perf script, ftrace and trace-cmd print them. */
#include "../support/test.h"

#include <stdio.h>
#include <string.h>

#include "import/line.h"

static struct line parsed(const char *text)
{
	struct line l;

	line_parse(&l, text);
	return l;
}

static void test_line_of_each_tracer_has_the_same_head(void **state)
{
	static const char *const texts[] = {
		"            my prog 31264 [001] 18194.415987:  kmem:mm_page_free: page=0x2b0e7d "
		"pfn=0x2b0e7d order=3",
		"my prog 31260/31264 [001] 18194.415987: kmem:mm_page_free: page=0x2b0e7d "
		"pfn=0x2b0e7d order=3",
		"         my prog-31264   [001] .Ns.. 18194.415987: mm_page_free: "
		"page=0000000021e9a32c pfn=0x2b0e7d order=3",
		"         my prog-31264   (  31260) [001] d..1. 18194.415987: mm_page_free: "
		"page=0000000021e9a32c pfn=0x2b0e7d order=3",
		" my prog-31264 [001] 18194.415987: mm_page_free:         page=0xff "
		"pfn=0x2b0e7d order=3",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct line l = parsed(texts[i]);

		if (l.what != LINE_EVENT)
			fail_msg("%s", texts[i]);
		assert_string_equal(l.comm, "my prog");
		assert_int_equal(l.pid, 31264);
		assert_int_equal(l.tgid, i == 1 || i == 3 ? 31260 : 31264);
		assert_int_equal(l.cpu, 1);
		assert_int_equal(l.time_ns, 18194415987000);
		assert_int_equal(l.class.kind, KMT_PAGE_FREE);
		assert_int_equal(l.class.order, 3);
		assert_int_equal(l.address, 0x2b0e7d);
	}
}

/* What ftrace's flags tell of a request that may not block. */
static void test_line_flags_tell_the_context(void **state)
{
	static const struct {
		const char *flags;
		unsigned int context;
	} cases[] = {
		{".....", KMT_CONTEXT_PREEMPTIBLE}, {"....", KMT_CONTEXT_PREEMPTIBLE},
		{".N...", KMT_CONTEXT_PREEMPTIBLE}, {"...0.", KMT_CONTEXT_PREEMPTIBLE},
		{"d....", KMT_CONTEXT_ATOMIC},	    {"b....", KMT_CONTEXT_ATOMIC},
		{"D....", KMT_CONTEXT_ATOMIC},	    {"...1.", KMT_CONTEXT_ATOMIC},
		{"...c.", KMT_CONTEXT_ATOMIC},	    {"..s1.", KMT_CONTEXT_SOFTIRQ},
		{"d.h1.", KMT_CONTEXT_HARDIRQ},	    {"d.H1.", KMT_CONTEXT_HARDIRQ},
		{"d.Z1.", KMT_CONTEXT_HARDIRQ},	    {"X....", KMT_CONTEXT_UNKNOWN},
		{"", KMT_CONTEXT_UNKNOWN},
	};
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		snprintf(text, sizeof(text),
			 " a-7 [001] %s 1.5: kmalloc: call_site=f+0x1/0x2 ptr=00000000f5e3 "
			 "bytes_req=8 bytes_alloc=8 gfp_flags=GFP_ATOMIC node=-1",
			 cases[i].flags);
		assert_int_equal(parsed(text).what, LINE_EVENT);
		if (parsed(text).class.context != cases[i].context)
			fail_msg("%s", cases[i].flags);
	}
}

static void test_line_context_is_of_requests_that_may_not_block(void **state)
{
	static const char *const gfp[] = {"GFP_KERNEL", "GFP_NOFS|__GFP_ZERO", "GFP_SOMETHING",
					  "GFP_NOWAIT"};
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof(gfp) / sizeof(*gfp); i++) {
		snprintf(text, sizeof(text),
			 " a-7 [001] ...1. 1.5: kmem_cache_alloc: call_site=f+0x1/0x2 ptr=f5e3 "
			 "name=x bytes_req=8 bytes_alloc=8 gfp_flags=%s node=-1",
			 gfp[i]);
		assert_int_equal(parsed(text).class.context,
				 i < 3 ? KMT_CONTEXT_UNKNOWN : KMT_CONTEXT_ATOMIC);
	}
	assert_int_equal(parsed("<idle>-0 [001] ..... 1.5: kmalloc: call_site=f ptr=f5e3 "
				"bytes_req=8 bytes_alloc=8 gfp_flags=GFP_ATOMIC node=-1")
				 .class.context,
			 KMT_CONTEXT_ATOMIC);
}

static void test_line_page_alloc_has_its_fields(void **state)
{
	struct line l = parsed("a-1 [000] 1.5: mm_page_alloc: page=0x15bfe8 pfn=0x15bfe8 order=2 "
			       "migratetype=1 gfp_flags=GFP_HIGHUSER|__GFP_ACCOUNT");

	(void)state;
	assert_int_equal(l.what, LINE_EVENT);
	assert_false(l.failed);
	assert_int_equal(l.class.order, 2);
	assert_int_equal(l.class.migratetype, 1);
	assert_int_equal(l.class.gfp, 0x500cc2);
	assert_int_equal(l.time_ns, 1500000000);
	l = parsed("a-1 [000] 1.5: mm_page_alloc: page=(null) pfn=0x0 order=9 migratetype=1 "
		   "gfp_flags=GFP_TRANSHUGE");
	assert_true(l.what == LINE_EVENT && l.failed);
}

static void test_line_objects_have_their_fields(void **state)
{
	struct line l = parsed("a-1 [000] 1.5: kmem:kmem_cache_alloc: call_site=getname+0x24 "
			       "ptr=0xffff88810087f000 name=names_cache bytes_req=4096 "
			       "bytes_alloc=4096 gfp_flags=GFP_KERNEL node=-1 accounted=false");

	(void)state;
	assert_int_equal(l.what, LINE_EVENT);
	assert_string_equal(l.call_site, "getname+0x24");
	assert_string_equal(l.cache, "names_cache");
	assert_int_equal(l.class.bytes_alloc, 4096);
	assert_int_equal(l.class.node, -1);
	assert_true(l.address == 0xffff88810087f000);
	l = parsed("a-1 [000] 1.5: kmalloc: call_site=f+0x1 ptr=00000000abcdef01 bytes_req=33 "
		   "bytes_alloc=64 gfp_flags=0xcc0 node=1 accounted=false");
	assert_string_equal(l.cache, "kmalloc-64");
	assert_int_equal(l.class.node, 1);
	assert_int_equal(l.class.gfp, 0xcc0);
	l = parsed("a-1 [000] 1.5: kfree: call_site=f+0x1 ptr=(nil)");
	assert_true(l.what == LINE_EVENT && l.failed);
}

static void test_line_call_sites_are_as_traces_have_them(void **state)
{
	static const struct {
		const char *printed, *site;
		uint64_t address;
	} cases[] = {
		{"getname+0x24", "getname+0x24", 0},
		{"getname+0x24/0x60", "getname+0x24", 0},
		{"ext4_x+0x1/0x2 [ext4]", "ext4_x+0x1 [ext4]", 0},
		{"ext4_x+0x1 [ext4]", "ext4_x+0x1 [ext4]", 0},
		{"getname", "getname", 0},
		{"face", "face", 0},
		{"ffffffff8123abcd", "", 0xffffffff8123abcd},
		{"0xffffffffc0123456", "", 0xffffffffc0123456},
		{"0xffffffffc0123456 [ext4]", "", 0xffffffffc0123456},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char text[256];
		struct line l;

		snprintf(text, sizeof(text),
			 "a-1 [000] 1.5: kfree: call_site=%s ptr=0000000000001000",
			 cases[i].printed);
		l = parsed(text);
		assert_int_equal(l.what, LINE_EVENT);
		assert_string_equal(l.call_site, cases[i].site);
		assert_true(l.site_address == cases[i].address);
		assert_int_equal(l.address, 0x1000);
	}
}

static void test_line_extfrag_has_both_sides(void **state)
{
	struct line l = parsed("a-1 [000] 1.5: mm_page_alloc_extfrag: page=0x1 pfn=0x1000 "
			       "alloc_order=0 fallback_order=9 pageblock_order=9 "
			       "alloc_migratetype=0 fallback_migratetype=1 fragmenting=0 "
			       "change_ownership=1");

	(void)state;
	assert_int_equal(l.what, LINE_EVENT);
	assert_int_equal(l.class.order, 0);
	assert_int_equal(l.class.fallback_order, 9);
	assert_int_equal(l.class.fallback_type, 1);
}

static void test_line_other_lines_are_told_apart(void **state)
{
	static const struct {
		const char *text;
		enum line_kind what;
	} cases[] = {
		{"", LINE_OTHER},
		{"# tracer: nop", LINE_OTHER},
		{"cpus=2", LINE_OTHER},
		{"a-1 [000] 1.5: sched_switch: prev=x", LINE_OTHER},
		{"[000] 1.5: mm_page_free: pfn=0x1 order=0", LINE_OTHER},
		{"a-1 [000] xx: mm_page_free: pfn=0x1 order=0", LINE_OTHER},
		{"a-1 [99999] 1.5: mm_page_free: pfn=0x1 order=0", LINE_OTHER},
		{"a-1 [000] 1.5: mm_page_free: pfn=0x1", LINE_INVALID},
		{"a-1 [000] 1.5: mm_page_free: pfn=0x1 order=99", LINE_INVALID},
		{"a-1 [000] 1.5: kmalloc: ptr=1 bytes_req=1", LINE_INVALID},
		{"CPU:1 [LOST 123 EVENTS]", LINE_LOST},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (parsed(cases[i].text).what != cases[i].what)
			fail_msg("'%s'", cases[i].text);
	assert_int_equal(parsed("CPU:1 [LOST 123 EVENTS]").lost, 123);
}

static void test_line_losses_of_each_tracer_are_told(void **state)
{
	static const struct {
		const char *text;
		uint64_t lost;
		enum line_kind what;
		bool uncounted;
	} cases[] = {
		{"CPU:1 [LOST 123 EVENTS]", 123, LINE_LOST, false},
		{"CPU:1 [LOST EVENTS]", 1, LINE_LOST, true},
		{"CPU:12 [123 EVENTS DROPPED]", 123, LINE_LOST, false},
		{"CPU:1 [EVENTS DROPPED]", 1, LINE_LOST, true},
		{"Processed 5 events and LOST 7 events!", 7, LINE_LOST, false},
		{"  perf  4935 [001] 28426.302471: PERF_RECORD_LOST lost 185", 185, LINE_LOST,
		 false},
		{"CPU:1 [LOST x EVENTS]", 0, LINE_OTHER, false},
		{"CPU:1 [DROPPED]", 0, LINE_OTHER, false},
		{"a-1 [000] 1.5: sched_switch: prev=LOST next=EVENTS", 0, LINE_OTHER, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct line l = parsed(cases[i].text);

		if (l.what != cases[i].what || l.lost != cases[i].lost ||
		    l.lost_uncounted != cases[i].uncounted)
			fail_msg("'%s'", cases[i].text);
	}
}

static void test_gfp_names_are_the_kernels_masks(void **state)
{
	static const struct {
		const char *text;
		uint32_t mask;
	} cases[] = {
		{"GFP_KERNEL", 0xcc0},
		{"GFP_ATOMIC", 0x820},
		{"GFP_HIGHUSER_MOVABLE", 0x100cca},
		{"GFP_NOWAIT", 0x2800},
		{"none", 0},
		{"0x123 node=1", 0x123},
		{"GFP_USER|__GFP_ZERO rest", 0x100dc0},
	};
	bool unknown = false;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(gfp_parse(cases[i].text, &unknown), cases[i].mask);
	assert_false(unknown);
	assert_int_equal(gfp_parse("GFP_KERNEL|__GFP_NEW", &unknown), 0xcc0);
	assert_true(unknown);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line_of_each_tracer_has_the_same_head),
		cmocka_unit_test(test_line_flags_tell_the_context),
		cmocka_unit_test(test_line_context_is_of_requests_that_may_not_block),
		cmocka_unit_test(test_line_page_alloc_has_its_fields),
		cmocka_unit_test(test_line_objects_have_their_fields),
		cmocka_unit_test(test_line_call_sites_are_as_traces_have_them),
		cmocka_unit_test(test_line_extfrag_has_both_sides),
		cmocka_unit_test(test_line_other_lines_are_told_apart),
		cmocka_unit_test(test_line_losses_of_each_tracer_are_told),
		cmocka_unit_test(test_gfp_names_are_the_kernels_masks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
