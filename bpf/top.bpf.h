/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * top.bpf.h - sums per source and per command, and sampled lives. See
 * kmemlab/top.h for the layout.
 *
 * No locks: a table belongs to one program, which the kernel does not nest on one
 * CPU, and any CPU may end a life, by atomic adds. An address enters `lives` before
 * its allocation returns and leaves before its free begins, so nobody else has it.
 */
#ifndef KMEMLAB_TOP_BPF_H
#define KMEMLAB_TOP_BPF_H

#include "kernel.bpf.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <kmemlab/top.h>
#include "object.bpf.h"

/* Set before loading. */
const volatile __u64 sample_mask __weak = 0; /* one in sample_mask + 1 addresses */
const volatile __u32 buckets __weak = 1;     /* of lives, a power of two */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* possible CPUs, set before loading */
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct kml_top_cpu));
} cpus SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1); /* `buckets` */
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct kml_top_bucket));
} lives SEC(".maps") __weak;

static __always_inline struct kml_top_cpu *this_cpu(void)
{
	__u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&cpus, &cpu);
}

/* ---- Slots ---------------------------------------------------------------- */

/* Where a table's slots lie; constants, folded where this is inlined. */
struct range {
	__u32 base, slots; /* a power of two; entries of the index are twice as many */
	__u32 *used;	   /* slots but for 0 */
};

/*
 * The slot of @key, relative to @r; one that was free is taken, and *new is set.
 * 0: there is no place.
 */
static __always_inline __u32 intern(struct kml_top_cpu *t, const struct range *r, const __u64 *key,
				    int *new)
{
	__u32 hash = (key[0] * 0x9e3779b97f4a7c15 ^ key[1] * 0xc2b2ae3d27d4eb4f) >> 40;

	for (__u32 i = 0; i < KML_TOP_PROBES; i++) {
		__u32 at = 2 * r->base + ((hash + i) & (2 * r->slots - 1));
		__u32 n = t->index[at] & (r->slots - 1);
		struct kml_top_slot *s = &t->slot[r->base + n];

		if (!n && *r->used < r->slots - 1) {
			n = *r->used + 1;
			s = &t->slot[r->base + (n & (r->slots - 1))];
			s->key[0] = key[0];
			s->key[1] = key[1];
			t->index[at] = n;
			*new = 1;
			return n & (r->slots - 1);
		}
		if (!n)
			return 0;
		if (s->key[0] == key[0] && s->key[1] == key[1])
			return n;
	}
	return 0;
}

/* The slot of the running command: looked for when the task changes. */
static __always_inline __u32 command_of(struct kml_top_cpu *t, __u32 table)
{
	struct kml_top_state *state = &t->state[table];
	const struct range r = {table * KML_TOP_COMMANDS, KML_TOP_COMMANDS, &state->commands};
	__u64 pid = (__u32)bpf_get_current_pid_tgid() + 1ull, comm[2] = {};
	int new = 0;

	if (state->last_pid == pid)
		return r.base + (state->command & (KML_TOP_COMMANDS - 1));
	bpf_get_current_comm(comm, sizeof(comm));
	state->command = intern(t, &r, comm, &new);
	if (new)
		state->commands++;
	state->last_pid = pid;
	return r.base + (state->command & (KML_TOP_COMMANDS - 1));
}

/* ---- Lives ---------------------------------------------------------------- */

static __always_inline __u32 mix(__u64 address)
{
	return (address * 0x9e3779b97f4a7c15) >> 32;
}

static __always_inline int sampled(__u64 address)
{
	return !(mix(address) & sample_mask);
}

static __always_inline struct kml_top_bucket *bucket_of(__u64 address)
{
	__u32 i = (mix(address) >> 11) & (buckets - 1);

	return bpf_map_lookup_elem(&lives, &i);
}

static __always_inline void end_life(const struct kml_top_life *life)
{
	__u32 cpu = life->cpu, source = life->source, command = life->command;
	struct kml_top_cpu *t = bpf_map_lookup_elem(&cpus, &cpu);

	if (!t || source >= KML_TOP_SLOTS || command >= KML_TOP_SLOTS)
		return;
	__sync_fetch_and_add(&t->slot[source].ended, 1);
	__sync_fetch_and_add(&t->slot[source].ended_bytes, life->bytes);
	__sync_fetch_and_add(&t->slot[command].ended, 1);
	__sync_fetch_and_add(&t->slot[command].ended_bytes, life->bytes);
}

/* Take @address out of the sample, where it is in it. Return: it was */
static __noinline int untrack(__u64 address)
{
	struct kml_top_bucket *b = bucket_of(address);

	if (!b)
		return 0;
	for (__u32 i = 0; i < KML_TOP_WAYS; i++) {
		struct kml_top_life life;

		if (b->life[i].address != address)
			continue;
		life = b->life[i];
		b->life[i].address = 0;
		end_life(&life);
		return 1;
	}
	return 0;
}

/* Put @life, whose address is in no bucket, into its bucket. Return: there was a place */
static __noinline int track(const struct kml_top_life *life)
{
	struct kml_top_bucket *b;

	if (!life)
		return 0;
	b = bucket_of(life->address);
	if (!b)
		return 0;
	for (__u32 i = 0; i < KML_TOP_WAYS; i++) {
		struct kml_top_life *l = &b->life[i];

		/* 1 is no address: the place is taken, and nothing in it matches. */
		if (l->address || __sync_val_compare_and_swap(&l->address, 0, 1))
			continue;
		l->bytes = life->bytes;
		l->source = life->source;
		l->command = life->command;
		l->cpu = life->cpu;
		*(volatile __u64 *)&l->address = life->address;
		return 1;
	}
	return 0;
}

/* ---- Allocations and frees ------------------------------------------------- */

struct allocation {
	__u64 address, req, given;
	__u32 source, command; /* slots, absolute */
};

static __always_inline void add(struct kml_top_slot *s, const struct allocation *a)
{
	s->events++;
	s->req += a->req;
	s->given += a->given;
}

static __always_inline void begin_life(struct kml_top_cpu *t, const struct allocation *a)
{
	struct kml_top_life life = {
		.address = a->address,
		.bytes = a->given,
		.source = a->source,
		.command = a->command,
		.cpu = bpf_get_smp_processor_id(),
	};

	if (untrack(a->address))
		__sync_fetch_and_add(&t->replaced, 1);
	if (!track(&life)) {
		__sync_fetch_and_add(&t->untracked, 1);
		return;
	}
	t->slot[a->source].begun++;
	t->slot[a->source].begun_bytes += a->given;
	t->slot[a->command].begun++;
	t->slot[a->command].begun_bytes += a->given;
}

/* Count @a, whose slots are below KML_TOP_SLOTS. */
static __always_inline void count(struct kml_top_cpu *t, const struct allocation *a)
{
	if (a->source >= KML_TOP_SLOTS || a->command >= KML_TOP_SLOTS)
		return;
	add(&t->slot[a->source], a);
	add(&t->slot[a->command], a);
	if (sampled(a->address))
		begin_life(t, a);
}

static __always_inline void ends(__u64 address)
{
	if (sampled(address))
		untrack(address);
}

#endif
