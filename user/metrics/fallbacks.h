/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * fallbacks.h - who takes pages from pageblocks of another migrate type.
 *
 * A fallback belongs to the task that ran on its CPU, and where the pages became a slab,
 * to the call site whose object was the first in it. Whether the pageblock changed hands
 * is told by the CPU's page events around it (see replay/observed.h): a zone_locked of the
 * same page right before means it did; one right after means the event only announced
 * it, and nothing tells.
 */
#ifndef KMEMLAB_FALLBACKS_H
#define KMEMLAB_FALLBACKS_H

#include <stddef.h>
#include <stdint.h>

struct trace_event;
struct kmt_class;
struct fallbacks;

enum { FALLBACKS_COLUMNS = 120 };

/* How many came in each of equal stretches of the recording. */
struct fallbacks_over_time {
	uint64_t column_ns;
	uint64_t events[FALLBACKS_COLUMNS];
	uint64_t mixing[FALLBACKS_COLUMNS]; /* something else into a movable pageblock */
};

/* Of one command, or of one call site. */
struct fallback_culprit {
	uint32_t string; /* the command or call site; 0: not known */
	uint64_t events;
	uint64_t claimed; /* the pageblock changed to the type asked for */
	uint64_t stolen;  /* one block was taken, the types mix */
	uint64_t blocks;  /* different pageblocks among all these */
	uint64_t mixed;	  /* of them, movable ones that something else went into unclaimed */
};

/**
 * fallbacks_new() - none yet; NULL on no memory
 * @classes: by class number, kept
 * @pageblock_order: frames of a pageblock as a power of two
 */
struct fallbacks *fallbacks_new(const struct kmt_class *const *classes, uint32_t n,
				unsigned int cpus, unsigned int pageblock_order);
void fallbacks_free(struct fallbacks *f);

/** fallbacks_feed() - @n events of any kind; 0 or -ENOMEM */
int fallbacks_feed(struct fallbacks *f, const struct trace_event *e, long n);

/** fallbacks_span() - the recording's first and last event, before any is fed */
void fallbacks_span(struct fallbacks *f, uint64_t first_ns, uint64_t last_ns);
const struct fallbacks_over_time *fallbacks_over_time(const struct fallbacks *f);

/** fallbacks_by_command(), fallbacks_by_site() - most pageblocks first; to be freed.
 *  @n: their number. NULL on no memory. No feeding afterwards. */
struct fallback_culprit *fallbacks_by_command(struct fallbacks *f, size_t *n);
struct fallback_culprit *fallbacks_by_site(struct fallbacks *f, size_t *n);

#endif
