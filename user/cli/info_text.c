/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * info_text.c - 'kmemlab info' for people. Prints from the JSON document, so
 * the two forms cannot disagree. What the trace does not know is left out.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "cli/info.h"
#include "common/histogram.h"
#include "common/out.h"

enum { CLEAN_TEXTS = 4, CLEAN_BYTES = 4096 };

static uint64_t number(const json_t *object, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(object, key));
}

/*
 * Text of the trace, without what steers a terminal: control characters, and
 * those of C1, two bytes of UTF-8. Good until CLEAN_TEXTS more are cleaned.
 */
static const char *clean(const char *s)
{
	static char texts[CLEAN_TEXTS][CLEAN_BYTES];
	static unsigned int next;
	char *text = texts[next++ % CLEAN_TEXTS];
	size_t n = 0;

	for (; *s && n + 1 < CLEAN_BYTES; s++) {
		const unsigned char *c = (const unsigned char *)s;
		bool c1 = c[0] == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0;

		text[n++] = (char)(*c < 0x20 || *c == 0x7f || c1 ? '?' : *c);
		s += c1;
	}
	text[n] = 0;
	return text;
}

static const char *string(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? clean(s) : "?";
}

static void print_host(const json_t *doc)
{
	const json_t *host = json_object_get(doc, "host"), *word;
	const json_t *command = json_object_get(doc, "command");
	char memory[16];
	size_t i;

	if (host)
		out_text("host        Linux %s %s, %" PRIu64 " CPUs, %s memory\n",
			 string(host, "release"), string(host, "machine"),
			 number(host, "cpus_online"),
			 out_human_bytes(number(host, "mem_total_kb") * 1024, memory));
	if (json_array_size(command)) {
		out_text("command    ");
		json_array_foreach (command, i, word)
			out_text(" %s",
				 json_is_string(word) ? clean(json_string_value(word)) : "?");
		out_text("\n");
	}
	out_text("recorded by kmemlab %s\n", string(doc, "kmemlab"));
}

static void print_size(const json_t *doc)
{
	char time[16], bytes[16];

	out_text("duration    %s\n", out_human_ns(number(doc, "duration_ns"), time));
	out_text("size        %s, %" PRIu64 " events", out_human_bytes(number(doc, "bytes"), bytes),
		 number(doc, "events_total"));
	if (json_object_get(doc, "bytes_per_event"))
		out_text(", %.2f bytes an event, %.2f with snapshots",
			 json_real_value(json_object_get(doc, "event_bytes_per_event")),
			 json_real_value(json_object_get(doc, "bytes_per_event")));
	out_text("\nsnapshots   %" PRIu64 " texts, %" PRIu64 " blocks of page states\n",
		 number(doc, "texts"), number(doc, "page_blocks"));
}

/* What was left out on purpose: such a trace is no whole picture. */
static void print_choice(const json_t *doc)
{
	const json_t *word, *rate, *value, *window = json_object_get(doc, "window");
	const json_t *stacks = json_object_get(doc, "stacks");
	const char *key;
	char time[16];
	size_t i;

	json_array_foreach (json_object_get(doc, "filters"), i, word) {
		json_object_foreach ((json_t *)word, key, value)
			out_text("%s%s %s", i ? ", " : "only of     ", clean(key),
				 json_is_string(value) ? clean(json_string_value(value)) : "?");
	}
	out_text("%s", i ? "\n" : "");
	json_array_foreach (json_object_get(doc, "sampling"), i, rate)
		out_text("sampled     one allocation in %" PRIu64 " from %.3f s on\n",
			 number(rate, "one_in"), (double)number(rate, "from_ns") / 1e9);
	if (stacks)
		out_text("stacks      %" PRIu64 " distinct of %" PRIu64 " taken; %" PRIu64
			 " cut, %" PRIu64 " not had\n",
			 number(stacks, "distinct"), number(stacks, "taken"), number(stacks, "cut"),
			 number(stacks, "failed") + number(stacks, "left_out"));
	if (json_object_get(doc, "part"))
		out_text("part        file %" PRIu64 " of its recording\n", number(doc, "part"));
	if (window)
		out_text("window      %s asked for, written because of: %s; unknown at its start: "
			 "%s\n",
			 out_human_ns(number(window, "asked_ns"), time),
			 string(window, "written_because"), string(window, "unknown_at_start"));
}

static void print_trust(const json_t *doc)
{
	const json_t *a = json_object_get(doc, "accounting"), *value;
	const json_t *c = json_object_get(doc, "coverage");
	const char *key;
	bool first = true;

	out_text("verdict     %s\naccounting ", string(doc, "verdict"));
	json_object_foreach ((json_t *)a, key, value) {
		out_text("%s %s %" JSON_INTEGER_FORMAT, first ? "" : ",", clean(key),
			 json_integer_value(value));
		first = false;
	}
	out_text("\n");
	if (!c)
		return;
	out_text("coverage    pages allocated: %" PRIu64 " of the kernel's %" PRIu64
		 ", freed: %" PRIu64 " of %" PRIu64 "\n",
		 number(c, "pages_alloc_seen"), number(c, "pages_alloc_vmstat"),
		 number(c, "pages_free_seen"), number(c, "pages_free_vmstat"));
}

static void print_memmap(const json_t *doc)
{
	const json_t *m = json_object_get(doc, "memmap");
	char bytes[16];

	if (!m)
		return;
	out_text("memmap      %" PRIu64 " struct pages of %" PRIu64
		 " bytes: %s, %.2f %% of memory\n",
		 number(m, "pages"), number(m, "struct_page_bytes"),
		 out_human_bytes(number(m, "overhead_bytes"), bytes),
		 json_real_value(json_object_get(m, "overhead_percent")));
}

static void print_cost(const json_t *doc)
{
	const json_t *s = json_object_get(doc, "self");
	char user[16], sys[16], rss[16], rings[16];

	if (!s)
		return;
	out_text("recorder    %s user, %s system, %s resident, %s of rings",
		 out_human_ns(number(s, "cpu_user_ns"), user),
		 out_human_ns(number(s, "cpu_sys_ns"), sys),
		 out_human_bytes(number(s, "rss_bytes"), rss),
		 out_human_bytes(number(s, "ring_bytes"), rings));
	if (json_object_get(s, "programs_ns"))
		out_text(", programs %s", out_human_ns(number(s, "programs_ns"), user));
	if (json_object_get(s, "own_events"))
		out_text(", %" PRIu64 " events of its own", number(s, "own_events"));
	out_text("\n");
}

static const char *how(const json_t *doc, const char *name)
{
	const json_t *probe;
	size_t i;

	json_array_foreach (json_object_get(doc, "probes"), i, probe) {
		if (!strcmp(string(probe, "name"), name))
			return string(probe, "how");
	}
	return "";
}

static void print_events(const json_t *doc)
{
	static const struct out_column columns[] = {
		{"event", "event", OUT_STRING},
		{"count", "count", OUT_UINT},
		{"attached by", "how", OUT_STRING},
	};
	struct out_table *t = out_table_new("events", columns, 3);
	json_t *events = json_object_get(doc, "events"), *value;
	const char *key;

	if (!t)
		return;
	json_object_foreach (events, key, value) {
		union out_value row[] = {
			{.s = key},
			{.u = (uint64_t)json_integer_value(value)},
			{.s = how(doc, key)},
		};

		out_table_row(t, row);
	}
	out_text("\n");
	out_table_print(t, OUT_TEXT);
	out_table_free(t);
}

static void print_latency(const json_t *doc)
{
	static const struct out_column columns[] = {
		{"latency of", "what", OUT_STRING}, {"order or size", "class", OUT_UINT},
		{"calls", "calls", OUT_UINT},	    {"median ns", "p50_ns", OUT_UINT},
		{"99 % ns", "p99_ns", OUT_UINT},    {"99.9 % ns", "p999_ns", OUT_UINT},
		{"longest ns", "max_ns", OUT_UINT},
	};
	const json_t *rows = json_object_get(json_object_get(doc, "latency"), "rows"), *row;
	struct out_table *t = json_array_size(rows) ? out_table_new("latency", columns, 7) : NULL;
	size_t i;

	if (!t)
		return;
	json_array_foreach (rows, i, row) {
		union out_value values[] = {
			{.s = string(row, "what")},
			{.u = number(row, "order") + number(row, "bytes")},
			{.u = number(row, "calls")},
			{.u = (uint64_t)latency_quantile(row, 0.5)},
			{.u = (uint64_t)latency_quantile(row, 0.99)},
			{.u = (uint64_t)latency_quantile(row, 0.999)},
			{.u = number(row, "max_ns")},
		};

		out_table_row(t, values);
	}
	out_text("\n");
	out_table_print(t, OUT_TEXT);
	out_table_free(t);
}

/* What a replay begins with. */
static void print_start(const json_t *doc)
{
	const json_t *parts = json_object_get(doc, "start_state"), *p;
	size_t i;

	if (json_array_size(parts))
		out_text("\nstate at the start:\n");
	json_array_foreach (parts, i, p) {
		out_text("  %-8s  %s", string(p, "how"), string(p, "what"));
		if (json_object_get(p, "count"))
			out_text(": %" PRIu64, number(p, "count"));
		if (json_object_get(p, "why"))
			out_text(" (%s)", string(p, "why"));
		out_text("\n");
	}
}

static void print_missing(const json_t *doc)
{
	const json_t *missing = json_object_get(doc, "missing"), *m;
	size_t i;

	if (json_array_size(missing))
		out_text("\nnot seen by this recording:\n");
	json_array_foreach (missing, i, m) {
		out_text("  %s: %s\n", string(m, "what"), string(m, "why"));
	}
}

void info_print(struct json_t *doc)
{
	out_text("trace       %s\n", string(doc, "file"));
	print_host(doc);
	print_size(doc);
	print_choice(doc);
	print_trust(doc);
	print_memmap(doc);
	print_cost(doc);
	print_events(doc);
	print_latency(doc);
	print_start(doc);
	print_missing(doc);
}
