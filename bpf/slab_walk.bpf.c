// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * slab_walk.bpf.c - which slabs of each cache are not full, and how many of their
 * objects are free.
 *
 *   slab_caches -> kmem_cache -+- node[i] -> partial -> slab -> slab ...
 *                              +- cpu_slab of each CPU -+- slab, with a free list
 *                                                       +- partial -> slab -> slab ...
 *
 * All other slabs are full, and on no list. The recorder runs these programs, one
 * cache at a time. No lock can be taken: each step on a node's list is checked against
 * the link back, and a list that changed there is read again.
 *
 * Since 6.18 some caches keep free objects in sheaves besides: up to three of each CPU, and
 * full ones in each node's barn. To their slabs these objects are in use. They are counted.
 *
 * Where kallsyms shows no data, an allocation of the recorder's own tells of one cache,
 * whose links lead to all: the list's head is the one element that is no cache. The
 * CPUs' copies of a variable are found by a per-CPU allocation of the recorder's own, and by
 * how far the CPUs' run queues lie from each other; that is believed if all that
 * is found there fits.
 */
#include "lists.bpf.h"
#include <bpf/bpf_core_read.h>
#include <kmemlab/slab_walk.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct kmem_cache_order_objects {
	unsigned int x;
};

struct atomic64 {
	long counter;
};

struct slab_sheaf {
	struct kmem_cache *cache;
	unsigned int size; /* objects in it */
};

struct slub_percpu_sheaves {
	struct slab_sheaf *main, *spare, *rcu_free;
};

struct node_barn {
	unsigned int nr_full;
};

struct kmem_cache_node {
	struct list_head partial;
	struct atomic64 nr_slabs, total_objects;
	struct node_barn *barn;
};

struct kmem_cache_cpu {
	void **freelist;
	struct slab *slab, *partial;
};

struct kmem_cache___walk {
	struct kmem_cache_cpu *cpu_slab;
	struct slub_percpu_sheaves *cpu_sheaves;
	unsigned int sheaf_capacity;
	unsigned int size, object_size, offset;
	struct kmem_cache_order_objects oo;
	const char *name;
	struct list_head list;
	unsigned long random; /* with CONFIG_SLAB_FREELIST_HARDENED */
	struct kmem_cache_node *node[1];
};

struct slab___walk {
	struct kmem_cache *slab_cache;
	struct list_head slab_list;
	struct slab *next;
	void *freelist;
	unsigned long counters; /* in use, 16 bits; objects, 15; frozen */
};

#pragma clang attribute pop

extern const void slab_caches __ksym __weak;
extern const void __per_cpu_offset __ksym __weak;

enum { ORDER_MAX = 10 };

const volatile __u64 vmemmap_base;
const volatile __u32 page_struct_bytes = 1;

__u32 tgid; /* whose allocations are of interest */
__u64 seen_cache, seen_delta;
struct kml_slab_walk slabs;

/*
 * What a callback of bpf_loop() changes must not begin as a constant that the verifier
 * knows: 6.1's follows one call only, takes the constant for the value in all, and removes
 * what could not happen then. A variable in a map it knows nothing of.
 */
volatile __u64 first_link; /* of the list of caches */
volatile __u64 nothing;	   /* 0 */

/* Counts of a walk; on the stack the verifier would follow each number that they reach. */
__u32 others;	  /* elements that are no cache */
__u32 free_count; /* of a CPU's free list */

/* ---- Watching own allocations --------------------------------------------- */

/* call_site, ptr, cache, gfp, node */
SEC("raw_tp/kmem_cache_alloc")
int see_cache(struct bpf_raw_tracepoint_args *ctx)
{
	if (bpf_get_current_pid_tgid() >> 32 == tgid)
		seen_cache = ctx->args[2];
	return 0;
}

/* call_site, reserved, is_atomic, size, align, base_addr, off, ptr */
SEC("raw_tp/percpu_alloc_percpu")
int see_percpu(struct bpf_raw_tracepoint_args *ctx)
{
	if (bpf_get_current_pid_tgid() >> 32 == tgid)
		seen_delta = ctx->args[5] + (__u32)ctx->args[6] - ctx->args[7];
	return 0;
}

SEC("raw_tp")
int read_rq(void *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	(void)ctx;
	slabs.rq = (__u64)BPF_CORE_READ(task, se.cfs_rq, rq);
	slabs.delta = seen_delta;
	return 0;
}

/* ---- Caches ---------------------------------------------------------------- */

/* A cache's slabs hold as many objects as it says; other memory hardly looks so. */
static __always_inline int is_cache(struct kmem_cache___walk *s)
{
	__u32 oo = BPF_CORE_READ(s, oo.x), size = BPF_CORE_READ(s, size);
	__u64 bytes = (__u64)(oo & 0xffff) * size;

	return oo >> 16 <= ORDER_MAX && bytes && BPF_CORE_READ(s, object_size) <= size &&
	       bytes <= (__u64)PAGE_BYTES << (oo >> 16);
}

struct cache_walk {
	__u64 end, from, at;
};

static long take_cache(__u32 i, struct cache_walk *w)
{
	struct kml_slab_cache *c = &slabs.of[slabs.caches & (KML_SLAB_CACHES - 1)];
	struct kmem_cache___walk *s =
		(void *)(w->at - bpf_core_field_offset(struct kmem_cache___walk, list));

	if (i && w->at == w->end)
		return 1;
	slabs.status = KML_SLABS_BUSY;
	if (w->from && word_at(w->at + LINK_BACK) != w->from)
		return 1;
	slabs.status = KML_SLABS_FULL;
	if (slabs.caches >= KML_SLAB_CACHES)
		return 1;
	slabs.status = KML_SLABS_DONE;
	if (w->at != (__u64)&slab_caches && is_cache(s)) {
		c->address = (__u64)s;
		c->size = BPF_CORE_READ(s, size);
		c->oo = BPF_CORE_READ(s, oo.x);
		c->name[0] = 0;
		bpf_probe_read_kernel_str(c->name, sizeof(c->name), BPF_CORE_READ(s, name));
		slabs.caches++;
	} else {
		others++;
	}
	w->from = w->at;
	w->at = word_at(w->at);
	return 0;
}

/* All around, from the head or from a cache that is known: there is one head. */
SEC("raw_tp")
int find_caches(void *ctx)
{
	struct cache_walk w = {};

	(void)ctx;
	first_link = (__u64)&slab_caches;
	if (!first_link && seen_cache)
		first_link = seen_cache + bpf_core_field_offset(struct kmem_cache___walk, list);
	w.end = first_link;
	w.at = first_link;
	w.from = nothing;
	slabs.caches = others = 0;
	slabs.per_cpu = &__per_cpu_offset != NULL;
	slabs.status = KML_SLABS_UNKNOWN;
	if (w.end)
		bpf_loop(KML_SLAB_CACHES + 2, take_cache, &w, 0);
	if (slabs.status == KML_SLABS_DONE && (others != 1 || w.at != w.end))
		slabs.status = KML_SLABS_UNKNOWN;
	return 0;
}

/* ---- Slabs ----------------------------------------------------------------- */

static __always_inline struct kml_slab_cache *this_cache(void)
{
	return &slabs.of[slabs.cache & (KML_SLAB_CACHES - 1)];
}

static __always_inline __u32 pfn_of(__u64 slab)
{
	return (slab - vmemmap_base) / page_struct_bytes;
}

static __always_inline __u64 counters_of(__u64 slab)
{
	return word_at(slab + bpf_core_field_offset(struct slab___walk, counters));
}

static __always_inline __u32 free_of(__u64 counters)
{
	__u32 inuse = counters & 0xffff, objects = counters >> 16 & 0x7fff;

	return objects > inuse ? objects - inuse : 0;
}

static __always_inline int is_slab_of(__u64 slab, __u64 cache)
{
	return word_at(slab + bpf_core_field_offset(struct slab___walk, slab_cache)) == cache;
}

static __always_inline int put(__u64 slab, __u32 free, __u32 list, __u32 of)
{
	struct kml_slab_one *one = &slabs.slab[slabs.n & (KML_SLABS - 1)];

	if (slabs.n >= KML_SLABS) {
		slabs.status = KML_SLABS_FULL;
		return 1;
	}
	one->pfn = pfn_of(slab);
	one->free = free;
	one->list = list;
	one->of = of;
	slabs.n++;
	return 0;
}

/* In the node's full sheaves. */
static __always_inline void add_barn(struct kml_slab_cache *c, struct kmem_cache_node *n)
{
	struct kmem_cache___walk *s = (void *)c->address;

	if (!bpf_core_field_exists(n->barn) || !c->sheaves)
		return;
	c->sheaved += (__u64)BPF_CORE_READ(n, barn, nr_full) * BPF_CORE_READ(s, sheaf_capacity);
}

struct slab_walk {
	__u64 cache, head, from, at;
	__u32 of;
};

static long take_partial(__u32 i, struct slab_walk *w)
{
	__u64 slab = w->at - bpf_core_field_offset(struct slab___walk, slab_list);
	__u64 next, counters;

	(void)i;
	if (w->at == w->head)
		return 1;
	counters = counters_of(slab);
	next = word_at(w->at);
	if (!is_slab_of(slab, w->cache) || word_at(w->at + LINK_BACK) != w->from) {
		slabs.status = KML_SLABS_BUSY;
		return 1;
	}
	if (put(slab, free_of(counters), KML_SLAB_NODE, w->of))
		return 1;
	w->from = w->at;
	w->at = next;
	return 0;
}

static long take_node(__u32 i, void *ctx)
{
	struct kml_slab_cache *c = this_cache();
	__u64 at = c->address + bpf_core_field_offset(struct kmem_cache___walk, node) + i * 8ull;
	struct kmem_cache_node *n = (void *)word_at(at);
	struct slab_walk w = {.cache = c->address, .of = i};

	(void)ctx;
	if (!n)
		return 0;
	c->slabs += BPF_CORE_READ(n, nr_slabs.counter);
	c->objects += BPF_CORE_READ(n, total_objects.counter);
	add_barn(c, n);
	w.head = w.from = (__u64)n + bpf_core_field_offset(struct kmem_cache_node, partial);
	w.at = word_at(w.head);
	bpf_loop(KML_SLABS + 1, take_partial, &w, 0);
	if (slabs.status == KML_SLABS_DONE && w.at != w.head)
		slabs.status = KML_SLABS_BUSY;
	return slabs.status != KML_SLABS_DONE;
}

struct free_walk {
	struct kmem_cache___walk *s;
	__u64 at;
};

static long count_free(__u32 i, struct free_walk *w)
{
	struct kmem_cache___walk *s = w->s;
	__u64 place = w->at + BPF_CORE_READ(s, offset);

	(void)i;
	if (!w->at)
		return 1;
	free_count++;
	w->at = word_at(place);
	if (bpf_core_field_exists(s->random))
		w->at ^= BPF_CORE_READ(s, random) ^ __builtin_bswap64(place);
	return 0;
}

static long take_cpu_partial(__u32 i, struct slab_walk *w)
{
	(void)i;
	if (!w->at)
		return 1;
	if (!is_slab_of(w->at, w->cache)) {
		slabs.status = KML_SLABS_BUSY;
		return 1;
	}
	if (put(w->at, free_of(counters_of(w->at)), KML_SLAB_CPU_PARTIAL, w->of))
		return 1;
	w->at = word_at(w->at + bpf_core_field_offset(struct slab___walk, next));
	return 0;
}

/* Of the CPU's slab all objects are in use, but those on the CPU's own free list. */
static __always_inline void take_cpu_slab(struct kml_slab_cache *c, struct kmem_cache_cpu *cpu,
					  __u32 i)
{
	__u64 slab = (__u64)BPF_CORE_READ(cpu, slab);
	struct free_walk f = {(void *)c->address, (__u64)BPF_CORE_READ(cpu, freelist)};
	__u64 counters = counters_of(slab);

	if (!slab)
		return;
	if (!is_slab_of(slab, c->address)) {
		slabs.status = KML_SLABS_CPUS_BAD;
		return;
	}
	free_count = 0;
	bpf_loop(counters >> 16 & 0x7fff, count_free, &f, 0);
	if (f.at)
		slabs.status = KML_SLABS_BUSY; /* it was cut through by an allocation */
	else
		put(slab, free_of(counters) + free_count, KML_SLAB_CPU, i);
}

static __always_inline void add_sheaf(struct kml_slab_cache *c, struct slab_sheaf *sheaf)
{
	if (!sheaf)
		return;
	if ((__u64)BPF_CORE_READ(sheaf, cache) == c->address)
		c->sheaved += BPF_CORE_READ(sheaf, size);
	else
		slabs.status = KML_SLABS_CPUS_BAD;
}

/* In the sheaves of the CPU whose copies lie at @offset. */
static __always_inline void add_sheaves(struct kml_slab_cache *c, __u64 offset)
{
	struct kmem_cache___walk *s = (void *)c->address;
	struct slub_percpu_sheaves *own;

	if (!bpf_core_field_exists(s->cpu_sheaves))
		return;
	own = (void *)((__u64)BPF_CORE_READ(s, cpu_sheaves) + offset);
	add_sheaf(c, BPF_CORE_READ(own, main));
	add_sheaf(c, BPF_CORE_READ(own, spare));
	add_sheaf(c, BPF_CORE_READ(own, rcu_free));
}

static long take_cpu(__u32 i, void *ctx)
{
	struct kml_slab_cache *c = this_cache();
	struct kmem_cache___walk *s = (void *)c->address;
	struct kmem_cache_cpu *cpu;
	struct slab_walk w = {.cache = c->address, .of = i};
	__u64 offset;

	(void)ctx;
	if (i >= KML_SLAB_CPUS)
		return 1;
	offset = &__per_cpu_offset ? word_at((__u64)&__per_cpu_offset + i * 8ull) : slabs.offset[i];
	if (!offset)
		return 0;
	if (c->sheaves)
		add_sheaves(c, offset);
	if (!bpf_core_type_exists(struct kmem_cache_cpu))
		return slabs.status != KML_SLABS_DONE;
	cpu = (void *)((__u64)BPF_CORE_READ(s, cpu_slab) + offset);
	take_cpu_slab(c, cpu, i);
	if (slabs.status != KML_SLABS_DONE || !bpf_core_field_exists(cpu->partial))
		return slabs.status != KML_SLABS_DONE;
	w.at = (__u64)BPF_CORE_READ(cpu, partial);
	bpf_loop(KML_SLABS, take_cpu_partial, &w, 0);
	return slabs.status != KML_SLABS_DONE;
}

SEC("raw_tp")
int read_cache(void *ctx)
{
	struct kml_slab_cache *c = this_cache();
	struct kmem_cache___walk *s = (void *)c->address;
	__u32 before = slabs.n;

	(void)ctx;
	slabs.status = KML_SLABS_DONE;
	slabs.time_ns = bpf_ktime_get_boot_ns();
	c->slabs = c->objects = c->sheaved = c->sheaves = 0;
	if (slabs.per_cpu && bpf_core_field_exists(s->cpu_sheaves))
		c->sheaves = BPF_CORE_READ(s, cpu_sheaves) != NULL;
	if (slabs.per_cpu)
		bpf_loop(slabs.cpus, take_cpu, NULL, 0);
	if (slabs.status == KML_SLABS_DONE)
		bpf_loop(slabs.nodes, take_node, NULL, 0);
	if (slabs.status != KML_SLABS_DONE)
		slabs.n = before;
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
