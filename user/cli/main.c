/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* main.c - kmemlab COMMAND: find it, run it, return its exit code. */
#include <argp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cmd.h"
#include "common/log.h"
#include "common/out.h"

static const struct cmd commands[] = {
	{"doctor", "what this host permits, what falls back, how to fix it", cmd_doctor},
	{"record", "record what the kernel's allocators do into a trace", cmd_record},
	{"info", "a trace's host, counts, losses, coverage and snapshots", cmd_info},
	{"stat", "who allocates what: order, type, cache, call site, command", cmd_stat},
	{"dump", "a trace's events as text or JSON lines", cmd_dump},
	{"replay", "run a trace through the reference allocator and variations", cmd_replay},
	{"sweep", "a grid of settings over traces, on all CPUs or many machines", cmd_sweep},
	{"compare", "runs, hosts or policies side by side; pages, gates for CI", cmd_compare},
	{"report", "turn results into a page of HTML, text, Markdown or JSON", cmd_report},
	{"advise", "what a trace suggests changing, with the evidence", cmd_advise},
	{"export", "a trace for other tools: Parquet, CSV, Perfetto, flame graphs", cmd_export},
	{"import", "text of perf script, trace-cmd or ftrace as a trace", cmd_import},
	{"top", "what the allocators do now, live in a terminal", cmd_top},
	{"pages", "what physical memory is used for, by kind and page flag", cmd_pages},
	{NULL, NULL, NULL},
};

static int run(const struct cmd *c, int argc, char **argv)
{
	char name[64];

	snprintf(name, sizeof(name), "kmemlab %s", c->name);
	argv[0] = name;
	return c->run(argc, argv);
}

/* "--help" asks the same as "help"; "help stat" tells all that "stat --help" does, and more. */
static int help(int argc, char **argv)
{
	char *ask[] = {NULL, CMD_MANUAL, NULL};
	const struct cmd *c;

	if (argc < 2)
		return cmd_print_help(commands);
	c = cmd_find(commands, argv[1]);
	return c ? run(c, 2, ask) : cmd_unknown(commands, argv[1]);
}

static bool one_of(const char *word, const char *a, const char *b, const char *c)
{
	return !strcmp(word, a) || !strcmp(word, b) || !strcmp(word, c);
}

static int dispatch(int argc, char **argv)
{
	const struct cmd *c = cmd_find(commands, argv[0]);

	if (c)
		return run(c, argc, argv);
	if (one_of(argv[0], "help", "--help", "-h"))
		return help(argc, argv);
	if (!one_of(argv[0], "version", "--version", "-V"))
		return cmd_unknown(commands, argv[0]);
	out_text("kmemlab %s\n", KMEMLAB_VERSION);
	return EXIT_DONE;
}

int main(int argc, char **argv)
{
	int status;

	argp_err_exit_status = EXIT_USAGE;
	signal(SIGPIPE, SIG_IGN); /* failed writes are reported instead */
	signal(SIGXFSZ, SIG_IGN);
	if (argc < 2) {
		log_error("no command given; see 'kmemlab help'");
		return EXIT_USAGE;
	}
	status = dispatch(argc - 1, argv + 1);
	return out_close() == 0 || status != EXIT_DONE ? status : EXIT_FAILED;
}
