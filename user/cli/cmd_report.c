/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cmd_report.c - kmemlab report: results into one page of HTML, text, Markdown or JSON. */
#include <argp.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/report_out.h"
#include "common/log.h"

enum { RESULTS_MAX = 16 };

struct options {
	const char *output;
	enum report_format format;
	bool force;
	const char *paths[RESULTS_MAX];
	size_t n;
};

static const struct argp_option options[] = {
	{"output", 'o', "FILE", 0,
	 "Write to FILE, '-' is stdout (default: report.html for html, stdout for the others)", 0},
	{"format", 'F', "FORMAT", 0, "html (default), text, md or json", 0},
	{"force", 'f', NULL, 0, "Replace FILE if it exists", 0},
	{0},
};

static error_t parse_format(struct options *o, const char *name)
{
	static const char *const known[] = {[REPORT_HTML] = "html",
					    [REPORT_TEXT] = "text",
					    [REPORT_MARKDOWN] = "md",
					    [REPORT_JSON] = "json"};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (!strcmp(name, known[i])) {
			o->format = (enum report_format)i;
			return 0;
		}
	return cmd_usage("unknown format '%s'; use html, text, md or json", name);
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
		report_tell_apart(results, n);
		status = report_out(&(struct report_input){results, n, NULL}, o.format,
				    o.output		      ? o.output
				    : o.format == REPORT_HTML ? "report.html"
							      : "-",
				    o.force);
	}
	for (size_t i = 0; i < n; i++)
		report_result_free(&results[i]);
	return status;
}
