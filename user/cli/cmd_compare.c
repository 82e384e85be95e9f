/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cmd_compare.c - kmemlab compare: runs side by side, with spread and gates. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/compare_print.h"
#include "cli/options.h"
#include "common/log.h"
#include "common/out.h"
#include "compare/faithful.h"
#include "compare/prediction.h"
#include "replay/knobs.h"
#include "report/report.h"

enum { KEY_BASE = 0x100, KEY_FAIL_IF, KEY_LIST, KEY_RANK, GATES_MAX = 16 };

struct options {
	const char *run;  /* which run of each result */
	const char *base; /* name of the base group; NULL: the first */
	struct compare_view view;
	struct gate gates[GATES_MAX];
	size_t nr_gates;
	char *args[GROUPS_MAX]; /* "[NAME=]FILE,..." */
	size_t nr_args;
	bool list;
	struct group *groups; /* [GROUPS_MAX] */
	size_t n;
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
	{"format", 'F', "FORMAT", 0, "text (default), md, json or csv", 0},
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

static error_t add_argument(struct options *o, char *arg)
{
	if (o->nr_args == GROUPS_MAX)
		return cmd_usage("more than %d groups", GROUPS_MAX);
	o->args[o->nr_args++] = arg;
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
		return option_format(arg, "", &o->view.format);
	case KEY_LIST:
		o->list = true;
		return 0;
	case ARGP_KEY_ARG:
		return add_argument(o, arg);
	case ARGP_KEY_END:
		return o->nr_args || o->list
			       ? 0
			       : cmd_usage("no result given; make one with 'kmemlab replay TRACE "
					   "-o result.json'");
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
	"'*' marks what differs by more.\n\n"
	"Examples:\n"
	"  kmemlab compare result.json\n"
	"  kmemlab compare before=a1.json,a2.json after=b1.json,b2.json\n"
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
	for (size_t i = 0; i < o->n; i++)
		if (!strncmp(o->groups[i].name, name, GROUP_NAME_BYTES - 1))
			return &o->groups[i];
	if (o->n == GROUPS_MAX) {
		log_error("cannot compare more than %d groups", GROUPS_MAX);
		return NULL;
	}
	strncpy(o->groups[o->n].name, name, GROUP_NAME_BYTES - 1);
	return &o->groups[o->n++];
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

static bool add_file(struct options *o, const char *group, const char *file)
{
	struct report_result result;
	char error[REPORT_ERROR_BYTES];
	json_t *run;
	bool ok;

	if (report_load(file, &result, error)) {
		log_error("%s", error);
		return false;
	}
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
	report_result_free(&result);
	return ok;
}

/* "NAME=FILE,..." or "FILE,...", which is named by its first file. */
static bool add_argument_files(struct options *o, char *arg)
{
	char *list = strchr(arg, '='), *slash = strchr(arg, '/');
	const char *name = arg;
	char *files = arg;
	bool ok = true;

	if (list && (!slash || list < slash)) {
		*list = '\0';
		files = list + 1;
	} else {
		name = strrchr(arg, '/') ? strrchr(arg, '/') + 1 : arg;
	}
	name = strndup(name, strcspn(name, ","));
	while (ok && name && files)
		ok = add_file(o, o->nr_args > 1 ? name : NULL, strsep(&files, ","));
	free((char *)name);
	return ok;
}

static bool find_base(struct options *o)
{
	for (size_t i = 0; i < o->n; i++)
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

	for (size_t i = 0; i < o->n; i++)
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

	for (size_t k = 0; k < o->n; k++) {
		if (k == o->view.base && (gate->of != GATE_VALUE || o->n > 1))
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
		  o->n > 1 ? "no group beside the base has that figure"
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

static int compare(struct options *o)
{
	for (size_t i = 0; i < o->nr_args; i++)
		if (!add_argument_files(o, o->args[i]))
			return EXIT_FAILED;
	for (size_t i = 0; i < o->n; i++)
		group_sum_up(&o->groups[i]);
	if (!find_base(o))
		return EXIT_USAGE;
	warn_of_models(o);
	if (compare_print(&o->view, o->groups, o->n)) {
		log_error("cannot print the comparison: out of memory");
		return EXIT_FAILED;
	}
	return check_gates(o);
}

int cmd_compare(int argc, char **argv)
{
	struct options o = {.run = "observed", .view = {.rank = measure_find("unusable[9]", 11)}};
	int status = cmd_parse(&argp, argc, argv, 0, &o);

	if (status >= 0)
		return status;
	if (o.list)
		return compare_list();
	o.groups = calloc(GROUPS_MAX, sizeof(*o.groups));
	if (!o.groups) {
		log_error("cannot compare: out of memory");
		return EXIT_FAILED;
	}
	status = compare(&o);
	free(o.groups);
	return status;
}
