/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * areas_vmalloc.c - vmalloc: the areas of the start, what events do to them, and the
 * end.
 *
 *   time   |--events--|--start read--|---------events---------|--end read--|
 *          in it         one of both     to be applied          unsure
 *
 * An event while the start was read is in it or not; by the place one sees: what is to
 * be allocated and is there was allocated, what is to be freed and is not was freed.
 */
#include <errno.h>
#include <stdlib.h>

#include <kmemlab/refmm.h>
#include <kmemlab/refmm_vmalloc_load.h>

#include "replay/areas.h"
#include "trace/trace_io.h"

enum { PAGE_SHIFT = 12, WINDOW_BITS = 45 };

/* Where modules are: a region of their own, in which places are not told. */
#define MODULES_START 0xffffffffc0000000
#define MODULES_END   0xffffffffff000000

static bool is_module(uint64_t page)
{
	return page & KMT_OPAQUE;
}

/* ---- The start ----------------------------------------------------------- */

/* Somewhere where modules are. */
static int place_module(struct areas *a, const struct snapshot_area *from, uintptr_t *at)
{
	const struct rmm_vmalloc_args args = {
		.size = (size_t)from->pages << PAGE_SHIFT,
		.start = MODULES_START,
		.end = MODULES_END,
		.gfp = RMM_GFP_KERNEL,
		.flags = RMM_VM_NO_GUARD,
		.nid = -1,
	};

	*at = from->pages >> WINDOW_BITS ? 0 : rmm_get_vm_area(a->rmm, 0, &args);
	return *at ? 0 : -EEXIST;
}

static int place(struct areas *a, const struct snapshot_area *from, uintptr_t *at)
{
	const struct rmm_vm_load load = {
		.address = rmm_vmalloc_start(a->rmm) + (from->page << PAGE_SHIFT),
		.size = (size_t)from->pages << PAGE_SHIFT,
		.state = from->list == AREA_USED   ? RMM_VM_IN_USE
			 : from->list == AREA_LAZY ? RMM_VM_IS_LAZY
						   : RMM_VM_IN_POOL,
		.node = from->node,
		.pool = from->pool,
	};

	if (is_module(from->page))
		return from->list == AREA_USED ? place_module(a, from, at) : 0;
	*at = load.address;
	return rmm_vm_load(a->rmm, &load);
}

int areas_vmalloc_load(struct areas *a)
{
	for (size_t i = 0; i < a->start.n; i++) {
		const struct snapshot_area *from = &a->start.area[i];
		struct area area = {.size = from->pages};

		if (place(a, from, &area.at)) {
			area.at = 0;
			a->start_refused++;
		}
		if (from->list != AREA_USED)
			continue;
		a->vmalloc_counts.live += area.size;
		if (areas_keep(a, &a->vmalloc, from->page, &area))
			return -ENOMEM;
	}
	a->vmalloc_counts.peak = a->vmalloc_counts.live;
	return 0;
}

/* ---- Events ---------------------------------------------------------------- */

static bool while_read(const struct area_snapshot *s, uint64_t time_ns)
{
	return s->known && time_ns <= s->t_last_ns;
}

static void give_back(struct areas *a, unsigned int cpu, const struct area *area)
{
	a->vmalloc_counts.live -= area->size;
	if (area->at && rmm_vfree(a->rmm, cpu, (const void *)area->at))
		a->vmalloc_counts.ref_refused++;
}

static int alloc(struct areas *a, const struct trace_event *e, const struct kmt_class *c)
{
	struct area area = {.size = c->bytes_alloc}, old; /* pages */
	bool module = is_module(e->address);
	const struct rmm_vmalloc_args args = {
		.size = (size_t)area.size << PAGE_SHIFT,
		.align = (size_t)1 << (PAGE_SHIFT + (c->order & 31)),
		.start = module ? MODULES_START : 0,
		.end = module ? MODULES_END : 0,
		.gfp = RMM_GFP_KERNEL,
		.flags = RMM_VM_NO_GUARD, /* it is in the size */
		.nid = -1,
	};

	if (e->address == KMT_NO_PAGE) {
		a->vmalloc_counts.failed++;
		return 0;
	}
	if (while_read(&a->start, e->time_ns) && live_find(&a->vmalloc, e->address) != LIVE_NONE)
		return 0;
	/* Given out again: it was freed unseen. */
	if (areas_take(a, &a->vmalloc, e->address, &old)) {
		a->vmalloc_counts.alloc_of_live++;
		give_back(a, e->cpu, &old);
	}
	area.at = rmm_get_vm_area(a->rmm, e->cpu, &args);
	a->vmalloc_counts.ref_failed += !area.at;
	areas_count(&a->vmalloc_counts, area.size);
	return areas_keep(a, &a->vmalloc, e->address, &area);
}

static void release(struct areas *a, const struct trace_event *e)
{
	struct area area;

	if (areas_take(a, &a->vmalloc, e->address, &area)) {
		a->vmalloc_counts.frees++;
		give_back(a, e->cpu, &area);
	} else if (!while_read(&a->start, e->time_ns)) {
		a->vmalloc_counts.frees++;
		a->vmalloc_counts.free_unknown++;
	}
}

int areas_vmalloc_feed(struct areas *a, const struct trace_event *e, const struct kmt_class *c)
{
	uint32_t old;

	if (a->start.known && e->time_ns < a->start.t_first_ns)
		return 0;
	if (a->end.known && !a->at_end.met && e->time_ns > a->end.t_last_ns &&
	    areas_vmalloc_meet_end(a))
		return -ENOMEM;
	if (a->end.known && e->time_ns >= a->end.t_first_ns &&
	    live_put(&a->unsure, e->address, 0, &old))
		return -ENOMEM;
	if (e->kind == KMT_VMALLOC_ALLOC)
		return alloc(a, e, c);
	release(a, e);
	return 0;
}

/* ---- The end --------------------------------------------------------------- */

static bool is_unsure(const struct areas *a, uint64_t page)
{
	return live_find(&a->unsure, page) != LIVE_NONE;
}

static struct area_space space_of_kernel(const struct areas *a, struct area_range *r)
{
	size_t n = 0;

	for (size_t i = 0; i < a->end.n; i++) {
		const struct snapshot_area *s = &a->end.area[i];

		if (s->list == AREA_USED && !is_module(s->page) && !is_unsure(a, s->page))
			r[n++] = (struct area_range){s->page, s->pages};
	}
	return area_space_of(r, n);
}

/* Of the events' areas, as the kernel placed them, or the reference. */
static struct area_space space_of_events(const struct areas *a, bool reference,
					 struct area_range *r)
{
	size_t n = 0;

	for (size_t i = 0; i <= a->vmalloc.mask; i++) {
		uint64_t page = a->vmalloc.keys[i];
		const struct area *area;

		if (page == UINT64_MAX || is_module(page) || is_unsure(a, page))
			continue;
		area = &a->area[a->vmalloc.values[i]];
		if (reference && !area->at)
			continue;
		if (reference)
			page = (area->at - rmm_vmalloc_start(a->rmm)) >> PAGE_SHIFT;
		r[n++] = (struct area_range){page, area->size};
	}
	return area_space_of(r, n);
}

/* Area by area. What is left of the events' is not in the kernel. */
static void compare(struct areas *a)
{
	struct areas_end *d = &a->at_end;
	uint64_t both = 0;

	for (size_t i = 0; i < a->end.n; i++) {
		const struct snapshot_area *s = &a->end.area[i];
		uint32_t mine;

		if (s->list != AREA_USED || is_unsure(a, s->page))
			continue;
		mine = live_find(&a->vmalloc, s->page);
		both += mine != LIVE_NONE;
		d->missing += mine == LIVE_NONE;
		d->missing_percpu += mine == LIVE_NONE && s->percpu;
		d->other_size += mine != LIVE_NONE && a->area[mine].size != s->pages;
	}
	for (size_t i = 0; i <= a->vmalloc.mask; i++)
		d->unexpected +=
			a->vmalloc.keys[i] != UINT64_MAX && !is_unsure(a, a->vmalloc.keys[i]);
	d->unexpected -= both;
	d->unsure = a->unsure.used;
}

int areas_vmalloc_meet_end(struct areas *a)
{
	size_t most = a->end.n > a->vmalloc.used ? a->end.n : a->vmalloc.used;
	struct area_range *r;

	if (!a->end.known || !a->start.known || a->at_end.met)
		return 0;
	r = calloc(most + 1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	a->at_end.met = true;
	a->at_end.kernel = space_of_kernel(a, r);
	a->at_end.observed = space_of_events(a, false, r);
	a->at_end.reference = space_of_events(a, true, r);
	compare(a);
	free(r);
	return 0;
}
