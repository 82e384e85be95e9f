/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * format.h - how a report writes numbers, and short ways into result JSON.
 * A number that is not there is NAN: "absent, never zero".
 */
#ifndef KMEMLAB_REPORT_FORMAT_H
#define KMEMLAB_REPORT_FORMAT_H

#include <jansson.h>
#include <stddef.h>

/* What a number means, hence how it is written. */
enum report_unit {
	UNIT_TEXT,
	UNIT_COUNT,   /* 1,234,567 */
	UNIT_CHANGE,  /* +1,234 */
	UNIT_BYTES,   /* 1.23 MiB */
	UNIT_PERCENT, /* 12.3 %, the value being 12.3 */
	UNIT_POINTS,  /* +1.2 pt: a difference of percentages, in points */
	UNIT_ERROR,   /* 1.2 pt: the same, without a sign */
	UNIT_REAL,    /* 0.123 */
	UNIT_NS,      /* 1.23 s */
};

enum report_limits {
	REPORT_NUMBER_BYTES = 48,
};

/**
 * format_number() - write @value into @out
 * @out: REPORT_NUMBER_BYTES bytes
 *
 * ASCII. NAN becomes "-".
 *
 * Return: @out.
 */
char *format_number(char *out, double value, enum report_unit unit);

/** jnum() - number at @o[@key]; NAN where there is none */
double jnum(const json_t *o, const char *key);
/** jstr() - string at @o[@key]; @otherwise where there is none */
const char *jstr(const json_t *o, const char *key, const char *otherwise);
/** jat() - number at @array[@i]; NAN where there is none */
double jat(const json_t *array, size_t i);
/** jlast() - last number of @array; NAN where there is none */
double jlast(const json_t *array);
/** jpath() - what is at "a.b.c" below @o, keys of up to 31 bytes; or NULL */
json_t *jpath(const json_t *o, const char *path);

#endif
