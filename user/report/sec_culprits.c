/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sec_culprits.c - who takes from others' pageblocks, and who pins free ones. */
#include <math.h>
#include <string.h>

#include "report/sections.h"

#define TAKER_COLUMNS(name, help)                                                                  \
	RESULT_COLUMN, {name, UNIT_TEXT, help},                                                    \
		{"fallbacks", UNIT_COUNT, "requests served from another type's pageblocks"},       \
		{"claimed", UNIT_COUNT, "the pageblock changed to the request's type"},            \
		{"stolen", UNIT_COUNT, "one block was taken, the types mix"},                      \
		{"mixed", UNIT_COUNT,                                                              \
		 "movable pageblocks into which unmovable or reclaimable pages went"},             \
	{                                                                                          \
		"pageblocks", UNIT_COUNT, "different ones that it took from"                       \
	}

static void table_takers(struct report_doc *d, struct doc_section *s, const struct report_input *in,
			 bool sites)
{
	static const struct doc_column commands[] = {
		TAKER_COLUMNS("command", "that ran on the CPU")};
	static const struct doc_column by_site[] = {
		TAKER_COLUMNS("call site", "whose object was the first in the pages taken")};
	const char *path =
		sites ? "culprits.fallbacks.by_call_site" : "culprits.fallbacks.by_command";
	struct rows r = sites ? rows_begin(d, in, "Who falls back, by call site", COLUMNS(by_site))
			      : rows_begin(d, in, "Who falls back, by command", COLUMNS(commands));
	size_t k;
	json_t *v;

	for (size_t i = 0; i < in->n; i++)
		json_array_foreach (jpath(in->results[i].root, path), k, v) {
			struct doc_cell *c = rows_add(&r, i);

			c[0].text = copy_text(d, jstr(v, sites ? "call_site" : "comm", NULL));
			c[1].value = jnum(v, "events");
			c[2].value = jnum(v, "claimed");
			c[3].value = jnum(v, "stolen");
			c[4].value = jnum(v, "mixed_pageblocks");
			c[5].value = jnum(v, "pageblocks");
		}
	r.t->bars = true;
	rows_end(&r, s);
}

static const char *owner_name(const json_t *v)
{
	if (json_is_true(json_object_get(v, "on_cpu_list")))
		return "(free, on a per-CPU list)";
	return jstr(v, "comm", "(before the recording, or moved)");
}

static void table_owners(struct report_doc *d, struct doc_section *s, const struct report_input *in,
			 bool pinned)
{
	static const struct doc_column columns[] = {
		RESULT_COLUMN,
		{"allocated by", UNIT_TEXT, "command that ran when the page was allocated"},
		{"pages of", UNIT_TEXT, "what they are used for at the end"},
		{"pages", UNIT_COUNT, NULL},
		{"youngest", UNIT_NS, "age at the end"},
		{"oldest", UNIT_NS, "age at the end"},
		{"by it alone", UNIT_COUNT, "pageblocks where no one else is in the way"},
		{"pageblocks", UNIT_COUNT, "that hold such pages"},
	};
	const char *path =
		pinned ? "culprits.pinned.owners" : "culprits.unmovable_in_movable.owners";
	struct rows r = rows_begin(d, in,
				   pinned ? "Who pins pageblocks that are otherwise free"
					  : "Whose unmovable pages sit in movable pageblocks",
				   COLUMNS(columns));
	size_t k;
	json_t *v;

	for (size_t i = 0; i < in->n; i++)
		json_array_foreach (jpath(in->results[i].root, path), k, v) {
			struct doc_cell *c = rows_add(&r, i);

			c[0].text = copy_text(d, owner_name(v));
			c[1].text = copy_text(d, jstr(v, "kind", NULL));
			c[2].value = jnum(v, "pages");
			c[3].value = jnum(v, "newest_age_ns");
			c[4].value = jnum(v, "oldest_age_ns");
			c[5].value = jnum(v, "alone");
			c[6].value = jnum(v, "pageblocks");
		}
	r.t->bars = true;
	rows_end(&r, s);
}

static void row_denied(const struct rows *r, size_t i, const json_t *of, bool pinned)
{
	struct doc_cell *c;

	if (!of)
		return;
	c = rows_add(r, i);
	c[0].text = pinned ? pool_printf(&r->d->pool, "at least %.0f %% free, yet not whole",
					 jnum(of, "free_percent"))
			   : "movable, yet with unmovable pages";
	c[1].value = jnum(of, "pages");
	c[2].value = report_page_bytes(r->in->results[i].root) * jnum(of, "free_pages");
	c[3].value = jnum(of, "pageblocks");
	if (pinned)
		doc_anchor(r->d, &c[3], i, "pinned");
}

static void table_denied(struct report_doc *d, struct doc_section *s, const struct report_input *in)
{
	static const struct doc_column columns[] = {
		RESULT_COLUMN,
		{"pageblocks at the end that are", UNIT_TEXT, NULL},
		{"pages in the way", UNIT_COUNT, NULL},
		{"free between them", UNIT_BYTES, "that no request of a pageblock can have"},
		{"pageblocks", UNIT_COUNT, NULL},
	};
	struct rows r = rows_begin(d, in, "Pageblocks that a few pages deny to large requests",
				   COLUMNS(columns));

	for (size_t i = 0; i < in->n; i++) {
		row_denied(&r, i, jpath(in->results[i].root, "culprits.pinned"), true);
		row_denied(&r, i, jpath(in->results[i].root, "culprits.unmovable_in_movable"),
			   false);
	}
	rows_end(&r, s);
}

void section_culprits(struct report_doc *d, const struct report_input *in)
{
	struct doc_section *s = doc_section(d, "culprits", "Who fragments memory");

	for (size_t i = 0; i < in->n; i++) {
		const json_t *c = json_object_get(in->results[i].root, "culprits");

		if (!json_object_size(c))
			section_missing(d, s, in, i,
					"Who fragments memory: not in the result; replay the trace "
					"again with this version.");
		else if (!json_object_get(c, "pinned"))
			section_missing(d, s, in, i,
					"Pinned pageblocks: the trace holds no pages of its end; "
					"end the recording by Ctrl-C or -d, as root.");
	}
	table_denied(d, s, in);
	table_takers(d, s, in, false);
	table_takers(d, s, in, true);
	table_owners(d, s, in, true);
	table_owners(d, s, in, false);
	if (s->tables)
		s->lead = "A pageblock is lost to large requests when one page in it can neither "
			  "move nor go. Ranked by pageblocks, since it matters in how many such "
			  "pages sit, not how many there are.";
}
