/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * fuzz_replay.c - any events of any classes on a small host: replayed, in all runs,
 * with the result of them.
 *
 * The bytes are events, 16 each, so that mutations stay events; at most EVENTS_MAX of
 * them, which bounds the time:
 *
 *   kind, order, migratetype, fallback_order, fallback_type, node, CPU, time step (us),
 *   address (8, little-endian)
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../support/small_host.h"
#include "common/log.h"
#include "replay/replay.h"
#include "replay/result.h"
#include "trace/trace_io.h"

enum { EVENT_BYTES = 16, EVENTS_MAX = 256, CPUS = 4, OBJECT_BYTES = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void put_event(struct trace_writer *w, const uint8_t *at, uint64_t time_ns)
{
	const struct kmt_class c = {
		.kind = at[0],
		.order = at[1],
		.migratetype = at[2],
		.fallback_order = at[3],
		.fallback_type = at[4],
		.node = (int8_t)at[5],
		.bytes_req = OBJECT_BYTES,
		.bytes_alloc = OBJECT_BYTES,
	};
	uint64_t address;

	memcpy(&address, at + 8, sizeof(address));
	must(!trace_writer_event(w, at[6] % CPUS, trace_writer_class(w, &c), time_ns, address));
}

/* A snapshot of the host, then the events. */
static void write_trace(int fd, const uint8_t *data, size_t size)
{
	static const struct trace_page_run runs[] = {{KMT_PG_FILE, 0, SMALL_HOST_PAGES / 2},
						     {KMT_PG_FREE, 10, SMALL_HOST_PAGES / 2 >> 10}};
	struct trace_writer *w = trace_writer_new(fd, CPUS);
	uint64_t now = 2000;

	must(w && !trace_writer_header(w, SMALL_HOST_HEADER));
	must(!trace_writer_text(w, KMT_PHASE_START, 1000, "zoneinfo", SMALL_HOST_ZONE,
				strlen(SMALL_HOST_ZONE)));
	must(!trace_writer_text(w, KMT_PHASE_START, 1000, "kmemlab/percpu", SMALL_HOST_PERCPU,
				strlen(SMALL_HOST_PERCPU)));
	must(!trace_writer_pages(w, KMT_PHASE_START, 1000, 1100, 0, runs, 2));
	for (size_t i = 0; i < EVENTS_MAX && (i + 1) * EVENT_BYTES <= size; i++) {
		now += data[i * EVENT_BYTES + 7] * 1000ull;
		put_event(w, data + i * EVENT_BYTES, now);
	}
	must(!trace_writer_round(w, now) && !trace_writer_account(w, "{\"totals\":{}}"));
	must(!trace_writer_end(w));
	trace_writer_free(w);
}

static void replay(struct trace_reader *r)
{
	static const struct replay_policy policies[] = {{.name = "observed"},
							{.name = "reference"}};
	const struct result_options o = {"fuzz", "fuzz", true, true};
	struct replay *p = calloc(1, sizeof(*p));
	char error[512];

	must(p != NULL);
	if (!replay_open(p, r, policies, 2, error) && !replay_events(p, error)) {
		json_t *doc = result_build(p, &o);

		must(doc != NULL);
		json_decref(doc);
	}
	replay_close(p);
	free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("fuzz", 0);
	struct trace_reader *r;
	char error[256];

	must(fd >= 0);
	write_trace(fd, data, size);
	r = trace_reader_open_fd(fd, "fuzz", error);
	must(r != NULL);
	replay(r);
	trace_reader_close(r);
	return 0;
}
