/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* areas_start.c - see areas_start.h. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "replay/areas_start.h"
#include "trace/text_json.h"
#include "trace/trace_io.h"

/* More pages than x86-64 has addresses for, with five levels of page tables. */
#define PAGES_MAX (1ull << 45)

static const char *const lists[AREA_LISTS] = {"used", "lazy", "pool"};

static uint64_t number(const json_t *list, size_t i)
{
	return text_json_count(json_array_get(list, i));
}

/* What no kernel has is left out. */
static void add(struct area_snapshot *s, const json_t *from, enum area_list list)
{
	const char *site = json_string_value(json_array_get(from, 5));
	struct snapshot_area a = {
		.page = number(from, 0),
		.pages = number(from, 1),
		.list = (uint8_t)list,
		.pool = (uint8_t)number(from, 2),
		.node = (uint8_t)(list == AREA_USED ? 0 : number(from, 3)),
		.percpu = site && !strncmp(site, "pcpu_get_vm_areas+", 18),
	};

	if (!a.pages || a.pages > PAGES_MAX || (!(a.page & KMT_OPAQUE) && a.page > PAGES_MAX))
		return;
	s->area[s->n++] = a;
}

static int take(struct area_snapshot *s, const json_t *doc)
{
	const json_t *times = json_object_get(doc, "time_ns"), *one;
	size_t n = 0, i;

	for (int l = 0; l < AREA_LISTS; l++)
		n += json_array_size(json_object_get(doc, lists[l]));
	s->area = calloc(n + 1, sizeof(*s->area));
	if (!s->area)
		return -ENOMEM;
	for (int l = 0; l < AREA_LISTS; l++) {
		json_array_foreach (json_object_get(doc, lists[l]), i, one) {
			add(s, one, (enum area_list)l);
		}
	}
	s->t_first_ns = number(times, 0);
	s->t_last_ns = number(times, 1);
	s->known = json_array_size(times) == 2 && json_is_array(json_object_get(doc, "used"));
	return 0;
}

int area_snapshot_read(struct area_snapshot *s, struct trace_reader *r, uint16_t phase)
{
	json_t *doc = trace_reader_json(r, "kmemlab/vmalloc", phase);
	int err;

	memset(s, 0, sizeof(*s));
	err = doc ? take(s, doc) : 0;
	json_decref(doc);
	return err;
}

void area_snapshot_free(struct area_snapshot *s)
{
	free(s->area);
	memset(s, 0, sizeof(*s));
}

static int by_page(const void *x, const void *y)
{
	const struct area_range *a = x, *b = y;

	return (a->page > b->page) - (a->page < b->page);
}

struct area_space area_space_of(struct area_range *r, size_t n)
{
	struct area_space s = {0};
	uint64_t end = 0;

	qsort(r, n, sizeof(*r), by_page);
	for (size_t i = 0; i < n; i++) {
		uint64_t hole = i && r[i].page > end ? r[i].page - end : 0;

		s.areas++;
		s.pages += r[i].pages;
		s.holes += hole != 0;
		s.hole_pages += hole;
		if (hole > s.largest_hole_pages)
			s.largest_hole_pages = hole;
		if (r[i].page + r[i].pages > end)
			end = r[i].page + r[i].pages;
	}
	return s;
}
