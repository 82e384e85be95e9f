/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* result_fidelity.c - runs against the kernel, and what did not match. */
#include <stdio.h>
#include <string.h>

#include "metrics/fidelity.h"
#include "replay/result.h"

json_t *result_kernel_samples(const struct replay *p)
{
	json_t *time_ns = json_array(), *zones = json_array();
	unsigned int orders = p->host.max_order + 1;

	for (size_t i = 0; i < p->kernel.n; i++)
		json_array_append_new(time_ns, json_integer((json_int_t)p->kernel.at[i].time_ns -
							    (json_int_t)p->first_ns));
	for (unsigned int z = 0; z < p->host.nr_zones; z++) {
		json_t *by_order = json_array();

		for (unsigned int o = 0; o < orders; o++) {
			json_t *series = json_array();

			for (size_t i = 0; i < p->kernel.n; i++)
				json_array_append_new(
					series,
					json_integer((json_int_t)p->kernel.at[i].blocks[z][o]));
			json_array_append_new(by_order, series);
		}
		json_array_append_new(zones, by_order);
	}
	return json_pack("{s:o, s:o}", "time_ns", time_ns, "free_blocks", zones);
}

static void kernel_state(const struct replay *p, const struct kernel_sample *k, bool at_end,
			 struct fidelity_state *out)
{
	memset(out, 0, sizeof(*out));
	out->orders = p->host.max_order + 1;
	kernel_sample_sum(k, &p->host, out->blocks);
	for (unsigned int z = 0; z < p->host.nr_zones; z++)
		out->pcp_pages += at_end ? p->host.zones[z].pcp_end : p->host.zones[z].pcp_start;
}

static void run_end(const struct replay *p, const struct run *run, struct fidelity_state *out)
{
	memset(out, 0, sizeof(*out));
	out->orders = p->host.max_order + 1;
	zone_blocks_sum(&p->host, run->end, out->blocks);
	for (unsigned int z = 0; z < p->host.nr_zones; z++)
		out->pcp_pages += run->end[z].pcp_pages;
}

static json_t *orders(const struct fidelity *f)
{
	json_t *list = json_array();

	for (unsigned int o = 0; o < f->orders; o++) {
		double k = (double)f->kernel[o], m = (double)f->model[o];

		json_array_append_new(
			list,
			json_pack("{s:i, s:I, s:I, s:I, s:o}", "order", (int)o, "kernel",
				  (json_int_t)f->kernel[o], "model", (json_int_t)f->model[o], "abs",
				  (json_int_t)f->model[o] - (json_int_t)f->kernel[o], "rel",
				  f->kernel[o] ? json_real((m - k) / k) : json_null()));
	}
	return list;
}

static json_t *one(const char *name, const struct fidelity *f)
{
	json_t *unusable = json_object();

	for (unsigned int i = 0; i < FIDELITY_UNUSABLE; i++) {
		char order[12];

		snprintf(order, sizeof(order), "%u", fidelity_unusable_orders[i]);
		json_object_set_new(unusable, order, json_integer(f->unusable_error[i]));
	}
	return json_pack(
		"{s:s, s:o, s:o, s:f, s:o, s:I, s:I, s:I}", "name", name, "free_pages_error",
		f->free_pages_known ? json_real(f->free_pages_error) : json_null(), "orders",
		orders(f), "emd", f->emd, "unusable_error", unusable, "pcp_pages_kernel",
		(json_int_t)f->pcp_pages_kernel, "pcp_pages_model", (json_int_t)f->pcp_pages_model,
		"unexplained_pages", (json_int_t)f->unexplained_pages);
}

static const struct run *find(const struct replay *p, const char *name)
{
	for (unsigned int i = 0; i < p->nr_runs; i++)
		if (!strcmp(p->runs[i].name, name))
			return &p->runs[i];
	return NULL;
}

static const struct kernel_sample *start_sample(const struct replay *p)
{
	return p->kernel.n ? &p->kernel.at[0] : NULL;
}

static json_t *noise(void)
{
	return json_pack("{s:f, s:f, s:f}", "free_pages_error", FIDELITY_NOISE_FREE, "emd",
			 FIDELITY_NOISE_EMD, "unusable_error", FIDELITY_NOISE_UNUSABLE);
}

/* All runs and the baseline against the kernel. */
struct comparison {
	struct fidelity of[REPLAY_RUNS_MAX], base;
};

static void compare(const struct replay *p, struct comparison *c)
{
	struct fidelity_state kernel, model;

	kernel_state(p, &p->kernel.at[p->kernel.end], p->host.end_known, &kernel);
	kernel_state(p, start_sample(p), false, &model);
	fidelity_compare(&kernel, &model, &c->base);
	for (unsigned int i = 0; i < p->nr_runs; i++) {
		run_end(p, &p->runs[i], &model);
		fidelity_compare(&kernel, &model, &c->of[i]);
	}
}

static json_t *all_runs(const struct replay *p, const struct comparison *c)
{
	json_t *runs = json_array();

	for (unsigned int i = 0; i < p->nr_runs; i++)
		json_array_append_new(runs, one(p->runs[i].name, &c->of[i]));
	json_array_append_new(runs, one("baseline", &c->base));
	return runs;
}

json_t *result_fidelity(const struct replay *p)
{
	const struct run *reference = find(p, "reference");
	struct fidelity_input in = {.missing = result_missing_percent(p),
				    .readings = p->witness.readings,
				    .close = p->witness.close};
	const struct fidelity *model;
	struct comparison c;
	char grade[800];
	bool ended;

	if (!p->observed || !reference || !start_sample(p) || p->kernel.end == p->kernel.n)
		return NULL;
	compare(p, &c);
	in.observed = &c.of[p->observed - p->runs];
	model = &c.of[reference - p->runs];
	fidelity_grade(model, &c.base, &in, grade, sizeof(grade));
	ended = p->kernel.at[p->kernel.end].flags & KMT_PHASE_END;
	return json_pack("{s:s, s:o, s:i, s:i, s:o, s:f, s:b, s:s}", "against",
			 ended ? "/proc/buddyinfo, end snapshot" : "/proc/buddyinfo, last sample",
			 "runs", all_runs(p, &c), "measures_won", (int)fidelity_won(model, &c.base),
			 "measures_total", (int)FIDELITY_MEASURES, "noise", noise(),
			 "missing_percent", in.missing, "observed_holds",
			 fidelity_observed_holds(&in), "grade", grade);
}

/* Growth of a zone is inferred, not unmatched. */
static bool is_growth(unsigned int row, unsigned int kind)
{
	return row == KMT_PAGE_FREE && kind == PAGE_RESERVED;
}

static void unmatched_observed(json_t *to, const struct observed_counts *c)
{
	static const char *const events[OBSERVED_KINDS] = {
		"page_alloc", "page_free",   "zone_locked", "extfrag",
		"pcpu_drain", "stack_page",  "bulk_page",   "isolate",
		"migrate_to", "migrate_pte", "split",	    "compaction_free"};
	static const char *const found[PAGE_KINDS] = {"unknown", "reserved", "free", "cpu_list",
						      "live",	 "taken",    "start"};
	char name[64];

	for (unsigned int e = 0; e < OBSERVED_KINDS; e++) {
		for (unsigned int k = 0; k < PAGE_KINDS; k++) {
			if (observed_expects(e, (enum page_kind)k) || is_growth(e, k))
				continue;
			snprintf(name, sizeof(name), "%s_of_%s", events[e], found[k]);
			result_add(to, name, c->found[e][k]);
		}
	}
	result_add(to, "start_free_block_unaligned", c->unaligned_free);
	result_add(to, "event_out_of_range", c->out_of_range);
	result_add(to, "event_of_lost_class", c->class_unknown);
}

static void unmatched_requests(json_t *to, const struct requests_counts *c)
{
	result_add(to, "start_block_refused", c->load_refused);
	result_add(to, "alloc_failed", c->alloc_failed);
	result_add(to, "alloc_below_marks", c->alloc_below_marks);
	result_add(to, "alloc_compacted", c->alloc_compacted);
	result_add(to, "served_refused", c->served_refused);
	result_add(to, "alloc_of_live", c->alloc_of_live);
	result_add(to, "listed_live", c->listed_live);
	result_add(to, "free_of_failed", c->free_of_failed);
	result_add(to, "free_of_unknown", c->free_unknown);
	result_add(to, "free_refused", c->free_refused);
	result_add(to, "event_unusable", c->unusable);
}

json_t *result_unmatched(const struct run *run)
{
	json_t *o = json_object();

	if (run->observed)
		unmatched_observed(o, &run->observed->counts);
	else
		unmatched_requests(o, run_requests(run));
	return o;
}
