/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* format.c - see format.h */
#include "report/format.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static void format_count(char *out, double value, bool sign)
{
	char digits[32];
	const char *mark = value < 0 ? "-" : sign && value > 0 ? "+" : "";

	/* 2^63 has 19 digits; larger counts do not occur in a result. */
	double magnitude = fmin(fabs(value), 9.2e18);
	int n = snprintf(digits, sizeof(digits), "%" PRIu64, (uint64_t)llround(magnitude));
	size_t at = (size_t)snprintf(out, REPORT_NUMBER_BYTES, "%s", mark);
	for (int i = 0; i < n && at + 2 < REPORT_NUMBER_BYTES; i++) {
		out[at++] = digits[i];
		int left = n - 1 - i;
		if (left && left % 3 == 0)
			out[at++] = ',';
	}
	out[at] = '\0';
}

/* Three significant digits of a scaled value: 1.23, 12.3, 123. */
static int digits_after(double scaled)
{
	return scaled < 9.995 ? 2 : scaled < 99.95 ? 1 : 0;
}

static void format_bytes(char *out, double value)
{
	static const char *const unit[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
	double scaled = fabs(value);
	size_t i = 0;

	while (scaled >= 1024 && i + 1 < sizeof(unit) / sizeof(*unit)) {
		scaled /= 1024;
		i++;
	}
	/* Sizes of blocks are powers of two and need no decimals. */
	bool exact = !i || log2(scaled) == floor(log2(scaled));
	snprintf(out, REPORT_NUMBER_BYTES, "%s%.*f %s", value < 0 ? "-" : "",
		 exact ? 0 : digits_after(scaled), scaled, unit[i]);
}

static void format_ns(char *out, double value)
{
	static const struct {
		double ns;
		const char *name;
	} unit[] = {{1e9, "s"}, {1e6, "ms"}, {1e3, "us"}, {1, "ns"}};
	size_t i = 0;

	while (i < 3 && fabs(value) < unit[i].ns)
		i++;
	double scaled = value / unit[i].ns;
	snprintf(out, REPORT_NUMBER_BYTES, "%.*f %s",
		 unit[i].ns > 1 ? digits_after(fabs(scaled)) : 0, scaled, unit[i].name);
}

char *format_number(char *out, double value, enum report_unit unit)
{
	if (!isfinite(value)) {
		snprintf(out, REPORT_NUMBER_BYTES, "-");
		return out;
	}
	switch (unit) {
	case UNIT_BYTES:
		format_bytes(out, value);
		break;
	case UNIT_PERCENT:
		/* A few events of millions are not "0.0 %". */
		snprintf(out, REPORT_NUMBER_BYTES,
			 fabs(value) < 0.1 && value != 0 ? "%.2g %%" : "%.1f %%", value);
		break;
	case UNIT_POINTS:
		/* "+0.0" and "-0.0" are 0. */
		snprintf(out, REPORT_NUMBER_BYTES, fabs(value) < 0.05 ? "%.1f pt" : "%+.1f pt",
			 fabs(value) < 0.05 ? 0 : value);
		break;
	case UNIT_ERROR:
		snprintf(out, REPORT_NUMBER_BYTES, "%.1f pt", value);
		break;
	case UNIT_REAL:
		if (value == floor(value) && fabs(value) >= 10)
			format_count(out, value, false);
		else
			snprintf(out, REPORT_NUMBER_BYTES, "%.3f", value);
		break;
	case UNIT_NS:
		format_ns(out, value);
		break;
	default:
		format_count(out, value, unit == UNIT_CHANGE);
	}
	return out;
}

double jnum(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);
	return json_is_number(v) ? json_number_value(v) : NAN;
}

const char *jstr(const json_t *o, const char *key, const char *otherwise)
{
	const char *s = json_string_value(json_object_get(o, key));
	return s ? s : otherwise;
}

double jat(const json_t *array, size_t i)
{
	const json_t *v = json_array_get(array, i);
	return json_is_number(v) ? json_number_value(v) : NAN;
}

double jlast(const json_t *array)
{
	size_t n = json_array_size(array);
	return n ? jat(array, n - 1) : NAN;
}

json_t *jpath(const json_t *o, const char *path)
{
	json_t *v = (json_t *)o;
	char key[32];

	for (;;) {
		size_t n = strcspn(path, ".");
		snprintf(key, sizeof(key), "%.*s", (int)n, path);
		v = json_object_get(v, key);
		if (!path[n])
			return v;
		path += n + 1;
	}
}
