/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* evidence.c - see evidence.h */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "replay/evidence.h"
#include "trace/trace_io.h"

enum { BATCH = 1 << 12 };

static int open_all(struct evidence *v, const struct replay *p)
{
	unsigned int cpus = trace_reader_cpus(p->reader);

	v->stalls = stalls_new(p->classes, p->nr_classes, cpus);
	v->fallbacks = fallbacks_new(p->classes, p->nr_classes, cpus, p->host.pageblock_order);
	v->lifetimes = lifetimes_new(p->classes, p->nr_classes);
	v->allocators = stat_count_new(p->reader);
	if (!v->stalls || !v->fallbacks || !v->lifetimes || !v->allocators)
		return -ENOMEM;
	fallbacks_span(v->fallbacks, p->first_ns, p->last_ns);
	return pinned_new(&v->pinned, p, cpus);
}

static int feed(struct evidence *v, const struct trace_event *e, long n)
{
	int err = stalls_feed(v->stalls, e, n);

	if (!err)
		err = fallbacks_feed(v->fallbacks, e, n);
	if (!err)
		err = lifetimes_feed(v->lifetimes, e, n);
	if (!err)
		err = stat_count_feed(v->allocators, e, n);
	if (v->pinned)
		pinned_feed(v->pinned, e, n);
	return err;
}

static int read_events(struct evidence *v, const struct replay *p)
{
	struct trace_event *e = malloc(BATCH * sizeof(*e));
	int err = e ? trace_reader_rewind(p->reader) : -ENOMEM;
	long n = 1;

	while (!err && n > 0) {
		n = trace_reader_next(p->reader, e, BATCH);
		err = n < 0 ? (int)n : feed(v, e, n);
	}
	free(e);
	return err;
}

int evidence_gather(struct evidence *v, const struct replay *p)
{
	int err;

	memset(v, 0, sizeof(*v));
	log_progress("replay: looking for causes");
	err = open_all(v, p);
	if (!err)
		err = read_events(v, p);
	if (!err)
		err = stalls_finish(v->stalls, p->last_ns, &v->waits);
	if (!err && v->pinned)
		err = pinned_finish(v->pinned, &v->pins);
	if (!err)
		lifetimes_finish(v->lifetimes);
	log_progress("%s", "");
	return err;
}

void evidence_destroy(struct evidence *v)
{
	stalls_free(v->stalls);
	fallbacks_free(v->fallbacks);
	lifetimes_free(v->lifetimes);
	stat_count_free(v->allocators);
	pinned_free(v->pinned);
}
