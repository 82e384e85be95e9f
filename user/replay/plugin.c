/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * plugin.c - load a plug-in, ask it, believe nothing.
 *
 * `taken` has a bit per frame, set where it is reserved or in use: what alloc
 * gives must be clear, what load and free give back must be set. `free` counts
 * the clear ones of each zone; the plug-in's own count must agree.
 */
#include <dlfcn.h>
#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "replay/plugin.h"
#include "trace/trace_io.h"

static void blame(struct plugin *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void blame(struct plugin *p, const char *format, ...)
{
	va_list ap;

	if (*p->error)
		return;
	va_start(ap, format);
	vsnprintf(p->error, sizeof(p->error), format, ap);
	va_end(ap);
}

/* ---- Frames ------------------------------------------------------------- */

/* Set or clear the bits of a block; how many of them were set before. */
static uint64_t mark(struct plugin *p, uint64_t pfn, unsigned int order, bool taken)
{
	uint64_t set = 0, end = pfn + (1ull << order);

	while (pfn < end) {
		uint64_t n = end - pfn < 64 - pfn % 64 ? end - pfn : 64 - pfn % 64;
		uint64_t bits = (n == 64 ? ~0ull : (1ull << n) - 1) << pfn % 64;
		uint64_t *word = &p->taken[pfn / 64];

		set += (uint64_t)__builtin_popcountll(*word & bits);
		*word = taken ? *word | bits : *word & ~bits;
		pfn += n;
	}
	return set;
}

static unsigned int zone_of(const struct plugin *p, uint64_t pfn)
{
	for (unsigned int z = 0; z < p->machine.nr_zones; z++)
		if (pfn - p->zones[z].start_pfn < p->zones[z].spanned)
			return z;
	return HOST_ZONE_NONE;
}

/* gfp_zone(): the highest zone type that a request may use */
static uint32_t highest_zone(uint32_t gfp)
{
	if (gfp & RMM_GFP_DMA)
		return RMM_ZONE_DMA;
	if (gfp & RMM_GFP_DMA32)
		return RMM_ZONE_DMA32;
	if (!(gfp & RMM_GFP_HIGHMEM))
		return RMM_ZONE_NORMAL;
	return gfp & RMM_GFP_MOVABLE ? RMM_ZONE_MOVABLE : RMM_ZONE_HIGHMEM;
}

/* gfp_migratetype() */
static uint32_t mobility(uint32_t gfp)
{
	if (gfp & RMM_GFP_MOVABLE)
		return RMM_MOVABLE;
	return gfp & RMM_GFP_RECLAIMABLE ? RMM_RECLAIMABLE : RMM_UNMOVABLE;
}

/* ---- Requests ------------------------------------------------------------ */

/* What is wrong with the block it gave; NULL if nothing. */
static const char *wrong(const struct plugin *p, uint64_t pfn, const struct kml_request *r)
{
	unsigned int z = zone_of(p, pfn);
	uint64_t size = 1ull << r->order;

	if (pfn & (size - 1))
		return "is not aligned to its size";
	if (z == HOST_ZONE_NONE || zone_of(p, pfn + size - 1) != z)
		return "lies outside all zones, or in two";
	if (p->zones[z].type > r->highest_zone)
		return "lies in a zone that the request may not use";
	return NULL;
}

static uint32_t alloc_block(void *ctx, const struct trace_event *e, uint32_t gfp)
{
	struct plugin *p = ctx;
	const struct kml_request r = {
		.time_ns = e->time_ns,
		.cpu = e->cpu,
		.order = e->order,
		.gfp = gfp,
		.migratetype = mobility(gfp),
		.highest_zone = highest_zone(gfp),
	};
	const char *why;
	uint64_t pfn;

	if (*p->error || e->order > p->machine.max_order)
		return REQUESTS_NONE;
	pfn = p->backend->alloc(p->self, &r);
	if (pfn == KML_NO_PFN)
		return REQUESTS_NONE;
	why = wrong(p, pfn, &r);
	if (!why && mark(p, pfn, e->order, true))
		why = "is reserved or in use already, at least in part";
	if (why) {
		blame(p, "alloc of order %u gave frame %llu, which %s", e->order,
		      (unsigned long long)pfn, why);
		return REQUESTS_NONE;
	}
	p->free[zone_of(p, pfn)] -= 1ull << e->order;
	return (uint32_t)pfn;
}

static int free_part(struct plugin *p, unsigned int cpu, uint64_t pfn, unsigned int order)
{
	int err = p->backend->free(p->self, cpu, pfn, order);

	if (err) {
		blame(p, "free of frame %llu, order %u, which was in use, returned %d",
		      (unsigned long long)pfn, order, err);
		return err;
	}
	mark(p, pfn, order, false);
	p->free[zone_of(p, pfn)] += 1ull << order;
	return 0;
}

/* Gigantic blocks come from the start state, and go in parts. */
static int free_block(void *ctx, unsigned int cpu, uint32_t at, unsigned int order)
{
	struct plugin *p = ctx;
	unsigned int part = order < p->machine.max_order ? order : p->machine.max_order;
	int err = *p->error ? -EPROTO : 0;

	for (uint64_t pfn = at; pfn < at + (1ull << order) && !err; pfn += 1ull << part)
		err = free_part(p, cpu, pfn, part);
	return err;
}

/* Any part of a block may be freed: nothing to be told. */
static int split_block(void *ctx, uint32_t at, unsigned int order)
{
	(void)ctx;
	(void)at;
	(void)order;
	return 0;
}

static void load_part(struct plugin *p, uint64_t pfn, unsigned int order, bool is_free)
{
	unsigned int z = zone_of(p, pfn);
	int err;

	if (*p->error || z == HOST_ZONE_NONE)
		return;
	err = p->backend->load(p->self, pfn, order, is_free);
	if (err) {
		blame(p, "load of frame %llu, order %u, %s, returned %d", (unsigned long long)pfn,
		      order, is_free ? "free" : "in use", err);
		return;
	}
	if (is_free)
		p->free[z] += mark(p, pfn, order, false);
}

static bool grow(void *ctx, uint64_t pfn, unsigned int order)
{
	struct plugin *p = ctx;
	uint64_t size = 1ull << order, set = 0;

	if (order > p->machine.max_order || zone_of(p, pfn) == HOST_ZONE_NONE)
		return false;
	for (uint64_t f = pfn; f < pfn + size; f++)
		set += p->taken[f / 64] >> f % 64 & 1;
	if (set != size)
		return false;
	load_part(p, pfn, order, true);
	return !*p->error;
}

static const struct requests_ops ops = {
	.alloc = alloc_block,
	.free = free_block,
	.split = split_block,
	.grow = grow,
};

void plugin_feed(struct plugin *p, const struct trace_event *e, long n)
{
	for (; n > 0 && !*p->error; n--)
		requests_feed(&p->requests, e++, 1);
}

uint64_t plugin_count(struct plugin *p, unsigned int zone, uint64_t blocks[HOST_ORDERS])
{
	uint64_t cached, sum;

	memset(blocks, 0, HOST_ORDERS * sizeof(*blocks));
	if (*p->error)
		return 0;
	cached = sum = p->backend->count(p->self, zone, blocks);
	for (unsigned int o = 0; o < HOST_ORDERS; o++) {
		if (o > p->machine.max_order && blocks[o])
			blame(p, "count has free blocks of order %u in zone %u", o, zone);
		sum += blocks[o] << o;
	}
	if (sum != p->free[zone])
		blame(p, "count says that %llu pages of zone %u are free; %llu are",
		      (unsigned long long)sum, zone, (unsigned long long)p->free[zone]);
	return cached;
}

/* ---- Life ---------------------------------------------------------------- */

static bool complete(const struct kml_backend *b)
{
	return b->init && b->load && b->alloc && b->free && b->count && b->destroy;
}

static bool good_name(const char *name)
{
	size_t n = name ? strlen(name) : 0;

	return n && n < KML_BACKEND_NAME_BYTES &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") == n;
}

int plugin_use(struct plugin *p, const struct kml_backend *b, const char *options, char *error)
{
	if (!b || b->abi != KML_BACKEND_ABI || b->size < sizeof(*b)) {
		snprintf(error, 512, "it is built for ABI %u, this kmemlab has ABI %d; rebuild it",
			 b ? b->abi : 0, KML_BACKEND_ABI);
		return -EPROTO;
	}
	if (!complete(b) || !good_name(b->name)) {
		snprintf(error, 512,
			 complete(b) ? "its name is not 1 to %d of a-z, 0-9, '-' and '_'"
				     : "a function is missing; only ready and counters may be NULL",
			 KML_BACKEND_NAME_BYTES - 1);
		return -EPROTO;
	}
	p->backend = b;
	p->machine.options = options;
	return 0;
}

#ifdef KMEMLAB_STATIC
static void *open_library(const char *path, char *error)
{
	snprintf(error, 512, "%s: this kmemlab is linked statically and loads no plug-ins", path);
	return NULL;
}
#else
static void *open_library(const char *path, char *error)
{
	void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	if (!library)
		snprintf(error, 512, "%s", dlerror());
	return library;
}
#endif

int plugin_load(struct plugin *p, const char *file, char *error)
{
	const struct kml_backend *(*get)(void);
	const char *colon = strchr(file, ':');
	char path[4096];

	/* Without a slash dlopen() would search the system's folders. */
	snprintf(path, sizeof(path), "%s%.*s", strchr(file, '/') ? "" : "./",
		 colon ? (int)(colon - file) : (int)strlen(file), file);
	p->library = open_library(path, error);
	if (!p->library)
		return -ENOENT;
	*(void **)&get = dlsym(p->library, KML_BACKEND_SYMBOL);
	if (!get) {
		snprintf(error, 512, "it exports no %s(); see kmemlab/backend.h",
			 KML_BACKEND_SYMBOL);
		return -EPROTO;
	}
	return plugin_use(p, get(), colon ? colon + 1 : "", error);
}

static void describe(struct plugin *p, const struct host *h)
{
	for (unsigned int z = 0; z < h->nr_zones; z++)
		p->zones[z] = (struct kml_zone){
			.start_pfn = h->zones[z].start_pfn,
			.spanned = h->zones[z].spanned,
			.present = h->zones[z].present,
			.managed = h->zones[z].managed,
			.node = h->zones[z].node,
			.type = h->zones[z].type,
		};
	p->machine = (struct kml_machine){
		.nr_pfns = h->nr_pfns,
		.nr_cpus = h->cpus,
		.nr_zones = h->nr_zones,
		.page_shift = 12,
		.pageblock_order = h->pageblock_order,
		.max_order = h->max_order,
		.zones = p->zones,
		.options = p->machine.options,
	};
}

/* Pages on per-CPU lists are free as well. */
static void load_cpu_lists(struct plugin *p, const struct start *s)
{
	for (size_t i = 0; i < s->pcps; i++)
		load_part(p, s->pcp[i].pfn, s->pcp[i].order, true);
}

static void load_one(struct plugin *p, uint64_t pfn, unsigned int order, bool is_free)
{
	unsigned int part = order < p->machine.max_order ? order : p->machine.max_order;

	for (uint64_t f = pfn; f < pfn + (1ull << order); f += 1ull << part)
		load_part(p, f, part, is_free);
	if (!is_free)
		requests_load(&p->requests, pfn, order);
}

static void load(struct plugin *p, const struct start *s)
{
	const struct pagemap *m = &s->at.map;

	for (uint64_t pfn = 0; pfn < m->nr_pfns; pfn++) {
		unsigned int kind = page_head_kind(m->head[pfn]);

		if (m->head[pfn] && (kind == PAGE_FREE || kind == PAGE_LIVE || kind == PAGE_START ||
				     kind == PAGE_TAKEN))
			load_one(p, pfn, page_head_order(m->head[pfn]), kind == PAGE_FREE);
	}
	load_cpu_lists(p, s);
}

int plugin_start(struct plugin *p, const struct host *h, const struct start *s, char *error)
{
	int err;

	describe(p, h);
	gfp_map_init(&p->gfp, json_object_get(h->header, "gfp_bits"));
	p->requests = (struct requests){.ops = &ops, .ctx = p, .gfp = &p->gfp};
	err = requests_init(&p->requests, s, h);
	p->taken = malloc((h->nr_pfns / 64 + 1) * sizeof(*p->taken));
	if (err || !p->taken)
		return -ENOMEM;
	memset(p->taken, 0xff, (h->nr_pfns / 64 + 1) * sizeof(*p->taken));
	p->self = p->backend->init(&p->machine, p->error, sizeof(p->error));
	if (!p->self) {
		snprintf(error, 512, "backend '%s' cannot start: %s", p->backend->name,
			 *p->error ? p->error : "it does not say why");
		return -EPROTO;
	}
	*p->error = '\0';
	load(p, s);
	if (!*p->error && p->backend->ready)
		p->backend->ready(p->self);
	if (*p->error)
		snprintf(error, 512, "backend '%s': %s", p->backend->name, p->error);
	return *p->error ? -EPROTO : 0;
}

void plugin_destroy(struct plugin *p)
{
	if (p->self)
		p->backend->destroy(p->self);
	if (p->library)
		dlclose(p->library);
	requests_destroy(&p->requests);
	free(p->taken);
	memset(p, 0, sizeof(*p));
}
