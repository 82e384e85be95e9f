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
#include <trace/kinds.h>

#include "stacks.h"

/* An event that is left out costs its program about a fourth: no clock, no ring. */
enum { FILTERED_SHARE = 4 };

static void add(struct account_total *t, const struct account_total *x)
{
	t->fired += x->fired;
	t->recorded += x->recorded;
	t->filtered += x->filtered;
	t->lost_ring += x->lost_ring;
	t->lost_write += x->lost_write;
}

/* Since the recording began. */
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

/* What has become of them, whatever still waits in the rings. */
static uint64_t known(const struct account_total *x)
{
	return x->recorded + x->filtered + x->lost_ring + x->lost_write;
}

/* Since the file began. */
static struct account_total of_part(const struct account *a, unsigned int cpu, unsigned int kind)
{
	struct account_total x = a->end ? a->end->cpu[cpu][kind] : of_cpu(a, cpu, kind);

	if (a->base) {
		const struct account_total *from = &a->base->cpu[cpu][kind];

		x.fired -= from->fired;
		x.recorded -= from->recorded;
		x.filtered -= from->filtered;
		x.lost_ring -= from->lost_ring;
		x.lost_write -= from->lost_write;
	}
	return x;
}

static uint64_t misses(const struct account *a, unsigned int kind)
{
	uint64_t now = a->end ? a->end->recursion[kind] : probes_recursion(a->probes, kind);

	return now - (a->base ? a->base->recursion[kind] : 0);
}

struct account_total account_part(const struct account *a)
{
	struct account_total total = {0};

	for (unsigned int k = 0; k < KMT_KINDS; k++) {
		if (!probes_attached(a->probes, k))
			continue;
		for (unsigned int cpu = 0; cpu < probes_rings(a->probes)->cpus; cpu++) {
			struct account_total x = of_part(a, cpu, k);

			add(&total, &x);
		}
		total.lost_recursion += misses(a, k);
	}
	total.fired += total.lost_recursion;
	return total;
}

struct account_total account_total(const struct account *a)
{
	struct account whole = *a;

	whole.base = NULL;
	whole.end = NULL;
	return account_part(&whole);
}

struct account_base *account_base(const struct account *a)
{
	unsigned int cpus = probes_rings(a->probes)->cpus;
	struct account_base *base = calloc(1, sizeof(*base) + cpus * sizeof(base->cpu[0]));

	if (!base)
		return NULL;
	for (unsigned int k = 0; k < KMT_KINDS; k++) {
		base->recursion[k] = probes_recursion(a->probes, k);
		for (unsigned int cpu = 0; cpu < cpus; cpu++) {
			base->cpu[cpu][k] = of_cpu(a, cpu, k);
			base->cpu[cpu][k].fired = known(&base->cpu[cpu][k]);
		}
	}
	return base;
}

void account_evicted(const struct account *a, struct account_base *base, const struct flight *f)
{
	for (unsigned int cpu = 0; cpu < probes_rings(a->probes)->cpus; cpu++) {
		for (unsigned int k = 0; k < KMT_KINDS; k++) {
			struct account_total *from = &base->cpu[cpu][k];
			uint64_t since = trace_writer_recorded(a->writer, cpu, k) - from->recorded;
			uint64_t gone = since - flight_kept(f, cpu, k);

			from->recorded += gone;
			from->lost_write -= gone;
		}
	}
}

uint64_t account_program_ns(const struct account *a)
{
	struct account_total t = account_total(a);
	double whole = (double)(t.fired - t.lost_recursion - t.filtered);

	return (uint64_t)(a->cost->run_ns * (whole + (double)t.filtered / FILTERED_SHARE));
}

static json_t *rows(const struct account *a)
{
	json_t *list = json_array();

	for (unsigned int cpu = 0; cpu < probes_rings(a->probes)->cpus; cpu++) {
		for (unsigned int k = 0; k < KMT_KINDS; k++) {
			struct account_total x = of_part(a, cpu, k);

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
			json_array_append_new(list,
					      json_pack("{s:s, s:I}", "kind", trace_kind_name(k),
							"misses", (json_int_t)misses(a, k)));
	return list;
}

static json_t *totals(const struct account_total *t)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "fired", (json_int_t)t->fired,
			 "recorded", (json_int_t)t->recorded, "filtered", (json_int_t)t->filtered,
			 "lost_ring", (json_int_t)t->lost_ring, "lost_recursion",
			 (json_int_t)t->lost_recursion, "lost_write", (json_int_t)t->lost_write);
}

static json_t *integer(uint64_t n)
{
	return json_integer((json_int_t)n);
}

/* CPU time of the recorder's own process, by what it was used for. */
static json_t *by_part(const struct account *a, const struct trace_writer_stats *s)
{
	const uint64_t *ns = a->cost->ns;
	uint64_t writing = s->encode_ns + s->compress_ns + s->write_ns;
	uint64_t consume = ns[COST_CONSUME] > writing ? ns[COST_CONSUME] - writing : 0;

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "other_ns", integer(ns[COST_OTHER]),
			 "consume_ns", integer(consume), "encode_ns", integer(s->encode_ns),
			 "compress_ns", integer(s->compress_ns), "write_ns", integer(s->write_ns),
			 "snapshot_ns", integer(ns[COST_SNAPSHOT]), "sample_ns",
			 integer(ns[COST_SAMPLE]));
}

static json_t *self(const struct account *a)
{
	uint64_t programs = account_program_ns(a), elapsed = a->end_ns - a->start_ns;
	struct trace_writer_stats s;
	struct rusage u;
	json_t *doc;

	trace_writer_stats(a->writer, &s);
	getrusage(RUSAGE_SELF, &u);
	doc = json_pack("{s:I, s:I, s:o, s:o, s:o, s:o, s:o}", "cpu_user_ns",
			(json_int_t)u.ru_utime.tv_sec * 1000000000 + u.ru_utime.tv_usec * 1000,
			"cpu_sys_ns",
			(json_int_t)u.ru_stime.tv_sec * 1000000000 + u.ru_stime.tv_usec * 1000,
			"cpu", by_part(a, &s), "rss_bytes", integer((uint64_t)u.ru_maxrss * 1024),
			"ring_bytes", integer(rings_bytes(probes_rings(a->probes))), "file_bytes",
			integer(s.bytes), "own_events", integer(consumer_own_events(a->consumer)));
	if (elapsed)
		json_object_set_new(doc, "bytes_per_second",
				    json_real((double)s.bytes * 1e9 / (double)elapsed));
	if (programs) {
		json_object_set_new(doc, "programs_ns", integer(programs));
		json_object_set_new(doc, "program_run_ns", json_real(a->cost->run_ns));
	}
	return doc;
}

static json_t *sampling(const struct overhead *o)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < o->changes && i < OVERHEAD_CHANGES_MAX; i++)
		json_array_append_new(list, json_pack("{s:o, s:i}", "from_ns",
						      integer(o->change[i].time_ns), "one_in",
						      1 << o->change[i].shift));
	return list;
}

/* Of the whole recording: a stack is told once. */
static json_t *stacks(const struct account *a)
{
	struct stacks_seen seen;
	uint64_t taken, failed;

	stacks_seen(a->stacks, &seen);
	probes_stacks(a->probes, &taken, &failed);
	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "taken", integer(taken), "failed",
			 integer(failed), "distinct", integer(seen.distinct), "cut",
			 integer(seen.cut), "left_out", integer(seen.left_out));
}

static json_t *coverage(const struct account *a)
{
	return json_pack("{s:o, s:o, s:o, s:o}", "pages_alloc_seen", integer(a->pages_alloc_seen),
			 "pages_alloc_vmstat", integer(a->pages_alloc_vmstat), "pages_free_seen",
			 integer(a->pages_free_seen), "pages_free_vmstat",
			 integer(a->pages_free_vmstat));
}

char *account_json(const struct account *a)
{
	struct account_total t = account_part(a), all = account_total(a);
	json_t *doc = json_pack("{s:I, s:o, s:o, s:o, s:o}", "duration_ns",
				(json_int_t)(a->end_ns - a->start_ns), "accounting", rows(a),
				"recursion", recursion(a), "totals", totals(&t), "self", self(a));
	char *text;

	if (!doc)
		return NULL;
	json_object_set_new(doc, "start_state", start_state_json(a->start_state));
	if (a->covered)
		json_object_set_new(doc, "coverage", coverage(a));
	if (probes_missed_calls(a->probes))
		json_object_set_new(doc, "missed_calls", integer(probes_missed_calls(a->probes)));
	if (probes_families(a->probes) & FAMILY_STACKS)
		json_object_set_new(doc, "stacks", stacks(a));
	if (a->base)
		json_object_set_new(doc, "recording_totals", totals(&all));
	if (a->overhead->changes)
		json_object_set_new(doc, "sampling", sampling(a->overhead));
	if (a->command_status >= 0)
		json_object_set_new(doc, "command_status", json_integer(a->command_status));
	text = json_dumps(doc, JSON_COMPACT);
	json_decref(doc);
	return text;
}
