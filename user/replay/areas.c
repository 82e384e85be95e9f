/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* areas.c - see areas.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <kmemlab/refmm.h>

#include "replay/areas.h"
#include "replay/host.h"
#include "trace/trace_io.h"

enum {
	MACHINE_PAGES = 1 << 22, /* 16 GiB of metadata, touched as it is used */
	PAGE_BYTES = 4096,
	WINDOW_PAGES_BITS = 33,
};

/* VMALLOC_START and VMALLOC_END with five levels of page tables. */
#define WIDE_START 0xffa0000000000000
#define WIDE_END   0xffd1ffffffffffff

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
	return live_init(&a->percpu) || live_init(&a->vmalloc) || live_init(&a->unsure) ? -ENOMEM
											: 0;
}

void areas_destroy(struct areas *a)
{
	if (a->rmm)
		rmm_destroy(a->rmm);
	live_destroy(&a->percpu);
	live_destroy(&a->vmalloc);
	live_destroy(&a->unsure);
	percpu_start_free(&a->percpu_start);
	area_snapshot_free(&a->start);
	area_snapshot_free(&a->end);
	free(a->area);
	memset(a, 0, sizeof(*a));
}

/* Beyond the 32 TiB that four levels of page tables have for vmalloc? */
static bool areas_are_wide(const struct area_snapshot *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (!(s->area[i].page & KMT_OPAQUE) && s->area[i].page >> WINDOW_PAGES_BITS)
			return true;
	return false;
}

static int set_up_layers(struct areas *a)
{
	struct rmm_vmalloc_config v;
	struct rmm_percpu_config p;
	int err;

	rmm_vmalloc_config_init(&v);
	v.pools = a->pools;
	v.pool_drops_small = a->pools_drop_small;
	if (areas_are_wide(&a->start)) {
		v.start = WIDE_START;
		v.end = WIDE_END;
	}
	err = rmm_vmalloc_init(a->rmm, &v);
	if (err)
		return err;
	percpu_start_config(&a->percpu_start, &p);
	err = rmm_percpu_init(a->rmm, &p);
	if (!err || !a->percpu_start.known)
		return err;
	/* A layout that no kernel has. */
	a->percpu_start.known = a->percpu_start.read = false;
	return rmm_percpu_init(a->rmm, NULL);
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

void areas_count(struct areas_counts *c, uint64_t size)
{
	c->allocs++;
	c->requested += size;
	c->live += size;
	if (c->live > c->peak)
		c->peak = c->live;
}

int areas_keep(struct areas *a, struct live *live, uint64_t address, const struct area *area)
{
	uint32_t old, i = new_area(a);

	if (i == LIVE_NONE)
		return -ENOMEM;
	a->area[i] = *area;
	if (live_put(live, address, i, &old))
		return -ENOMEM;
	if (old != LIVE_NONE)
		drop_area(a, old);
	return 0;
}

bool areas_take(struct areas *a, struct live *live, uint64_t address, struct area *area)
{
	uint32_t i = live_take(live, address);

	if (i == LIVE_NONE)
		return false;
	*area = a->area[i];
	drop_area(a, i);
	return true;
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
	case KMT_PERCPU_FREE:
		return areas_percpu_feed(a, e, c);
	case KMT_VMALLOC_ALLOC:
	case KMT_VMALLOC_FREE:
		return areas_vmalloc_feed(a, e, c);
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

int areas_read(struct areas *a, struct trace_reader *r)
{
	struct percpu_start *p = &a->percpu_start;
	int err = area_snapshot_read(&a->start, r, KMT_PHASE_START);

	if (!err)
		err = area_snapshot_read(&a->end, r, KMT_PHASE_END);
	if (!err)
		err = percpu_start_read(p, r);
	if (err || (!a->start.known && !p->known))
		return err;
	a->broken = boot(a) != 0;
	if (!a->broken && a->start.known)
		err = areas_vmalloc_load(a);
	if (!a->broken && !err && p->known)
		err = p->read ? areas_percpu_load(a) : percpu_start_fill(p, a->rmm);
	if (!a->broken && p->known)
		p->begun = percpu_figures_of(a->rmm);
	for (size_t i = 0; i < p->n; i++)
		a->percpu_counts.live += p->guess[i].bytes;
	a->percpu_counts.peak = a->percpu_counts.live;
	return err;
}

int areas_finish(struct areas *a)
{
	if (!a->rmm || a->broken)
		return 0;
	areas_percpu_meet_end(a);
	return areas_vmalloc_meet_end(a);
}
