/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* slots.h - a CPU's sums as the programs leave them, made by hand. */
#ifndef KMEMLAB_TEST_SLOTS_H
#define KMEMLAB_TEST_SLOTS_H

#include "../support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "top/rows.h"

static inline struct kml_top_cpu *cpu_new(void)
{
	struct kml_top_cpu *c = calloc(1, sizeof(*c));

	assert_non_null(c);
	return c;
}

/* @events allocations of @req bytes that were given @given, in slot @at. */
static inline struct kml_top_slot *slot_fill(struct kml_top_cpu *c, uint32_t at, uint64_t events,
					     uint64_t req, uint64_t given)
{
	struct kml_top_slot *s = &c->slot[at];

	s->events += events;
	s->req += events * req;
	s->given += events * given;
	return s;
}

/* The next slot for a source of @table, of this call site and cache. */
static inline uint32_t slot_source(struct kml_top_cpu *c, uint32_t table, uint64_t site,
				   const char *cache)
{
	static const uint32_t base[] = {KML_TOP_PAGE_BASE, KML_TOP_KMALLOC_BASE,
					KML_TOP_CACHE_BASE};
	uint32_t at = base[table] + ++c->state[table].sources;

	c->slot[at].key[0] = site;
	snprintf(c->slot[at].name, sizeof(c->slot[at].name), "%s", cache);
	return at;
}

/* The next slot for a command of @table. */
static inline uint32_t slot_command(struct kml_top_cpu *c, uint32_t table, const char *comm)
{
	uint32_t at = table * KML_TOP_COMMANDS + ++c->state[table].commands;

	for (size_t i = 0; i < sizeof(c->slot[at].key) && comm[i]; i++)
		((char *)c->slot[at].key)[i] = comm[i];
	return at;
}

static inline void name_site(const void *context, uint64_t address, char *buf, size_t size)
{
	(void)context;
	snprintf(buf, size, "site_%llx", (unsigned long long)address);
}

#endif
