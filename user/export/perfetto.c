/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * perfetto.c - a trace as trace event JSON, which ui.perfetto.dev draws:
 *
 *   process "CPUs"      a thread a CPU: what ran there, as slices
 *   process "memory"    counters: free memory by order (the kernel's readings); of what
 *                       the trace saw come into use, pages (migration's targets
 *                       among them) and bytes of objects live; events in each TICK_NS
 *   instants            fallbacks to another migrate type; reclaim and compaction that a
 *                       task has to wait for; each with its stack, where there is one
 *
 * Counters of events are told every TICK_NS in which there are events, and once after
 * them: the file is bounded by both the time and the events. Times are microseconds from
 * the first event.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/procfs.h"
#include "export/export.h"
#include "metrics/objects.h"
#include "metrics/stat_count.h"
#include "trace/kinds.h"

enum { BATCH = 1 << 12, TICK_NS = 10 * 1000 * 1000, PID_CPUS = 1, PID_MEMORY = 2, ORDERS = 16 };

struct drawing {
	const struct view *view;
	FILE *out;
	uint64_t origin, tick; /* tick: end of the interval being summed */
	uint64_t events;
	struct stat_count *count;
	struct {
		uint64_t since;
		const struct kmt_class *class;
	} * on; /* by CPU: what runs there */
	unsigned int cpus;
};

static double us(const struct drawing *d, uint64_t time_ns)
{
	return time_ns < d->origin ? 0 : (double)(time_ns - d->origin) / 1000;
}

/* A name inside a JSON string: nothing that ends it, ASCII alone. */
static void put_name(FILE *out, const char *s)
{
	for (; *s; s++)
		putc(*s >= ' ' && *s < 0x7f && *s != '"' && *s != '\\' ? *s : '?', out);
}

static void name_tracks(const struct drawing *d)
{
	fprintf(d->out,
		"{\"ph\":\"M\",\"name\":\"process_name\",\"pid\":%d,\"args\":{\"name\":\"CPUs\"}},"
		"\n"
		"{\"ph\":\"M\",\"name\":\"process_name\",\"pid\":%d,\"args\":{\"name\":\"memory\"}"
		"}",
		PID_CPUS, PID_MEMORY);
	for (unsigned int c = 0; c < d->cpus; c++)
		fprintf(d->out,
			",\n{\"ph\":\"M\",\"name\":\"thread_name\",\"pid\":%d,\"tid\":%u,"
			"\"args\":{\"name\":\"CPU %u\"}}",
			PID_CPUS, c + 1, c);
}

static void end_slice(struct drawing *d, unsigned int cpu, uint64_t time_ns)
{
	const struct kmt_class *c = d->on[cpu].class;

	if (!c)
		return;
	fprintf(d->out,
		",\n{\"ph\":\"X\",\"pid\":%d,\"tid\":%u,\"ts\":%.3f,\"dur\":%.3f,\"name\":\"",
		PID_CPUS, cpu + 1, us(d, d->on[cpu].since),
		(double)(time_ns - d->on[cpu].since) / 1000);
	put_name(d->out, trace_reader_string(d->view->reader, c->comm));
	fprintf(d->out, "\",\"args\":{\"pid\":%" PRIu32 ",\"tgid\":%" PRIu32 "}}", c->pid, c->tgid);
}

/* What the trace saw allocated and not freed. */
static void sum_live(const struct drawing *d, uint64_t *pages, uint64_t *bytes)
{
	uint32_t n;
	const struct stat_source *s = stat_count_sources(d->count, &n);

	*pages = *bytes = 0;
	for (; n; n--, s++) {
		const struct kmt_class *c =
			s->live ? trace_reader_class(d->view->reader, s->class_id) : NULL;

		if (c && objects_allocates(c->kind))
			*bytes += s->live * c->bytes_alloc;
		else if (c)
			*pages += s->live;
	}
}

static void put_tick(struct drawing *d)
{
	double ts = us(d, d->tick);
	uint64_t pages, bytes;

	sum_live(d, &pages, &bytes);
	fprintf(d->out,
		",\n{\"ph\":\"C\",\"pid\":%d,\"ts\":%.3f,\"name\":\"pages allocated\","
		"\"args\":{\"pages\":%" PRIu64 "}},\n"
		"{\"ph\":\"C\",\"pid\":%d,\"ts\":%.3f,\"name\":\"object bytes allocated\","
		"\"args\":{\"bytes\":%" PRIu64 "}},\n"
		"{\"ph\":\"C\",\"pid\":%d,\"ts\":%.3f,\"name\":\"events per 10 ms\","
		"\"args\":{\"events\":%" PRIu64 "}}",
		PID_MEMORY, ts, pages, PID_MEMORY, ts, bytes, PID_MEMORY, ts, d->events);
	d->events = 0;
}

/* What Perfetto shows of an instant that is selected. */
static void put_stack(const struct drawing *d, const struct kmt_class *c)
{
	char stack[VIEW_STACK_BYTES];

	if (!*view_stack(d->view, trace_class_stack(c), stack, sizeof(stack)))
		return;
	fputs(",\"stack\":\"", d->out);
	put_name(d->out, stack);
	fputs("\"", d->out);
}

/* A task has to wait for memory. */
static void put_stall(const struct drawing *d, const struct trace_event *e,
		      const struct kmt_class *c)
{
	fprintf(d->out,
		",\n{\"ph\":\"i\",\"s\":\"t\",\"pid\":%d,\"tid\":%u,\"ts\":%.3f,\"name\":\"%s\","
		"\"args\":{\"order\":%u",
		PID_CPUS, e->cpu + 1, us(d, e->time_ns), trace_kind_name(e->kind), c->order);
	put_stack(d, c);
	fputs("}}", d->out);
}

static void put_fallback(const struct drawing *d, const struct trace_event *e,
			 const struct kmt_class *c)
{
	fprintf(d->out,
		",\n{\"ph\":\"i\",\"s\":\"t\",\"pid\":%d,\"tid\":%u,\"ts\":%.3f,\"name\":"
		"\"fallback\","
		"\"args\":{\"pfn\":%" PRIu64 ",\"order\":%u,\"wanted\":\"",
		PID_CPUS, e->cpu + 1, us(d, e->time_ns), e->address, c->order);
	put_name(d->out, view_type(d->view, c->migratetype));
	fputs("\",\"taken from\":\"", d->out);
	put_name(d->out, view_type(d->view, c->fallback_type));
	fputs("\"", d->out);
	put_stack(d, c);
	fputs("}}", d->out);
}

/* All ticks up to the one of @time_ns; of those without events one tells that it is so. */
static void end_ticks(struct drawing *d, uint64_t time_ns)
{
	for (int i = 0; i < 2 && time_ns >= d->tick; i++) {
		put_tick(d);
		d->tick += TICK_NS;
	}
	if (time_ns >= d->tick)
		d->tick += (time_ns - d->tick) / TICK_NS * TICK_NS + TICK_NS;
}

static void take(struct drawing *d, const struct trace_event *e)
{
	const struct kmt_class *c = trace_reader_class(d->view->reader, e->class_id);

	if (!c || e->cpu >= d->cpus)
		return;
	end_ticks(d, e->time_ns);
	d->events++;
	if (e->kind == KMT_TASK) {
		end_slice(d, e->cpu, e->time_ns);
		d->on[e->cpu].since = e->time_ns;
		d->on[e->cpu].class = c;
	} else if (e->kind == KMT_EXTFRAG) {
		put_fallback(d, e, c);
	} else if (kind_has_stack(e->kind) && kind_info(e->kind)->family == FAMILY_PRESSURE) {
		put_stall(d, e, c);
	}
}

/* The kernel's own readings: free memory by order, all zones. */
static void put_buddyinfo(const struct drawing *d, const struct trace_text *t)
{
	struct proc_buddyinfo info;
	uint64_t mib[ORDERS] = {0};

	if (proc_buddyinfo_parse(t->text, &info))
		return;
	for (size_t z = 0; z < info.n; z++)
		for (unsigned int o = 0; o < info.zones[z].orders && o < ORDERS; o++)
			mib[o] += info.zones[z].blocks[o] << o;
	fprintf(d->out,
		",\n{\"ph\":\"C\",\"pid\":%d,\"ts\":%.3f,\"name\":\"free MiB by order\","
		"\"args\":{",
		PID_MEMORY, us(d, t->time_ns));
	for (unsigned int o = 0; o < ORDERS; o++)
		if (mib[o] || o < 11)
			fprintf(d->out, "%s\"order %u\":%.2f", o ? "," : "", o,
				(double)mib[o] / 256);
	fputs("}}", d->out);
	proc_buddyinfo_free(&info);
}

static void put_readings(const struct drawing *d)
{
	for (size_t i = 0; i < trace_reader_texts(d->view->reader); i++) {
		struct trace_text t;

		if (trace_reader_text(d->view->reader, i, &t))
			continue;
		if (!strcmp(t.name, "buddyinfo"))
			put_buddyinfo(d, &t);
		trace_text_free(&t);
	}
}

static int draw(struct drawing *d)
{
	static struct trace_event e[BATCH];
	uint64_t last;
	long n;

	trace_reader_times(d->view->reader, &d->origin, &last);
	d->tick = d->origin + TICK_NS;
	fputs("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n", d->out);
	name_tracks(d);
	put_readings(d);
	while ((n = trace_reader_next(d->view->reader, e, BATCH)) != 0) {
		if (n < 0)
			return (int)n;
		for (long i = 0; i < n; i++) {
			int err;

			take(d, &e[i]);
			err = stat_count_feed(d->count, &e[i], 1);
			if (err)
				return err;
		}
	}
	put_tick(d);
	for (unsigned int c = 0; c < d->cpus; c++)
		end_slice(d, c, last);
	fputs("\n]}\n", d->out);
	return fflush(d->out) || ferror(d->out) ? -EIO : 0;
}

int export_perfetto(const struct view *v, FILE *out)
{
	struct drawing d = {.view = v, .out = out, .cpus = trace_reader_cpus(v->reader)};
	int err = -ENOMEM;

	d.on = calloc((size_t)d.cpus + 1, sizeof(*d.on));
	d.count = stat_count_new(v->reader);
	if (d.on && d.count)
		err = draw(&d);
	stat_count_free(d.count);
	free(d.on);
	return err;
}
