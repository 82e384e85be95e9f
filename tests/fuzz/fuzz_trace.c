/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * fuzz_trace.c - the trace reader against any bytes.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mutate.h"
#include "trace/trace_io.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use_dictionary(struct trace_reader *r)
{
	size_t sum = 0;

	for (uint32_t id = 0; id < trace_reader_classes(r) && id < 1000; id++) {
		const struct kmt_class *c = trace_reader_class(r, id);

		if (c)
			sum += strlen(trace_reader_string(r, c->call_site));
	}
	if (sum == SIZE_MAX)
		abort();
}

static void use_snapshots(struct trace_reader *r)
{
	struct trace_pages p;
	struct trace_text t;

	for (size_t i = 0; i < trace_reader_texts(r) && i < 16; i++)
		if (!trace_reader_text(r, i, &t)) {
			if (t.text[t.bytes])
				abort();
			trace_text_free(&t);
		}
	for (size_t i = 0; i < trace_reader_pages(r) && i < 16; i++)
		if (!trace_reader_page_block(r, i, &p))
			trace_pages_free(&p);
}

/* Whatever the bytes: events come in order, of kinds and CPUs that can be. */
static void use_events(struct trace_reader *r)
{
	struct trace_event e[64];
	uint64_t last = 0;
	long n;

	while ((n = trace_reader_next(r, e, 64)) > 0)
		for (long i = 0; i < n; i++) {
			if (e[i].time_ns < last || e[i].cpu >= trace_reader_cpus(r) ||
			    !trace_reader_class(r, e[i].class_id))
				abort();
			last = e[i].time_ns;
		}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("fuzz", 0);
	struct trace_damage damage;
	struct trace_reader *r;
	char error[256];

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	r = trace_reader_open_fd(fd, "fuzz", error);
	if (!r)
		return 0;
	use_dictionary(r);
	use_snapshots(r);
	use_events(r);
	trace_reader_rewind(r);
	use_events(r);
	trace_reader_damage(r, &damage);
	trace_reader_close(r);
	return 0;
}
