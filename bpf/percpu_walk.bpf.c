// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * percpu_walk.bpf.c - the chunks of per-CPU memory, and which areas are in each.
 *
 *   pcpu_chunk_lists[slot] -> chunk -> chunk ...     pcpu_reserved_chunk: on no list
 *                               +- alloc_map   1: taken       } a bit for
 *                               +- bound_map   1: one begins  } 4 bytes
 *                               +- populated   1: a page is there
 *
 * The recorder runs these programs: one finds the chunks, the other reads one. Where
 * kallsyms shows no data, an area of the recorder's own leads to them: its page knows its
 * chunk, whose list leads to the head of the slot, the one element that is no chunk; and
 * what is free in a chunk says which slot that is. All slots must then be lists. What is
 * not found so is the reserved chunk: it counts as static variables.
 *
 * No lock can be taken. Chunks change their slot as they fill, so a walk can miss one:
 * each step is checked against the link back, and the recorder finds all chunks again
 * when it has read them. It reads a chunk twice; both must be alike.
 */
#include "page_table.bpf.h"
#include <kmemlab/percpu_walk.h>

typedef _Bool bool;

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct pcpu_block_md {
	int contig_hint;
};

struct pcpu_chunk {
	struct list_head list;
	int free_bytes;
	struct pcpu_block_md chunk_md;
	unsigned long *bound_map, *alloc_map;
	void *base_addr;
	bool immutable, isolated;
	int start_offset, end_offset;
	int nr_pages, nr_populated, nr_empty_pop_pages;
	unsigned long populated[1];
};

struct page___chunk {
	unsigned long private, index; /* one or the other is the chunk */
};

#pragma clang attribute pop

extern const void pcpu_chunk_lists __ksym __weak;
extern const void pcpu_nr_slots __ksym __weak;
extern const void pcpu_reserved_chunk __ksym __weak;
extern const void pcpu_base_addr __ksym __weak;
extern const void pcpu_unit_size __ksym __weak;
extern const void pcpu_atom_size __ksym __weak;

enum {
	SLOT_BASE_SHIFT = 5,
	SLOTS_BEHIND = 4, /* sidelined, free, to depopulate; and they count from 0 */
	ATOM_BYTES = 2 << 20,
	MIN_ALLOC = 4,
};

const volatile __u64 vmemmap_base, page_offset;
const volatile __u32 page_struct_bytes = 1;

__u32 tgid; /* whose area is of interest */
__u64 seen_base, seen_offset;
__u64 found_lists; /* not by symbols; 0: not yet */
__u32 found_slots, found_unit_bytes;
struct kml_percpu percpu;

/* 0, but the verifier must not know: see slab_walk.bpf.c. */
volatile __u64 nothing;

/* call_site, reserved, is_atomic, size, align, base_addr, off, ptr */
SEC("raw_tp/percpu_alloc_percpu")
int see_area(struct bpf_raw_tracepoint_args *ctx)
{
	if (bpf_get_current_pid_tgid() >> 32 == tgid) {
		seen_base = ctx->args[5];
		seen_offset = (__u32)ctx->args[6];
	}
	return 0;
}

/* ---- Where the chunks are -------------------------------------------------- */

/* Other memory hardly looks so. */
static __always_inline int is_chunk(__u64 at)
{
	struct pcpu_chunk *c = (void *)at;
	__u64 base = (__u64)BPF_CORE_READ(c, base_addr);
	__u32 pages = (__u32)BPF_CORE_READ(c, nr_pages);

	return base >= 1ull << 63 && !(base % PAGE_BYTES) && pages && pages <= KML_PERCPU_PAGES &&
	       (__u32)BPF_CORE_READ(c, free_bytes) <= pages * PAGE_BYTES &&
	       (__u32)BPF_CORE_READ(c, nr_populated) <= pages &&
	       (__u64)BPF_CORE_READ(c, alloc_map) >= 1ull << 63 &&
	       (__u64)BPF_CORE_READ(c, bound_map) >= 1ull << 63;
}

static __always_inline int is_seen(__u64 at)
{
	struct pcpu_chunk *c = (void *)at;

	return at && is_chunk(at) && (__u64)BPF_CORE_READ(c, base_addr) == seen_base;
}

/* Of the area that was seen; 0: its page does not tell. */
static __always_inline __u64 seen_chunk(void)
{
	__u64 pfn = pfn_behind(seen_base + seen_offset, page_offset);
	struct page___chunk *page = (void *)(vmemmap_base + pfn * page_struct_bytes);
	__u64 chunk;

	if (!pfn)
		return 0;
	chunk = BPF_CORE_READ(page, private);
	if (!is_seen(chunk) && bpf_core_field_exists(page->index))
		chunk = BPF_CORE_READ(page, index);
	return is_seen(chunk) ? chunk : 0;
}

/* pcpu_size_to_slot(), but for the whole of a unit. Without branches: the verifier would
 * follow each. */
static __always_inline __u32 slot_of(__u32 bytes)
{
	__u32 bits;

	for (int i = 1; i < 32; i *= 2)
		bytes |= bytes >> i;
	bits = (__u32)__builtin_popcount(bytes);
	return bits > SLOT_BASE_SHIFT - 1 ? bits - SLOT_BASE_SHIFT + 2 : 1;
}

static long to_head(__u32 i, __u64 *link)
{
	(void)i;
	*link = word_at(*link);
	return !is_chunk(*link - bpf_core_field_offset(struct pcpu_chunk, list));
}

/* By the area that was seen. */
SEC("raw_tp")
int search_chunks(void *ctx)
{
	__u64 chunk = seen_chunk(), link = nothing;
	struct pcpu_chunk *c = (void *)chunk;
	__u32 contig;

	(void)ctx;
	if (!chunk)
		return 0;
	link = chunk + bpf_core_field_offset(struct pcpu_chunk, list);
	contig = (__u32)BPF_CORE_READ(c, chunk_md.contig_hint) * MIN_ALLOC;
	bpf_loop(KML_PERCPU_CHUNKS, to_head, &link, 0);
	found_unit_bytes = (__u32)BPF_CORE_READ(c, nr_pages) * PAGE_BYTES;
	found_slots = slot_of(found_unit_bytes) + SLOTS_BEHIND;
	found_lists = link - (contig ? slot_of(contig) : 0) * (__u64)sizeof(struct list_head);
	return 0;
}

/* ---- Chunks ---------------------------------------------------------------- */

struct slot_walk {
	__u64 head, from, at;
	__u32 slot;
};

/* The first chunk is: its pages stay. So is the reserved one, which is on no list. */
static __always_inline int is_immutable(__u64 at)
{
	struct pcpu_chunk *c = (void *)at;

	return BPF_CORE_READ(c, immutable);
}

static long take_chunk(__u32 i, struct slot_walk *w)
{
	struct kml_percpu_place *p = &percpu.chunk[percpu.n & (KML_PERCPU_CHUNKS - 1)];

	(void)i;
	if (w->at == w->head)
		return 1;
	percpu.status = KML_PERCPU_FULL;
	if (percpu.n >= KML_PERCPU_CHUNKS)
		return 1;
	percpu.status = KML_PERCPU_BUSY;
	if (word_at(w->at + LINK_BACK) != w->from)
		return 1;
	percpu.status = KML_PERCPU_DONE;
	p->address = w->at - bpf_core_field_offset(struct pcpu_chunk, list);
	p->slot = w->slot;
	percpu.n++;
	if (is_immutable(p->address))
		percpu.first = p->address;
	w->from = w->at;
	w->at = word_at(w->at);
	return 0;
}

static long take_slot(__u32 slot, __u64 *lists)
{
	__u64 head = *lists + slot * (__u64)sizeof(struct list_head);
	struct slot_walk w = {.head = head, .from = head, .at = word_at(head), .slot = slot};

	bpf_loop(KML_PERCPU_CHUNKS + 1, take_chunk, &w, 0);
	if (percpu.status == KML_PERCPU_DONE && w.at != head)
		percpu.status = KML_PERCPU_BUSY;
	return percpu.status != KML_PERCPU_DONE;
}

/* Not half of a word: bpf_loop(), where the kernel inlines it, would look at all of it. */
static __always_inline __u32 int_at(__u64 address)
{
	__u32 value = 0;

	bpf_probe_read_kernel(&value, sizeof(value), (void *)address);
	return value;
}

/* Units are laid out as they were at boot. */
static __always_inline void layout_by_symbols(void)
{
	percpu.base = word_at((__u64)&pcpu_base_addr);
	percpu.unit_bytes = int_at((__u64)&pcpu_unit_size);
	percpu.atom_bytes = int_at((__u64)&pcpu_atom_size);
	percpu.reserved = word_at((__u64)&pcpu_reserved_chunk);
}

/* The first unit begins where an atom does, and its chunk soon behind. */
static __always_inline void layout_by_chunks(void)
{
	struct pcpu_chunk *c = (void *)percpu.first;

	percpu.base = (__u64)BPF_CORE_READ(c, base_addr) / ATOM_BYTES * ATOM_BYTES;
	percpu.unit_bytes = found_unit_bytes;
	percpu.atom_bytes = ATOM_BYTES;
}

SEC("raw_tp")
int find_chunks(void *ctx)
{
	__u64 lists = word_at((__u64)&pcpu_chunk_lists);
	__u32 slots = int_at((__u64)&pcpu_nr_slots);

	(void)ctx;
	percpu.n = 0;
	percpu.first = nothing;
	if (!lists) {
		lists = found_lists;
		slots = found_slots;
	}
	percpu.status = KML_PERCPU_UNKNOWN;
	if (!lists || !slots || slots > KML_PERCPU_SLOTS)
		return 0;
	percpu.status = KML_PERCPU_DONE;
	bpf_loop(slots, take_slot, &lists, 0);
	if (percpu.status != KML_PERCPU_DONE)
		return 0;
	percpu.status = KML_PERCPU_BUSY;
	if (!percpu.first) /* it was between two slots */
		return 0;
	percpu.status = KML_PERCPU_DONE;
	if (found_lists)
		layout_by_chunks();
	else
		layout_by_symbols();
	return 0;
}

/* ---- One chunk ------------------------------------------------------------- */

struct map_walk {
	__u64 alloc, bound;
};

/* A page's part of both bitmaps. */
static long take_page(__u32 page, struct map_walk *w)
{
	__u32 i = (page & (KML_PERCPU_PAGES - 1)) * KML_PERCPU_PAGE_WORDS;
	__u64 at = (__u64)page * KML_PERCPU_PAGE_WORDS * sizeof(__u64);

	bpf_probe_read_kernel(&percpu.of.alloc[i], KML_PERCPU_PAGE_WORDS * sizeof(__u64),
			      (void *)(w->alloc + at));
	bpf_probe_read_kernel(&percpu.of.bound[i], KML_PERCPU_PAGE_WORDS * sizeof(__u64),
			      (void *)(w->bound + at));
	return 0;
}

static long take_populated(__u32 i, __u64 *populated)
{
	percpu.of.populated[i & (KML_PERCPU_PAGES / 64 - 1)] =
		word_at(*populated + i * (__u64)sizeof(__u64));
	return 0;
}

SEC("raw_tp")
int read_chunk(void *ctx)
{
	struct pcpu_chunk *c = (void *)percpu.at;
	struct kml_percpu_chunk *o = &percpu.of;
	struct map_walk w = {(__u64)BPF_CORE_READ(c, alloc_map),
			     (__u64)BPF_CORE_READ(c, bound_map)};
	__u64 populated = percpu.at + bpf_core_field_offset(struct pcpu_chunk, populated);
	__u32 pages = (__u32)BPF_CORE_READ(c, nr_pages);

	(void)ctx;
	o->base = (__u64)BPF_CORE_READ(c, base_addr);
	o->free_bytes = BPF_CORE_READ(c, free_bytes);
	o->contig_bits = BPF_CORE_READ(c, chunk_md.contig_hint);
	o->start_offset = BPF_CORE_READ(c, start_offset);
	o->end_offset = BPF_CORE_READ(c, end_offset);
	o->pages = (__s32)pages;
	o->nr_populated = BPF_CORE_READ(c, nr_populated);
	o->empty_pages = BPF_CORE_READ(c, nr_empty_pop_pages);
	o->immutable = BPF_CORE_READ(c, immutable);
	o->isolated = BPF_CORE_READ(c, isolated);
	percpu.status = KML_PERCPU_FULL;
	if (!pages || pages > KML_PERCPU_PAGES)
		return 0;
	percpu.status = KML_PERCPU_DONE;
	bpf_loop(pages, take_page, &w, 0);
	bpf_loop((pages + 63) / 64, take_populated, &populated, 0);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
