/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * percpu_trace.h - what a kernel did with chunks that it created while somebody
 * watched, done again by refmm.
 *
 * A line is an event of the percpu tracepoints (tests/live/percpu.sh makes them):
 *
 *      c CHUNK                             percpu_create_chunk
 *      d CHUNK                             percpu_destroy_chunk
 *      a CHUNK SIZE ALIGN ATOMIC OFFSET    percpu_alloc_percpu
 *      f CHUNK OFFSET                      percpu_free_percpu
 *
 * Sizes and offsets are bytes.
 * Of a chunk seen created everything is known, so refmm must choose the very
 * offsets. Where it does not, the kernel's is forced, and the count says so.
 */
#ifndef KMEMLAB_TESTS_PERCPU_TRACE_H
#define KMEMLAB_TESTS_PERCPU_TRACE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"

#include "../../refmm/percpu_chunk.h"

enum { TRACE_CHUNKS = 64 };

struct percpu_trace {
	struct rmm *rmm;
	struct rmm_pcpu *p;
	struct rmm_pcpu_chunk *chunk[TRACE_CHUNKS]; /* by number; NULL: unknown */
	unsigned int created, events, allocs, agree, frees, unknown, bad;
	unsigned int first_miss; /* line of the first disagreement; 0: none */
	unsigned int same_chunk; /* allocations for which refmm would choose that chunk, too */
};

/* Populate what an allocation at @off touches, as the kernel has by then */
HELPER void trace_populate(struct percpu_trace *t, struct rmm_pcpu_chunk *c, int off, int size)
{
	int end = (off + size + t->p->page_size - 1) / t->p->page_size;

	for (int i = off / t->p->page_size; i < end; i++) {
		if (rmm_test_bit(c->populated, i))
			continue;
		assert_int_equal(rmm_pcpu_populate_chunk(t->p, c, 0, i, i + 1, RMM_GFP_KERNEL), 0);
		rmm_pcpu_chunk_populated(t->p, c, i, i + 1);
	}
}

/* The chunk that refmm would try first, of those it knows; the slots are from what is allocated
 * alone, as isolated chunks depend on when the kernel's worker ran */
HELPER struct rmm_pcpu_chunk *trace_choice(const struct percpu_trace *t, int size, int align,
					   bool atomic)
{
	for (int s = rmm_pcpu_size_to_slot(t->p, size); s <= t->p->info.free_slot; s++)
		for (struct rmm_pcpu_chunk *c = t->p->slots[s].first; c; c = c->next)
			if (rmm_pcpu_find_block_fit(t->p, c, size / RMM_PCPU_MIN_ALLOC,
						    align / RMM_PCPU_MIN_ALLOC, atomic) >= 0 &&
			    c != t->p->first_chunk)
				return c;
	return NULL;
}

HELPER void trace_alloc(struct percpu_trace *t, unsigned int n, const int v[4])
{
	int bits = v[0] / RMM_PCPU_MIN_ALLOC, align = v[1] / RMM_PCPU_MIN_ALLOC, at;
	struct rmm_pcpu_chunk *c = t->chunk[n];
	int off = -1;

	if (!c) {
		t->unknown++;
		return;
	}
	t->allocs++;
	t->same_chunk += trace_choice(t, v[0], v[1], v[2]) == c;
	at = rmm_pcpu_find_block_fit(t->p, c, bits, align, v[2]);
	if (at >= 0)
		off = rmm_pcpu_alloc_area(t->p, c, bits, align, at);
	if (off == v[3]) {
		t->agree++;
	} else {
		if (!t->first_miss)
			t->first_miss = t->events;
		if (off >= 0)
			rmm_pcpu_free_area(t->p, c, off);
		off = rmm_pcpu_alloc_area(t->p, c, bits, 1, v[3] / RMM_PCPU_MIN_ALLOC);
		t->bad += off != v[3];
		if (off != v[3])
			return;
	}
	c->nr_alloc++;
	t->p->stat.nr_alloc++;
	t->p->stat.nr_cur_alloc++;
	trace_populate(t, c, off, v[0]);
}

HELPER void trace_free(struct percpu_trace *t, unsigned int n, int off)
{
	struct rmm_pcpu_chunk *c = t->chunk[n];

	if (!c) {
		t->unknown++;
		return;
	}
	t->frees++;
	if (!rmm_test_bit(c->alloc_map, off / RMM_PCPU_MIN_ALLOC)) {
		t->bad++;
		return;
	}
	rmm_pcpu_free_area(t->p, c, off);
}

HELPER void trace_create(struct percpu_trace *t, unsigned int n)
{
	t->chunk[n] = rmm_pcpu_create_chunk(t->p);
	assert_non_null(t->chunk[n]);
	rmm_pcpu_chunk_relocate(t->p, t->chunk[n], -1);
	t->created++;
}

HELPER void trace_line(struct percpu_trace *t, const char *line)
{
	int v[4] = {0};
	unsigned int n;
	char what;

	t->events++;
	if (sscanf(line, "%c %u %d %d %d %d", &what, &n, &v[0], &v[1], &v[2], &v[3]) < 2 ||
	    n >= TRACE_CHUNKS)
		t->bad++;
	else if (what == 'c')
		trace_create(t, n);
	else if (what == 'd')
		t->chunk[n] = NULL;
	else if (what == 'a')
		trace_alloc(t, n, v);
	else if (what == 'f')
		trace_free(t, n, v[0]);
}

/* The first line says what unit size the kernel has: # unit_size 1048576 */
HELPER void trace_replay(struct percpu_trace *t, const char *path)
{
	struct rmm_percpu_config c;
	FILE *f = fopen(path, "r");
	unsigned int unit_size;
	struct machine m;
	char line[128];

	assert_non_null(f);
	assert_non_null(fgets(line, sizeof(line), f));
	assert_int_equal(sscanf(line, "# unit_size %u", &unit_size), 1);
	machine_init(&m, 64);
	m.config.nr_cpus = 2;
	rmm_percpu_config_init(&c);
	c.unit_size = unit_size;
	c.atom_size = unit_size;
	*t = (struct percpu_trace){.rmm = machine_boot(&m)};
	if (!t->rmm)
		abort(); /* machine_boot() has failed the test before */
	assert_int_equal(rmm_percpu_init(t->rmm, &c), 0);
	t->p = rmm_pcpu_of(t->rmm);
	while (fgets(line, sizeof(line), f))
		trace_line(t, line);
	fclose(f);
}

#endif
