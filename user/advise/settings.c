/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * settings.c - replay the trace with a few settings changed, and say which helped by
 * more than the reference is off from the kernel.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "advise/advise.h"
#include "compare/measure.h"
#include "compare/prediction.h"
#include "replay/host.h"
#include "replay/result.h"
#include "trace/trace_io.h"

/* What an administrator can set at run time. */
static const char *const fixed[] = {
	"vm.watermark_boost_factor=0",	       "vm.watermark_boost_factor=150000",
	"vm.watermark_scale_factor=100",       "vm.percpu_pagelist_high_fraction=8",
	"vm.percpu_pagelist_high_fraction=64", "vm.defrag_mode=on",
};
/* Times the present vm.min_free_kbytes, and how much of memory that may be at most. */
static const int more_free[] = {2, 4};
enum { FREE_PERCENT_MAX = 5 };

enum {
	SETTING_BYTES = 64,
	TRIES_MAX = sizeof(fixed) / sizeof(*fixed) + sizeof(more_free) / sizeof(*more_free)
};

struct tries {
	char setting[TRIES_MAX][SETTING_BYTES];
	unsigned int n;
};

static void choose(struct tries *t, struct trace_reader *r)
{
	json_t *header = json_loads(trace_reader_header(r), 0, NULL);
	json_int_t memory = json_integer_value(
		json_object_get(json_object_get(header, "host"), "mem_total_kb"));
	int64_t now;

	t->n = 0;
	for (size_t i = 0; i < sizeof(fixed) / sizeof(*fixed); i++)
		snprintf(t->setting[t->n++], SETTING_BYTES, "%s", fixed[i]);
	if (!host_sysctl(r, "sys/vm/min_free_kbytes", &now) && now > 0)
		for (size_t i = 0; i < sizeof(more_free) / sizeof(*more_free); i++)
			if (more_free[i] * now <= memory * FREE_PERCENT_MAX / 100)
				snprintf(t->setting[t->n++], SETTING_BYTES,
					 "vm.min_free_kbytes=%" PRId64, more_free[i] * now);
	json_decref(header);
}

/* What is to be improved, and by how much at least for it to be worth saying. */
static const struct {
	const char *measure;
	double least;	   /* in the measure's unit */
	const char *words; /* in place of its name */
} goals[] = {
	{"unusable[9]", 1.0, "free memory too scattered for huge pages (order 9), mean over time"},
	{"unusable[3]", 1.0, "free memory too scattered for order 3, mean over time"},
	{"fallbacks", 10, "fallbacks into other types' pageblocks"},
	{"failed", 1, "failed allocations"},
};

static unsigned int plan(struct replay_policy *p, const struct tries *t)
{
	unsigned int n = 0;

	snprintf(p[n++].name, RUN_NAME_BYTES, "observed");
	snprintf(p[n++].name, RUN_NAME_BYTES, "reference");
	for (unsigned int i = 0; i < t->n; i++, n++) {
		snprintf(p[n].name, RUN_NAME_BYTES, "try-%u", i);
		p[n].settings[0] = t->setting[i];
		p[n].nr_settings = 1;
	}
	return n;
}

/* How far a run with the recorded settings is from the kernel in that measure, over the
 * same time. */
static double error_of(const json_t *runs, const json_t *base, size_t measure)
{
	double kernel = measure_of(json_array_get(runs, 0), measure);
	double reference = measure_of(base, measure);

	return isnan(kernel) || isnan(reference) ? 0 : fabs(reference - kernel);
}

static int add(struct advices *all, const char *setting, size_t goal, const double v[3])
{
	const struct measure *m =
		&measures[measure_find(goals[goal].measure, strlen(goals[goal].measure))];
	const char *unit = *m->unit ? " %" : ""; /* a share, or a count */
	int digits = *m->unit ? 1 : 0;
	struct advice *a = advices_add(all);

	if (!a)
		return -ENOMEM;
	a->topic = "setting";
	a->sure = ADVICE_MEDIUM;
	a->weight = v[0] - v[1];
	snprintf(a->what, sizeof(a->what), "%s", setting);
	snprintf(a->evidence, sizeof(a->evidence),
		 "%s: %.*f%s instead of %.*f%s in the replay of this trace; the reference is off "
		 "from the kernel by %.*f",
		 goals[goal].words, digits, v[1], unit, digits, v[0], unit, digits, v[2]);
	snprintf(a->check, sizeof(a->check),
		 "kmemlab replay --set %s ...; then set it, record again, and 'kmemlab compare "
		 "before after'",
		 setting);
	return 0;
}

/* Of the figure of what it is held against: positive is better, by more than the model is off; else
 * 0. */
static double gain(const json_t *doc, unsigned int which, size_t goal, double v[3])
{
	size_t m = measure_find(goals[goal].measure, strlen(goals[goal].measure));
	const json_t *runs = json_object_get(doc, "runs"), *run = json_array_get(runs, 2 + which);
	const json_t *base = prediction_base(doc, run);
	double change;

	v[0] = measure_of(base, m);
	v[1] = measure_of(run, m);
	v[2] = error_of(runs, base, m);
	change = v[0] - v[1];
	return fabs(change) >= goals[goal].least && fabs(change) > 2 * v[2] ? change : 0;
}

/* What a setting does for the first goal that it helps. */
struct help {
	bool helps;
	size_t goal;
	double v[3]; /* as gain() tells */
};

/* One that harms another goal helps none. */
static struct help help_of(const json_t *doc, unsigned int which)
{
	const json_t *run = json_array_get(json_object_get(doc, "runs"), 2 + which);
	bool harms = prediction_refused(run, "all");
	struct help h = {.helps = false};
	double v[3];

	for (size_t g = 0; g < sizeof(goals) / sizeof(*goals); g++) {
		double change = gain(doc, which, g, v);

		harms = harms || change < 0;
		if (change <= 0 || h.helps)
			continue;
		h.helps = true;
		h.goal = g;
		memcpy(h.v, v, sizeof(v));
	}
	h.helps = h.helps && !harms;
	return h;
}

static bool same_knob(const char *a, const char *b)
{
	size_t n = strcspn(a, "=");

	return n == strcspn(b, "=") && !memcmp(a, b, n);
}

/* Does @a help more than @b? Of two that help alike the @earlier one does. */
static bool outdoes(const struct help *a, const struct help *b, bool earlier)
{
	double x = a->v[0] - a->v[1], y = b->v[0] - b->v[1];

	if (a->goal != b->goal)
		return a->goal < b->goal;
	return x > y || (x == y && earlier);
}

/* Of several values of one setting the best is advised. */
static int judge(struct advices *all, const struct tries *t, const json_t *doc)
{
	struct help h[TRIES_MAX];
	int err = 0;

	for (unsigned int i = 0; i < t->n; i++)
		h[i] = help_of(doc, i);
	for (unsigned int i = 0; i < t->n && !err; i++) {
		bool best = h[i].helps;

		for (unsigned int k = 0; k < t->n && best; k++)
			best = k == i || !h[k].helps || !same_knob(t->setting[i], t->setting[k]) ||
			       !outdoes(&h[k], &h[i], k < i);
		if (best)
			err = add(all, t->setting[i], h[i].goal, h[i].v);
	}
	return err;
}

/* Which were tried, and whether that tells anything. */
static void tell_judged(char *judged, const struct tries *t, bool faithful)
{
	size_t at = (size_t)snprintf(judged, ADVICE_JUDGED_BYTES,
				     "Settings: %u were tried by replay (", t->n);

	for (unsigned int i = 0; i < t->n && at < ADVICE_JUDGED_BYTES; i++)
		at += (size_t)snprintf(judged + at, ADVICE_JUDGED_BYTES - at, "%s%s", i ? ", " : "",
				       t->setting[i]);
	if (at < ADVICE_JUDGED_BYTES)
		snprintf(judged + at, ADVICE_JUDGED_BYTES - at, "%s",
			 faithful ? "), and the reference is close enough to the kernel to judge "
				    "them: what helps by more than twice its error is advised."
				  : "); nothing is concluded, as the reference is not close enough "
				    "to the kernel (Fidelity in its report says by how much).");
}

static int replay_all(struct advices *all, struct replay *p, struct trace_reader *r, bool culprits,
		      char *judged, char *error)
{
	struct replay_policy *policies = calloc(REPLAY_POLICIES_MAX, sizeof(*policies));
	const struct result_options ro = {"kmemlab advise", "", true, culprits};
	const char *grade = NULL;
	json_t *doc = NULL;
	bool faithful;
	struct tries t;
	int err;

	choose(&t, r);
	err = policies ? replay_open(p, r, policies, plan(policies, &t), error) : -ENOMEM;
	if (!err)
		err = replay_events(p, error);
	if (!err && !(doc = result_build(p, &ro)))
		err = -ENOMEM;
	if (!err)
		grade = json_string_value(
			json_object_get(json_object_get(doc, "fidelity"), "grade"));
	if (!err && culprits)
		err = advise_culprits(all, doc);
	faithful = grade && !strncmp(grade, "good", 4);
	if (!err && faithful)
		err = judge(all, &t, doc);
	if (!err)
		tell_judged(judged, &t, faithful);
	json_decref(doc);
	free(policies);
	return err;
}

int advise_settings(struct advices *all, struct trace_reader *r, bool culprits, char *judged,
		    char *error)
{
	struct replay *p = calloc(1, sizeof(*p));
	int err;

	if (!p)
		return -ENOMEM;
	err = replay_all(all, p, r, culprits, judged, error);
	replay_close(p);
	free(p);
	return err;
}
