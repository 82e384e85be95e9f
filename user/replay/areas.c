/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* areas.c - see areas.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <kmemlab/refmm.h>
#include <kmemlab/refmm_percpu.h>

#include "replay/areas.h"
#include "replay/host.h"
#include "trace/trace_io.h"

enum {
	MACHINE_PAGES = 1 << 22, /* 16 GiB of metadata, touched as it is used */
	PAGE_BYTES = 4096,
	PERCPU_ALIGN = 8,
	FROM_RESERVED = 1, /* fallback_type of PERCPU_ALLOC */
	ATOMIC = 2,
};

int areas_init(struct areas *a, const struct host *h, const struct kmt_class *const *classes,
	       uint32_t nr_classes)
{
	memset(a, 0, sizeof(*a));
	a->classes = classes;
	a->nr_classes = nr_classes;
	a->cpus = h->cpus;
	a->pools = host_release_from(h, 6, 9);
	a->pools_drop_small = !host_release_from(h, 6, 16);
	a->free_area = LIVE_NONE;
	return live_init(&a->percpu) || live_init(&a->vmalloc) ? -ENOMEM : 0;
}

void areas_destroy(struct areas *a)
{
	if (a->rmm)
		rmm_destroy(a->rmm);
	live_destroy(&a->percpu);
	live_destroy(&a->vmalloc);
	free(a->area);
	memset(a, 0, sizeof(*a));
}

static int set_up_layers(struct areas *a)
{
	struct rmm_vmalloc_config v;
	int err;

	rmm_vmalloc_config_init(&v);
	v.pools = a->pools;
	v.pool_drops_small = a->pools_drop_small;
	err = rmm_vmalloc_init(a->rmm, &v);
	return err ? err : rmm_percpu_init(a->rmm, NULL);
}

static int boot(struct areas *a)
{
	struct rmm_zone_config zone = {
		.type = RMM_ZONE_NORMAL,
		.spanned = MACHINE_PAGES,
		.present = MACHINE_PAGES,
		.managed = MACHINE_PAGES,
	};
	struct rmm_config c;
	int err;

	rmm_config_init(&c);
	c.nr_cpus = a->cpus;
	c.zones = &zone;
	c.nr_zones = 1;
	a->rmm = rmm_create(&c, NULL);
	if (!a->rmm)
		return -errno;
	err = rmm_free_reserved(a->rmm, 0, MACHINE_PAGES);
	if (!err)
		err = rmm_setup_done(a->rmm);
	return err ? err : set_up_layers(a);
}

/* ---- What is live -------------------------------------------------------- */

/* Room for an area; LIVE_NONE: no memory. */
static uint32_t new_area(struct areas *a)
{
	uint32_t i = a->free_area;

	if (i != LIVE_NONE) {
		a->free_area = (uint32_t)a->area[i].size;
		return i;
	}
	if (a->nr_areas == a->room) {
		uint32_t room = a->room ? a->room * 2 : 1024;
		struct area *more = realloc(a->area, room * sizeof(*more));

		if (!more)
			return LIVE_NONE;
		a->area = more;
		a->room = room;
	}
	return a->nr_areas++;
}

static void drop_area(struct areas *a, uint32_t i)
{
	a->area[i] = (struct area){.size = a->free_area};
	a->free_area = i;
}

static void count_alloc(struct areas_counts *c, uint64_t size)
{
	c->allocs++;
	c->requested += size;
	c->live += size;
	if (c->live > c->peak)
		c->peak = c->live;
}

/* @area is at @address from here on, and is counted in @c. */
static int keep(struct areas *a, struct live *live, struct areas_counts *c, uint64_t address,
		const struct area *area)
{
	uint32_t old, i = new_area(a);

	if (i == LIVE_NONE)
		return -ENOMEM;
	a->area[i] = *area;
	if (live_put(live, address, i, &old))
		return -ENOMEM;
	/* Freed unseen, and given out again: what it was is lost to the reference. */
	if (old != LIVE_NONE) {
		c->live -= a->area[old].size;
		drop_area(a, old);
	}
	count_alloc(c, area->size);
	return 0;
}

/* ---- Per-CPU memory ------------------------------------------------------ */

static unsigned int percpu_gfp(const struct kmt_class *c)
{
	return c->fallback_type & ATOMIC ? RMM_GFP_NOWAIT : RMM_GFP_KERNEL;
}

static int percpu_alloc(struct areas *a, const struct trace_event *e, const struct kmt_class *c)
{
	struct area area = {.size = c->bytes_req};

	/* The reserved chunk is for modules' static variables, which refmm has none of. */
	if (c->fallback_type & FROM_RESERVED)
		return 0;
	area.at =
		rmm___alloc_percpu_gfp(a->rmm, e->cpu, area.size,
				       area.size < PERCPU_ALIGN ? 4 : PERCPU_ALIGN, percpu_gfp(c));
	a->percpu_counts.ref_failed += area.at == RMM_NO_PERCPU;
	if (rmm_percpu_balance_needed(a->rmm))
		rmm_percpu_balance(a->rmm, e->cpu);
	return keep(a, &a->percpu, &a->percpu_counts, e->address, &area);
}

static void percpu_free(struct areas *a, const struct trace_event *e)
{
	uint32_t i = live_take(&a->percpu, e->address);

	a->percpu_counts.frees++;
	if (i == LIVE_NONE) {
		a->percpu_counts.free_unknown++;
		return;
	}
	a->percpu_counts.live -= a->area[i].size;
	if (a->area[i].at && rmm_free_percpu(a->rmm, e->cpu, a->area[i].at))
		a->percpu_counts.ref_refused++;
	drop_area(a, i);
	if (rmm_percpu_balance_needed(a->rmm))
		rmm_percpu_balance(a->rmm, e->cpu);
}

/* ---- vmalloc ------------------------------------------------------------- */

static int vmalloc_alloc(struct areas *a, const struct trace_event *e, const struct kmt_class *c)
{
	struct area area = {.size = c->bytes_alloc}; /* pages */
	const struct rmm_vmalloc_args args = {
		.size = (size_t)area.size * PAGE_BYTES,
		.align = (size_t)PAGE_BYTES << (c->order & 31),
		.gfp = RMM_GFP_KERNEL,
		.flags = RMM_VM_NO_GUARD, /* it is in the size */
		.nid = -1,
	};

	if (e->address == KMT_NO_PAGE) {
		a->vmalloc_counts.failed++;
		return 0;
	}
	area.at = rmm_get_vm_area(a->rmm, e->cpu, &args);
	a->vmalloc_counts.ref_failed += !area.at;
	return keep(a, &a->vmalloc, &a->vmalloc_counts, e->address, &area);
}

static void vmalloc_free(struct areas *a, const struct trace_event *e)
{
	uint32_t i = live_take(&a->vmalloc, e->address);

	a->vmalloc_counts.frees++;
	if (i == LIVE_NONE) {
		a->vmalloc_counts.free_unknown++;
		return;
	}
	a->vmalloc_counts.live -= a->area[i].size;
	if (a->area[i].at && rmm_vfree(a->rmm, e->cpu, (const void *)a->area[i].at))
		a->vmalloc_counts.ref_refused++;
	drop_area(a, i);
}

/* ---- Events -------------------------------------------------------------- */

static bool is_ours(unsigned int kind)
{
	return (kind >= KMT_PERCPU_ALLOC && kind <= KMT_VMALLOC_FREE) ||
	       (kind >= KMT_PERCPU_FAIL && kind <= KMT_VMALLOC_PURGE);
}

static int take(struct areas *a, const struct trace_event *e, const struct kmt_class *c)
{
	switch (e->kind) {
	case KMT_PERCPU_ALLOC:
		return percpu_alloc(a, e, c);
	case KMT_PERCPU_FREE:
		percpu_free(a, e);
		return 0;
	case KMT_VMALLOC_ALLOC:
		return vmalloc_alloc(a, e, c);
	case KMT_VMALLOC_FREE:
		vmalloc_free(a, e);
		return 0;
	case KMT_PERCPU_FAIL:
		a->percpu_counts.failed++;
		return 0;
	case KMT_PERCPU_CREATE:
		a->chunks_created++;
		return 0;
	case KMT_PERCPU_DESTROY:
		a->chunks_destroyed++;
		return 0;
	default:
		a->purges++;
		a->purged += e->address;
		return 0;
	}
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

int areas_feed(struct areas *a, const struct trace_event *e, long n)
{
	uint64_t start = 0;
	int err = 0;

	for (long i = 0; i < n && !err && !a->broken; i++) {
		if (!is_ours(e[i].kind) || e[i].cpu >= a->cpus || e[i].class_id >= a->nr_classes ||
		    !a->classes[e[i].class_id])
			continue;
		if (!start)
			start = now_ns();
		if (!a->rmm)
			a->broken = boot(a) != 0;
		if (!a->broken)
			err = take(a, &e[i], a->classes[e[i].class_id]);
	}
	if (start)
		a->ns += now_ns() - start;
	return err;
}
