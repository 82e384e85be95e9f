// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * hooks.bpf.c - the paths that no tracepoint shows, by fentry and fexit. The
 * recorder sets each program's function (names differ by kernel) and leaves out
 * what the kernel has not. Arguments are read as scalars, so that they can be
 * hashed and stored.
 */
#include "vmalloc.bpf.h"

enum {
	BULK_MAX = 1 << 16, /* pages or objects of one call */
};

/* Set before loading: split_page_memcg() tells parts (6.1) or an order. */
const volatile __u32 split_in_parts = 0;

static __always_inline __u64 argument(void *ctx, __u32 n)
{
	__u64 value = 0;

	bpf_get_func_arg(ctx, n, &value);
	return value;
}

static __always_inline __u64 result(void *ctx)
{
	__u64 value = 0;

	bpf_get_func_ret(ctx, &value);
	return value;
}

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
SEC("fexit")
int bulk_pages(void *ctx)
{
	__u64 n = result(ctx), array = argument(ctx, 4), list = 0;
	struct filled f = {.gfp = (__u32)argument(ctx, 0)};
	struct list_head *head;
	struct page *page = 0;

	if (bpf_get_func_arg_cnt(ctx) > 5) {
		list = array;
		array = argument(ctx, 5);
	}
	n = n < BULK_MAX ? n : BULK_MAX;
	f.stack = stack_of(ctx, KMT_BULK_PAGE);
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
SEC("fentry")
int page_split(void *ctx)
{
	__u64 order = (__u32)argument(ctx, 1), new_order = 0;

	if (bpf_get_func_arg_cnt(ctx) > 2)
		new_order = (__u32)argument(ctx, 2);
	else if (split_in_parts)
		order = align_order(order << PAGE_SHIFT);
	return record_one(KMT_PAGE_SPLIT, argument(ctx, 0), (order & 0xff) | new_order << 8);
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
SEC("fentry")
int migrated(void *ctx)
{
	__u64 to = argument(ctx, 0), from = argument(ctx, 1), order = folio_order(from);

	record_one(KMT_MIGRATE_FROM, from, order);
	return record_one(KMT_MIGRATE_TO, to, order);
}

/* page, order; 0: not isolated */
SEC("fexit")
int isolated(void *ctx)
{
	if (!(__u32)result(ctx))
		return 0;
	return record_one(KMT_PAGE_ISOLATE, argument(ctx, 0), (__u32)argument(ctx, 1));
}

/* target, ...: not needed after all. Its order is that of its mm_page_free. */
SEC("fexit")
int kept(void *ctx)
{
	return record_one(KMT_PAGE_KEEP, argument(ctx, 0), 0);
}

/* start, end, type or flags, gfp; 0: done */
SEC("fexit")
int contig(void *ctx)
{
	struct event e = {.kind = KMT_CONTIG_ALLOC, .keys = 3, .caller = ctx};
	__u64 start = argument(ctx, 0);

	if ((__u32)result(ctx))
		return 0;
	e.address = vmemmap_base + start * page_struct_bytes;
	e.word[0] = KML_SLOT_USED | argument(ctx, 3) << 32;
	e.word[2] = argument(ctx, 1) - start;
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
SEC("fexit")
int cache_bulk_alloc(void *ctx)
{
	struct objects o = {
		.array = (void *)argument(ctx, 3),
		.cache = argument(ctx, 0),
		.word = argument(ctx, 1) << 32,
		.stack = stack_of(ctx, KMT_CACHE_BULK_ALLOC),
		.kind = KMT_CACHE_BULK_ALLOC,
	};
	__u32 n = result(ctx);

	bpf_loop(n < BULK_MAX ? n : BULK_MAX, record_object, &o, 0);
	return 0;
}

/* cache or NULL (kfree_bulk), n, array, which is intact only now */
SEC("fentry")
int cache_bulk_free(void *ctx)
{
	struct objects o = {
		.array = (void *)argument(ctx, 2),
		.cache = argument(ctx, 0),
		.kind = KMT_CACHE_BULK_FREE,
	};
	__u64 n = argument(ctx, 1);

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

SEC("fexit")
int cache_create(void *ctx)
{
	return record_cache(KMT_CACHE_CREATE, result(ctx));
}

SEC("fentry")
int cache_destroy(void *ctx)
{
	return record_cache(KMT_CACHE_DESTROY, argument(ctx, 0));
}

/* ---- vmalloc before 6.3 ------------------------------------------------ */

/* size, align, vstart, vend, ...; the area or an error */
SEC("fexit")
int area_alloc(void *ctx)
{
	__u64 got = result(ctx);
	struct vmap_area *va = (void *)got;
	struct area a = {
		.bytes = argument(ctx, 0),
		.align = argument(ctx, 1),
		.region_start = argument(ctx, 2),
		.caller = ctx,
	};

	if (got && got < -4095ull)
		a.address = BPF_CORE_READ(va, va_start);
	return record_area(&a);
}

SEC("fentry")
int area_free(void *ctx)
{
	struct vmap_area *va = (void *)argument(ctx, 0);

	return record_plain(KMT_VMALLOC_FREE, BPF_CORE_READ(va, va_start));
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
