/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* result_areas.c - per-CPU memory and vmalloc: the kernel's counts beside the reference's. */
#include <kmemlab/refmm.h>
#include <kmemlab/refmm_percpu.h>

#include "replay/areas.h"
#include "replay/result.h"

static json_t *counts(const struct areas_counts *c, const char *unit)
{
	json_t *o = json_object();
	const struct {
		const char *name;
		uint64_t n;
	} fields[] = {
		{"allocs", c->allocs},
		{"frees", c->frees},
		{"failed", c->failed},
		{"free_of_unknown", c->free_unknown},
		{"alloc_of_live", c->alloc_of_live},
		{"requested", c->requested},
		{"live", c->live},
		{"peak", c->peak},
	};

	json_object_set_new(o, "unit", json_string(unit));
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		json_object_set_new(o, fields[i].name, json_integer((json_int_t)fields[i].n));
	return o;
}

static void put(json_t *o, const char *name, uint64_t n)
{
	json_object_set_new(o, name, json_integer((json_int_t)n));
}

static json_t *figures(const struct percpu_figures *f)
{
	json_t *o = json_object();

	put(o, "chunks", f->chunks);
	put(o, "areas", f->areas);
	put(o, "bytes", f->bytes);
	put(o, "largest_free_bytes", f->largest_free);
	if (f->pages)
		put(o, "pages_per_cpu", f->pages);
	return o;
}

static json_t *kernel_figures(const struct proc_percpu *p, const struct percpu_snapshot *s)
{
	struct percpu_figures f = percpu_figures(p);

	f.pages = s->known ? percpu_snapshot_pages(s) : 0;
	return figures(&f);
}

/* What the reference began with. */
static json_t *percpu_begin(const struct percpu_start *s)
{
	json_t *o = json_pack("{s:s}", "how", s->read ? "read" : s->known ? "inferred" : "missing");

	if (!s->known)
		return o;
	json_object_set_new(o, "kernel", kernel_figures(&s->start, &s->first));
	json_object_set_new(o, "reference", figures(&s->begun));
	if (!s->read) {
		put(o, "inferred_areas", s->n);
		put(o, "unplaced", s->unplaced);
		put(o, "freed", s->freed);
		return o;
	}
	put(o, "refused", s->refused);
	if (s->stats_chunks)
		json_object_set_new(o, "percpu_stats",
				    json_pack("{s:I, s:I}", "chunks", (json_int_t)s->stats_chunks,
					      "alike", (json_int_t)s->stats_alike));
	return o;
}

static json_t *percpu_end(const struct areas *a)
{
	const struct percpu_start *s = &a->percpu_start;
	struct percpu_figures mine = percpu_figures_of(a->rmm);
	json_t *o = json_pack("{s:o, s:o}", "kernel", kernel_figures(&s->end, &s->last),
			      "reference", figures(&mine));

	put(o, "kernel_areas", s->end.areas);
	put(o, "observed_areas", s->read ? a->percpu.used : s->start.areas + s->allocs - s->frees);
	if (!s->met)
		return o;
	put(o, "missing", s->meeting.missing);
	put(o, "unexpected", s->meeting.unexpected);
	put(o, "other_size", s->meeting.other_size);
	put(o, "unsure", s->meeting.unsure);
	return o;
}

static json_t *percpu(const struct areas *a)
{
	json_t *kernel = counts(&a->percpu_counts, "bytes of one CPU"), *reference = json_object();
	json_t *o;
	struct rmm_percpu_stat s;

	rmm_percpu_stat(a->rmm, &s);
	put(kernel, "chunks_created", a->chunks_created);
	put(kernel, "chunks_destroyed", a->chunks_destroyed);
	put(reference, "failed", a->percpu_counts.ref_failed);
	put(reference, "free_refused", a->percpu_counts.ref_refused);
	put(reference, "chunks", s.nr_chunks);
	put(reference, "chunks_max", s.nr_max_chunks);
	put(reference, "pages_per_cpu", s.nr_populated);
	put(reference, "areas", s.nr_cur_alloc);
	put(reference, "align_unknown", a->percpu_counts.align_unknown);
	o = json_pack("{s:o, s:o, s:o}", "kernel", kernel, "reference", reference, "start",
		      percpu_begin(&a->percpu_start));
	if (a->percpu_start.known && a->percpu_start.end_known)
		json_object_set_new(o, "end", percpu_end(a));
	return o;
}

static json_t *space(const struct area_space *s)
{
	json_t *o = json_object();

	put(o, "areas", s->areas);
	put(o, "pages", s->pages);
	put(o, "holes", s->holes);
	put(o, "hole_pages", s->hole_pages);
	put(o, "largest_hole_pages", s->largest_hole_pages);
	return o;
}

/* What the reference began with. */
static json_t *vmalloc_start(const struct areas *a)
{
	json_t *o = json_pack("{s:s}", "how", a->start.known ? "read" : "missing");
	uint64_t n[AREA_LISTS] = {0};

	if (!a->start.known)
		return o;
	for (size_t i = 0; i < a->start.n; i++)
		n[a->start.area[i].list]++;
	put(o, "areas", n[AREA_USED]);
	put(o, "lazy_areas", n[AREA_LAZY]);
	put(o, "pool_areas", n[AREA_POOL]);
	put(o, "refused", a->start_refused);
	return o;
}

static json_t *vmalloc_end(const struct areas_end *e)
{
	json_t *o = json_pack("{s:o, s:o, s:o}", "kernel", space(&e->kernel), "observed",
			      space(&e->observed), "reference", space(&e->reference));

	put(o, "missing", e->missing);
	put(o, "missing_percpu_chunks", e->missing_percpu);
	put(o, "unexpected", e->unexpected);
	put(o, "other_size", e->other_size);
	put(o, "unsure", e->unsure);
	return o;
}

static json_t *vmalloc(const struct areas *a)
{
	json_t *kernel = counts(&a->vmalloc_counts, "pages of address space");
	json_t *reference = json_object(), *o;
	struct rmm_vmalloc_stat s;

	rmm_vmalloc_stat(a->rmm, &s);
	put(kernel, "purges", a->purges);
	put(kernel, "purged_areas", a->purged);
	put(reference, "failed", a->vmalloc_counts.ref_failed);
	put(reference, "free_refused", a->vmalloc_counts.ref_refused);
	put(reference, "purges", s.drain + s.purge);
	put(reference, "purged_areas", s.purged);
	put(reference, "lazy_pages", s.lazy_pages);
	put(reference, "lazy_max", s.lazy_max);
	put(reference, "pool_hit", s.pool_hit);
	put(reference, "tree_search", s.tree_search);
	o = json_pack("{s:o, s:o, s:o}", "kernel", kernel, "reference", reference, "start",
		      vmalloc_start(a));
	if (a->at_end.met)
		json_object_set_new(o, "end", vmalloc_end(&a->at_end));
	return o;
}

/* NULL: the trace has no such events. */
json_t *result_areas(const struct replay *p)
{
	if (!p->areas.rmm || p->areas.broken)
		return NULL;
	return json_pack("{s:o, s:o}", "percpu", percpu(&p->areas), "vmalloc", vmalloc(&p->areas));
}
