/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * percpu_machine.h - machines with per-CPU memory for refmm's tests.
 *
 * The usual one: two CPUs, 16 MiB, units of 64 KiB (16 pages), of which static
 * variables have 4 KiB, 28 KiB are dynamic, and the rest is no chunk's.
 */
#ifndef KMEMLAB_TESTS_PERCPU_MACHINE_H
#define KMEMLAB_TESTS_PERCPU_MACHINE_H

#include "machine.h"

#include "../../refmm/percpu_chunk.h"

enum { UNIT = 64 << 10, UNIT_PAGES = 16, DYNAMIC = 28 << 10 };

HELPER void percpu_config(struct rmm_percpu_config *c)
{
	rmm_percpu_config_init(c);
	c->static_size = 4096;
	c->dyn_size = DYNAMIC;
	c->unit_size = UNIT;
	c->atom_size = UNIT;
	c->max_chunks = 16;
}

HELPER struct rmm *percpu_boot(struct machine *m, const struct rmm_percpu_config *c)
{
	struct rmm *rmm = machine_boot(m);

	if (rmm_percpu_init(rmm, c))
		fail_msg("%s", rmm_last_error(rmm));
	return rmm;
}

HELPER struct rmm *percpu_machine(bool backed)
{
	struct rmm_percpu_config c;
	struct machine m;

	machine_init(&m, 8);
	m.config.nr_cpus = 2;
	m.config.backed = backed;
	percpu_config(&c);
	return percpu_boot(&m, &c);
}

HELPER rmm_percpu alloc_percpu(struct rmm *rmm, size_t size, size_t align)
{
	rmm_percpu ptr = rmm___alloc_percpu(rmm, 0, size, align);

	if (!ptr)
		fail_msg("%s", rmm_last_error(rmm));
	return ptr;
}

HELPER void free_percpu(struct rmm *rmm, rmm_percpu ptr)
{
	if (rmm_free_percpu(rmm, 0, ptr))
		fail_msg("%s", rmm_last_error(rmm));
}

/* Area @ptr is in; its offset in *@off if not NULL */
HELPER unsigned int area_of(struct rmm *rmm, rmm_percpu ptr, int *off)
{
	unsigned int chunk = UINT32_MAX;
	int at = rmm_percpu_where(rmm, ptr, &chunk);

	assert_true(at >= 0);
	if (off)
		*off = at;
	return chunk;
}

/* Take all that is left of the first chunk, 4 bytes at a time at last */
HELPER void fill_first(struct rmm *rmm)
{
	struct rmm_pcpu *p = rmm_pcpu_of(rmm);

	while (p->first_chunk->free_bytes >= 4096)
		alloc_percpu(rmm, 4096, 4096);
	while (p->first_chunk->free_bytes)
		alloc_percpu(rmm, 4, 4);
	assert_int_equal(p->stat.nr_chunks, 1);
}

HELPER struct rmm_percpu_stat percpu_stats(const struct rmm *rmm)
{
	struct rmm_percpu_stat s;

	rmm_percpu_stat(rmm, &s);
	return s;
}

#endif
