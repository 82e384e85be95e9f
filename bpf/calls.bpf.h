/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * calls.bpf.h - the paths that no tracepoint shows: what is told of a call of each
 * function, whoever sees the call (hooks.bpf.c by fentry and fexit, kprobes.bpf.c).
 * The recorder aims programs at functions (names differ by kernel) and leaves out
 * what the kernel has not. Arguments are scalars, so that they can be hashed and
 * stored.
 */
#ifndef KMEMLAB_CALLS_BPF_H
#define KMEMLAB_CALLS_BPF_H

#include "vmalloc.bpf.h"

enum {
	CALL_ARGUMENTS = 6,
	BULK_MAX = 1 << 16, /* pages or objects of one call */
};

/* Set before loading, from BTF. */
const volatile __u32 split_in_parts = 0; /* split_page_memcg() tells parts (6.1), no order */
const volatile __u32 split_params = 0;	 /* how many parameters these have */
const volatile __u32 bulk_params = 0;

struct call {
	void *ctx; /* the program's: its stack is the call's */
	__u64 arg[CALL_ARGUMENTS];
	__u64 result; /* at exit */
};

static __always_inline int record_one(__u32 kind, __u64 address, __u64 word)
{
	struct event e = {.kind = kind, .keys = 1, .address = address};

	e.word[0] = KML_SLOT_USED | word;
	return record(&e);
}

/* ---- Pages ------------------------------------------------------------- */

/* What a bulk allocation filled: an array of pages, or a list of them. */
struct filled {
	struct page **array;
	__u64 page; /* its lru is the list's next entry */
	__u64 gfp;
	__u64 stack;
};

/* One stack for all of a bulk call. */
static __always_inline __u64 stack_of(void *ctx, __u32 kind)
{
	return take_stacks ? take_stack(ctx, kind) : 0;
}

static __always_inline int record_bulk(const struct filled *f, __u64 page)
{
	struct event e = {
		.kind = KMT_BULK_PAGE,
		.keys = 1,
		.address = page,
		.stack = f->stack,
	};

	e.word[0] = KML_SLOT_USED | f->gfp << 32;
	return record(&e);
}

static long record_bulk_entry(__u32 i, struct filled *f)
{
	__u64 page = 0;

	bpf_probe_read_kernel(&page, sizeof(page), &f->array[i]);
	if (page)
		record_bulk(f, page);
	return 0;
}

static long record_bulk_link(__u32 i __attribute__((unused)), struct filled *f)
{
	struct page *page = (void *)f->page;

	record_bulk(f, f->page);
	f->page = (__u64)BPF_CORE_READ(page, lru.next) - bpf_core_field_offset(page->lru);
	return 0;
}

/* gfp, nid, nodemask, nr_pages, [page_list until 6.13,] page_array */
static __always_inline int on_bulk_pages(const struct call *c)
{
	__u64 n = c->result, array = c->arg[4], list = 0;
	struct filled f = {.gfp = (__u32)c->arg[0]};
	struct list_head *head;
	struct page *page = 0;

	if (bulk_params > 5) {
		list = array;
		array = c->arg[5];
	}
	n = n < BULK_MAX ? n : BULK_MAX;
	f.stack = stack_of(c->ctx, KMT_BULK_PAGE);
	if (array) {
		f.array = (void *)array;
		bpf_loop(n, record_bulk_entry, &f, 0);
	} else if (list) {
		head = (void *)list;
		f.page = (__u64)BPF_CORE_READ(head, next) - bpf_core_field_offset(page->lru);
		bpf_loop(n, record_bulk_link, &f, 0);
	}
	return 0;
}

/* page, and: parts (6.1), order, new order (6.12), order (6.15 on: the new one is 0) */
static __always_inline int on_page_split(const struct call *c)
{
	__u64 order = (__u32)c->arg[1], new_order = 0;

	if (split_params > 2)
		new_order = (__u32)c->arg[2];
	else if (split_in_parts)
		order = align_order(order << PAGE_SHIFT);
	return record_one(KMT_PAGE_SPLIT, c->arg[0], (order & 0xff) | new_order << 8);
}

/* Order of a folio: where it is a compound page, its second page knows. Flags
 * are a struct page's first word. */
static __always_inline __u64 folio_order(__u64 page)
{
	struct page *second = (void *)(page + page_struct_bytes);
	__u64 flags = 0, second_flags = 0;

	bpf_probe_read_kernel(&flags, sizeof(flags), (void *)page);
	if (!(flags >> bpf_core_enum_value(enum pageflags, PG_head) & 1))
		return 0;
	if (bpf_core_field_exists(second->compound_order))
		return BPF_CORE_READ(second, compound_order);
	bpf_probe_read_kernel(&second_flags, sizeof(second_flags), second);
	return second_flags & 0xff;
}

/* to, from: called once the content has been copied */
static __always_inline int on_migrated(const struct call *c)
{
	__u64 to = c->arg[0], from = c->arg[1], order = folio_order(from);

	record_one(KMT_MIGRATE_FROM, from, order);
	return record_one(KMT_MIGRATE_TO, to, order);
}

/* page, order; 0: not isolated */
static __always_inline int on_isolated(const struct call *c)
{
	if (!(__u32)c->result)
		return 0;
	return record_one(KMT_PAGE_ISOLATE, c->arg[0], (__u32)c->arg[1]);
}

/* target, ...: not needed after all. Its order is that of its mm_page_free. */
static __always_inline int on_kept(const struct call *c)
{
	return record_one(KMT_PAGE_KEEP, c->arg[0], 0);
}

/* start, end, type or flags, gfp; 0: done */
static __always_inline int on_contig(const struct call *c)
{
	struct event e = {.kind = KMT_CONTIG_ALLOC, .keys = 3, .caller = c->ctx};
	__u64 start = c->arg[0];

	if ((__u32)c->result)
		return 0;
	e.address = vmemmap_base + start * page_struct_bytes;
	e.word[0] = KML_SLOT_USED | c->arg[3] << 32;
	e.word[2] = c->arg[1] - start;
	return record(&e);
}

/* ---- Objects ----------------------------------------------------------- */

struct objects {
	void **array;
	__u64 cache, word, stack;
	__u32 kind;
};

static long record_object(__u32 i, struct objects *o)
{
	struct event e = {.keys = 3, .stack = o->stack};

	bpf_probe_read_kernel(&e.address, sizeof(e.address), &o->array[i]);
	if (!e.address)
		return 0;
	e.word[0] = KML_SLOT_USED | o->word;
	e.word[2] = o->cache;
	/* Constants, so that each kind's table is found at compile time. */
	if (o->kind == KMT_CACHE_BULK_ALLOC) {
		e.kind = KMT_CACHE_BULK_ALLOC;
		record(&e);
	} else {
		e.kind = KMT_CACHE_BULK_FREE;
		record(&e);
	}
	return 0;
}

/* cache, gfp, n, array; the result is n or 0 */
static __always_inline int on_cache_bulk_alloc(const struct call *c)
{
	struct objects o = {
		.array = (void *)c->arg[3],
		.cache = c->arg[0],
		.word = c->arg[1] << 32,
		.stack = stack_of(c->ctx, KMT_CACHE_BULK_ALLOC),
		.kind = KMT_CACHE_BULK_ALLOC,
	};
	__u32 n = c->result;

	bpf_loop(n < BULK_MAX ? n : BULK_MAX, record_object, &o, 0);
	return 0;
}

/* cache or NULL (kfree_bulk), n, array, which is intact only now */
static __always_inline int on_cache_bulk_free(const struct call *c)
{
	struct objects o = {
		.array = (void *)c->arg[2],
		.cache = c->arg[0],
		.kind = KMT_CACHE_BULK_FREE,
	};
	__u64 n = c->arg[1];

	bpf_loop(n < BULK_MAX ? n : BULK_MAX, record_object, &o, 0);
	return 0;
}

static __always_inline int record_cache(__u32 kind, __u64 cache)
{
	struct event e = {.kind = kind, .keys = 3, .address = cache};

	if (!cache || cache >= -4095ull)
		return 0;
	e.word[0] = KML_SLOT_USED;
	e.word[2] = cache;
	return record(&e);
}

static __always_inline int on_cache_create(const struct call *c)
{
	return record_cache(KMT_CACHE_CREATE, c->result);
}

static __always_inline int on_cache_destroy(const struct call *c)
{
	return record_cache(KMT_CACHE_DESTROY, c->arg[0]);
}

/* ---- vmalloc before 6.3 ------------------------------------------------ */

/* size, align, vstart, vend, ...; the area or an error */
static __always_inline int on_area_alloc(const struct call *c)
{
	__u64 got = c->result;
	struct vmap_area *va = (void *)got;
	struct area a = {
		.bytes = c->arg[0],
		.align = c->arg[1],
		.region_start = c->arg[2],
		.caller = c->ctx,
	};

	if (got && got < -4095ull)
		a.address = BPF_CORE_READ(va, va_start);
	return record_area(&a);
}

static __always_inline int on_area_free(const struct call *c)
{
	struct vmap_area *va = (void *)c->arg[0];

	return record_plain(KMT_VMALLOC_FREE, BPF_CORE_READ(va, va_start));
}

#endif
