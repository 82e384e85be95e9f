/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* fuzz_stat.c - what stat and dump make of any trace, with damage and without. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli/dump_line.h"
#include "cli/stat_tables.h"
#include "mutate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A line is one line: printable, ended, within its bound. */
static void check_line(const char *line, size_t n)
{
	if (n > DUMP_LINE_MAX || (n && line[n - 1] != '\n'))
		abort();
	for (size_t i = 0; i + 1 < n; i++)
		if ((unsigned char)line[i] < 0x20 || (unsigned char)line[i] >= 0x7f)
			abort();
}

static void print_lines(struct view *v, bool json)
{
	static char line[DUMP_LINE_MAX];
	struct dump_lines *d = dump_lines_new(v, json);
	struct trace_event e[64];
	long n;

	trace_reader_rewind(v->reader);
	while (d && (n = trace_reader_next(v->reader, e, 64)) > 0)
		for (long i = 0; i < n; i++)
			check_line(line, dump_line(d, &e[i], 0, line));
	dump_lines_free(d);
}

static void count_all(struct view *v)
{
	struct stat_count *s = stat_count_new(v->reader);
	struct trace_event e[64];
	size_t left_out;
	long n;
	int err;

	trace_reader_rewind(v->reader);
	while (s && (n = trace_reader_next(v->reader, e, 64)) > 0)
		if (stat_count_feed(s, e, n))
			break;
	for (const struct stat_table *t = stat_tables; s && t->name; t++)
		if (!t->read)
			out_table_free(stat_table_build(t, v, s, 0, 3, &left_out));
	stat_count_free(s);
	for (const struct stat_table *t = stat_tables; t->name; t++) {
		if (!t->read)
			continue;
		trace_reader_rewind(v->reader);
		out_table_free(t->read(t, v, &err));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("fuzz", 0);
	struct view v = {.name = "fuzz"};
	char error[256];

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	v.reader = trace_reader_open_fd(fd, "fuzz", error);
	if (!v.reader)
		return 0;
	v.header = json_object();
	print_lines(&v, false);
	print_lines(&v, true);
	count_all(&v);
	json_decref(v.header);
	trace_reader_close(v.reader);
	return 0;
}
