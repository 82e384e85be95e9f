// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * page_runs.c - page flags to runs of blocks.
 *
 *   flags per page:  B B B B | S+head S+tail S+tail S+tail | - | A
 *   runs:            FREE o2 x1 | SLAB o2 x1               | KERNEL o0 x1 | ANON o0 x1
 *
 * The kernel marks every page of a free buddy block; since buddies that are
 * both free have merged, the largest aligned blocks that fit a run of marked
 * pages are the buddy blocks themselves. Compound pages are as long as their
 * tails.
 */
#include "page_runs.h"

#include <assert.h>

enum {
	FREE_ORDER_MAX = 10,
	ORDER_MAX = 14,
};

/* Bits of /proc/kpageflags, Documentation/admin-guide/mm/pagemap.rst. */
enum {
	KPF_LRU = 1 << 5,
	KPF_SLAB = 1 << 7,
	KPF_BUDDY = 1 << 10,
	KPF_MMAP = 1 << 11,
	KPF_ANON = 1 << 12,
	KPF_SWAPBACKED = 1 << 14,
	KPF_COMPOUND_HEAD = 1 << 15,
	KPF_COMPOUND_TAIL = 1 << 16,
	KPF_HUGE = 1 << 17,
	KPF_HWPOISON = 1 << 19,
	KPF_NOPAGE = 1 << 20,
	KPF_OFFLINE = 1 << 23,
	KPF_PGTABLE = 1 << 26,
};
#define KPF_RESERVED (1ull << 32)

/* Flags in order of precedence; the first that is set decides. */
static enum kmt_page_state state_of(uint64_t flags)
{
	static const struct {
		uint64_t any;
		enum kmt_page_state state;
	} rule[] = {
		{KPF_NOPAGE, KMT_PG_NONE},
		{KPF_RESERVED | KPF_OFFLINE | KPF_HWPOISON, KMT_PG_RESERVED},
		{KPF_BUDDY, KMT_PG_FREE},
		{KPF_SLAB, KMT_PG_SLAB},
		{KPF_PGTABLE, KMT_PG_PGTABLE},
		{KPF_HUGE, KMT_PG_HUGE},
		{KPF_ANON, KMT_PG_ANON},
		{KPF_LRU | KPF_MMAP | KPF_SWAPBACKED, KMT_PG_FILE},
	};

	for (size_t i = 0; i < sizeof(rule) / sizeof(rule[0]); i++)
		if (flags & rule[i].any)
			return rule[i].state;
	return KMT_PG_KERNEL;
}

static void add_block(struct page_runs *r, enum kmt_page_state state, unsigned int order)
{
	struct trace_page_run *last = r->n ? &r->run[r->n - 1] : NULL;

	if (last && last->state == state && last->order == order) {
		last->blocks++;
		return;
	}
	assert(r->run);
	r->run[r->n++] = (struct trace_page_run){
		.state = (uint8_t)state, .order = (uint8_t)order, .blocks = 1};
}

/* Cover [pfn, pfn + pages) with the largest aligned blocks up to @max_order. */
static void add_aligned(struct page_runs *r, enum kmt_page_state state, uint64_t pfn,
			uint64_t pages, unsigned int max_order)
{
	while (pages) {
		unsigned int order = pfn ? (unsigned int)__builtin_ctzll(pfn) : max_order;

		if (order > max_order)
			order = max_order;
		while (1ull << order > pages)
			order--;
		add_block(r, state, order);
		pfn += 1ull << order;
		pages -= 1ull << order;
	}
}

static size_t tails_from(const uint64_t *flags, size_t i, size_t n)
{
	size_t end = i;

	while (end < n && flags[end] & KPF_COMPOUND_TAIL)
		end++;
	return end - i;
}

/* A run of free or of missing pages, a compound page, or one page. */
static size_t add_at(struct page_runs *r, const uint64_t *flags, size_t i, size_t n, uint64_t pfn)
{
	enum kmt_page_state state = state_of(flags[i]);
	size_t end = i + 1;

	if (state == KMT_PG_FREE) {
		while (end < n && state_of(flags[end]) == KMT_PG_FREE)
			end++;
		add_aligned(r, state, pfn + i, end - i, FREE_ORDER_MAX);
	} else if (state > KMT_PG_FREE && flags[i] & KPF_COMPOUND_TAIL) {
		/* The rest of a page that began in an earlier chunk. */
		end = i + tails_from(flags, i, n);
		add_aligned(r, state, pfn + i, end - i, ORDER_MAX);
	} else if (state > KMT_PG_FREE && flags[i] & KPF_COMPOUND_HEAD) {
		end += tails_from(flags, end, n);
		add_aligned(r, state, pfn + i, end - i, ORDER_MAX);
	} else {
		add_block(r, state, 0);
	}
	return end;
}

void page_runs_add(struct page_runs *r, const uint64_t *flags, size_t n, uint64_t pfn)
{
	for (size_t i = 0; i < n;)
		i = add_at(r, flags, i, n, pfn);
}

void page_runs_reserved(struct page_runs *r, uint64_t pfn, uint64_t pages)
{
	add_aligned(r, KMT_PG_RESERVED, pfn, pages, ORDER_MAX);
}
