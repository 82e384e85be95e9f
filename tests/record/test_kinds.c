// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* test_kinds.c - what a definition of each kind becomes in the trace. */
#include "rings.h"

#include <trace/kinds.h>

#define CACHE	0xffff888001234500ull
#define VMALLOC 0xffffc90000000000ull
#define WHERE	0xffffffff81000000ull

/* A kind's definition and event, and what the reader must make of it. */
struct sample {
	uint8_t kind;
	uint64_t word[KML_DEF_WORDS];
	uint64_t value, address; /* in the ring, in the trace */
	struct kmt_class class;	 /* strings are looked at apart */
};

static const uint64_t page = 0xffffea0000000000 + 1234 * 64;

static const struct sample samples[] = {
	{KMT_BULK_PAGE, {0xcc0ull << 32}, page, 1234, {.gfp = 0xcc0}},
	{KMT_PAGE_SPLIT, {9 | 2 << 8}, page, 1234, {.order = 9, .fallback_order = 2}},
	{KMT_MIGRATE_FROM, {3}, page, 1234, {.order = 3}},
	{KMT_MIGRATE_TO, {3}, page, 1234, {.order = 3}},
	{KMT_PAGE_ISOLATE, {10}, page, 1234, {.order = 10}},
	{KMT_CONTIG_ALLOC,
	 {0xcc0ull << 32, 0, 512},
	 page,
	 1234,
	 {.gfp = 0xcc0, .bytes_alloc = 512}},
	{KMT_MIGRATE_PTE, {0}, page, 1234, {0}},
	{KMT_CACHE_BULK_ALLOC,
	 {0xdc0ull << 32, 0, CACHE},
	 0xffff888000001230,
	 0x1230 / 8,
	 {.gfp = 0xdc0, .node = -1, .bytes_req = 200, .bytes_alloc = 256}},
	{KMT_CACHE_BULK_FREE, {0, 0, CACHE}, 0xffff888000001230, 0x1230 / 8, {0}},
	{KMT_PERCPU_ALLOC,
	 {2 << 16 | 0xcc0ull << 32, 0, 16 | 64ull << 32},
	 5ull << KML_PERCPU_SHIFT | 0x120,
	 1ull << 32 | 0x120,
	 {.gfp = 0xcc0, .bytes_req = 16, .bytes_alloc = 64, .fallback_type = 2}},
	{KMT_PERCPU_FREE, {0}, 6ull << KML_PERCPU_SHIFT | 0x40, 2ull << 32 | 0x40, {0}},
	{KMT_PERCPU_FAIL, {0, 0, 64 | 8ull << 32}, 0, 0, {.bytes_req = 64, .bytes_alloc = 8}},
	{KMT_PERCPU_CREATE, {0}, 5ull << KML_PERCPU_SHIFT, 1ull << 32, {0}},
	{KMT_PERCPU_DESTROY, {0}, 6ull << KML_PERCPU_SHIFT, 2ull << 32, {0}},
	{KMT_VMALLOC_ALLOC, {2, VMALLOC, 5}, VMALLOC + 0x7000, 7, {.order = 2, .bytes_alloc = 5}},
	{KMT_VMALLOC_FREE, {0}, VMALLOC + 0x9000, 9, {0}},
	{KMT_VMALLOC_PURGE, {0}, 12, 12, {0}},
	{KMT_RECLAIM_BEGIN, {2 | 0xcc0ull << 32}, 0, 0, {.order = 2, .gfp = 0xcc0, .node = -1}},
	{KMT_RECLAIM_END, {0}, 77, 77, {.node = -1}},
	{KMT_NODE_RECLAIM_BEGIN, {2, 4}, 0, 0, {.order = 2, .node = 3}},
	{KMT_COMPACT_BEGIN,
	 {9 | 1 << 16 | 0xcc0ull << 32},
	 4096,
	 4096,
	 {.order = 9, .gfp = 0xcc0, .node = -1, .fallback_type = 1}},
	{KMT_COMPACT_END, {5 << 16}, 4096, 4096, {.node = -1, .fallback_type = 5}},
	{KMT_KSWAPD_WAKE, {1 | 2 << 16, 1}, 0, 0, {.order = 1, .fallback_type = 2, .node = 0}},
	{KMT_KCOMPACTD_SLEEP, {0, 1}, 0, 0, {.node = 0}},
	{KMT_THROTTLED, {3 << 16, 1}, 1500, 1500, {.fallback_type = 3}},
	{KMT_MIGRATE_PAGES, {0}, 480 | 3ull << 32, 480 | 3ull << 32, {.node = -1}},
	{KMT_OOM_VICTIM, {4711ull << 32, 0x6b726f77}, 0, 0, {.pid = 4711}},
};

enum { SAMPLES = sizeof(samples) / sizeof(samples[0]) };

static void name_cache(struct fixture *f, unsigned int owner)
{
	uint64_t word[KML_NAME_WORDS] = {CACHE, 200 | 256ull << 32};

	memcpy(word + 2, "skb", 4);
	for (unsigned int i = 0; i < KML_NAME_WORDS; i++)
		put(f, 0, KML_DEF_BIT | KML_CACHE_NAME << KML_KIND_SHIFT | owner << KML_SLOT_SHIFT,
		    i, word[i]);
}

static void put_sample(struct fixture *f, const struct sample *s)
{
	uint64_t word[KML_DEF_WORDS];

	memcpy(word, s->word, sizeof(word));
	word[0] |= KML_SLOT_USED;
	if (word[2] == CACHE)
		name_cache(f, s->kind);
	define(f, 0, s->kind, 7, word);
	event(f, 0, s->kind, f->now, s->value);
}

static void test_kinds_each_becomes_what_kinds_h_says(void **state)
{
	struct fixture f;
	struct trace_reader *r;
	struct trace_event e;

	(void)state;
	setup(&f);
	for (int i = 0; i < SAMPLES; i++) {
		put_sample(&f, &samples[i]);
		consume(f.consumer, false);
	}
	r = read_back(&f);
	for (int i = 0; i < SAMPLES; i++) {
		const struct sample *s = &samples[i];
		struct kmt_class want = s->class, got;

		assert_int_equal(trace_reader_next(r, &e, 1), 1);
		got = *trace_reader_class(r, e.class_id);
		assert_int_equal(got.kind, s->kind);
		assert_true(e.address == s->address);
		want.kind = s->kind;
		want.cache = got.cache;
		want.comm = got.comm;
		if (memcmp(&want, &got, sizeof(want)))
			fail_msg("%s: class differs", trace_kind_name(s->kind));
	}
	teardown(&f, r);
}

static void test_kinds_bulk_objects_know_their_cache(void **state)
{
	struct fixture f;
	struct trace_reader *r;
	struct trace_event e;

	(void)state;
	setup(&f);
	for (int i = 0; i < SAMPLES; i++)
		if (samples[i].word[2] == CACHE)
			put_sample(&f, &samples[i]);
	r = read_back(&f);
	while (trace_reader_next(r, &e, 1) == 1)
		assert_string_equal(
			trace_reader_string(r, trace_reader_class(r, e.class_id)->cache), "skb");
	teardown(&f, r);
}

static void test_kinds_oom_victim_has_a_name(void **state)
{
	struct fixture f;
	struct trace_reader *r;
	struct trace_event e;

	(void)state;
	setup(&f);
	put_sample(&f, &samples[SAMPLES - 1]);
	r = read_back(&f);
	assert_int_equal(trace_reader_next(r, &e, 1), 1);
	assert_string_equal(trace_reader_string(r, trace_reader_class(r, e.class_id)->comm),
			    "work");
	teardown(&f, r);
}

/* Before the first area no one knows where vmalloc's region begins. */
static void test_kinds_vmalloc_address_without_a_base_is_opaque(void **state)
{
	const uint64_t freed[KML_DEF_WORDS] = {KML_SLOT_USED};
	struct fixture f;
	struct trace_reader *r;
	struct trace_event e;

	(void)state;
	setup(&f);
	define(&f, 0, KMT_VMALLOC_FREE, 7, freed);
	event(&f, 0, KMT_VMALLOC_FREE, f.now, VMALLOC + 0x7000);
	r = read_back(&f);
	assert_int_equal(trace_reader_next(r, &e, 1), 1);
	assert_true(e.address & KMT_OPAQUE);
	assert_true((e.address & 0xffffffff) != ((VMALLOC + 0x7000) & 0xffffffff));
	teardown(&f, r);
}

/* Modules lie above: their place tells where the kernel is. */
static void test_kinds_module_area_is_opaque(void **state)
{
	const uint64_t area[KML_DEF_WORDS] = {KML_SLOT_USED, VMALLOC, 5},
		       module[KML_DEF_WORDS] = {KML_SLOT_USED, WHERE, 5};
	struct fixture f;
	struct trace_reader *r;
	struct trace_event e[2];

	(void)state;
	setup(&f);
	define(&f, 0, KMT_VMALLOC_ALLOC, 7, area);
	event(&f, 0, KMT_VMALLOC_ALLOC, f.now, VMALLOC);
	define(&f, 0, KMT_VMALLOC_ALLOC, 7, module);
	event(&f, 0, KMT_VMALLOC_ALLOC, f.now, WHERE + 0x5000);
	r = read_back(&f);
	assert_int_equal(trace_reader_next(r, e, 2), 2);
	assert_true(e[0].address == 0);
	assert_true(e[1].address & KMT_OPAQUE);
	teardown(&f, r);
}

/* Slots of one kind must not reach into another's. */
static void test_kinds_slots_do_not_overlap(void **state)
{
	uint32_t end = 0;

	(void)state;
	for (uint32_t k = 0; k < KML_KINDS; k++) {
		if (!kml_has_slots(k))
			continue;
		assert_int_equal(kml_slot_base(k), end);
		end += 1u << kml_slot_bits(k);
	}
	assert_int_equal(end, KML_ALL_SLOTS);
}

static void test_kinds_every_name_is_found_once(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < KMT_KINDS; i++)
		for (unsigned int j = 0; j < i && kind_exists(i); j++)
			assert_true(!kind_exists(j) ||
				    strcmp(trace_kind_name(i), trace_kind_name(j)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds_each_becomes_what_kinds_h_says),
		cmocka_unit_test(test_kinds_bulk_objects_know_their_cache),
		cmocka_unit_test(test_kinds_oom_victim_has_a_name),
		cmocka_unit_test(test_kinds_vmalloc_address_without_a_base_is_opaque),
		cmocka_unit_test(test_kinds_module_area_is_opaque),
		cmocka_unit_test(test_kinds_slots_do_not_overlap),
		cmocka_unit_test(test_kinds_every_name_is_found_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
