/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* procfs_percpu.h - debugfs percpu_stats, as procfs.h has /proc; bytes are of one CPU. */
#ifndef KMEMLAB_PROCFS_PERCPU_H
#define KMEMLAB_PROCFS_PERCPU_H

#include <stdbool.h>

#include "common/procfs.h"

struct proc_percpu_chunk {
	bool first, reserved;
	uint64_t areas;
	uint64_t free_bytes, contig_bytes;	  /* the largest free area */
	uint64_t min_bytes, med_bytes, max_bytes; /* of its areas; 0: it has none */
};

struct proc_percpu {
	uint64_t unit_bytes, static_bytes, reserved_bytes, dyn_bytes, atom_bytes;
	uint64_t areas, nr_chunks, empty_pages;
	struct proc_percpu_chunk *chunks; /* as printed */
	size_t n;
};

int proc_percpu_parse(const char *text, struct proc_percpu *out);
void proc_percpu_free(struct proc_percpu *p);
/** proc_percpu_used() - bytes of @c's areas; of the first chunk, of its dynamic ones */
uint64_t proc_percpu_used(const struct proc_percpu *p, const struct proc_percpu_chunk *c);

#endif
