/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cmd_pages.c - kmemlab pages: what physical memory is used for, and what changed. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "census/census.h"
#include "cli/cmd.h"
#include "common/log.h"
#include "common/out.h"

struct options {
	const char *path[2];
	unsigned int n;
	enum out_format format;
};

static const struct argp_option option_list[] = {
	{"json", 'j', NULL, 0, "Print JSON: to be compared with later", 0},
	{"csv", 'c', NULL, 0, "Print CSV", 0},
	{0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'j':
		o->format = OUT_JSON;
		return 0;
	case 'c':
		o->format = OUT_CSV;
		return 0;
	case ARGP_KEY_ARG:
		if (o->n == 2)
			return cmd_usage("at most two censuses: before and after");
		o->path[o->n++] = arg;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	option_list,
	parse,
	"[BEFORE.json [AFTER.json]]",
	"Count physical memory by what it is used for and by page flag.\v"
	"Without arguments: this host, now. With one census, made with --json before: what has "
	"changed since. With two: what changed between them. A page is of one kind, and may "
	"carry many flags.\n\n"
	"Examples:\n"
	"  kmemlab pages\n"
	"  kmemlab pages --json >before.json; make -j8; kmemlab pages before.json",
	NULL,
	NULL,
	NULL,
};

static int read_census(struct census *c, const char *path)
{
	json_error_t error;
	json_t *doc = json_load_file(path, 0, &error);
	int err = doc ? census_load(c, doc) : -EBADMSG;

	json_decref(doc);
	if (!err)
		return EXIT_DONE;
	if (access(path, R_OK))
		log_error("cannot read '%s': %s", path, strerror(errno));
	else
		log_error("'%s' is not a census; make one with 'kmemlab pages --json'", path);
	return EXIT_FAILED;
}

static int take_census(struct census *c)
{
	int err = census_take(c);

	if (!err)
		return EXIT_DONE;
	log_error("cannot read '/proc/kpageflags': %s%s", strerror(-err),
		  err == -EACCES || err == -EPERM ? "; run as root" : "");
	return err == -EACCES || err == -EPERM ? EXIT_PERMISSION : EXIT_KERNEL;
}

/* ---- Tables -------------------------------------------------------------- */

struct part {
	const char *title, *key;
	const struct census_name *names;
	const uint64_t *before, *after; /* before: NULL if nothing is compared */
	size_t n;
};

static const struct out_column plain[] = {
	{"", "name", OUT_STRING},	    {"pages", "pages", OUT_UINT},
	{"memory", "bytes", OUT_BYTES},	    {"%", "percent", OUT_PERCENT},
	{"what it is", "what", OUT_STRING},
};
static const struct out_column changes[] = {
	{"", "name", OUT_STRING},	    {"before", "before", OUT_UINT},
	{"after", "after", OUT_UINT},	    {"change", "change", OUT_INT},
	{"what it is", "what", OUT_STRING},
};
enum { COLUMNS = 5 };

static uint64_t memory(const struct part *p, const uint64_t *pages)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < p->n && p->names == census_kinds; i++)
		if (i != CENSUS_HOLE)
			sum += pages[i];
	return sum;
}

static int add_row(struct out_table *t, const struct part *p, size_t i, uint64_t all)
{
	const struct census_name *name = &p->names[i];
	uint64_t pages = p->after[i];
	union out_value row[COLUMNS] = {{.s = name->name}};

	row[4].s = name->meaning;
	if (p->before) {
		row[1].u = p->before[i];
		row[2].u = pages;
		row[3].i = (int64_t)(pages - p->before[i]);
		return out_table_row(t, row);
	}
	row[1].u = pages;
	row[2].u = pages * (uint64_t)sysconf(_SC_PAGESIZE);
	row[3].f = all ? 100.0 * (double)pages / (double)all : 0;
	return out_table_row(t, row);
}

static int print_part(const struct part *p, uint64_t all, enum out_format format)
{
	struct out_table *t = out_table_new(p->key, p->before ? changes : plain, COLUMNS);
	int err = t ? 0 : -ENOMEM;

	for (size_t i = 0; i < p->n && !err; i++)
		if (p->names[i].name && (p->after[i] || (p->before && p->before[i])) &&
		    !(p->names == census_kinds && i == CENSUS_HOLE))
			err = add_row(t, p, i, all);
	if (!err && format == OUT_TEXT)
		out_text("== %s\n", p->title);
	if (!err)
		err = out_table_print(t, format);
	if (format == OUT_TEXT)
		out_text("\n");
	out_table_free(t);
	return err;
}

static int print(const struct options *o, const struct census *before, const struct census *after)
{
	const struct part parts[] = {
		{"pages by kind", "kinds", census_kinds, before ? before->kind : NULL, after->kind,
		 CENSUS_KINDS},
		{"pages by flag", "flags", census_flags, before ? before->flag : NULL, after->flag,
		 CENSUS_FLAGS},
	};
	uint64_t all = memory(&parts[0], after->kind);
	int err = 0;

	if (o->format == OUT_JSON)
		return out_json(census_json(after));
	for (size_t i = 0; i < 2 && !err; i++)
		err = print_part(&parts[i], all, o->format);
	return err;
}

int cmd_pages(int argc, char **argv)
{
	static struct census before, after;
	struct options o = {0};
	int status = cmd_parse(&argp, argc, argv, 0, &o);

	if (status >= 0)
		return status;
	status = o.n ? read_census(&before, o.path[0]) : EXIT_DONE;
	if (status == EXIT_DONE)
		status = o.n == 2 ? read_census(&after, o.path[1]) : take_census(&after);
	if (status != EXIT_DONE)
		return status;
	if (!print(&o, o.n ? &before : NULL, &after))
		return EXIT_DONE;
	log_error("cannot print the census: out of memory");
	return EXIT_FAILED;
}
