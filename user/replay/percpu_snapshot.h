/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * percpu_snapshot.h - chunks of per-CPU memory as a snapshot found them: trace.h,
 * "kmemlab/percpu".
 */
#ifndef KMEMLAB_REPLAY_PERCPU_SNAPSHOT_H
#define KMEMLAB_REPLAY_PERCPU_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kmemlab/refmm_percpu_load.h>

#include "common/procfs_percpu.h"

struct trace_reader;

struct snapshot_chunk {
	uint32_t number; /* the upper 32 bits of its areas' addresses */
	bool first, reserved, isolated;
	int slot;
	uint64_t free_bytes, contig_bytes;
	uint32_t nr_populated, empty_pages;
	const uint64_t *populated; /* a bit for each page of a unit */
	const struct rmm_percpu_load_area *area;
	size_t n;
};

struct percpu_snapshot {
	bool known;			/* the trace has it, and it could be read */
	uint64_t t_first_ns, t_last_ns; /* read between these */
	uint64_t unit_bytes, static_bytes, reserved_bytes, dyn_bytes, atom_bytes;
	struct snapshot_chunk *chunk;
	size_t n;
	size_t areas; /* of all chunks */
	/* What the chunks point to */
	uint64_t *maps;
	struct rmm_percpu_load_area *all;
};

/** percpu_snapshot_read() - of @phase (KMT_PHASE_*); what the trace has not, or no kernel
 *  can have, is not known. 0 or -ENOMEM */
int percpu_snapshot_read(struct percpu_snapshot *s, struct trace_reader *r, uint16_t phase);
void percpu_snapshot_free(struct percpu_snapshot *s);

/** percpu_snapshot_stats() - what percpu_stats would say of it; 0 or -ENOMEM */
int percpu_snapshot_stats(const struct percpu_snapshot *s, struct proc_percpu *out);
/** percpu_stats_alike() - of how many of @a's chunks says @b the same? */
size_t percpu_stats_alike(const struct proc_percpu *a, const struct proc_percpu *b);

/** percpu_snapshot_pages() - populated pages of a unit, static variables' among them */
uint64_t percpu_snapshot_pages(const struct percpu_snapshot *s);

#endif
