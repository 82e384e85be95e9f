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
#include <trace/kinds.h>

#include "stacks.h"

enum {
	CALL_SITE_BYTES = 256,
};

struct cache {
	uint64_t address;
	uint32_t name; /* string */
	uint32_t object_size, size;
};

struct cpu_definitions {
	uint64_t word[KML_KINDS][KML_DEF_WORDS + 1]; /* the last: its stack */
	uint64_t name[KML_KINDS][KML_NAME_WORDS];
	uint64_t stack[KML_KINDS][KML_STACK_WORDS];
	uint64_t task[KML_TASK_WORDS];
	uint32_t task_class;
	struct slot slot[KML_ALL_SLOTS];
};

struct definitions {
	struct trace_writer *writer;
	const struct symbols *symbols;
	struct stacks *stacks;
	struct cache *cache;
	size_t caches;
	uint64_t vmalloc_start;
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
	d->stacks = stacks_new(w, symbols);
	if (!d->stacks) {
		free(d);
		return NULL;
	}
	for (unsigned int i = 0; i < cpus; i++)
		memset(d->cpu[i].slot, 0xff, sizeof(d->cpu[i].slot)); /* no class */
	return d;
}

void definitions_free(struct definitions *d)
{
	if (!d)
		return;
	stacks_free(d->stacks);
	free(d->cache);
	free(d);
}

uint32_t definitions_task(const struct definitions *d, unsigned int cpu)
{
	return d->cpu[cpu].task_class;
}

uint32_t definitions_tgid(const struct definitions *d, unsigned int cpu)
{
	return (uint32_t)(d->cpu[cpu].task[0] >> 32);
}

const struct slot *definitions_slots(const struct definitions *d, unsigned int cpu)
{
	return d->cpu[cpu].slot;
}

const struct stacks *definitions_stacks(const struct definitions *d)
{
	return d->stacks;
}

uint64_t definitions_vmalloc_start(const struct definitions *d)
{
	return d->vmalloc_start;
}

void definitions_vmalloc_starts(struct definitions *d, uint64_t address)
{
	d->vmalloc_start = address;
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

static void describe_page(struct kmt_class *c, const uint64_t *word)
{
	uint64_t w = word[0];

	c->order = (uint8_t)w;
	switch (c->kind) {
	case KMT_BULK_PAGE:
		c->order = 0;
		c->gfp = (uint32_t)(w >> 32);
		break;
	case KMT_CONTIG_ALLOC:
		c->order = 0;
		c->gfp = (uint32_t)(w >> 32);
		c->bytes_alloc = (uint32_t)word[2];
		break;
	case KMT_PAGE_SPLIT:
		c->fallback_order = (uint8_t)(w >> 8);
		break;
	case KMT_PAGE_ALLOC:
		c->gfp = (uint32_t)(w >> 32);
		c->migratetype = (uint8_t)(w >> 8);
		break;
	case KMT_ZONE_LOCKED:
		c->percpu_refill = w >> 16 & 1;
		c->migratetype = (uint8_t)(w >> 8);
		break;
	case KMT_EXTFRAG:
		c->fallback_order = (uint8_t)(w >> 16);
		c->fallback_type = w >> 24 & 0x7f;
		c->migratetype = (uint8_t)(w >> 8);
		break;
	case KMT_PCPU_DRAIN:
		c->migratetype = (uint8_t)(w >> 8);
		break;
	default:
		break;
	}
}

static void describe_site(struct definitions *d, struct kmt_class *c, uint64_t address)
{
	char site[CALL_SITE_BYTES];

	if (!address)
		return;
	symbols_name(d->symbols, address, site, sizeof(site));
	c->call_site = trace_writer_string(d->writer, site);
}

static void describe_object(struct definitions *d, struct kmt_class *c, const uint64_t *word)
{
	const struct cache *cache = find_cache(d, word[c->kind == KMT_KMALLOC ? 3 : 2]);
	bool alloc = c->kind == KMT_KMALLOC || c->kind == KMT_CACHE_ALLOC ||
		     c->kind == KMT_CACHE_BULK_ALLOC;
	bool sized = alloc || c->kind == KMT_CACHE_CREATE || c->kind == KMT_CACHE_DESTROY;

	describe_site(d, c, word[1]);
	c->cache = cache ? cache->name : 0;
	if (c->kind == KMT_KMALLOC) {
		c->bytes_req = (uint32_t)word[2];
		c->bytes_alloc = (uint32_t)(word[2] >> 32);
	} else if (sized && cache) {
		c->bytes_req = cache->object_size;
		c->bytes_alloc = cache->size;
	}
	if (alloc) {
		c->context = word[0] >> KML_CONTEXT_SHIFT & KML_CONTEXT_MASK;
		c->node = (int16_t)((word[0] & 0xffff) - 1);
		c->gfp = (uint32_t)(word[0] >> 32);
	}
}

/* Per-CPU memory and vmalloc areas. */
static void describe_area(struct definitions *d, struct kmt_class *c, const uint64_t *word)
{
	switch (c->kind) {
	case KMT_PERCPU_ALLOC:
	case KMT_PERCPU_FAIL:
		describe_site(d, c, word[1]);
		c->fallback_type = word[0] >> 16 & 0xf;
		c->gfp = (uint32_t)(word[0] >> 32);
		c->bytes_req = (uint32_t)word[2];
		c->bytes_alloc = (uint32_t)(word[2] >> 32);
		c->order = (uint8_t)word[0]; /* of a failure: 0 */
		break;
	case KMT_VMALLOC_ALLOC:
		c->order = (uint8_t)word[0];
		c->bytes_alloc = (uint32_t)word[2];
		if (!d->vmalloc_start || word[1] < d->vmalloc_start)
			d->vmalloc_start = word[1];
		break;
	default:
		break;
	}
}

static void describe_pressure(struct definitions *d, struct kmt_class *c, const uint64_t *word)
{
	char comm[17] = "";

	if (c->kind == KMT_OOM_VICTIM) {
		memcpy(comm, word + 1, sizeof(comm) - 1);
		c->comm = trace_writer_string(d->writer, comm);
		c->pid = (uint32_t)(word[0] >> 32);
		return;
	}
	c->order = (uint8_t)word[0];
	c->fallback_type = word[0] >> 16 & 0xf;
	c->gfp = (uint32_t)(word[0] >> 32);
	c->node = (int16_t)(word[1] - 1);
}

static int define_slot(struct definitions *d, struct cpu_definitions *c, unsigned int kind,
		       unsigned int slot)
{
	struct kmt_class class = {.kind = (uint8_t)kind};
	struct slot *to = &c->slot[kml_slot_base(kind) + slot];

	switch (kind_info(kind)->family) {
	case FAMILY_PAGE:
		describe_page(&class, c->word[kind]);
		break;
	case FAMILY_SLAB:
		describe_object(d, &class, c->word[kind]);
		break;
	case FAMILY_PRESSURE:
		describe_pressure(d, &class, c->word[kind]);
		break;
	default:
		describe_area(d, &class, c->word[kind]);
	}
	if (kind_has_stack(kind))
		class.stack = stacks_find(d->stacks, c->word[kind][KML_DEF_WORDS]);
	c->word[kind][KML_DEF_WORDS] = 0; /* told only where there is one */
	to->order = class.order;
	to->class_id = trace_writer_class(d->writer, &class);
	return to->class_id == UINT32_MAX ? -ENOMEM : 0;
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
	if (kind == KML_CACHE_NAME && index < KML_NAME_WORDS && slot < KML_KINDS) {
		c->name[slot][index] = cell->word1;
		return index == KML_NAME_WORDS - 1 ? define_cache(d, c->name[slot]) : 0;
	}
	if (kind == KML_STACK && index < KML_STACK_WORDS && slot < KML_KINDS) {
		c->stack[slot][index] = cell->word1;
		return index && index == c->stack[slot][1] + 1
			       ? stacks_add(d->stacks, c->stack[slot])
			       : 0;
	}
	if (kml_has_slots(kind) && index <= KML_DEF_WORDS && !(slot >> kml_slot_bits(kind))) {
		c->word[kind][index] = cell->word1;
		return index == KML_DEF_WORDS - 1 ? define_slot(d, c, kind, slot) : 0;
	}
	return 0;
}
