/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cmd_sweep.c - kmemlab sweep: a grid of settings over traces. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "cli/options.h"
#include "common/log.h"
#include "sweep/sweep.h"
#include "sweep/table.h"

enum { KEY_SHARD = 0x100, KEY_MERGE, KEY_RANK, TRACES_MAX = 1024, WORKERS_MAX = 512 };

struct options {
	struct sweep sweep;
	struct sweep_view view;
	const char *args[TRACES_MAX]; /* traces, or directories to merge */
	size_t n;
	bool merge, lines;
};

static const struct argp_option option_list[] = {
	{"grid", 'g', "SETTING=V,V...", 0,
	 "Try these values; several grids make all combinations (settings: 'kmemlab help replay')",
	 0},
	{"output", 'o', "DIR", 0, "Where jobs leave their lines; what is there is not done again",
	 0},
	{"jobs", 'j', "N", 0, "Processes at a time (default: one a CPU)", 0},
	{"shard", KEY_SHARD, "I/N", 0, "Only every Nth job, from the Ith on: for N machines", 0},
	{"merge", KEY_MERGE, NULL, 0, "Arguments are directories of shards: rank all of it", 0},
	{"rank", KEY_RANK, "MEASURE", 0, "Rank by this (default: unusable[9])", 0},
	{"measure", 'm', "NAME", 0, "A column of the table, or of json; repeatable", 0},
	{"format", 'F', "FORMAT", 0, "text (default), md, csv, json, or jsonl: a line a cell", 0},
	{0},
};

static error_t parse_format(struct options *o, const char *name)
{
	o->lines = !strcmp(name, "jsonl");
	return o->lines ? 0 : option_format(name, " or jsonl", &o->view.format);
}

static error_t parse_shard(struct options *o, const char *text)
{
	unsigned int i, n;
	char rest;

	if (sscanf(text, "%u/%u%c", &i, &n, &rest) != 2 || !i || i > n || n > 1000000)
		return cmd_usage("shard '%s' is not I/N with I from 1 to N", text);
	o->sweep.shard = i - 1;
	o->sweep.shards = n;
	return 0;
}

static error_t parse_jobs(struct options *o, const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (end == text || *end || !n || n > WORKERS_MAX)
		return cmd_usage("'%s' jobs: a number from 1 to %d", text, WORKERS_MAX);
	o->sweep.workers = (unsigned int)n;
	return 0;
}

static error_t parse_grid(struct options *o, const char *text)
{
	char error[512] = "out of memory";

	return grid_add(&o->sweep.grid, text, error) ? cmd_usage("%s", error) : 0;
}

static error_t complete(const struct options *o)
{
	if (!o->n)
		return cmd_usage(o->merge ? "no directory given to merge"
					  : "no trace given; try 'kmemlab sweep -o DIR --grid "
					    "vm.watermark_boost_factor=0,15000 FILE.kmt'");
	if (!o->merge && !o->sweep.dir)
		return cmd_usage("no output directory given; use -o DIR");
	if (o->merge && (o->sweep.dir || o->sweep.grid.axes))
		return cmd_usage("--merge takes neither -o nor --grid");
	if (!grid_cells(&o->sweep.grid))
		return cmd_usage("more than %d combinations", GRID_CELLS_MAX);
	return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'g':
		return parse_grid(o, arg);
	case 'o':
		o->sweep.dir = arg;
		return 0;
	case 'j':
		return parse_jobs(o, arg);
	case KEY_SHARD:
		return parse_shard(o, arg);
	case KEY_MERGE:
		o->merge = true;
		return 0;
	case KEY_RANK:
		return option_measure(arg, &o->view.rank);
	case 'm':
		return option_add_measure(arg, &o->view.measures);
	case 'F':
		return parse_format(o, arg);
	case ARGP_KEY_ARG:
		if (o->n == TRACES_MAX)
			return cmd_usage("more than %d traces", TRACES_MAX);
		o->args[o->n++] = arg;
		return 0;
	case ARGP_KEY_END:
		return complete(o);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	option_list,
	parse,
	"TRACE...\n--merge DIR...",
	"Replay traces with every combination of settings, and rank what they change.\v"
	"Each combination is held against the reference on the same trace; the table shows the "
	"median change and its range over the traces. Jobs leave one file each in DIR, so a sweep "
	"that was stopped goes on where it was, and shards on several machines need nothing but "
	"their files in one place. The outcome is the same bytes however the work was shared.\n\n"
	"Examples:\n"
	"  kmemlab sweep -o out --grid vm.watermark_boost_factor=0,15000 --grid pcp.high=64,1024 "
	"*.kmt\n"
	"  kmemlab sweep -o out --shard $SLURM_ARRAY_TASK_ID/16 --grid ... *.kmt\n"
	"  kmemlab sweep --merge out1 out2\n\n"
	"Exit status is 5 if a trace is damaged; intact parts are replayed.",
	NULL,
	NULL,
	NULL,
};

static int show(const struct options *o, const char *const *dirs, size_t n)
{
	char *text = NULL;
	size_t bytes = 0;
	FILE *f = open_memstream(&text, &bytes);
	long lines = f ? sweep_merge(dirs, n, f) : -ENOMEM;
	int err = 0;

	if (f && fclose(f) && lines >= 0)
		lines = -ENOMEM;
	if (lines > 0 && o->lines)
		out_bytes(text, bytes);
	else if (lines > 0)
		err = sweep_table(&o->view, text);
	free(text);
	if (!lines)
		log_warn("nothing to rank: no job is done");
	if (err)
		log_error("cannot rank the sweep: %s",
			  err == -EBADMSG ? "a job's file is damaged; delete it and run again"
					  : strerror(-err));
	return lines < 0 || err ? EXIT_FAILED : EXIT_DONE;
}

static int run(struct options *o)
{
	struct sweep_outcome out = {0};
	int err, status;

	if (o->merge)
		return show(o, o->args, o->n);
	o->sweep.traces = o->args;
	o->sweep.nr_traces = o->n;
	err = sweep_run(&o->sweep, &out);
	log_info("sweep: %zu jobs done, %zu were done before, %zu failed", out.done, out.skipped,
		 out.failed);
	if (err || out.failed)
		return EXIT_FAILED;
	status = show(o, &o->sweep.dir, 1);
	return status == EXIT_DONE && out.damaged ? EXIT_DAMAGED : status;
}

int cmd_sweep(int argc, char **argv)
{
	struct options *o = calloc(1, sizeof(*o));
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	int status;

	if (!o) {
		log_error("cannot sweep: out of memory");
		return EXIT_FAILED;
	}
	o->sweep.shards = 1;
	o->sweep.workers = cpus > 0 && cpus < WORKERS_MAX ? (unsigned int)cpus : 1;
	o->view.rank = measure_find("unusable[9]", 11);
	status = cmd_parse(&argp, argc, argv, 0, o);
	if (!o->view.measures)
		for (size_t i = 0; i < MEASURES; i++)
			if (measures[i].better || i == o->view.rank || o->view.format == OUT_JSON ||
			    o->view.format == OUT_CSV)
				o->view.measures |= 1u << i;
	if (status < 0)
		status = run(o);
	grid_free(&o->sweep.grid);
	free(o);
	return status;
}
