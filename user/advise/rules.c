/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * rules.c - when a call site's numbers suggest something. Limits are named here and
 * nowhere else; what is below them is noise, or not worth a change.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "advise/sites.h"
#include "common/out.h"

enum {
	LARGE_FEW = 3,		   /* large allocations of a site */
	STACK_BYTES = 256,	   /* a kernel stack is 16 KiB, and frames are small */
	STACK_LIVES = 1000,	   /* ended lives */
	CACHE_ALLOCS = 10000,	   /* of one size */
	CACHE_HELD_BYTES = 262144, /* that a cache of its own would give back */
	CACHE_WASTE_PERCENT = 15,
	ACROSS_LIVES = 10000,
};
#define STACK_LIFE_NS 50000 /* by which 99 % have ended */

static struct advice *add(struct advices *all, const char *topic, enum advice_sure sure,
			  double weight)
{
	struct advice *a = advices_add(all);

	if (a) {
		a->topic = topic;
		a->sure = sure;
		a->weight = weight;
	}
	return a;
}

/* Large and able to wait: pages that need not lie side by side are easier to find. */
static int rule_kvmalloc(struct advices *all, const struct site *s)
{
	char bytes[16];
	struct advice *a;

	if (!s->kmalloc || s->large_allocs < LARGE_FEW || !s->may_sleep)
		return 0;
	a = add(all, "kvmalloc", ADVICE_MEDIUM, (double)s->large_allocs * s->largest_alloc);
	if (!a)
		return -ENOMEM;
	snprintf(a->what, sizeof(a->what), "%.120s: kvmalloc() instead of kmalloc()", s->name);
	snprintf(a->evidence, sizeof(a->evidence),
		 "%" PRIu64 " allocations of order 3 and above, up to %s, all of which may sleep",
		 s->large_allocs, out_human_bytes(s->largest_alloc, bytes));
	snprintf(a->check, sizeof(a->check),
		 "read the code: not if a device needs the memory in one piece; then compare "
		 "allocations of order 3 in 'kmemlab stat --by order'");
	return 0;
}

/* One size, many times, and much of its class unused. */
static int rule_cache(struct advices *all, const struct site *s)
{
	uint32_t fits = (s->most_req + 7) & ~7u;
	uint32_t waste = s->most_alloc > fits ? s->most_alloc - fits : 0;
	uint64_t held = s->life.live * waste;
	struct advice *a;
	char bytes[16];

	if (!s->kmalloc || s->most_allocs * 20 < s->allocs * 19 ||
	    waste * 100 < s->most_alloc * CACHE_WASTE_PERCENT ||
	    (s->most_allocs < CACHE_ALLOCS && held < CACHE_HELD_BYTES))
		return 0;
	a = add(all, "cache", held >= CACHE_HELD_BYTES ? ADVICE_HIGH : ADVICE_LOW,
		(double)s->most_allocs * waste);
	if (!a)
		return -ENOMEM;
	snprintf(a->what, sizeof(a->what), "%.120s: a kmem_cache of its own, objects of %u bytes",
		 s->name, fits);
	snprintf(a->evidence, sizeof(a->evidence),
		 "%" PRIu64 " of %" PRIu64
		 " allocations ask for %u bytes and get %u (%.0f %% unused); "
		 "%s of that is held at the end",
		 s->most_allocs, s->allocs, s->most_req, s->most_alloc,
		 100.0 * waste / s->most_alloc, held ? out_human_bytes(held, bytes) : "none");
	snprintf(a->check, sizeof(a->check),
		 "record again and compare waste in 'kmemlab stat --by site'; a cache that merges "
		 "with another saves as much");
	return 0;
}

/* Small, gone at once, on the CPU where it began. */
static int rule_stack(struct advices *all, const struct site *s)
{
	uint64_t p99 = lifetime_quantile(&s->life, 0.99);
	struct advice *a;
	char ns[16];

	if (!s->kmalloc || s->bytes_req > s->allocs * STACK_BYTES || s->life.freed < STACK_LIVES ||
	    s->most_req > STACK_BYTES || p99 > STACK_LIFE_NS ||
	    s->life.live * 1000 > s->life.freed || s->life.across * 1000 > s->life.freed)
		return 0;
	a = add(all, "stack", ADVICE_MEDIUM, (double)s->life.freed);
	if (!a)
		return -ENOMEM;
	snprintf(a->what, sizeof(a->what), "%.120s: the stack instead of kmalloc()", s->name);
	snprintf(a->evidence, sizeof(a->evidence),
		 "%" PRIu64 " objects of %u bytes, 99 %% freed within %s, %.1f %% on the CPU that "
		 "allocated them",
		 s->life.freed, s->most_req, out_human_ns(p99, ns),
		 100.0 - 100.0 * (double)s->life.across / (double)s->life.freed);
	snprintf(a->check, sizeof(a->check),
		 "read the code: not if a device or another context gets the address, and not deep "
		 "in a call chain");
	return 0;
}

/* Each free goes past the CPU's own slab: the slow path, and a cache line that moves. */
static int rule_across(struct advices *all, const struct site *s, const struct site_facts *f)
{
	struct advice *a;

	if (s->life.freed < ACROSS_LIVES || s->life.across * 2 < s->life.freed)
		return 0;
	a = add(all, "across", ADVICE_LOW, (double)s->life.across);
	if (!a)
		return -ENOMEM;
	snprintf(a->what, sizeof(a->what),
		 "%.120s: free in batches (kmem_cache_free_bulk, kfree_bulk), or on the CPU that "
		 "allocates",
		 s->name);
	snprintf(a->evidence, sizeof(a->evidence),
		 "%" PRIu64 " of %" PRIu64 " objects were freed on another CPU, %.0f a second",
		 s->life.across, s->life.freed,
		 f->seconds > 0 ? (double)s->life.across / f->seconds : 0);
	snprintf(a->check, sizeof(a->check), "perf: time in __slab_free before and after");
	return 0;
}

/* Inside the allocator: who called it is not known, and is whom advice is for; or it is the
 * allocator's own, and ends with the slab. */
static bool is_allocator(const char *name)
{
	static const char *const own[] = {
		"__kmalloc", "kmalloc",	     "__kvmalloc",	    "kvmalloc",		"krealloc",
		"kvrealloc", "__do_kmalloc", "alloc_slab_obj_exts", "alloc_empty_sheaf"};

	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
		if (!strncmp(name, own[i], strlen(own[i])))
			return true;
	return false;
}

int site_rules(struct advices *all, const struct site *s, const struct site_facts *f)
{
	if (is_allocator(s->name))
		return 0;
	return rule_kvmalloc(all, s) || rule_cache(all, s) || rule_stack(all, s) ||
			       rule_across(all, s, f) || rule_nowait(all, s, f) || rule_growth(s, f)
		       ? -ENOMEM
		       : 0;
}
