/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * doc.h - a report as data: sentences, sections, tables. Built once from the
 * results, then rendered as HTML, text or JSON, so that all three say the same.
 */
#ifndef KMEMLAB_REPORT_DOC_H
#define KMEMLAB_REPORT_DOC_H

#include "report/buf.h"
#include "report/format.h"

enum doc_limits {
	DOC_COLUMNS_MAX = 40,
	DOC_SENTENCES = 3,
	DOC_FIGURES_MAX = 12,
	DOC_ID_BYTES = 48,
};

/* Text cells use `text` (NULL: absent); others `value` (NAN: absent). */
struct doc_cell {
	const char *text;
	double value;
	const char *id; /* what the verdict's figures point to, or NULL */
};

struct doc_column {
	const char *name;
	enum report_unit unit;
	const char *help; /* what it means, or NULL */
};

struct doc_table {
	struct doc_table *next;
	const char *caption;
	const struct doc_column *columns;
	size_t n_columns;
	struct doc_cell *cells; /* rows of n_columns */
	size_t rows, room;
	bool folded; /* HTML: shown on demand */
	bool bars;   /* HTML: show the last column's share as a bar */
	bool listed; /* text: a line a cell, as cells hold sentences */
};

/* A formula or an explanation, folded away in HTML. */
struct doc_note {
	struct doc_note *next;
	const char *summary;
	const char *text;
};

struct doc_line {
	struct doc_line *next;
	const char *text;
};

struct doc_section {
	struct doc_section *next;
	const char *id; /* anchor, JSON key */
	const char *title;
	const char *lead;  /* one or two sentences, or NULL */
	const char *chart; /* the page's chart for it, or NULL */
	struct doc_line *remarks;
	struct doc_line *absent; /* what was not recorded, why, what to do */
	struct doc_table *tables;
	struct doc_note *notes;
	struct doc_line **remarks_end;
	struct doc_line **absent_end;
	struct doc_table **tables_end;
	struct doc_note **notes_end;
};

/* A number, or how it went from one to another. */
struct doc_figure {
	const char *name;
	const char *key; /* of the table's cells that hold it: see doc_anchor() */
	double from;	 /* NAN: only a number */
	double value;
	enum report_unit unit;
};

enum doc_tone {
	TONE_NEUTRAL,
	TONE_GOOD,
	TONE_CAUTION,
	TONE_BAD,
};

struct doc_sentence {
	const char *id;	 /* "memory", "causes", "model" */
	const char *tag; /* one or two words: the sentence in short */
	enum doc_tone tone;
	const char *text;
	struct doc_figure figures[DOC_FIGURES_MAX];
	size_t n_figures;
};

struct doc_verdict {
	const char *label; /* the result's name */
	const char *trust; /* "COMPLETE", "INCOMPLETE (n events, p %)", ... */
	bool complete;
	struct doc_sentence sentences[DOC_SENTENCES];
};

struct report_doc {
	struct report_pool pool;
	const char *title;
	const char *subtitle;
	struct doc_verdict *verdicts;
	size_t n_verdicts;
	struct doc_section *sections;
	struct doc_section **sections_end;
};

/** doc_section() - append a section; never NULL (see report_pool.failed) */
struct doc_section *doc_section(struct report_doc *d, const char *id, const char *title);
/** doc_absent() - append one line that says what is missing and what to do */
void doc_absent(struct report_doc *d, struct doc_section *s, const char *text);
/** doc_remark() - append one line of data in words */
void doc_remark(struct report_doc *d, struct doc_section *s, const char *text);
/** doc_note() - append a folded explanation */
void doc_note(struct report_doc *d, struct doc_section *s, const char *summary, const char *text);
/**
 * doc_table_new() - a table that is in no section yet; never NULL
 * @columns: must outlive the document (static, or in its pool)
 */
struct doc_table *doc_table_new(struct report_doc *d, const char *caption,
				const struct doc_column *columns, size_t n);
/** doc_table_add() - append @t to @s; once */
void doc_table_add(struct doc_section *s, struct doc_table *t);
/**
 * doc_row() - append a row
 * Return: its cells, all absent; scratch memory when the pool ran out.
 */
struct doc_cell *doc_row(struct report_doc *d, struct doc_table *t);
/** doc_figure() - add a figure behind a sentence; dropped when NAN or full */
void doc_figure(struct doc_sentence *s, const char *key, const char *name, double value,
		enum report_unit unit);
/** doc_figure_change() - the same, with what it was before */
void doc_figure_change(struct doc_sentence *s, const char *key, const char *name, double from,
		       double to, enum report_unit unit);

/**
 * doc_anchor() - say that @c holds a figure of result @i's verdict
 * @key: of the figure; its value from before has the key with "-start" added
 */
void doc_anchor(struct report_doc *d, struct doc_cell *c, size_t i, const char *key);

/* Where a cell stands. */
struct doc_place {
	const struct doc_section *section;
	const struct doc_table *table;
	size_t table_index, row, column;
};

/** doc_anchor_id() - the name that doc_anchor() gives a cell; @out: DOC_ID_BYTES */
const char *doc_anchor_id(char *out, size_t i, const char *key, bool start);
/** doc_find() - the cell of that name; false if there is none */
bool doc_find(const struct report_doc *d, const char *id, struct doc_place *out);

#endif
