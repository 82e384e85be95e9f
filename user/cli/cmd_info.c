/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cmd_info.c - kmemlab info: what a trace is, and how far it can be trusted. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/info.h"
#include "cli/view.h"
#include "common/log.h"
#include "common/out.h"
#include "common/procfs.h"
#include "common/utf8.h"
#include "trace/text_json.h"

struct info {
	const char *path;
	bool json;
	uint64_t events[KMT_KINDS];
	uint64_t total;
};

static const struct argp_option options[] = {
	{"json", 'j', NULL, 0, "Print JSON (documented in user/README.md)", 0},
	{0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct info *in = state->input;

	switch (key) {
	case 'j':
		in->json = true;
		return 0;
	case ARGP_KEY_ARG:
		return view_path(&in->path, arg);
	case ARGP_KEY_NO_ARGS:
		return cmd_usage("no trace given; try 'kmemlab info FILE.kmt'");
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	options,
	parse,
	"TRACE",
	"Print what a trace holds: host, events, accounting, coverage, snapshots, damage.\v"
	"TRACE is a .kmt file, or - for standard input.\n\n"
	"Examples:\n"
	"  kmemlab info host.kmt\n"
	"  kmemlab info --json host.kmt | jq .accounting\n\n"
	"Exit status is 5 if the trace is damaged; intact parts are counted.",
	NULL,
	NULL,
	NULL,
};

static long count_events(struct view *v, struct info *in)
{
	static struct trace_event e[4096];
	long n;

	while ((n = trace_reader_next(v->reader, e, 4096)) > 0) {
		for (long i = 0; i < n; i++)
			in->events[e[i].kind % KMT_KINDS]++;
		in->total += (uint64_t)n;
		log_progress("%" PRIu64 " events", in->total);
	}
	log_progress_done();
	return n;
}

/* ---- Facts ------------------------------------------------------------- */

/* Pages that have a struct page: the zones' present pages, else all memory. */
static uint64_t pages_present(struct view *v)
{
	const json_t *host = json_object_get(v->header, "host");
	json_int_t page = json_integer_value(json_object_get(host, "page_size"));
	json_int_t kb = json_integer_value(json_object_get(host, "mem_total_kb"));
	struct proc_zoneinfo zones;
	struct trace_text t;
	uint64_t pages = 0;

	if (!trace_reader_find_text(v->reader, "zoneinfo", KMT_PHASE_START, &t)) {
		if (!proc_zoneinfo_parse(t.text, &zones)) {
			for (size_t i = 0; i < zones.n; i++)
				pages += zones.zones[i].present;
			proc_zoneinfo_free(&zones);
		}
		trace_text_free(&t);
	}
	if (!pages && page > 0 && kb > 0)
		pages = (uint64_t)kb * 1024 / (uint64_t)page;
	return pages;
}

/* Robert Love's question: what do all the struct pages cost? NULL if unknown. */
static json_t *memmap(struct view *v)
{
	const json_t *host = json_object_get(v->header, "host");
	json_int_t bytes = json_integer_value(json_object_get(v->header, "struct_page_bytes"));
	json_int_t page = json_integer_value(json_object_get(host, "page_size"));
	uint64_t pages = pages_present(v);
	json_int_t overhead;

	if (bytes <= 0 || page <= 0 || !pages)
		return NULL;
	if (__builtin_mul_overflow(pages, bytes, &overhead))
		return NULL;
	return json_pack("{s:I, s:I, s:I, s:f}", "struct_page_bytes", bytes, "pages",
			 (json_int_t)pages, "overhead_bytes", overhead, "overhead_percent",
			 100.0 * (double)bytes / (double)page);
}

/* A finished trace carries its accounting; a torn one has what block heads say. */
static json_t *accounting(const struct view *v, const struct info *in)
{
	json_t *totals = json_object_get(v->account, "totals");
	uint64_t ring, recursion, write, tasks = in->events[KMT_TASK];

	if (json_is_object(totals))
		return json_incref(totals);
	trace_reader_lost(v->reader, &ring, &recursion, &write);
	return json_pack("{s:I, s:I, s:I, s:I}", "recorded", (json_int_t)(in->total - tasks),
			 "lost_ring", (json_int_t)ring, "lost_recursion", (json_int_t)recursion,
			 "lost_write", (json_int_t)write);
}

/* A count as the trace tells it: small enough to add up a few. */
static json_int_t number(const json_t *object, const char *key)
{
	const json_int_t most = INT64_MAX / 8;
	json_int_t n = json_integer_value(json_object_get(object, key));

	return n < 0 ? 0 : n > most ? most : n;
}

/* Damage that costs events, in two words; NULL if there is none. */
static const char *damaged(const struct view *v, const json_t *account, uint64_t recorded)
{
	const json_t *told = json_object_get(account, "recorded");
	struct trace_damage d;

	trace_reader_damage(v->reader, &d);
	if (d.bad_blocks || d.missing_blocks || d.undefined_classes || d.torn)
		return "the file is damaged";
	if (d.unfinished)
		return "the recorder did not finish";
	if (!v->account)
		return "no accounting";
	if (told && (uint64_t)json_integer_value(told) != recorded)
		return "the file holds another number of events than were recorded";
	return NULL;
}

static void verdict(const struct view *v, const struct info *in, const json_t *account, char *text,
		    size_t size)
{
	const char *why = damaged(v, account, in->total - in->events[KMT_TASK]);
	json_int_t fired = number(account, "fired"), lost = number(account, "lost_ring");
	json_int_t missed = number(v->account, "missed_calls");

	lost += number(account, "lost_recursion") + number(account, "lost_write");
	if (lost && fired)
		snprintf(text, size, "INCOMPLETE (%lld events, %.3g %%)", (long long)lost,
			 100.0 * (double)lost / (double)fired);
	else if (lost)
		snprintf(text, size, "INCOMPLETE (%lld events)", (long long)lost);
	else if (why)
		snprintf(text, size, "INCOMPLETE (%s)", why);
	else if (missed)
		snprintf(text, size, "INCOMPLETE (kprobes missed %lld calls)", (long long)missed);
	else if (json_object_get(v->header, "imported_from"))
		snprintf(text, size, "COMPLETE as far as the other tracer tells");
	else
		snprintf(text, size, "COMPLETE%s",
			 json_array_size(json_object_get(v->header, "filters")) ||
					 json_array_size(json_object_get(v->account, "sampling"))
				 ? " but for what was left out on purpose"
				 : "");
}

static uint64_t duration(const struct view *v)
{
	const json_t *told = json_object_get(v->account, "duration_ns");
	uint64_t first, last;

	trace_reader_times(v->reader, &first, &last);
	return told ? (uint64_t)json_integer_value(told) : last - first;
}

static json_t *events_by_kind(const struct info *in)
{
	json_t *events = json_object();

	for (unsigned int kind = 0; kind < KMT_KINDS; kind++)
		if (in->events[kind])
			json_object_set_new(events, trace_kind_name(kind),
					    json_integer((json_int_t)in->events[kind]));
	return events;
}

static void copy_members(json_t *to, const json_t *from, const char *const *keys)
{
	for (; *keys; keys++) {
		json_t *value = json_object_get(from, *keys);

		if (value)
			json_object_set(to, *keys, value);
	}
}

/* Everything info says; the text form prints from it. */
static json_t *describe(struct view *v, const struct info *in)
{
	static const char *const of_header[] = {
		"kmemlab",	   "host",	"clock",	"struct_page_bytes",
		"pageblock_order", "max_order", "migratetypes", "probes",
		"families",	   "missing",	"settings",	"command",
		"recorder_pid",	   "filters",	"part",		"window",
		"max_overhead",	   NULL};
	static const char *const of_account[] = {
		"coverage",	    "recursion", "self",	 "command_status", "sampling",
		"recording_totals", "stacks",	 "missed_calls", "start_state",	   NULL};
	json_t *doc = json_object(), *account = accounting(v, in), *map = memmap(v),
	       *times = trace_reader_json(v->reader, "latency", KMT_PHASE_END);
	uint64_t bytes, event_bytes, count, first, last;
	char text[128];

	trace_reader_sizes(v->reader, &bytes, &event_bytes, &count);
	trace_reader_times(v->reader, &first, &last);
	verdict(v, in, account, text, sizeof(text));
	json_object_set_new(doc, "file", utf8_json(v->name));
	json_object_set_new(doc, "bytes", json_integer((json_int_t)bytes));
	json_object_set_new(doc, "verdict", json_string(text));
	json_object_set_new(doc, "duration_ns", json_integer((json_int_t)duration(v)));
	json_object_set_new(doc, "first_event_ns", json_integer((json_int_t)first));
	json_object_set_new(doc, "last_event_ns", json_integer((json_int_t)last));
	json_object_set_new(doc, "events_total", json_integer((json_int_t)in->total));
	json_object_set_new(doc, "events", events_by_kind(in));
	if (count) {
		json_object_set_new(doc, "event_bytes_per_event",
				    json_real((double)event_bytes / (double)count));
		json_object_set_new(doc, "bytes_per_event",
				    json_real((double)bytes / (double)count));
	}
	json_object_set_new(doc, "event_bytes", json_integer((json_int_t)event_bytes));
	json_object_set_new(doc, "accounting", account);
	copy_members(doc, v->account, of_account);
	if (map)
		json_object_set_new(doc, "memmap", map);
	copy_members(doc, v->header, of_header);
	if (times)
		json_object_set_new(doc, "latency", times);
	json_object_set_new(doc, "texts", json_integer((json_int_t)trace_reader_texts(v->reader)));
	json_object_set_new(doc, "page_blocks",
			    json_integer((json_int_t)trace_reader_pages(v->reader)));
	json_object_set_new(doc, "damage", view_damage(v));
	return doc;
}

int cmd_info(int argc, char **argv)
{
	struct info in = {0};
	struct view v;
	int status = cmd_parse(&argp, argc, argv, 0, &in);
	json_t *doc;
	long err;

	if (status >= 0)
		return status;
	status = view_open(&v, in.path);
	if (status >= 0)
		return status;
	err = count_events(&v, &in);
	if (err < 0)
		return view_close(&v, view_read_failed(&v, err));
	doc = describe(&v, &in);
	if (in.json) {
		out_json(doc);
	} else {
		info_print(doc);
		json_decref(doc);
	}
	return view_close(&v, EXIT_DONE);
}
