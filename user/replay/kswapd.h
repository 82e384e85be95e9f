/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * kswapd.h - when each node's kswapd is at work, as the reference's zones see it.
 *
 * While it is, per-CPU lists are kept short; when it is through, boosted watermarks
 * fall back. The first pass over the trace collects the spans, the replay goes by them.
 *
 *   kswapd_wake       |                     |      kswapd_sleep |
 *   frees of kswapd     |||||||  ||||| |       |||| ||||||
 *   at work           [----------------]    [------------]
 *
 * The kernel tells when it begins (KMT_KSWAPD_WAKE, once for each balance_pgdat()), but
 * not when it is through: it looks again after 100 ms before KMT_KSWAPD_SLEEP. Its last
 * free before the next of these is taken for that. A trace without these events shows it
 * at work by its frees alone, from the first to the last between pauses.
 */
#ifndef KMEMLAB_REPLAY_KSWAPD_H
#define KMEMLAB_REPLAY_KSWAPD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kmemlab/refmm.h>

struct kmt_class;
struct trace_reader;
struct trace_event;

enum { KSWAPD_NODES = 256 };

/** is_kcompactd() - is @c a TASK of that name? */
bool is_kcompactd(const struct trace_reader *r, const struct kmt_class *c);

struct kswapd_span {
	uint64_t begin_ns, end_ns; /* the end is the first moment after it */
	unsigned int node;
};

struct kswapd_spans {
	struct kswapd_span *at; /* in order of their beginnings */
	size_t n, room;
	size_t latest[KSWAPD_NODES]; /* the node's, plus 1; 0: none */
	bool told[KSWAPD_NODES];     /* the trace has shown the node's kswapd wake */
	uint16_t *of_class;	     /* node + 1 whose kswapd a class names; 0: another task */
	bool *is_kcompactd;	     /* by class: a TASK of that name */
	uint16_t *on_cpu;	     /* the same of what each CPU runs */
	uint64_t freed_pages;	     /* by all of them */
	uint32_t nr_classes;
	unsigned int nr_cpus;
};

/** kswapd_spans_init() - @s zeroed; all of @r's classes are known. 0 or -ENOMEM */
int kswapd_spans_init(struct kswapd_spans *s, struct trace_reader *r, unsigned int cpus);
void kswapd_spans_destroy(struct kswapd_spans *s);
/** kswapd_spans_event() - the next event of the trace, of any kind. 0 or -ENOMEM */
int kswapd_spans_event(struct kswapd_spans *s, const struct trace_event *e);

struct kswapd {
	struct rmm *rmm;
	const struct kswapd_spans *spans;
	size_t next;			 /* span to begin */
	uint64_t until_ns[KSWAPD_NODES]; /* done then; 0: asleep */
	uint64_t next_ns;		 /* when kswapd_tick() is due; UINT64_MAX: never */
};

void kswapd_init(struct kswapd *k, struct rmm *rmm, const struct kswapd_spans *spans);
/** kswapd_wake() - a zone of @node is low, or boosted */
void kswapd_wake(struct kswapd *k, unsigned int node, uint64_t now_ns);
/** kswapd_tick() - next_ns has come */
void kswapd_tick(struct kswapd *k, uint64_t now_ns);
/** kswapd_at_work() - tell the zones of @node that its kswapd is, or that it is through */
void kswapd_at_work(struct rmm *rmm, unsigned int node, bool active);

#endif
