/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * dump_line.h - an event as a line of text or of JSON.
 *
 * What lines of one class have in common is formatted once and kept.
 */
#ifndef KMEMLAB_DUMP_LINE_H
#define KMEMLAB_DUMP_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/view.h"

enum { DUMP_LINE_MAX = 1 << 14 };

struct dump_lines;

/** dump_lines_new() - @json: JSON lines, else text; NULL on no memory */
struct dump_lines *dump_lines_new(const struct view *v, bool json);
void dump_lines_free(struct dump_lines *d);

/**
 * dump_line() - format one event with its newline
 * @line: room for DUMP_LINE_MAX bytes
 * @origin_ns: text only: what times count from
 * Return: bytes, 0 on no memory.
 */
size_t dump_line(struct dump_lines *d, const struct trace_event *e, uint64_t origin_ns, char *line);

#endif
