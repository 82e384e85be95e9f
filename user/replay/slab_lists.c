/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* slab_lists.c - see slab_lists.h. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "replay/slab_lists.h"
#include "trace/text_json.h"
#include "trace/trace_io.h"

#define COUNT_MAX (1ull << 40) /* more slabs or objects no machine has */

static const char *const holders[SLAB_HOLDERS] = {"node", "cpu", "cpu_partial"};

static uint64_t count(const json_t *n)
{
	uint64_t value = text_json_count(n);

	return value > COUNT_MAX ? 0 : value;
}

/* [pfn, free objects, node or CPU], ... */
static void add_slabs(struct slab_lists *l, const json_t *list, enum slab_holder holder)
{
	const json_t *one;
	size_t i;

	json_array_foreach (list, i, one) {
		uint64_t free = count(json_array_get(one, 1));

		if (!free || free > UINT16_MAX)
			continue;
		l->slab[l->slabs++] = (struct listed_slab){
			.pfn = count(json_array_get(one, 0)),
			.free = (uint16_t)free,
			.of = (uint32_t)count(json_array_get(one, 2)),
			.holder = (uint8_t)holder,
		};
	}
}

static void add_cache(struct slab_lists *l, const json_t *from)
{
	const char *name = json_string_value(json_object_get(from, "name"));
	struct listed_cache *c = &l->cache[l->n];

	if (!name || strlen(name) >= sizeof(c->name))
		return;
	l->n++;
	memcpy(c->name, name, strlen(name) + 1);
	c->slabs = count(json_object_get(from, "slabs"));
	c->objects = count(json_object_get(from, "objects"));
	c->slab = &l->slab[l->slabs];
	for (int h = 0; h < SLAB_HOLDERS; h++)
		add_slabs(l, json_object_get(from, holders[h]), (enum slab_holder)h);
	c->n = (size_t)(&l->slab[l->slabs] - c->slab);
}

static int take(struct slab_lists *l, const json_t *doc)
{
	const json_t *caches = json_object_get(doc, "caches"), *one;
	size_t slabs = 0, i;

	json_array_foreach (caches, i, one) {
		for (int h = 0; h < SLAB_HOLDERS; h++)
			slabs += json_array_size(json_object_get(one, holders[h]));
	}
	l->cache = calloc(json_array_size(caches) + 1, sizeof(*l->cache));
	l->slab = calloc(slabs + 1, sizeof(*l->slab));
	if (!l->cache || !l->slab)
		return -ENOMEM;
	json_array_foreach (caches, i, one) {
		add_cache(l, one);
	}
	l->time_ns =
		(uint64_t)json_integer_value(json_array_get(json_object_get(doc, "time_ns"), 1));
	l->known = l->n > 0 && l->time_ns <= INT64_MAX;
	return 0;
}

int slab_lists_read(struct slab_lists *l, struct trace_reader *r)
{
	json_t *doc = trace_reader_json(r, "kmemlab/slabs", KMT_PHASE_START);
	int err;

	memset(l, 0, sizeof(*l));
	err = doc ? take(l, doc) : 0;
	json_decref(doc);
	return err;
}

void slab_lists_free(struct slab_lists *l)
{
	free(l->cache);
	free(l->slab);
	memset(l, 0, sizeof(*l));
}

const struct listed_cache *slab_lists_find(const struct slab_lists *l, const char *name)
{
	for (size_t i = 0; i < l->n; i++)
		if (!strcmp(l->cache[i].name, name))
			return &l->cache[i];
	return NULL;
}

uint64_t listed_free_on_nodes(const struct listed_cache *c)
{
	uint64_t free = 0;

	for (size_t i = 0; i < c->n; i++)
		if (c->slab[i].holder == SLAB_OF_NODE)
			free += c->slab[i].free;
	return free;
}
