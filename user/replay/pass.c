/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * pass.c - the pass over the events.
 *
 * Moments to look at the runs are known beforehand and sorted; between two of
 * them whole stretches of events go to each run in turn:
 *
 *   events   |------.--------.---------------.----|
 *   stops        sample   buddyinfo   sample, end chunk
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "metrics/fidelity.h"
#include "metrics/frag.h"
#include "replay/replay.h"
#include "trace/trace_io.h"

enum { BATCH = 1 << 15 };

enum stop_kind { STOP_SAMPLE, STOP_KERNEL, STOP_CHUNK };

struct stop {
	uint64_t time_ns; /* after the events of this time */
	enum stop_kind kind;
	size_t index;
};

struct pass {
	struct replay *p;
	struct stop *stops;
	size_t nr_stops, next;
	struct zone_blocks *now;
	unsigned int column_step;
};

static int by_time(const void *x, const void *y)
{
	const struct stop *a = x, *b = y;

	if (a->time_ns != b->time_ns)
		return a->time_ns < b->time_ns ? -1 : 1;
	if (a->kind != b->kind)
		return (int)a->kind - (int)b->kind;
	return (a->index > b->index) - (a->index < b->index);
}

static int plan(struct pass *a)
{
	const struct replay *p = a->p;
	size_t n = p->samples + p->kernel.n + p->end_pages.n;
	struct stop *s = calloc(n + 1, sizeof(*s));

	a->stops = s;
	a->now = calloc(p->host.nr_zones, sizeof(*a->now));
	if (!s || !a->now)
		return -ENOMEM;
	for (size_t i = 0; i < p->samples; i++)
		*s++ = (struct stop){p->sample_ns[i], STOP_SAMPLE, i};
	for (size_t i = 0; i < p->kernel.n; i++)
		*s++ = (struct stop){p->kernel.at[i].time_ns, STOP_KERNEL, i};
	for (size_t i = 0; i < p->end_pages.n; i++)
		*s++ = (struct stop){p->end_pages.chunks[i].t_first_ns, STOP_CHUNK, i};
	a->nr_stops = n;
	qsort(a->stops, n, sizeof(*a->stops), by_time);
	a->column_step = (p->samples + BLOCKMAP_COLUMNS - 1) / BLOCKMAP_COLUMNS;
	return 0;
}

static void take_sample(struct pass *a, size_t i)
{
	struct replay *p = a->p;

	for (unsigned int k = 0; k < p->nr_runs; k++)
		run_state(&p->runs[k], &p->host, p->runs[k].samples + i * p->host.nr_zones);
	p->sample_events[i] = p->nr_runs ? p->runs[0].events : 0;
	objects_sample(p->objects, (unsigned int)i);
	if (p->observed && (i + 1) % a->column_step == 0)
		blockmap_column(&p->map, p->observed->observed,
				p->started ? p->start.at.block_type : NULL,
				p->sample_ns[i] - p->first_ns);
}

static void meet_witness(struct pass *a, const struct kernel_sample *k)
{
	struct replay *p = a->p;
	unsigned int orders = p->host.max_order + 1;
	uint64_t all_kernel[FIDELITY_ORDERS], all_mine[FIDELITY_ORDERS];
	bool exact = true;

	run_state(p->observed, &p->host, a->now);
	for (unsigned int z = 0; z < p->host.nr_zones; z++) {
		uint64_t mine = metric_free_pages(a->now[z].blocks, orders);
		uint64_t kernels = metric_free_pages(k->blocks[z], orders);
		uint64_t off = mine > kernels ? mine - kernels : kernels - mine;

		exact &= !memcmp(a->now[z].blocks, k->blocks[z], orders * sizeof(uint64_t));
		if (off > p->witness.worst_pages)
			p->witness.worst_pages = off;
	}
	kernel_sample_sum(k, &p->host, all_kernel);
	zone_blocks_sum(&p->host, a->now, all_mine);
	p->witness.readings++;
	p->witness.exact += exact;
	p->witness.close += fidelity_close(all_kernel, all_mine, orders);
}

static void meet_kernel(struct pass *a, size_t i)
{
	struct replay *p = a->p;

	if (p->observed && p->kernel.at[i].time_ns > p->start_pages.t_last_ns)
		meet_witness(a, &p->kernel.at[i]);
	for (unsigned int k = 0; k < p->nr_runs && i == p->kernel.end; k++)
		run_state(&p->runs[k], &p->host, p->runs[k].end);
}

static void compare_run(void *ctx, uint64_t pfn, const struct trace_page_run *run)
{
	struct replay *p = ctx;
	const struct pagemap *m = &p->observed->observed->map;
	uint64_t end = pfn + (run->blocks << run->order);

	if (run->state >= KMT_PG_STATES)
		return;
	while (pfn < end && pfn < m->nr_pfns) {
		uint8_t head;
		uint64_t start = pagemap_find(m, pfn, &head);
		uint64_t next = head ? start + (1ull << page_head_order(head)) : pfn + 1;

		if (next > end)
			next = end;
		p->diff.pages[page_head_kind(head)][run->state] += next - pfn;
		pfn = next;
	}
}

static void meet_chunk(struct pass *a, size_t i)
{
	struct replay *p = a->p;

	if (p->observed && !snapshot_chunk_runs(&p->end_pages, p->reader, i, compare_run, p))
		p->diff.chunks++;
}

static void stop_at(struct pass *a, const struct stop *s)
{
	switch (s->kind) {
	case STOP_SAMPLE:
		take_sample(a, s->index);
		break;
	case STOP_KERNEL:
		meet_kernel(a, s->index);
		break;
	case STOP_CHUNK:
		meet_chunk(a, s->index);
		break;
	}
}

/* 0, or -EPROTO if a plug-in has done something wrong. */
static int check_plugins(const struct replay *p, char *error)
{
	for (unsigned int k = 0; k < p->nr_runs; k++) {
		if (!p->runs[k].plugin || !*p->runs[k].plugin->error)
			continue;
		snprintf(error, 512, "backend '%s': %s", p->runs[k].name, p->runs[k].plugin->error);
		return -EPROTO;
	}
	return 0;
}

static int feed(struct pass *a, const struct trace_event *e, long n)
{
	struct replay *p = a->p;

	for (unsigned int k = 0; k < p->nr_runs && n; k++)
		run_feed(&p->runs[k], e, n);
	for (unsigned int k = 0; k < p->nr_runs; k++)
		if (p->runs[k].slabs && slabs_feed(p->runs[k].slabs, e, n))
			return -ENOMEM;
	if (p->slabs && slabs_feed(p->slabs, e, n))
		return -ENOMEM;
	if (p->started && areas_feed(&p->areas, e, n))
		return -ENOMEM;
	return objects_feed(p->objects, e, n);
}

static long count_until(const struct trace_event *e, long n, uint64_t time_ns)
{
	long low = 0, high = n;

	while (low < high) {
		long mid = low + (high - low) / 2;

		if (e[mid].time_ns <= time_ns)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static void count_kinds(struct replay *p, const struct trace_event *e, long n)
{
	for (long i = 0; i < n; i++) {
		if (e[i].kind < KMT_KINDS)
			p->by_kind[e[i].kind]++;
		else
			p->by_other_kind++;
	}
	p->events += (uint64_t)n;
}

/* Feed a batch, halting at every stop that lies before its last event. */
static int feed_batch(struct pass *a, const struct trace_event *e, long n)
{
	int err = 0;

	count_kinds(a->p, e, n);
	while (n && !err) {
		const struct stop *s = &a->stops[a->next];
		long here = n;

		if (a->next < a->nr_stops)
			here = count_until(e, n, s->time_ns);
		err = feed(a, e, here);
		e += here;
		n -= here;
		if (n) {
			stop_at(a, s);
			a->next++;
		}
	}
	return err;
}

static int finish(struct pass *a)
{
	for (unsigned int k = 0; k < a->p->nr_runs; k++)
		run_finish(&a->p->runs[k]);
	call_paths_finish(&a->p->call_paths);
	if (a->p->slabs)
		slabs_finish(a->p->slabs);
	if (areas_finish(&a->p->areas))
		return -ENOMEM;
	while (a->next < a->nr_stops)
		stop_at(a, &a->stops[a->next++]);
	if (a->p->kernel.end == a->p->kernel.n)
		for (unsigned int k = 0; k < a->p->nr_runs; k++)
			run_state(&a->p->runs[k], &a->p->host, a->p->runs[k].end);
	return 0;
}

int replay_events(struct replay *p, char *error)
{
	struct trace_event *e = malloc(BATCH * sizeof(*e));
	struct pass a = {.p = p};
	uint64_t events = 0;
	int err = e ? plan(&a) : -ENOMEM;
	long n = 1;

	trace_reader_sizes(p->reader, &(uint64_t){0}, &(uint64_t){0}, &events);
	while (!err && n > 0) {
		n = trace_reader_next(p->reader, e, BATCH);
		if (n > 0)
			err = feed_batch(&a, e, n);
		if (!err)
			err = check_plugins(p, error);
		if (n < 0)
			err = (int)n;
		log_progress("replay: %.0f %%",
			     events ? 100.0 * (double)p->events / (double)events : 100.0);
	}
	if (!err)
		err = finish(&a);
	if (!err)
		err = check_plugins(p, error);
	log_progress("%s", "");
	free(a.stops);
	free(a.now);
	free(e);
	return err;
}
