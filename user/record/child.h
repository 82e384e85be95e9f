/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* child.h - the traced command: started stopped, so that nothing of it is missed. */
#ifndef KMEMLAB_RECORD_CHILD_H
#define KMEMLAB_RECORD_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "record.h"

struct child {
	pid_t pid; /* 0: there is none, or it has been waited for */
	int go;	   /* write end: a byte lets it run; -1 from then on */
	int error; /* read end: errno of a failed exec; -1 from then on */
	int status;
	bool ran; /* its exec succeeded */
};

/**
 * child_prepare() - fork; it waits for child_go()
 * @own_stdout: false: what it prints goes to standard error
 * Return: 0 or -errno.
 */
int child_prepare(struct child *c, char *const *argv, bool own_stdout);
/** child_go() - let it run. Return: 0, or -errno of its exec */
int child_go(struct child *c);
/** child_ended() - has it ended? Fills c->status */
bool child_ended(struct child *c);
/** child_stop() - end it and what it started: TERM, then KILL after two seconds.
 *  @pause runs meanwhile, every 10 ms. Return: whether it had to be ended. */
bool child_stop(struct child *c, const struct recording_pause *pause);
/** child_succeeded() - did it run and exit with status 0? */
bool child_succeeded(const struct child *c);
/** child_words() - what became of it, e.g. "exited with status 2" */
const char *child_words(const struct child *c, char *buf, size_t size);

#endif
