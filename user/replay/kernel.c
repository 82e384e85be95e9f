/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* kernel.c - buddyinfo texts of a trace. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "replay/kernel.h"
#include "trace/trace_io.h"

static int add(struct kernel_samples *k, const struct trace_text *t, const struct host *h)
{
	struct kernel_sample *s = &k->at[k->n];
	struct proc_buddyinfo info;

	if (proc_buddyinfo_parse(t->text, &info))
		return 0;
	s->blocks = calloc(h->nr_zones, sizeof(*s->blocks));
	if (!s->blocks) {
		proc_buddyinfo_free(&info);
		return -ENOMEM;
	}
	s->time_ns = t->time_ns;
	s->flags = t->flags;
	for (size_t i = 0; i < info.n; i++) {
		unsigned int z = host_zone_find(h, info.zones[i].node, info.zones[i].name);

		if (z != HOST_ZONE_NONE)
			memcpy(s->blocks[z], info.zones[i].blocks, sizeof(*s->blocks));
	}
	proc_buddyinfo_free(&info);
	k->n++;
	return 0;
}

static int by_time(const void *x, const void *y)
{
	const struct kernel_sample *a = x, *b = y;

	return (a->time_ns > b->time_ns) - (a->time_ns < b->time_ns);
}

static size_t find_end(const struct kernel_samples *k)
{
	for (size_t i = k->n; i-- > 0;)
		if (k->at[i].flags & KMT_PHASE_END)
			return i;
	/* The start's own shows nothing of what happened. */
	return k->n && !(k->at[k->n - 1].flags & KMT_PHASE_START) ? k->n - 1 : k->n;
}

int kernel_samples_load(struct kernel_samples *k, struct trace_reader *r, const struct host *h)
{
	size_t texts = trace_reader_texts(r);
	int err = 0;

	memset(k, 0, sizeof(*k));
	k->at = calloc(texts + 1, sizeof(*k->at));
	if (!k->at)
		return -ENOMEM;
	for (size_t i = 0; i < texts && !err; i++) {
		struct trace_text t;

		/* A damaged block is missing; the reader counts it. */
		if (trace_reader_text(r, i, &t))
			continue;
		if (!strcmp(t.name, "buddyinfo"))
			err = add(k, &t, h);
		trace_text_free(&t);
	}
	qsort(k->at, k->n, sizeof(*k->at), by_time);
	k->end = find_end(k);
	return err;
}

void kernel_sample_sum(const struct kernel_sample *k, const struct host *h, uint64_t *blocks)
{
	for (unsigned int o = 0; o <= h->max_order; o++) {
		blocks[o] = 0;
		for (unsigned int z = 0; z < h->nr_zones; z++)
			blocks[o] += k->blocks[z][o];
	}
}

void kernel_samples_destroy(struct kernel_samples *k)
{
	for (size_t i = 0; i < k->n; i++)
		free(k->at[i].blocks);
	free(k->at);
	memset(k, 0, sizeof(*k));
}
