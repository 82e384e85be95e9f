/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cmd_advise.c - kmemlab advise: what the evidence of a trace suggests. */
#include <errno.h>
#include <string.h>

#include <jansson.h>

#include "advise/advise.h"
#include "cli/cmd.h"
#include "cli/view.h"
#include "common/log.h"
#include "common/out.h"

enum { KEY_NO_REPLAY = 0x100, TEXT_AT = 10 /* column of "why" and "check" */ };

struct options {
	const char *path;
	bool json, no_replay;
};

static const struct argp_option option_list[] = {
	{"json", 'j', NULL, 0, "Print JSON", 0},
	{"no-replay", KEY_NO_REPLAY, NULL, 0,
	 "Judge call sites only, not pageblocks and settings: quicker", 0},
	{0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'j':
		o->json = true;
		return 0;
	case KEY_NO_REPLAY:
		o->no_replay = true;
		return 0;
	case ARGP_KEY_ARG:
		if (!strcmp(arg, "-"))
			return cmd_usage("the trace is read more than once; give a file, not '-'");
		return view_path(&o->path, arg);
	case ARGP_KEY_NO_ARGS:
		return cmd_usage("no trace given; try 'kmemlab advise FILE.kmt'");
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	option_list,
	parse,
	"TRACE",
	"Say what a trace suggests: call sites that another way of allocating would suit better, "
	"pages that deny pageblocks to large requests, and settings that help in a replay.\v"
	"Every piece of advice has its numbers, how sure it is (high, medium, low), and how to "
	"check it. A trace cannot tell whether a device needs contiguous memory, or which counters "
	"CPUs share: that takes reading the code. Where requests that may not block came from it "
	"tells as far as the kernel counts: interrupts, preemption off, RCU readers; not that "
	"interrupts alone were off. Callers that expect a failure (__GFP_NOWARN, __GFP_NORETRY) "
	"get "
	"no advice about it.\n\n"
	"Example:\n"
	"  kmemlab record -o host.kmt -d 60s && kmemlab advise host.kmt",
	NULL,
	NULL,
	NULL,
};

static void print_text(const struct advices *all, const char *judged)
{
	for (size_t i = 0; i < all->n; i++) {
		const struct advice *a = &all->at[i];

		out_text("%zu. ", i + 1);
		out_wrapped(3, a->what);
		out_text("\n   why:   ");
		out_wrapped(TEXT_AT, a->evidence);
		out_text("\n   sure:  %s\n   check: ", advice_sure_name(a->sure));
		out_wrapped(TEXT_AT, a->check);
		out_text("\n\n");
	}
	if (!all->n)
		out_text("Nothing in this trace suggests a change.\n");
	if (*judged) {
		out_wrapped(0, judged);
		out_text("\n");
	}
}

static int advise(const struct options *o, struct view *v)
{
	struct advices all = {0};
	char judged[ADVICE_JUDGED_BYTES] = "", error[512] = "";
	int err = advise_sites(&all, v->reader);

	if (!err && !o->no_replay)
		err = trace_reader_rewind(v->reader);
	if (!err && !o->no_replay)
		err = advise_settings(&all, v->reader, true, judged, error);
	if (err == -ENODATA) {
		snprintf(judged, sizeof(judged), "settings were not judged: %.200s", error);
		err = 0;
	}
	advices_sort(&all);
	if (!err && o->json)
		err = out_json(advices_json(&all, judged));
	else if (!err)
		print_text(&all, judged);
	advices_free(&all);
	if (!err)
		return EXIT_DONE;
	if (!*error)
		return view_read_failed(v, err);
	log_error("cannot replay '%s': %s", v->name, error);
	return EXIT_FAILED;
}

int cmd_advise(int argc, char **argv)
{
	struct options o = {0};
	struct view v;
	int status = cmd_parse(&argp, argc, argv, 0, &o);

	if (status >= 0)
		return status;
	status = view_open(&v, o.path);
	if (status >= 0)
		return status;
	return view_close(&v, advise(&o, &v));
}
