// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * top_sums.bpf.c - what is allocated and freed, as sums per source and command.
 * Raw tracepoints, with the arguments that page.bpf.c and slab.bpf.c read.
 */
#include "top.bpf.h"
#include "top_failure.bpf.h"

enum {
	ZERO_SIZE_PTR = 16, /* what kmalloc(0) returns */
	PAGE_BYTES = 1 << PAGE_SHIFT,
};

SEC("raw_tp/mm_page_alloc")
int top_page_alloc(struct bpf_raw_tracepoint_args *ctx)
{
	__u64 order = ctx->args[1] & 0xff, type = ctx->args[3] & 0xff;
	__u64 key[2] = {order | type << 8};
	struct kml_top_cpu *t = this_cpu();
	struct kml_top_state *state;
	struct allocation a = {.address = ctx->args[0]};
	int new = 0;

	if (!t)
		return 0;
	state = &t->state[KML_TOP_PAGES];
	if (!a.address) {
		state->failed++;
		top_failure(order);
		return 0;
	}
	const struct range r = {KML_TOP_PAGE_BASE, KML_TOP_PAGE_SLOTS, &state->sources};

	a.source = KML_TOP_PAGE_BASE + intern(t, &r, key, &new);
	if (new)
		state->sources++;
	a.command = command_of(t, KML_TOP_PAGES);
	a.req = a.given = (__u64)PAGE_BYTES << (order & 31);
	count(t, &a);
	return 0;
}

SEC("raw_tp/mm_page_free")
int top_page_free(struct bpf_raw_tracepoint_args *ctx)
{
	__u32 order = ctx->args[1];
	struct kml_top_cpu *t = this_cpu();

	if (!t)
		return 0;
	if (order >= KML_TOP_ORDERS)
		order = KML_TOP_ORDERS - 1;
	t->page_free[order]++;
	ends(ctx->args[0]);
	return 0;
}

static __noinline int name_cache(struct kml_top_slot *s, __u64 cache)
{
	struct kmem_cache *c = (void *)cache;

	if (!s || !cache)
		return 0;
	bpf_probe_read_kernel_str(s->name, sizeof(s->name), BPF_CORE_READ(c, name));
	s->unit = BPF_CORE_READ(c, object_size) | (__u64)BPF_CORE_READ(c, size) << 32;
	return 0;
}

/* Take the last large kmalloc back, whose second event this is. */
static __always_inline void take_back(struct kml_top_cpu *t, const struct kml_top_state *state,
				      const struct allocation *a)
{
	struct kml_top_slot *source, *command;

	if (state->last_source >= KML_TOP_SLOTS || state->last_command >= KML_TOP_SLOTS)
		return;
	source = &t->slot[state->last_source];
	command = &t->slot[state->last_command];
	untrack(a->address);
	source->events--;
	command->events--;
	source->req -= a->req;
	command->req -= a->req;
	source->given -= a->given;
	command->given -= a->given;
}

/*
 * A size too large for any cache is traced twice by many kernels: inside, then by
 * the caller, whose call site is the right one.
 */
static __always_inline void large(struct kml_top_cpu *t, const struct allocation *a)
{
	struct kml_top_state *state = &t->state[KML_TOP_KMALLOC];

	if (state->last == a->address && state->last_bytes == a->given) {
		take_back(t, state, a);
		state->twice++;
		state->last = 0;
		return;
	}
	state->last = a->address;
	state->last_bytes = a->given;
	state->last_source = a->source;
	state->last_command = a->command;
}

SEC("raw_tp/kmalloc")
int top_kmalloc(struct bpf_raw_tracepoint_args *ctx)
{
	__u64 key[2] = {ctx->args[0], (__u32)ctx->args[3] | ctx->args[4] << 32};
	struct allocation a = {.address = ctx->args[1], .req = ctx->args[2], .given = ctx->args[3]};
	struct kml_top_cpu *t = this_cpu();
	struct kml_top_state *state;
	__u32 slot;
	int new = 0;

	if (!t)
		return 0;
	state = &t->state[KML_TOP_KMALLOC];
	if (!a.address) {
		state->failed++;
		return 0;
	}
	const struct range r = {KML_TOP_KMALLOC_BASE, KML_TOP_OBJECT_SLOTS, &state->sources};

	slot = intern(t, &r, key, &new) & (KML_TOP_OBJECT_SLOTS - 1);
	if (new) {
		name_cache(&t->slot[KML_TOP_KMALLOC_BASE + slot], cache_of(a.address, a.given));
		state->sources++;
	}
	a.source = KML_TOP_KMALLOC_BASE + slot;
	a.command = command_of(t, KML_TOP_KMALLOC);
	if (a.given > KMALLOC_MAX_CACHE_BYTES)
		large(t, &a);
	count(t, &a);
	return 0;
}

/* kfree(NULL) is common and does nothing. */
SEC("raw_tp/kfree")
int top_kfree(struct bpf_raw_tracepoint_args *ctx)
{
	struct kml_top_cpu *t = this_cpu();

	if (!t)
		return 0;
	if (ctx->args[1] <= ZERO_SIZE_PTR) {
		t->kfree_null++;
		return 0;
	}
	t->kfree++;
	ends(ctx->args[1]);
	return 0;
}

SEC("raw_tp/kmem_cache_alloc")
int top_cache_alloc(struct bpf_raw_tracepoint_args *ctx)
{
	__u64 key[2] = {ctx->args[0], ctx->args[2]}, unit;
	struct allocation a = {.address = ctx->args[1]};
	struct kmem_cache *cache = (void *)ctx->args[2];
	struct kml_top_cpu *t = this_cpu();
	struct kml_top_state *state;
	__u32 slot;
	int new = 0;

	if (!t)
		return 0;
	state = &t->state[KML_TOP_CACHE];
	if (!a.address) {
		state->failed++;
		return 0;
	}
	const struct range r = {KML_TOP_CACHE_BASE, KML_TOP_OBJECT_SLOTS, &state->sources};

	slot = intern(t, &r, key, &new) & (KML_TOP_OBJECT_SLOTS - 1);
	if (new) {
		name_cache(&t->slot[KML_TOP_CACHE_BASE + slot], (__u64)cache);
		state->sources++;
	}
	/* Slot 0 is of many caches. */
	unit = t->slot[KML_TOP_CACHE_BASE + slot].unit;
	if (!slot)
		unit = BPF_CORE_READ(cache, object_size) | (__u64)BPF_CORE_READ(cache, size) << 32;
	a.req = (__u32)unit;
	a.given = unit >> 32;
	a.source = KML_TOP_CACHE_BASE + slot;
	a.command = command_of(t, KML_TOP_CACHE);
	count(t, &a);
	return 0;
}

SEC("raw_tp/kmem_cache_free")
int top_cache_free(struct bpf_raw_tracepoint_args *ctx)
{
	struct kml_top_cpu *t = this_cpu();

	if (!t)
		return 0;
	t->cache_free++;
	ends(ctx->args[1]);
	return 0;
}

const volatile __u32 possible_cpus = 1; /* set before loading */

static __always_inline void forget(__u32 cpu, __u64 pid)
{
	struct kml_top_cpu *t = bpf_map_lookup_elem(&cpus, &cpu);

	for (int i = 0; t && i < KML_TOP_TABLES; i++)
		__sync_val_compare_and_swap(&t->state[i].last_pid, pid, 0);
}

/* As in task.bpf.c: exec and prctl change a name, on all CPUs that know the old one. */
SEC("raw_tp/task_rename")
int top_task_rename(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *task = (void *)ctx->args[0];
	__u64 pid = (__u32)BPF_CORE_READ(task, pid) + 1ull;

	for (__u32 cpu = 0; cpu < possible_cpus && cpu < CPUS_MAX; cpu++)
		forget(cpu, pid);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
