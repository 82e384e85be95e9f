/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* refcompact.c - see refcompact.h */
#include <kmemlab/refmm_compact.h>

#include "replay/refcompact.h"
#include "replay/reference.h"
#include "trace/trace_io.h"

enum {
	COMPACT_WHOLE_ZONE = 18, /* order of a KMT_COMPACT_BEGIN */
	COMPACT_STEP = 32,	 /* blocks that rmm_compact_step() moves */
	MILLION = 1000000,
};

/* Of so many pages that the recorded kernel tried to move some had to stay: held, locked
 * or changing. Which ones no event tells; here as many of the same number. */
static bool stays(struct reference *f)
{
	f->move_tries = f->move_tries * 6364136223846793005u + 1442695040888963407u;
	return (f->move_tries >> 33) % MILLION < f->stay_ppm;
}

bool reference_migrate(void *ctx, unsigned int cpu, rmm_pfn from, rmm_pfn to, unsigned int order)
{
	struct reference *f = ctx;
	bool known;

	(void)cpu;
	(void)order;
	if (stays(f))
		return false;
	known = f->models_reclaim && reclaim_moved(&f->reclaim, from, to);
	/* Of reclaim's own, that the recorded kernel has freed, nobody else knows. */
	return requests_moved(&f->requests, from, to) || known;
}

static bool runs_kcompactd(const struct reference *f, unsigned int cpu)
{
	const struct kswapd_spans *s = &f->start->kswapd;
	uint32_t class = f->requests.task[cpu];

	return class < s->nr_classes && s->is_kcompactd[class];
}

/* For as many blocks as one step moves kcompactd has moved some: so does refmm's. */
static void pace_kcompactd(struct reference *f, unsigned int cpu)
{
	if (++f->compact_moved % COMPACT_STEP || f->compact_zone < 0)
		return;
	(void)rmm_compact_step(f->rmm, cpu, (unsigned int)f->compact_zone, f->compact_order);
}

static void end_kcompactd(struct reference *f, unsigned int cpu)
{
	struct rmm_zone_info z;
	int zone = f->compact_zone;

	f->compact_zone = -1;
	if (zone < 0 || f->compact_order < COMPACT_WHOLE_ZONE || !f->compact_moved ||
	    rmm_zone_info(f->rmm, (unsigned int)zone, &z))
		return;
	(void)rmm_proactive_finish(f->rmm, cpu, z.node);
}

void reference_compact(void *ctx, const struct trace_event *e)
{
	struct reference *f = ctx;

	if (!runs_kcompactd(f, e->cpu))
		return;
	if (e->kind == KMT_MIGRATE_TO) {
		pace_kcompactd(f, e->cpu);
		return;
	}
	if (e->kind == KMT_COMPACT_END) {
		end_kcompactd(f, e->cpu);
		return;
	}
	f->compact_moved = 0;
	f->compact_zone = rmm_pfn_zone(f->rmm, (rmm_pfn)e->address);
	f->compact_order = e->order;
}
