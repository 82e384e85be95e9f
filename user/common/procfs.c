/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* procfs.c - /proc/zoneinfo and /proc/vmstat. */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/procfs.h"

enum { LINE_BYTES = 512 };

char *proc_line(const char **cursor, char *line, size_t size)
{
	const char *start = *cursor;
	size_t length = strcspn(start, "\n");
	size_t kept = length < size ? length : size - 1;

	if (!*start)
		return NULL;
	memcpy(line, start, kept);
	line[kept] = '\0';
	*cursor = start + length + (start[length] == '\n');
	return line;
}

static struct proc_zone *add_zone(struct proc_zoneinfo *out)
{
	struct proc_zone *grown = realloc(out->zones, (out->n + 1) * sizeof(*grown));

	if (!grown)
		return NULL;
	out->zones = grown;
	memset(&grown[out->n], 0, sizeof(*grown));
	return &grown[out->n++];
}

static int add_pcp(struct proc_zone *z, uint32_t cpu)
{
	struct proc_pcp *grown = realloc(z->pcp, (z->pcps + 1) * sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	z->pcp = grown;
	memset(&grown[z->pcps], 0, sizeof(*grown));
	grown[z->pcps++].cpu = cpu;
	return 0;
}

static void parse_protection(const char *list, struct proc_zone *z)
{
	char *end;

	z->protections = 0;
	list = strchr(list, '(');
	while (list && *list && *list != ')' && z->protections < PROC_PROTECTIONS) {
		z->protection[z->protections] = strtoull(list + 1, &end, 10);
		if (end == list + 1)
			return;
		z->protections++;
		list = end;
	}
}

/* "count:  12" and its neighbours, below "cpu: N". */
static void parse_pcp_field(const char *key, uint64_t value, struct proc_pcp *p)
{
	uint32_t v = (uint32_t)value;

	if (!strcmp(key, "count:"))
		p->count = v;
	else if (!strcmp(key, "high:"))
		p->high = v;
	else if (!strcmp(key, "batch:"))
		p->batch = v;
	else if (!strcmp(key, "high_min:"))
		p->high_min = v;
	else if (!strcmp(key, "high_max:"))
		p->high_max = v;
}

static void parse_zone_field(const char *key, uint64_t value, struct proc_zone *z)
{
	const struct {
		const char *key;
		uint64_t *field;
	} fields[] = {
		{"boost", &z->boost},	  {"min", &z->min},
		{"low", &z->low},	  {"high", &z->high},
		{"promo", &z->promo},	  {"spanned", &z->spanned},
		{"present", &z->present}, {"managed", &z->managed},
		{"cma", &z->cma},	  {"start_pfn:", &z->start_pfn},
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		if (!strcmp(key, fields[i].key))
			*fields[i].field = value;
}

static int parse_zone_line(const char *line, struct proc_zone *z)
{
	char key[64];
	uint64_t value;

	if (sscanf(line, " pages free %" SCNu64, &value) == 1) {
		z->free_pages = value;
		return 0;
	}
	if (strstr(line, "protection:")) {
		parse_protection(line, z);
		return 0;
	}
	if (sscanf(line, " %63s %" SCNu64, key, &value) != 2)
		return 0;
	if (!strcmp(key, "cpu:"))
		return add_pcp(z, (uint32_t)value);
	if (z->pcps && strcmp(key, "start_pfn:") != 0)
		parse_pcp_field(key, value, &z->pcp[z->pcps - 1]);
	else
		parse_zone_field(key, value, z);
	return 0;
}

/* 6.1 prints one high mark: it does not move. */
static void complete_pcp(struct proc_zone *z)
{
	for (unsigned int i = 0; i < z->pcps; i++) {
		struct proc_pcp *p = &z->pcp[i];

		if (!p->high_min && !p->high_max)
			p->high_min = p->high_max = p->high;
	}
}

int proc_zoneinfo_parse(const char *text, struct proc_zoneinfo *out)
{
	struct proc_zone *z = NULL;
	char line[LINE_BYTES], name[PROC_NAME_BYTES];
	unsigned int node;
	int err = 0;

	memset(out, 0, sizeof(*out));
	while (!err && proc_line(&text, line, sizeof(line))) {
		if (sscanf(line, "Node %u, zone %15s", &node, name) == 2) {
			z = add_zone(out);
			if (!z) {
				err = -ENOMEM;
				break;
			}
			z->node = node;
			memcpy(z->name, name, sizeof(name));
		} else if (z) {
			err = parse_zone_line(line, z);
		}
	}
	for (size_t i = 0; i < out->n; i++)
		complete_pcp(&out->zones[i]);
	if (!err && !out->n)
		err = -EINVAL;
	if (err)
		proc_zoneinfo_free(out);
	return err;
}

void proc_zoneinfo_free(struct proc_zoneinfo *z)
{
	for (size_t i = 0; i < z->n; i++)
		free(z->zones[i].pcp);
	free(z->zones);
	memset(z, 0, sizeof(*z));
}

uint64_t proc_zone_pcp_pages(const struct proc_zone *z)
{
	uint64_t pages = 0;

	for (unsigned int i = 0; i < z->pcps; i++)
		pages += z->pcp[i].count;
	return pages;
}

int proc_vmstat(const char *text, const char *name, uint64_t *value)
{
	char line[LINE_BYTES], key[128];

	while (proc_line(&text, line, sizeof(line)))
		if (sscanf(line, "%127s %" SCNu64, key, value) == 2 && !strcmp(key, name))
			return 0;
	return -ENOENT;
}

uint64_t proc_vmstat_sum(const char *text, const char *prefix)
{
	char line[LINE_BYTES], key[128];
	uint64_t value, sum = 0;

	while (proc_line(&text, line, sizeof(line)))
		if (sscanf(line, "%127s %" SCNu64, key, &value) == 2 &&
		    !strncmp(key, prefix, strlen(prefix)))
			sum += value;
	return sum;
}
