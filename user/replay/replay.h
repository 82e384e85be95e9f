/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * replay.h - one pass over a trace that feeds all runs, the objects and the map,
 * and stops them at the same moments to look.
 */
#ifndef KMEMLAB_REPLAY_H
#define KMEMLAB_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "metrics/objects.h"
#include "replay/areas.h"
#include "replay/blockmap.h"
#include "replay/chunks.h"
#include "replay/kernel.h"
#include "replay/callpaths.h"
#include "replay/paths.h"
#include "replay/run.h"
#include "replay/scout.h"
#include "replay/slabs.h"
#include "replay/start.h"

enum {
	REPLAY_SAMPLES = 600,
	REPLAY_POLICIES_MAX = 32,
	REPLAY_RUNS_MAX = REPLAY_POLICIES_MAX + 1, /* and KNOB_CONTROL_RUN */
};

/* What to run: "observed", "reference", NAME with settings, or a plug-in, whose
 * name is then its own. */
struct replay_policy {
	char name[RUN_NAME_BYTES];
	const char *settings[32]; /* "NAME=VALUE" */
	unsigned int nr_settings;
	const char *backend; /* FILE[:OPTIONS] of a plug-in; NULL: none */
};

/* How the observed state met each reading of buddyinfo. */
struct replay_witness {
	uint64_t readings;    /* after the start snapshot was complete */
	uint64_t exact;	      /* all orders of all zones equal */
	uint64_t close;	      /* no further off than two readings of an idle kernel */
	uint64_t worst_pages; /* largest difference of free pages of a zone */
};

/* The end snapshot, page by page: [where observed has it][what it is]. */
struct replay_diff {
	uint64_t pages[PAGE_KINDS][KMT_PG_STATES];
	uint64_t chunks;
};

struct replay {
	struct trace_reader *reader;
	struct host host;
	const struct kmt_class **classes;
	uint32_t nr_classes;
	struct snapshot start_pages, end_pages;
	struct kernel_samples kernel;
	struct start start; /* built if there is a reference */
	bool started;
	struct fates fates; /* read if a run models reclaim */
	struct run runs[REPLAY_RUNS_MAX];
	unsigned int nr_runs;
	const struct run *control;    /* of the runs; NULL if none models reclaim */
	struct run *observed;	      /* of the runs; NULL if not asked for */
	struct paths paths;	      /* of the observed run, and so of the kernel */
	struct call_paths call_paths; /* likewise, of the calls that the recorder timed */
	json_t *latency;	      /* the trace's TEXT of that name; NULL: none */
	struct scout scout;	      /* of the observed run */
	struct objects *objects;
	struct areas areas;  /* fed if there is a reference */
	struct slabs *slabs; /* if there is a reference; NULL: no slabinfo, no objects */
	struct blockmap map;
	uint64_t first_ns, last_ns;		/* of the events */
	uint64_t sample_ns[REPLAY_SAMPLES];	/* absolute */
	uint64_t sample_events[REPLAY_SAMPLES]; /* page events up to there */
	unsigned int samples;
	uint64_t by_kind[KMT_KINDS];
	uint64_t by_other_kind;
	uint64_t events;
	struct replay_witness witness;
	struct replay_diff diff;
};

/**
 * replay_open() - read everything but the events, set up the runs
 * @error: 512 bytes for one line
 * Return: 0 or -errno; -EINVAL: a setting is wrong.
 */
int replay_open(struct replay *p, struct trace_reader *r, const struct replay_policy *policies,
		unsigned int n, char *error);

/** replay_events() - the pass; 0 or -errno; -EPROTO: a plug-in did wrong,
 *  @error (512 bytes) says what */
int replay_events(struct replay *p, char *error);
void replay_close(struct replay *p);

#endif
