/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * advise.h - what a trace suggests doing (LKD3 ch. 12, "Picking an Allocation Method"),
 * each with its numbers, how sure it is, and how to check it. Where there is no evidence
 * there is no advice.
 */
#ifndef KMEMLAB_ADVISE_H
#define KMEMLAB_ADVISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

struct trace_reader;

enum { ADVICE_JUDGED_BYTES = 640 };

enum advice_sure { ADVICE_LOW, ADVICE_MEDIUM, ADVICE_HIGH };

struct advice {
	const char *topic; /* one word, for programs */
	enum advice_sure sure;
	char what[256];	    /* do this, there */
	char evidence[512]; /* the numbers behind it */
	char check[256];    /* how to find out whether it helps */
	double weight;	    /* bytes or events that it is about, to sort by */
};

struct advices {
	struct advice *at;
	size_t n, room;
};

/** advices_add() - room for one more, zeroed; NULL: no memory */
struct advice *advices_add(struct advices *all);
void advices_free(struct advices *all);
/** advices_sort() - surest first, then heaviest */
void advices_sort(struct advices *all);

/** advise_sites() - call sites of kmalloc and caches; reads the trace to its end
 *  Return: 0 or -errno. */
int advise_sites(struct advices *all, struct trace_reader *r);

/** advise_settings() - settings, by replaying the trace with each; from its start to its
 *  end. @culprits: advise_culprits() as well, as the trace is replayed anyway
 *  @judged: ADVICE_JUDGED_BYTES for one line on what could be judged, and how well
 *  @error: 512 bytes. Return: 0 or -errno. */
int advise_settings(struct advices *all, struct trace_reader *r, bool culprits, char *judged,
		    char *error);

/** advise_culprits() - pages that deny pageblocks at the end, by a result's "culprits";
 *  0 or -ENOMEM. A result without: nothing is added. */
int advise_culprits(struct advices *all, const json_t *result);

/** advices_json() - {"advice": [{"topic", "what", "evidence", "sure", "check"}],
 *  "settings_judged": @judged}, a new reference */
json_t *advices_json(const struct advices *all, const char *judged);

/** advice_sure_name() - "low", "medium", "high" */
const char *advice_sure_name(enum advice_sure sure);

#endif
