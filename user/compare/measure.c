/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* measure.c - from a run's series and counts to single figures. */
#include <math.h>
#include <string.h>

#include "compare/measure.h"
#include "report/format.h"

enum { PAGE_BYTES = 4096, LARGE_ORDER = 9 };

const struct measure measures[MEASURES] = {
	{"unusable[3]", "%", -1, "share of free memory too scattered for order 3, mean over time"},
	{"unusable[4]", "%", -1, "share of free memory too scattered for order 4, mean over time"},
	{"unusable[9]", "%", -1, "share of free memory too scattered for order 9, mean over time"},
	{"unusable_end[3]", "%", -1, "share of free memory too scattered for order 3, at the end"},
	{"unusable_end[4]", "%", -1, "share of free memory too scattered for order 4, at the end"},
	{"unusable_end[9]", "%", -1, "share of free memory too scattered for order 9, at the end"},
	{"free", "MiB", 0, "free memory at the end, without the per-CPU lists"},
	{"large", "MiB", 1, "free memory at the end, in blocks of order 9 and above"},
	{"fallbacks", "", -1, "pageblocks claimed, polluted or stolen from another type"},
	{"failed", "", -1, "allocations that got nothing"},
	{"slow_path", "", -1, "allocations that the first walk over the zones did not serve"},
	{"zone_lock", "", -1, "times a zone's lock was taken"},
	{"pcp_refill_pages", "", 0, "pages moved from the buddy lists to per-CPU lists"},
	{"pcp_drain_pages", "", 0, "pages moved from per-CPU lists to the buddy lists"},
	{"buddy_alloc", "", 0, "allocations straight from the buddy lists"},
	{"split", "", 0, "blocks halved"},
	{"merge", "", 0, "buddies joined"},
	{"watermark_boost", "", 0, "fallbacks that raised a watermark"},
	{"slab_pages", "", -1, "pages of slabs at the end, by the replay of slab objects"},
};

size_t measure_find(const char *name, size_t length)
{
	size_t i = 0;

	while (i < MEASURES &&
	       (strlen(measures[i].name) != length || strncmp(measures[i].name, name, length) != 0))
		i++;
	return i;
}

static double mean(const json_t *series)
{
	size_t n = json_array_size(series);
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += json_number_value(json_array_get(series, i));
	return n ? sum / (double)n : NAN;
}

static double last(const json_t *series)
{
	size_t n = json_array_size(series);

	return n ? json_number_value(json_array_get(series, n - 1)) : NAN;
}

/* "unusable[9]" and "unusable_end[9]"; the index is of 1000. */
static double unusable(const json_t *run, const char *name)
{
	const char order[2] = {name[strlen(name) - 2], '\0'};
	const json_t *series = json_object_get(json_object_get(run, "unusable"), order);

	return (strchr(name, '_') ? last(series) : mean(series)) / 10;
}

/* MiB in free blocks of @order and above, all zones. */
static double free_from(const json_t *run, size_t order)
{
	const json_t *zones = json_object_get(json_object_get(run, "final"), "zones");
	double pages = json_array_size(zones) ? 0 : NAN;
	size_t z;
	json_t *zone;

	json_array_foreach (zones, z, zone) {
		const json_t *blocks = json_object_get(zone, "free_blocks");

		for (size_t o = order; o < json_array_size(blocks); o++)
			pages += ldexp(json_number_value(json_array_get(blocks, o)), (int)o);
	}
	return pages * PAGE_BYTES / (1 << 20);
}

/* Claims, pollutions and steals; what a run's policy does not have is 0. */
static double fallbacks(const json_t *counts)
{
	static const char *const names[] = {"fallback_claim", "fallback_pollute", "fallback_steal"};
	double sum = 0, n = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		double v = jnum(counts, names[i]);

		sum += isnan(v) ? 0 : v;
		n += !isnan(v);
	}
	return n > 0 ? sum : NAN;
}

double measure_of(const json_t *run, size_t i)
{
	const char *name = measures[i].name;
	const json_t *counts = json_object_get(run, "counts");

	if (!strncmp(name, "unusable", 8))
		return unusable(run, name);
	if (!strcmp(name, "free"))
		return free_from(run, 0);
	if (!strcmp(name, "large"))
		return free_from(run, LARGE_ORDER);
	if (!strcmp(name, "slab_pages"))
		return jnum(run, "slab_pages_end");
	return !strcmp(name, "fallbacks") ? fallbacks(counts) : jnum(counts, name);
}
