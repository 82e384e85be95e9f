/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* kswapd.c - ZONE_RECLAIM_ACTIVE and the end of a boost, by what the trace shows. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "replay/kswapd.h"
#include "trace/trace_io.h"

enum {
	BOOST_NS = 20 * 1000 * 1000, /* how long it takes to take back a boost */
	PAUSE_NS = 20 * 1000 * 1000, /* without a free for so long, it slept */
	FIRST_SPANS = 64,
};

/* Node + 1 whose kswapd it is, or 0 */
static uint16_t node_of(const char *comm)
{
	unsigned int node;
	char end;

	if (sscanf(comm, "kswapd%u%c", &node, &end) != 1 || node >= KSWAPD_NODES)
		return 0;
	return (uint16_t)(node + 1);
}

bool is_kcompactd(const struct trace_reader *r, const struct kmt_class *c)
{
	return c && c->kind == KMT_TASK &&
	       !strncmp(trace_reader_string(r, c->comm), "kcompactd", strlen("kcompactd"));
}

int kswapd_spans_init(struct kswapd_spans *s, struct trace_reader *r, unsigned int cpus)
{
	s->nr_classes = trace_reader_classes(r);
	s->nr_cpus = cpus;
	s->of_class = calloc((size_t)s->nr_classes + 1, sizeof(*s->of_class));
	s->on_cpu = calloc((size_t)cpus + 1, sizeof(*s->on_cpu));
	s->is_kcompactd = calloc((size_t)s->nr_classes + 1, sizeof(*s->is_kcompactd));
	if (!s->of_class || !s->on_cpu || !s->is_kcompactd)
		return -ENOMEM;
	for (uint32_t i = 0; i < s->nr_classes; i++) {
		const struct kmt_class *c = trace_reader_class(r, i);

		s->is_kcompactd[i] = is_kcompactd(r, c);
		if (c && c->kind == KMT_TASK)
			s->of_class[i] = node_of(trace_reader_string(r, c->comm));
		else if (c && c->kind == KMT_KSWAPD_WAKE && c->node >= 0 && c->node < KSWAPD_NODES)
			s->of_class[i] = (uint16_t)(c->node + 1);
	}
	return 0;
}

void kswapd_spans_destroy(struct kswapd_spans *s)
{
	free(s->at);
	free(s->of_class);
	free(s->on_cpu);
	free(s->is_kcompactd);
	memset(s, 0, sizeof(*s));
}

static int begin_span(struct kswapd_spans *s, unsigned int node, uint64_t time_ns)
{
	if (s->n == s->room) {
		size_t more = s->room ? s->room * 2 : FIRST_SPANS;
		struct kswapd_span *grown = realloc(s->at, more * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		s->at = grown;
		s->room = more;
	}
	s->at[s->n++] = (struct kswapd_span){time_ns, time_ns + 1, node};
	s->latest[node] = s->n;
	return 0;
}

/* It freed a page: still, or once more, at work. */
static int note_free(struct kswapd_spans *s, unsigned int node, const struct trace_event *e)
{
	uint64_t time_ns = e->time_ns;
	struct kswapd_span *latest = s->latest[node] ? &s->at[s->latest[node] - 1] : NULL;

	s->freed_pages += 1ull << (e->order & 31);
	if (!latest || (!s->told[node] && time_ns > latest->end_ns + PAUSE_NS))
		return begin_span(s, node, time_ns);
	if (time_ns >= latest->end_ns)
		latest->end_ns = time_ns + 1;
	return 0;
}

int kswapd_spans_event(struct kswapd_spans *s, const struct trace_event *e)
{
	uint16_t node = e->class_id < s->nr_classes ? s->of_class[e->class_id] : 0;

	if (e->kind == KMT_KSWAPD_WAKE && node) {
		s->told[node - 1] = true;
		return begin_span(s, node - 1u, e->time_ns);
	}
	if (e->cpu >= s->nr_cpus)
		return 0;
	if (e->kind == KMT_TASK)
		s->on_cpu[e->cpu] = node;
	if (e->kind != KMT_PAGE_FREE || !s->on_cpu[e->cpu])
		return 0;
	return note_free(s, s->on_cpu[e->cpu] - 1u, e);
}

void kswapd_at_work(struct rmm *rmm, unsigned int node, bool active)
{
	struct rmm_zone_info z;

	for (unsigned int i = 0; i < rmm_nr_zones(rmm); i++) {
		if (rmm_zone_info(rmm, i, &z) || z.node != node)
			continue;
		rmm_set_reclaim_active(rmm, i, active);
		if (!active)
			rmm_kswapd_done(rmm, i);
	}
}

static void set_next(struct kswapd *k)
{
	k->next_ns = k->next < k->spans->n ? k->spans->at[k->next].begin_ns : UINT64_MAX;
	for (unsigned int node = 0; node < KSWAPD_NODES; node++)
		if (k->until_ns[node] && k->until_ns[node] < k->next_ns)
			k->next_ns = k->until_ns[node];
}

void kswapd_init(struct kswapd *k, struct rmm *rmm, const struct kswapd_spans *spans)
{
	memset(k, 0, sizeof(*k));
	k->rmm = rmm;
	k->spans = spans;
	set_next(k);
}

void kswapd_wake(struct kswapd *k, unsigned int node, uint64_t now_ns)
{
	if (node >= KSWAPD_NODES || k->until_ns[node])
		return;
	k->until_ns[node] = now_ns + BOOST_NS;
	set_next(k);
}

void kswapd_tick(struct kswapd *k, uint64_t now_ns)
{
	for (unsigned int node = 0; node < KSWAPD_NODES; node++) {
		if (!k->until_ns[node] || now_ns < k->until_ns[node])
			continue;
		k->until_ns[node] = 0;
		kswapd_at_work(k->rmm, node, false);
	}
	for (; k->next < k->spans->n && now_ns >= k->spans->at[k->next].begin_ns; k->next++) {
		const struct kswapd_span *s = &k->spans->at[k->next];

		k->until_ns[s->node] = s->end_ns;
		kswapd_at_work(k->rmm, s->node, now_ns < s->end_ns);
	}
	set_next(k);
}
