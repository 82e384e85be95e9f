// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * area_walk.c - run the programs of area_walk.bpf.c and write what they found. All or
 * nothing: half of the areas would be read as all.
 */
#include "area_walk.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <kmemlab/area_walk.h>

#include "area_walk.skel.h"
#include "consume.h"
#include "record.h"
#include "run_prog.h"

enum {
	TRIES = 200,
	NAP_NS = 50000,
	PAGE_SHIFT = 12,
	SITE_BYTES = 256,
	PROVOKED_BYTES = 3 << 20, /* no pool keeps areas so large: the kernel makes one */
};

/* Have the kernel make an area while the programs watch. It lives until @fd is closed. */
static int provoke(struct area_walk *w)
{
	int fd = -1, err;

	w->bss->tgid = (uint32_t)getpid();
	w->links.see_object = bpf_program__attach(w->progs.see_object);
	w->links.see_area = bpf_program__attach(w->progs.see_area);
	if (w->links.see_object && w->links.see_area)
		fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "kmemlab", 4, PROVOKED_BYTES, 1, NULL);
	err = fd < 0 ? -errno : 0;
	area_walk__detach(w);
	return err ? err : fd;
}

/* Where kallsyms shows no data, by an area of our own. */
static int find(struct area_walk *w)
{
	const struct kml_areas *a = &w->bss->areas;
	long cpus = libbpf_num_possible_cpus();
	int err = run_prog(w->progs.find_areas), fd;

	if (!err && a->status != KML_AREAS_DONE) {
		fd = provoke(w);
		err = fd < 0 ? fd : run_prog(w->progs.find_areas);
		if (fd >= 0)
			close(fd);
	}
	if (err)
		return err;
	if (a->status != KML_AREAS_DONE)
		return -ENOENT;
	/* A node a CPU, as many as there may be one day. */
	if (a->nodes && a->nodes != 1 &&
	    a->nodes != (cpus < KML_AREAS_NODES ? cpus : KML_AREAS_NODES))
		return -ENOENT;
	return 0;
}

struct area_walk *area_walk_open(void)
{
	struct area_walk *w = area_walk__open();
	int err;

	if (!w)
		return NULL;
	err = area_walk__load(w);
	err = err ? err : find(w);
	if (!err)
		return w;
	area_walk__destroy(w);
	errno = -err;
	return NULL;
}

void area_walk_close(struct area_walk *w)
{
	area_walk__destroy(w);
}

uint64_t area_walk_base(const struct area_walk *w)
{
	return w->bss->areas.base;
}

const char *area_walk_why(int err)
{
	switch (-err) {
	case ENOENT:
		return "the kernel's lists were not found";
	case EBUSY:
		return "they changed all the time";
	case E2BIG:
		return "there are more than 131072";
	default:
		return strerror(-err);
	}
}

/* ---- Reading ------------------------------------------------------------- */

static int read_areas(struct area_walk *w)
{
	const struct timespec nap = {.tv_nsec = NAP_NS};

	for (int i = 0; i < TRIES; i++) {
		int err = run_prog(w->progs.read_areas);

		if (err)
			return err;
		if (w->bss->areas.status == KML_AREAS_DONE)
			return 0;
		if (w->bss->areas.status == KML_AREAS_FULL)
			return -E2BIG;
		nanosleep(&nap, NULL);
	}
	return -EBUSY;
}

/* By the kernel's VM_* bits, as /proc/vmallocinfo names them. */
static const char *kind_of(uint32_t flags)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} kinds[] = {
		{1 << 0, "ioremap"}, {1 << 1, "vmalloc"}, {1 << 2, "vmap"},
		{1 << 3, "user"},    {1 << 4, "dma"},	  {1 << 12, "sparse"},
	};

	if (!flags)
		return "vm_map_ram";
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (flags & kinds[i].bit)
			return kinds[i].name;
	return "other";
}

/* [page, pages of address space, node whose pool gets it + 1] and, where it is in use,
 * pages that it owns, kind, who asked for it */
static json_t *area_json(const struct kml_area *a, const struct symbols *symbols,
			 const struct consumer *c)
{
	uint64_t page = consumer_vmalloc_page(c, a->start);
	json_t *o =
		json_pack("[I, I, i]", (json_int_t)page,
			  (json_int_t)((a->end - a->start) >> PAGE_SHIFT), (int)(a->detail >> 16));
	char site[SITE_BYTES] = "";

	if ((a->detail & 0xff) != KML_AREAS_USED)
		return o;
	if (a->caller)
		symbols_name(symbols, a->caller, site, sizeof(site));
	json_array_append_new(o, json_integer(a->pages));
	json_array_append_new(o, json_string(kind_of(a->vm_flags)));
	json_array_append_new(o, json_string(site));
	return o;
}

/* Of lists that nodes have, which one. */
static json_t *waiting_json(const struct kml_area *a, const struct symbols *symbols,
			    const struct consumer *c)
{
	json_t *o = area_json(a, symbols, c);

	json_array_append_new(o, json_integer(a->detail >> 8 & 0xff));
	return o;
}

static json_t *areas_json(const struct kml_areas *a, const struct symbols *symbols,
			  const struct consumer *c)
{
	json_t *list[] = {json_array(), json_array(), json_array()};

	for (uint32_t i = 0; i < a->n; i++) {
		const struct kml_area *one = &a->area[i];
		unsigned int at = one->detail & 0xff;

		json_array_append_new(list[at], at ? waiting_json(one, symbols, c)
						   : area_json(one, symbols, c));
	}
	return json_pack("{s:[I, I], s:o, s:o, s:o}", "time_ns", (json_int_t)a->t_first_ns,
			 (json_int_t)a->t_last_ns, "used", list[KML_AREAS_USED], "lazy",
			 list[KML_AREAS_LAZY], "pool", list[KML_AREAS_POOL]);
}

long area_walk_record(struct area_walk *w, struct trace_writer *to, uint16_t phase,
		      const struct symbols *symbols, const struct consumer *c)
{
	const struct kml_areas *a = &w->bss->areas;
	int err = read_areas(w);
	json_t *doc = err ? NULL : areas_json(a, symbols, c);
	long used = doc ? (long)json_array_size(json_object_get(doc, "used")) : 0;

	if (!err)
		err = record_json(to, phase, "kmemlab/vmalloc", doc);
	json_decref(doc);
	return err ? err : used;
}
