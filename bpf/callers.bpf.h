/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * callers.bpf.h - kernel stacks of allocations, where they are asked for.
 *
 * An event with another stack is an event of another slot: the stack's number, a
 * hash of all its frames, is one more key. Its frames go into the ring when a
 * CPU first has a slot with it, so a stack costs its walk and its hash, 8 bytes
 * beside the slot and nothing in the event. Not asked for, the verifier removes
 * all of this.
 */
#ifndef KMEMLAB_CALLERS_BPF_H
#define KMEMLAB_CALLERS_BPF_H

const volatile __u32 take_stacks __weak = 0; /* set before loading */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1); /* possible CPUs, set before loading where needed */
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct kml_stack_state));
} stack_states SEC(".maps") __weak;

static __always_inline struct kml_stack_state *this_stacks(void)
{
	__u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&stack_states, &cpu);
}

/* The number of the stack that @ctx was called on; 0: there is none to be had. */
static __noinline __u64 take_stack(void *ctx, __u32 kind)
{
	struct kml_stack_state *s = this_stacks();
	__u64 hash = 0;
	long bytes;

	if (!s || kind >= KML_KINDS)
		return 0;
	bytes = bpf_get_stack(ctx, s->frame[kind], sizeof(s->frame[kind]), 0);
	if (bytes <= 0) {
		s->failed++;
		return 0;
	}
	s->taken++;
	s->frames[kind] = (__u64)bytes / 8;
	for (__u32 i = 0; i < KML_STACK_FRAMES; i++) {
		if (i >= s->frames[kind])
			break;
		hash = (hash ^ s->frame[kind][i]) * 0x9e3779b97f4a7c15;
		hash ^= hash >> 29;
	}
	return hash | 1;
}

/* Do events of @kind have stacks here? @kind is a constant where this is inlined: what
 * frees pays nothing, not the load of a constant of this object. */
static __always_inline int has_stacks(__u32 kind)
{
	return (role_of(kind) == ROLE_ALLOC || kind == KMT_EXTFRAG || kind >= KMT_RECLAIM_BEGIN) &&
	       take_stacks;
}

/* Is it what this slot's last definition had? */
static __always_inline int same_stack(__u32 at, __u64 stack)
{
	struct kml_stack_state *s = this_stacks();

	return s && at < KML_ALL_SLOTS && s->slot_stack[at] == stack;
}

#endif
