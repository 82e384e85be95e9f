/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * nowait.c - requests that may not block, made where the task could have slept.
 *
 * One that was made in an interrupt, under a spinlock or by an RCU reader is enough to say
 * nothing: the call site must not sleep. So is one of which the trace does not tell. Where
 * the caller is prepared to get nothing, not to block is what it wants.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "advise/sites.h"

enum { NOWAIT_REQUESTS = 100 };

/* How sure; false: there is nothing to say. */
static bool judge(const struct site_nowait *n, const struct site_facts *f, enum advice_sure *sure)
{
	uint64_t slept = n->may_sleep + (f->depth_counted ? n->preemptible : 0);

	if (n->requests < NOWAIT_REQUESTS || slept != n->requests || n->prepared || n->no_reclaim)
		return false;
	*sure = n->high == n->requests && !n->preemptible ? ADVICE_MEDIUM : ADVICE_LOW;
	return true;
}

int rule_nowait(struct advices *all, const struct site *s, const struct site_facts *f)
{
	const struct site_nowait *n = &s->nowait;
	enum advice_sure sure;
	struct advice *a;

	if (!judge(n, f, &sure))
		return 0;
	a = advices_add(all);
	if (!a)
		return -ENOMEM;
	a->topic = "context";
	a->sure = sure;
	a->weight = (double)n->requests;
	snprintf(a->what, sizeof(a->what), "%.120s: GFP_KERNEL instead of %s", s->name,
		 n->high ? "GFP_ATOMIC" : "GFP_NOWAIT");
	snprintf(a->evidence, sizeof(a->evidence),
		 "all %" PRIu64 " requests that may not block (%.0f %% of its allocations) came "
		 "where nothing seen forbids to sleep: no interrupt, preemption on%s%s%s",
		 n->requests, 100.0 * (double)n->requests / (double)s->allocs,
		 n->preemptible ? "; the text does not tell RCU readers" : ", no RCU reader",
		 *n->callers ? "; most of them by " : "", n->callers);
	snprintf(a->check, sizeof(a->check),
		 "might_sleep() there, in a kernel with CONFIG_DEBUG_ATOMIC_SLEEP: other callers "
		 "may "
		 "be atomic, and interrupts that are only switched off are not seen; GFP_NOFS or "
		 "GFP_NOIO below a file system or a disk");
	return 0;
}
