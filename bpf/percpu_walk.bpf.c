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
 * kallsyms shows no data they are not found: nothing that a program sees leads to them.
 *
 * No lock can be taken. Chunks change their slot as they fill, so a walk can miss one:
 * each step is checked against the link back, and the recorder finds all chunks again
 * when it has read them. It reads a chunk twice; both must be alike.
 */
#include "lists.bpf.h"
#include <bpf/bpf_core_read.h>
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

#pragma clang attribute pop

extern const void pcpu_chunk_lists __ksym __weak;
extern const void pcpu_nr_slots __ksym __weak;
extern const void pcpu_first_chunk __ksym __weak;
extern const void pcpu_reserved_chunk __ksym __weak;
extern const void pcpu_base_addr __ksym __weak;
extern const void pcpu_unit_size __ksym __weak;
extern const void pcpu_atom_size __ksym __weak;

struct kml_percpu percpu;

/* ---- Chunks ---------------------------------------------------------------- */

struct slot_walk {
	__u64 head, from, at;
	__u32 slot;
};

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

/* The layout of units is what it was at boot. */
static __always_inline void take_layout(void)
{
	percpu.base = word_at((__u64)&pcpu_base_addr);
	percpu.unit_bytes = (__u32)word_at((__u64)&pcpu_unit_size);
	percpu.atom_bytes = (__u32)word_at((__u64)&pcpu_atom_size);
	percpu.first = word_at((__u64)&pcpu_first_chunk);
	percpu.reserved = word_at((__u64)&pcpu_reserved_chunk);
}

SEC("raw_tp")
int find_chunks(void *ctx)
{
	__u64 lists = word_at((__u64)&pcpu_chunk_lists);
	__u32 slots = (__u32)word_at((__u64)&pcpu_nr_slots);

	(void)ctx;
	percpu.n = 0;
	take_layout();
	percpu.status = KML_PERCPU_UNKNOWN;
	if (!lists || !slots || slots > KML_PERCPU_SLOTS || !percpu.base || !percpu.first ||
	    !percpu.unit_bytes || !percpu.atom_bytes)
		return 0;
	percpu.status = KML_PERCPU_DONE;
	bpf_loop(slots, take_slot, &lists, 0);
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
