/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sec_fidelity.c - how close the model's end state is to the kernel's. */
#include <math.h>
#include <string.h>

#include "report/sections.h"

static const char note_formulas[] =
	"Relative error = (model - kernel) / kernel; absent where the kernel has 0. "
	"Earth mover's distance: take both distributions of free pages over orders (pages in "
	"blocks of each order, normalised to sum 1) and add up, over orders, the absolute "
	"difference of their cumulative sums; 0 is equal, 10 the most. "
	"Unusable index at order o = (free pages - sum over j >= o of blocks[j] * 2^j) / free "
	"pages; its error is in percentage points. Unexplained pages = the kernel's free pages "
	"minus the model's, less what the per-CPU lists of both account for.";

static void row_overall(struct report_doc *d, struct doc_cell *c, size_t i, const json_t *run)
{
	const json_t *unusable = json_object_get(run, "unusable_error");
	const char *name = jstr(run, "name", "");

	c[0].text = strcmp(name, "observed") ? name : "observed (from the trace)";
	c[1].value = 100 * jnum(run, "free_pages_error");
	c[2].value = jnum(run, "emd");
	c[3].value = jnum(unusable, "3") / 10;
	c[4].value = jnum(unusable, "4") / 10;
	c[5].value = jnum(unusable, "9") / 10;
	c[6].value = jnum(run, "pcp_pages_kernel");
	c[7].value = jnum(run, "pcp_pages_model");
	c[8].value = jnum(run, "unexplained_pages");
	if (!strcmp(name, "reference")) {
		doc_anchor(d, &c[1], i, "free-error");
		doc_anchor(d, &c[2], i, "emd");
	}
	if (!strcmp(name, "baseline"))
		doc_anchor(d, &c[2], i, "emd-baseline");
}

static void table_overall(struct report_doc *d, struct doc_section *s,
			  const struct report_input *in)
{
	static const struct doc_column columns[] = {
		RESULT_COLUMN,
		{"model", UNIT_TEXT,
		 "observed: the trace's placement; reference: the model's own; "
		 "baseline: the start state"},
		{"free pages", UNIT_PERCENT, "relative error"},
		{"earth mover's", UNIT_REAL, "distance of free pages over orders, 0 to 10"},
		{"unusable 3", UNIT_ERROR, "absolute error at order 3, in percentage points"},
		{"unusable 4", UNIT_ERROR, "absolute error at order 4, in percentage points"},
		{"unusable 9", UNIT_ERROR, "absolute error at order 9, in percentage points"},
		{"PCP, kernel", UNIT_COUNT, "pages on the kernel's per-CPU lists"},
		{"PCP, model", UNIT_COUNT, "pages on the model's per-CPU lists"},
		{"unexplained", UNIT_CHANGE, "free pages that per-CPU lists do not explain"},
	};
	struct rows r = rows_begin(d, in, "Distance from the kernel's end state: smaller is better",
				   COLUMNS(columns));
	size_t k;
	json_t *run;

	for (size_t i = 0; i < in->n; i++)
		json_array_foreach (jpath(in->results[i].root, "fidelity.runs"), k, run)
			row_overall(d, rows_add(&r, i), i, run);
	rows_end(&r, s);
}

/* The entry of fidelity.runs[@name] for @order, or NULL. */
static const json_t *order_of(const json_t *runs, const char *name, double order)
{
	size_t i, k;
	json_t *run, *o;

	json_array_foreach (runs, i, run) {
		if (strcmp(jstr(run, "name", ""), name))
			continue;
		json_array_foreach (json_object_get(run, "orders"), k, o)
			if (jnum(o, "order") == order)
				return o;
	}
	return NULL;
}

static void row_order(struct doc_cell *c, const json_t *runs, const json_t *order,
		      const json_t *root)
{
	static const char *const model[] = {"observed", "reference", "baseline"};
	double number = jnum(order, "order");

	c[0].value = number;
	c[1].value = order_bytes(root, number >= 0 ? (size_t)number : 0);
	c[2].value = jnum(order, "kernel");
	for (size_t m = 0; m < 3; m++) {
		const json_t *o = order_of(runs, model[m], number);
		c[3 + 2 * m].value = jnum(o, "model");
		c[4 + 2 * m].value = 100 * jnum(o, "rel");
	}
}

static void table_orders(struct report_doc *d, struct doc_section *s, const struct report_input *in)
{
	static const struct doc_column columns[] = {
		RESULT_COLUMN,
		{"order", UNIT_COUNT, NULL},
		{"block", UNIT_BYTES, "size of one block"},
		{"kernel", UNIT_COUNT, "free blocks in /proc/buddyinfo at the end"},
		{"observed", UNIT_COUNT, "free blocks as followed through the trace"},
		{"error", UNIT_PERCENT, "(observed - kernel) / kernel"},
		{"reference", UNIT_COUNT, "free blocks in the model"},
		{"error", UNIT_PERCENT, "(reference - kernel) / kernel"},
		{"baseline", UNIT_COUNT, "free blocks at the start: \"nothing changed\""},
		{"error", UNIT_PERCENT, "(baseline - kernel) / kernel"},
	};
	struct rows r = rows_begin(d, in, "Free blocks by order at the end", COLUMNS(columns));
	size_t k;
	json_t *order;

	for (size_t i = 0; i < in->n; i++) {
		const json_t *root = in->results[i].root;
		const json_t *runs = jpath(root, "fidelity.runs");
		const json_t *orders = json_object_get(json_array_get(runs, 0), "orders");
		json_array_foreach (orders, k, order)
			row_order(rows_add(&r, i), runs, order, root);
	}
	rows_end(&r, s);
}

void section_fidelity(struct report_doc *d, const struct report_input *in)
{
	struct doc_section *s = doc_section(d, "fidelity", "Fidelity: model against kernel");

	for (size_t i = 0; i < in->n; i++) {
		const json_t *fidelity = json_object_get(in->results[i].root, "fidelity");
		const char *grade = jstr(fidelity, "grade", NULL);
		if (!fidelity) {
			section_missing(
				d, s, in, i,
				"Fidelity: needs both an observed and a reference run; replay "
				"with --policy observed --policy reference. Until then no "
				"conclusion about other settings is drawn.");
			continue;
		}
		s->lead = "A reference that is no closer to the kernel than the baseline \"nothing "
			  "changed since the start\" proves nothing.";
		doc_remark(d, s,
			   pool_printf(&d->pool, "%sHeld against %s%s%s.", result_prefix(d, in, i),
				       jstr(fidelity, "against", "the end snapshot"),
				       grade ? "; the replay grades it: " : "",
				       grade ? grade : ""));
	}
	table_overall(d, s, in);
	table_orders(d, s, in);
	if (s->tables)
		doc_note(d, s, "Formulas", note_formulas);
}
