/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* paths.c - see paths.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "replay/callpaths.h"
#include "replay/host.h"
#include "replay/kswapd.h"
#include "replay/paths.h"
#include "trace/trace_io.h"

enum { COSTLY_ORDER = 3 };
enum { NOTHING, REFILLED, TAKEN };

const char *path_name(enum path path)
{
	static const char *const names[PATHS] = {"hit", "refill", "buddy", "slow"};

	return path < PATHS ? names[path] : "?";
}

static void name_tasks(struct paths *p, struct trace_reader *r)
{
	for (uint32_t i = 0; r && i < p->nr_classes; i++)
		p->is_kcompactd[i] = is_kcompactd(r, p->classes[i]);
}

int paths_init(struct paths *p, const struct host *h, const struct kmt_class *const *classes,
	       uint32_t nr_classes, uint64_t since_ns, struct trace_reader *r)
{
	*p = (struct paths){.classes = classes,
			    .nr_classes = nr_classes,
			    .nr_cpus = h->cpus,
			    .thp_order = h->thp_pcp ? h->pageblock_order : 0,
			    .since_ns = since_ns};
	p->last = calloc(h->cpus + 1, 1);
	p->slow = calloc(h->cpus + 1, sizeof(*p->slow));
	p->is_kcompactd = calloc((size_t)nr_classes + 1, sizeof(*p->is_kcompactd));
	if (tasks_init(&p->tasks, h->cpus) || !p->last || !p->slow || !p->is_kcompactd)
		return -ENOMEM;
	name_tasks(p, r);
	return 0;
}

void paths_destroy(struct paths *p)
{
	free(p->last);
	free(p->slow);
	free(p->is_kcompactd);
	tasks_destroy(&p->tasks);
	memset(p, 0, sizeof(*p));
}

enum page_kind paths_found(const struct pagemap *m, const struct trace_event *e)
{
	uint8_t head;

	if ((e->kind != KMT_PAGE_ALLOC && e->kind != KMT_BULK_PAGE && e->kind != KMT_STACK_PAGE) ||
	    e->address >= m->nr_pfns)
		return PAGE_NONE;
	head = m->head[e->address];
	if (!head)
		pagemap_find(m, e->address, &head);
	return page_head_kind(head);
}

static enum path path_of(const struct paths *p, const struct trace_event *e)
{
	bool listed = e->order <= COSTLY_ORDER || (p->thp_order && e->order == p->thp_order);

	if (!listed || p->last[e->cpu] == TAKEN)
		return PATH_BUDDY;
	return p->last[e->cpu] == REFILLED ? PATH_REFILL : PATH_HIT;
}

static void count(struct paths *p, const struct trace_event *e)
{
	enum path path = path_of(p, e);

	p->hit += path == PATH_HIT;
	p->refill += path == PATH_REFILL;
	p->buddy += path == PATH_BUDDY;
	if (p->calls && e->kind == KMT_PAGE_ALLOC)
		call_paths_event(p->calls, e, p->slow[e->cpu] ? PATH_SLOW : path);
	p->last[e->cpu] = NOTHING;
	p->slow[e->cpu] = false;
}

static bool by_kcompactd(const struct paths *p, unsigned int cpu)
{
	uint32_t task = tasks_at(&p->tasks, cpu);

	return task < p->nr_classes && p->is_kcompactd[task];
}

void paths_event(struct paths *p, const struct trace_event *e, enum page_kind found)
{
	tasks_see(&p->tasks, e);
	if (e->time_ns <= p->since_ns || e->cpu >= p->nr_cpus || e->class_id >= p->nr_classes ||
	    !p->classes[e->class_id])
		return;
	switch (e->kind) {
	case KMT_ZONE_LOCKED:
		p->last[e->cpu] = p->classes[e->class_id]->percpu_refill ? REFILLED : TAKEN;
		break;
	case KMT_RECLAIM_BEGIN:
		p->slow[e->cpu] = true;
		break;
	case KMT_COMPACT_BEGIN:
		p->slow[e->cpu] |= !by_kcompactd(p, e->cpu);
		break;
	case KMT_BULK_PAGE:
	case KMT_STACK_PAGE:
		if (found != PAGE_LIVE)
			count(p, e);
		break;
	case KMT_PAGE_ALLOC:
		p->slow[e->cpu] |= found == PAGE_FREE;
		if (e->address != KMT_NO_PAGE)
			count(p, e);
		break;
	default:
		break;
	}
}
