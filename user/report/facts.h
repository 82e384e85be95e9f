/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * facts.h - the few numbers of a result that its verdict rests on. Absent
 * numbers are NAN, absent names NULL.
 */
#ifndef KMEMLAB_REPORT_FACTS_H
#define KMEMLAB_REPORT_FACTS_H

#include "report/report.h"

enum facts_trust {
	TRUST_UNKNOWN, /* the result does not say */
	TRUST_INCOMPLETE,
	TRUST_COMPLETE,
};

/* How the reference does against "nothing changed since the start". */
enum facts_model {
	MODEL_ABSENT,	  /* no reference run */
	MODEL_UNCOMPARED, /* no fidelity, or nothing to compare it with */
	MODEL_BEATS,	  /* emd clearly smaller, more than half of the measures won */
	MODEL_MIXED,	  /* better here, worse there, too many events missing, or these
			   * do not add up to the kernel's state */
	MODEL_LOSES,	  /* no measure won */
};

struct facts_what_if {
	size_t runs;
	const char *best;	/* its unusable index at order 9 ends lowest against its base's */
	double best_end;	/* percent */
	double reference_end;	/* its base's: the reference, or the model of reclaim's own */
	double model_error;	/* of the base there, percentage points */
	const json_t *best_run; /* of the result: its settings */
};

struct report_facts {
	enum facts_trust trust;
	char trust_text[128];

	double seconds_ns;
	double free_start, free_end;						       /* bytes */
	double unusable_start[REPORT_ORDERS_SHOWN], unusable_end[REPORT_ORDERS_SHOWN]; /* percent */

	double fallbacks, claimed, stolen;
	const char *top_from, *top_to;
	double top_events;
	const char *site;
	double site_bytes;
	const char *taker; /* command that took from most pageblocks */
	double taker_blocks;
	double stalls, stalled_ns, longest_ns; /* NAN where not recorded */
	double failures, oom_kills;	       /* the same */
	const char *longest_comm;
	double pinned, pinned_free; /* pageblocks, nearly free; bytes free in them */
	const char *holder;	    /* command with pages in most of them; NULL: none known */
	double holder_blocks;

	enum facts_model model;
	double emd, emd_baseline;
	double free_error; /* percent */
	size_t better, measures;
	double missing; /* percent of the kernel's events that the replay did not see */
	struct facts_what_if what_if;

	bool observed, fallbacks_known;
	bool closer;	   /* than the baseline, whether or not the events suffice */
	bool events_off;   /* more of the events are missing than may be */
	bool observed_off; /* the events' own state is not the kernel's */
};

/** facts_waits() - does a request wait in @stall, of a result's stalls? Not in compaction that
 *  was asked for */
bool facts_waits(const json_t *stall);

/** facts_settings() - "knob=value knob=value" of a run, "" where it has none */
const char *facts_settings(const json_t *run, struct report_pool *pool);

/** report_facts() - gather them from a checked result */
void report_facts(struct report_facts *f, const json_t *root);

#endif
