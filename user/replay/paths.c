/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* paths.c - see paths.h. */
#include <errno.h>
#include <stdlib.h>

#include "replay/host.h"
#include "replay/paths.h"
#include "trace/trace_io.h"

enum { COSTLY_ORDER = 3 };
enum { NOTHING, REFILLED, TAKEN };

int paths_init(struct paths *p, const struct host *h, const struct kmt_class *const *classes,
	       uint32_t nr_classes, uint64_t since_ns)
{
	*p = (struct paths){.classes = classes,
			    .nr_classes = nr_classes,
			    .nr_cpus = h->cpus,
			    .thp_order = h->thp_pcp ? h->pageblock_order : 0,
			    .since_ns = since_ns};
	p->last = calloc(h->cpus + 1, 1);
	return p->last ? 0 : -ENOMEM;
}

void paths_destroy(struct paths *p)
{
	free(p->last);
	p->last = NULL;
}

static void count(struct paths *p, const struct trace_event *e)
{
	bool listed = e->order <= COSTLY_ORDER || (p->thp_order && e->order == p->thp_order);

	if (!listed || p->last[e->cpu] == TAKEN)
		p->buddy++;
	else if (p->last[e->cpu] == REFILLED)
		p->refill++;
	else
		p->hit++;
	p->last[e->cpu] = NOTHING;
}

void paths_feed(struct paths *p, const struct trace_event *e, long n)
{
	for (; n > 0; n--, e++) {
		if (e->time_ns <= p->since_ns || e->cpu >= p->nr_cpus ||
		    e->class_id >= p->nr_classes || !p->classes[e->class_id])
			continue;
		if (e->kind == KMT_ZONE_LOCKED)
			p->last[e->cpu] = p->classes[e->class_id]->percpu_refill ? REFILLED : TAKEN;
		else if ((e->kind == KMT_PAGE_ALLOC && e->address != KMT_NO_PAGE) ||
			 e->kind == KMT_BULK_PAGE || e->kind == KMT_STACK_PAGE)
			count(p, e);
	}
}
