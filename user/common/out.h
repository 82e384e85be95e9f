/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * out.h - data on stdout: text, and tables that one column list turns into
 * aligned text, CSV or JSON. Nothing else writes stdout.
 *
 * Output is buffered; a failed write is remembered and reported by out_close().
 * A closed pipe (EPIPE) is not an error: the reader has seen enough.
 */
#ifndef KMEMLAB_OUT_H
#define KMEMLAB_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_t;

enum out_format {
	OUT_TEXT = 0,
	OUT_JSON,
	OUT_CSV,
	OUT_MARKDOWN,
};

enum out_type {
	OUT_STRING,
	OUT_UINT,
	OUT_INT,
	OUT_BYTES,   /* text: 4.2M; JSON and CSV: the number */
	OUT_NS,	     /* text: 1.25 ms; JSON and CSV: the number */
	OUT_PERCENT, /* text and CSV: 12.3 */
};

struct out_column {
	const char *title; /* of the text table */
	const char *key;   /* JSON and CSV name */
	enum out_type type;
};

union out_value {
	const char *s;
	uint64_t u;
	int64_t i;
	double f;
};

/* Of OUT_UINT, OUT_BYTES and OUT_NS: not known, as NAN is of OUT_PERCENT. Text: "-"; CSV: empty;
 * absent in JSON. */
#define OUT_UNKNOWN UINT64_MAX

struct out_table;

/** out_percent() - of @all; NAN of nothing */
double out_percent(uint64_t part, uint64_t all);

/** out_table_new() - @name is the text heading and the JSON key */
struct out_table *out_table_new(const char *name, const struct out_column *columns, size_t n);
/** out_table_row() - add a row of as many values as columns; strings are copied */
int out_table_row(struct out_table *t, const union out_value *row);
/** out_table_sort() - by a column: numbers largest first, strings rising; rows that are
 *  equal stay in their order. 0 or -ENOMEM */
int out_table_sort(struct out_table *t, size_t column);
/** out_table_cut() - leave the first @rows, 0 = all. Return: how many went */
size_t out_table_cut(struct out_table *t, size_t rows);
size_t out_table_rows(const struct out_table *t);
/** out_table_print() - as text, CSV or Markdown. Text on a terminal that is too narrow for all
 *  columns is printed in parts, each with the first column. 0 or -ENOMEM */
int out_table_print(const struct out_table *t, enum out_format format);
/** out_table_json() - an array of objects, a new reference; NULL on no memory */
struct json_t *out_table_json(const struct out_table *t);
void out_table_free(struct out_table *t);

/** out_json() - print a document, pretty, with a newline; takes the reference */
int out_json(struct json_t *doc);

/** out_text() - formatted text */
void out_text(const char *format, ...) __attribute__((format(printf, 1, 2)));
/** out_bytes() - raw bytes, for those who format faster themselves */
void out_bytes(const void *data, size_t bytes);
/** out_wrapped() - words, in lines no wider than the terminal, if stdout is one; the first
 *  line begins where @indent ends, the others are indented by it */
void out_wrapped(size_t indent, const char *text);
/** out_columns() - of the terminal that stdout is; 0: it is none */
size_t out_columns(void);
/** out_failed() - stop producing: a write failed or nobody reads */
bool out_failed(void);
/** out_flush() - hand buffered bytes to the kernel */
void out_flush(void);
/** out_close() - flush; 0, or -errno after having said why on stderr */
int out_close(void);

/** out_human_bytes() - "4.2M" into @text (>= 16 bytes); returns @text */
char *out_human_bytes(uint64_t bytes, char *text);
/** out_human_ns() - "1.25 ms" into @text (>= 16 bytes); returns @text */
char *out_human_ns(uint64_t ns, char *text);

#endif
