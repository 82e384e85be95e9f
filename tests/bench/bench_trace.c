/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * bench_trace.c [TRACE.kmt] - the trace format: cost of writing, speed of
 * reading, size. Lines are "name value unit [ratio]".
 *
 * Without a trace it makes up a stream: per CPU a loop that takes and returns
 * pages in batches and a few caches used last in, first out, with pauses and
 * long-lived objects in between. The peer that ratios refer to stores the same
 * events as 16-byte cells (time, class and CPU, address) through zstd -1.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zstd.h>

#include "stream.h"

enum { MADE_UP_EVENTS = 4000000, MADE_UP_CPUS = 4, ROUND_NS = 250000000, REPEATS = 3 };

struct result {
	double append_ns, round_ns, read_ns;
	double bytes;
};

/* ---- Streams ----------------------------------------------------------- */

static uint64_t random_below(uint64_t n)
{
	static uint64_t x = 88172645463325252ull;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return x % n;
}

/* Free lists of one CPU: a stack of addresses per class pair. */
struct pool {
	uint64_t free[512];
	unsigned int n;
	uint64_t fresh;
};

enum { POOLS = 6, BATCH = 24 };

static void step(struct stream *s, unsigned int cpu, uint32_t class_id, uint64_t *clock,
		 uint64_t address)
{
	*clock += 120 + random_below(random_below(40) ? 300 : 20000);
	push(s, (struct trace_event){*clock, address, class_id, (uint16_t)cpu,
				     s->classes[class_id].kind, 0});
}

/* Take a batch from a pool, then give most of it back. */
static void burst(struct stream *s, unsigned int cpu, struct pool *pools, uint64_t *clock)
{
	uint32_t which = (uint32_t)random_below(POOLS);
	struct pool *p = &pools[which];
	unsigned int n = 1 + (unsigned int)random_below(BATCH);
	uint64_t taken[BATCH];

	for (unsigned int i = 0; i < n; i++) {
		taken[i] = p->n ? p->free[--p->n] : p->fresh++ * (which ? 24 : 1);
		step(s, cpu, which * 2, clock, taken[i]);
	}
	for (unsigned int i = 0; i < n; i++)
		if (random_below(50) && p->n < 512) {
			step(s, cpu, which * 2 + 1, clock, taken[i]);
			p->free[p->n++] = taken[i];
		}
}

static int by_time(const void *a, const void *b)
{
	const struct trace_event *x = a, *y = b;

	return x->time_ns < y->time_ns ? -1 : x->time_ns > y->time_ns;
}

static void make_up(struct stream *s)
{
	static struct pool pools[MADE_UP_CPUS][POOLS];
	uint64_t clock[MADE_UP_CPUS] = {0};

	s->cpus = MADE_UP_CPUS;
	s->classes_n = POOLS * 2;
	s->classes = need(calloc(s->classes_n, sizeof(*s->classes)));
	for (uint32_t i = 0; i < s->classes_n; i++) {
		uint8_t kind = i < 2 ? KMT_PAGE_ALLOC : KMT_CACHE_ALLOC;

		s->classes[i] = (struct kmt_class){
			.kind = (uint8_t)(kind + i % 2), .pid = i, .call_site = i};
	}
	for (unsigned int cpu = 0; cpu < MADE_UP_CPUS; cpu++)
		for (unsigned int i = 0; i < POOLS; i++)
			pools[cpu][i].fresh = (1 + cpu * POOLS + i) << 20;
	while (s->n < MADE_UP_EVENTS)
		for (unsigned int cpu = 0; cpu < MADE_UP_CPUS; cpu++)
			burst(s, cpu, pools[cpu], &clock[cpu]);
	qsort(s->events, s->n, sizeof(*s->events), by_time);
}

/* ---- Measuring --------------------------------------------------------- */

static size_t append_until(struct trace_writer *w, const struct stream *s, size_t i, uint64_t until)
{
	for (; i < s->n && s->events[i].time_ns < until; i++) {
		const struct trace_event *e = &s->events[i];

		if (trace_writer_event(w, e->cpu, e->class_id, e->time_ns, e->address))
			break;
	}
	return i;
}

static void write_all(const struct stream *s, int fd, struct result *out)
{
	struct trace_writer *w = need(trace_writer_new(fd, s->cpus));
	struct trace_writer_stats stats;
	uint64_t until = s->n ? s->events[0].time_ns + ROUND_NS : 0;
	double append = 0, round = 0;

	trace_writer_header(w, "{}");
	for (uint32_t i = 0; i < s->classes_n; i++)
		trace_writer_class(w, &s->classes[i]);
	for (size_t i = 0; i < s->n;) {
		double t0 = cpu_ns(), t1;

		i = append_until(w, s, i, until);
		t1 = cpu_ns();
		if (i < s->n && s->events[i].time_ns >= until)
			until += ROUND_NS;
		trace_writer_round(w, 0);
		append += t1 - t0;
		round += cpu_ns() - t1;
	}
	trace_writer_end(w);
	trace_writer_stats(w, &stats);
	out->append_ns = append / (double)s->n;
	out->round_ns = round / (double)s->n;
	out->bytes = (double)stats.event_bytes / (double)s->n;
	trace_writer_free(w);
}

static void read_all(const struct stream *s, int fd, struct result *out)
{
	static struct trace_event e[1024];
	char error[256];
	double t0 = cpu_ns();
	struct trace_reader *r = trace_reader_open_fd(dup(fd), "bench", error);
	size_t total = 0;
	long n;

	while (r && (n = trace_reader_next(r, e, 1024)) > 0)
		total += (size_t)n;
	out->read_ns = (cpu_ns() - t0) / (double)s->n;
	trace_reader_close(r);
	if (total == s->n)
		return;
	fprintf(stderr, "bench_trace: wrote %zu events, read %zu\n", s->n, total);
	exit(1);
}

/* The peer: 16-byte cells through zstd -1, in chunks; bytes and ns an event. */
static void peer(const struct stream *s, double *bytes, double *ns)
{
	enum { CHUNK = 1 << 16 };
	uint64_t(*cell)[2] = need(malloc(CHUNK * sizeof(*cell)));
	size_t room = ZSTD_compressBound(CHUNK * sizeof(*cell)), total = 0;
	void *to = need(malloc(room));
	double t0 = cpu_ns();

	for (size_t i = 0; i < s->n; i += CHUNK) {
		size_t n = s->n - i < CHUNK ? s->n - i : CHUNK;

		for (size_t k = 0; k < n; k++) {
			const struct trace_event *e = &s->events[i + k];

			cell[k][0] =
				e->time_ns << 20 | (uint64_t)e->cpu << 12 | (e->class_id & 4095);
			cell[k][1] = e->address;
		}
		total += ZSTD_compress(to, room, cell, n * sizeof(*cell), 1);
	}
	*ns = (cpu_ns() - t0) / (double)s->n;
	*bytes = (double)total / (double)s->n;
	free(cell);
	free(to);
}

static void keep_best(struct result *best, const struct result *r)
{
	if (!best->bytes || r->append_ns < best->append_ns)
		best->append_ns = r->append_ns;
	if (!best->bytes || r->round_ns < best->round_ns)
		best->round_ns = r->round_ns;
	if (!best->bytes || r->read_ns < best->read_ns)
		best->read_ns = r->read_ns;
	best->bytes = r->bytes;
}

static void print(const struct stream *s, const struct result *r)
{
	double bytes, ns;

	peer(s, &bytes, &ns);
	printf("trace_events %zu events\n", s->n);
	printf("trace_append %.2f ns/event\n", r->append_ns);
	printf("trace_encode_compress %.2f ns/event\n", r->round_ns);
	printf("trace_read_merge %.1f Mevents/s\n", 1e3 / r->read_ns);
	printf("trace_size %.3f bytes/event\n", r->bytes);
	printf("cells_zstd1_write %.2f ns/event %.2f\n", ns, ns / (r->append_ns + r->round_ns));
	printf("cells_zstd1_size %.3f bytes/event %.2f\n", bytes, bytes / r->bytes);
}

int main(int argc, char **argv)
{
	struct stream s = {0};
	struct result best = {0};

	if (argc > 1 && stream_load(&s, argv[1]))
		return 1;
	if (argc <= 1)
		make_up(&s);
	for (int i = 0; i < REPEATS; i++) {
		int fd = memfd_create("bench", MFD_CLOEXEC);
		struct result r = {0};

		write_all(&s, fd, &r);
		read_all(&s, fd, &r);
		keep_best(&best, &r);
		close(fd);
	}
	print(&s, &best);
	stream_free(&s);
	return 0;
}
