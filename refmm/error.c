/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * error.c - what went wrong last, in words.
 *
 * One thread at a simulated CPU must be able to read why its call failed while
 * others fail too. So a thread has a text of its own, as it has an errno, found
 * by the thread's name among a few slots of the machine:
 *
 *      thread   | A | C | B |   |      a new one takes the first empty slot,
 *      text     |...|...|...|   |      or, if there is none, the next in turn
 *
 * Without rmm_config.threads there is one text for everybody.
 *
 * Invariant: no two slots have the same thread.
 *
 * Locking: error_lock to find or take a slot; the text is its thread's.
 *
 * Simplified: the kernel logs (printk) or returns an error number alone.
 */
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>

#include "layers.h"

/* This thread's slot; NULL: it has none, and @take says not to take one */
static struct rmm_error_text *slot_of(struct rmm *rmm, bool take)
{
	uintptr_t self = (uintptr_t)pthread_self();
	struct rmm_error_text *e = rmm->error, *found = NULL;

	if (!rmm->config.threads)
		return e;
	rmm_lock(rmm, &rmm->error_lock);
	for (int i = 0; !found && i < RMM_ERROR_TEXTS; i++)
		if (e[i].thread == self || (take && !e[i].thread))
			found = &e[i];
	if (!found && take)
		found = &e[rmm->error_turn++ % RMM_ERROR_TEXTS];
	if (found)
		found->thread = self;
	rmm_unlock(rmm, &rmm->error_lock);
	return found;
}

/** rmm_error() - note what went wrong; returns @err, for `return rmm_error()`
 */
int rmm_error(struct rmm *rmm, int err, const char *fmt, ...)
{
	char *text = rmm_error_text(rmm);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, RMM_ERROR_BYTES, fmt, ap);
	va_end(ap);
	return err;
}

/** rmm_error_text() - this thread's RMM_ERROR_BYTES, to add to or to keep */
char *rmm_error_text(struct rmm *rmm)
{
	return slot_of(rmm, true)->text;
}

/** rmm_last_error() - see refmm.h */
const char *rmm_last_error(const struct rmm *rmm)
{
	/* A lock is taken, nothing else changes. */
	const struct rmm_error_text *e = slot_of((struct rmm *)rmm, false);

	return e ? e->text : "";
}
