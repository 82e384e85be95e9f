/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * filter.bpf.h - which events are recorded. `filter` is constant when programs
 * are loaded, so the verifier removes what is not asked for: no filter, no cost.
 *
 *   allocation   its task (looked at when the CPU's task changes), then its slot
 *                (when the slot is defined), then it enters `owned`
 *   free         recorded if it was in `owned`, where it is taken out: exactly the
 *                frees of what was recorded, whoever frees
 *   other        of the task's own doing (fallbacks, refills, pressure): as its task
 *
 * `owned` is a set of addresses in buckets of one cache line. Where a bucket is
 * full the allocation is left out and counted, so that no free goes missing.
 *
 * Sampling needs no memory: a hash of the address decides, so an allocation and
 * its free go together.
 */
#ifndef KMEMLAB_FILTER_BPF_H
#define KMEMLAB_FILTER_BPF_H

#include <kmemlab/filter.h>

const volatile struct kml_filter filter __weak = {};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* possible CPUs, set before loading where needed */
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct kml_filter_state));
} filter_states SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1); /* KML_OWNED_BUCKETS where needed */
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct kml_owned));
} owned SEC(".maps") __weak;

enum role {
	ROLE_OTHER, /* belongs to no task's allocation: left out by any filter */
	ROLE_ALLOC,
	ROLE_FREE,
	ROLE_TASK,
};

/* @kind is a constant where this is inlined. */
static __always_inline enum role role_of(__u32 kind)
{
	switch (kind) {
	case KMT_PAGE_ALLOC:
	case KMT_KMALLOC:
	case KMT_CACHE_ALLOC:
	case KMT_STACK_PAGE:
	case KMT_BULK_PAGE:
	case KMT_CONTIG_ALLOC:
	case KMT_CACHE_BULK_ALLOC:
	case KMT_PERCPU_ALLOC:
	case KMT_VMALLOC_ALLOC:
		return ROLE_ALLOC;
	case KMT_PAGE_FREE:
	case KMT_KFREE:
	case KMT_CACHE_FREE:
	case KMT_CACHE_BULK_FREE:
	case KMT_PERCPU_FREE:
	case KMT_VMALLOC_FREE:
		return ROLE_FREE;
	case KMT_ZONE_LOCKED:
	case KMT_EXTFRAG:
		return ROLE_TASK;
	default:
		return kind >= KMT_RECLAIM_BEGIN ? ROLE_TASK : ROLE_OTHER;
	}
}

static __always_inline __u64 mix(__u64 address)
{
	return (address * 0x9e3779b97f4a7c15) >> 40;
}

/* Page lists' refills and drains go with their pages; what is rare is all kept. */
static __always_inline int sampled_out(const struct kml_ring *r, __u32 kind, __u64 address)
{
	enum role role = role_of(kind);

	if (role != ROLE_ALLOC && role != ROLE_FREE && kind > KMT_PCPU_DRAIN)
		return 0;
	return address && (mix(address) & r->sample_mask);
}

static __always_inline struct kml_filter_state *this_state(void)
{
	__u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&filter_states, &cpu);
}

static __noinline int task_matches(__u64 pid_tgid)
{
	__u32 pid = pid_tgid, tgid = pid_tgid >> 32, found = !filter.pids;
	__u64 comm[2] = {};

	for (__u32 i = 0; i < KML_FILTER_PIDS; i++)
		if (i < filter.pids && (filter.pid[i] == pid || filter.pid[i] == tgid))
			found = 1;
	if (!found)
		return 0;
	if (filter.by_comm) {
		bpf_get_current_comm(comm, sizeof(comm));
		if (comm[0] != filter.comm[0] || comm[1] != filter.comm[1])
			return 0;
	}
	return !filter.cgroup_level ||
	       bpf_get_current_ancestor_cgroup_id(filter.cgroup_level) == filter.cgroup_id;
}

static __always_inline int task_wanted(struct kml_filter_state *s)
{
	__u64 pid_tgid;

	if (!filter.by_task)
		return 1;
	pid_tgid = bpf_get_current_pid_tgid();
	if (s->checked_pid != (__u32)pid_tgid + 1ull) {
		s->task_ok = task_matches(pid_tgid);
		s->checked_pid = (__u32)pid_tgid + 1ull;
	}
	return s->task_ok;
}

static __noinline int cache_matches(__u64 address)
{
	struct kmem_cache *cache = (void *)address;
	char name[KML_FILTER_NAME_BYTES] = {};

	if (!address)
		return 0;
	bpf_probe_read_kernel_str(name, sizeof(name), BPF_CORE_READ(cache, name));
	for (__u32 i = 0; i < KML_FILTER_NAME_BYTES; i++)
		if (i < filter.cache_bytes && name[i] != filter.cache[i])
			return 0;
	return 1;
}

static __always_inline int in_sites(__u64 address)
{
	for (__u32 i = 0; i < KML_FILTER_SITES; i++)
		if (i < filter.sites && address >= filter.site[i].from &&
		    address < filter.site[i].to)
			return 1;
	return 0;
}

/* Of which kinds a criterion can be met at all; what lacks it does not meet it. */
static __always_inline int has_order(__u32 kind)
{
	return kind == KMT_PAGE_ALLOC || kind == KMT_ZONE_LOCKED || kind == KMT_EXTFRAG ||
	       kind == KMT_STACK_PAGE || kind == KMT_BULK_PAGE;
}

static __always_inline int has_cache(__u32 kind)
{
	return kind == KMT_KMALLOC || kind == KMT_CACHE_ALLOC || kind == KMT_CACHE_BULK_ALLOC;
}

static __always_inline int has_site(__u32 kind)
{
	return kind == KMT_KMALLOC || kind == KMT_CACHE_ALLOC || kind == KMT_PERCPU_ALLOC;
}

static __noinline int slot_matches(__u32 kind, const struct kml_slot *s)
{
	struct kmem_cache *cache;
	__u32 size;

	if (!s)
		return 0;
	cache = (void *)s->word[kind == KMT_KMALLOC ? 3 : 2];
	size = has_cache(kind) && kind != KMT_KMALLOC ? BPF_CORE_READ(cache, object_size)
						      : (__u32)s->word[2];
	if (filter.by_order && (!has_order(kind) || (s->word[0] & 0xff) < filter.order_min ||
				(s->word[0] & 0xff) > filter.order_max))
		return 0;
	if (filter.by_size && ((!has_cache(kind) && kind != KMT_PERCPU_ALLOC) ||
			       size < filter.size_min || size > filter.size_max))
		return 0;
	if (filter.by_cache && (!has_cache(kind) || !cache_matches((__u64)cache)))
		return 0;
	return !filter.sites || (has_site(kind) && in_sites(s->word[1]));
}

static __always_inline struct kml_owned *bucket_of(__u64 address)
{
	__u32 i = mix(address) & (KML_OWNED_BUCKETS - 1);

	return bpf_map_lookup_elem(&owned, &i);
}

static __noinline int own(__u64 address)
{
	struct kml_owned *b = bucket_of(address);

	if (!b)
		return 0;
	/* One that ended unseen is there still: never twice, or its second place stays taken. */
	for (__u32 i = 0; i < KML_OWNED_WAYS; i++)
		if (b->address[i] == address)
			return 1;
	for (__u32 i = 0; i < KML_OWNED_WAYS; i++)
		if (!b->address[i] && !__sync_val_compare_and_swap(&b->address[i], 0, address))
			return 1;
	return 0;
}

static __noinline int disown(__u64 address)
{
	struct kml_owned *b = bucket_of(address);

	if (!b)
		return 0;
	for (__u32 i = 0; i < KML_OWNED_WAYS; i++) {
		if (b->address[i] == address) {
			b->address[i] = 0;
			return 1;
		}
	}
	return 0;
}

/* Before the slot is known. */
static __always_inline int wanted_early(const struct kml_ring *r, __u32 kind, __u64 address)
{
	struct kml_filter_state *s;

	/* What is owned was recorded, at whatever rate that was. */
	if (filter.on && role_of(kind) == ROLE_FREE)
		return disown(address);
	if (filter.sampling && sampled_out(r, kind, address))
		return 0;
	if (!filter.on)
		return 1;
	if (role_of(kind) == ROLE_OTHER)
		return 0;
	s = this_state();
	return s && task_wanted(s);
}

/* Of a slot that has been defined. */
static __always_inline int wanted_slot(__u32 kind, __u32 slot, __u64 address)
{
	struct kml_filter_state *s;
	__u32 at = kml_slot_base(kind) + slot;

	if (!filter.on || role_of(kind) == ROLE_FREE)
		return 1;
	s = this_state();
	if (!s || at >= KML_ALL_SLOTS)
		return 0;
	if (filter.by_slot && kind < KMT_RECLAIM_BEGIN && !s->wanted[at])
		return 0;
	if (role_of(kind) != ROLE_ALLOC || !address || own(address))
		return 1;
	s->untracked++;
	return 0;
}

/* When @slot has been defined. */
static __always_inline void judge_slot(__u32 kind, __u32 at, const struct kml_slot *slot)
{
	struct kml_filter_state *s;

	if (!filter.by_slot)
		return;
	s = this_state();
	if (s && at < KML_ALL_SLOTS)
		s->wanted[at] = slot_matches(kind, slot);
}

#endif
