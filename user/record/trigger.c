// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* trigger.c - when the flight recorder writes its window; see trigger.h. */
#include "trigger.h"

#include <common/procfs.h>
#include <common/units.h>
#include <errno.h>
#include <metrics/frag.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kmemlab/kinds.h>

/* A small number at @text and nothing behind it but @end. */
static int number(const char *text, const char *end, unsigned int *out)
{
	char *rest;
	unsigned long n = strtoul(text, &rest, 10);

	if (rest == text || strncmp(rest, end, strlen(end)) || n >= PROC_ORDERS)
		return -EINVAL;
	*out = (unsigned int)n;
	return (int)(rest - text + (long)strlen(end));
}

static int parse_alloc_fail(struct trigger *t, const char *text)
{
	static const char condition[] = ":order>=";

	t->kind = TRIGGER_ALLOC_FAIL;
	if (!*text)
		return 0;
	if (strncmp(text, condition, sizeof(condition) - 1))
		return -EINVAL;
	text += sizeof(condition) - 1;
	return number(text, "", &t->order) == (int)strlen(text) ? 0 : -EINVAL;
}

static int parse_unusable(struct trigger *t, const char *text)
{
	int used = number(text, "]>", &t->order);
	char *rest;
	double part;

	t->kind = TRIGGER_UNUSABLE;
	if (used < 0)
		return -EINVAL;
	part = strtod(text + used, &rest);
	if (rest == text + used || *rest || !(part >= 0 && part < 1))
		return -EINVAL;
	t->unusable = (unsigned int)(part * 1000 + 0.5);
	return 0;
}

static int parse(struct trigger *t, const char *text)
{
	static const char fail[] = "alloc-fail", stall[] = "stall>", unusable[] = "unusable[";

	if (!strncmp(text, fail, sizeof(fail) - 1))
		return parse_alloc_fail(t, text + sizeof(fail) - 1);
	if (!strncmp(text, unusable, sizeof(unusable) - 1))
		return parse_unusable(t, text + sizeof(unusable) - 1);
	if (strncmp(text, stall, sizeof(stall) - 1))
		return -EINVAL;
	t->kind = TRIGGER_STALL;
	return units_ns(text + sizeof(stall) - 1, &t->stall_ns);
}

int triggers_add(struct triggers *t, const char *text)
{
	struct trigger *new = &t->trigger[t->n];
	int err;

	if (t->n == TRIGGERS_MAX)
		return -E2BIG;
	*new = (struct trigger){0};
	if (strlen(text) >= sizeof(new->text))
		return -EINVAL;
	err = parse(new, text);
	if (err)
		return err;
	snprintf(new->text, sizeof(new->text), "%s", text);
	t->n++;
	return 0;
}

static bool begins_stall(unsigned int kind)
{
	return kind == KMT_RECLAIM_BEGIN || kind == KMT_MEMCG_RECLAIM_BEGIN ||
	       kind == KMT_NODE_RECLAIM_BEGIN || kind == KMT_COMPACT_BEGIN;
}

static bool ends_stall(unsigned int kind)
{
	return kind == KMT_RECLAIM_END || kind == KMT_MEMCG_RECLAIM_END ||
	       kind == KMT_NODE_RECLAIM_END || kind == KMT_COMPACT_END;
}

/*
 * How long the stall that @e ends has lasted, 0 if it ends none. A task that
 * shares another's place loses its own begin: that stall is missed, none is made up.
 */
static uint64_t stalled(struct triggers *t, const struct seen_event *e)
{
	unsigned int at = e->task % STALLS;

	if (begins_stall(e->kind)) {
		t->stall[at].task1 = e->task + 1;
		t->stall[at].since_ns = e->time_ns;
		return 0;
	}
	if (!ends_stall(e->kind) || t->stall[at].task1 != e->task + 1)
		return 0;
	t->stall[at].task1 = 0;
	return e->time_ns - t->stall[at].since_ns;
}

static void see(void *context, const struct seen_event *e)
{
	struct triggers *t = context;
	uint64_t ns = stalled(t, e);

	for (unsigned int i = 0; i < t->n; i++) {
		const struct trigger *g = &t->trigger[i];
		bool met = (g->kind == TRIGGER_ALLOC_FAIL && e->kind == KMT_PAGE_ALLOC &&
			    e->order >= g->order) ||
			   (g->kind == TRIGGER_STALL && ns > g->stall_ns);

		if (met && !t->met)
			t->met = g->text;
	}
}

struct event_watch triggers_watch(struct triggers *t)
{
	return (struct event_watch){.see = see, .context = t};
}

bool triggers_want_samples(const struct triggers *t)
{
	for (unsigned int i = 0; i < t->n; i++)
		if (t->trigger[i].kind == TRIGGER_UNUSABLE)
			return true;
	return false;
}

void triggers_sample(struct triggers *t, const char *buddyinfo)
{
	struct proc_buddyinfo info;
	uint64_t blocks[PROC_ORDERS] = {0};

	if (!triggers_want_samples(t) || proc_buddyinfo_parse(buddyinfo, &info))
		return;
	for (size_t z = 0; z < info.n; z++)
		for (unsigned int o = 0; o < info.zones[z].orders; o++)
			blocks[o] += info.zones[z].blocks[o];
	proc_buddyinfo_free(&info);
	for (unsigned int i = 0; i < t->n; i++) {
		struct trigger *g = &t->trigger[i];
		bool above = g->kind == TRIGGER_UNUSABLE &&
			     metric_unusable(blocks, PROC_ORDERS, g->order) > g->unusable;

		if (above && !g->above && !t->met)
			t->met = g->text;
		g->above = above;
	}
}

const char *triggers_take(struct triggers *t, uint64_t now_ns)
{
	const char *met = t->met;

	if (now_ns < t->quiet_until_ns)
		return NULL;
	t->met = NULL;
	return met;
}
