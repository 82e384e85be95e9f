// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* latency.c - load and attach latency.bpf.c, and put what it counted into JSON. */
#include "latency.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/histogram.h"
#include "latency.skel.h"
#include "probe_table.h"

enum {
	CELLS = KML_LATENCY_WHATS * KML_LATENCY_CLASSES,
};

struct stopwatch {
	struct latency *skel;
};

/* A function's names over time, and the programs at its ends. */
static const struct {
	const char *enter, *leave;
	const char *names[4];
} functions[] = {
	/* Since 6.15 the pages' core has no reference to count. */
	{"pages_enter",
	 "pages_leave",
	 {"__alloc_frozen_pages_noprof", "__alloc_pages_noprof", "__alloc_pages", NULL}},
	{"kmalloc_enter", "kmalloc_leave", {"__kmalloc_noprof", "__kmalloc", NULL}},
	{"fixed_enter", "fixed_leave", {"__kmalloc_cache_noprof", "kmalloc_trace", NULL}},
	{"cache_enter", "cache_leave", {"kmem_cache_alloc_noprof", "kmem_cache_alloc", NULL}},
};

enum {
	FUNCTIONS = sizeof(functions) / sizeof(functions[0]),
};

static void aim(struct stopwatch *l, const char *program, const char *function)
{
	struct bpf_program *p = bpf_object__find_program_by_name(l->skel->obj, program);
	bool there = function && !bpf_program__set_attach_target(p, 0, function);

	bpf_program__set_autoload(p, there);
}

static int load(struct stopwatch *l)
{
	struct btf *btf = btf__load_vmlinux_btf();

	for (int i = 0; i < FUNCTIONS; i++) {
		const char *name = probe_function(btf, functions[i].names);

		aim(l, functions[i].enter, name);
		aim(l, functions[i].leave, name);
	}
	btf__free(btf);
	return latency__load(l->skel);
}

/* By fentry alone: a kprobe takes as long as what it would measure. */
struct stopwatch *latency_start(enum attach_way way, const char **why)
{
	bool fentry = way == ATTACH_AUTO || way == ATTACH_FENTRY;
	struct stopwatch *l;
	int err = -ENOMEM;

	*why = fentry ? probe_functions_silent() : "measured by fentry alone";
	if (*why)
		return NULL;
	l = calloc(1, sizeof(*l));
	if (l)
		l->skel = latency__open();
	if (l && l->skel)
		err = load(l);
	if (!err)
		err = latency__attach(l->skel);
	if (!err)
		return l;
	latency_free(l);
	*why = err == -ENOENT ? "this kernel has none of them" : strerror(-err);
	return NULL;
}

void latency_free(struct stopwatch *l)
{
	if (l)
		latency__destroy(l->skel);
	free(l);
}

/* ---- JSON -------------------------------------------------------------- */

static const char *const what_names[KML_LATENCY_WHATS] = {
	[KML_LATENCY_PAGES] = "pages",
	[KML_LATENCY_KMALLOC] = "kmalloc",
	[KML_LATENCY_CACHE] = "cache",
};

/* Orders as they are, sizes as the largest of their class. */
static json_int_t class_value(unsigned int what, unsigned int class)
{
	return what == KML_LATENCY_PAGES ? (json_int_t) class : (json_int_t)1 << class;
}

static json_t *rows(const struct kml_latency_cell *cells)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < CELLS; i++) {
		const struct kml_latency_cell *c = &cells[i];
		unsigned int what = i / KML_LATENCY_CLASSES, class = i % KML_LATENCY_CLASSES;

		if (c->calls)
			json_array_append_new(
				list,
				json_pack(
					"{s:s, s:I, s:I, s:I, s:I, s:o}", "what", what_names[what],
					what == KML_LATENCY_PAGES ? "order" : "bytes",
					class_value(what, class), "calls", (json_int_t)c->calls,
					"sum_ns", (json_int_t)c->sum_ns, "max_ns",
					(json_int_t)c->max_ns, "histogram", latency_histogram(c)));
	}
	return list;
}

static json_t *single_calls(const struct kml_latency_sample *s, unsigned int n)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < n; i++)
		if (s[i].what < KML_LATENCY_WHATS)
			json_array_append_new(
				list, json_pack("{s:I, s:I, s:s, s:I}", "time_ns",
						(json_int_t)s[i].time_ns, "ns", (json_int_t)s[i].ns,
						"what", what_names[s[i].what],
						s[i].what == KML_LATENCY_PAGES ? "order" : "bytes",
						class_value(s[i].what, s[i].class_ % 32)));
	return list;
}

char *latency_table_json(const struct kml_latency_cell *cells,
			 const struct kml_latency_sample *samples, unsigned int n, uint64_t missed)
{
	json_t *doc = json_pack("{s:i, s:I, s:o, s:o}", "buckets_per_octave", 4, "missed",
				(json_int_t)missed, "rows", rows(cells), "samples",
				single_calls(samples, n));
	char *text = doc ? json_dumps(doc, JSON_COMPACT) : NULL;

	json_decref(doc);
	return text;
}

char *latency_json(struct stopwatch *l)
{
	int cpus = libbpf_num_possible_cpus(), map = bpf_map__fd(l->skel->maps.cells);
	struct kml_latency_cell *cells = calloc(CELLS, sizeof(*cells));
	struct kml_latency_cell *each = calloc((size_t)cpus, sizeof(*each));
	const struct latency__bss *bss = l->skel->bss;
	char *text = NULL;

	latency__detach(l->skel);
	for (uint32_t i = 0; cells && each && i < CELLS; i++) {
		if (bpf_map_lookup_elem(map, &i, each))
			continue;
		for (int cpu = 0; cpu < cpus; cpu++)
			latency_add(&cells[i], &each[cpu]);
	}
	if (cells && each)
		text = latency_table_json(cells, (const void *)bss->sample,
					  bss->samples < KML_LATENCY_SAMPLES
						  ? (unsigned int)bss->samples
						  : KML_LATENCY_SAMPLES,
					  bss->missed);
	free(cells);
	free(each);
	return text;
}
