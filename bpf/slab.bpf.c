// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * slab.bpf.c - probes on kmalloc and the slab caches. Arguments as in the
 * kernel's include/trace/events/kmem.h since 6.1.
 */
#include "ring.bpf.h"

enum {
	ZERO_SIZE_PTR = 16, /* what kmalloc(0) returns */
};

static __always_inline __u64 node_and_gfp(__u64 node, __u64 gfp)
{
	return KML_SLOT_USED | ((__u32)(node + 1) & 0xffff) | gfp << 32;
}

SEC("raw_tp/kmalloc")
int kmalloc(struct bpf_raw_tracepoint_args *ctx)
{
	struct kml_ring *r = this_ring();
	__u64 word[KML_DEF_WORDS] = {node_and_gfp(ctx->args[5], ctx->args[4]), ctx->args[0],
				     (__u32)ctx->args[2] | ctx->args[3] << 32};

	if (!r)
		return 0;
	r->count[KML_KMALLOC].fired++;
	emit(r, KML_KMALLOC, word, ctx->args[1]);
	return 0;
}

SEC("raw_tp/kfree")
int kfree(struct bpf_raw_tracepoint_args *ctx)
{
	struct kml_ring *r = this_ring();
	__u64 word[KML_DEF_WORDS] = {KML_SLOT_USED, ctx->args[0]};
	__u64 object = ctx->args[1];

	if (!r)
		return 0;
	r->count[KML_KFREE].fired++;
	if (object <= ZERO_SIZE_PTR) {
		r->count[KML_KFREE].filtered++;
		return 0;
	}
	emit(r, KML_KFREE, word, object);
	return 0;
}

SEC("raw_tp/kmem_cache_alloc")
int cache_alloc(struct bpf_raw_tracepoint_args *ctx)
{
	struct kml_ring *r = this_ring();
	__u64 word[KML_DEF_WORDS] = {node_and_gfp(ctx->args[4], ctx->args[3]), ctx->args[0], 0,
				     ctx->args[2]};

	if (!r)
		return 0;
	r->count[KML_CACHE_ALLOC].fired++;
	emit(r, KML_CACHE_ALLOC, word, ctx->args[1]);
	return 0;
}

SEC("raw_tp/kmem_cache_free")
int cache_free(struct bpf_raw_tracepoint_args *ctx)
{
	struct kml_ring *r = this_ring();
	__u64 word[KML_DEF_WORDS] = {KML_SLOT_USED, ctx->args[0], 0, ctx->args[2]};

	if (!r)
		return 0;
	r->count[KML_CACHE_FREE].fired++;
	emit(r, KML_CACHE_FREE, word, ctx->args[1]);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
