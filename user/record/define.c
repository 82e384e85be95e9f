// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * define.c - what ring slots stand for.
 *
 * A definition arrives as single words, which definitions of other kinds may
 * interrupt; each kind (for cache names: each kind that needed one) collects
 * its own. The last word completes it.
 */
#include "record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	CALL_SITE_BYTES = 256,
};

struct cache {
	uint64_t address;
	uint32_t name; /* string */
	uint32_t object_size, size;
};

struct cpu_definitions {
	uint64_t word[KML_PROBE_KINDS][KML_DEF_WORDS];
	uint64_t name[KML_PROBE_KINDS][KML_NAME_WORDS];
	uint64_t task[KML_TASK_WORDS];
	uint32_t task_class;
	struct slot slot[KML_PROBE_KINDS][KML_SLOTS];
};

struct definitions {
	struct trace_writer *writer;
	const struct symbols *symbols;
	struct cache *cache;
	size_t caches;
	unsigned int cpus;
	struct cpu_definitions cpu[];
};

struct definitions *definitions_new(struct trace_writer *w, const struct symbols *symbols,
				    unsigned int cpus)
{
	struct definitions *d = calloc(1, sizeof(*d) + cpus * sizeof(d->cpu[0]));

	if (!d)
		return NULL;
	d->writer = w;
	d->symbols = symbols;
	d->cpus = cpus;
	for (unsigned int i = 0; i < cpus; i++)
		memset(d->cpu[i].slot, 0xff, sizeof(d->cpu[i].slot)); /* no class */
	return d;
}

void definitions_free(struct definitions *d)
{
	if (!d)
		return;
	free(d->cache);
	free(d);
}

uint32_t definitions_task(const struct definitions *d, unsigned int cpu)
{
	return d->cpu[cpu].task_class;
}

const struct slot *definitions_slots(const struct definitions *d, unsigned int cpu)
{
	return d->cpu[cpu].slot[0];
}

static struct cache *find_cache(struct definitions *d, uint64_t address)
{
	for (size_t i = 0; i < d->caches; i++)
		if (d->cache[i].address == address)
			return &d->cache[i];
	return NULL;
}

/* A destroyed cache's address may come back with another name: the last holds. */
static int define_cache(struct definitions *d, const uint64_t *word)
{
	struct cache *c = find_cache(d, word[0]);
	char name[(KML_NAME_WORDS - 2) * 8 + 1] = "";

	if (!c) {
		struct cache *more = reallocarray(d->cache, d->caches + 1, sizeof(*more));

		if (!more)
			return -ENOMEM;
		d->cache = more;
		c = &more[d->caches++];
	}
	memcpy(name, word + 2, sizeof(name) - 1);
	*c = (struct cache){
		.address = word[0],
		.name = trace_writer_string(d->writer, name),
		.object_size = (uint32_t)word[1],
		.size = (uint32_t)(word[1] >> 32),
	};
	return 0;
}

static int define_task(struct definitions *d, struct cpu_definitions *c)
{
	char comm[17] = "";
	struct kmt_class class = {
		.kind = KMT_TASK,
		.pid = (uint32_t)c->task[0],
		.tgid = (uint32_t)(c->task[0] >> 32),
	};

	memcpy(comm, c->task + 1, sizeof(comm) - 1);
	class.comm = trace_writer_string(d->writer, comm);
	c->task_class = trace_writer_class(d->writer, &class);
	return c->task_class == UINT32_MAX ? -ENOMEM : 1;
}

static void describe_page(struct kmt_class *c, uint64_t w)
{
	c->order = (uint8_t)w;
	c->migratetype = (uint8_t)(w >> 8);
	switch (c->kind) {
	case KMT_PAGE_ALLOC:
		c->gfp = (uint32_t)(w >> 32);
		break;
	case KMT_ZONE_LOCKED:
		c->percpu_refill = w >> 16 & 1;
		break;
	case KMT_EXTFRAG:
		c->fallback_order = (uint8_t)(w >> 16);
		c->fallback_type = w >> 24 & 0x7f;
		break;
	default:
		break;
	}
}

static void describe_object(struct definitions *d, struct kmt_class *c, const uint64_t *word)
{
	const struct cache *cache = find_cache(d, word[c->kind == KMT_KMALLOC ? 3 : 2]);
	char site[CALL_SITE_BYTES];

	symbols_name(d->symbols, word[1], site, sizeof(site));
	c->call_site = trace_writer_string(d->writer, site);
	c->cache = cache ? cache->name : 0;
	if (c->kind == KMT_KMALLOC) {
		c->bytes_req = (uint32_t)word[2];
		c->bytes_alloc = (uint32_t)(word[2] >> 32);
	} else if (c->kind == KMT_CACHE_ALLOC && cache) {
		c->bytes_req = cache->object_size;
		c->bytes_alloc = cache->size;
	}
	if (c->kind == KMT_KMALLOC || c->kind == KMT_CACHE_ALLOC) {
		c->node = (int16_t)((word[0] & 0xffff) - 1);
		c->gfp = (uint32_t)(word[0] >> 32);
	}
}

static int define_slot(struct definitions *d, struct cpu_definitions *c, unsigned int kind,
		       unsigned int slot)
{
	struct kmt_class class = {.kind = (uint8_t)kind};

	if (kind >= KML_KMALLOC && kind <= KML_CACHE_FREE)
		describe_object(d, &class, c->word[kind]);
	else
		describe_page(&class, c->word[kind][0]);
	c->slot[kind][slot].order = class.order;
	c->slot[kind][slot].class_id = trace_writer_class(d->writer, &class);
	return c->slot[kind][slot].class_id == UINT32_MAX ? -ENOMEM : 0;
}

int define_word(struct definitions *d, unsigned int cpu, const struct kml_cell *cell)
{
	struct cpu_definitions *c = &d->cpu[cpu];
	unsigned int kind = cell->word0 >> KML_KIND_SHIFT & (KML_KINDS - 1);
	unsigned int slot = cell->word0 >> KML_SLOT_SHIFT & (KML_SLOTS - 1);
	uint64_t index = cell->word0 >> KML_TIME_SHIFT;

	if (kind == KML_TASK && index < KML_TASK_WORDS) {
		c->task[index] = cell->word1;
		return index == KML_TASK_WORDS - 1 ? define_task(d, c) : 0;
	}
	if (kind == KML_CACHE_NAME && index < KML_NAME_WORDS && slot < KML_PROBE_KINDS) {
		c->name[slot][index] = cell->word1;
		return index == KML_NAME_WORDS - 1 ? define_cache(d, c->name[slot]) : 0;
	}
	if (kind < KML_PROBE_KINDS && index < KML_DEF_WORDS) {
		c->word[kind][index] = cell->word1;
		return index == KML_DEF_WORDS - 1 ? define_slot(d, c, kind, slot) : 0;
	}
	return 0;
}
