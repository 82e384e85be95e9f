/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * levels.c - see levels.h.
 *
 * A page of an order that has lists comes to a CPU's list when it is freed there,
 * or leaves the buddy lists on its behalf; it goes when it is allocated or drained.
 * A page that is allocated past the lists leaves the buddy lists first, so that the
 * two cancel out.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "replay/levels.h"
#include "trace/trace_io.h"

#define SECOND_NS 1000000000ull

enum { COSTLY_ORDER = 3, DECAY = 8 };

static void from_host(struct levels *l, const struct host *h)
{
	for (unsigned int z = 0; z < h->nr_zones; z++)
		for (unsigned int c = 0; c < h->cpus && h->zones[z].pcp_cpu; c++)
			l->at[z * l->cpus + c] = (struct level){
				.pages = h->zones[z].pcp_cpu[c],
				.high = h->zones[z].pcp_high[c],
			};
}

static void from_reading(struct levels *l, const struct host *h, const struct proc_zoneinfo *info)
{
	for (size_t i = 0; i < info->n; i++) {
		const struct proc_zone *from = &info->zones[i];
		unsigned int z = host_zone_find(h, from->node, from->name);

		for (unsigned int c = 0; z != HOST_ZONE_NONE && c < from->pcps; c++)
			if (from->pcp[c].cpu < l->cpus && from->pcp[c].count < INT32_MAX &&
			    from->pcp[c].high < INT32_MAX)
				l->at[z * l->cpus + from->pcp[c].cpu] = (struct level){
					.pages = (int64_t)from->pcp[c].count,
					.high = (uint32_t)from->pcp[c].high,
				};
	}
}

/* The first reading within a second after the moment; -ENOENT: there is none. */
static int find_reading(struct levels *l, struct trace_reader *r, struct proc_zoneinfo *info)
{
	for (size_t i = 0; i < trace_reader_texts(r); i++) {
		struct trace_text t;
		int err = -ENOENT;

		if (trace_reader_text(r, i, &t))
			continue;
		if (!strcmp(t.name, "zoneinfo") && t.time_ns >= l->t_ns &&
		    t.time_ns - l->t_ns < SECOND_NS)
			err = proc_zoneinfo_parse(t.text, info);
		if (!err)
			l->read_ns = t.time_ns;
		trace_text_free(&t);
		if (err != -ENOENT)
			return err;
	}
	return -ENOENT;
}

int levels_init(struct levels *l, const struct host *h, struct trace_reader *r, uint64_t t_ns)
{
	struct proc_zoneinfo info;
	int err;

	*l = (struct levels){.zones = h->nr_zones,
			     .cpus = h->cpus,
			     .thp_pcp = h->thp_pcp,
			     .t_ns = t_ns,
			     .read_ns = t_ns};
	l->at = calloc((size_t)h->nr_zones * h->cpus, sizeof(*l->at));
	l->last_kind = calloc(h->cpus, sizeof(*l->last_kind));
	if (!l->at || !l->last_kind)
		return -ENOMEM;
	from_host(l, h);
	err = find_reading(l, r, &info);
	if (err)
		return err == -ENOMEM ? err : 0;
	from_reading(l, h, &info);
	proc_zoneinfo_free(&info);
	return 0;
}

void levels_destroy(struct levels *l)
{
	free(l->at);
	free(l->last_kind);
}

void levels_event(struct levels *l, const struct pagemap *m, const struct trace_event *e)
{
	bool listed = e->order <= COSTLY_ORDER || (l->thp_pcp && e->order == m->pageblock_order);
	int64_t pages = 1ll << e->order;
	unsigned int z;

	if (!listed || e->time_ns <= l->t_ns || e->time_ns > l->read_ns || e->cpu >= l->cpus ||
	    e->address >= m->nr_pfns)
		return;
	z = pagemap_zone(m, e->address);
	if (z == HOST_ZONE_NONE)
		return;
	if (e->kind == KMT_PCPU_DRAIN && l->last_kind[e->cpu] != KMT_PAGE_FREE &&
	    l->last_kind[e->cpu] != KMT_PCPU_DRAIN) {
		l->at[z * l->cpus + e->cpu].decayed = true;
		if (!l->decay_ns)
			l->decay_ns = e->time_ns;
	}
	l->last_kind[e->cpu] = e->kind;
	if (e->kind == KMT_PAGE_FREE || e->kind == KMT_ZONE_LOCKED)
		l->at[z * l->cpus + e->cpu].pages -= pages;
	else if (e->kind == KMT_PAGE_ALLOC || e->kind == KMT_BULK_PAGE || e->kind == KMT_PCPU_DRAIN)
		l->at[z * l->cpus + e->cpu].pages += pages;
}

bool levels_decayed(const struct levels *l, unsigned int cpu)
{
	for (unsigned int z = 0; z < l->zones; z++)
		if (levels_at(l, z, cpu)->decayed)
			return true;
	return false;
}

void levels_finish(struct levels *l, const struct host *h)
{
	bool second = l->read_ns / SECOND_NS != l->t_ns / SECOND_NS;

	for (unsigned int z = 0; z < h->nr_zones; z++)
		for (unsigned int c = 0; c < l->cpus; c++) {
			struct level *at = &l->at[z * l->cpus + c];

			if ((second || at->decayed) && at->high > h->zones[z].pcp_high_min)
				at->high = (uint32_t)((uint64_t)at->high * DECAY / (DECAY - 1));
		}
}
