/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cmd_replay.c - kmemlab replay: a trace through the reference allocator. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "advise/advise.h"
#include "cli/cmd.h"
#include "cli/view.h"
#include "common/log.h"
#include "common/out.h"
#include "compare/prediction.h"
#include "replay/knobs.h"
#include "replay/result.h"
#include "report/report.h"

enum { KEY_SET = 0x100, KEY_REPRODUCIBLE, KEY_BACKEND, KEY_ADVISE };

struct options {
	const char *path;
	const char *output; /* NULL or "-": standard output */
	bool force, reproducible, advise;
	struct replay_policy policies[REPLAY_POLICIES_MAX];
	unsigned int n;
	struct replay_policy what_if; /* of --set */
	const char *backends[REPLAY_POLICIES_MAX];
	unsigned int nr_backends;
	char *command;
	char *copies[REPLAY_POLICIES_MAX]; /* that the settings of policies point into */
};

static const struct argp_option option_list[] = {
	{"policy", 'p', "POLICY", 0,
	 "Add a variation, NAME:SETTING=VALUE,...; or name observed or reference, and of "
	 "these two only what is named runs (default: both); repeatable",
	 0},
	{"set", KEY_SET, "SETTING=VALUE", 0,
	 "Add a run 'what-if': the reference with this changed; repeatable, all in one run", 0},
	{"backend", KEY_BACKEND, "FILE[:OPTIONS]", 0,
	 "Add a run of your own allocator, a plug-in (kmemlab/backend.h); repeatable", 0},
	{"output", 'o', "FILE", 0, "Write the result here (default: standard output)", 0},
	{"force", 'f', NULL, 0, "Overwrite FILE", 0},
	{"reproducible", KEY_REPRODUCIBLE, NULL, 0,
	 "Leave out speeds: the same trace and settings give the same bytes", 0},
	{"advise", KEY_ADVISE, NULL, 0,
	 "Try settings too, for the advice in the result: up to eight more replays", 0},
	{"json", 'j', NULL, 0, "Print JSON (the default, and the only format)", 0},
	{0},
};

static bool is_standard(const char *name)
{
	return !strcmp(name, "observed") || !strcmp(name, "reference");
}

static bool is_own_name(const char *name)
{
	return is_standard(name) || !strcmp(name, "baseline") || !strcmp(name, "what-if") ||
	       !strcmp(name, KNOB_CONTROL_RUN);
}

static error_t add_setting(struct replay_policy *p, const char *setting)
{
	char error[512];

	if (knob_check(setting, error))
		return cmd_usage("%s", error);
	if (p->nr_settings == sizeof(p->settings) / sizeof(*p->settings))
		return cmd_usage("too many settings for run '%s'", p->name);
	p->settings[p->nr_settings++] = setting;
	return 0;
}

static error_t add_settings(struct replay_policy *p, char *list)
{
	error_t err = 0;

	for (char *s; (s = strsep(&list, ",")) && !err;)
		err = add_setting(p, s);
	return err;
}

static error_t new_policy(struct options *o, const char *name)
{
	if (o->n == REPLAY_POLICIES_MAX - 1)
		return cmd_usage("too many policies; at most %d", REPLAY_POLICIES_MAX - 1);
	if (!*name || strlen(name) >= RUN_NAME_BYTES)
		return cmd_usage("policy name '%.60s' is empty or too long", name);
	for (unsigned int i = 0; i < o->n; i++)
		if (!strcmp(o->policies[i].name, name))
			return cmd_usage("policy '%s' is given twice", name);
	snprintf(o->policies[o->n++].name, RUN_NAME_BYTES, "%s", name);
	return 0;
}

static error_t parse_policy(struct options *o, const char *arg)
{
	char *copy = strdup(arg), *settings = copy;
	char *name = strsep(&settings, ":");
	error_t err;

	if (!copy)
		return ENOMEM;
	if (!settings && !is_standard(name))
		err = cmd_usage("unknown policy '%s'; use observed, reference, or NAME:"
				"SETTING=VALUE",
				name);
	else if (settings && is_own_name(name))
		err = cmd_usage("policy '%s' takes no settings; give the variation another name",
				name);
	else
		err = new_policy(o, name);
	if (err) {
		free(copy);
		return err;
	}
	o->copies[o->n - 1] = copy;
	return settings ? add_settings(&o->policies[o->n - 1], settings) : 0;
}

static error_t add_backend(struct options *o, const char *file)
{
	if (o->nr_backends == REPLAY_POLICIES_MAX)
		return cmd_usage("too many backends; at most %d", REPLAY_POLICIES_MAX);
	o->backends[o->nr_backends++] = file;
	return 0;
}

/*
 * A variation means something beside what it varies, and that beside the kernel: the
 * two run first, unless it was said which of them.
 */
static error_t add_standard(struct options *o)
{
	static const char *const names[] = {"observed", "reference"};

	for (unsigned int i = 0; i < o->n; i++)
		if (is_standard(o->policies[i].name))
			return 0;
	if (o->n > REPLAY_POLICIES_MAX - 3)
		return cmd_usage("too many policies; at most %d", REPLAY_POLICIES_MAX - 3);
	memmove(o->policies + 2, o->policies, o->n * sizeof(*o->policies));
	memset(o->policies, 0, 2 * sizeof(*o->policies));
	o->n += 2;
	for (int i = 0; i < 2; i++)
		snprintf(o->policies[i].name, RUN_NAME_BYTES, "%s", names[i]);
	return 0;
}

static error_t complete(struct options *o)
{
	error_t err = add_standard(o);

	if (!err && o->what_if.nr_settings)
		o->policies[o->n++] = o->what_if;
	for (unsigned int i = 0; i < o->nr_backends && !err; i++) {
		if (o->n == REPLAY_POLICIES_MAX)
			return cmd_usage("too many runs; at most %d", REPLAY_POLICIES_MAX);
		o->policies[o->n++].backend = o->backends[i];
	}
	return err;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'p':
		return parse_policy(o, arg);
	case KEY_SET:
		return add_setting(&o->what_if, arg);
	case KEY_BACKEND:
		return add_backend(o, arg);
	case 'o':
		o->output = arg;
		return 0;
	case 'f':
		o->force = true;
		return 0;
	case KEY_REPRODUCIBLE:
		o->reproducible = true;
		return 0;
	case KEY_ADVISE:
		o->advise = true;
		return 0;
	case 'j':
		return 0;
	case ARGP_KEY_ARG:
		return view_path(&o->path, arg);
	case ARGP_KEY_NO_ARGS:
		return cmd_usage("no trace given; try 'kmemlab replay FILE.kmt'");
	case ARGP_KEY_END:
		return complete(o);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	option_list,
	parse,
	"TRACE",
	"Replay a trace: the kernel's own placement (observed), the reference allocator set up "
	"like the host (reference), and variations of it.\v"
	"TRACE is a .kmt file, or - for standard input. The result is JSON, schema "
	"kmemlab-result/1; 'kmemlab report' turns it into a page.\n\n"
	"Settings: vm.min_free_kbytes, vm.watermark_scale_factor, vm.watermark_boost_factor, "
	"vm.defrag_mode (on, off), vm.percpu_pagelist_high_fraction, "
	"vm.compaction_proactiveness, vm.extfrag_threshold, compact.seed (which pages cannot be"
	" moved: another number, others), page_alloc.shuffle (on, off), "
	"kernel (6.1, 6.12, 6.18, 7.2: how that one behaves), fallback (claim, steal: with what "
	"else 6.1 does), "
	"pageblock_order (1 to 10; at the start each pageblock has the type that was recorded "
	"there; watermarks stay), "
	"mobility (on, off), pcp (on, off), pcp.mode (auto, fixed), pcp.high, pcp.batch, "
	"reclaim (recorded, model), slab.min_order, slab.max_order, slab.min_objects, "
	"slab.cpu_partial (on, off), sheaf.capacity (objects in a sheaf of every cache; 0: "
	"none).\n\n"
	"A run whose min_free_kbytes, watermark_scale_factor or watermark_boost_factor differs "
	"from the recorded one has a model of reclaim, as with reclaim=model: kswapd and direct "
	"reclaim take page cache by that run's own watermarks. Others free what the recorded "
	"kernel freed, and so does reclaim=recorded. Beside such runs one of reclaim=model alone "
	"is made, '" KNOB_CONTROL_RUN "': what they are to be compared with. Settings of slabs "
	"are followed by the replay of slab objects (the run's 'slabs'); the pages asked for are "
	"the recorded ones.\n\n"
	"Examples:\n"
	"  kmemlab replay -o result.json host.kmt\n"
	"  kmemlab replay --set vm.watermark_boost_factor=0 -o result.json host.kmt\n"
	"  kmemlab replay -p small:pcp.high=64 -p old:fallback=steal -o result.json host.kmt\n"
	"  kmemlab replay -p observed -o result.json host.kmt\n"
	"  kmemlab replay --backend ./mine.so:chunk=32 -o result.json host.kmt\n\n"
	"Exit status is 5 if the trace is damaged; intact parts are replayed.",
	NULL,
	NULL,
	NULL,
};

/* ---- Output ------------------------------------------------------------ */

static int write_file(const struct options *o, const char *text)
{
	int err = report_write(o->output, text, strlen(text), o->force);

	if (err == -EEXIST)
		log_error("cannot write '%s': it exists; use -f to overwrite", o->output);
	else if (err)
		log_error("cannot write '%s': %s", o->output, strerror(-err));
	return err ? EXIT_FAILED : EXIT_DONE;
}

/* Whose reclaim it was, and whether it may be believed. */
static void tell_model(const json_t *run)
{
	const char *name = json_string_value(json_object_get(run, "name"));
	json_int_t kswapd, direct, kernel;

	if (!json_unpack(json_object_get(run, "modelled_reclaim"), "{s:I, s:I, s:I}",
			 "kswapd_pages", &kswapd, "direct_pages", &direct, "kernel_pages", &kernel))
		log_info("%s: a model reclaimed %lld pages, the recorded kernel %lld", name,
			 (long long)(kswapd + direct), (long long)kernel);
	warn_unless_prediction(name, run);
}

static void tell_observed(const json_t *w)
{
	json_int_t exact = json_integer_value(json_object_get(w, "exact"));
	json_int_t readings = json_integer_value(json_object_get(w, "readings"));
	json_int_t close = json_integer_value(json_object_get(w, "within_noise"));
	char noise[64] = "";

	if (exact < readings)
		snprintf(noise, sizeof(noise), ", as good as equal in %lld", (long long)close);
	log_info("observed: equal to /proc/buddyinfo in %lld of %lld readings%s, free pages never "
		 "off by more than %lld",
		 (long long)exact, (long long)readings, noise,
		 (long long)json_integer_value(json_object_get(w, "worst_free_pages")));
}

/* What a user wants to know at once. */
static void tell(const json_t *doc)
{
	const json_t *trust = json_object_get(doc, "trust");
	const json_t *w = json_object_get(trust, "witness");
	const char *grade =
		json_string_value(json_object_get(json_object_get(doc, "fidelity"), "grade"));
	size_t i;
	json_t *run;

	log_info("events: %s", json_string_value(json_object_get(trust, "verdict")));
	if (w)
		tell_observed(w);
	if (grade)
		log_info("reference: %s", grade);
	json_array_foreach (json_object_get(doc, "runs"), i, run)
		tell_model(run);
}

static int put_result(const struct options *o, const json_t *doc)
{
	char *text = json_dumps(doc, JSON_COMPACT | JSON_REAL_PRECISION(9));
	int status = EXIT_DONE;

	if (!text) {
		log_error("cannot make the result of '%s': out of memory", o->path);
		return EXIT_FAILED;
	}
	if (!o->output || !strcmp(o->output, "-"))
		out_text("%s\n", text);
	else
		status = write_file(o, text);
	free(text);
	if (status == EXIT_DONE)
		tell(doc);
	return status;
}

static int failed(const struct options *o, int err, const char *error)
{
	log_error("cannot replay '%s': %s", o->path, *error ? error : strerror(-err));
	switch (err) {
	case -EINVAL: /* a setting */
		return EXIT_USAGE;
	case -EBADMSG:
		return EXIT_DAMAGED;
	default:
		return EXIT_FAILED;
	}
}

/* What 'kmemlab advise' says; settings are tried if they are wanted. */
static int add_advice(const struct options *o, struct trace_reader *r, json_t *doc, char *error)
{
	char judged[ADVICE_JUDGED_BYTES] = "";
	struct advices all = {0};
	int err = trace_reader_rewind(r);

	if (!err)
		err = advise_sites(&all, r);
	if (!err)
		err = advise_culprits(&all, doc);
	if (!err && o->advise)
		err = trace_reader_rewind(r);
	if (!err && o->advise)
		err = advise_settings(&all, r, false, judged, error);
	advices_sort(&all);
	if (!err)
		json_object_set_new(doc, "advice", advices_json(&all, judged));
	advices_free(&all);
	return err;
}

static int replay(const struct options *o, struct replay *p, struct trace_reader *r)
{
	struct result_options ro = {o->command, o->path, o->reproducible, true};
	char error[512];
	int err = replay_open(p, r, o->policies, o->n, error);
	int status;
	json_t *doc;

	if (err)
		return failed(o, err, error);
	err = replay_events(p, error);
	if (err)
		return failed(o, err, err == -EPROTO ? error : "");
	doc = result_build(p, &ro);
	*error = '\0';
	err = doc ? add_advice(o, r, doc, error) : 0;
	status = err ? failed(o, err, error) : put_result(o, doc);
	json_decref(doc);
	return status;
}

static char *join(int argc, char **argv)
{
	char *text;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	for (int i = 0; i < argc; i++)
		fprintf(f, "%s%s", i ? " " : "", argv[i]);
	fclose(f);
	return text;
}

static int run(struct options *o, struct replay *p)
{
	struct view v;
	int status;

	/* Said before the work, not after it. */
	if (o->output && strcmp(o->output, "-") != 0 && !o->force && !access(o->output, F_OK)) {
		log_error("cannot write '%s': it exists; use -f to overwrite", o->output);
		return EXIT_FAILED;
	}
	status = view_open(&v, o->path);
	if (status >= 0)
		return status;
	status = replay(o, p, v.reader);
	replay_close(p);
	return view_close(&v, status);
}

int cmd_replay(int argc, char **argv)
{
	struct options *o = calloc(1, sizeof(*o));
	struct replay *p = calloc(1, sizeof(*p));
	int status = EXIT_FAILED;

	if (o && p) {
		o->command = join(argc, argv);
		snprintf(o->what_if.name, sizeof(o->what_if.name), "what-if");
		status = cmd_parse(&argp, argc, argv, 0, o);
		if (status < 0)
			status = run(o, p);
	} else {
		log_error("cannot replay: out of memory");
	}
	for (unsigned int i = 0; o && i < REPLAY_POLICIES_MAX; i++)
		free(o->copies[i]);
	if (o)
		free(o->command);
	free(o);
	free(p);
	return status;
}
