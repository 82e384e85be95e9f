/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* configure.c - the host's zones and sysctls as a refmm configuration. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/procfs.h"
#include "replay/reference.h"
#include "trace/trace_io.h"

static void set_zone(struct rmm_zone_config *to, const struct host_zone *from)
{
	to->node = from->node;
	to->type = from->type;
	to->start_pfn = (rmm_pfn)from->start_pfn;
	to->spanned = (uint32_t)from->spanned;
	to->present = (uint32_t)from->present;
	to->managed = (uint32_t)from->managed;
	for (unsigned int i = 0; i < RMM_NR_WMARK && i < HOST_WMARKS; i++)
		to->wmark[i] = from->wmark[i];
	for (unsigned int i = 0; i < RMM_ZONE_TYPES && i < HOST_ZONE_TYPES; i++)
		to->lowmem_reserve[i] = from->protection[i];
	to->pcp_batch = from->pcp_batch;
	to->pcp_high_min = from->pcp_high_min;
	to->pcp_high_max = from->pcp_high_max;
}

static void set_sysctls(struct rmm_config *c, struct trace_reader *r)
{
	int64_t v;

	if (!host_sysctl(r, "sys/vm/min_free_kbytes", &v))
		c->min_free_kbytes = v;
	if (!host_sysctl(r, "sys/vm/watermark_scale_factor", &v))
		c->watermark_scale_factor = (unsigned int)v;
	if (!host_sysctl(r, "sys/vm/watermark_boost_factor", &v))
		c->watermark_boost_factor = (unsigned int)v;
	if (!host_sysctl(r, "sys/vm/percpu_pagelist_high_fraction", &v))
		c->pcp_high_fraction = (unsigned int)v;
	if (!host_sysctl(r, "sys/vm/defrag_mode", &v))
		c->defrag_mode = v != 0;
}

/* "0x0007": the lowest bit says whether it is in use. Unknown: as distributions had it
 * when that kernel was new. */
static bool uses_lru_gen(const struct host *h, struct trace_reader *r)
{
	struct trace_text t;
	bool uses;

	if (trace_reader_find_text(r, "kernel/mm/lru_gen/enabled", KMT_PHASE_START, &t))
		return host_release_from(h, 6, 12);
	uses = strtoul(t.text, NULL, 16) & 1;
	trace_text_free(&t);
	return uses;
}

static bool shuffles(struct trace_reader *r)
{
	struct trace_text t;
	bool on;

	if (trace_reader_find_text(r, "module/page_alloc/parameters/shuffle", KMT_PHASE_START, &t))
		return false;
	on = t.text[0] == 'Y';
	trace_text_free(&t);
	return on;
}

/*
 * The recorder read the ratios after zoneinfo, and a kernel that is asked for them computes
 * the reserves anew from what is managed by then: those of zoneinfo were older.
 * (lowmem_reserve_ratio_sysctl_handler)
 */
static void set_reserve_ratios(struct rmm_config *c, struct trace_reader *r)
{
	struct trace_text t;
	char *at;

	if (trace_reader_find_text(r, "sys/vm/lowmem_reserve_ratio", KMT_PHASE_START, &t))
		return;
	c->compute_reserve = true;
	at = t.text;
	for (unsigned int i = 0; i < RMM_ZONE_TYPES; i++) {
		char *end;
		unsigned long v = strtoul(at, &end, 10);

		if (end == at)
			break;
		c->lowmem_reserve_ratio[i] = (unsigned int)v;
		at = end;
	}
	trace_text_free(&t);
}

/* How the trace's fallbacks look; without any, 6.12 and later claim. */
static enum rmm_fallback fallback_style(const struct host *h, const struct start *s)
{
	if (s->steal_votes != s->claim_votes)
		return s->steal_votes > s->claim_votes ? RMM_FALLBACK_STEAL : RMM_FALLBACK_CLAIM;
	return host_release_from(h, 6, 12) ? RMM_FALLBACK_CLAIM : RMM_FALLBACK_STEAL;
}

/* The node of the zone that @cpu took most of its blocks from */
static uint8_t favourite_node(const struct host *h, const struct start *s, unsigned int cpu)
{
	unsigned int best = 0;

	for (unsigned int z = 1; z < h->nr_zones; z++)
		if (s->taken[z * h->cpus + cpu] > s->taken[best * h->cpus + cpu])
			best = z;
	return h->zones[best].node;
}

/* The header may say which node each CPU is on: host.cpu_node[]; else what they did. */
static int set_nodes(struct reference *f, const struct host *h, const struct start *s)
{
	json_t *list = json_object_get(json_object_get(h->header, "host"), "cpu_node");

	f->cpu_node = calloc(h->cpus, 1);
	if (!f->cpu_node)
		return -ENOMEM;
	for (unsigned int i = 0; i < h->cpus; i++)
		f->cpu_node[i] = json_is_array(list)
					 ? (uint8_t)json_integer_value(json_array_get(list, i))
					 : favourite_node(h, s, i);
	f->config.cpu_node = f->cpu_node;
	return 0;
}

/* A counter of the vmstat that was read in @phase; 0: not there */
static uint64_t vmstat(struct trace_reader *r, const char *name, unsigned int phase)
{
	struct trace_text t;
	uint64_t value = 0;

	if (trace_reader_find_text(r, "vmstat", phase, &t))
		return 0;
	(void)proc_vmstat(t.text, name, &value);
	trace_text_free(&t);
	return value;
}

static uint64_t vmstat_change(struct trace_reader *r, const char *name)
{
	uint64_t before = vmstat(r, name, KMT_PHASE_START), after = vmstat(r, name, KMT_PHASE_END);

	return after > before ? after - before : 0;
}

/* How many pages of a million that were to be moved the kernel could not */
static unsigned int stay_ppm(struct trace_reader *r)
{
	uint64_t fail = vmstat_change(r, "pgmigrate_fail");
	uint64_t all = fail + vmstat_change(r, "pgmigrate_success");

	return all ? (unsigned int)(1000000 * fail / all) : 0;
}

int reference_configure(struct reference *f, const struct host *h, const struct start *s,
			struct trace_reader *r)
{
	struct rmm_config *c = &f->config;

	rmm_config_init(c);
	for (unsigned int i = 0; i < h->nr_zones; i++)
		set_zone(&f->zones[i], &h->zones[i]);
	c->zones = f->zones;
	c->nr_zones = h->nr_zones;
	c->nr_cpus = h->cpus;
	c->pageblock_order = h->pageblock_order;
	c->max_order = h->max_order;
	c->thp = h->thp_pcp;
	c->given_watermarks = true;
	c->stat_threshold = true;
	c->pcp_mode = h->pcp_auto ? RMM_PCP_AUTO : RMM_PCP_FIXED;
	c->pcp_free_high_patient = host_release_from(h, 6, 16);
	c->fallback = fallback_style(h, s);
	c->pcp_thp_lists = h->pcp_auto ? 2 : 1;
	f->stay_ppm = stay_ppm(r);
	set_sysctls(c, r);
	c->shuffle = shuffles(r);
	f->reclaim.lru_gen = uses_lru_gen(h, r);
	set_reserve_ratios(c, r);
	gfp_map_init(&f->gfp, json_object_get(h->header, "gfp_bits"));
	return set_nodes(f, h, s);
}
