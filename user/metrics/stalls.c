/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* stalls.c - see stalls.h. Stalls under way are few: a short list by task. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "metrics/stalls.h"
#include "metrics/tasks.h"

enum { NODES = 1024, WHOLE_ZONE = 18 /* order of a COMPACT_BEGIN: kinds.h */ };

struct pending {
	uint64_t begin_ns;
	uint32_t pid;
	uint8_t kind, order;
};

struct list {
	void *at;
	size_t n, room, size;
};

struct stalls {
	const struct kmt_class *const *classes;
	uint32_t nr_classes;
	struct tasks tasks;
	struct list pending, stalls, marks, spans;
	uint64_t busy_since[THREADS][NODES]; /* plus 1; 0: asleep */
	uint32_t kcompactd[NODES];	     /* pid, as its events tell; 0: unknown */
	uint64_t open;
};

static void *add(struct list *l)
{
	if (l->n == l->room) {
		size_t room = l->room ? 2 * l->room : 64;
		void *at = realloc(l->at, room * l->size);

		if (!at)
			return NULL;
		l->at = at;
		l->room = room;
	}
	return memset((char *)l->at + l->n++ * l->size, 0, l->size);
}

struct stalls *stalls_new(const struct kmt_class *const *classes, uint32_t n, unsigned int cpus)
{
	struct stalls *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->classes = classes;
	s->nr_classes = n;
	s->pending.size = sizeof(struct pending);
	s->stalls.size = sizeof(struct stall);
	s->marks.size = sizeof(struct stall_mark);
	s->spans.size = sizeof(struct stall_span);
	if (!tasks_init(&s->tasks, cpus))
		return s;
	free(s);
	return NULL;
}

void stalls_free(struct stalls *s)
{
	if (!s)
		return;
	tasks_destroy(&s->tasks);
	free(s->pending.at);
	free(s->stalls.at);
	free(s->marks.at);
	free(s->spans.at);
	free(s);
}

static const struct kmt_class *class_of(const struct stalls *s, uint32_t id)
{
	return id < s->nr_classes ? s->classes[id] : NULL;
}

/* Kind of the stall that an event begins or ends; STALL_KINDS: neither. */
static enum stall_kind kind_of(unsigned int event, bool *begins)
{
	*begins = event == KMT_RECLAIM_BEGIN || event == KMT_MEMCG_RECLAIM_BEGIN ||
		  event == KMT_NODE_RECLAIM_BEGIN || event == KMT_COMPACT_BEGIN;
	switch (event) {
	case KMT_RECLAIM_BEGIN:
	case KMT_RECLAIM_END:
		return STALL_RECLAIM;
	case KMT_MEMCG_RECLAIM_BEGIN:
	case KMT_MEMCG_RECLAIM_END:
		return STALL_MEMCG_RECLAIM;
	case KMT_NODE_RECLAIM_BEGIN:
	case KMT_NODE_RECLAIM_END:
		return STALL_NODE_RECLAIM;
	case KMT_COMPACT_BEGIN:
	case KMT_COMPACT_END:
		return STALL_COMPACTION;
	default:
		return STALL_KINDS;
	}
}

static int note_stall(struct stalls *s, const struct stall *what)
{
	struct stall *to = add(&s->stalls);

	if (!to)
		return -ENOMEM;
	*to = *what;
	return 0;
}

static struct pending *find(struct stalls *s, uint32_t pid, uint8_t kind)
{
	struct pending *p = s->pending.at;

	for (size_t i = 0; i < s->pending.n; i++)
		if (p[i].pid == pid && p[i].kind == kind)
			return &p[i];
	return NULL;
}

static int begin(struct stalls *s, const struct trace_event *e, uint32_t pid, uint8_t kind)
{
	struct pending *p = find(s, pid, kind);

	s->open += p != NULL;
	if (!p)
		p = add(&s->pending);
	if (!p)
		return -ENOMEM;
	*p = (struct pending){e->time_ns, pid, kind, e->order};
	return 0;
}

static int end(struct stalls *s, const struct trace_event *e, uint32_t pid, uint8_t kind)
{
	struct pending *p = find(s, pid, kind), *list = s->pending.at;
	struct stall stall;

	if (!p)
		return 0;
	stall = (struct stall){.begin_ns = p->begin_ns,
			       .ns = e->time_ns - p->begin_ns,
			       .task = tasks_at(&s->tasks, e->cpu),
			       .kind = kind,
			       .order = p->order};
	*p = list[--s->pending.n];
	return note_stall(s, &stall);
}

static int wait_of_task(struct stalls *s, const struct trace_event *e, enum stall_kind kind,
			bool begins)
{
	const struct kmt_class *task = class_of(s, tasks_at(&s->tasks, e->cpu));

	if (!task)
		return 0;
	return begins ? begin(s, e, task->pid, kind) : end(s, e, task->pid, kind);
}

static int throttled(struct stalls *s, const struct trace_event *e)
{
	uint64_t ns = e->address * 1000;

	return note_stall(s, &(struct stall){.begin_ns = e->time_ns > ns ? e->time_ns - ns : 0,
					     .ns = ns,
					     .task = tasks_at(&s->tasks, e->cpu),
					     .kind = STALL_THROTTLED});
}

static int mark(struct stalls *s, const struct trace_event *e, uint8_t kind, uint32_t task)
{
	struct stall_mark *m = add(&s->marks);

	if (!m)
		return -ENOMEM;
	*m = (struct stall_mark){e->time_ns, task, kind, e->order};
	return 0;
}

static int thread_sleeps(struct stalls *s, enum stall_thread thread, unsigned int node,
			 uint64_t now_ns, bool open)
{
	uint64_t *since = &s->busy_since[thread][node];
	struct stall_span *span;

	if (!*since)
		return 0;
	span = add(&s->spans);
	if (!span)
		return -ENOMEM;
	*span = (struct stall_span){*since - 1, now_ns, (uint16_t)node, (uint8_t)thread, open};
	*since = 0;
	return 0;
}

static int thread_event(struct stalls *s, const struct trace_event *e)
{
	const struct kmt_class *c = class_of(s, e->class_id);
	bool kswapd = e->kind == KMT_KSWAPD_WAKE || e->kind == KMT_KSWAPD_SLEEP;
	enum stall_thread thread = kswapd ? THREAD_KSWAPD : THREAD_KCOMPACTD;
	unsigned int node = c && c->node >= 0 ? (unsigned int)c->node % NODES : 0;
	const struct kmt_class *task = class_of(s, tasks_at(&s->tasks, e->cpu));

	if (thread == THREAD_KCOMPACTD && task)
		s->kcompactd[node] = task->pid;
	if (e->kind == KMT_KSWAPD_SLEEP || e->kind == KMT_KCOMPACTD_SLEEP)
		return thread_sleeps(s, thread, node, e->time_ns, false);
	if (!s->busy_since[thread][node])
		s->busy_since[thread][node] = e->time_ns + 1;
	return 0;
}

static int take(struct stalls *s, const struct trace_event *e)
{
	bool begins;
	enum stall_kind kind = kind_of(e->kind, &begins);

	if (kind < STALL_KINDS)
		return wait_of_task(s, e, kind, begins);
	switch (e->kind) {
	case KMT_THROTTLED:
		return throttled(s, e);
	case KMT_PAGE_ALLOC:
		return e->address == KMT_NO_PAGE
			       ? mark(s, e, MARKER_FAILURE, tasks_at(&s->tasks, e->cpu))
			       : 0;
	case KMT_OOM_VICTIM:
		return mark(s, e, MARKER_OOM, e->class_id);
	case KMT_KSWAPD_WAKE:
	case KMT_KSWAPD_SLEEP:
	case KMT_KCOMPACTD_WAKE:
	case KMT_KCOMPACTD_SLEEP:
		return thread_event(s, e);
	default:
		return 0;
	}
}

int stalls_feed(struct stalls *s, const struct trace_event *e, long n)
{
	int err = 0;

	for (long i = 0; i < n && !err; i++) {
		tasks_see(&s->tasks, &e[i]);
		err = take(s, &e[i]);
	}
	return err;
}

/* Node whose kcompactd the task is; NODES: none's. */
static unsigned int node_of_kcompactd(const struct stalls *s, uint32_t task)
{
	const struct kmt_class *c = class_of(s, task);
	unsigned int node = 0;

	while (node < NODES && (!c || !c->pid || s->kcompactd[node] != c->pid))
		node++;
	return node;
}

static bool in_span(const struct stalls *s, uint64_t time_ns, unsigned int node)
{
	const struct stall_span *span = s->spans.at;

	for (size_t i = 0; i < s->spans.n; i++)
		if (span[i].thread == THREAD_KCOMPACTD && span[i].node == node &&
		    span[i].begin_ns <= time_ns && time_ns <= span[i].end_ns)
			return true;
	return false;
}

/* Whole zones are compacted by kcompactd, and by whoever was asked to. */
static struct stall with_kind(const struct stall *found)
{
	struct stall s = *found;

	if (s.kind == STALL_COMPACTION && s.order == WHOLE_ZONE)
		s.kind = STALL_COMPACTION_ASKED;
	return s;
}

/* What kcompactd compacts stalls nobody. Where it began unasked (proactively), no event
 * told of its waking: the compaction is a span. */
static int drop_background(struct stalls *s)
{
	struct stall *stall = s->stalls.at;
	size_t kept = 0;

	for (size_t i = 0; i < s->stalls.n; i++) {
		unsigned int node = node_of_kcompactd(s, stall[i].task);
		struct stall_span *span;

		if (stall[i].kind != STALL_COMPACTION || node == NODES) {
			stall[kept++] = with_kind(&stall[i]);
			continue;
		}
		if (in_span(s, stall[i].begin_ns, node))
			continue;
		span = add(&s->spans);
		if (!span)
			return -ENOMEM;
		*span = (struct stall_span){stall[i].begin_ns, stall[i].begin_ns + stall[i].ns,
					    (uint16_t)node, THREAD_KCOMPACTD, false};
	}
	s->stalls.n = kept;
	return 0;
}

int stalls_finish(struct stalls *s, uint64_t end_ns, struct stalls_found *out)
{
	int err = 0;

	for (unsigned int t = 0; t < THREADS; t++)
		for (unsigned int node = 0; node < NODES && !err; node++)
			err = thread_sleeps(s, (enum stall_thread)t, node, end_ns, true);
	if (!err)
		err = drop_background(s);
	*out = (struct stalls_found){
		.stalls = s->stalls.at,
		.marks = s->marks.at,
		.spans = s->spans.at,
		.n = s->stalls.n,
		.nr_marks = s->marks.n,
		.nr_spans = s->spans.n,
		.open = s->open + s->pending.n,
	};
	return err;
}
