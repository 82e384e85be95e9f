// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * area_walk.bpf.c - the areas of vmalloc's address space, which /proc/vmallocinfo shows
 * without addresses (kernel.kptr_restrict) and without those that wait.
 *
 *   since 6.9   vmap_nodes[i] -+- busy.head   in use, by address
 *                              +- lazy.head   freed, not purged yet, by address
 *                              +- pool[pages - 1].head
 *   before      vmap_area_list, purge_vmap_area_list
 *
 * The recorder runs these programs. Where kallsyms shows no data, it has the kernel
 * make an area while see_object() and see_area() watch: one of the objects seen then
 * is that area, and its list leads to the list's head, the one element that is not an
 * area. The head lies in a node, and nodes in an array.
 *
 * No lock can be taken. Each step is checked against the link back, and by the order
 * of addresses: a list that changed there is read again. What changed before or
 * behind is in the events, which began earlier.
 */
#include "lists.bpf.h"
#include <bpf/bpf_core_read.h>
#include <kmemlab/area_walk.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct rb_list {
	struct list_head head;
};

struct vmap_pool {
	struct list_head head;
};

struct vmap_node {
	struct vmap_pool pool[1];
	struct rb_list busy, lazy;
};

#pragma clang attribute pop

extern const void vmap_area_list __ksym __weak;
extern const void purge_vmap_area_list __ksym __weak;
extern const void vmap_nodes __ksym __weak;
extern const void nr_vmap_nodes __ksym __weak;
extern const void vmalloc_base __ksym __weak;

__u32 tgid; /* whose objects and area are of interest */
__u64 seen_object[KML_AREAS_SEEN];
__u32 seen_objects; /* ever: the newest are kept */
__u64 seen_area, seen_base;
struct kml_areas areas;

/* 0, but the verifier must not know: see slab_walk.bpf.c. */
volatile __u64 nothing;

/* ---- Watching one area being made --------------------------------------- */

/* call_site, ptr, cache, gfp, node */
SEC("raw_tp/kmem_cache_alloc")
int see_object(struct bpf_raw_tracepoint_args *ctx)
{
	if (bpf_get_current_pid_tgid() >> 32 == tgid) {
		seen_object[seen_objects & (KML_AREAS_SEEN - 1)] = ctx->args[1];
		seen_objects++;
	}
	return 0;
}

/* addr, size, align, vstart, vend, failed: the largest is the one provoked */
SEC("raw_tp/alloc_vmap_area")
int see_area(struct bpf_raw_tracepoint_args *ctx)
{
	if (bpf_get_current_pid_tgid() >> 32 == tgid && !(__u32)ctx->args[5] &&
	    ctx->args[1] > 256 * PAGE_BYTES) {
		seen_area = ctx->args[0];
		seen_base = ctx->args[3];
	}
	return 0;
}

/* ---- Lists ---------------------------------------------------------------- */

static __always_inline __u64 area_of(__u64 link)
{
	return link - bpf_core_field_offset(struct vmap_area, list);
}

static __always_inline int is_range(__u64 start, __u64 end)
{
	return start >= 1ull << 63 && start < end && !(start % PAGE_BYTES) && !(end % PAGE_BYTES);
}

static __always_inline int is_area(__u64 link)
{
	return is_range(word_at(area_of(link) + bpf_core_field_offset(struct vmap_area, va_start)),
			word_at(area_of(link) + bpf_core_field_offset(struct vmap_area, va_end)));
}

struct list_walk {
	__u64 head, from, at, last;
	__u32 detail;
};

static __always_inline void describe(struct kml_area *a, struct vmap_area *va, __u32 detail)
{
	struct vm_struct *vm = NULL;

	a->caller = a->vm_flags = a->pages = 0;
	a->detail = detail;
	if ((detail & 0xff) == KML_AREAS_USED)
		vm = BPF_CORE_READ(va, vm);
	if (vm) {
		a->caller = (__u64)BPF_CORE_READ(vm, caller);
		a->vm_flags = BPF_CORE_READ(vm, flags);
		a->pages = BPF_CORE_READ(vm, nr_pages);
	}
	if (bpf_core_type_exists(struct vmap_node) && bpf_core_field_exists(va->flags))
		a->detail |= (BPF_CORE_READ(va, flags) >> 8 & 0xff) << 16;
}

static long take_area(__u32 i, struct list_walk *w)
{
	struct vmap_area *va;
	struct kml_area *a;
	__u64 next;

	(void)i;
	if (w->at == w->head)
		return 1;
	areas.status = KML_AREAS_FULL;
	if (areas.n >= KML_AREAS)
		return 1;
	a = &areas.area[areas.n & (KML_AREAS - 1)];
	va = (void *)area_of(w->at);
	areas.status = KML_AREAS_BUSY;
	a->start = BPF_CORE_READ(va, va_start);
	a->end = BPF_CORE_READ(va, va_end);
	describe(a, va, w->detail);
	next = word_at(w->at);
	if (word_at(w->at + LINK_BACK) != w->from || !is_range(a->start, a->end) ||
	    a->start < w->last || a->start != BPF_CORE_READ(va, va_start))
		return 1;
	areas.status = KML_AREAS_DONE;
	areas.n++;
	if ((w->detail & 0xff) != KML_AREAS_POOL)
		w->last = a->end;
	w->from = w->at;
	w->at = next;
	return 0;
}

static __always_inline void take_list(__u64 head, __u32 detail)
{
	struct list_walk w = {
		.head = head, .from = head, .at = word_at(head), .last = nothing, .detail = detail};

	if (areas.status == KML_AREAS_DONE)
		bpf_loop(KML_AREAS + 1, take_area, &w, 0);
	if (areas.status == KML_AREAS_DONE && w.at != head)
		areas.status = KML_AREAS_BUSY;
}

struct pool_walk {
	__u64 first;
	__u32 node;
};

static long take_pool(__u32 i, struct pool_walk *w)
{
	take_list(w->first + (__u64)i * bpf_core_type_size(struct vmap_pool),
		  KML_AREAS_POOL | w->node << 8);
	return areas.status != KML_AREAS_DONE;
}

static long take_node(__u32 i, void *ctx)
{
	__u64 node = areas.first_node + (__u64)i * bpf_core_type_size(struct vmap_node);
	struct pool_walk w = {node + bpf_core_field_offset(struct vmap_node, pool), i};
	__u32 pools = bpf_core_field_size(((struct vmap_node *)0)->pool) /
		      bpf_core_type_size(struct vmap_pool);

	(void)ctx;
	take_list(node + bpf_core_field_offset(struct vmap_node, busy.head),
		  KML_AREAS_USED | i << 8);
	take_list(node + bpf_core_field_offset(struct vmap_node, lazy.head),
		  KML_AREAS_LAZY | i << 8);
	bpf_loop(pools, take_pool, &w, 0);
	return areas.status != KML_AREAS_DONE;
}

SEC("raw_tp")
int read_areas(void *ctx)
{
	(void)ctx;
	areas.status = KML_AREAS_DONE;
	areas.n = 0;
	areas.t_first_ns = bpf_ktime_get_boot_ns();
	if (bpf_core_type_exists(struct vmap_node)) {
		bpf_loop(areas.nodes, take_node, NULL, 0);
	} else {
		take_list(areas.used_list, KML_AREAS_USED);
		if (areas.lazy_list)
			take_list(areas.lazy_list, KML_AREAS_LAZY);
	}
	areas.t_last_ns = bpf_ktime_get_boot_ns();
	return 0;
}

/* ---- Where the lists are --------------------------------------------------- */

static long find_seen(__u32 i, __u64 *link)
{
	__u64 va = seen_object[i & (KML_AREAS_SEEN - 1)];

	if (!va || !seen_area ||
	    word_at(va + bpf_core_field_offset(struct vmap_area, va_start)) != seen_area)
		return 0;
	*link = va + bpf_core_field_offset(struct vmap_area, list);
	return 1;
}

static long to_head(__u32 i, __u64 *link)
{
	(void)i;
	*link = word_at(*link);
	return !is_area(*link);
}

/* Do both lists of a node at @node lead back to it? */
static __always_inline int is_node(__u64 node)
{
	__u64 busy = node + bpf_core_field_offset(struct vmap_node, busy.head);
	__u64 lazy = node + bpf_core_field_offset(struct vmap_node, lazy.head);

	return word_at(word_at(busy) + LINK_BACK) == busy &&
	       word_at(word_at(lazy) + LINK_BACK) == lazy;
}

static long to_first_node(__u32 i, void *ctx)
{
	__u64 before = areas.first_node - bpf_core_type_size(struct vmap_node);

	(void)i;
	(void)ctx;
	if (!is_node(before))
		return 1;
	areas.first_node = before;
	return 0;
}

static long count_node(__u32 i, void *ctx)
{
	(void)ctx;
	if (!is_node(areas.first_node + (__u64)i * bpf_core_type_size(struct vmap_node)))
		return 1;
	areas.nodes = i + 1;
	return 0;
}

/* By the area that was seen. */
static __always_inline void search(void)
{
	__u64 link = nothing;

	areas.failed = 1;
	bpf_loop(KML_AREAS_SEEN, find_seen, &link, 0);
	if (!link)
		return;
	areas.failed = 2;
	bpf_loop(KML_AREAS, to_head, &link, 0);
	if (is_area(link))
		return;
	areas.failed = 0;
	if (!bpf_core_type_exists(struct vmap_node)) {
		areas.used_list = link;
		return;
	}
	areas.first_node = link - bpf_core_field_offset(struct vmap_node, busy.head);
	bpf_loop(KML_AREAS_NODES, to_first_node, NULL, 0);
	bpf_loop(KML_AREAS_NODES + 1, count_node, NULL, 0);
}

static __always_inline void by_symbols(void)
{
	if (!bpf_core_type_exists(struct vmap_node)) {
		areas.used_list = (__u64)&vmap_area_list;
		areas.lazy_list = (__u64)&purge_vmap_area_list;
	} else if (&vmap_nodes && &nr_vmap_nodes) {
		areas.first_node = word_at((__u64)&vmap_nodes);
		areas.nodes = (__u32)word_at((__u64)&nr_vmap_nodes);
	}
}

SEC("raw_tp")
int find_areas(void *ctx)
{
	(void)ctx;
	areas.status = KML_AREAS_UNKNOWN;
	areas.base = &vmalloc_base ? word_at((__u64)&vmalloc_base) : seen_base;
	by_symbols();
	if (!areas.used_list && !areas.nodes)
		search();
	if (areas.base && (areas.used_list || areas.nodes))
		areas.status = KML_AREAS_DONE;
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
