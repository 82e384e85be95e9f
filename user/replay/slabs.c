/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* slabs.c - object events as requests to the slab layer. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <kmemlab/refmm.h>
#include <kmemlab/refmm_slab.h>

#include "metrics/objects.h"
#include "replay/host.h"
#include "replay/slabs.h"
#include "replay/slabs_firsts.h"
#include "trace/trace_io.h"

int slabs_new(struct slabs *s, const struct host *h, struct trace_reader *r,
	      const struct kmt_class *const *classes, uint32_t nr_classes)
{
	struct slabs_firsts firsts = {0};
	int err;

	err = live_init(&s->live);
	s->nr_pfns = h->nr_pfns;
	s->cache_of = calloc(h->nr_pfns + 1, sizeof(*s->cache_of));
	if (!s->cache_of)
		err = -ENOMEM;
	if (!err)
		err = slabs_create(s, h, r, classes, nr_classes);
	if (!err)
		err = slabs_firsts_read(&firsts, s, h->nr_pfns, r);
	if (!err)
		err = slabs_preload(s, &firsts);
	slabs_firsts_free(&firsts);
	if (err)
		slabs_destroy(s);
	return err;
}

void slabs_destroy(struct slabs *s)
{
	if (s->rmm)
		rmm_destroy(s->rmm);
	live_destroy(&s->live);
	free(s->caches);
	free(s->of_class);
	free(s->cache_of);
	slab_lists_free(&s->lists);
	memset(s, 0, sizeof(*s));
}

static void give_back(struct slabs *s, unsigned int cpu, uint32_t value)
{
	void *o = slabs_object(s, value);
	struct rmm_kmem_cache *cache = rmm_virt_to_cache(s->rmm, o);

	if (!cache || rmm_kmem_cache_free(s->rmm, cpu, cache, o))
		s->counts.free_refused++;
}

static int alloc_object(struct slabs *s, const struct trace_event *e, struct slabs_cache *c,
			unsigned int cpu)
{
	void *o = rmm_kmem_cache_alloc(s->rmm, cpu, c->cache, RMM_GFP_KERNEL);
	uint64_t head = slabs_head(e->address, c->order);
	uint32_t old;
	int err;

	c->allocs++;
	if (head < s->nr_pfns)
		s->cache_of[head] = (uint16_t)(c - s->caches + 1);
	if (!o) {
		s->counts.alloc_failed++;
		return 0;
	}
	err = live_put(&s->live, e->address, slabs_value(s, o), &old);
	if (!err && old != LIVE_NONE) {
		s->counts.alloc_of_live++;
		c->unseen_frees++;
		give_back(s, cpu, old);
	}
	return err;
}

static void free_object(struct slabs *s, const struct trace_event *e, unsigned int cpu)
{
	uint32_t value = live_take(&s->live, e->address);

	if (value == LIVE_NONE)
		s->counts.free_unknown++;
	else
		give_back(s, cpu, value);
}

/* A slab's pages are freed: whatever was live there was freed before, unseen. */
static void page_freed(struct slabs *s, const struct trace_event *e)
{
	struct slabs_cache *c;
	uint64_t at;

	if (e->address >= s->nr_pfns || !s->cache_of[e->address])
		return;
	c = &s->caches[s->cache_of[e->address] - 1];
	s->cache_of[e->address] = 0;
	if (c->order != e->order)
		return;
	for (unsigned int i = 0; i < c->objects; i++) {
		at = (e->address << 9) + (uint64_t)i * c->size / 8;
		at = live_take(&s->live, at);
		if (at == LIVE_NONE)
			continue;
		s->counts.gone_with_slab++;
		c->unseen_frees++;
		give_back(s, e->cpu < s->cpus ? e->cpu : 0, (uint32_t)at);
	}
}

static int take(struct slabs *s, const struct trace_event *e)
{
	uint32_t c = e->class_id < s->nr_classes ? s->of_class[e->class_id] : 0;
	unsigned int cpu = e->cpu < s->cpus ? e->cpu : 0;

	if (e->address & KMT_OPAQUE) /* failed, or kfree(NULL), or not in the direct map */
		return 0;
	s->counts.events++;
	if (objects_frees(e->kind)) {
		free_object(s, e, cpu);
		return 0;
	}
	if (!c || !s->caches[c - 1].cache || s->caches[c - 1].differs) {
		s->counts.no_cache++;
		return 0;
	}
	return alloc_object(s, e, &s->caches[c - 1], cpu);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

int slabs_feed(struct slabs *s, const struct trace_event *e, long n)
{
	uint64_t start = now_ns();
	int err = 0;

	for (long i = 0; i < n && !err; i++) {
		if (e[i].time_ns <= s->start_ns || e[i].time_ns > s->end_ns)
			continue;
		if (objects_allocates(e[i].kind) || objects_frees(e[i].kind))
			err = take(s, &e[i]);
		else if (e[i].kind == KMT_PAGE_FREE)
			page_freed(s, &e[i]);
	}
	s->ns += now_ns() - start;
	return err;
}

void slabs_finish(struct slabs *s)
{
	for (uint32_t i = 0; i < s->n; i++) {
		struct slabs_cache *c = &s->caches[i];
		struct rmm_kmem_cache_info info;

		if (!c->cache)
			continue;
		rmm_kmem_cache_info(s->rmm, c->cache, &info);
		c->slabs_end = info.slabs;
		c->pages_end = info.pages;
		c->objects_end = info.objects;
		c->total_end = info.total_objects;
		c->active_end = info.active_objs;
	}
}

uint64_t slabs_pages_end(const struct slabs *s)
{
	uint64_t pages = 0;

	for (uint32_t i = 0; i < s->n; i++)
		if (s->caches[i].cache && !s->caches[i].differs)
			pages += s->caches[i].pages_end;
	return pages;
}

const struct slabs_cache *slabs_find(const struct slabs *s, uint32_t string)
{
	for (uint32_t i = 0; i < s->n; i++)
		if (s->caches[i].string == string)
			return &s->caches[i];
	return NULL;
}
