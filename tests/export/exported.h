/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* exported.h - a trace of a few events, and what it is in another format. */
#ifndef KMEMLAB_EXPORTED_H
#define KMEMLAB_EXPORTED_H

#include <stdio.h>

#include "../trace/fixture.h"
#include "cli/view.h"
#include "export/export.h"

/* An event on CPU 0. */
static inline void exported_event(struct fixture *f, const struct kmt_class *c, uint64_t time_ns,
				  uint64_t address)
{
	assert_int_equal(trace_writer_event(f->w, 0, trace_writer_class(f->w, c), time_ns, address),
			 0);
	f->clock_ns = time_ns;
}

typedef int export_fn(const struct view *v, FILE *out);

/* The text of the trace, which is ended and freed; free() it. */
static inline char *exported(struct fixture *f, export_fn *export)
{
	struct view v = {.name = "trace", .header = json_object()};
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	assert_non_null(out);
	fixture_finish(f);
	v.reader = fixture_open(f);
	assert_int_equal(export(&v, out), 0);
	fclose(out);
	trace_reader_close(v.reader);
	json_decref(v.header);
	fixture_free(f);
	return text;
}

#endif
