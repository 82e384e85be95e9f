/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* callpaths.c - see callpaths.h */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <kmemlab/latency.h>

#include "replay/callpaths.h"
#include "trace/trace_io.h"

static int by_end(const void *x, const void *y)
{
	const struct path_call *a = x, *b = y;

	if (a->end_ns != b->end_ns)
		return a->end_ns < b->end_ns ? -1 : 1;
	return (a->index > b->index) - (a->index < b->index);
}

/* Those of pages; the file is not trusted. */
static void read_samples(struct call_paths *c, const json_t *samples)
{
	for (size_t i = 0; i < c->samples; i++) {
		const json_t *s = json_array_get(samples, i), *order = json_object_get(s, "order");
		json_int_t end = json_integer_value(json_object_get(s, "time_ns"));
		json_int_t ns = json_integer_value(json_object_get(s, "ns"));
		json_int_t o = json_integer_value(order);

		c->path[i] = PATHS;
		if (order && o >= 0 && o < CALL_PATHS_ORDERS && ns >= 0 && ns <= end)
			c->call[c->n++] = (struct path_call){.begin_ns = (uint64_t)(end - ns),
							     .end_ns = (uint64_t)end,
							     .index = i,
							     .order = (unsigned int)o};
	}
	qsort(c->call, c->n, sizeof(*c->call), by_end);
}

int call_paths_init(struct call_paths *c, const json_t *samples, unsigned int nr_cpus)
{
	size_t n = json_array_size(samples);

	memset(c, 0, sizeof(*c));
	c->samples = n < KML_LATENCY_SAMPLES ? n : KML_LATENCY_SAMPLES;
	c->nr_cpus = nr_cpus;
	c->call = calloc(c->samples + 1, sizeof(*c->call));
	c->path = calloc(c->samples + 1, sizeof(*c->path));
	c->latest = calloc((size_t)nr_cpus * CALL_PATHS_ORDERS + 1, sizeof(*c->latest));
	if (!c->call || !c->path || !c->latest)
		return -ENOMEM;
	read_samples(c, samples);
	return 0;
}

void call_paths_destroy(struct call_paths *c)
{
	free(c->call);
	free(c->path);
	free(c->latest);
	memset(c, 0, sizeof(*c));
}

static uint8_t settle(const struct call_paths *c, const struct path_call *call)
{
	uint8_t path = PATHS;

	for (unsigned int cpu = 0; cpu < c->nr_cpus; cpu++) {
		const struct path_latest *l = &c->latest[cpu * CALL_PATHS_ORDERS + call->order];

		if (!l->time_ns || l->time_ns < call->begin_ns)
			continue;
		if (path != PATHS && path != l->path)
			return PATHS;
		path = l->path;
	}
	return path;
}

static void settle_until(struct call_paths *c, uint64_t time_ns)
{
	for (; c->next < c->n && c->call[c->next].end_ns < time_ns; c->next++)
		c->path[c->call[c->next].index] = settle(c, &c->call[c->next]);
}

void call_paths_event(struct call_paths *c, const struct trace_event *e, enum path path)
{
	settle_until(c, e->time_ns);
	if (e->cpu < c->nr_cpus && e->order < CALL_PATHS_ORDERS)
		c->latest[e->cpu * CALL_PATHS_ORDERS + e->order] =
			(struct path_latest){e->time_ns, (uint8_t)path};
}

void call_paths_finish(struct call_paths *c)
{
	settle_until(c, UINT64_MAX);
}

enum path call_paths_of(const struct call_paths *c, size_t index)
{
	return index < c->samples ? (enum path)c->path[index] : PATHS;
}
