/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * fixture.h - small traces in memory files, and what must be read back.
 *
 * Randomness is a seed away: every failure can be repeated.
 */
#ifndef KMEMLAB_TRACE_FIXTURE_H
#define KMEMLAB_TRACE_FIXTURE_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../support/test.h"
#include "trace/block.h"
#include "trace/trace_io.h"

#define FIXTURE_HEADER "{\"kmemlab\": \"test\"}"

static inline uint64_t random_next(uint64_t *seed)
{
	*seed += 0x9e3779b97f4a7c15ull;
	uint64_t z = *seed;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

static inline uint64_t random_below(uint64_t *seed, uint64_t n)
{
	return random_next(seed) % n;
}

/* A trace being written, and its events in the order recorded. */
struct fixture {
	int fd;
	unsigned int cpus;
	struct trace_writer *w;
	uint32_t class[KMT_KINDS]; /* one of each kind, UINT32_MAX where unused */
	uint64_t clock_ns;
	struct trace_event *want;
	size_t n, max;
	uint64_t live[64]; /* addresses in use, so that frees match allocations */
};

static inline uint32_t fixture_class(struct trace_writer *w, uint8_t kind, unsigned int variant)
{
	struct kmt_class c = {.kind = kind, .node = -1};
	char name[32];

	if (kind <= KMT_PCPU_DRAIN)
		c.order = (uint8_t)variant;
	snprintf(name, sizeof(name), "site_%u_%u+0x10", kind, variant);
	c.call_site = trace_writer_string(w, name);
	if (kind == KMT_TASK) {
		c.comm = trace_writer_string(w, "worker");
		c.pid = c.tgid = variant;
	}
	return trace_writer_class(w, &c);
}

static inline void fixture_start(struct fixture *f, unsigned int cpus)
{
	static const uint8_t kinds[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, KMT_TASK};

	memset(f, 0, sizeof(*f));
	f->fd = memfd_create("trace", 0);
	f->cpus = cpus;
	f->clock_ns = 1000000000;
	f->w = trace_writer_new(f->fd, cpus);
	assert_non_null(f->w);
	memset(f->class, 0xff, sizeof(f->class));
	for (size_t i = 0; i < sizeof(kinds); i++)
		f->class[kinds[i]] = fixture_class(f->w, kinds[i], kinds[i] == KMT_TASK ? 42 : 3);
	assert_int_equal(trace_writer_header(f->w, FIXTURE_HEADER), 0);
}

/* Append one event and remember it. */
static inline void fixture_event(struct fixture *f, unsigned int cpu, uint8_t kind,
				 uint64_t time_ns, uint64_t address)
{
	int err = trace_writer_event(f->w, cpu, f->class[kind], time_ns, address);

	if (err == -EAGAIN) {
		assert_int_equal(trace_writer_round(f->w, 0), 0);
		err = trace_writer_event(f->w, cpu, f->class[kind], time_ns, address);
	}
	assert_int_equal(err, 0);
	if (f->n == f->max) {
		f->max = f->max ? f->max * 2 : 1024;
		f->want = reallocarray(f->want, f->max, sizeof(*f->want));
		assert_non_null(f->want);
	}
	f->want[f->n++] = (struct trace_event){
		.time_ns = time_ns,
		.address = kind == KMT_TASK ? 0 : address,
		.class_id = f->class[kind],
		.cpu = (uint16_t)cpu,
		.kind = kind,
		.order = kind <= KMT_PCPU_DRAIN ? 3 : 0,
	};
}

/* @n events that look like life: times rise, frees mostly match allocations. */
static inline void fixture_random(struct fixture *f, uint64_t *seed, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t slot = random_below(seed, 64);
		uint8_t kind = (uint8_t)random_below(seed, 10);

		if (kind == 9)
			kind = KMT_TASK;
		if (random_below(seed, 3) == 0)
			f->live[slot] = random_next(seed) >> random_below(seed, 64);
		/* Equal times on different CPUs, and pauses, must happen. */
		f->clock_ns += random_below(seed, 4) ? random_below(seed, 900) : 0;
		if (random_below(seed, 500) == 0)
			f->clock_ns += random_below(seed, 1ull << 40);
		fixture_event(f, (unsigned int)random_below(seed, f->cpus), kind, f->clock_ns,
			      f->live[slot]);
	}
}

static inline int order_by_time(const void *a, const void *b)
{
	const struct trace_event *x = a, *y = b;

	if (x->time_ns != y->time_ns)
		return x->time_ns < y->time_ns ? -1 : 1;
	if (x->cpu != y->cpu)
		return x->cpu < y->cpu ? -1 : 1;
	return x < y ? -1 : x > y;
}

/* The order a reader must give: by time, then CPU, then as recorded. */
static inline void fixture_sort(struct fixture *f)
{
	for (size_t i = 1; i < f->n; i++)
		for (size_t j = i; j && order_by_time(&f->want[j - 1], &f->want[j]) > 0; j--) {
			struct trace_event e = f->want[j];

			f->want[j] = f->want[j - 1];
			f->want[j - 1] = e;
		}
}

static inline void fixture_finish(struct fixture *f)
{
	assert_int_equal(trace_writer_round(f->w, f->clock_ns), 0);
	assert_int_equal(trace_writer_account(f->w, "{\"totals\": {}}"), 0);
	assert_int_equal(trace_writer_end(f->w), 0);
}

/* A block with this payload behind what was written. */
static inline void fixture_block(struct fixture *f, struct kmt_block head, const void *payload,
				 size_t bytes)
{
	struct block_packer *p = block_packer_new(1);
	struct block_part part = {.data = payload, .bytes = bytes};
	const void *data;
	size_t n = block_pack(p, &head, &part, 1, &data);

	assert_int_equal(write(f->fd, data, n), n);
	block_packer_free(p);
}

static inline void fixture_free(struct fixture *f)
{
	trace_writer_free(f->w);
	close(f->fd);
	free(f->want);
}

/* The file's bytes; free() them. */
static inline uint8_t *fixture_bytes(const struct fixture *f, size_t *bytes)
{
	off_t end = lseek(f->fd, 0, SEEK_END);
	uint8_t *data = malloc((size_t)end + 1);

	assert_non_null(data);
	assert_int_equal(pread(f->fd, data, (size_t)end, 0), end);
	*bytes = (size_t)end;
	return data;
}

/* A reader of these bytes, or NULL and errno. */
static inline struct trace_reader *open_bytes(const void *data, size_t bytes, char *error)
{
	int fd = memfd_create("copy", 0);

	assert_int_equal(write(fd, data, bytes), (ssize_t)bytes);
	return trace_reader_open_fd(fd, "copy", error);
}

static inline struct trace_reader *fixture_open(const struct fixture *f)
{
	char error[256];
	struct trace_reader *r = trace_reader_open_fd(dup(f->fd), "trace", error);

	assert_non_null(r);
	return r;
}

static inline bool same_event(const struct trace_event *a, const struct trace_event *b)
{
	return a->time_ns == b->time_ns && a->address == b->address && a->class_id == b->class_id &&
	       a->cpu == b->cpu && a->kind == b->kind && a->order == b->order;
}

/* Read all; every event must be in @f's, in its order. Returns how many. */
static inline size_t read_subset(struct trace_reader *r, const struct fixture *f)
{
	struct trace_event got[37];
	size_t at = 0, total = 0;
	long n;

	while ((n = trace_reader_next(r, got, 37)) > 0)
		for (long i = 0; i < n; i++, total++) {
			while (at < f->n && !same_event(&f->want[at], &got[i]))
				at++;
			assert_true(at < f->n);
			at++;
		}
	assert_int_equal(n, 0);
	return total;
}

/* Read all of an intact trace. */
static inline void read_exactly(struct trace_reader *r, const struct fixture *f)
{
	struct trace_damage d, none;

	memset(&none, 0, sizeof(none));
	memset(&d, 0, sizeof(d));
	assert_int_equal(read_subset(r, f), f->n);
	trace_reader_damage(r, &d);
	assert_int_equal(d.bad_blocks + d.skipped_bytes + d.missing_blocks + d.undefined_classes,
			 0);
	assert_false(d.torn || d.unfinished);
}

static inline bool any_damage(const struct trace_reader *r)
{
	struct trace_damage d;

	trace_reader_damage(r, &d);
	return d.bad_blocks || d.skipped_bytes || d.missing_blocks || d.undefined_classes ||
	       d.torn || d.unfinished;
}

#endif
