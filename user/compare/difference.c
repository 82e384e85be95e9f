/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* difference.c - see difference.h. */
#include <math.h>
#include <string.h>

#include "compare/difference.h"
#include "compare/figures.h"
#include "metrics/fidelity.h"
#include "report/report.h"

const struct difference_series difference_series[DIFFERENCE_SERIES] = {
	{"free memory", "free", "free_pages", UNIT_BYTES},
	{"unusable at order 3", "unusable[3]", "unusable.3", UNIT_POINTS},
	{"unusable at order 4", "unusable[4]", "unusable.4", UNIT_POINTS},
	{"unusable at order 9", "unusable[9]", "unusable.9", UNIT_POINTS},
};

/* One line over time, in the unit of its series. */
struct line {
	const json_t *time_ns, *values;
	double scale;
};

static struct line line_of(const struct difference_side *s, size_t i)
{
	return (struct line){
		.time_ns = json_object_get(s->root, "time_ns"),
		.values = jpath(s->run, difference_series[i].path),
		.scale = difference_series[i].unit == UNIT_BYTES ? report_page_bytes(s->root) : 0.1,
	};
}

static double value_at(const struct line *l, double ns)
{
	size_t low = 0, high = json_array_size(l->time_ns);

	while (high - low > 1) {
		size_t middle = (low + high) / 2;

		if (jat(l->time_ns, middle) <= ns)
			low = middle;
		else
			high = middle;
	}
	return l->scale * jat(l->values, low);
}

/* NAN where one has no sample. */
static double minus(const struct line *a, const struct line *b, size_t at)
{
	double ns = jat(a->time_ns, at);

	if (ns > jlast(b->time_ns))
		return NAN;
	return value_at(b, ns) - a->scale * jat(a->values, at);
}

/* By how much @a differs from itself when nothing happens; tenths are not exact. */
static double noise(const struct line *a, size_t i, size_t at)
{
	if (difference_series[i].unit == UNIT_BYTES)
		return FIDELITY_NOISE_FREE * a->scale * jat(a->values, at);
	return (FIDELITY_NOISE_UNUSABLE + 1e-6) * a->scale;
}

bool difference_of(struct difference *out, size_t i, const struct difference_side *a,
		   const struct difference_side *b)
{
	struct line from = line_of(a, i), to = line_of(b, i);
	size_t n = json_array_size(from.values), used = 0;
	double sum = 0;
	int side = 0; /* of A on which B is now */

	*out = (struct difference){.most_at_ns = NAN, .apart_ns = NAN};
	for (size_t at = 0; at < n; at++) {
		double ns = jat(from.time_ns, at), v = minus(&from, &to, at);
		int now = fabs(v) <= noise(&from, i, at) ? 0 : v > 0 ? 1 : -1;

		if (isnan(v))
			continue;
		sum += v;
		used++;
		out->end = v;
		if (fabs(v) > fabs(out->most)) {
			out->most = v;
			out->most_at_ns = ns;
		}
		if (now != side)
			out->apart_ns = now ? ns : NAN;
		side = now;
	}
	out->mean = used ? sum / (double)used : NAN;
	return used;
}

static json_t *real_or_null(double v)
{
	return isfinite(v) ? json_real(v) : json_null();
}

static json_t *values_json(size_t i, const struct difference_side *a,
			   const struct difference_side *b)
{
	struct line from = line_of(a, i), to = line_of(b, i);
	json_t *out = json_array();

	for (size_t at = 0; at < json_array_size(from.values); at++)
		json_array_append_new(out, real_or_null(minus(&from, &to, at)));
	return out;
}

bool difference_wanted(const struct comparison *c, size_t i)
{
	const char *measure = difference_series[i].measure;

	return !c || !c->measures || comparison_wants(c, measure_find(measure, strlen(measure)));
}

json_t *difference_json(const struct comparison *c, const struct difference_side *a,
			const struct difference_side *b)
{
	json_t *list = json_array();
	struct difference d;

	for (size_t i = 0; i < DIFFERENCE_SERIES; i++)
		if (difference_wanted(c, i) && difference_of(&d, i, a, b))
			json_array_append_new(
				list, json_pack("{s:s, s:s, s:f, s:f, s:o, s:f, s:o, s:o}",
						"series", difference_series[i].name, "unit",
						difference_series[i].unit == UNIT_BYTES ? "bytes"
											: "points",
						"mean", d.mean, "largest", d.most, "largest_at_ns",
						real_or_null(d.most_at_ns), "end", d.end,
						"apart_since_ns", real_or_null(d.apart_ns), "value",
						values_json(i, a, b)));
	if (json_array_size(list))
		return json_pack("{s:s, s:s, s:O, s:o}", "group", b->title, "base", a->title,
				 "time_ns", json_object_get(a->root, "time_ns"), "series", list);
	json_decref(list);
	return NULL;
}

bool difference_side(const struct report_input *in, size_t k, struct difference_side *out)
{
	const struct comparison *c = in->comparison;
	const char *name = c->groups[k].name;

	for (size_t i = 0; i < in->n; i++) {
		const json_t *root = in->results[i].root;

		if (c->run && strcmp(in->results[i].label, name) != 0)
			continue;
		*out = (struct difference_side){root, report_run(root, c->run ? c->run : name),
						name};
		return out->run != NULL;
	}
	return false;
}
