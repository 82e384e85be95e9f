/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* start_read.c - see start_read.h. A trace's text is believed only where it can be. */
#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "replay/pagemap.h"
#include "replay/start_read.h"
#include "trace/text_json.h"
#include "trace/trace_io.h"

enum { COSTLY_ORDER = 3, PCP_TYPES = 3, MOVABLE = 1, SMALL_LISTS = 12, NOT_READ = 0xff };

/* The number of a list; -1: there is none of this order and type. */
static int list_number(const struct start_read *s, uint64_t order, uint64_t type)
{
	if (type >= PCP_TYPES)
		type = MOVABLE;
	if (order <= COSTLY_ORDER)
		return (int)(order * PCP_TYPES + type);
	return order == s->pageblock_order ? SMALL_LISTS + (type == MOVABLE) : -1;
}

static int add_page(struct read_list *l, size_t at, uint64_t pfn)
{
	if (l->n == l->room) {
		size_t more = l->room ? l->room * 2 : 64;
		uint32_t *grown = realloc(l->pfn, more * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		l->pfn = grown;
		l->room = more;
	}
	memmove(l->pfn + at + 1, l->pfn + at, (l->n - at) * sizeof(*l->pfn));
	l->pfn[at] = (uint32_t)pfn;
	l->n++;
	return 0;
}

/* ---- Reading ----------------------------------------------------------- */

static uint64_t number(const json_t *o, const char *key)
{
	json_int_t n = json_integer_value(json_object_get(o, key));

	return n > 0 ? (uint64_t)n : 0;
}

static uint32_t small_number(const json_t *o, const char *key)
{
	uint64_t n = number(o, key);

	return n < INT32_MAX ? (uint32_t)n : 0;
}

/* Blocks of one zone, aligned, and no more than the machine has. */
static int take_list(struct start_read *s, const struct pagemap *m, const json_t *list,
		     unsigned int zone, struct read_lists *to)
{
	uint64_t order = number(list, "order"), size;
	int at = list_number(s, order, number(list, "type"));
	const json_t *pfn;
	size_t i;

	if (at < 0)
		return -EBADMSG;
	size = 1ull << order;
	json_array_foreach (json_object_get(list, "pfns"), i, pfn) {
		json_int_t n = json_integer_value(pfn);

		if (n < 0 || (uint64_t)n & (size - 1) || (uint64_t)n + size > m->nr_pfns ||
		    pagemap_zone(m, (uint64_t)n) != zone || to->list[at].n >= m->nr_pfns)
			return -EBADMSG;
		if (add_page(&to->list[at], to->list[at].n, (uint64_t)n))
			return -ENOMEM;
	}
	return 0;
}

static int take_cpu(struct start_read *s, const struct host *h, const struct pagemap *m,
		    const json_t *o)
{
	const char *name = json_string_value(json_object_get(o, "zone"));
	unsigned int zone =
		name ? host_zone_find(h, small_number(o, "node"), name) : HOST_ZONE_NONE;
	uint32_t cpu = small_number(o, "cpu");
	struct read_lists *to;
	const json_t *list;
	int err = 0;
	size_t i;

	if (zone == HOST_ZONE_NONE || cpu >= s->cpus)
		return -EBADMSG;
	to = &s->at[zone * s->cpus + cpu];
	if (to->at_ns)
		return -EBADMSG;
	to->at_ns = number(o, "time_ns");
	to->count = small_number(o, "count");
	to->high = small_number(o, "high");
	to->free_factor = small_number(o, "free_factor");
	to->free_count = small_number(o, "free_count");
	to->alloc_factor = small_number(o, "alloc_factor");
	if (to->at_ns > s->last_ns)
		s->last_ns = to->at_ns;
	json_array_foreach (json_object_get(o, "lists"), i, list) {
		err = take_list(s, m, list, zone, to);
		if (err)
			return err;
	}
	return 0;
}

static void free_lists(struct start_read *s)
{
	for (size_t i = 0; s->at && i < (size_t)s->zones * s->cpus; i++)
		for (unsigned int l = 0; l < START_READ_LISTS; l++)
			free(s->at[i].list[l].pfn);
	free(s->at);
	s->at = NULL;
	s->last_ns = 0;
}

static int take_lists(struct start_read *s, const struct host *h, const struct pagemap *m,
		      const json_t *doc)
{
	const json_t *cpu, *cpus = json_object_get(doc, "cpus");
	int err = 0;
	size_t i;

	if (!json_array_size(cpus))
		return 0;
	s->at = calloc((size_t)s->zones * s->cpus, sizeof(*s->at));
	if (!s->at)
		return -ENOMEM;
	json_array_foreach (cpus, i, cpu) {
		err = take_cpu(s, h, m, cpu);
		if (err)
			break;
	}
	if (err)
		free_lists(s);
	return err == -ENOMEM ? err : 0;
}

static int take_types(struct start_read *s, const struct pagemap *m, const json_t *doc)
{
	const json_t *run;
	size_t i;

	if (!doc || number(doc, "pageblock_order") != m->pageblock_order)
		return 0;
	s->type = malloc(m->nr_blocks);
	if (!s->type)
		return -ENOMEM;
	memset(s->type, NOT_READ, m->nr_blocks);
	s->types_ns = number(doc, "time_ns");
	json_array_foreach (json_object_get(doc, "runs"), i, run) {
		json_int_t pfn = json_integer_value(json_array_get(run, 0));
		json_int_t blocks = json_integer_value(json_array_get(run, 1));
		json_int_t type = json_integer_value(json_array_get(run, 2));
		uint64_t first = pfn < 0 ? m->nr_blocks : (uint64_t)pfn >> m->pageblock_order;

		for (json_int_t b = 0; type >= 0 && type < 8 && b < blocks; b++) {
			if (first + (uint64_t)b >= m->nr_blocks)
				break;
			s->type[first + (uint64_t)b] = (uint8_t)type;
		}
	}
	return 0;
}

int start_read_init(struct start_read *s, const struct host *h, const struct pagemap *m,
		    struct trace_reader *r)
{
	json_t *lists = trace_reader_json(r, "start/pcp", KMT_PHASE_START);
	json_t *types = trace_reader_json(r, "start/blocktypes", KMT_PHASE_START);
	int err;

	*s = (struct start_read){
		.zones = h->nr_zones, .cpus = h->cpus, .pageblock_order = m->pageblock_order};
	err = take_lists(s, h, m, lists);
	err = err ? err : take_types(s, m, types);
	json_decref(lists);
	json_decref(types);
	return err;
}

void start_read_destroy(struct start_read *s)
{
	free_lists(s);
	free(s->type);
	free(s->events);
	memset(s, 0, sizeof(*s));
}

/* ---- Back to the moment ------------------------------------------------ */

int start_read_event(struct start_read *s, const struct trace_event *e, const struct kmt_class *c)
{
	if (!s->at || e->time_ns > s->last_ns)
		return 0;
	if (s->events_n == s->events_room) {
		size_t more = s->events_room ? s->events_room * 2 : 256;
		struct read_event *grown = realloc(s->events, more * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		s->events = grown;
		s->events_room = more;
	}
	s->events[s->events_n++] = (struct read_event){.time_ns = e->time_ns,
						       .pfn = e->address,
						       .cpu = e->cpu,
						       .kind = e->kind,
						       .order = e->order,
						       .migratetype = c->migratetype};
	return 0;
}

static void remove_page(struct start_read *s, struct read_lists *from, const struct read_event *e)
{
	for (unsigned int l = 0; l < START_READ_LISTS; l++) {
		struct read_list *list = &from->list[l];

		for (size_t i = 0; start_read_order(s, l) == e->order && i < list->n; i++)
			if (list->pfn[i] == e->pfn) {
				list->n--;
				memmove(list->pfn + i, list->pfn + i + 1,
					(list->n - i) * sizeof(*list->pfn));
				from->count -= 1u << e->order;
				return;
			}
	}
}

static int undo(struct start_read *s, struct read_lists *of, const struct read_event *e)
{
	int at = list_number(s, e->order, e->migratetype);
	struct read_list *list = at < 0 ? NULL : &of->list[at];

	if (!list)
		return 0;
	switch (e->kind) {
	case KMT_PAGE_ALLOC:
	case KMT_BULK_PAGE:
		of->count += 1u << e->order;
		return add_page(list, 0, e->pfn);
	case KMT_PCPU_DRAIN:
		of->count += 1u << e->order;
		return add_page(list, list->n, e->pfn);
	case KMT_PAGE_FREE:
	case KMT_ZONE_LOCKED:
	case KMT_EXTFRAG:
		remove_page(s, of, e);
		return 0;
	default:
		return 0;
	}
}

int start_read_undo(struct start_read *s, const struct pagemap *m)
{
	int err = 0;

	while (s->events_n && !err) {
		const struct read_event *e = &s->events[--s->events_n];
		unsigned int zone = pagemap_zone(m, e->pfn);
		struct read_lists *of;

		if (zone == HOST_ZONE_NONE || e->cpu >= s->cpus)
			continue;
		of = &s->at[zone * s->cpus + e->cpu];
		if (e->time_ns <= of->at_ns)
			err = undo(s, of, e);
	}
	return err;
}
