// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* start_state.c - see start_state.h. */
#include "start_state.h"

#include <common/log.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

static const char *const hows[] = {"read", "inferred", "missing"};

static struct start_part *next(struct start_state *s, const char *what, enum start_how how)
{
	struct start_part *p = &s->part[s->n < START_PARTS ? s->n++ : START_PARTS - 1];

	*p = (struct start_part){.what = what, .how = how};
	return p;
}

void start_state_read(struct start_state *s, const char *what, uint64_t count)
{
	next(s, what, START_READ)->count = count;
}

void start_state_not(struct start_state *s, const char *what, enum start_how how, const char *why)
{
	struct start_part *p = next(s, what, how);

	snprintf(p->why, sizeof(p->why), "%s", why);
}

struct json_t *start_state_json(const struct start_state *s)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < s->n; i++) {
		const struct start_part *p = &s->part[i];
		json_t *o = json_pack("{s:s, s:s}", "what", p->what, "how", hows[p->how]);

		if (p->count)
			json_object_set_new(o, "count", json_integer((json_int_t)p->count));
		if (*p->why)
			json_object_set_new(o, "why", json_string(p->why));
		json_array_append_new(list, o);
	}
	return list;
}

/* All of one way, after a word for it. */
static int append(const struct start_state *s, enum start_how how, char *to, size_t size)
{
	size_t at = 0;

	*to = '\0';
	for (unsigned int i = 0; i < s->n && at < size; i++) {
		const struct start_part *p = &s->part[i];

		if (p->how != how)
			continue;
		at += (size_t)snprintf(to + at, size - at, "%s%s", at ? ", " : "", p->what);
		if (p->count && at < size)
			at += (size_t)snprintf(to + at, size - at, " (%" PRIu64 ")", p->count);
	}
	return at > 0;
}

void start_state_print(const struct start_state *s)
{
	char words[3][512], line[1700] = "";
	size_t at = 0;

	for (unsigned int how = START_READ; how <= START_MISSING; how++)
		if (append(s, how, words[how], sizeof(words[how])) && at < sizeof(line))
			at += (size_t)snprintf(line + at, sizeof(line) - at, "%s%s: %s",
					       at ? "; " : "", hows[how], words[how]);
	if (at)
		log_info("state at the start: %s", line);
}
