/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cmd_compare.c - kmemlab compare: runs side by side, with spread and gates. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/compare_print.h"
#include "cli/options.h"
#include "cli/report_out.h"
#include "common/log.h"
#include "common/out.h"
#include "common/utf8.h"
#include "compare/faithful.h"
#include "compare/gate.h"
#include "compare/given.h"
#include "compare/prediction.h"
#include "replay/knobs.h"

/* The form that is no table. */
enum { OUT_HTML = OUT_MARKDOWN + 1 };
enum { KEY_BASE = 0x100, KEY_FAIL_IF, KEY_LIST, KEY_RANK, GATES_MAX = 16, DURATIONS_PERCENT = 5 };

struct options {
	const char *run;  /* which run of each result */
	const char *base; /* name of the base group; NULL: the first */
	struct comparison view;
	enum out_format format; /* or OUT_HTML */
	const char *output;
	bool force;
	struct given given;
	double shortest_s, longest_s; /* of the results' traces */
	struct gate gates[GATES_MAX];
	size_t nr_gates;
	char *args[GROUPS_MAX]; /* "[NAME=]FILE,..." */
	size_t nr_args;
	bool list;
	struct group *groups;			  /* [GROUPS_MAX], of which view.n */
	struct report_result results[GROUPS_MAX]; /* the first of each argument, but for CSV */
	size_t nr_results;
};

static const struct argp_option option_list[] = {
	{"run", 'r', "NAME", 0,
	 "Of several groups, compare this run of each result (default: observed)", 0},
	{"base", KEY_BASE, "GROUP", 0, "What the others are held against (default: the first)", 0},
	{"measure", 'm', "NAME", 0, "Only this measure; repeatable", 0},
	{"rank", KEY_RANK, "MEASURE", 0, "Rank groups by this (default: unusable[9])", 0},
	{"fail-if", KEY_FAIL_IF, "CONDITION", 0,
	 "Exit with status 6 if a group meets it: 'unusable[9]>30', 'fallbacks>+100' (change), "
	 "'large<-5%' (relative change); repeatable",
	 0},
	{"format", 'F', "FORMAT", 0, "text (default), md, json, csv, or html: a page with charts",
	 0},
	{"output", 'o', "FILE", 0,
	 "With html: write to FILE, '-' is stdout (default: compare.html)", 0},
	{"force", 'f', NULL, 0, "Replace FILE if it exists", 0},
	{"list", KEY_LIST, NULL, 0, "List the measures", 0},
	{0},
};

static error_t add_gate(struct options *o, const char *text)
{
	char error[256];

	if (o->nr_gates == GATES_MAX)
		return cmd_usage("more than %d conditions", GATES_MAX);
	if (gate_parse(&o->gates[o->nr_gates], text, error))
		return cmd_usage("%s", error);
	o->nr_gates++;
	return 0;
}

/* "NAME=" and "=FILE", ",FILE" and "FILE," leave something out. */
static bool is_complete(const char *arg)
{
	size_t n = strlen(arg);
	const char *list = strchr(arg, '=');

	return n && *arg != '=' && *arg != ',' && arg[n - 1] != ',' && arg[n - 1] != '=' &&
	       !strstr(arg, ",,") && (!list || list[1] != ',');
}

static error_t add_argument(struct options *o, char *arg)
{
	if (!is_complete(arg))
		return cmd_usage("'%s' lacks a name or a file; write NAME=FILE[,FILE...]", arg);
	if (o->nr_args == GROUPS_MAX)
		return cmd_usage("more than %d groups", GROUPS_MAX);
	o->args[o->nr_args++] = arg;
	return 0;
}

static error_t parse_format(struct options *o, const char *name)
{
	if (strcmp(name, "html") != 0)
		return option_format(name, ", html", &o->format);
	o->format = (enum out_format)OUT_HTML;
	return 0;
}

static error_t complete(const struct options *o)
{
	if (!o->nr_args && !o->list)
		return cmd_usage("no result given; make one with 'kmemlab replay TRACE -o "
				 "result.json'");
	if (o->output && (int)o->format != OUT_HTML)
		return cmd_usage("--output goes with --format html; the others go to stdout");
	return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'r':
		o->run = arg;
		return 0;
	case KEY_BASE:
		o->base = arg;
		return 0;
	case 'm':
		return option_add_measure(arg, &o->view.measures);
	case KEY_RANK:
		return option_measure(arg, &o->view.rank);
	case KEY_FAIL_IF:
		return add_gate(o, arg);
	case 'F':
		return parse_format(o, arg);
	case 'o':
		o->output = arg;
		return 0;
	case 'f':
		o->force = true;
		return 0;
	case KEY_LIST:
		o->list = true;
		return 0;
	case ARGP_KEY_ARG:
		return add_argument(o, arg);
	case ARGP_KEY_END:
		return complete(o);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	option_list,
	parse,
	"[NAME=]RESULT.json[,RESULT.json...]...",
	"Compare results of 'kmemlab replay', figure by figure.\v"
	"One group of results: its runs (policies) are compared with one another. Several "
	"groups, such as two hosts, or before and after: one run of each (--run). Results "
	"joined by commas are repetitions, and show how much a figure varies by itself: "
	"'*' marks what differs by more. A group without a name has its first file's, with its "
	"folders where another group has that name; equal names are one group. Counts are of whole "
	"traces: a warning says where these "
	"differ in duration by more than 5 %. Below stands how free memory and its unusable share "
	"differ from the base over time (of repetitions the first): mean, largest and when, and "
	"since when they stay apart; JSON has every sample, CSV has figures alone.\n\n"
	"Examples:\n"
	"  kmemlab compare result.json\n"
	"  kmemlab compare before=a1.json,a2.json after=b1.json,b2.json\n"
	"  kmemlab compare -F html -o hosts.html one=host1.json two=host2.json\n"
	"  kmemlab compare --run what-if --fail-if 'unusable[9]>+5' old.json new.json\n\n"
	"Exit status is 6 if a --fail-if condition is met, 1 if no group has its figure.",
	NULL,
	NULL,
	NULL,
};

/* ---- Groups -------------------------------------------------------------- */

/* The group of that name, made if need be; NULL: said why not. */
static struct group *group_named(struct options *o, const char *name)
{
	for (size_t i = 0; i < o->view.n; i++)
		if (!strncmp(o->groups[i].name, name, GROUP_NAME_BYTES - 1))
			return &o->groups[i];
	if (o->view.n == GROUPS_MAX) {
		log_error("cannot compare more than %d groups", GROUPS_MAX);
		return NULL;
	}
	strncpy(o->groups[o->view.n].name, name, GROUP_NAME_BYTES - 1);
	return &o->groups[o->view.n++];
}

static bool add_run(struct options *o, const char *group, const json_t *run)
{
	struct group *g = group_named(o, group);

	if (!g)
		return false;
	warn_unless_prediction(group, run);
	if (group_add(g, run))
		return true;
	log_error("cannot compare more than %d runs of '%s'", GROUP_RUNS_MAX, group);
	return false;
}

static bool add_all_runs(struct options *o, const json_t *root)
{
	const json_t *runs = json_object_get(root, "runs");
	bool ok = true;
	json_t *run;
	size_t i;

	json_array_foreach (runs, i, run)
		ok = ok && add_run(o, json_string_value(json_object_get(run, "name")), run);
	return ok;
}

static void note_duration(struct options *o, const json_t *root)
{
	const json_t *trace = json_object_get(root, "trace");
	double s = json_number_value(json_object_get(trace, "duration_ns")) / 1e9;

	if (s > 0 && (!o->longest_s || s < o->shortest_s))
		o->shortest_s = s;
	if (s > o->longest_s)
		o->longest_s = s;
}

/* Counts are of a whole trace. */
static void warn_of_durations(const struct options *o)
{
	if (o->longest_s > o->shortest_s * (1 + DURATIONS_PERCENT / 100.0))
		log_warn(
			"the traces took from %.3g to %.3g s: what is a count (no unit) grows with "
			"the time, and so do conditions on it",
			o->shortest_s, o->longest_s);
}

/* For what goes over time: the first of each argument, named after its group. */
static bool keep(struct options *o, struct report_result *result, const char *group)
{
	char *label = group ? strdup(group) : NULL;

	if (group && !label) {
		report_result_free(result);
		return false;
	}
	if (group) {
		free(result->label);
		result->label = label;
	}
	o->results[o->nr_results++] = *result;
	return true;
}

static bool add_file(struct options *o, const char *group, const char *file, bool first)
{
	struct report_result result;
	char error[REPORT_ERROR_BYTES];
	json_t *run;
	bool ok;

	if (report_load(file, &result, error)) {
		log_error("%s", error);
		return false;
	}
	note_duration(o, result.root);
	if (!group || strcmp(o->run, "observed") != 0)
		warn_unless_faithful(
			file, json_object_get(json_object_get(result.root, "fidelity"), "grade"));
	run = report_run(result.root, o->run);
	if (!group)
		ok = add_all_runs(o, result.root);
	else if (run)
		ok = add_run(o, group, run);
	else
		ok = false;
	if (group && !run)
		log_error("'%s' has no run '%s'; --run names another", file, o->run);
	if (o->format != OUT_CSV && first)
		return keep(o, &result, group) && ok;
	report_result_free(&result);
	return ok;
}

/* A result that counted twice would make a group vary less than it does. */
static bool is_new(struct options *o, const char *group, const char *file)
{
	int err = given_add(&o->given, group, file);

	if (err == -EEXIST)
		log_error("'%s' is given twice for '%s': give each result once", file, group);
	else if (err)
		log_error("cannot compare: %s", strerror(-err));
	return !err;
}

/* A name as groups keep it: valid UTF-8 that fits. Takes @name. */
static char *as_text(char *name)
{
	char *text = name ? utf8_copy(name) : NULL;
	size_t end = GROUP_NAME_BYTES - 1;

	free(name);
	if (!text || strlen(text) <= end)
		return text;
	while ((text[end] & 0xc0) == 0x80) /* inside a character */
		end--;
	text[end] = '\0';
	return text;
}

/* What to call a group of @files that has no name: its first file, with its folders where
 * that is another group's; free() it. NULL: that is taken too, or there is no memory. */
static char *name_of(const struct options *o, const char *files)
{
	size_t length = strcspn(files, ",");
	char *path = strndup(files, length), *slash = path ? strrchr(path, '/') : NULL;

	if (slash && !given_group(&o->given, slash + 1))
		memmove(path, slash + 1, strlen(slash + 1) + 1);
	else if (path && length >= GROUP_NAME_BYTES) /* the end tells more */
		memmove(path, path + length - (GROUP_NAME_BYTES - 1), GROUP_NAME_BYTES);
	if (path && !given_group(&o->given, path))
		return path;
	log_error("cannot tell '%s' from an earlier group: give it a name, as NAME=FILE",
		  path ? path : files);
	free(path);
	return NULL;
}

/* "NAME=FILE,..." or "FILE,...", which is named by its first file. */
static bool add_argument_files(struct options *o, char *arg)
{
	char *list = strchr(arg, '='), *slash = strchr(arg, '/');
	bool named = list && (!slash || list < slash);
	char *files = named ? list + 1 : arg;
	char *name = as_text(named ? strndup(arg, (size_t)(list - arg)) : name_of(o, arg));
	bool ok = name != NULL, first = true;

	for (; ok && files; first = false) {
		char *file = strsep(&files, ",");

		ok = is_new(o, name, file) &&
		     add_file(o, o->nr_args > 1 ? name : NULL, file, first);
	}
	free(name);
	return ok;
}

static bool find_base(struct options *o)
{
	for (size_t i = 0; i < o->view.n; i++)
		if (o->base ? !strcmp(o->groups[i].name, o->base)
			    : o->nr_args == 1 && !strcmp(o->groups[i].name, "reference")) {
			o->view.base = i;
			return true;
		}
	if (o->base)
		log_error("no group '%s' to hold the others against", o->base);
	return !o->base;
}

/* The model is a part of the difference then. */
static void warn_of_models(const struct options *o)
{
	const struct group *base = &o->groups[o->view.base];

	for (size_t i = 0; i < o->view.n; i++)
		if (o->groups[i].modelled && !base->modelled &&
		    strcmp(o->groups[i].name, KNOB_CONTROL_RUN) != 0)
			log_warn("'%s': reclaim is a model there, and is not in '%s': hold it "
				 "against the run that models the recorded settings "
				 "(--base " KNOB_CONTROL_RUN ")",
				 o->groups[i].name, base->name);
}

/* One condition on all groups but the base, which is judged if it is alone, by its values. */
static int check_gate(const struct options *o, const struct gate *gate)
{
	const char *measure = measures[gate->measure].name;
	int status = EXIT_DONE;
	size_t judged = 0;
	double got;

	for (size_t k = 0; k < o->view.n; k++) {
		if (k == o->view.base && (gate->of != GATE_VALUE || o->view.n > 1))
			continue;
		if (gate_met(gate, &o->groups[k], &o->groups[o->view.base], &got)) {
			log_error("'%s': %s %s %g%s: it is %g", o->groups[k].name, measure,
				  gate->above ? "above" : "below", gate->limit,
				  gate->of == GATE_PERCENT ? " % of the base" : "", got);
			status = EXIT_GATE;
		}
		judged += !isnan(got);
	}
	if (judged)
		return status;
	log_error("cannot judge the condition on %s: %s", measure,
		  o->view.n > 1 ? "no group beside the base has that figure"
				: "there is nothing beside the base");
	return EXIT_FAILED;
}

/* 6 if a condition is met, and says which; 1 if one could not be met by anything. */
static int check_gates(const struct options *o)
{
	int status = EXIT_DONE;

	for (size_t i = 0; i < o->nr_gates; i++) {
		int one = check_gate(o, &o->gates[i]);

		if (status == EXIT_DONE || one == EXIT_GATE)
			status = one == EXIT_DONE ? status : one;
	}
	return status;
}

/* Against what: the base's result comes first. */
static void put_base_first(struct options *o)
{
	const char *base = o->groups[o->view.base].name;

	for (size_t i = 1; i < o->nr_results; i++)
		if (!strcmp(o->results[i].label, base)) {
			struct report_result first = o->results[i];

			o->results[i] = o->results[0];
			o->results[0] = first;
			break;
		}
	report_tell_apart(o->results, o->nr_results);
}

static int print_all(struct options *o)
{
	struct report_input in = {o->results, o->nr_results, &o->view};

	o->view.groups = o->groups;
	o->view.run = o->nr_args > 1 ? o->run : NULL;
	put_base_first(o);
	if ((int)o->format == OUT_HTML)
		return report_out(&in, REPORT_HTML, o->output ? o->output : "compare.html",
				  o->force);
	if (!compare_print(&in, o->format))
		return EXIT_DONE;
	log_error("cannot print the comparison: out of memory");
	return EXIT_FAILED;
}

static int compare(struct options *o)
{
	int status;

	for (size_t i = 0; i < o->nr_args; i++)
		if (!add_argument_files(o, o->args[i]))
			return EXIT_FAILED;
	for (size_t i = 0; i < o->view.n; i++)
		group_sum_up(&o->groups[i]);
	if (!find_base(o))
		return EXIT_USAGE;
	warn_of_models(o);
	warn_of_durations(o);
	status = print_all(o);
	return status == EXIT_DONE ? check_gates(o) : status;
}

static void options_free(struct options *o)
{
	for (size_t i = 0; o && i < o->nr_results; i++)
		report_result_free(&o->results[i]);
	if (o) {
		free(o->given.at);
		free(o->groups);
	}
	free(o);
}

int cmd_compare(int argc, char **argv)
{
	struct options *o = calloc(1, sizeof(*o));
	int status = EXIT_FAILED;

	if (o)
		o->groups = calloc(GROUPS_MAX, sizeof(*o->groups));
	if (o && o->groups) {
		o->run = "observed";
		o->view.rank = measure_find("unusable[9]", 11);
		status = cmd_parse(&argp, argc, argv, 0, o);
		if (status < 0)
			status = o->list ? compare_list() : compare(o);
	} else {
		log_error("cannot compare: out of memory");
	}
	options_free(o);
	return status;
}
