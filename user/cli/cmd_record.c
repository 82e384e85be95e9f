// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* cmd_record.c - kmemlab record: options in, record_run() out. */
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "common/log.h"
#include "common/units.h"
#include "record/filter.h"
#include "record/record.h"
#include "record/refusal.h"
#include "record/trigger.h"
#include "trace/kinds.h"

enum {
	KEY_ROTATE = 256,
	KEY_RING,
	KEY_ON,
	KEY_OVERHEAD,
	KEY_ATTACH,
	KEY_FILTER,		       /* and as many more as enum filter_key has */
	RING_DEFAULT_BYTES = 16 << 20, /* a second of 1 M events/s */
	RING_DEFAULT_MIN_BYTES = 1 << 20,
	RINGS_MIN_BYTES = 64 << 20, /* what the rings may take on any machine */
	RING_MIN_BYTES = 1 << 16,
	RING_MAX_BYTES = 1 << 28,
	SAMPLE_DEFAULT_NS = 250000000,
	SAMPLE_MIN_NS = 1000000,
	WINDOW_DEFAULT_BYTES = 256 << 20,
	WINDOW_MIN_BYTES = 1 << 20,
	ROTATE_MIN_BYTES = 1 << 20,
};

static const struct argp_option options[] = {
	{"output", 'o', "FILE", 0, "write to FILE, - for standard output (default: trace.kmt)", 0},
	{"duration", 'd', "TIME", 0,
	 "stop after TIME, e.g. 30s, 5m (default: at Ctrl-C, or when CMD ends)", 0},
	{"force", 'f', NULL, 0, "overwrite FILE", 0},
	{"ring-size", 'r', "SIZE", 0,
	 "ring per CPU, a power of two (default: 16m, less with many CPUs)", 0},
	{"max-size", 'm', "SIZE", 0,
	 "stop when FILE, or all that --rotate ever wrote, has this size, e.g. 2g; the end "
	 "snapshot comes on top",
	 0},
	{"sample", 's', "TIME", 0, "read buddyinfo, vmstat and extfrag every TIME (default: 250ms)",
	 0},
	{"probe", 'p', "LIST", 0,
	 "what to see: page, slab, pressure, percpu, vmalloc, latency, or all of these; and "
	 "stacks (default: page,slab,pressure)",
	 0},
	{"attach", KEY_ATTACH, "HOW", 0,
	 "hook functions by fentry, by kprobe, or not at all: none (default: fentry, else kprobe)",
	 0},
	{"quiet", 'q', NULL, 0, "print errors and warnings only", 0},
	{"rotate", KEY_ROTATE, "SIZE[,keep=N]", 0,
	 "write FILE.0001, ... of about SIZE each, keep the newest N; SIGUSR1 begins the next", 1},
	{"ring", KEY_RING, "TIME[,SIZE]", 0,
	 "keep the newest TIME in at most SIZE of memory (default: 256m); write it to FILE at the "
	 "end, and to FILE.0001, ... at each SIGUSR1 or --on",
	 1},
	{"on", KEY_ON, "CONDITION", 0,
	 "with --ring: write the window when it is met: alloc-fail[:order>=N], stall>TIME, "
	 "unusable[ORDER]>0.8; several may be given",
	 1},
	{"max-overhead", KEY_OVERHEAD, "PERCENT", 0,
	 "record fewer allocations while recording takes more than this of all CPUs' time", 1},
	{"pid", KEY_FILTER + FILTER_PID, "PID", 0, "only of this process or thread; up to 8", 2},
	{"comm", KEY_FILTER + FILTER_COMM, "NAME", 0, "only of commands of this name", 2},
	{"cgroup", KEY_FILTER + FILTER_CGROUP, "PATH", 0,
	 "only of this cgroup of version 2 and those below it: its directory, or the path below "
	 "their root",
	 2},
	{"cache", KEY_FILTER + FILTER_CACHE, "NAME", 0,
	 "only of this slab cache; * at its end: any", 2},
	{"order", KEY_FILTER + FILTER_ORDER, "N[-M]", 0, "only pages of these orders, e.g. 3-", 2},
	{"size", KEY_FILTER + FILTER_SIZE, "N[-M]", 0, "only objects of so many bytes", 2},
	{"call-site", KEY_FILTER + FILTER_SITE, "FUNCTION", 0,
	 "only objects this function asks for; up to 8", 2},
	{0},
};

static error_t parse_sizes(int key, const char *arg, struct record_options *o)
{
	uint64_t bytes;

	if (units_bytes(arg, &bytes))
		return cmd_usage("'%s' is no size; write a number with k, m or g", arg);
	if (key == 'm') {
		if (!bytes)
			return cmd_usage("--max-size 0 leaves no room for a trace");
		o->max_bytes = bytes;
		return 0;
	}
	if (bytes & (bytes - 1) || bytes < RING_MIN_BYTES || bytes > RING_MAX_BYTES)
		return cmd_usage("ring size '%s' is not a power of two from 64k to 256m", arg);
	o->ring_bytes = bytes;
	return 0;
}

static error_t parse_times(int key, const char *arg, struct record_options *o)
{
	uint64_t ns;

	if (units_ns(arg, &ns) || !ns)
		return cmd_usage("'%s' is no time; write a number with ms, s, m or h", arg);
	if (key == 's' && ns < SAMPLE_MIN_NS)
		return cmd_usage("'%s' between samples would be spent on them; write 1ms or more",
				 arg);
	*(key == 'd' ? &o->duration_ns : &o->sample_ns) = ns;
	return 0;
}

static error_t parse_probes(const char *list, struct record_options *o)
{
	char *copy = strdup(list), *rest = copy, *name;
	error_t err = copy ? 0 : ENOMEM;

	o->families = 0;
	while (!err && (name = strsep(&rest, ","))) {
		o->families |= family_find(name);
		if (!family_find(name))
			err = cmd_usage("no probe '%s'; there are page, slab, pressure, percpu, "
					"vmalloc, latency, all, and stacks",
					name);
	}
	free(copy);
	return err;
}

static error_t parse_attach(const char *arg, struct record_options *o)
{
	static const char *const ways[] = {
		[ATTACH_FENTRY] = "fentry",
		[ATTACH_KPROBE] = "kprobe",
		[ATTACH_NONE] = "none",
	};

	for (unsigned int i = ATTACH_FENTRY; i <= ATTACH_NONE; i++) {
		if (strcmp(arg, ways[i]))
			continue;
		o->way = (enum attach_way)i;
		return 0;
	}
	return cmd_usage("'%s' is no way to hook functions; there are fentry, kprobe and none",
			 arg);
}

/* "SIZE[,keep=N]" */
static error_t parse_rotate(char *arg, struct record_options *o)
{
	static const char keep[] = "keep=";
	char *rest = strchr(arg, ','), *end;
	unsigned long n;

	if (rest)
		*rest++ = '\0';
	if (units_bytes(arg, &o->rotate_bytes) || o->rotate_bytes < ROTATE_MIN_BYTES)
		return cmd_usage("'%s' is no size of a file; write 1m or more", arg);
	if (!rest)
		return 0;
	if (!strncmp(rest, keep, sizeof(keep) - 1)) {
		n = strtoul(rest + sizeof(keep) - 1, &end, 10);
		o->keep = (unsigned int)n;
		if (n && n < 10000 && !*end)
			return 0;
	}
	return cmd_usage("'%s' is not keep=N with a number of files", rest);
}

/* "TIME[,SIZE]" */
static error_t parse_ring(char *arg, struct record_options *o)
{
	char *rest = strchr(arg, ',');

	if (rest)
		*rest++ = '\0';
	if (units_ns(arg, &o->window_ns) || !o->window_ns)
		return cmd_usage("'%s' is no time; write a number with ms, s, m or h", arg);
	o->window_bytes = WINDOW_DEFAULT_BYTES;
	if (rest && (units_bytes(rest, &o->window_bytes) || o->window_bytes < WINDOW_MIN_BYTES))
		return cmd_usage("'%s' is no size of a window; write 1m or more", rest);
	return 0;
}

/* A condition needs the events that tell of it. */
static error_t parse_on(const char *arg, struct record_options *o)
{
	int err = triggers_add(o->triggers, arg);

	if (err == -E2BIG)
		return cmd_usage("more than %d conditions", TRIGGERS_MAX);
	if (err)
		return cmd_usage("'%s' is no condition; there are alloc-fail[:order>=N], "
				 "stall>TIME and unusable[ORDER]>PART with PART below 1",
				 arg);
	return 0;
}

static error_t parse_overhead(const char *arg, struct record_options *o)
{
	char *end;
	double percent = strtod(arg, &end);

	if (*end == '%')
		end++;
	if (end == arg || *end || !(percent > 0 && percent <= 100))
		return cmd_usage("'%s' is no share of the machine; write a number of percent", arg);
	o->max_overhead = percent / 100;
	o->filters->kernel.sampling = 1;
	return 0;
}

static error_t not_a_filter(enum filter_key key, const char *arg)
{
	static const char *const wanted[] = {
		[FILTER_PID] = "the number of a process or thread",
		[FILTER_COMM] = "the name of a command, of which the kernel keeps 15 bytes",
		[FILTER_CGROUP] = "a path below the root of cgroups, without . and ..",
		[FILTER_CACHE] = "the name of a slab cache, up to 47 bytes",
		[FILTER_ORDER] = "an order or a range of them, as 3, 3- or 3-5",
		[FILTER_SIZE] = "a number of bytes or a range, as 64, 64- or 64-4k",
		[FILTER_SITE] = "the name of a function",
	};

	return cmd_usage("'%s' cannot be --%s: write %s", arg, filter_name(key), wanted[key]);
}

static error_t parse_filter(enum filter_key key, const char *arg, struct record_options *o)
{
	int err = filters_add(o->filters, key, arg);

	if (err == -E2BIG)
		return cmd_usage("too many of --%s", filter_name(key));
	if (err == -EINVAL)
		return not_a_filter(key, arg);
	if (err)
		return cmd_usage("cannot find cgroup '%s' of version 2: %s", arg, strerror(-err));
	return 0;
}

/* What only makes sense together, or apart. */
static error_t check(struct record_options *o)
{
	bool to_stdout = !strcmp(o->output, "-");
	const char *conflict;

	if (o->window_ns && o->rotate_bytes)
		return cmd_usage("--ring keeps one window, --rotate writes many files: choose one");
	if (to_stdout && (o->window_ns || o->rotate_bytes))
		return cmd_usage("--ring and --rotate write files: name them with -o");
	if (o->triggers->n && !o->window_ns)
		return cmd_usage("--on writes a window: say how much with --ring");
	if (o->window_ns && o->max_bytes)
		return cmd_usage("--ring has a size of its own: write --ring TIME,SIZE instead of "
				 "--max-size");
	if (!(o->families & ~(FAMILY_LATENCY | FAMILY_STACKS)))
		return cmd_usage("%s alone records no events: add page or slab to --probe",
				 o->families == FAMILY_LATENCY ? "latency" : "stacks");
	if (!*o->output)
		return cmd_usage("the output's name is empty");
	if (o->triggers->n) /* whose events these are */
		o->families |= FAMILY_PAGE | FAMILY_PRESSURE;
	conflict = filters_conflict(o->filters, o->families);
	return conflict ? cmd_usage("%s", conflict) : 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct record_options *o = state->input;

	switch (key) {
	case 'o':
		o->output = arg;
		return 0;
	case KEY_ATTACH:
		return parse_attach(arg, o);
	case 'f':
		o->overwrite = true;
		return 0;
	case 'q':
		log_quiet(true);
		return 0;
	case 'r':
	case 'm':
		return parse_sizes(key, arg, o);
	case 'd':
	case 's':
		return parse_times(key, arg, o);
	case 'p':
		return parse_probes(arg, o);
	case KEY_ROTATE:
		return parse_rotate(arg, o);
	case KEY_RING:
		return parse_ring(arg, o);
	case KEY_ON:
		return parse_on(arg, o);
	case KEY_OVERHEAD:
		return parse_overhead(arg, o);
	case KEY_FILTER ... KEY_FILTER + FILTER_SITE:
		return parse_filter((enum filter_key)(key - KEY_FILTER), arg, o);
	case ARGP_KEY_ARGS:
		o->command = state->argv + state->next;
		return 0;
	case ARGP_KEY_END:
		return check(o);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static bool runnable(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode) && !access(path, X_OK);
}

/* As execvp() will look for it; said before anything is recorded. */
static bool command_exists(const char *name)
{
	const char *path = getenv("PATH");
	char *copy, *rest, *dir;
	bool found = false;

	if (strchr(name, '/'))
		return runnable(name);
	copy = rest = strdup(path ? path : "/bin:/usr/bin");
	while (!found && rest && (dir = strsep(&rest, ":"))) {
		char full[4096];

		snprintf(full, sizeof(full), "%s/%s", *dir ? dir : ".", name);
		found = runnable(full);
	}
	free(copy);
	return found;
}

/*
 * Every possible CPU gets a ring, whether it is there or not: on large machines a
 * smaller one, so that all together take no more than 1/128 of memory (but at
 * least 64 MiB).
 */
static uint64_t default_ring_bytes(void)
{
	uint64_t cpus = (uint64_t)sysconf(_SC_NPROCESSORS_CONF);
	uint64_t bytes = RING_DEFAULT_BYTES, budget = RINGS_MIN_BYTES;
	struct sysinfo s;

	if (!sysinfo(&s) && (uint64_t)s.totalram * s.mem_unit / 128 > budget)
		budget = (uint64_t)s.totalram * s.mem_unit / 128;
	while (bytes > RING_DEFAULT_MIN_BYTES && (bytes + sizeof(struct kml_ring)) * cpus > budget)
		bytes /= 2;
	return bytes;
}

int cmd_record(int argc, char **argv)
{
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "[-- CMD [ARG...]]",
		.doc = "Record what the kernel's page and slab allocators do.\v"
		       "With CMD, records while it runs. Ctrl-C finishes a valid file.\n\n"
		       "What --probe sees:\n"
		       "  page      pages allocated and freed, in bulk too; refills, drains and "
		       "fallbacks; splits, migrations, compaction's pages, contiguous ranges\n"
		       "  slab      kmalloc and caches, in bulk too; caches created and destroyed\n"
		       "  pressure  stalls in reclaim and compaction, kswapd, kcompactd, OOM\n"
		       "  percpu    per-CPU memory and its chunks\n"
		       "  vmalloc   areas allocated, freed, purged\n"
		       "  latency   time inside the allocation functions, as histograms\n"
		       "  stacks    the kernel stack of each allocation and stall, at about 1 us "
		       "each\n"
		       "Bulk, splits and migrations need fentry or kprobes, latency needs fentry: "
		       "'kmemlab doctor' tells whether this host has them.\n\n"
		       "Examples:\n"
		       "  kmemlab record -d 30s -o trace.kmt\n"
		       "  kmemlab record -- make -j2\n"
		       "  kmemlab record --ring 30s --on 'stall>10ms' --max-overhead 2\n"
		       "  kmemlab record --rotate 1g,keep=10 --comm postgres\n\n"
		       "Exit status: 0 done, 1 failed, 2 usage, 3 no permission, 4 the kernel "
		       "lacks it, 7 done but events were lost (to a full ring, or more than 0.05 % "
		       "to "
		       "recursion).\n\n"
		       "While it grows, FILE is FILE.partial; a recorder that was killed leaves "
		       "it, "
		       "readable.",
	};
	static struct triggers triggers;
	static struct filters filters;
	struct record_options o = {
		.output = "trace.kmt",
		.triggers = &triggers,
		.filters = &filters,
		.ring_bytes = default_ring_bytes(),
		.sample_ns = SAMPLE_DEFAULT_NS,
		.families = FAMILY_DEFAULT,
	};
	int status = cmd_parse(&argp, argc, argv, ARGP_IN_ORDER, &o);

	if (status >= 0)
		return status;
	if (o.command && !command_exists(o.command[0])) {
		log_error("cannot run '%s': command not found; nothing was recorded", o.command[0]);
		return EXIT_FAILED;
	}
	refusal_keep(); /* errors are told once, by us */
	return record_run(&o);
}
