// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * slab.bpf.c - probes on kmalloc and the slab caches. Arguments as in the
 * kernel's include/trace/events/kmem.h since 6.1.
 */
#include "ring.bpf.h"
#include "context.bpf.h"

enum {
	ZERO_SIZE_PTR = 16, /* what kmalloc(0) returns */
};

/* Word 0 of an allocation's slot. */
static __always_inline __u64 describe(struct kml_ring *r, __u64 node, __u64 gfp)
{
	__u64 where = context_of(gfp, &r->preempt_count) << KML_CONTEXT_SHIFT;

	return KML_SLOT_USED | ((__u32)(node + 1) & 0xffff) | where | gfp << 32;
}

SEC("raw_tp/kmalloc")
int kmalloc(struct bpf_raw_tracepoint_args *ctx)
{
	struct event e = {.kind = KML_KMALLOC, .keys = 3, .address = ctx->args[1]};
	struct kml_ring *r = this_ring();

	if (!r)
		return 0;
	e.word[0] = describe(r, ctx->args[5], ctx->args[4]);
	if (!e.address)
		e.word[0] |= KML_SLOT_FAILED;
	e.word[1] = ctx->args[0];
	e.word[2] = (__u32)ctx->args[2] | ctx->args[3] << 32;
	e.caller = ctx;
	return record_in(r, &e);
}

/* kfree(NULL) is common and does nothing: counted, not stored. */
SEC("raw_tp/kfree")
int kfree(struct bpf_raw_tracepoint_args *ctx)
{
	struct event e = {.kind = KML_KFREE, .keys = 2, .address = ctx->args[1]};
	struct kml_ring *r = this_ring();

	if (!r)
		return 0;
	r->count[KML_KFREE].fired++;
	if (e.address <= ZERO_SIZE_PTR) {
		r->count[KML_KFREE].filtered++;
		return 0;
	}
	e.word[0] = KML_SLOT_USED;
	e.word[1] = ctx->args[0];
	emit(r, &e);
	return 0;
}

SEC("raw_tp/kmem_cache_alloc")
int cache_alloc(struct bpf_raw_tracepoint_args *ctx)
{
	struct event e = {.kind = KML_CACHE_ALLOC, .keys = 3, .address = ctx->args[1]};
	struct kml_ring *r = this_ring();

	if (!r)
		return 0;
	e.word[0] = describe(r, ctx->args[4], ctx->args[3]);
	e.word[1] = ctx->args[0];
	e.word[2] = ctx->args[2];
	e.caller = ctx;
	return record_in(r, &e);
}

SEC("raw_tp/kmem_cache_free")
int cache_free(struct bpf_raw_tracepoint_args *ctx)
{
	struct event e = {.kind = KML_CACHE_FREE, .keys = 3, .address = ctx->args[1]};

	e.word[0] = KML_SLOT_USED;
	e.word[1] = ctx->args[0];
	e.word[2] = ctx->args[2];
	return record(&e);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
