// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * walk.bpf.c - what no file of the kernel shows: which pages are on a CPU's lists,
 * in their order, and the migrate type of every pageblock.
 *
 *   node_data[node] -> node_zones[zone] -> per_cpu_pageset + __per_cpu_offset[cpu]
 *	-> lists[i] -> page.lru -> page.lru ...
 *   mem_section[root][i] -> usage -> pageblock_flags
 *
 * Attached to nothing: the recorder runs them. A list is walked on its own CPU, in
 * an interrupt, or, on the recorder's CPU, without preemption: it stands still unless
 * its lock is held, or an interrupt comes between, which shows in what is stored
 * before and after. Kernels whose kallsyms lack the variables are not walked.
 */
#include "lists.bpf.h"
#include <bpf/bpf_core_read.h>
#include <kmemlab/walk.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct spinlock {
};

struct per_cpu_pages {
	struct spinlock lock; /* its first word is not 0 while it is held */
	int count, high, batch;
	struct list_head lists[1];
};

/* Until 6.6 there is one factor, for frees. */
struct per_cpu_pages___free_factor {
	short free_factor;
};

/* Since 6.7. */
struct per_cpu_pages___free_count {
	unsigned char alloc_factor;
	short free_count;
};

struct zone {
	struct per_cpu_pages *per_cpu_pageset;
	unsigned long present_pages;
	const char *name;
};

struct pglist_data {
	struct zone node_zones[1];
};

struct mem_section_usage {
	unsigned long pageblock_flags[1];
};

struct mem_section {
	unsigned long section_mem_map;
	struct mem_section_usage *usage;
};

#pragma clang attribute pop

/* Bits of a pageblock's flags; since 6.17 the name is another, and so are the flags. */
enum pageblock_bits {
	NR_PAGEBLOCK_BITS = 4,
};

extern const void contig_page_data __ksym __weak;
extern const void node_data __ksym __weak;
extern const void __per_cpu_offset __ksym __weak;
extern const void mem_section __ksym __weak;

const volatile __u64 vmemmap_base;
const volatile __u32 page_struct_bytes = 1;

struct kml_walk_lists lists;
struct kml_walk_types types;

struct list_walk {
	__u64 head, at;
};

static long take_page(__u32 i, struct list_walk *w)
{
	__u32 n = lists.pages;

	(void)i;
	if (w->at == w->head)
		return 1;
	if (!w->at || n >= KML_WALK_PAGES) {
		lists.status = KML_WALK_BUSY;
		return 1;
	}
	lists.pfn[n & (KML_WALK_PAGES - 1)] =
		(w->at - bpf_core_field_offset(struct page, lru) - vmemmap_base) /
		page_struct_bytes;
	lists.pages = n + 1;
	w->at = word_at(w->at);
	return 0;
}

/* Address of the zone, or 0. */
static __always_inline __u64 find_zone(void)
{
	__u64 node = (__u64)&contig_page_data;
	__u32 zones = bpf_core_field_size(((struct pglist_data *)0)->node_zones) /
		      bpf_core_type_size(struct zone);

	if (lists.zone >= zones)
		return 0;
	if (&node_data)
		node = word_at((__u64)&node_data + lists.node * 8ull);
	else if (lists.node)
		return 0;
	return node ? node + bpf_core_field_offset(struct pglist_data, node_zones) +
			       (__u64)lists.zone * bpf_core_type_size(struct zone)
		    : 0;
}

static __always_inline void read_factors(void *pcp)
{
	struct per_cpu_pages___free_factor *old = pcp;
	struct per_cpu_pages___free_count *new = pcp;

	lists.free_factor = lists.free_count = lists.alloc_factor = -1;
	if (bpf_core_field_exists(old->free_factor))
		lists.free_factor = BPF_CORE_READ(old, free_factor);
	if (bpf_core_field_exists(new->free_count))
		lists.free_count = BPF_CORE_READ(new, free_count);
	if (bpf_core_field_exists(new->alloc_factor))
		lists.alloc_factor = BPF_CORE_READ(new, alloc_factor);
}

static __always_inline int is_locked(struct per_cpu_pages *pcp)
{
	return (__u32)word_at((__u64)pcp + bpf_core_field_offset(struct per_cpu_pages, lock)) != 0;
}

static __always_inline void walk_lists(struct per_cpu_pages *pcp)
{
	__u64 head = (__u64)pcp + bpf_core_field_offset(struct per_cpu_pages, lists);

	lists.nr_lists = bpf_core_field_size(pcp->lists) / 16;
	for (__u32 i = 0; i < KML_WALK_LISTS && i < lists.nr_lists; i++) {
		struct list_walk w = {.head = head + i * 16, .at = word_at(head + i * 16)};

		bpf_loop(KML_WALK_PAGES + 1, take_page, &w, 0);
		lists.end[i] = lists.pages;
	}
}

SEC("raw_tp")
int read_lists(void *ctx)
{
	struct per_cpu_pages *pcp;
	__u64 zone;

	(void)ctx;
	lists.status = KML_WALK_NO_SYMBOLS;
	lists.pages = 0;
	if ((!&node_data && !&contig_page_data) || !&__per_cpu_offset)
		return 0;
	lists.status = KML_WALK_NOTHING;
	zone = find_zone();
	if (!zone || !BPF_CORE_READ((struct zone *)zone, present_pages))
		return 0;
	lists.name[0] = 0;
	bpf_probe_read_kernel_str(lists.name, sizeof(lists.name),
				  BPF_CORE_READ((struct zone *)zone, name));
	pcp = (void *)((__u64)BPF_CORE_READ((struct zone *)zone, per_cpu_pageset) +
		       word_at((__u64)&__per_cpu_offset + lists.cpu * 8ull));
	lists.status = KML_WALK_DONE;
	lists.time_ns = bpf_ktime_get_boot_ns();
	lists.count = BPF_CORE_READ(pcp, count);
	lists.high = BPF_CORE_READ(pcp, high);
	lists.batch = BPF_CORE_READ(pcp, batch);
	read_factors(pcp);
	if (is_locked(pcp))
		lists.status = KML_WALK_BUSY;
	walk_lists(pcp);
	if (is_locked(pcp) || BPF_CORE_READ(pcp, count) != (int)lists.count)
		lists.status = KML_WALK_BUSY;
	return 0;
}

/* Sections are found by number, in roots of a page each (SPARSEMEM_EXTREME). */
static long take_section(__u32 i, void *ctx)
{
	__u32 per_root = 4096 / bpf_core_type_size(struct mem_section);
	__u32 number = types.first + i;
	struct mem_section *section;
	__u64 roots, root;
	void *usage;

	(void)ctx;
	if (i >= KML_WALK_SECTIONS || number >= types.end)
		return 1;
	roots = word_at((__u64)&mem_section);
	root = roots ? word_at(roots + (__u64)(number / per_root) * 8) : 0;
	section = (void *)(root +
			   (__u64)(number % per_root) * bpf_core_type_size(struct mem_section));
	usage = root && BPF_CORE_READ(section, section_mem_map) ? BPF_CORE_READ(section, usage)
								: NULL;
	types.present[i] = usage != NULL;
	if (usage)
		bpf_probe_read_kernel(
			types.flags[i], sizeof(types.flags[i]),
			usage + bpf_core_field_offset(struct mem_section_usage, pageblock_flags));
	return 0;
}

SEC("raw_tp")
int read_types(void *ctx)
{
	(void)ctx;
	types.status = KML_WALK_NO_SYMBOLS;
	if (!&mem_section || !bpf_core_enum_value_exists(enum pageblock_bits, NR_PAGEBLOCK_BITS) ||
	    bpf_core_enum_value(enum pageblock_bits, NR_PAGEBLOCK_BITS) != 4)
		return 0;
	types.status = KML_WALK_DONE;
	types.time_ns = bpf_ktime_get_boot_ns();
	bpf_loop(KML_WALK_SECTIONS, take_section, NULL, 0);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
