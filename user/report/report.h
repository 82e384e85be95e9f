/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * report.h - from result.json (reports/result-schema.md) to a report.
 *
 *   result.json --load--> report_result --build--> report_doc --+--> text
 *                               |                               +--> Markdown, JSON
 *                               +--page data (charts)-----------+--> HTML
 */
#ifndef KMEMLAB_REPORT_H
#define KMEMLAB_REPORT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "report/doc.h"

#define REPORT_RESULT_SCHEMA "kmemlab-result/1"
#define REPORT_SCHEMA	     "kmemlab-report/1"

enum report_size {
	REPORT_ERROR_BYTES = 512,
	REPORT_HTML_MAX_BYTES = 10 << 20,
	REPORT_ORDERS_SHOWN = 3, /* unusable index at orders 3, 4 and 9 */
};

extern const int report_orders[REPORT_ORDERS_SHOWN];

/* One loaded result. */
struct report_result {
	json_t *root;
	char *label; /* the file's name without directory and ".json" */
};

struct comparison;

struct report_input {
	struct report_result *results;
	size_t n;
	/* NULL: a report. Else results are the first of each group, the base's first */
	const struct comparison *comparison;
};

/**
 * report_load() - read and validate one result
 * @path: "-" is stdin
 * @error: REPORT_ERROR_BYTES bytes for a line that says what is wrong
 * Return: 0 or -errno, -EBADMSG where the content is not a result.
 */
int report_load(const char *path, struct report_result *out, char *error);

/**
 * report_check() - is @root a result this program can show?
 * @error: REPORT_ERROR_BYTES bytes, without the file's name
 * Return: true if so.
 */
bool report_check(const json_t *root, char *error);

void report_result_free(struct report_result *r);

/** report_run() - run by name, or NULL */
json_t *report_run(const json_t *root, const char *name);

/** report_page_bytes() - the host's page size */
double report_page_bytes(const json_t *root);

/**
 * report_build() - the document of one or several results
 * Return: 0 or -ENOMEM; release with pool_free(&d->pool) either way.
 */
int report_build(struct report_doc *d, const struct report_input *in);

/** report_text() - render for a terminal, ASCII, at most @columns wide (>= 60) */
void report_text(struct report_buf *b, struct report_doc *d, size_t columns);

/** report_markdown() - render for an issue, a mail or a wiki; long tables are cut */
void report_markdown(struct report_buf *b, const struct report_doc *d);

/** report_json() - the document as JSON (reports/README.md); NULL on no memory */
json_t *report_json(const struct report_doc *d);

/**
 * report_html() - render the page: one file that needs no network
 *
 * Series are thinned until the page is below REPORT_HTML_MAX_BYTES.
 *
 * Return: 0, -ENOMEM, or -EFBIG where even thinned data is too large.
 */
int report_html(struct report_buf *b, const struct report_doc *d, const struct report_input *in);

/**
 * report_page_data() - what the page's charts need of the results
 * @step: keep every @step-th sample
 * Return: a new reference, NULL on no memory.
 */
json_t *report_page_data(const struct report_input *in, size_t step);

/** report_template() - the built page around the report; see template.c */
const char *report_template(size_t *bytes);

/**
 * report_write() - write @bytes to @path, whole or not at all
 * @force: replace an existing file; without it -EEXIST
 * Return: 0 or -errno.
 */
int report_write(const char *path, const void *data, size_t bytes, bool force);

#endif
