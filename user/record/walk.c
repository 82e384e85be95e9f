// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * walk.c - run the programs of walk.bpf.c, zone by zone and CPU by CPU, and write
 * what they found. All or nothing: half of the lists would be read as all.
 */
#include "walk.h"

#include <common/procfs.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <kmemlab/walk.h>

#include "files.h"
#include "record.h"
#include "run_prog.h"
#include "walk.skel.h"

enum {
	NODE_ZONES = 8, /* more than any kernel has of a node */
	TRIES = 200,
	NAP_NS = 50000,
	TYPE_MASK = 7, /* of a pageblock's flags */
	SECTION_ORDER = KML_WALK_SECTION_BITS - 12,
	COSTLY_ORDER = 3,
	PCP_TYPES = 3,
	MOVABLE = 1,
};

/* Is there a way? Where the kernel hides its variables the first try tells. */
static int load(struct walk *w)
{
	int err = walk__load(w);

	err = err ? err : run_prog_on(w->progs.read_lists, 0);
	return !err && w->bss->lists.status == KML_WALK_NO_SYMBOLS ? -ENOENT : err;
}

struct walk *walk_open(const struct kernel_bases *bases)
{
	struct walk *w = walk__open();
	int err;

	if (!w)
		return NULL;
	w->rodata->vmemmap_base = bases->vmemmap;
	w->rodata->page_struct_bytes = bases->page_struct_bytes;
	err = load(w);
	if (!err)
		return w;
	walk__destroy(w);
	errno = -err;
	return NULL;
}

void walk_close(struct walk *w)
{
	walk__destroy(w);
}

const char *walk_why(int err)
{
	switch (-err) {
	case ENOENT:
		return "/proc/kallsyms does not show the kernel's variables";
	case EBUSY:
		return "they changed all the time";
	default:
		return strerror(-err);
	}
}

/* ---- Per-CPU lists ----------------------------------------------------- */

/* Is what was read whole? A page that was moved meanwhile shows in the sum. */
static bool adds_up(const struct kml_walk_lists *l, unsigned int pageblock_order)
{
	uint64_t pages = 0;
	uint32_t at = 0;

	if (l->status != KML_WALK_DONE || l->nr_lists > KML_WALK_LISTS)
		return false;
	for (uint32_t i = 0; i < l->nr_lists; i++) {
		unsigned int order =
			i / PCP_TYPES <= COSTLY_ORDER ? i / PCP_TYPES : pageblock_order;

		pages += (uint64_t)(l->end[i] - at) << order;
		at = l->end[i];
	}
	return pages == l->count;
}

/* Return: 1 read, 0 nothing there, -errno */
static int read_lists(struct walk *w, unsigned int cpu, unsigned int pageblock_order)
{
	struct kml_walk_lists *l = &w->bss->lists;
	const struct timespec nap = {.tv_nsec = NAP_NS};

	l->cpu = cpu;
	for (int i = 0; i < TRIES; i++) {
		int err = run_prog_on(w->progs.read_lists, cpu);

		if (err == -ENXIO) /* offline: its lists were drained */
			return 0;
		if (err)
			return err;
		if (l->status == KML_WALK_NOTHING)
			return 0;
		if (l->status == KML_WALK_NO_SYMBOLS)
			return -ENOENT;
		if (adds_up(l, pageblock_order))
			return 1;
		nanosleep(&nap, NULL);
	}
	return -EBUSY;
}

static json_t *list_pages(const struct kml_walk_lists *l, uint32_t from, uint32_t to)
{
	json_t *pfns = json_array();

	for (; from < to; from++)
		json_array_append_new(pfns, json_integer(l->pfn[from]));
	return pfns;
}

static json_t *lists_json(const struct kml_walk_lists *l, unsigned int pageblock_order)
{
	json_t *lists = json_array();
	uint32_t at = 0;

	for (uint32_t i = 0; i < l->nr_lists; at = l->end[i++]) {
		bool huge = i / PCP_TYPES > COSTLY_ORDER;
		unsigned int order = huge ? pageblock_order : i / PCP_TYPES;
		unsigned int type = huge ? i % PCP_TYPES == 1 ? MOVABLE : 0 : i % PCP_TYPES;

		if (l->end[i] > at)
			json_array_append_new(
				lists, json_pack("{s:i, s:i, s:o}", "order", (int)order, "type",
						 (int)type, "pfns", list_pages(l, at, l->end[i])));
	}
	return lists;
}

static json_t *cpu_json(const struct kml_walk_lists *l, unsigned int pageblock_order)
{
	json_t *o = json_pack("{s:i, s:s, s:i, s:I, s:i, s:i, s:i, s:o}", "node", (int)l->node,
			      "zone", l->name, "cpu", (int)l->cpu, "time_ns",
			      (json_int_t)l->time_ns, "count", (int)l->count, "high", (int)l->high,
			      "batch", (int)l->batch, "lists", lists_json(l, pageblock_order));

	if (o && l->free_factor >= 0)
		json_object_set_new(o, "free_factor", json_integer(l->free_factor));
	if (o && l->free_count >= 0)
		json_object_set_new(o, "free_count", json_integer(l->free_count));
	if (o && l->alloc_factor >= 0)
		json_object_set_new(o, "alloc_factor", json_integer(l->alloc_factor));
	return o;
}

static int zone_lists(struct walk *w, json_t *to, unsigned int pageblock_order)
{
	int cpus = libbpf_num_possible_cpus();

	for (int cpu = 0; cpu < cpus; cpu++) {
		int got = read_lists(w, (unsigned int)cpu, pageblock_order);

		if (got < 0)
			return got;
		if (got && json_array_append_new(to, cpu_json(&w->bss->lists, pageblock_order)))
			return -ENOMEM;
	}
	return 0;
}

static int all_lists(struct walk *w, json_t *to, unsigned int pageblock_order,
		     const struct proc_zoneinfo *zones)
{
	unsigned int nodes = 0;
	int err = 0;

	for (size_t i = 0; i < zones->n; i++)
		if (zones->zones[i].node >= nodes)
			nodes = zones->zones[i].node + 1;
	for (unsigned int i = 0; !err && i < nodes * NODE_ZONES; i++) {
		w->bss->lists.node = i / NODE_ZONES;
		w->bss->lists.zone = i % NODE_ZONES;
		err = zone_lists(w, to, pageblock_order);
	}
	return err;
}

/* ---- Pageblocks -------------------------------------------------------- */

/* Runs of pageblocks of one type: [first pfn, pageblocks, type]. */
struct type_runs {
	json_t *list;
	unsigned int pageblock_order;
	uint64_t first, blocks;
	unsigned int type;
};

static void end_run(struct type_runs *r)
{
	if (r->blocks)
		json_array_append_new(r->list, json_pack("[I, I, i]", (json_int_t)r->first,
							 (json_int_t)r->blocks, (int)r->type));
	r->blocks = 0;
}

static void add_section(struct type_runs *r, uint64_t pfn, const __u64 *flags)
{
	unsigned int blocks = 1u << (SECTION_ORDER - r->pageblock_order);

	for (unsigned int b = 0; b < blocks; b++, pfn += 1ull << r->pageblock_order) {
		unsigned int type = flags[b / 16] >> b % 16 * 4 & TYPE_MASK;

		if (r->blocks &&
		    (type != r->type || pfn != r->first + (r->blocks << r->pageblock_order)))
			end_run(r);
		if (!r->blocks) {
			r->first = pfn;
			r->type = type;
		}
		r->blocks++;
	}
}

static int read_types(struct walk *w, struct type_runs *r, uint64_t end_pfn, uint64_t *time_ns)
{
	uint64_t sections = (end_pfn + (1 << SECTION_ORDER) - 1) >> SECTION_ORDER;
	struct kml_walk_types *t = &w->bss->types;

	for (uint64_t first = 0; first < sections; first += KML_WALK_SECTIONS) {
		int err;

		t->first = (uint32_t)first;
		t->end = (uint32_t)sections;
		err = run_prog_on(w->progs.read_types, 0);
		if (!err && t->status == KML_WALK_NO_SYMBOLS)
			err = -ENOENT;
		if (err)
			return err;
		*time_ns = t->time_ns;
		for (uint64_t i = 0; i < KML_WALK_SECTIONS && first + i < sections; i++)
			if (t->present[i])
				add_section(r, (first + i) << SECTION_ORDER, t->flags[i]);
	}
	end_run(r);
	return 0;
}

static json_t *types_json(struct walk *w, unsigned int pageblock_order,
			  const struct proc_zoneinfo *zones, int *err)
{
	struct type_runs r = {.list = json_array(), .pageblock_order = pageblock_order};
	uint64_t end = 0, time_ns = 0;

	for (size_t i = 0; i < zones->n; i++)
		if (zones->zones[i].start_pfn + zones->zones[i].spanned > end)
			end = zones->zones[i].start_pfn + zones->zones[i].spanned;
	*err = read_types(w, &r, end, &time_ns);
	return json_pack("{s:I, s:i, s:o}", "time_ns", (json_int_t)time_ns, "pageblock_order",
			 (int)pageblock_order, "runs", r.list);
}

/* ---- Both -------------------------------------------------------------- */

int walk_record(struct walk *w, struct trace_writer *to, uint16_t phase)
{
	json_t *cpus = json_array(), *lists = json_pack("{s:o}", "cpus", cpus), *types;
	char *text = file_text("/proc/zoneinfo", NULL);
	struct proc_zoneinfo zones = {0};
	unsigned int order = kernel_pageblock_order();
	int err = text ? proc_zoneinfo_parse(text, &zones) : -errno, type_err;

	free(text);
	if (err) {
		json_decref(lists);
		return err;
	}
	err = all_lists(w, cpus, order, &zones);
	types = types_json(w, order, &zones, &type_err);
	if (!err)
		err = record_json(to, phase, "start/pcp", lists);
	if (!type_err)
		type_err = record_json(to, phase, "start/blocktypes", types);
	json_decref(lists);
	json_decref(types);
	proc_zoneinfo_free(&zones);
	return err ? err : type_err;
}
