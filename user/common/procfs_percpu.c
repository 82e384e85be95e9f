/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* procfs_percpu.c - debugfs percpu_stats; see procfs.h. */
#include "common/procfs_percpu.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A line "name : number" goes where its name says; NULL: not known. */
struct field {
	const char *name;
	uint64_t *to;
};

static void take_field(const struct field *fields, size_t n, const char *line)
{
	char name[40];
	int64_t value;

	if (sscanf(line, " %39[^ :] : %" SCNd64, name, &value) != 2 || value < 0)
		return;
	for (size_t i = 0; i < n; i++)
		if (!strcmp(fields[i].name, name))
			*fields[i].to = (uint64_t)value;
}

static void take_global(struct proc_percpu *p, const char *line)
{
	const struct field fields[] = {
		{"unit_size", &p->unit_bytes},	       {"static_size", &p->static_bytes},
		{"reserved_size", &p->reserved_bytes}, {"dyn_size", &p->dyn_bytes},
		{"atom_size", &p->atom_bytes},	       {"nr_cur_alloc", &p->areas},
		{"nr_chunks", &p->nr_chunks},	       {"empty_pop_pages", &p->empty_pages},
	};

	take_field(fields, sizeof(fields) / sizeof(*fields), line);
}

static void take_chunk(struct proc_percpu_chunk *c, const char *line)
{
	const struct field fields[] = {
		{"nr_alloc", &c->areas},
		{"free_bytes", &c->free_bytes},
		{"contig_bytes", &c->contig_bytes},
		{"cur_min_alloc", &c->min_bytes},
		{"cur_med_alloc", &c->med_bytes},
		{"cur_max_alloc", &c->max_bytes},
	};

	take_field(fields, sizeof(fields) / sizeof(*fields), line);
}

static int add_chunk(struct proc_percpu *p, const char *line)
{
	struct proc_percpu_chunk *more = reallocarray(p->chunks, p->n + 1, sizeof(*more));

	if (!more)
		return -ENOMEM;
	p->chunks = more;
	more[p->n++] = (struct proc_percpu_chunk){
		.first = strstr(line, "First Chunk") != NULL,
		.reserved = strstr(line, "Reserved Chunk") != NULL,
	};
	return 0;
}

int proc_percpu_parse(const char *text, struct proc_percpu *out)
{
	char line[128];
	int err = 0;

	memset(out, 0, sizeof(*out));
	while (!err && proc_line(&text, line, sizeof(line))) {
		if (!strncmp(line, "Chunk", 5))
			err = add_chunk(out, line);
		else if (out->n)
			take_chunk(&out->chunks[out->n - 1], line);
		else
			take_global(out, line);
	}
	if (!err && (!out->unit_bytes || !out->n))
		err = -EINVAL;
	if (err)
		proc_percpu_free(out);
	return err;
}

void proc_percpu_free(struct proc_percpu *p)
{
	free(p->chunks);
	memset(p, 0, sizeof(*p));
}

uint64_t proc_percpu_used(const struct proc_percpu *p, const struct proc_percpu_chunk *c)
{
	uint64_t bytes = c->first ? p->dyn_bytes : c->reserved ? p->reserved_bytes : p->unit_bytes;

	return bytes > c->free_bytes ? bytes - c->free_bytes : 0;
}
