/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* stat_list.c - the tables of 'kmemlab stat'. */
#include <string.h>

#include "cli/stat_fit.h"
#include "cli/stat_holders.h"
#include "cli/stat_lifetime.h"
#include "cli/stat_tables.h"
#include "common/nearest.h"

#define ALLOCS                                                                                     \
	{                                                                                          \
		"allocs", "allocs", OUT_UINT                                                       \
	}
#define FREES                                                                                      \
	{                                                                                          \
		"frees", "frees", OUT_UINT                                                         \
	}
#define FREED                                                                                      \
	{                                                                                          \
		"freed", "freed", OUT_UINT                                                         \
	}
#define PAGES                                                                                      \
	{                                                                                          \
		"pages", "pages", OUT_UINT                                                         \
	}
#define REQUESTED                                                                                  \
	{                                                                                          \
		"requested", "bytes_req", OUT_BYTES                                                \
	}
#define GIVEN                                                                                      \
	{                                                                                          \
		"given", "bytes_alloc", OUT_BYTES                                                  \
	}
#define WASTE                                                                                      \
	{                                                                                          \
		"waste %", "waste_percent", OUT_PERCENT                                            \
	}
#define LIVE                                                                                       \
	{                                                                                          \
		"live", "live", OUT_UINT                                                           \
	}
#define LIVE_BYTES                                                                                 \
	{                                                                                          \
		"live bytes", "live_bytes", OUT_BYTES                                              \
	}
#define LIVE_PAGES                                                                                 \
	{                                                                                          \
		"live pages", "live_pages", OUT_UINT                                               \
	}

/* What is told of objects, whatever they are grouped by. */
#define OBJECT_COLUMNS ALLOCS, FREED, REQUESTED, GIVEN, WASTE, LIVE, LIVE_BYTES
#define OBJECT_FIELDS                                                                              \
	STAT_ALLOCS, STAT_FREED, STAT_BYTES_REQ, STAT_BYTES_ALLOC, STAT_WASTE, STAT_LIVE,          \
		STAT_LIVE_BYTES

const struct stat_table stat_tables[] = {
	{"kind",
	 "events",
	 ~0ull,
	 {{"event", "event", OUT_STRING}, {"events", "events", OUT_UINT}},
	 {STAT_KEY, STAT_EVENTS},
	 2,
	 STAT_EVENTS,
	 NULL,
	 NULL},
	{"order",
	 "pages by order",
	 STAT_PAGE_ALLOCS | STAT_BIT(KMT_PAGE_FREE),
	 {{"order", "order", OUT_UINT}, ALLOCS, FREES, PAGES, LIVE_PAGES},
	 {STAT_KEY, STAT_ALLOCS, STAT_FREES, STAT_PAGES, STAT_LIVE_PAGES},
	 5,
	 STAT_KEY,
	 NULL,
	 NULL},
	{"type",
	 "pages by migrate type",
	 STAT_PAGE_ALLOCS,
	 {{"type", "type", OUT_STRING},
	  ALLOCS,
	  PAGES,
	  {"freed", "freed_pages", OUT_UINT},
	  LIVE_PAGES},
	 {STAT_KEY, STAT_ALLOCS, STAT_PAGES, STAT_FREED, STAT_LIVE_PAGES},
	 5,
	 STAT_PAGES,
	 NULL,
	 NULL},
	{"fallback",
	 "fallbacks to another migrate type",
	 STAT_BIT(KMT_EXTFRAG),
	 {{"wanted <- taken from", "fallback", OUT_STRING}, {"events", "events", OUT_UINT}},
	 {STAT_KEY, STAT_EVENTS},
	 2,
	 STAT_EVENTS,
	 NULL,
	 NULL},
	{"gfp",
	 "by gfp flags",
	 STAT_PAGE_ALLOCS | STAT_OBJECT_ALLOCS,
	 {{"gfp flags", "gfp", OUT_STRING}, ALLOCS, PAGES, LIVE_PAGES, GIVEN, WASTE, LIVE_BYTES},
	 {STAT_KEY, STAT_ALLOCS, STAT_PAGES, STAT_LIVE_PAGES, STAT_BYTES_ALLOC, STAT_WASTE,
	  STAT_LIVE_BYTES},
	 7,
	 STAT_ALLOCS,
	 NULL,
	 NULL},
	{"context",
	 "objects by where a request that may not block was made",
	 STAT_BIT(KMT_KMALLOC) | STAT_BIT(KMT_CACHE_ALLOC),
	 {{"context", "context", OUT_STRING}, OBJECT_COLUMNS},
	 {STAT_KEY, OBJECT_FIELDS},
	 8,
	 STAT_ALLOCS,
	 NULL,
	 NULL},
	{"cache",
	 "objects by cache",
	 STAT_OBJECT_ALLOCS,
	 {{"cache", "cache", OUT_STRING}, OBJECT_COLUMNS},
	 {STAT_KEY, OBJECT_FIELDS},
	 8,
	 STAT_BYTES_ALLOC,
	 NULL,
	 NULL},
	{"site",
	 "objects by call site",
	 STAT_OBJECT_ALLOCS | STAT_OBJECT_FREES,
	 {{"call site", "call_site", OUT_STRING},
	  ALLOCS,
	  FREED,
	  {"frees here", "frees", OUT_UINT},
	  GIVEN,
	  WASTE,
	  LIVE,
	  LIVE_BYTES,
	  {"line", "line", OUT_STRING}},
	 {STAT_KEY, STAT_ALLOCS, STAT_FREED, STAT_FREES, STAT_BYTES_ALLOC, STAT_WASTE, STAT_LIVE,
	  STAT_LIVE_BYTES, STAT_LINE},
	 8,
	 STAT_BYTES_ALLOC,
	 NULL,
	 NULL},
	{"size",
	 "kmalloc by size class",
	 STAT_BIT(KMT_KMALLOC),
	 {{"bytes", "size_class", OUT_UINT}, OBJECT_COLUMNS},
	 {STAT_KEY, OBJECT_FIELDS},
	 8,
	 STAT_KEY,
	 NULL,
	 NULL},
	{"stack",
	 "allocations by kernel stack",
	 STAT_PAGE_ALLOCS | STAT_OBJECT_ALLOCS,
	 {ALLOCS,
	  FREED,
	  PAGES,
	  GIVEN,
	  LIVE_PAGES,
	  LIVE_BYTES,
	  {"stack, innermost first", "stack", OUT_STRING}},
	 {STAT_ALLOCS, STAT_FREED, STAT_PAGES, STAT_BYTES_ALLOC, STAT_LIVE_PAGES, STAT_LIVE_BYTES,
	  STAT_KEY},
	 7,
	 STAT_ALLOCS,
	 NULL,
	 NULL},
	{"command",
	 "who ran",
	 ~0ull,
	 {{"command", "command", OUT_STRING},
	  {"events", "events", OUT_UINT},
	  ALLOCS,
	  PAGES,
	  GIVEN,
	  LIVE_PAGES,
	  LIVE_BYTES},
	 {STAT_KEY, STAT_EVENTS, STAT_ALLOCS, STAT_PAGES, STAT_BYTES_ALLOC, STAT_LIVE_PAGES,
	  STAT_LIVE_BYTES},
	 7,
	 STAT_EVENTS,
	 NULL,
	 NULL},
	{"fit",
	 "kmalloc's size classes, and one that would fit better",
	 0,
	 {{"class", "size_class", OUT_UINT},
	  ALLOCS,
	  {"waste", "waste_bytes", OUT_BYTES},
	  WASTE,
	  {"better class", "better_class", OUT_UINT},
	  {"fit it", "better_allocs", OUT_UINT},
	  {"would save", "saved_bytes", OUT_BYTES},
	  {"of live", "saved_live_bytes", OUT_BYTES}},
	 {0},
	 8,
	 STAT_EVENTS,
	 stat_fit_table,
	 NULL},
	{"lifetime",
	 "how long things live",
	 0,
	 {{"allocated by", "allocated_by", OUT_STRING},
	  FREED,
	  {"elsewhere %", "freed_on_another_cpu_percent", OUT_PERCENT},
	  {"half within", "p50_ns", OUT_NS},
	  {"90 %", "p90_ns", OUT_NS},
	  {"99 %", "p99_ns", OUT_NS},
	  LIVE,
	  LIVE_BYTES,
	  {"oldest", "oldest_age_ns", OUT_NS}},
	 {0},
	 9,
	 STAT_EVENTS,
	 NULL,
	 stat_lifetime_table},
	{"leak",
	 "what is live at the end, the most suspect first",
	 0,
	 {{"allocated by", "allocated_by", OUT_STRING},
	  LIVE,
	  LIVE_BYTES,
	  {"grows/s", "growth_bytes_per_second", OUT_BYTES},
	  {"grew in", "quarters_grown", OUT_UINT},
	  {"kept %", "kept_percent", OUT_PERCENT},
	  {"unseen", "ended_unseen", OUT_UINT},
	  {"half older", "median_age_ns", OUT_NS},
	  {"oldest", "oldest_age_ns", OUT_NS}},
	 {0},
	 9,
	 STAT_EVENTS,
	 NULL,
	 stat_leak_table},
	{"cpu",
	 "allocated on one CPU, freed on another",
	 0,
	 {{"cpu", "cpu", OUT_UINT},
	  {"objects", "objects", OUT_UINT},
	  {"freed", "objects_freed", OUT_UINT},
	  {"elsewhere %", "objects_elsewhere_percent", OUT_PERCENT},
	  {"frees here", "object_frees", OUT_UINT},
	  {"page blocks", "blocks", OUT_UINT},
	  {"freed", "blocks_freed", OUT_UINT},
	  {"elsewhere %", "blocks_elsewhere_percent", OUT_PERCENT},
	  {"frees here", "block_frees", OUT_UINT}},
	 {0},
	 9,
	 STAT_EVENTS,
	 NULL,
	 stat_cpu_table},
	{0},
};

const struct stat_table *stat_table_find(const char *name, const char **hint)
{
	struct nearest near = {.word = name};

	for (const struct stat_table *t = stat_tables; t->name; t++) {
		if (!strcmp(t->name, name))
			return t;
		nearest_offer(&near, t->name);
	}
	*hint = nearest_name(&near);
	return NULL;
}

int stat_table_column(const struct stat_table *t, const char *key)
{
	for (unsigned int c = 0; c < t->columns; c++)
		if (!strcmp(t->column[c].key, key))
			return (int)c;
	return -1;
}
