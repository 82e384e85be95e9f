/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cmd_dump.c - kmemlab dump: events as text or JSON lines. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/dump_line.h"
#include "cli/view.h"
#include "common/log.h"
#include "common/nearest.h"
#include "common/out.h"
#include "common/units.h"

enum { KEY_KIND = 0x100, KEY_CPU, KEY_FROM, KEY_TO };

struct options {
	const char *path;
	bool json;
	uint64_t kinds;		      /* bit mask; 0: all */
	uint8_t cpu[KMT_CPU_MAX / 8]; /* bit set */
	bool some_cpus;
	uint64_t from_ns, to_ns; /* from the first event */
};

static const struct argp_option option_list[] = {
	{"kind", KEY_KIND, "NAME,...", 0, "These events only, e.g. mm_page_alloc,kfree", 0},
	{"cpu", KEY_CPU, "LIST", 0, "These CPUs only, e.g. 0,4-7", 0},
	{"from", KEY_FROM, "TIME", 0, "From this time after the first event, e.g. 1.5s, 20ms", 0},
	{"to", KEY_TO, "TIME", 0, "Up to this time after the first event", 0},
	{"json", 'j', NULL, 0, "Print one JSON object a line", 0},
	{0},
};

static error_t parse_kind(struct options *o, const char *name)
{
	struct nearest near = {.word = name};

	for (unsigned int kind = 0; kind < KMT_KINDS; kind++) {
		if (!strcmp(trace_kind_name(kind), "unknown"))
			continue;
		if (!strcmp(trace_kind_name(kind), name)) {
			o->kinds |= 1ull << kind;
			return 0;
		}
		nearest_offer(&near, trace_kind_name(kind));
	}
	if (nearest_name(&near))
		return cmd_usage("no event '%s'; did you mean '%s'?", name, nearest_name(&near));
	return cmd_usage("no event '%s'; 'kmemlab info' lists a trace's events", name);
}

static error_t parse_kinds(struct options *o, const char *list)
{
	char *copy = strdup(list), *rest = copy, *name;
	error_t err = copy ? 0 : ENOMEM;

	while (!err && (name = strsep(&rest, ",")))
		err = parse_kind(o, name);
	free(copy);
	return err;
}

static error_t parse_cpus(struct options *o, const char *list)
{
	const char *at = list;

	o->some_cpus = true;
	for (;;) {
		char *end;
		unsigned long first = strtoul(at, &end, 10), last = first;
		bool bad = end == at;

		if (!bad && *end == '-') {
			at = end + 1;
			last = strtoul(at, &end, 10);
			bad = end == at;
		}
		if (bad || last < first || last >= KMT_CPU_MAX || (*end && *end != ','))
			return cmd_usage("--cpu wants a list such as 0,4-7, not '%s'", list);
		for (unsigned long cpu = first; cpu <= last; cpu++)
			o->cpu[cpu / 8] |= (uint8_t)(1 << cpu % 8);
		if (!*end)
			return 0;
		at = end + 1;
	}
}

static error_t parse_time(uint64_t *ns, const char *option, const char *arg)
{
	if (units_ns(arg, ns))
		return cmd_usage("%s wants a time such as 1.5s or 20ms, not '%s'", option, arg);
	return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case KEY_KIND:
		return parse_kinds(o, arg);
	case KEY_CPU:
		return parse_cpus(o, arg);
	case KEY_FROM:
		return parse_time(&o->from_ns, "--from", arg);
	case KEY_TO:
		return parse_time(&o->to_ns, "--to", arg);
	case 'j':
		o->json = true;
		return 0;
	case ARGP_KEY_ARG:
		return view_path(&o->path, arg);
	case ARGP_KEY_NO_ARGS:
		return cmd_usage("no trace given; try 'kmemlab dump FILE.kmt'");
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	option_list,
	parse,
	"TRACE",
	"Print a trace's events, all CPUs merged by time, as text or JSON lines.\v"
	"TRACE is a .kmt file, or - for standard input. Text has seconds since the first event; "
	"JSON has CLOCK_BOOTTIME nanoseconds. Pages are told by frame number (pfn), objects by "
	"physical address (phys), or by a number of this trace's own (opaque) where they lie "
	"outside the direct map.\n\n"
	"Examples:\n"
	"  kmemlab dump host.kmt | less\n"
	"  kmemlab dump --kind mm_page_alloc_extfrag --from 2s --to 3s host.kmt\n"
	"  kmemlab dump --json --cpu 0-3 host.kmt | jq -c 'select(.order >= 3)'\n\n"
	"Exit status is 5 if the trace is damaged; intact parts are printed.",
	NULL,
	NULL,
	NULL,
};

static bool wanted(const struct options *o, const struct trace_event *e, uint64_t origin)
{
	if (o->kinds && !(o->kinds >> e->kind & 1))
		return false;
	if (o->some_cpus && !(o->cpu[e->cpu / 8] >> e->cpu % 8 & 1))
		return false;
	return e->time_ns - origin >= o->from_ns;
}

static long print_events(const struct options *o, const struct view *v, struct dump_lines *lines)
{
	static struct trace_event e[1024];
	static char line[DUMP_LINE_MAX];
	uint64_t origin, last;
	long n;

	trace_reader_times(v->reader, &origin, &last);
	while (!out_failed() && (n = trace_reader_next(v->reader, e, 1024)) != 0) {
		if (n < 0)
			return n;
		for (long i = 0; i < n; i++) {
			if (e[i].time_ns - origin > o->to_ns)
				return 0;
			if (wanted(o, &e[i], origin))
				out_bytes(line, dump_line(lines, &e[i], origin, line));
		}
	}
	return 0;
}

static void print_comment(const struct view *v)
{
	const json_t *clock = json_object_get(v->header, "clock");
	uint64_t first, last;

	trace_reader_times(v->reader, &first, &last);
	out_text("# kmemlab %s\n# time 0 is CLOCK_BOOTTIME %" PRIu64 " ns; recording began at "
		 "%" JSON_INTEGER_FORMAT " ns, Unix time %" JSON_INTEGER_FORMAT " ns\n"
		 "# seconds [cpu] event address fields\n",
		 v->name, first, json_integer_value(json_object_get(clock, "start_boottime_ns")),
		 json_integer_value(json_object_get(clock, "start_realtime_ns")));
}

int cmd_dump(int argc, char **argv)
{
	struct options o = {.to_ns = UINT64_MAX};
	struct dump_lines *lines;
	struct view v;
	int status = cmd_parse(&argp, argc, argv, 0, &o);
	long err;

	if (status >= 0)
		return status;
	status = view_open(&v, o.path);
	if (status >= 0)
		return status;
	if (!o.json)
		print_comment(&v);
	lines = dump_lines_new(&v, o.json);
	err = lines ? print_events(&o, &v, lines) : -ENOMEM;
	dump_lines_free(lines);
	return view_close(&v, err ? view_read_failed(&v, err) : EXIT_DONE);
}
