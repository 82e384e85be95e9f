/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* result_runs.c - series, counts and end state of each run. */
#include <stdio.h>
#include <stdlib.h>

#include "metrics/fidelity.h"
#include "metrics/frag.h"
#include "replay/result.h"

static json_t *free_blocks(const struct replay *p, const struct run *run)
{
	json_t *zones = json_array();

	for (unsigned int z = 0; z < p->host.nr_zones; z++) {
		json_t *orders = json_array();

		for (unsigned int o = 0; o <= p->host.max_order; o++) {
			json_t *series = json_array();

			for (unsigned int i = 0; i < p->samples; i++) {
				const struct zone_blocks *at =
					&run->samples[(size_t)i * p->host.nr_zones + z];

				json_array_append_new(series,
						      json_integer((json_int_t)at->blocks[o]));
			}
			json_array_append_new(orders, series);
		}
		json_array_append_new(zones, orders);
	}
	return zones;
}

static json_t *pcp_pages(const struct replay *p, const struct run *run)
{
	json_t *zones = json_array();

	for (unsigned int z = 0; z < p->host.nr_zones; z++) {
		json_t *series = json_array();

		for (unsigned int i = 0; i < p->samples; i++)
			json_array_append_new(
				series,
				json_integer(
					(json_int_t)run->samples[(size_t)i * p->host.nr_zones + z]
						.pcp_pages));
		json_array_append_new(zones, series);
	}
	return zones;
}

static void add_host_series(const struct replay *p, const struct run *run, json_t *to)
{
	json_t *free_pages = json_array(), *unusable = json_object();
	json_t *by_order[FIDELITY_UNUSABLE];

	for (unsigned int k = 0; k < FIDELITY_UNUSABLE; k++)
		by_order[k] = json_array();
	for (unsigned int i = 0; i < p->samples; i++) {
		uint64_t blocks[HOST_ORDERS];
		unsigned int orders = p->host.max_order + 1;

		zone_blocks_sum(&p->host, run->samples + (size_t)i * p->host.nr_zones, blocks);
		json_array_append_new(free_pages,
				      json_integer((json_int_t)metric_free_pages(blocks, orders)));
		for (unsigned int k = 0; k < FIDELITY_UNUSABLE; k++)
			json_array_append_new(
				by_order[k], json_integer(metric_unusable(
						     blocks, orders, fidelity_unusable_orders[k])));
	}
	for (unsigned int k = 0; k < FIDELITY_UNUSABLE; k++) {
		char name[12];

		snprintf(name, sizeof(name), "%u", fidelity_unusable_orders[k]);
		json_object_set_new(unusable, name, by_order[k]);
	}
	json_object_set_new(to, "unusable", unusable);
	json_object_set_new(to, "free_pages", free_pages);
}

static json_t * final(const struct replay *p, const struct run *run)
{
	json_t *zones = json_array();
	unsigned int orders = p->host.max_order + 1;

	for (unsigned int z = 0; z < p->host.nr_zones; z++)
		json_array_append_new(
			zones, json_pack("{s:o, s:I, s:I}", "free_blocks",
					 result_array(run->end[z].blocks, orders), "free_pages",
					 (json_int_t)metric_free_pages(run->end[z].blocks, orders),
					 "pcp_pages", (json_int_t)run->end[z].pcp_pages));
	return json_pack("{s:o}", "zones", zones);
}

static json_t *observed_counts(const struct observed_counts *c, const struct paths *paths)
{
	json_t *o = json_object();
	uint64_t claimed = 0, stolen = 0, drained = 0;

	for (unsigned int i = 0; i < OBSERVED_TYPES; i++) {
		for (unsigned int j = 0; j < OBSERVED_TYPES; j++) {
			claimed += c->fallback[i][j].claimed;
			stolen += c->fallback[i][j].stolen;
		}
	}
	for (unsigned int k = 0; k < PAGE_KINDS; k++)
		drained += c->found[KMT_PCPU_DRAIN][k];
	json_object_set_new(o, "alloc", json_integer((json_int_t)c->events[KMT_PAGE_ALLOC]));
	json_object_set_new(o, "free", json_integer((json_int_t)c->events[KMT_PAGE_FREE]));
	json_object_set_new(o, "pcp_hit", json_integer((json_int_t)paths->hit));
	json_object_set_new(o, "pcp_refill", json_integer((json_int_t)paths->refill));
	json_object_set_new(o, "buddy_alloc", json_integer((json_int_t)paths->buddy));
	json_object_set_new(o, "pcp_refill_pages", json_integer((json_int_t)c->refill));
	json_object_set_new(o, "pcp_drain_pages", json_integer((json_int_t)drained));
	json_object_set_new(o, "pcp_free", json_integer((json_int_t)c->to_pcp));
	json_object_set_new(o, "buddy_free", json_integer((json_int_t)c->to_buddy));
	json_object_set_new(o, "buddy_alloc_pages", json_integer((json_int_t)c->direct));
	json_object_set_new(o, "fallback_claim", json_integer((json_int_t)claimed));
	json_object_set_new(o, "fallback_steal", json_integer((json_int_t)stolen));
	json_object_set_new(o, "failed", json_integer((json_int_t)c->kernel_failed));
	return o;
}

static uint64_t total(const uint64_t pairs[RMM_MIGRATE_TYPES][RMM_MIGRATE_TYPES])
{
	uint64_t n = 0;

	for (unsigned int i = 0; i < RMM_MIGRATE_TYPES; i++)
		for (unsigned int j = 0; j < RMM_MIGRATE_TYPES; j++)
			n += pairs[i][j];
	return n;
}

static json_t *reference_counts(const struct reference *f)
{
	struct rmm_stat s;
	json_t *o = json_object();

	rmm_stat(f->rmm, &s);
	const struct {
		const char *name;
		uint64_t n;
	} counts[] = {
		{"pcp_hit", s.pcp_hit},
		{"pcp_refill", s.pcp_refill},
		{"pcp_refill_pages", s.pcp_refill_pages},
		{"pcp_free", s.pcp_free},
		{"pcp_drain", s.pcp_drain},
		{"pcp_drain_pages", s.pcp_drain_pages},
		{"buddy_alloc", s.buddy_alloc},
		{"buddy_free", s.buddy_free},
		{"split", s.split},
		{"merge", s.merge},
		{"fallback_claim", total(s.fallback_claim)},
		{"fallback_pollute", total(s.fallback_pollute)},
		{"fallback_steal", total(s.fallback_steal)},
		{"zone_lock", s.zone_lock},
		{"slow_path", s.slow_path},
		{"compact", s.compact},
		{"compact_captured", s.compact_captured},
		{"compact_moved", s.migrate_success},
		{"watermark_boost", s.boost},
		{"highatomic_reserve", s.highatomic_reserve},
		{"highatomic_unreserve", s.highatomic_unreserve},
		{"failed", s.failed},
	};

	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++)
		json_object_set_new(o, counts[i].name, json_integer((json_int_t)counts[i].n));
	return o;
}

static json_t *plugin_counts(const struct plugin *p)
{
	struct kml_counter c[PLUGIN_COUNTERS] = {0};
	json_t *o = json_object();
	size_t n = p->backend->counters ? p->backend->counters(p->self, c, PLUGIN_COUNTERS) : 0;

	for (size_t i = 0; i < n && i < PLUGIN_COUNTERS; i++) {
		c[i].name[sizeof(c[i].name) - 1] = '\0';
		json_object_set_new(o, c[i].name, json_integer((json_int_t)c[i].value));
	}
	return o;
}

static json_t *counts_of(const struct replay *p, const struct run *run)
{
	if (run->observed)
		return observed_counts(&run->observed->counts, &p->paths);
	return run->reference ? reference_counts(run->reference) : plugin_counts(run->plugin);
}

static const char *policy_of(const struct run *run)
{
	if (run->observed)
		return "kernel";
	return run->reference ? "refmm" : "plug-in";
}

static json_t *result_run(const struct replay *p, const struct run *run, bool reproducible)
{
	json_t *o = json_object();

	json_object_set_new(o, "name", json_string(run->name));
	json_object_set_new(o, "policy", json_string(policy_of(run)));
	json_object_set(o, "settings", run->settings);
	json_object_set_new(o, "free_blocks", free_blocks(p, run));
	json_object_set_new(o, "pcp_pages", pcp_pages(p, run));
	add_host_series(p, run, o);
	json_object_set_new(o, "final", final(p, run));
	json_object_set_new(o, "counts", counts_of(p, run));
	if (run->reference && p->slabs)
		json_object_set_new(o, "slab_pages_end",
				    json_integer((json_int_t)slabs_pages_end(
					    run->slabs ? run->slabs : p->slabs)));
	if (run->slabs)
		json_object_set_new(o, "slabs", result_run_slabs(run->slabs));
	if (run->reference)
		json_object_set_new(o, "not_predicted", result_not_predicted(run));
	if (run->reference && run->reference->models_reclaim)
		json_object_set_new(o, "modelled_reclaim", result_modelled_reclaim(p, run));
	json_object_set_new(o, "unmatched", result_unmatched(run));
	if (reproducible)
		return o;
	json_object_set_new(o, "speed",
			    json_pack("{s:I, s:I}", "events", (json_int_t)run->events, "ns",
				      (json_int_t)run->ns));
	if (run->timer)
		json_object_set_new(o, "latency",
				    result_call_times(run->timer, run->reference != NULL));
	return o;
}

json_t *result_runs(const struct replay *p, bool reproducible)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < p->nr_runs; i++)
		json_array_append_new(list, result_run(p, &p->runs[i], reproducible));
	return list;
}
