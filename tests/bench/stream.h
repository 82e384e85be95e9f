/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* stream.h - a trace's events in memory, for the benchmarks of the trace format. */
#ifndef KMEMLAB_BENCH_STREAM_H
#define KMEMLAB_BENCH_STREAM_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "trace/trace_io.h"

struct stream {
	struct trace_event *events;
	size_t n, max;
	struct kmt_class *classes;
	uint32_t classes_n;
	unsigned int cpus;
};

/* CPU time of this process */
static inline double cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* @p, or an end for want of memory */
static inline void *need(void *p)
{
	if (p)
		return p;
	fputs("out of memory\n", stderr);
	exit(1);
}

static inline void push(struct stream *s, struct trace_event e)
{
	if (s->n == s->max) {
		s->max = s->max ? s->max * 2 : 1 << 16;
		s->events = need(reallocarray(s->events, s->max, sizeof(*s->events)));
	}
	s->events[s->n++] = e;
}

/* All of the trace at @path; below 0, and words, if it cannot be read. Equal classes share a
 * number where they are written again, so each gets a site of its own: its number. */
static inline int stream_load(struct stream *s, const char *path)
{
	static struct trace_event e[4096];
	char error[256];
	struct trace_reader *r = trace_reader_open(path, error);
	long n;

	if (!r) {
		fprintf(stderr, "%s\n", error);
		return -1;
	}
	s->cpus = trace_reader_cpus(r);
	s->classes_n = trace_reader_classes(r);
	s->classes = need(calloc((size_t)s->classes_n + 1, sizeof(*s->classes)));
	for (uint32_t i = 0; i < s->classes_n; i++) {
		if (trace_reader_class(r, i))
			s->classes[i] = *trace_reader_class(r, i);
		s->classes[i].call_site = i;
	}
	while ((n = trace_reader_next(r, e, 4096)) > 0)
		for (long i = 0; i < n; i++)
			push(s, e[i]);
	trace_reader_close(r);
	return 0;
}

static inline void stream_free(struct stream *s)
{
	free(s->events);
	free(s->classes);
}

#endif
