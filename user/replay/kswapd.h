/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * kswapd.h - when each node's kswapd is at work, as the reference's zones see it.
 *
 * While it is, per-CPU lists are kept short; when it is through, boosted watermarks
 * fall back. Its frees are in the trace, like everybody's: they show it at work. A
 * node that needs it before it shows itself stays as it is.
 */
#ifndef KMEMLAB_REPLAY_KSWAPD_H
#define KMEMLAB_REPLAY_KSWAPD_H

#include <stdbool.h>
#include <stdint.h>

#include <kmemlab/refmm.h>

struct trace_reader;
struct trace_event;

enum { KSWAPD_NODES = 256 };

struct kswapd {
	struct rmm *rmm;
	uint16_t *of_class; /* node + 1 whose kswapd a TASK class names; 0: another task */
	uint16_t *on_cpu;   /* the same of what each CPU runs */
	uint32_t nr_classes;
	unsigned int nr_cpus;
	uint64_t until_ns[KSWAPD_NODES]; /* taken for done then; 0: asleep */
	bool active[KSWAPD_NODES];
	uint64_t next_ns; /* the earliest of them; 0: none */
};

/** kswapd_init() - @k zeroed; 0 or -ENOMEM */
int kswapd_init(struct kswapd *k, struct trace_reader *r, unsigned int cpus);
void kswapd_destroy(struct kswapd *k);

/** kswapd_wake() - a zone of @node is low, or boosted */
void kswapd_wake(struct kswapd *k, unsigned int node, uint64_t now_ns);
/** kswapd_task() - a TASK event */
void kswapd_task(struct kswapd *k, const struct trace_event *e);
/** kswapd_freed() - a CPU that runs the kswapd of @node_plus_1 freed a page */
void kswapd_freed(struct kswapd *k, unsigned int node_plus_1, uint64_t now_ns);
/** kswapd_tick() - next_ns has come */
void kswapd_tick(struct kswapd *k, uint64_t now_ns);

#endif
