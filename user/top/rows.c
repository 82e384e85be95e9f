// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* rows.c - slots to rows. */
#include "top/rows.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	FIRST_ROOM = 64,
	NAME_BYTES = 128,
	ORDER_MASK = 0xff,
	GROUPS_OF_A_SLOT = 2,
};

#define NO_ROW 0 /* else the number of a row, from 1 */

struct table {
	struct top_row *row;
	size_t n, room;
	uint32_t *slot; /* hash: number of a row; twice as many as `room` */
};

/* Which rows a slot of a CPU adds to: of sources their cache and their site. */
struct meaning {
	uint32_t row[GROUPS_OF_A_SLOT];
};

struct top_rows {
	struct table table[TOP_GROUPS];
	struct meaning *meaning; /* KML_TOP_SLOTS of each CPU */
	unsigned int cpus;
	void (*site)(const void *context, uint64_t address, char *buf, size_t size);
	const void *context;
};

/* Slots of one sort, and the groups that they belong to. */
struct slots {
	uint32_t base, table;
	bool command;
	enum top_group group[GROUPS_OF_A_SLOT];
};

static const struct slots sorts[] = {
	{KML_TOP_PAGES * KML_TOP_COMMANDS, KML_TOP_PAGES, true, {TOP_PAGES, TOP_GROUPS}},
	{KML_TOP_KMALLOC * KML_TOP_COMMANDS, KML_TOP_KMALLOC, true, {TOP_COMMAND, TOP_GROUPS}},
	{KML_TOP_CACHE * KML_TOP_COMMANDS, KML_TOP_CACHE, true, {TOP_COMMAND, TOP_GROUPS}},
	{KML_TOP_PAGE_BASE, KML_TOP_PAGES, false, {TOP_ORDER, TOP_GROUPS}},
	{KML_TOP_KMALLOC_BASE, KML_TOP_KMALLOC, false, {TOP_CACHE, TOP_SITE}},
	{KML_TOP_CACHE_BASE, KML_TOP_CACHE, false, {TOP_CACHE, TOP_SITE}},
};

struct top_rows *top_rows_new(unsigned int cpus,
			      void (*site)(const void *context, uint64_t address, char *buf,
					   size_t size),
			      const void *context)
{
	struct top_rows *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->meaning = calloc((size_t)cpus * KML_TOP_SLOTS, sizeof(*r->meaning));
	r->cpus = cpus;
	r->site = site;
	r->context = context;
	if (r->meaning)
		return r;
	free(r);
	return NULL;
}

void top_rows_free(struct top_rows *r)
{
	if (!r)
		return;
	for (int g = 0; g < TOP_GROUPS; g++) {
		for (size_t i = 0; i < r->table[g].n; i++)
			free(r->table[g].row[i].name);
		free(r->table[g].row);
		free(r->table[g].slot);
	}
	free(r->meaning);
	free(r);
}

/* ---- Rows by name --------------------------------------------------------- */

static uint32_t *place(const struct table *t, const char *name)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (const char *c = name; *c; c++)
		hash = (hash ^ (unsigned char)*c) * 0x100000001b3;
	for (size_t i = hash;; i++) {
		uint32_t *slot = &t->slot[i & (2 * t->room - 1)];

		if (!*slot || !strcmp(t->row[*slot - 1].name, name))
			return slot;
	}
}

static int grow(struct table *t)
{
	size_t room = t->room ? t->room * 2 : FIRST_ROOM;
	struct top_row *row = reallocarray(t->row, room, sizeof(*row));
	uint32_t *slot;

	if (!row)
		return -ENOMEM;
	t->row = row;
	slot = calloc(2 * room, sizeof(*slot));
	if (!slot)
		return -ENOMEM;
	free(t->slot);
	t->slot = slot;
	t->room = room;
	for (size_t i = 0; i < t->n; i++)
		*place(t, t->row[i].name) = (uint32_t)i + 1;
	return 0;
}

/* The number of the row of this name, made if there is none. */
static int row_of(struct table *t, const char *name, uint32_t *number)
{
	uint32_t *slot;

	if (t->n == t->room && grow(t))
		return -ENOMEM;
	slot = place(t, name);
	if (!*slot) {
		t->row[t->n] = (struct top_row){.name = strdup(name)};
		if (!t->row[t->n].name)
			return -ENOMEM;
		*slot = (uint32_t)++t->n;
	}
	*number = *slot;
	return 0;
}

/* ---- Names ---------------------------------------------------------------- */

static void name_object(const struct top_rows *r, const struct kml_top_slot *s,
			enum top_group group, char *name)
{
	if (group == TOP_SITE) {
		r->site(r->context, s->key[0], name, NAME_BYTES);
		if (!*name)
			snprintf(name, NAME_BYTES, "(unknown)");
		return;
	}
	snprintf(name, NAME_BYTES, "%.*s", KML_TOP_NAME_BYTES,
		 *s->name ? s->name : "(large: pages)");
}

/* What slot @i of a sort is about, for one of its groups. */
static void name_slot(const struct top_rows *r, const struct slots *sort, uint32_t i,
		      const struct kml_top_slot *s, enum top_group group, char *name)
{
	if (!i)
		snprintf(name, NAME_BYTES, "(no place)");
	else if (sort->command)
		snprintf(name, NAME_BYTES, "%.16s", (const char *)s->key);
	else if (sort->table == KML_TOP_PAGES)
		snprintf(name, NAME_BYTES, "%u", (unsigned int)(s->key[0] & ORDER_MASK));
	else
		name_object(r, s, group, name);
}

/* Commands choose their own names: nothing that steers a terminal gets through. */
static void clean(char *name)
{
	for (; *name; name++)
		if ((unsigned char)*name < 0x20 || *name == 0x7f)
			*name = '?';
}

static int learn(struct top_rows *r, const struct slots *sort, uint32_t i,
		 const struct kml_top_slot *s, struct meaning *m)
{
	char name[NAME_BYTES];
	int err = 0;

	for (int g = 0; !err && g < GROUPS_OF_A_SLOT; g++) {
		if (sort->group[g] == TOP_GROUPS)
			continue;
		name_slot(r, sort, i, s, sort->group[g], name);
		clean(name);
		err = row_of(&r->table[sort->group[g]], name, &m->row[g]);
	}
	return err;
}

/* ---- Readings ------------------------------------------------------------- */

void top_rows_begin(struct top_rows *r)
{
	for (int g = 0; g < TOP_GROUPS; g++) {
		for (size_t i = 0; i < r->table[g].n; i++) {
			struct top_row *row = &r->table[g].row[i];

			row->before = row->now;
			row->now = (struct top_sums){0};
		}
	}
}

static void add(struct top_sums *to, const struct kml_top_slot *s)
{
	to->allocs += s->events;
	to->req += s->req;
	to->given += s->given;
	to->begun += s->begun;
	to->begun_bytes += s->begun_bytes;
	to->ended += s->ended;
	to->ended_bytes += s->ended_bytes;
}

static int add_slots(struct top_rows *r, struct meaning *meaning, const struct slots *sort,
		     const struct kml_top_cpu *c)
{
	const struct kml_top_state *state = &c->state[sort->table];
	uint32_t used = sort->command ? state->commands : state->sources;

	for (uint32_t i = 0; i <= used; i++) {
		const struct kml_top_slot *s = &c->slot[sort->base + i];
		struct meaning *m = &meaning[sort->base + i];

		if (!s->events)
			continue;
		if (!m->row[0] && learn(r, sort, i, s, m))
			return -ENOMEM;
		for (int g = 0; g < GROUPS_OF_A_SLOT; g++)
			if (m->row[g])
				add(&r->table[sort->group[g]].row[m->row[g] - 1].now, s);
	}
	return 0;
}

int top_rows_add(struct top_rows *r, unsigned int cpu, const struct kml_top_cpu *c)
{
	struct meaning *meaning = &r->meaning[(size_t)cpu * KML_TOP_SLOTS];
	int err = 0;

	for (size_t i = 0; !err && i < sizeof(sorts) / sizeof(sorts[0]); i++)
		err = add_slots(r, meaning, &sorts[i], c);
	return err;
}

struct top_row *top_rows_of(const struct top_rows *r, enum top_group group, size_t *n)
{
	*n = r->table[group].n;
	return r->table[group].row;
}

struct top_row *top_rows_find(const struct top_rows *r, enum top_group group, const char *name)
{
	const struct table *t = &r->table[group];
	uint32_t slot = t->n ? *place(t, name) : NO_ROW;

	return slot ? &t->row[slot - 1] : NULL;
}

uint64_t top_row_lives(const struct top_sums *s)
{
	return s->begun > s->ended ? s->begun - s->ended : 0;
}

uint64_t top_row_live_bytes(const struct top_sums *s)
{
	return s->begun_bytes > s->ended_bytes ? s->begun_bytes - s->ended_bytes : 0;
}
