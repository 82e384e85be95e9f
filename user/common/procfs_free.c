/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* procfs_free.c - /proc/buddyinfo, /proc/pagetypeinfo and /proc/slabinfo. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/procfs.h"

enum { LINE_BYTES = 1024 };

/* Numbers up to the end of the line; ">100000" style bounds lose their '>'. */
static unsigned int parse_numbers(const char *s, uint64_t *out, unsigned int max)
{
	unsigned int n = 0;
	char *end;

	while (n < max) {
		s += strspn(s, " \t>");
		out[n] = strtoull(s, &end, 10);
		if (end == s)
			break;
		n++;
		s = end;
	}
	return n;
}

int proc_buddyinfo_parse(const char *text, struct proc_buddyinfo *out)
{
	char line[LINE_BYTES];
	struct proc_buddy b, *grown;
	int at;

	memset(out, 0, sizeof(*out));
	while (proc_line(&text, line, sizeof(line))) {
		memset(&b, 0, sizeof(b));
		if (sscanf(line, "Node %u, zone %15s%n", &b.node, b.name, &at) != 2)
			continue;
		b.orders = parse_numbers(line + at, b.blocks, PROC_ORDERS);
		grown = realloc(out->zones, (out->n + 1) * sizeof(*grown));
		if (!grown) {
			proc_buddyinfo_free(out);
			return -ENOMEM;
		}
		out->zones = grown;
		out->zones[out->n++] = b;
	}
	return out->n ? 0 : -EINVAL;
}

void proc_buddyinfo_free(struct proc_buddyinfo *b)
{
	free(b->zones);
	memset(b, 0, sizeof(*b));
}

static struct proc_pagetype *pagetype_zone(struct proc_pagetypeinfo *out, unsigned int node,
					   const char *name)
{
	struct proc_pagetype *grown;

	for (size_t i = 0; i < out->n; i++)
		if (out->zones[i].node == node && !strcmp(out->zones[i].name, name))
			return &out->zones[i];
	grown = realloc(out->zones, (out->n + 1) * sizeof(*grown));
	if (!grown)
		return NULL;
	out->zones = grown;
	memset(&grown[out->n], 0, sizeof(*grown));
	grown[out->n].node = node;
	snprintf(grown[out->n].name, sizeof(grown->name), "%s", name);
	return &grown[out->n++];
}

/* The header of the last table names the types in the order of its columns. */
static void parse_type_names(const char *s, struct proc_pagetypeinfo *out)
{
	int at;

	out->types = 0;
	while (out->types < PROC_TYPES &&
	       sscanf(s, " %15s%n", out->type_names[out->types], &at) == 1) {
		out->types++;
		s += at;
	}
}

/* Rows of a zone's free table come in the order of the type numbers. */
static int parse_free_row(const char *line, struct proc_pagetypeinfo *out, unsigned int *row)
{
	char name[PROC_NAME_BYTES], type[PROC_NAME_BYTES];
	struct proc_pagetype *z;
	unsigned int node, n;
	size_t zones = out->n;
	int at;

	if (sscanf(line, "Node %u, zone %15[^,], type %15s%n", &node, name, type, &at) != 3)
		return 0;
	z = pagetype_zone(out, node, name);
	if (!z)
		return -ENOMEM;
	if (out->n != zones)
		*row = 0;
	if (*row >= PROC_TYPES)
		return 0;
	n = parse_numbers(line + at, z->free[*row], PROC_ORDERS);
	(*row)++;
	if (n > out->orders)
		out->orders = n;
	return 0;
}

static int parse_block_row(const char *line, struct proc_pagetypeinfo *out)
{
	char name[PROC_NAME_BYTES];
	struct proc_pagetype *z;
	unsigned int node;
	int at;

	if (!out->types || sscanf(line, "Node %u, zone %15[^, ]%n", &node, name, &at) != 2)
		return 0;
	z = pagetype_zone(out, node, name);
	if (!z)
		return -ENOMEM;
	parse_numbers(line + at, z->pageblocks, PROC_TYPES);
	return 0;
}

int proc_pagetypeinfo_parse(const char *text, struct proc_pagetypeinfo *out)
{
	static const char blocks_head[] = "Number of blocks type";
	char line[LINE_BYTES];
	unsigned int row = 0;
	int err = 0;

	memset(out, 0, sizeof(*out));
	while (!err && proc_line(&text, line, sizeof(line))) {
		if (!strncmp(line, blocks_head, sizeof(blocks_head) - 1))
			parse_type_names(line + sizeof(blocks_head) - 1, out);
		else if (sscanf(line, "Page block order: %u", &out->pageblock_order) == 1)
			continue;
		else if (strstr(line, ", type "))
			err = parse_free_row(line, out, &row);
		else if (!strncmp(line, "Node", 4))
			err = parse_block_row(line, out);
	}
	if (!err && !out->n)
		err = -EINVAL;
	if (err)
		proc_pagetypeinfo_free(out);
	return err;
}

void proc_pagetypeinfo_free(struct proc_pagetypeinfo *p)
{
	free(p->zones);
	memset(p, 0, sizeof(*p));
}

int proc_slabinfo_parse(const char *text, struct proc_slabinfo *out)
{
	char line[LINE_BYTES];
	struct proc_slab s, *grown;

	memset(out, 0, sizeof(*out));
	while (proc_line(&text, line, sizeof(line))) {
		memset(&s, 0, sizeof(s));
		if (sscanf(line,
			   "%63s %" SCNu64 " %" SCNu64 " %" SCNu32 " %" SCNu32 " %" SCNu32
			   " : tunables %*u %*u %*u : slabdata %" SCNu64 " %" SCNu64,
			   s.name, &s.active_objects, &s.objects, &s.object_bytes,
			   &s.objects_per_slab, &s.pages_per_slab, &s.active_slabs, &s.slabs) != 8)
			continue;
		grown = realloc(out->caches, (out->n + 1) * sizeof(*grown));
		if (!grown) {
			proc_slabinfo_free(out);
			return -ENOMEM;
		}
		out->caches = grown;
		out->caches[out->n++] = s;
	}
	return out->n ? 0 : -EINVAL;
}

void proc_slabinfo_free(struct proc_slabinfo *s)
{
	free(s->caches);
	memset(s, 0, sizeof(*s));
}

const struct proc_slab *proc_slabinfo_find(const struct proc_slabinfo *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++)
		if (!strcmp(s->caches[i].name, name))
			return &s->caches[i];
	return NULL;
}
