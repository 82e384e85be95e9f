// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* header_part.c - the HEADER of one of a recording's files. */
#include "record.h"

#include <jansson.h>
#include <time.h>

static json_t *integer(uint64_t n)
{
	return json_integer((json_int_t)n);
}

static json_t *clock_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return json_pack("{s:o, s:o}", "start_boottime_ns", integer(boottime_ns()),
			 "start_realtime_ns",
			 integer((uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec));
}

/* The window begins with a snapshot; what is unknown is told, not left to be guessed. */
static json_t *window(const struct header_part *p)
{
	json_t *doc = json_pack("{s:o, s:o, s:s, s:o}", "asked_ns", integer(p->window_ns),
				"snapshot_ns", integer(p->begin_ns), "written_because", p->why,
				"evicted_events", integer(p->evicted));

	if (p->evicted)
		json_object_set_new(doc, "evicted_until_ns", integer(p->evicted_until_ns));
	json_object_set_new(doc, "unknown_at_start",
			    json_string(p->evicted ? "what the evicted events touched after "
						     "the snapshot"
						   : "nothing: events follow the snapshot"));
	return doc;
}

char *header_part(const char *header, const struct header_part *p)
{
	json_t *doc = json_loads(header, 0, NULL);
	char *text;

	if (!doc)
		return NULL;
	json_object_set_new(doc, "clock", clock_now());
	if (p->number)
		json_object_set_new(doc, "part", integer(p->number));
	if (p->window_ns)
		json_object_set_new(doc, "window", window(p));
	text = json_dumps(doc, JSON_COMPACT);
	json_decref(doc);
	return text;
}
