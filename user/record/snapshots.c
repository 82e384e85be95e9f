// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * snapshots.c - the state at the start and at the end of a file: the kernel's own text
 * files, every page, and what only its own structures hold. What could not be read is
 * noted: the trace and the summary tell.
 */
#include "session.h"

#include <common/log.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <trace/kinds.h>

#include "area_walk.h"
#include "files.h"
#include "percpu_walk.h"
#include "slab_walk.h"
#include "walk.h"

void session_open_walks(struct session *s)
{
	if (s->opt->families & FAMILY_SLAB) {
		s->slab_walk = slab_walk_open(&s->bases);
		s->slab_error = -errno;
		if (!s->slab_walk)
			missing_add(s->missing, "slabs that are not full, at the start",
				    slab_walk_why(s->slab_error));
	}
	if (s->opt->families & FAMILY_PAGE) {
		s->walk = walk_open(&s->bases);
		s->walk_error = -errno;
		if (!s->walk)
			missing_add(s->missing, "per-CPU lists and pageblock types",
				    walk_why(s->walk_error));
	}
	if (s->opt->families & FAMILY_VMALLOC) {
		s->area_walk = area_walk_open();
		s->area_error = -errno;
		if (!s->area_walk)
			missing_add(s->missing, "vmalloc areas at the start",
				    area_walk_why(s->area_error));
	}
	if (s->opt->families & FAMILY_PERCPU) {
		s->percpu_walk = percpu_walk_open(&s->bases);
		s->percpu_error = -errno;
		if (!s->percpu_walk)
			missing_add(s->missing, "per-CPU areas at the start",
				    percpu_walk_why(s->percpu_error));
	}
}

void session_close_walks(struct session *s)
{
	walk_close(s->walk);
	area_walk_close(s->area_walk);
	slab_walk_close(s->slab_walk);
	percpu_walk_close(s->percpu_walk);
}

/* Without them a reader infers what was on the lists. */
static void read_lists(struct session *s)
{
	static const char what[] = "per-CPU page lists and pageblock types";
	int err = s->walk ? walk_record(s->walk, s->writer, KMT_PHASE_START) : s->walk_error;

	if (err && s->walk)
		log_warn("cannot read the per-CPU lists or the pageblocks' types: %s",
			 walk_why(err));
	if (err)
		start_state_not(&s->start_state, what, START_INFERRED, walk_why(err));
	else
		start_state_read(&s->start_state, what, 0);
}

/* At the start, for a replay to begin with; at the end, to be held against it. */
static void read_areas(struct session *s, uint16_t phase)
{
	static const char what[] = "vmalloc areas";
	long n = s->area_error;

	if (s->area_walk)
		n = area_walk_record(s->area_walk, s->writer, phase, s->symbols, s->consumer);
	if (n < 0 && s->area_walk)
		log_warn("cannot read the vmalloc areas: %s", area_walk_why((int)n));
	if (phase == KMT_PHASE_START && n < 0)
		start_state_not(&s->start_state, what, START_MISSING, area_walk_why((int)n));
	else if (phase == KMT_PHASE_START)
		start_state_read(&s->start_state, what, (uint64_t)n);
}

/* Without them a reader spreads what slabinfo counts as free. */
static void read_slabs(struct session *s)
{
	static const char nodes[] = "slabs that are not full", cpus[] = "slabs that CPUs hold";
	struct slab_walk_seen seen = {0};
	int err = s->slab_error;

	if (s->slab_walk)
		err = slab_walk_record(s->slab_walk, s->writer, KMT_PHASE_START, &seen);
	if (err && s->slab_walk)
		log_warn("cannot read the caches' slabs: %s", slab_walk_why(err));
	if (err) {
		start_state_not(&s->start_state, nodes, START_INFERRED, slab_walk_why(err));
		return;
	}
	start_state_read(&s->start_state, nodes, 0);
	if (seen.busy)
		start_state_not(&s->start_state, "slabs of caches that never stood still",
				START_INFERRED, "their lists changed while they were read");
	if (seen.sheaves)
		start_state_read(&s->start_state, "how many free objects sheaves hold",
				 seen.sheaved);
	if (seen.per_cpu)
		start_state_read(&s->start_state, cpus, 0);
	else
		start_state_not(&s->start_state, cpus, START_INFERRED,
				"where CPUs keep them was not found");
}

/* Where areas cannot be read percpu_stats tells how full each chunk is, if it is there. */
static void note_no_percpu(struct session *s, int err)
{
	char why[START_WHY_BYTES];
	bool stats = !file_refused(PERCPU_STATS);

	snprintf(why, sizeof(why), "%s; %s", percpu_walk_why(err),
		 stats ? "percpu_stats tells how full each chunk is, not of its areas"
		       : "the kernel has no percpu_stats in debugfs, or does not let it be read");
	start_state_not(&s->start_state, "per-CPU areas", stats ? START_INFERRED : START_MISSING,
			why);
}

/* At the start, for a replay to begin with; at the end, to be held against it. */
static void read_percpu(struct session *s, uint16_t phase)
{
	long n = s->percpu_error;

	if (s->percpu_walk)
		n = percpu_walk_record(s->percpu_walk, s->writer, phase, s->consumer);
	if (n < 0 && s->percpu_walk)
		log_warn("cannot read the per-CPU areas: %s", percpu_walk_why((int)n));
	if (phase != KMT_PHASE_START)
		return;
	if (n < 0)
		note_no_percpu(s, (int)n);
	else
		start_state_read(&s->start_state, "per-CPU areas", (uint64_t)n);
}

static void note_pages(struct session *s, int err)
{
	if (err)
		start_state_not(&s->start_state, "page states", START_MISSING, strerror(-err));
	else
		start_state_read(&s->start_state, "page states", 0);
}

void session_snapshot(struct session *s, uint16_t phase)
{
	struct recording_pause pause = {.run = session_empty, .context = s};
	enum cost_part before = cost_enter(&s->cost, COST_SNAPSHOT);
	uint64_t start = s->cost.ns[COST_SNAPSHOT];
	int err;

	if (phase == KMT_PHASE_START)
		s->start_state.n = 0;
	record_texts(s->writer, phase);
	err = record_pages(s->writer, phase, &pause);
	if (err)
		log_warn("cannot read all page states from /proc/kpageflags: %s", strerror(-err));
	if (phase == KMT_PHASE_START)
		note_pages(s, err);
	if (phase == KMT_PHASE_START && s->opt->families & FAMILY_PAGE)
		read_lists(s);
	if (phase == KMT_PHASE_START && s->opt->families & FAMILY_SLAB)
		read_slabs(s);
	if (s->opt->families & FAMILY_VMALLOC)
		read_areas(s, phase);
	if (s->opt->families & FAMILY_PERCPU)
		read_percpu(s, phase);
	session_empty(s);
	cost_enter(&s->cost, before);
	s->snapshot_cpu_ns = s->cost.ns[COST_SNAPSHOT] - start;
}
