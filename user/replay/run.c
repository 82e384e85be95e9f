/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* run.c - observed, reference and plug-in behind one face. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "replay/run.h"
#include "trace/trace_io.h"

int run_init(struct run *run, const char *name, const struct host *h, unsigned int samples)
{
	memset(run, 0, sizeof(*run));
	snprintf(run->name, sizeof(run->name), "%s", name);
	run->settings = json_object();
	run->samples = calloc((size_t)samples * h->nr_zones + 1, sizeof(*run->samples));
	run->end = calloc(h->nr_zones, sizeof(*run->end));
	return run->settings && run->samples && run->end ? 0 : -ENOMEM;
}

void run_destroy(struct run *run)
{
	if (run->observed)
		observed_destroy(run->observed);
	if (run->reference)
		reference_destroy(run->reference);
	if (run->plugin)
		plugin_destroy(run->plugin);
	if (run->slabs)
		slabs_destroy(run->slabs);
	free(run->slabs);
	free(run->plugin);
	free(run->observed);
	free(run->reference);
	free(run->samples);
	free(run->end);
	json_decref(run->settings);
	call_timer_free(run->timer);
	memset(run, 0, sizeof(*run));
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* Runs pass over the others: what tells only of objects and tasks. */
static uint64_t page_events(const struct trace_event *e, long n)
{
	uint64_t events = 0;

	for (long i = 0; i < n; i++)
		events += observed_row(e[i].kind) >= 0;
	return events;
}

void run_feed(struct run *run, const struct trace_event *e, long n)
{
	uint64_t start = now_ns();

	if (run->observed)
		observed_feed(run->observed, e, n);
	else if (run->reference)
		reference_feed(run->reference, e, n);
	else
		plugin_feed(run->plugin, e, n);
	run->ns += now_ns() - start;
	run->events += page_events(e, n);
}

const struct requests_counts *run_requests(const struct run *run)
{
	if (run->reference)
		return &run->reference->requests.counts;
	return run->plugin ? &run->plugin->requests.counts : NULL;
}

void run_finish(struct run *run)
{
	if (run->observed)
		observed_finish(run->observed);
	if (run->slabs)
		slabs_finish(run->slabs);
}

static void reference_state(const struct reference *f, const struct host *h,
			    struct zone_blocks *out)
{
	struct rmm_zone_info info;

	for (unsigned int z = 0; z < h->nr_zones; z++) {
		for (unsigned int o = 0; o <= h->max_order; o++)
			out[z].blocks[o] = rmm_nr_free(f->rmm, z, o, -1);
		if (!rmm_zone_info(f->rmm, z, &info))
			out[z].pcp_pages = info.pcp_pages;
	}
}

void zone_blocks_sum(const struct host *h, const struct zone_blocks *z, uint64_t *blocks)
{
	for (unsigned int o = 0; o <= h->max_order; o++) {
		blocks[o] = 0;
		for (unsigned int i = 0; i < h->nr_zones; i++)
			blocks[o] += z[i].blocks[o];
	}
}

void run_state(const struct run *run, const struct host *h, struct zone_blocks *out)
{
	memset(out, 0, h->nr_zones * sizeof(*out));
	if (run->reference) {
		reference_state(run->reference, h, out);
		return;
	}
	for (unsigned int z = 0; z < h->nr_zones && run->plugin; z++)
		out[z].pcp_pages = plugin_count(run->plugin, z, out[z].blocks);
	for (unsigned int z = 0; z < h->nr_zones && run->observed; z++) {
		memcpy(out[z].blocks, run->observed->map.free_blocks[z], sizeof(out[z].blocks));
		out[z].pcp_pages = observed_pcp_pages(run->observed, z);
	}
}
