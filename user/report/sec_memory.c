/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sec_memory.c - free memory by order, and how much of it is unusable. */
#include <math.h>
#include <stdlib.h>

#include "report/sections.h"

/* Blocks of @order over all zones at sample @i; NAN where no zone has it. */
static double host_blocks(const json_t *free_blocks, size_t order, size_t i)
{
	double sum = NAN;
	size_t z;
	json_t *zone;

	json_array_foreach (free_blocks, z, zone) {
		double blocks = jat(json_array_get(zone, order), i);
		if (!isnan(blocks))
			sum = isnan(sum) ? blocks : sum + blocks;
	}
	return sum;
}

static size_t orders_of(const json_t *free_blocks)
{
	size_t most = 0, z;
	json_t *zone;

	json_array_foreach (free_blocks, z, zone)
		if (json_array_size(zone) > most)
			most = json_array_size(zone);
	return most;
}

/* One column of the table by order: whose free blocks, and when. */
struct source {
	const json_t *root;
	const json_t *free_blocks;
	size_t sample;
};

struct sources {
	struct doc_column columns[DOC_COLUMNS_MAX];
	struct source source[DOC_COLUMNS_MAX];
	size_t n;	 /* of columns; the first two are order and block size */
	size_t left_out; /* for which there is no column */
};

static void add_source(struct sources *t, const char *name, const char *help,
		       const struct source *source)
{
	if (!orders_of(source->free_blocks))
		return;
	if (t->n == DOC_COLUMNS_MAX) {
		t->left_out++;
		return;
	}
	t->columns[t->n] = (struct doc_column){name, UNIT_BYTES, help};
	t->source[t->n++] = *source;
}

static void add_result(struct report_doc *d, struct sources *t, const struct report_input *in,
		       size_t i)
{
	const json_t *root = in->results[i].root;
	const json_t *samples = json_object_get(root, "kernel_samples");
	size_t n = json_array_size(json_object_get(root, "time_ns"));
	size_t m = json_array_size(json_object_get(samples, "time_ns"));
	char at[REPORT_NUMBER_BYTES];
	size_t k;
	json_t *run;

	json_array_foreach (json_object_get(root, "runs"), k, run) {
		const char *title = run_title(d, in, i, run);
		struct source s = {root, json_object_get(run, "free_blocks"), 0};
		if (run == report_run(root, "observed"))
			add_source(t, pool_printf(&d->pool, "%s, start", title),
				   "free memory at the first sample, as followed through the trace",
				   &s);
		s.sample = n - 1;
		add_source(t, pool_printf(&d->pool, "%s, end", title),
			   "free memory at the last sample", &s);
	}
	struct source witness = {root, json_object_get(samples, "free_blocks"), m ? m - 1 : 0};
	if (m)
		add_source(t,
			   pool_printf(&d->pool, "%sbuddyinfo, %s", result_prefix(d, in, i),
				       format_number(at, jlast(json_object_get(samples, "time_ns")),
						     UNIT_NS)),
			   "the last reading of /proc/buddyinfo, and when it was; what Fidelity "
			   "holds the runs against is their state then, not at the last sample",
			   &witness);
}

static void table_by_order(struct report_doc *d, struct doc_section *s, struct sources *t)
{
	size_t orders = 0;

	for (size_t i = 2; i < t->n; i++)
		if (orders_of(t->source[i].free_blocks) > orders)
			orders = orders_of(t->source[i].free_blocks);
	if (!orders)
		return;
	struct doc_table *table =
		doc_table_new(d, "Memory in free blocks of each order", t->columns, t->n);
	for (size_t o = 0; o < orders; o++) {
		struct doc_cell *c = doc_row(d, table);
		c[0].value = (double)o;
		c[1].value = order_bytes(t->source[2].root, o);
		for (size_t i = 2; i < t->n; i++)
			c[i].value = order_bytes(t->source[i].root, o) *
				     host_blocks(t->source[i].free_blocks, o, t->source[i].sample);
	}
	doc_table_add(s, table);
}

/* All orders together, run by run. */
static void table_total(struct report_doc *d, struct doc_section *s, const struct report_input *in)
{
	static const struct doc_column columns[] = {
		RESULT_COLUMN,
		{"run", UNIT_TEXT, "kernel: the trace's own placement"},
		{"start", UNIT_BYTES, "free memory at the first sample"},
		{"least", UNIT_BYTES, "of all samples"},
		{"end", UNIT_BYTES, "free memory at the last sample"},
	};
	struct rows r = rows_begin(d, in, "Free memory, all orders", COLUMNS(columns));
	size_t k;
	json_t *run;

	for (size_t i = 0; i < in->n; i++)
		json_array_foreach (json_object_get(in->results[i].root, "runs"), k, run) {
			const json_t *pages = json_object_get(run, "free_pages");
			double bytes = report_page_bytes(in->results[i].root), least = NAN;
			struct doc_cell *c;

			if (!json_array_size(pages))
				continue;
			for (size_t t = 0; t < json_array_size(pages); t++)
				least = fmin(least, jat(pages, t));
			c = rows_add(&r, i);
			c[0].text = run_title(d, &(struct report_input){.n = 1}, 0, run);
			c[1].value = bytes * jat(pages, 0);
			c[2].value = bytes * least;
			c[3].value = bytes * jlast(pages);
			if (run != report_run(in->results[i].root, "observed"))
				continue;
			doc_anchor(d, &c[1], i, "free-start");
			doc_anchor(d, &c[3], i, "free");
		}
	rows_end(&r, s);
}

void section_free(struct report_doc *d, const struct report_input *in)
{
	struct doc_section *s = doc_section(d, "free", "Free memory by order");
	struct sources *t = pool_alloc(&d->pool, sizeof(*t));

	if (!t)
		return;
	t->columns[0] = (struct doc_column){"order", UNIT_COUNT, "a block is 2^order pages"};
	t->columns[1] = (struct doc_column){"block", UNIT_BYTES, "size of one block"};
	t->n = 2;
	for (size_t i = 0; i < in->n; i++)
		add_result(d, t, in, i);
	table_total(d, s, in);
	table_by_order(d, s, t);
	if (t->left_out)
		doc_remark(d, s,
			   pool_printf(&d->pool,
				       "The table by order has room for %d columns: %zu more are "
				       "left out; report fewer results at once.",
				       DOC_COLUMNS_MAX, t->left_out));
	if (s->tables) {
		s->chart = "free";
		s->lead = "Memory in free blocks of each order. Memory that leaves the high orders "
			  "and piles up in the low ones is fragmentation.";
		return;
	}
	doc_absent(d, s,
		   "Free blocks: no run in the result has them; replay with --policy observed and "
		   "--policy reference.");
}

static void row_unusable(struct doc_cell *c, int order, const json_t *series)
{
	double most = NAN, sum = 0;
	size_t n = json_array_size(series);

	for (size_t i = 0; i < n; i++) {
		double v = jat(series, i);
		sum += v;
		if (!(v <= most))
			most = v;
	}
	c[0].value = order;
	c[1].value = jat(series, 0) / 10;
	c[2].value = n ? sum / (double)n / 10 : NAN;
	c[3].value = most / 10;
	c[4].value = jlast(series) / 10;
}

static void rows_unusable(const struct rows *r, size_t i, json_t *run)
{
	const char *name = run_title(r->d, &(struct report_input){.n = 1}, 0, run);
	const char *key;
	json_t *series;

	json_object_foreach (json_object_get(run, "unusable"), key, series) {
		struct doc_cell *c = rows_add(r, i);
		c[0].text = name;
		row_unusable(c + 1, atoi(key), series);
		if (run != report_run(r->in->results[i].root, "observed"))
			continue;
		doc_anchor(r->d, &c[2], i, pool_printf(&r->d->pool, "unusable-%s-start", key));
		doc_anchor(r->d, &c[5], i, pool_printf(&r->d->pool, "unusable-%s", key));
	}
}

void section_unusable(struct report_doc *d, const struct report_input *in)
{
	static const struct doc_column columns[] = {
		RESULT_COLUMN,
		{"run", UNIT_TEXT, "kernel: the trace's own placement"},
		{"order", UNIT_COUNT, NULL},
		{"start", UNIT_PERCENT, NULL},
		{"mean", UNIT_PERCENT, "over the samples"},
		{"most", UNIT_PERCENT, NULL},
		{"end", UNIT_PERCENT, NULL},
	};
	struct doc_section *s = doc_section(d, "unusable", "Unusable free memory");
	struct rows r = rows_begin(d, in, "Share of free memory in blocks too small for the order",
				   COLUMNS(columns));
	size_t k;
	json_t *run;

	for (size_t i = 0; i < in->n; i++)
		json_array_foreach (json_object_get(in->results[i].root, "runs"), k, run)
			rows_unusable(&r, i, run);
	if (!rows_end(&r, s)) {
		doc_absent(d, s,
			   "Unusable index: no run in the result has it; replay the trace "
			   "again with this version.");
		return;
	}
	s->chart = "unusable";
	s->lead = "How much of the free memory cannot serve a request of an order, being in "
		  "smaller blocks: 0 % is none, 100 % means such a request must reclaim or "
		  "compact. Lower is better.";
	doc_note(d, s, "Formula",
		 "Unusable index at order o = (free pages - sum over j >= o of blocks[j] * 2^j) / "
		 "free pages, over the whole host, 0 where nothing is free. The kernel shows the "
		 "same per zone in debugfs, extfrag/unusable_index, from 0 to 1.");
}
