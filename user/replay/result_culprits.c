/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* result_culprits.c - who takes from others' pageblocks, and who pins free ones. */
#include <stdlib.h>

#include "replay/result.h"
#include "replay/result_evidence.h"
#include "trace/trace_io.h"

enum { ROWS_MAX = 100, BLOCKS_MAX = 2000 };

static const char *const states[KMT_PG_STATES] = {
	[KMT_PG_NONE] = "none",	     [KMT_PG_RESERVED] = "reserved",
	[KMT_PG_FREE] = "free",	     [KMT_PG_KERNEL] = "kernel",
	[KMT_PG_SLAB] = "slab",	     [KMT_PG_PGTABLE] = "page table",
	[KMT_PG_ANON] = "anonymous", [KMT_PG_FILE] = "file",
	[KMT_PG_HUGE] = "huge page",
};

static void add_name(json_t *o, const struct replay *p, const char *key, uint32_t string)
{
	const char *name = trace_reader_string(p->reader, string);

	if (*name)
		json_object_set_new(o, key, json_string(name));
}

/* @key: "comm" or "call_site"; rows of sites that are not known are left out. */
static json_t *takers(const struct replay *p, const struct fallback_culprit *c, size_t n,
		      const char *key)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n && json_array_size(list) < ROWS_MAX; i++) {
		json_t *o;

		if (!c[i].string && key[1] == 'a')
			continue;
		o = json_pack("{s:I, s:I, s:I, s:I, s:I}", "pageblocks", (json_int_t)c[i].blocks,
			      "mixed_pageblocks", (json_int_t)c[i].mixed, "claimed",
			      (json_int_t)c[i].claimed, "stolen", (json_int_t)c[i].stolen, "events",
			      (json_int_t)c[i].events);
		add_name(o, p, key, c[i].string);
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *fallbacks(const struct replay *p, struct fallbacks *f)
{
	size_t commands, sites;
	struct fallback_culprit *by_command = fallbacks_by_command(f, &commands);
	json_t *a = takers(p, by_command, by_command ? commands : 0, "comm");
	struct fallback_culprit *by_site = fallbacks_by_site(f, &sites);
	json_t *b = takers(p, by_site, by_site ? sites : 0, "call_site");

	free(by_command);
	free(by_site);
	const struct fallbacks_over_time *t = fallbacks_over_time(f);
	return json_pack("{s:o, s:o, s:{s:I, s:o, s:o}}", "by_command", a, "by_call_site", b,
			 "over_time", "column_ns", (json_int_t)t->column_ns, "events",
			 result_array(t->events, FALLBACKS_COLUMNS), "mixing",
			 result_array(t->mixing, FALLBACKS_COLUMNS));
}

static json_t *owners(const struct replay *p, const struct pinned_owner *list, size_t n)
{
	json_t *out = json_array();

	for (size_t i = 0; i < n && i < ROWS_MAX; i++) {
		const struct pinned_owner *w = &list[i];
		json_t *o =
			json_pack("{s:s, s:b, s:I, s:I, s:I}", "kind", states[w->state],
				  "on_cpu_list", w->on_list, "pageblocks", (json_int_t)w->blocks,
				  "alone", (json_int_t)w->alone, "pages", (json_int_t)w->pages);

		add_name(o, p, "comm", w->comm);
		if (w->oldest_ns) {
			json_object_set_new(o, "oldest_age_ns",
					    json_integer((json_int_t)(p->last_ns - w->oldest_ns)));
			json_object_set_new(o, "newest_age_ns",
					    json_integer((json_int_t)(p->last_ns - w->newest_ns)));
		}
		json_array_append_new(out, o);
	}
	return out;
}

static json_t *block_owner(const struct replay *p, const struct pinned_owner *w)
{
	json_t *o = json_pack("{s:s, s:b, s:I}", "kind", states[w->state], "on_cpu_list",
			      w->on_list, "pages", (json_int_t)w->pages);

	add_name(o, p, "comm", w->comm);
	if (w->oldest_ns)
		json_object_set_new(o, "since_ns",
				    json_integer((json_int_t)(w->oldest_ns - p->first_ns)));
	return o;
}

/* The pageblocks one by one, for the map; of too many an even choice. */
static json_t *blocks(const struct replay *p, const struct pinned_found *f)
{
	json_t *list = json_array();

	for (size_t i = 0; i < f->nr_list; i++) {
		const struct pinned_block *b = &f->list[i];
		json_t *o, *by = json_array();

		if (f->nr_list > BLOCKS_MAX && i * BLOCKS_MAX % f->nr_list >= BLOCKS_MAX)
			continue;
		for (size_t k = 0; k < b->nr_owners && k < PINNED_OWNERS_SHOWN; k++)
			json_array_append_new(by, block_owner(p, &b->owners[k]));
		o = json_pack("{s:I, s:I, s:b, s:b, s:o}", "pfn",
			      (json_int_t)b->block << p->host.pageblock_order, "free_pages",
			      (json_int_t)b->free_pages, "pinned", b->pinned, "mixed", b->mixed,
			      "owners", by);
		if (b->nr_owners > PINNED_OWNERS_SHOWN)
			json_object_set_new(
				o, "more_owners",
				json_integer((json_int_t)(b->nr_owners - PINNED_OWNERS_SHOWN)));
		json_array_append_new(list, o);
	}
	return json_pack("{s:I, s:o, s:I}", "pages_per_block",
			 (json_int_t)1 << p->host.pageblock_order, "list", list, "left_out",
			 (json_int_t)(f->nr_list - json_array_size(list)));
}

json_t *result_culprits(const struct replay *p, const struct evidence *v)
{
	const struct pinned_found *f = &v->pins;
	json_t *o = json_object();

	if (result_records(p, KMT_EXTFRAG))
		json_object_set_new(o, "fallbacks", fallbacks(p, v->fallbacks));
	if (!v->pinned)
		return o;
	json_object_set_new(o, "pinned",
			    json_pack("{s:i, s:I, s:I, s:I, s:o}", "free_percent",
				      PINNED_FREE_PERCENT, "pageblocks",
				      (json_int_t)f->pinned_blocks, "pages",
				      (json_int_t)f->pinned_pages, "free_pages",
				      (json_int_t)f->pinned_free_pages, "owners",
				      owners(p, f->owners, f->nr_owners)));
	json_object_set_new(o, "unmovable_in_movable",
			    json_pack("{s:I, s:I, s:o}", "pageblocks", (json_int_t)f->mixed_blocks,
				      "pages", (json_int_t)f->mixed_pages, "owners",
				      owners(p, f->mixers, f->nr_mixers)));
	json_object_set_new(o, "blocks", blocks(p, f));
	return o;
}
