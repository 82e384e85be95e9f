/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * page.h - the page frame, and lists of page frames.
 *
 * The kernel keeps 64 bytes per frame in struct page; here 16 do. Frames are
 * named by number (pfn), and a list link is a number too, so a link costs four
 * bytes instead of eight and the whole map can lie anywhere:
 *
 *      memmap   | 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | ...
 *                     ^   ^           ^
 *      list     first +---+--- next --+ last
 *
 * A block of 2^order frames is described by its first frame, the head. The
 * others, its tails, say nothing: their state is RESERVED, like that of a frame
 * the allocator never had. Whoever must tell the two apart looks for a head in
 * front (rmm_find_head). So no operation ever touches 2^order frames.
 *
 * What a frame is lies in one word, and changes in one store:
 *
 *      bits 0-31 _count | 32-39 state | 40-47 order | 48-55 type | 56-63 flags
 *
 * _count is the number of references less one, so that -1 means free and 0 one
 * owner (LKD3: "when this count reaches negative one, no one is using the
 * page"). Callers read it by rmm_page_count() only, and the allocator where it
 * frees, refers or moves; on the lists of CPU c it is -1 - c, as free as can
 * be. A new map is all zero: RESERVED, one reference.
 *
 * Invariants: a frame with state BUDDY, PCP or ALLOCATED is the head of a
 * block, pfn is a multiple of 2^order, and blocks do not overlap. _count >= 0
 * if and only if the block is ALLOCATED.
 *
 * Locking: state BUDDY is set and cleared under the zone lock. A holder of that
 * lock looks at frames that other CPUs use, hence the atomic accesses. flags
 * and _count of an allocated page change by atomic operations.
 *
 * Modelled: struct page's buddy_list, private (order), PageBuddy,
 * _refcount. Simplified: the migrate type of a per-CPU page is a field (6.1:
 * page->index). Omitted: mapping, LRU, memcg; a
 * tail holds no pointer to its head. (6.12,
 * include/linux/mm_types.h; LKD3 ch. 12 "Pages")
 */
#ifndef REFMM_PAGE_H
#define REFMM_PAGE_H

#include <kmemlab/refmm.h>

#define RMM_READ(x)	__atomic_load_n(&(x), __ATOMIC_RELAXED)
#define RMM_WRITE(x, v) __atomic_store_n(&(x), (v), __ATOMIC_RELAXED)
/* likely(), unlikely(): where ten nanoseconds are the whole */
#define rmm_likely(x)	__builtin_expect(!!(x), 1)
#define rmm_unlikely(x) __builtin_expect(!!(x), 0)

struct rmm_page {
	union {
		struct {
			uint32_t next, prev; /* on a free list */
		};
		uint64_t private; /* of an allocated page: its owner's */
	};
	union {
		struct {
			int32_t _count; /* references - 1 */
			uint8_t state;	/* enum rmm_page_state, never TAIL */
			uint8_t order;
			uint8_t migratetype; /* of the list, or the request */
			uint8_t flags;	     /* enum rmm_pageflags */
		};
		uint64_t word;
	};
};
_Static_assert(sizeof(struct rmm_page) == 16, "a frame is 16 bytes");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	       "rmm_page_word() puts _count first and flags last");

/* In a word */
enum { RMM_ORDER_SHIFT = 40, RMM_TYPE_SHIFT = 48, RMM_FLAGS_SHIFT = 56 };

/** rmm_page_word() - a frame's word, without flags */
static inline uint64_t rmm_page_word(int32_t count, unsigned int state,
				     unsigned int order, unsigned int mt)
{
	return (uint32_t)count | (uint64_t)state << 32 |
	       (uint64_t)order << RMM_ORDER_SHIFT |
	       (uint64_t)mt << RMM_TYPE_SHIFT;
}

/** rmm_word_state(), _order(), _type() - parts of a word that was read once:
 *  another CPU may be changing the frame's */
static inline unsigned int rmm_word_state(uint64_t word)
{
	return word >> 32 & UINT8_MAX;
}

static inline unsigned int rmm_word_order(uint64_t word)
{
	return word >> RMM_ORDER_SHIFT & UINT8_MAX;
}

static inline unsigned int rmm_word_type(uint64_t word)
{
	return word >> RMM_TYPE_SHIFT & UINT8_MAX;
}

/** rmm_page_is() - is this the head of a block of @state and @order? */
static inline bool rmm_page_is(const struct rmm_page *page,
			       enum rmm_page_state state, unsigned int order)
{
	return (uint16_t)(RMM_READ(page->word) >> 32) == (state | order << 8);
}

/** rmm_page_cpu() - whose list a page with state PCP is on */
static inline unsigned int rmm_page_cpu(const struct rmm_page *page)
{
	return ~(uint32_t)page->_count;
}

/* The kernel's pageblock flags, loosely, and the zone (page->flags there). */
struct rmm_pageblock {
	union {
		struct {
			uint8_t migratetype;
			uint8_t zone;
		};
		uint16_t type_zone; /* both in one look */
	};
	uint8_t saved; /* type before it was isolated */
	uint8_t flags; /* enum rmm_pageblock_flags */
};

enum rmm_pageblock_flags {
	RMM_PB_PRESENT = 1 << 0, /* holds memory; without, walkers skip it and
				    do not read the memmap */
	RMM_PB_SKIP = 1 << 1,	 /* PB_migrate_skip: compaction found nothing */
};

_Static_assert(sizeof(struct rmm_pageblock) == 4, "shifted, not multiplied");

static inline bool rmm_get_pageblock(const struct rmm_pageblock *b,
				     enum rmm_pageblock_flags flag)
{
	return RMM_READ(b->flags) & flag;
}

/** rmm_set_pageblock() - set_pfnblock_flags_mask(): no lock is held, and other
 *  CPUs may be changing other flags */
static inline void rmm_set_pageblock(struct rmm_pageblock *b,
				     enum rmm_pageblock_flags flag, bool on)
{
	if (rmm_get_pageblock(b, flag) == on)
		return;
	if (on)
		__atomic_fetch_or(&b->flags, flag, __ATOMIC_RELAXED);
	else
		__atomic_fetch_and(&b->flags, ~flag, __ATOMIC_RELAXED);
}

#define RMM_NIL UINT32_MAX

/* Both links in one store */
static inline void rmm_set_links(struct rmm_page *page, uint32_t next,
				 uint32_t prev)
{
	page->private = (uint64_t)prev << 32 | next;
}

/* Ask for a frame that will be written to soon. */
static inline void rmm_prefetch(const struct rmm_page *map, rmm_pfn pfn)
{
	__builtin_prefetch(&map[pfn], 1);
}

struct rmm_list {
	uint32_t first, last; /* pfn or RMM_NIL */
	uint32_t count;
};

static inline void rmm_list_init(struct rmm_list *l)
{
	l->first = l->last = RMM_NIL;
	l->count = 0;
}

static inline bool rmm_list_empty(const struct rmm_list *l)
{
	return RMM_READ(l->count) == 0;
}

/* list_add(): at the head, the next to be taken */
static inline void rmm_list_add(struct rmm_page *map, struct rmm_list *l,
				rmm_pfn pfn)
{
	rmm_set_links(&map[pfn], l->first, RMM_NIL);
	if (l->first != RMM_NIL)
		map[l->first].prev = pfn;
	else
		l->last = pfn;
	l->first = pfn;
	RMM_WRITE(l->count, l->count + 1);
}

/* list_add_tail() */
static inline void rmm_list_add_tail(struct rmm_page *map, struct rmm_list *l,
				     rmm_pfn pfn)
{
	rmm_set_links(&map[pfn], RMM_NIL, l->last);
	if (l->last != RMM_NIL)
		map[l->last].next = pfn;
	else
		l->first = pfn;
	l->last = pfn;
	RMM_WRITE(l->count, l->count + 1);
}

/* list_add_tail() with a member as the head: in front of @next, or at the tail
 * if that is RMM_NIL */
static inline void rmm_list_add_before(struct rmm_page *map, struct rmm_list *l,
				       rmm_pfn pfn, rmm_pfn next)
{
	if (next == RMM_NIL) {
		rmm_list_add_tail(map, l, pfn);
		return;
	}
	if (map[next].prev == RMM_NIL) {
		rmm_list_add(map, l, pfn);
		return;
	}
	rmm_set_links(&map[pfn], next, map[next].prev);
	map[map[next].prev].next = pfn;
	map[next].prev = pfn;
	RMM_WRITE(l->count, l->count + 1);
}

/* list_del() */
static inline void rmm_list_del(struct rmm_page *map, struct rmm_list *l,
				rmm_pfn pfn)
{
	uint32_t next = map[pfn].next, prev = map[pfn].prev;

	if (prev != RMM_NIL)
		map[prev].next = next;
	else
		l->first = next;
	if (next != RMM_NIL)
		map[next].prev = prev;
	else
		l->last = prev;
	RMM_WRITE(l->count, l->count - 1);
}

/* list_del() of the first member, which there is */
static inline void rmm_list_del_first(struct rmm_page *map, struct rmm_list *l)
{
	uint32_t next = map[l->first].next;

	l->first = next;
	if (next != RMM_NIL)
		map[next].prev = RMM_NIL;
	else
		l->last = RMM_NIL;
	RMM_WRITE(l->count, l->count - 1);
}

/* The list begins with member @pfn, and what was in front of it follows the
 * last: as if it had been taken round */
static inline void rmm_list_rotate(struct rmm_page *map, struct rmm_list *l,
				   rmm_pfn pfn)
{
	uint32_t prev = map[pfn].prev;

	if (prev == RMM_NIL)
		return;
	map[l->last].next = l->first;
	map[l->first].prev = l->last;
	map[prev].next = RMM_NIL;
	map[pfn].prev = RMM_NIL;
	l->first = pfn;
	l->last = prev;
}

#endif
