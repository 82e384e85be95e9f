// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* units.c - sizes and times as people write them. */
#include "units.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <strings.h>

struct unit {
	const char *name;
	uint64_t factor;
};

/* A non-negative decimal number, then one of @unit's names. */
static int parse(const char *text, const struct unit *unit, size_t n, uint64_t *out)
{
	char *end;
	double value;

	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	value = strtod(text, &end);
	for (size_t i = 0; i < n; i++) {
		if (strcasecmp(end, unit[i].name))
			continue;
		value *= (double)unit[i].factor;
		if (!(value < 9e18))
			return -EINVAL;
		*out = (uint64_t)value;
		return 0;
	}
	return -EINVAL;
}

int units_bytes(const char *text, uint64_t *bytes)
{
	static const struct unit units[] = {
		{"", 1}, {"k", 1 << 10}, {"m", 1 << 20}, {"g", 1 << 30}, {"t", 1ull << 40},
	};

	return parse(text, units, sizeof(units) / sizeof(units[0]), bytes);
}

int units_ns(const char *text, uint64_t *ns)
{
	static const struct unit units[] = {
		{"", 1000000000},  {"ns", 1},	       {"us", 1000},	     {"ms", 1000000},
		{"s", 1000000000}, {"m", 60000000000}, {"h", 3600000000000},
	};

	return parse(text, units, sizeof(units) / sizeof(units[0]), ns);
}
