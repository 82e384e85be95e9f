/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* percpu_figures.c - how full chunks of per-CPU memory are: the kernel's, the reference's. */
#include "replay/areas_percpu.h"

static void add(struct percpu_figures *f, uint64_t areas, uint64_t bytes, uint64_t largest)
{
	f->chunks++;
	f->areas += areas;
	f->bytes += bytes;
	if (largest > f->largest_free)
		f->largest_free = largest;
}

struct percpu_figures percpu_figures(const struct proc_percpu *p)
{
	struct percpu_figures f = {0};

	for (size_t i = 0; i < p->n; i++) {
		const struct proc_percpu_chunk *c = &p->chunks[i];

		if (!c->reserved)
			add(&f, c->areas, proc_percpu_used(p, c), c->contig_bytes);
	}
	return f;
}

struct percpu_figures percpu_figures_of(const struct rmm *rmm)
{
	struct percpu_figures f = {0};
	struct rmm_percpu_chunk_stat c;
	struct rmm_percpu_info info;
	struct rmm_percpu_stat s;

	rmm_percpu_info(rmm, &info);
	rmm_percpu_stat(rmm, &s);
	for (unsigned int i = 0; !rmm_percpu_chunk_stat(rmm, i, &c); i++) {
		uint64_t own = c.first ? info.dyn_size : info.unit_size;

		if (!c.reserved)
			add(&f, (uint64_t)c.nr_alloc, own - (uint64_t)c.free_bytes,
			    (uint64_t)c.contig_bytes);
	}
	f.pages = s.nr_populated;
	return f;
}
