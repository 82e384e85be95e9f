// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * account.c - what became of every event.
 *
 *   fired = recorded + filtered + lost_ring + lost_write + lost_recursion
 *
 * per CPU and kind, except lost_recursion: the kernel counts those per program,
 * so they stand per kind and in the totals. The left side comes from the
 * programs' own counters (and the kernel's, for recursion), the right side from
 * what the writer wrote: that they agree is a check, not a definition.
 */
#include "account.h"

#include <jansson.h>
#include <stdlib.h>
#include <sys/resource.h>

static void add(struct account_total *t, const struct account_total *x)
{
	t->fired += x->fired;
	t->recorded += x->recorded;
	t->filtered += x->filtered;
	t->lost_ring += x->lost_ring;
	t->lost_write += x->lost_write;
}

static struct account_total of_cpu(const struct account *a, unsigned int cpu, unsigned int kind)
{
	const struct kml_count *c = &ring_of(probes_rings(a->probes), cpu)->count[kind];

	return (struct account_total){
		.fired = c->fired,
		.filtered = c->filtered,
		.lost_ring = c->lost_ring,
		.recorded = trace_writer_recorded(a->writer, cpu, kind),
		.lost_write = trace_writer_lost_write(a->writer, cpu, kind),
	};
}

struct account_total account_total(const struct account *a)
{
	struct account_total total = {0};

	for (unsigned int k = 0; k < KMT_KINDS; k++) {
		uint64_t misses = probes_recursion(a->probes, k);

		if (!probes_attached(a->probes, k))
			continue;
		for (unsigned int cpu = 0; cpu < probes_rings(a->probes)->cpus; cpu++) {
			struct account_total x = of_cpu(a, cpu, k);

			add(&total, &x);
		}
		total.lost_recursion += misses;
		total.fired += misses;
	}
	return total;
}

static json_t *rows(const struct account *a)
{
	json_t *list = json_array();

	for (unsigned int cpu = 0; cpu < probes_rings(a->probes)->cpus; cpu++) {
		for (unsigned int k = 0; k < KMT_KINDS; k++) {
			struct account_total x = of_cpu(a, cpu, k);

			if (!probes_attached(a->probes, k))
				continue;
			json_array_append_new(list,
					      json_pack("{s:i, s:s, s:I, s:I, s:I, s:I, s:I}",
							"cpu", (int)cpu, "kind", trace_kind_name(k),
							"fired", (json_int_t)x.fired, "recorded",
							(json_int_t)x.recorded, "filtered",
							(json_int_t)x.filtered, "lost_ring",
							(json_int_t)x.lost_ring, "lost_write",
							(json_int_t)x.lost_write));
		}
	}
	return list;
}

static json_t *recursion(const struct account *a)
{
	json_t *list = json_array();

	for (unsigned int k = 0; k < KMT_KINDS; k++)
		if (probes_attached(a->probes, k))
			json_array_append_new(
				list, json_pack("{s:s, s:I}", "kind", trace_kind_name(k), "misses",
						(json_int_t)probes_recursion(a->probes, k)));
	return list;
}

static json_t *totals(const struct account_total *t)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "fired", (json_int_t)t->fired,
			 "recorded", (json_int_t)t->recorded, "filtered", (json_int_t)t->filtered,
			 "lost_ring", (json_int_t)t->lost_ring, "lost_recursion",
			 (json_int_t)t->lost_recursion, "lost_write", (json_int_t)t->lost_write);
}

static json_t *self(const struct account *a)
{
	struct trace_writer_stats s;
	struct rusage u;

	trace_writer_stats(a->writer, &s);
	getrusage(RUSAGE_SELF, &u);
	return json_pack("{s:I, s:I, s:I, s:I, s:I}", "cpu_user_ns",
			 (json_int_t)u.ru_utime.tv_sec * 1000000000 + u.ru_utime.tv_usec * 1000,
			 "cpu_sys_ns",
			 (json_int_t)u.ru_stime.tv_sec * 1000000000 + u.ru_stime.tv_usec * 1000,
			 "rss_bytes", (json_int_t)u.ru_maxrss * 1024, "ring_bytes",
			 (json_int_t)rings_bytes(probes_rings(a->probes)), "file_bytes",
			 (json_int_t)s.bytes);
}

char *account_json(const struct account *a)
{
	struct account_total t = account_total(a);
	json_t *doc = json_pack("{s:I, s:o, s:o, s:o, s:o}", "duration_ns",
				(json_int_t)(a->end_ns - a->start_ns), "accounting", rows(a),
				"recursion", recursion(a), "totals", totals(&t), "self", self(a));
	char *text;

	if (!doc)
		return NULL;
	if (a->covered)
		json_object_set_new(doc, "coverage",
				    json_pack("{s:I, s:I, s:I, s:I}", "pages_alloc_seen",
					      (json_int_t)a->pages_alloc_seen, "pages_alloc_vmstat",
					      (json_int_t)a->pages_alloc_vmstat, "pages_free_seen",
					      (json_int_t)a->pages_free_seen, "pages_free_vmstat",
					      (json_int_t)a->pages_free_vmstat));
	if (a->command_status >= 0)
		json_object_set_new(doc, "command_status", json_integer(a->command_status));
	text = json_dumps(doc, JSON_COMPACT);
	json_decref(doc);
	return text;
}
