/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * sections.h - the builders of a report's sections, in the order they appear,
 * and what they share.
 *
 * Where several results are shown, tables begin with a column that names the
 * result. Column lists always have it; rows_*() leave it out for one result.
 */
#ifndef KMEMLAB_REPORT_SECTIONS_H
#define KMEMLAB_REPORT_SECTIONS_H

#include "report/report.h"

void section_summary(struct report_doc *d, const struct report_input *in);
void section_trust(struct report_doc *d, const struct report_input *in);
void section_fidelity(struct report_doc *d, const struct report_input *in);
void section_free(struct report_doc *d, const struct report_input *in);
void section_unusable(struct report_doc *d, const struct report_input *in);
void section_map(struct report_doc *d, const struct report_input *in);
void section_fallbacks(struct report_doc *d, const struct report_input *in);
void section_slabs(struct report_doc *d, const struct report_input *in);
void section_areas(struct report_doc *d, const struct report_input *in);
void section_advice(struct report_doc *d, const struct report_input *in);
void section_allocators(struct report_doc *d, const struct report_input *in);
void section_comparison(struct report_doc *d, const struct report_input *in);
void section_difference(struct report_doc *d, const struct report_input *in);
void section_sites(struct report_doc *d, const struct report_input *in);
void section_paths(struct report_doc *d, const struct report_input *in);
void section_stalls(struct report_doc *d, const struct report_input *in);
void section_culprits(struct report_doc *d, const struct report_input *in);
void section_latency(struct report_doc *d, const struct report_input *in);
void section_lifetimes(struct report_doc *d, const struct report_input *in);
void section_measures(struct report_doc *d, const struct report_input *in);
void section_unmatched(struct report_doc *d, const struct report_input *in);
void section_policies(struct report_doc *d, const struct report_input *in);
void section_commands(struct report_doc *d, const struct report_input *in);

#define RESULT_COLUMN                                                                              \
	{                                                                                          \
		"result", UNIT_TEXT, "the result file the row is from"                             \
	}
#define COLUMNS(array) (array), sizeof(array) / sizeof(*(array))

/* A table whose rows belong to one result each. */
struct rows {
	struct report_doc *d;
	const struct report_input *in;
	struct doc_table *t;
};

/** rows_begin() - a table; @columns starts with RESULT_COLUMN and is static */
struct rows rows_begin(struct report_doc *d, const struct report_input *in, const char *caption,
		       const struct doc_column *columns, size_t n);
/** rows_add() - a row of result @i; returns the cells after the result's name */
struct doc_cell *rows_add(const struct rows *r, size_t i);
/** rows_end() - put the table into @s, unless it stayed empty; true if it is in */
bool rows_end(const struct rows *r, struct doc_section *s);

/** result_prefix() - "LABEL: " of result @i where there are several, else "" */
const char *result_prefix(struct report_doc *d, const struct report_input *in, size_t i);

/** section_missing() - doc_absent() that names the result where there are several */
void section_missing(struct report_doc *d, struct doc_section *s, const struct report_input *in,
		     size_t i, const char *text);

/** run_title() - "kernel" for observed, else the run's name; with several
 *  results "result: run" */
const char *run_title(struct report_doc *d, const struct report_input *in, size_t i,
		      const json_t *run);

/** copy_text() - @text, or NULL, in the document's pool */
const char *copy_text(struct report_doc *d, const char *text);

/** counter_name() - a counter's key in words: "free_of_unknown" without underscores */
const char *counter_name(struct report_doc *d, const char *key);

/** order_bytes() - size of a block */
double order_bytes(const json_t *root, size_t order);

#endif
