/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sec_advice.c - what the evidence suggests, how sure that is, and how to check it. */
#include <string.h>

#include "report/sections.h"

void section_advice(struct report_doc *d, const struct report_input *in)
{
	static const struct doc_column columns[] = {
		RESULT_COLUMN,
		{"sure", UNIT_TEXT, "how much the evidence carries: high, medium or low"},
		{"what", UNIT_TEXT, NULL},
		{"why", UNIT_TEXT, NULL},
		{"how to check", UNIT_TEXT, NULL},
	};
	struct doc_section *s = doc_section(d, "advice", "What would help");
	struct rows r = rows_begin(d, in, "Advice, surest first", COLUMNS(columns));
	size_t k;
	json_t *v;

	s->lead = "What the evidence suggests, never without it. A trace cannot tell what a device "
		  "needs or a caller may do: the last column says how to find out.";
	for (size_t i = 0; i < in->n; i++) {
		const json_t *advice = json_object_get(in->results[i].root, "advice");
		const json_t *list = json_object_get(advice, "advice");
		const char *judged = jstr(advice, "settings_judged", "");

		json_array_foreach (list, k, v) {
			struct doc_cell *c = rows_add(&r, i);

			c[0].text = copy_text(d, jstr(v, "sure", NULL));
			c[1].text = copy_text(d, jstr(v, "what", NULL));
			c[2].text = copy_text(d, jstr(v, "evidence", NULL));
			c[3].text = copy_text(d, jstr(v, "check", NULL));
		}
		if (!advice)
			section_missing(d, s, in, i,
					"Advice: not in the result; replay the trace again with "
					"this version.");
		else if (!json_array_size(list))
			section_missing(d, s, in, i, "Nothing in the trace suggests a change.");
		if (advice)
			section_missing(d, s, in, i,
					*judged ? judged
						: "Settings were not tried: 'kmemlab replay "
						  "--advise' does, --set tries one of your own.");
	}
	r.t->listed = true;
	rows_end(&r, s);
}
