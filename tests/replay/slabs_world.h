/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * slabs_world.h - slab objects of crafted traces: a cache of 256 bytes, 16 objects in a
 * slab of one page. Frame 100 + n holds the n-th slab; addresses are in units of 8 bytes.
 */
#ifndef KMEMLAB_TESTS_SLABS_WORLD_H
#define KMEMLAB_TESTS_SLABS_WORLD_H

#include "../support/test.h"
#include "machine.h"

#include <kmemlab/refmm.h>
#include <kmemlab/refmm_slab_stat.h>

#include "replay/slabs.h"
#include "replay/slabs_firsts.h"

enum { OBJECT = 256 / 8, PAGE = 4096 / 8, PER_SLAB = 16 };

struct world {
	struct machine m;
	struct trace_reader *r;
	struct host h;
	struct slabs s;
	const struct kmt_class **classes;
};

static inline struct kmt_class class_of(struct world *w, uint8_t kind, const char *cache)
{
	return (struct kmt_class){
		.kind = kind,
		.bytes_req = 256,
		.bytes_alloc = 256,
		.cache = cache ? trace_writer_string(w->m.w, cache) : 0,
	};
}

static inline uint64_t object(unsigned int slab, unsigned int n)
{
	return (uint64_t)(100 + slab) * PAGE + n * OBJECT;
}

/* One event for each of objects [@from, @to) of slab @slab */
static inline void events(struct world *w, uint8_t kind, const char *cache, unsigned int slab,
			  unsigned int from, unsigned int to)
{
	struct kmt_class c = class_of(w, kind, cache);

	for (unsigned int i = from; i < to; i++)
		machine_event(&w->m, 0, &c, object(slab, i));
}

static inline void page(struct world *w, unsigned int slab)
{
	const struct kmt_class c = {.kind = KMT_PAGE_ALLOC};

	machine_event(&w->m, 0, &c, 100 + slab);
}

static inline void slabinfo(struct world *w, uint16_t phase, uint64_t ns, unsigned int active,
			    unsigned int slabs, unsigned int per_slab)
{
	char text[512];

	snprintf(text, sizeof(text),
		 "slabinfo - version: 2.1\n# name <active_objs> ...\n"
		 "thing %u %u 256 %u 1 : tunables 0 0 0 : slabdata %u %u 0\n",
		 active, slabs * per_slab, per_slab, slabs, slabs);
	machine_text(&w->m, phase, ns, "slabinfo", text);
}

static inline void begin(struct world *w, unsigned int active, unsigned int slabs,
			 unsigned int per_slab)
{
	memset(w, 0, sizeof(*w));
	machine_begin(&w->m);
	slabinfo(w, KMT_PHASE_START, MACHINE_START_NS + 200, active, slabs, per_slab);
}

/* Read it back and replay */
static inline int replay(struct world *w)
{
	static const unsigned int blocks[11] = {[10] = 4};
	struct trace_event e[256];
	char error[512];
	uint32_t n;
	long got;
	int err;

	w->r = machine_end(&w->m, 2, blocks);
	assert_int_equal(host_load(&w->h, w->r, error), 0);
	n = trace_reader_classes(w->r);
	w->classes = calloc(n + 1, sizeof(*w->classes));
	assert_non_null(w->classes);
	for (uint32_t i = 0; i < n; i++)
		w->classes[i] = trace_reader_class(w->r, i);
	err = slabs_new(&w->s, &w->h, w->r, w->classes, n);
	while (!err && (got = trace_reader_next(w->r, e, 256)) > 0)
		assert_int_equal(slabs_feed(&w->s, e, got), 0);
	if (!err)
		slabs_finish(&w->s);
	return err;
}

static inline const struct slabs_cache *thing(const struct world *w)
{
	assert_int_equal(w->s.n, 1);
	assert_non_null(w->s.caches[0].cache);
	return &w->s.caches[0];
}

static inline void end(struct world *w)
{
	char msg[256];

	assert_int_equal(w->s.counts.free_refused, 0);
	if (w->s.rmm && rmm_validate(w->s.rmm, msg, sizeof(msg)))
		fail_msg("%s", msg);
	slabs_destroy(&w->s);
	free(w->classes);
	host_destroy(&w->h);
	trace_reader_close(w->r);
}

#endif
