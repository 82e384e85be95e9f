/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sites.h - what a call site does, summed up over its classes, and rules about it. */
#ifndef KMEMLAB_ADVISE_SITES_H
#define KMEMLAB_ADVISE_SITES_H

#include <stdbool.h>

#include "advise/advise.h"
#include "metrics/lifetimes.h"

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
	struct lifetime life;
};

struct site_facts {
	double seconds;	 /* of the recording */
	uint64_t end_ns; /* of it */
	/* Growth of a cache by the kernel's own count, in objects; INT64_MIN: not known */
	int64_t (*cache_growth)(void *ctx, const char *cache);
	void *ctx;
};

/** site_rules() - all that applies to @s. 0 or -ENOMEM */
int site_rules(struct advices *all, const struct site *s, const struct site_facts *f);

#endif
