/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * trigger.h - when the flight recorder writes its window by itself.
 *
 *   alloc-fail            a page allocation failed; alloc-fail:order>=3
 *   stall>10ms            a task was in direct reclaim or compaction for longer
 *   unusable[9]>0.8       of all free memory, so much is in blocks too small for
 *                         order 9: sum over orders below 9 / all free pages, from
 *                         /proc/buddyinfo over all zones; when it rises above
 */
#ifndef KMEMLAB_RECORD_TRIGGER_H
#define KMEMLAB_RECORD_TRIGGER_H

#include <stdbool.h>
#include <stdint.h>

#include "consume.h"

enum {
	TRIGGERS_MAX = 8,
	TRIGGER_TEXT_BYTES = 48,
	STALLS = 256, /* tasks in a stall at a time that are told apart */
};

enum trigger_kind {
	TRIGGER_ALLOC_FAIL,
	TRIGGER_STALL,
	TRIGGER_UNUSABLE,
};

struct trigger {
	enum trigger_kind kind;
	unsigned int order;
	uint64_t stall_ns;
	unsigned int unusable; /* parts of 1000 */
	bool above;	       /* it is so now */
	char text[TRIGGER_TEXT_BYTES];
};

struct triggers {
	struct trigger trigger[TRIGGERS_MAX];
	unsigned int n;
	const char *met; /* the text of one that was, until it is taken */
	uint64_t quiet_until_ns;
	struct {
		uint32_t task1; /* class of the task + 1; 0: none */
		uint64_t since_ns;
	} stall[STALLS];
};

/** triggers_add() - @text as above. Return: 0, -EINVAL, or -E2BIG: too many */
int triggers_add(struct triggers *t, const char *text);
/** triggers_watch() - for consumer_watch() */
struct event_watch triggers_watch(struct triggers *t);
/** triggers_sample() - look at a /proc/buddyinfo, where a trigger asks for it */
void triggers_sample(struct triggers *t, const char *buddyinfo);
/** triggers_want_samples() - does one? */
bool triggers_want_samples(const struct triggers *t);
/** triggers_take() - the text of a trigger that was met since the last call, or NULL;
 *  one that is met before quiet_until_ns waits until then */
const char *triggers_take(struct triggers *t, uint64_t now_ns);

#endif
