/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * machine.h - a small recorded machine: one zone of 8192 pages, two CPUs, and a
 * trace of it in an unlinked temporary file.
 */
#ifndef KMEMLAB_TEST_MACHINE_H
#define KMEMLAB_TEST_MACHINE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "replay/replay.h"
#include "trace/trace_io.h"

enum { MACHINE_PAGES = 8192, MACHINE_START_NS = 1000000, MACHINE_EVENTS_NS = 2000000 };

struct machine {
	char path[64];
	int fd;
	struct trace_writer *w;
	uint64_t now_ns;
	uint64_t events;
};

static inline void machine_text(struct machine *m, uint16_t phase, uint64_t ns, const char *name,
				const char *text)
{
	assert_int_equal(trace_writer_text(m->w, phase, ns, name, text, strlen(text)), 0);
}

static inline void machine_zoneinfo(struct machine *m, uint16_t phase, uint64_t ns, int pcp)
{
	char text[600];

	snprintf(text, sizeof(text),
		 "Node 0, zone   Normal\n  pages free     4096\n        min      10\n"
		 "        low      20\n        high     30\n        promo    40\n"
		 "        spanned  8192\n        present  8192\n        managed  8192\n"
		 "        protection: (0, 0, 0, 0, 0)\n  pagesets\n"
		 "    cpu: 0\n              count: %d\n              high:  200\n"
		 "              batch: 16\n              high_min: 200\n"
		 "              high_max: 400\n    cpu: 1\n              count: 0\n"
		 "              high:  200\n              batch: 16\n"
		 "              high_min: 200\n              high_max: 400\n"
		 "  start_pfn:           0\n",
		 pcp);
	machine_text(m, phase, ns, "zoneinfo", text);
}

/* Free blocks of the zone, orders 0 to 10. */
static inline void machine_buddyinfo(struct machine *m, uint16_t phase, uint64_t ns,
				     const unsigned int blocks[11])
{
	char text[300] = "Node 0, zone   Normal ";

	for (int o = 0; o < 11; o++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%6u%s", blocks[o],
			 o < 10 ? " " : " \n");
	machine_text(m, phase, ns, "buddyinfo", text);
}

static inline void machine_begin_with(struct machine *m, const struct trace_page_run *runs,
				      size_t n, unsigned int free_max)
{
	const unsigned int blocks[11] = {[10] = free_max};

	memset(m, 0, sizeof(*m));
	snprintf(m->path, sizeof(m->path), "/tmp/kmemlab-test-XXXXXX");
	m->fd = mkstemp(m->path);
	assert_true(m->fd >= 0);
	m->w = trace_writer_new(m->fd, 2);
	assert_non_null(m->w);
	assert_int_equal(trace_writer_header(m->w, "{\"pageblock_order\":9,\"max_order\":10,"
						   "\"host\":{\"release\":\"6.18.0\"}}"),
			 0);
	machine_zoneinfo(m, KMT_PHASE_START, MACHINE_START_NS, 2);
	machine_buddyinfo(m, KMT_PHASE_START, MACHINE_START_NS, blocks);
	assert_int_equal(trace_writer_pages(m->w, KMT_PHASE_START, MACHINE_START_NS,
					    MACHINE_START_NS + 100, 0, runs, n),
			 0);
	m->now_ns = MACHINE_EVENTS_NS;
}

/* The upper half is free, of the lower one pages 0..9 are kernel, the rest file. */
static inline void machine_begin(struct machine *m)
{
	static const struct trace_page_run runs[] = {
		{KMT_PG_KERNEL, 0, 10},
		{KMT_PG_FILE, 0, 4086},
		{KMT_PG_FREE, 10, 4},
	};

	machine_begin_with(m, runs, 3, 4);
}

static inline void machine_event(struct machine *m, unsigned int cpu, const struct kmt_class *c,
				 uint64_t pfn)
{
	uint32_t id = trace_writer_class(m->w, c);

	m->now_ns += 1000;
	m->events++;
	assert_int_equal(trace_writer_event(m->w, cpu, id, m->now_ns, pfn), 0);
}

static inline struct trace_reader *machine_end(struct machine *m, int pcp,
					       const unsigned int blocks[11])
{
	struct trace_reader *r;
	char error[256];

	m->now_ns += 1000;
	assert_int_equal(trace_writer_round(m->w, m->now_ns), 0);
	machine_zoneinfo(m, KMT_PHASE_END, m->now_ns, pcp);
	machine_buddyinfo(m, KMT_PHASE_END, m->now_ns, blocks);
	assert_int_equal(trace_writer_end(m->w), 0);
	trace_writer_free(m->w);
	close(m->fd);
	r = trace_reader_open(m->path, error);
	unlink(m->path);
	assert_non_null(r);
	return r;
}

#endif
