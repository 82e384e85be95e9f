/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sites.h - what a call site does, summed up over its classes, and rules about it. */
#ifndef KMEMLAB_ADVISE_SITES_H
#define KMEMLAB_ADVISE_SITES_H

#include <stdbool.h>

#include "advise/advise.h"
#include "metrics/lifetimes.h"

enum { SITE_CALLERS_BYTES = 256 };

/* Requests that may not block, by where they were made. */
struct site_nowait {
	uint64_t requests;
	uint64_t may_sleep, preemptible;  /* KMT_CONTEXT_*; the rest was atomic or is not told */
	uint64_t high;			  /* GFP_ATOMIC: with __GFP_HIGH */
	uint64_t prepared;		  /* __GFP_NOWARN, __GFP_NORETRY: a failure is expected */
	uint64_t no_reclaim;		  /* without __GFP_KSWAPD_RECLAIM */
	uint64_t most;			  /* of one class */
	char callers[SITE_CALLERS_BYTES]; /* of that, "inner < outer"; "": no stacks */
};

struct site {
	const char *name, *cache; /* cache: "" where there is none, or several */
	bool kmalloc;
	uint64_t allocs;
	uint64_t bytes_req, bytes_alloc; /* summed over allocations */
	uint32_t most_req, most_alloc;	 /* sizes of the class with most allocations */
	uint64_t most_allocs;
	uint32_t largest_alloc;
	uint64_t large_allocs; /* of 32 KiB and above: order 3 */
	bool may_sleep;	       /* every allocation could wait for reclaim */
	struct site_nowait nowait;
	const char *comm;     /* command that makes most of the allocations; "": none makes half */
	uint64_t reclaimable; /* objects on pages of type Reclaimable */
	uint64_t other_pages; /* on pages of another type; the rest lies on pages from before */
	struct lifetime life;
};

/* A site that allocates and does not free. */
struct grower {
	char name[128], cache[64], comm[20];
	uint64_t live, freed, bytes, oldest_ns;
	int64_t growth; /* of the cache */
	bool reclaimable;
	bool follows; /* no, but one that is grows as much by the same command */
};

struct growers {
	struct grower *at;
	size_t n, room;
};

struct site_facts {
	struct growers *growers; /* gets those that a site makes */
	bool depth_counted;	 /* some request came with preemption off: it would show */
	double seconds;		 /* of the recording */
	uint64_t end_ns;	 /* of it */
	/* Growth of a cache by the kernel's own count, in objects; INT64_MIN: not known */
	int64_t (*cache_growth)(void *ctx, const char *cache);
	void *ctx;
};

/** rule_nowait() - could requests that may not block have slept? 0 or -ENOMEM */
int rule_nowait(struct advices *all, const struct site *s, const struct site_facts *f);

/** rule_growth() - @s enters f->growers if it holds much that the kernel counts too.
 *  0 or -ENOMEM */
int rule_growth(const struct site *s, const struct site_facts *f);

/** growers_advise() - caches that the kernel takes back in one piece of advice, others with
 *  those that one command grows as much. 0 or -ENOMEM */
int growers_advise(struct advices *all, struct growers *h, const struct site_facts *f);
void growers_free(struct growers *h);

/** site_rules() - all that applies to @s. 0 or -ENOMEM */
int site_rules(struct advices *all, const struct site *s, const struct site_facts *f);

#endif
