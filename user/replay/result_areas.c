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
		{"allocs", c->allocs},	     {"frees", c->frees},
		{"failed", c->failed},	     {"free_of_unknown", c->free_unknown},
		{"requested", c->requested}, {"live", c->live},
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

static json_t *percpu(const struct areas *a)
{
	json_t *kernel = counts(&a->percpu_counts, "bytes of one CPU"), *reference = json_object();
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
	return json_pack("{s:o, s:o}", "kernel", kernel, "reference", reference);
}

static json_t *vmalloc(const struct areas *a)
{
	json_t *kernel = counts(&a->vmalloc_counts, "pages of address space");
	json_t *reference = json_object();
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
	return json_pack("{s:o, s:o}", "kernel", kernel, "reference", reference);
}

/* NULL: the trace has no such events. */
json_t *result_areas(const struct replay *p)
{
	if (!p->areas.rmm || p->areas.broken)
		return NULL;
	return json_pack("{s:o, s:o}", "percpu", percpu(&p->areas), "vmalloc", vmalloc(&p->areas));
}
