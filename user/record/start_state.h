/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* start_state.h - what of the start's state was read, and what a reader must infer. */
#ifndef KMEMLAB_RECORD_START_STATE_H
#define KMEMLAB_RECORD_START_STATE_H

#include <stdint.h>

enum start_how {
	START_READ,	/* as the kernel has it */
	START_INFERRED, /* a reader makes it up from what is there */
	START_MISSING,	/* and from nothing */
};

enum { START_PARTS = 16, START_WHY_BYTES = 160 };

struct start_state {
	unsigned int n;
	struct start_part {
		const char *what;
		enum start_how how;
		uint64_t count;		   /* of what was read; 0: not counted */
		char why[START_WHY_BYTES]; /* not read */
	} part[START_PARTS];
};

struct json_t;

/** start_state_read() - @what was read: @count of them */
void start_state_read(struct start_state *s, const char *what, uint64_t count);
/** start_state_not() - @what was not read, as @why says */
void start_state_not(struct start_state *s, const char *what, enum start_how how, const char *why);
/** start_state_json() - [{what, how, count, why}] */
struct json_t *start_state_json(const struct start_state *s);
/** start_state_print() - a line for the summary */
void start_state_print(const struct start_state *s);

#endif
