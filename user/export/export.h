/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * export.h - a trace in the formats of other tools. Each function reads the whole
 * trace of @v and writes @out; it returns 0, or -errno of reading or writing.
 */
#ifndef KMEMLAB_EXPORT_H
#define KMEMLAB_EXPORT_H

#include <stdio.h>

#include "export/rows.h"

/** export_rows() - every event through @w */
int export_rows(const struct view *v, const struct row_writer *w, void *ctx);

/** export_csv(), export_jsonl() - RFC 4180 with a header line; an object a line */
int export_csv(const struct view *v, FILE *out);
int export_jsonl(const struct view *v, FILE *out);

/** export_parquet() - Apache Parquet, zstd: DuckDB, ClickHouse, Spark, pandas */
int export_parquet(const struct view *v, FILE *out);

/** export_perfetto() - trace event JSON for ui.perfetto.dev: what runs on each CPU, free
 *  memory by order, pages and bytes live, fallbacks */
int export_perfetto(const struct view *v, FILE *out);

/* What a stack's number is. */
enum export_weight { EXPORT_ALLOCS, EXPORT_BYTES, EXPORT_LIVE };

/** export_folded() - "command;cache;call site N" lines, for flame graphs */
int export_folded(const struct view *v, FILE *out, enum export_weight weight);
/** export_speedscope() - the same for speedscope.app */
int export_speedscope(const struct view *v, FILE *out, enum export_weight weight);

#endif
