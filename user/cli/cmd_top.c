/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cmd_top.c - kmemlab top: options in, top_run() out. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "common/log.h"
#include "common/nearest.h"
#include "common/units.h"
#include "top/top.h"

enum {
	KEY_BY = 0x100,
	KEY_SORT,
	KEY_TOP,
	KEY_FILTER,
	KEY_SAMPLE,
	DEFAULT_TOP = 20,
	HUGE_ORDER = 9,
	SHIFT_MAX = 10,
	DEFAULT_SHIFT = 6,
	INTERVAL_MIN_NS = 10000000,
	TOP_UNSET = UINT32_MAX,
};

#define INTERVAL_NS 2000000000ull

static const struct argp_option option_list[] = {
	{"batch", 'b', NULL, 0, "Print readings as text, without a terminal", 0},
	{"json", 'j', NULL, 0, "Print readings as JSON lines (see user/README.md); implies --batch",
	 0},
	{"count", 'n', "COUNT", 0, "Stop after COUNT readings", 0},
	{"interval", 'i', "TIME", 0, "Read every TIME, e.g. 500ms, 5s (default: 2s)", 0},
	{"by", KEY_BY, "TABLE", 0, "Table to begin with (default: cache)", 0},
	{"sort", KEY_SORT, "COLUMN", 0,
	 "rate, allocs, waste, live, growth, slabs or name (default: rate)", 0},
	{"filter", KEY_FILTER, "TEXT", 0, "Only names that contain TEXT, in either case", 0},
	{"top", KEY_TOP, "N", 0, "At most N rows, 0 = all (default: 20 in text, all in JSON)", 0},
	{"sample", KEY_SAMPLE, "N", 0,
	 "Follow one life in N, a power of two up to 1024; 1 follows all (default: 64)", 0},
	{0},
};

static error_t parse_number(const char *arg, const char *what, unsigned long max,
			    unsigned long *out)
{
	char *end;

	errno = 0;
	*out = strtoul(arg, &end, 10);
	if (errno || end == arg || *end || *arg == '-' || *out > max)
		return cmd_usage("%s wants a number, not '%s'", what, arg);
	return 0;
}

static error_t parse_interval(struct top_options *o, const char *arg)
{
	if (units_ns(arg, &o->interval_ns) || o->interval_ns < INTERVAL_MIN_NS)
		return cmd_usage("'%s' is no time between readings; write 10ms or more", arg);
	return 0;
}

static error_t parse_by(struct top_options *o, const char *arg)
{
	struct nearest near = {.word = arg};

	o->view.group = top_group_find(arg);
	if (o->view.group != TOP_GROUPS)
		return 0;
	for (unsigned int g = 0; g < TOP_GROUPS; g++)
		nearest_offer(&near, top_group_name((enum top_group)g));
	if (nearest_name(&near))
		return cmd_usage("no table '%s'; did you mean '%s'?", arg, nearest_name(&near));
	return cmd_usage("no table '%s'; there are cache, site, command, pages and order", arg);
}

static error_t parse_sort(struct top_options *o, const char *arg)
{
	struct nearest near = {.word = arg};

	o->view.sort = top_column_find(arg);
	if (o->view.sort != TOP_COLUMNS)
		return 0;
	for (unsigned int c = 0; c < TOP_COLUMNS; c++)
		nearest_offer(&near, top_column_name((enum top_column)c));
	if (nearest_name(&near))
		return cmd_usage("no column '%s'; did you mean '%s'?", arg, nearest_name(&near));
	return cmd_usage("no column '%s'; see 'kmemlab top --help'", arg);
}

static error_t parse_sample(struct top_options *o, const char *arg)
{
	unsigned long n;
	error_t err = parse_number(arg, "--sample", 1ul << SHIFT_MAX, &n);

	if (!err && (!n || n & (n - 1)))
		err = cmd_usage("--sample wants a power of two from 1 to 1024, not '%s'", arg);
	if (!err)
		o->sample_shift = (unsigned int)__builtin_ctzl(n);
	return err;
}

static error_t parse_filter(struct top_options *o, const char *arg)
{
	size_t bytes = strlen(arg) + 1;

	if (bytes > sizeof(o->view.filter))
		return cmd_usage("--filter takes up to %d bytes", TOP_FILTER_BYTES - 1);
	memcpy(o->view.filter, arg, bytes);
	return 0;
}

static error_t check(struct top_options *o)
{
	const char *term = getenv("TERM");

	if (!top_has_column(o->view.group, o->view.sort))
		return cmd_usage("the table '%s' has no column '%s'", top_group_name(o->view.group),
				 top_column_name(o->view.sort));
	o->batch |= o->json;
	if (o->top == TOP_UNSET)
		o->top = o->batch && !o->json ? DEFAULT_TOP : 0;
	if (o->batch)
		return 0;
	if (!isatty(STDOUT_FILENO))
		return cmd_usage("standard output is no terminal to draw on; use --batch");
	if (!term || !*term || !strcmp(term, "dumb"))
		return cmd_usage("the terminal (TERM=%s) cannot show a live view; use --batch",
				 term ? term : "");
	if (!isatty(STDIN_FILENO))
		return cmd_usage("standard input is no terminal to read keys from; use --batch");
	return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct top_options *o = state->input;
	unsigned long n;
	error_t err;

	switch (key) {
	case 'b':
		o->batch = true;
		return 0;
	case 'j':
		o->json = true;
		return 0;
	case 'n':
		err = parse_number(arg, "--count", UINT32_MAX, &o->count);
		return !err && !o->count ? cmd_usage("--count 0 would read nothing") : err;
	case 'i':
		return parse_interval(o, arg);
	case KEY_BY:
		return parse_by(o, arg);
	case KEY_SORT:
		return parse_sort(o, arg);
	case KEY_FILTER:
		return parse_filter(o, arg);
	case KEY_SAMPLE:
		return parse_sample(o, arg);
	case KEY_TOP:
		err = parse_number(arg, "--top", UINT32_MAX - 1, &n);
		o->top = (unsigned int)n;
		return err;
	case ARGP_KEY_END:
		return check(o);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	option_list,
	parse,
	NULL,
	"Show what the kernel's allocators do now: rates, live bytes and waste by cache, call "
	"site, command or order, free memory and its fragmentation, stalls.\v"
	"The kernel adds up and no event leaves it, so this can stay open on a busy host; its own "
	"cost is on the screen. Live bytes are of what was allocated since the start: an "
	"estimate from one life in --sample, followed from its allocation to its free.\n\n"
	"Tables:\n"
	"  cache    objects by slab cache, with what its slabs take\n"
	"  site     objects by call site\n"
	"  command  objects by command\n"
	"  pages    pages by command\n"
	"  order    pages by order\n\n"
	"Keys: g the next table, 1 to 7 sort, / filter, f freeze, h all keys, q quit.\n\n"
	"Examples:\n"
	"  kmemlab top --by pages --sort live\n"
	"  kmemlab top --batch -n 5 -i 1s --by site\n"
	"  kmemlab top --json -n 60 >minute.jsonl\n\n"
	"Exit status: 0 done, 1 failed, 2 usage, 3 no permission, 4 not in this kernel.",
	NULL,
	NULL,
	NULL,
};

int cmd_top(int argc, char **argv)
{
	struct top_options o = {
		.interval_ns = INTERVAL_NS,
		.sample_shift = DEFAULT_SHIFT,
		.top = TOP_UNSET,
		.view.trend_order = HUGE_ORDER,
	};
	int status = cmd_parse(&argp, argc, argv, 0, &o);

	return status >= 0 ? status : top_run(&o);
}
