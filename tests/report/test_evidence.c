/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_evidence.c - sections from stalls, culprits, lifetimes, latency and measures. */
#include "../support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/report.h"
#include "fixture.h"

static char label[] = "one";

static const struct {
	const char *member, *value;
} parts[] = {
	{"stalls",
	 "{\"by_kind\":[{\"kind\":\"memcg_reclaim\",\"count\":7,\"total_ns\":9000000,"
	 "\"max_ns\":8000000}],\"by_order\":[],\"by_command\":[{\"kind\":\"memcg_reclaim\","
	 "\"count\":7,"
	 "\"total_ns\":9000000,\"p50_ns\":1000,\"p99_ns\":5000,\"max_ns\":8000000,\"comm\":\"<b>\"}"
	 "],"
	 "\"longest\":[{\"t_ns\":1,\"duration_ns\":8000000,\"kind\":\"memcg_reclaim\",\"order\":2,"
	 "\"comm\":\"<b>\"}],\"without_end\":3,\"marks\":{\"counts\":{\"failure\":5},\"list\":[]},"
	 "\"background\":[{\"thread\":\"kswapd\",\"times\":2,\"busy_ns\":15000000000,\"longest\":[]"
	 "}]}"},
	{"culprits",
	 "{\"pinned\":{\"free_percent\":90,\"pageblocks\":4,\"pages\":9,\"free_pages\":1024,"
	 "\"owners\":["
	 "{\"kind\":\"slab\",\"on_cpu_list\":false,\"pageblocks\":3,\"alone\":2,\"pages\":7,"
	 "\"comm\":\"sshd\",\"oldest_age_ns\":1000000000,\"newest_age_ns\":1000}]}}"},
	{"lifetimes",
	 "{\"rows\":[{\"name\":\"seq_open+0x1\",\"freed\":4,\"freed_on_another_cpu\":1,\"p50_ns\":"
	 "2000,"
	 "\"live\":6,\"live_bytes\":2048,\"survival\":[[0,1],[2047,0.4]]}],\"left_out\":0}"},
	{"latency",
	 "{\"missed\":2,\"rows\":[{\"what\":\"pages\",\"order\":3,\"calls\":10,\"p50_ns\":1500,"
	 "\"max_ns\":7000000,\"histogram\":[[1024,10]]}],\"samples\":[]}"},
};

static void make(struct report_doc *d, struct report_result *r)
{
	*r = (struct report_result){fixture(), label};
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		assert_int_equal(fixture_set(r->root, parts[i].member, parts[i].value), 0);
	assert_int_equal(report_build(d, &(struct report_input){r, 1, NULL}), 0);
}

static const struct doc_section *section(const struct report_doc *d, const char *id)
{
	const struct doc_section *s = d->sections;

	while (s && strcmp(s->id, id) != 0)
		s = s->next;
	assert_non_null(s);
	return s;
}

static void test_evidence_sections_have_their_charts_and_figures(void **state)
{
	static const struct {
		const char *id, *chart, *first;
		size_t table, column;
		double value;
	} c[] = {
		{"stalls", "stalls", "allocations that failed", 0, 1, 5},
		{"stalls", "stalls", "<b>", 2, 6, 9000000},
		{"culprits", NULL, "at least 90 % free, yet not whole", 0, 2, 4 << 20},
		{"culprits", NULL, "sshd", 1, 6, 3},
		{"lifetimes", "lifetimes", "seq_open+0x1", 0, 2, 25},
		{"latency", "latency", "pages", 0, 5, 1500},
	};
	struct report_doc d;
	struct report_result r;

	(void)state;
	make(&d, &r);
	for (size_t i = 0; i < sizeof(c) / sizeof(*c); i++) {
		const struct doc_section *s = section(&d, c[i].id);

		const struct doc_table *t = s->tables;

		for (size_t k = 0; k < c[i].table && t; k++)
			t = t->next;
		if (!t) {
			fail_msg("%s has no table %zu", c[i].id, c[i].table);
			break;
		}
		assert_string_equal(t->cells[0].text, c[i].first);
		assert_true(t->cells[c[i].column].value == c[i].value);
		assert_int_equal(s->chart != NULL, c[i].chart != NULL);
		assert_null(s->absent);
	}
	pool_free(&d.pool);
	json_decref(r.root);
}

static void test_evidence_page_has_the_charts_data_and_escapes_names(void **state)
{
	struct report_doc d;
	struct report_result r;
	struct report_buf b = {0};
	json_t *data;

	(void)state;
	make(&d, &r);
	assert_int_equal(report_html(&b, &d, &(struct report_input){&r, 1, NULL}), 0);
	assert_null(strstr(b.data, "<b>"));
	assert_non_null(strstr(b.data, "<td>stalls that had not ended</td><td class=\"num\" "
				       "data-v=\"3\">3</td>"));
	data = report_page_data(&(struct report_input){&r, 1, NULL}, 1);
	assert_true(jnum(json_array_get(jpath(json_array_get(json_object_get(data, "results"), 0),
					      "stalls.longest"),
					0),
			 "duration_ns") == 8000000);
	json_decref(data);
	buf_free(&b);
	pool_free(&d.pool);
	json_decref(r.root);
}

/* Every figure of the verdict stands in a table, with the same value. */
static void test_evidence_figures_are_in_tables(void **state)
{
	struct report_doc d;
	struct report_result r;
	size_t n = 0;

	(void)state;
	make(&d, &r);
	for (size_t k = 0; k < DOC_SENTENCES; k++)
		for (size_t i = 0; i < d.verdicts->sentences[k].n_figures; i++, n++) {
			const struct doc_figure *f = &d.verdicts->sentences[k].figures[i];
			char id[DOC_ID_BYTES];
			struct doc_place p;
			const struct doc_cell *row;

			if (!doc_find(&d, doc_anchor_id(id, 0, f->key, false), &p))
				fail_msg("no table has %s", f->key);
			row = p.table->cells + p.row * p.table->n_columns;
			assert_true(row[p.column].value == f->value);
			assert_int_equal(p.table->columns[p.column].unit, f->unit);
			if (f->from == f->from) {
				assert_true(doc_find(&d, doc_anchor_id(id, 0, f->key, true), &p));
				row = p.table->cells + p.row * p.table->n_columns;
				assert_true(row[p.column].value == f->from);
			}
		}
	assert_true(n >= 11);
	assert_false(doc_find(&d, "r0-nothing", &(struct doc_place){0}));
	pool_free(&d.pool);
	json_decref(r.root);
}

/* Rows of one measure, in the order of the runs; the reference is the base. */
static void test_evidence_measures_differ_from_the_reference(void **state)
{
	struct report_doc d;
	struct report_result r;
	const struct doc_table *t;
	size_t rows = 0;

	(void)state;
	make(&d, &r);
	t = section(&d, "measures")->tables;
	for (size_t i = 0; i < t->rows; i++) {
		const struct doc_cell *c = t->cells + i * t->n_columns;

		if (strcmp(c[0].text, "fallbacks") != 0)
			continue;
		rows++;
		if (!strcmp(c[1].text, "reference")) {
			assert_true(c[4].value == 223);
			assert_true(c[5].value != c[5].value); /* none from itself */
		} else {
			assert_string_equal(c[1].text, "kernel");
			assert_true(c[5].value == 228 - 223);
			assert_null(c[7].text); /* the kernel is not judged by the model */
		}
	}
	assert_int_equal(rows, 2);
	pool_free(&d.pool);
	json_decref(r.root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_evidence_sections_have_their_charts_and_figures),
		cmocka_unit_test(test_evidence_page_has_the_charts_data_and_escapes_names),
		cmocka_unit_test(test_evidence_figures_are_in_tables),
		cmocka_unit_test(test_evidence_measures_differ_from_the_reference),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
