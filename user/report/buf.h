/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * buf.h - a growing text buffer that a report is rendered into, and a pool of
 * memory that lives as long as one report. Both remember that memory ran out
 * instead of making every caller check: test `failed` once, at the end.
 */
#ifndef KMEMLAB_REPORT_BUF_H
#define KMEMLAB_REPORT_BUF_H

#include <stdbool.h>
#include <stddef.h>

/* All zero is an empty buffer. `data` is NUL-terminated once not NULL. */
struct report_buf {
	char *data;
	size_t len;
	size_t room;
	bool failed;
};

/** buf_add() - append @len bytes */
void buf_add(struct report_buf *b, const void *data, size_t len);
/** buf_puts() - append a string */
void buf_puts(struct report_buf *b, const char *s);
/** buf_printf() - append formatted text */
void buf_printf(struct report_buf *b, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/** buf_html() - append @s with & < > " ' escaped: safe as text and in quotes */
void buf_html(struct report_buf *b, const char *s);
/** buf_ascii() - append @s for a terminal: anything but printable ASCII is '?' */
void buf_ascii(struct report_buf *b, const char *s);
/**
 * buf_script_json() - append JSON text so that it can stand in a script element
 *
 * '<' occurs in JSON only inside strings, so every one becomes \u003c: neither
 * "</script" nor "<!--" can then end or change the element.
 */
void buf_script_json(struct report_buf *b, const char *json);
/** buf_free() - release; the buffer is empty again */
void buf_free(struct report_buf *b);

/* All zero is an empty pool. */
struct report_pool {
	struct pool_chunk *chunks;
	bool failed;
};

/** pool_alloc() - zeroed memory that pool_free() releases; NULL on failure */
void *pool_alloc(struct report_pool *p, size_t bytes);
/** pool_printf() - formatted string in the pool; "" on failure */
const char *pool_printf(struct report_pool *p, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/** pool_free() - release everything */
void pool_free(struct report_pool *p);

#endif
