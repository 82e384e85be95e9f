/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * load.c - read result.json and check that it has the shape the rest of the
 * report relies on: every series as long as the time it is drawn over.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kmemlab/trace.h>

#include "report/report.h"

const int report_orders[REPORT_ORDERS_SHOWN] = {3, 4, 9};

enum { SAMPLES_MAX = 600, ORDERS_MAX = 32, PATH_BYTES = 96 };

/* An error message being made: where in the document, and where to say it. */
struct check {
	char *error;
	const json_t *root;
};

static bool bad(const struct check *c, const char *where, const char *what)
{
	snprintf(c->error, REPORT_ERROR_BYTES, "%s %s", where, what);
	return false;
}

static bool check_series(const struct check *c, const json_t *series, size_t n, const char *where)
{
	if (!json_is_array(series))
		return bad(c, where, "is not an array");
	if (json_array_size(series) == n)
		return true;
	snprintf(c->error, REPORT_ERROR_BYTES, "%s has %zu samples, its time axis %zu", where,
		 json_array_size(series), n);
	return false;
}

/* [zone][order][n] */
static bool check_blocks(const struct check *c, const json_t *blocks, size_t n, const char *where)
{
	size_t zones = json_array_size(json_object_get(c->root, "zones"));

	if (!json_is_array(blocks) || json_array_size(blocks) != zones)
		return bad(c, where, "has not one entry per zone");
	for (size_t z = 0; z < zones; z++) {
		const json_t *orders = json_array_get(blocks, z);
		size_t n_orders = json_array_size(orders);
		if (!n_orders || n_orders > ORDERS_MAX)
			return bad(c, where, "has a zone without orders, or with too many");
		for (size_t o = 0; o < n_orders; o++) {
			char at[PATH_BYTES + 48];
			snprintf(at, sizeof(at), "%s[%zu][%zu]", where, z, o);
			if (!check_series(c, json_array_get(orders, o), n, at))
				return false;
		}
	}
	return true;
}

static bool check_run(const struct check *c, const json_t *run, size_t i, size_t n)
{
	char where[PATH_BYTES];
	const char *key;
	json_t *series;

	snprintf(where, sizeof(where), "runs[%zu]", i);
	if (!json_is_string(json_object_get(run, "name")))
		return bad(c, where, "has no name");
	snprintf(where, sizeof(where), "runs[%zu].free_blocks", i);
	json_t *blocks = json_object_get(run, "free_blocks");
	if (blocks && !check_blocks(c, blocks, n, where))
		return false;
	snprintf(where, sizeof(where), "runs[%zu].free_pages", i);
	json_t *pages = json_object_get(run, "free_pages");
	if (pages && !check_series(c, pages, n, where))
		return false;
	snprintf(where, sizeof(where), "runs[%zu].unusable", i);
	json_object_foreach (json_object_get(run, "unusable"), key, series)
		if (!check_series(c, series, n, where))
			return false;
	return true;
}

static bool check_grid(const struct check *c, const json_t *rows, size_t n_rows, size_t columns)
{
	size_t i;
	json_t *row;

	if (json_array_size(rows) != n_rows)
		return bad(c, "pageblocks.zones", "has not as many rows as it says");
	json_array_foreach (rows, i, row)
		if (!check_series(c, row, columns, "a row of pageblocks"))
			return false;
	return true;
}

static bool check_map(const struct check *c, const json_t *map)
{
	size_t columns = json_array_size(json_object_get(map, "time_ns"));
	size_t i;
	json_t *zone;

	json_array_foreach (json_object_get(map, "zones"), i, zone) {
		double rows = jnum(zone, "rows");
		if (!(rows >= 0 && rows <= 1 << 16))
			return bad(c, "pageblocks.zones", "has no number of rows");
		if (!check_grid(c, json_object_get(zone, "type"), (size_t)rows, columns) ||
		    !check_grid(c, json_object_get(zone, "used"), (size_t)rows, columns))
			return false;
	}
	return true;
}

static bool check_schema(const struct check *c)
{
	const char *schema = jstr(c->root, "schema", NULL);

	if (!schema)
		return bad(c, "it",
			   "is not a kmemlab result (no \"schema\"); give what "
			   "'kmemlab replay -o' wrote");
	if (!strcmp(schema, REPORT_RESULT_SCHEMA))
		return true;
	snprintf(c->error, REPORT_ERROR_BYTES,
		 "its schema is '%.64s', this kmemlab reads '" REPORT_RESULT_SCHEMA
		 "'; replay the trace again with this version",
		 schema);
	return false;
}

bool report_check(const json_t *root, char *error)
{
	const struct check c = {error, root};
	const json_t *runs = json_object_get(root, "runs");
	const json_t *samples = json_object_get(root, "kernel_samples");
	const json_t *map = json_object_get(root, "pageblocks");
	size_t n = json_array_size(json_object_get(root, "time_ns"));
	size_t i;
	json_t *run;

	if (!json_is_object(root))
		return bad(&c, "it", "is not a JSON object");
	if (!check_schema(&c))
		return false;
	if (!json_is_array(json_object_get(root, "zones")))
		return bad(&c, "zones", "is missing");
	if (!n || n > SAMPLES_MAX)
		return bad(&c, "time_ns", "must hold 1 to 600 sample times");
	if (!json_array_size(runs))
		return bad(&c, "runs", "is missing or empty");
	json_array_foreach (runs, i, run)
		if (!check_run(&c, run, i, n))
			return false;
	n = json_array_size(json_object_get(samples, "time_ns"));
	if (samples && !check_blocks(&c, json_object_get(samples, "free_blocks"), n,
				     "kernel_samples.free_blocks"))
		return false;
	return !map || check_map(&c, map);
}

/* A file name may be any bytes; a report is UTF-8. */
static char *make_utf8(char *label)
{
	json_t *valid = label ? json_string(label) : NULL;

	for (char *c = label; !valid && c && *c; c++)
		if (*c & 0x80)
			*c = '?';
	json_decref(valid);
	return label;
}

static char *label_of(const char *path)
{
	const char *base = strrchr(path, '/');
	base = base ? base + 1 : path;
	size_t len = strlen(base);

	if (!strcmp(path, "-"))
		return strdup("standard input");
	if (len > 5 && !strcmp(base + len - 5, ".json"))
		len -= 5;
	return make_utf8(strndup(base, len));
}

/* Does it begin as a trace does? Leaves @f where it is. */
static bool is_trace(FILE *f)
{
	const uint32_t magic = KMT_MAGIC;
	int first = getc(f);

	/* One character can be put back: JSON does not begin with this one. */
	if (first != (int)(magic & 0xff)) {
		ungetc(first, f);
		return false;
	}
	return getc(f) == (int)(magic >> 8 & 0xff) && getc(f) == (int)(magic >> 16 & 0xff) &&
	       getc(f) == (int)(magic >> 24);
}

/* Nothing to read, also of a directory: ferror() tells. */
static bool is_empty(FILE *f)
{
	int first = getc(f);

	if (first == EOF)
		return true;
	ungetc(first, f);
	return false;
}

static json_t *parse(FILE *f, const char *path, char *error, int *err)
{
	json_error_t at;
	json_t *root;

	if (is_trace(f)) {
		*err = -EBADMSG;
		snprintf(error, REPORT_ERROR_BYTES,
			 "cannot use '%s': it is a trace, not a result; run 'kmemlab replay -o "
			 "result.json %s' first",
			 path, path);
		return NULL;
	}
	if (is_empty(f)) {
		*err = ferror(f) ? -errno : -ENODATA;
		snprintf(error, REPORT_ERROR_BYTES, "cannot read '%s': %s", path,
			 ferror(f) ? strerror(-*err) : "it is empty");
		return NULL;
	}
	root = json_loadf(f, 0, &at);
	if (root)
		return root;
	*err = ferror(f) ? -EIO : -EBADMSG;
	snprintf(error, REPORT_ERROR_BYTES, "cannot read '%s': not JSON at line %d: %s", path,
		 at.line, at.text);
	return NULL;
}

int report_load(const char *path, struct report_result *out, char *error)
{
	char why[REPORT_ERROR_BYTES];
	int err = 0;
	FILE *f = strcmp(path, "-") ? fopen(path, "re") : stdin;

	*out = (struct report_result){0};
	if (!f) {
		err = -errno;
		snprintf(error, REPORT_ERROR_BYTES, "cannot open '%s': %s", path, strerror(-err));
		return err;
	}
	out->root = parse(f, path, error, &err);
	if (f != stdin)
		fclose(f);
	if (!out->root)
		return err;
	if (!report_check(out->root, why)) {
		snprintf(error, REPORT_ERROR_BYTES, "cannot use '%s': %.400s", path, why);
		report_result_free(out);
		return -EBADMSG;
	}
	out->label = label_of(path);
	if (out->label)
		return 0;
	report_result_free(out);
	snprintf(error, REPORT_ERROR_BYTES, "cannot load '%s': out of memory", path);
	return -ENOMEM;
}

void report_result_free(struct report_result *r)
{
	json_decref(r->root);
	free(r->label);
	*r = (struct report_result){0};
}

json_t *report_run(const json_t *root, const char *name)
{
	size_t i;
	json_t *run;

	json_array_foreach (json_object_get(root, "runs"), i, run)
		if (!strcmp(jstr(run, "name", ""), name))
			return run;
	return NULL;
}

double report_page_bytes(const json_t *root)
{
	double bytes = jnum(json_object_get(root, "host"), "page_bytes");
	if (!(bytes > 0))
		bytes = jnum(json_object_get(root, "host"), "page_size");
	return bytes > 0 ? bytes : 4096;
}
