/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cmd_import.c - kmemlab import: text of other tracers into a trace. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/view.h"
#include "common/log.h"
#include "import/import.h"
#include "record/output.h"

struct options {
	const char *path, *output;
	bool force;
};

static const struct argp_option option_list[] = {
	{"output", 'o', "FILE", 0, "Write the trace here (default: trace.kmt)", 0},
	{"force", 'f', NULL, 0, "Overwrite FILE", 0},
	{0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'o':
		o->output = arg;
		return 0;
	case 'f':
		o->force = true;
		return 0;
	case ARGP_KEY_ARG:
		return view_path(&o->path, arg);
	case ARGP_KEY_NO_ARGS:
		return cmd_usage("no text given; try 'perf script | kmemlab import -'");
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	option_list,
	parse,
	"TEXT",
	"Make a trace of what perf script, trace-cmd report or ftrace's trace file print of the "
	"kmem tracepoints: for hosts without BPF.\v"
	"TEXT is a file, or - for standard input. stat, dump, export and advise (of call "
	"sites) read the trace; it cannot be replayed, as text holds no snapshot of memory. "
	"Objects get "
	"numbers in place of their addresses, and so do call sites without a symbol (site-N). What "
	"the tracer tells of losses is counted (perf "
	"tells only if asked to); exit status is 7 if there are any.\n\n"
	"Examples:\n"
	"  perf record -a -e 'kmem:*' sleep 10\n"
	"  perf script --show-lost-events | kmemlab import -o host.kmt -\n"
	"  trace-cmd report | kmemlab import -o host.kmt -\n"
	"  kmemlab import -o host.kmt /sys/kernel/tracing/trace",
	NULL,
	NULL,
	NULL,
};

static void tell(const char *name, const struct import_counts *c)
{
	log_info("imported %" PRIu64 " events from '%s'; passed over: %" PRIu64
		 " of kfree(NULL), %" PRIu64 " other lines",
		 c->events, name, c->nothing, c->other);
	if (c->lost)
		log_warn("the tracer says that it lost %s%" PRIu64 " events%s",
			 c->lost_uncounted ? "at least " : "", c->lost,
			 c->lost_uncounted ? ": it does not always say how many" : "");
	if (c->invalid)
		log_warn("%" PRIu64 " lines name a known event but lack its fields; left out",
			 c->invalid);
	if (c->unordered)
		log_warn("%" PRIu64
			 " events were out of order; moved to the time of the one before",
			 c->unordered);
	if (c->unknown_gfp)
		log_warn("%" PRIu64 " events have gfp flags of unknown names; these are left out",
			 c->unknown_gfp);
}

static int import(const struct options *o, FILE *in, const char *name)
{
	const char *path = o->output ? o->output : "trace.kmt";
	struct import_counts counts;
	struct output out;
	char why[512];
	int err = output_open(&out, path, 0, o->force);

	if (err) {
		log_error("cannot write '%s': %s", path, output_why(&out, err, why, sizeof(why)));
		return EXIT_FAILED;
	}
	err = import_text(in, out.fd, name, &counts);
	if (err) {
		output_discard(&out);
		log_error("cannot import '%s': %s", name,
			  err == -ENODATA
				  ? "it holds no events of kmem tracepoints as perf script, "
				    "trace-cmd report or ftrace print them"
				  : strerror(-err));
		return EXIT_FAILED;
	}
	err = output_commit(&out);
	if (err) {
		log_error("cannot complete '%s': %s", path, strerror(-err));
		return EXIT_FAILED;
	}
	tell(name, &counts);
	return counts.lost ? EXIT_LOST : EXIT_DONE;
}

int cmd_import(int argc, char **argv)
{
	struct options o = {0};
	int status = cmd_parse(&argp, argc, argv, 0, &o);
	bool standard;
	FILE *in;

	if (status >= 0)
		return status;
	standard = !strcmp(o.path, "-");
	in = standard ? stdin : fopen(o.path, "re");
	if (!in) {
		log_error("cannot open '%s': %s", o.path, strerror(errno));
		return errno == EACCES ? EXIT_PERMISSION : EXIT_FAILED;
	}
	status = import(&o, in, standard ? "standard input" : o.path);
	if (!standard)
		fclose(in);
	return status;
}
