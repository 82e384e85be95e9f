/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ring.bpf.h - the hot path that all probes share: count, intern, reserve,
 * commit. See kmemlab/event.h for the layout and for why no locks are needed.
 *
 * Everything an event touches on its way lies in one array element per CPU, so
 * there is one (inlined) map lookup per event. The clock is read after the cell
 * is reserved: when a reader finds a ring empty at time T, every later event of
 * that ring has a time after T.
 */
#ifndef KMEMLAB_RING_BPF_H
#define KMEMLAB_RING_BPF_H

#include "kernel.bpf.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <kmemlab/event.h>
#include "filter.bpf.h"
#include "object.bpf.h"
#include "callers.bpf.h"

/* Set before loading. In one place, so that one address leads to all that an event needs. */
const volatile struct kml_shape ring_shape __weak = {};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* possible CPUs, set before loading */
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct kml_ring)); /* cells are added before loading */
} rings SEC(".maps") __weak;

static __always_inline struct kml_ring *this_ring(void)
{
	__u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&rings, &cpu);
}

/* Reserve a cell; *word0 gets the lap that commits it. */
static __always_inline struct kml_cell *reserve(struct kml_ring *r, __u64 *word0)
{
	__u64 pos = __sync_fetch_and_add(&r->head, KML_CELL_BYTES);

	*word0 = ((pos >> ring_shape.shift) + 1) & KML_LAP_MASK;
	return (void *)r->cell + (pos & ring_shape.mask);
}

static __always_inline void commit(struct kml_cell *c, __u64 word0, __u64 word1)
{
	*(volatile __u64 *)&c->word1 = word1;
	*(volatile __u64 *)&c->word0 = word0;
}

/* Word @index of the definition of @slot. */
static __always_inline void put_word(struct kml_ring *r, __u32 kind, __u32 slot, __u64 index,
				     __u64 word)
{
	__u64 word0;
	struct kml_cell *c = reserve(r, &word0);

	word0 |= KML_DEF_BIT | kind << KML_KIND_SHIFT | slot << KML_SLOT_SHIFT;
	commit(c, word0 | index << KML_TIME_SHIFT, word);
}

/* @owner's cells may interleave with another kind's, so the slot says whose they are. */
static __noinline int define_cache(struct kml_ring *r, __u32 owner, __u64 cache)
{
	struct kmem_cache *s = (void *)cache;
	__u64 name[KML_NAME_WORDS - 2] = {};
	__u64 sizes;

	if (!r)
		return 0;
	bpf_probe_read_kernel_str(name, sizeof(name), BPF_CORE_READ(s, name));
	sizes = BPF_CORE_READ(s, object_size) | (__u64)BPF_CORE_READ(s, size) << 32;
	put_word(r, KML_CACHE_NAME, owner, 0, cache);
	put_word(r, KML_CACHE_NAME, owner, 1, sizes);
	for (int i = 0; i < KML_NAME_WORDS - 2; i++)
		put_word(r, KML_CACHE_NAME, owner, i + 2, name[i]);
	return 0;
}

static __noinline int define_task(struct kml_ring *r, __u64 pid_tgid)
{
	__u64 comm[2] = {};

	if (!r)
		return 0;
	bpf_get_current_comm(comm, sizeof(comm));
	put_word(r, KML_TASK, 0, 0, pid_tgid);
	put_word(r, KML_TASK, 0, 1, comm[0]);
	put_word(r, KML_TASK, 0, 2, comm[1]);
	r->last_pid = (__u32)pid_tgid + 1ull;
	return 0;
}

/* Frames first, if this ring has not told them lately, then that the slot has them. */
static __noinline int define_stack(struct kml_ring *r, __u32 kind, __u32 slot, __u64 stack)
{
	struct kml_stack_state *s = this_stacks();
	__u32 at = kml_slot_base(kind) + slot;
	__u64 *known;

	if (!r || !s || at >= KML_ALL_SLOTS || kind >= KML_KINDS)
		return 0;
	s->slot_stack[at] = stack;
	if (!stack)
		return 0;
	known = &s->known[stack >> (64 - KML_SLOT_BITS)];
	if (*known != stack) {
		*known = stack;
		put_word(r, KML_STACK, kind, 0, stack);
		put_word(r, KML_STACK, kind, 1, s->frames[kind]);
		for (__u32 i = 0; i < KML_STACK_FRAMES; i++) {
			if (i >= s->frames[kind])
				break;
			put_word(r, KML_STACK, kind, 2 + i, s->frame[kind][i]);
		}
	}
	put_word(r, kind, slot, KML_DEF_WORDS, stack);
	return 0;
}

static __noinline int define_slot(struct kml_ring *r, __u32 kind, __u32 slot, __u64 address)
{
	struct kml_slot *s;
	__u64 cache = 0;
	__u32 at;

	if (!r || !kml_has_slots(kind))
		return 0;
	at = kml_slot_base(kind) + slot;
	if (at >= KML_ALL_SLOTS)
		return 0;
	s = &r->slot[at];
	if (kind == KML_KMALLOC)
		cache = s->word[3] = cache_of(address, s->word[2] >> 32);
	else if (kind == KML_CACHE_ALLOC || kind == KML_CACHE_FREE ||
		 (kind >= KMT_CACHE_BULK_ALLOC && kind <= KMT_CACHE_DESTROY))
		cache = s->word[2];
	judge_slot(kind, at, s);
	if (cache)
		define_cache(r, kind, cache);
	for (int i = 0; i < KML_DEF_WORDS; i++)
		put_word(r, kind, slot, i, s->word[i]);
	return 0;
}

/* One event on its way into the ring. */
struct event {
	__u32 kind;
	__u32 keys;    /* how many of the words tell slots apart: 1 to 3 */
	__u64 word[3]; /* of its slot's definition; those not set are 0 */
	__u64 address;
	void *caller; /* the program's context, if its stack is of interest */
	__u64 stack;  /* its number */
	int stacked;  /* are stacks taken? looked up once */
};

static __always_inline int same_caller(__u32 at, const struct event *e)
{
	return !e->stacked || same_stack(at, e->stack);
}

/* No loops: @keys is a constant where this is inlined, and so all folds. */
static __always_inline int same_slot(const struct kml_slot *s, const struct event *e)
{
	return s->word[0] == e->word[0] && (e->keys < 2 || s->word[1] == e->word[1]) &&
	       (e->keys < 3 || s->word[2] == e->word[2]);
}

static __always_inline __u32 hash_of(const struct event *e)
{
	__u64 hash = e->word[0] * 0x9e3779b97f4a7c15;

	if (e->keys > 1)
		hash ^= e->word[1] * 0xc2b2ae3d27d4eb4f;
	if (e->keys > 2)
		hash ^= e->word[2] * 0x165667b19e3779f9;
	if (e->stacked)
		hash ^= e->stack * 0x27d4eb2f165667c5;
	return hash >> (64 - kml_slot_bits(e->kind));
}

/*
 * The slot that stands for @e's words, defined anew if it is not there. Two
 * places are tried, so that two hot definitions with one hash do not evict each
 * other.
 */
static __always_inline __u32 intern(struct kml_ring *r, const struct event *e)
{
	__u32 slot = hash_of(e), base = kml_slot_base(e->kind);
	struct kml_slot *table = &r->slot[base], *s = &table[slot];

	if (same_slot(s, e) && same_caller(base + slot, e))
		return slot;
	if (s->word[0]) {
		slot ^= 1;
		s = &table[slot];
		if (same_slot(s, e) && same_caller(base + slot, e))
			return slot;
	}
	s->word[0] = e->word[0];
	s->word[1] = e->word[1];
	s->word[2] = e->word[2];
	if (e->stacked)
		define_stack(r, e->kind, slot, e->stack);
	define_slot(r, e->kind, slot, e->address);
	return slot;
}

/*
 * emit() - record an event. Every caller is the only program of its kind, which
 * the kernel does not nest on one CPU.
 */
static __always_inline void emit(struct kml_ring *r, struct event *e)
{
	__u32 select = ring_shape.select;
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	struct kml_cell *c;
	__u64 word0;
	__u32 slot;

	if (select && !wanted_early(r, e->kind, e->address)) {
		r->count[e->kind].filtered++;
		return;
	}
	if (r->head > *(volatile __u64 *)&r->limit) {
		r->count[e->kind].lost_ring++;
		return;
	}
	e->stacked = select && has_stacks(e->kind);
	if (e->stacked && e->caller)
		e->stack = take_stack(e->caller, e->kind);
	slot = intern(r, e);
	if (select && !wanted_slot(e->kind, slot, e->address)) {
		r->count[e->kind].filtered++;
		return;
	}
	if (r->last_pid != (__u32)pid_tgid + 1ull)
		define_task(r, pid_tgid);
	c = reserve(r, &word0);
	word0 |= e->kind << KML_KIND_SHIFT | slot << KML_SLOT_SHIFT;
	commit(c, word0 | bpf_ktime_get_boot_ns() << KML_TIME_SHIFT, e->address);
}

static __always_inline int record_in(struct kml_ring *r, struct event *e)
{
	r->count[e->kind].fired++;
	emit(r, e);
	return 0;
}

/* Count and record an event of this CPU: all that most probes do. */
static __always_inline int record(struct event *e)
{
	struct kml_ring *r = this_ring();

	return r ? record_in(r, e) : 0;
}

#endif
