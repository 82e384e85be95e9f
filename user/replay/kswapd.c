/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* kswapd.c - ZONE_RECLAIM_ACTIVE and the end of a boost, by what the trace shows. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "replay/kswapd.h"
#include "trace/trace_io.h"

enum {
	BOOST_NS = 20 * 1000 * 1000, /* how long it takes to take back a boost */
	PAUSE_NS = 2 * 1000 * 1000,  /* without a free for so long, it sleeps */
};

int kswapd_init(struct kswapd *k, struct trace_reader *r, unsigned int cpus)
{
	k->nr_classes = trace_reader_classes(r);
	k->nr_cpus = cpus;
	k->of_class = calloc((size_t)k->nr_classes + 1, sizeof(*k->of_class));
	k->on_cpu = calloc((size_t)cpus + 1, sizeof(*k->on_cpu));
	if (!k->of_class || !k->on_cpu)
		return -ENOMEM;
	for (uint32_t i = 0; i < k->nr_classes; i++) {
		const struct kmt_class *c = trace_reader_class(r, i);
		unsigned int node;
		char end;

		if (c && c->kind == KMT_TASK &&
		    sscanf(trace_reader_string(r, c->comm), "kswapd%u%c", &node, &end) == 1 &&
		    node < KSWAPD_NODES)
			k->of_class[i] = (uint16_t)(node + 1);
	}
	return 0;
}

void kswapd_destroy(struct kswapd *k)
{
	free(k->of_class);
	free(k->on_cpu);
}

static void set_active(struct kswapd *k, unsigned int node, bool active)
{
	struct rmm_zone_info z;

	k->active[node] = active;
	for (unsigned int i = 0; i < rmm_nr_zones(k->rmm); i++) {
		if (rmm_zone_info(k->rmm, i, &z) || z.node != node)
			continue;
		rmm_set_reclaim_active(k->rmm, i, active);
		if (!active)
			rmm_kswapd_done(k->rmm, i);
	}
}

static void until(struct kswapd *k, unsigned int node, uint64_t ns)
{
	k->until_ns[node] = ns;
	if (!k->next_ns || ns < k->next_ns)
		k->next_ns = ns;
}

void kswapd_wake(struct kswapd *k, unsigned int node, uint64_t now_ns)
{
	if (node < KSWAPD_NODES && !k->until_ns[node])
		until(k, node, now_ns + BOOST_NS);
}

void kswapd_task(struct kswapd *k, const struct trace_event *e)
{
	if (e->cpu < k->nr_cpus && e->class_id < k->nr_classes)
		k->on_cpu[e->cpu] = k->of_class[e->class_id];
}

void kswapd_freed(struct kswapd *k, unsigned int node_plus_1, uint64_t now_ns)
{
	unsigned int node = node_plus_1 - 1;

	if (!k->active[node])
		set_active(k, node, true);
	until(k, node, now_ns + PAUSE_NS);
}

void kswapd_tick(struct kswapd *k, uint64_t now_ns)
{
	k->next_ns = 0;
	for (unsigned int node = 0; node < KSWAPD_NODES; node++) {
		uint64_t ns = k->until_ns[node];

		if (ns && now_ns >= ns) {
			k->until_ns[node] = 0;
			set_active(k, node, false);
		} else if (ns) {
			until(k, node, ns);
		}
	}
}
