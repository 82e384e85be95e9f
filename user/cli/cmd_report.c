/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cmd_report.c - kmemlab report: results into one page of HTML, text or JSON. */
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "common/log.h"
#include "common/out.h"
#include "report/report.h"

enum { RESULTS_MAX = 16, COLUMNS_MIN = 80, COLUMNS_MAX = 100 };

enum format {
	FORMAT_HTML,
	FORMAT_TEXT,
	FORMAT_JSON,
};

struct options {
	const char *output;
	enum format format;
	bool force;
	const char *paths[RESULTS_MAX];
	size_t n;
};

static const struct argp_option options[] = {
	{"output", 'o', "FILE", 0,
	 "Write to FILE, '-' is stdout (default: report.html for html, stdout for the others)", 0},
	{"format", 'F', "FORMAT", 0, "html (default), text or json", 0},
	{"force", 'f', NULL, 0, "Replace FILE if it exists", 0},
	{0},
};

static error_t parse_format(struct options *o, const char *name)
{
	static const char *const known[] = {"html", "text", "json"};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (!strcmp(name, known[i])) {
			o->format = (enum format)i;
			return 0;
		}
	return cmd_usage("unknown format '%s'; use html, text or json", name);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'o':
		o->output = arg;
		return 0;
	case 'F':
		return parse_format(o, arg);
	case 'f':
		o->force = true;
		return 0;
	case ARGP_KEY_ARG:
		if (o->n == RESULTS_MAX)
			return cmd_usage("more than %d results; compare fewer at once",
					 RESULTS_MAX);
		o->paths[o->n++] = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		return cmd_usage("no result given; make one with 'kmemlab replay TRACE -o "
				 "result.json'");
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static size_t terminal_columns(void)
{
	struct winsize w = {0};

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) || w.ws_col < COLUMNS_MIN)
		return COLUMNS_MIN;
	return w.ws_col < COLUMNS_MAX ? w.ws_col : COLUMNS_MAX;
}

static int deliver(const struct options *o, const struct report_buf *b)
{
	const char *path = o->output ? o->output : o->format == FORMAT_HTML ? "report.html" : "-";

	if (!strcmp(path, "-")) {
		out_bytes(b->data, b->len);
		return EXIT_DONE;
	}
	int err = report_write(path, b->data, b->len, o->force);
	if (err == -EEXIST)
		log_error("cannot write '%s': it exists; use -f to replace it", path);
	else if (err)
		log_error("cannot write '%s': %s", path, strerror(-err));
	else
		log_info("wrote %s (%.1f KiB)", path, (double)b->len / 1024);
	return err ? EXIT_FAILED : EXIT_DONE;
}

static int render(const struct options *o, const struct report_input *in, struct report_buf *b)
{
	struct report_doc d;
	int err = report_build(&d, in);

	if (!err && o->format == FORMAT_HTML) {
		err = report_html(b, &d, in);
	} else if (!err && o->format == FORMAT_TEXT) {
		report_text(b, &d, terminal_columns());
	} else if (!err) {
		json_t *doc = report_json(&d);
		char *text = doc ? json_dumps(doc, JSON_INDENT(1)) : NULL;
		json_decref(doc);
		err = text ? 0 : -ENOMEM;
		buf_puts(b, text ? text : "");
		buf_puts(b, "\n");
		free(text);
	}
	pool_free(&d.pool);
	return err ? err : b->failed ? -ENOMEM : 0;
}

static int make_report(const struct options *o, const struct report_input *in)
{
	struct report_buf b = {0};
	int err = render(o, in, &b);
	int status = EXIT_FAILED;

	if (err == -EFBIG)
		log_error(
			"cannot make the page: its tables alone exceed %d MiB; give fewer results",
			REPORT_HTML_MAX_BYTES >> 20);
	else if (err)
		log_error("cannot make the report: %s", strerror(-err));
	else
		status = deliver(o, &b);
	buf_free(&b);
	return status;
}

/* Equal file names from different directories would be told apart by nothing. */
static void tell_apart(struct report_result *results, size_t n)
{
	for (size_t i = 1; i < n; i++)
		for (size_t k = 0; k < i; k++) {
			char *label = NULL;
			if (strcmp(results[i].label, results[k].label))
				continue;
			if (asprintf(&label, "%s (%zu)", results[i].label, i + 1) < 0)
				return;
			free(results[i].label);
			results[i].label = label;
		}
}

int cmd_report(int argc, char **argv)
{
	static const struct argp argp = {
		options,
		parse,
		"RESULT.json...",
		"Turn results of 'kmemlab replay' into one report: a verdict, what it rests on, "
		"and "
		"the charts. Several results are shown together."
		"\v'-' as RESULT reads standard input. The page needs no network and no server.",
		NULL,
		NULL,
		NULL,
	};
	struct options o = {0};
	struct report_result results[RESULTS_MAX] = {0};
	char error[REPORT_ERROR_BYTES];
	int status = cmd_parse(&argp, argc, argv, 0, &o);
	size_t n = 0;

	if (status >= 0)
		return status;
	while (n < o.n && !report_load(o.paths[n], &results[n], error))
		n++;
	if (n < o.n) {
		log_error("%s", error);
		status = EXIT_FAILED;
	} else {
		tell_apart(results, n);
		status = make_report(&o, &(struct report_input){results, n});
	}
	for (size_t i = 0; i < n; i++)
		report_result_free(&results[i]);
	return status;
}
