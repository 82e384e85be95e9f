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
#include "record/record.h"
#include "trace/kinds.h"

enum {
	RING_DEFAULT_BYTES = 16 << 20, /* a second of 1 M events/s */
	RING_DEFAULT_MIN_BYTES = 1 << 20,
	RINGS_MIN_BYTES = 64 << 20, /* what the rings may take on any machine */
	RING_MIN_BYTES = 1 << 16,
	RING_MAX_BYTES = 1 << 28,
	SAMPLE_DEFAULT_NS = 250000000,
};

static const struct argp_option options[] = {
	{"output", 'o', "FILE", 0, "write to FILE, - for standard output (default: trace.kmt)", 0},
	{"duration", 'd', "TIME", 0,
	 "stop after TIME, e.g. 30s, 5m (default: at Ctrl-C, or when CMD ends)", 0},
	{"force", 'f', NULL, 0, "overwrite FILE", 0},
	{"ring-size", 'r', "SIZE", 0,
	 "ring per CPU, a power of two (default: 16m, less with many CPUs)", 0},
	{"max-size", 'm', "SIZE", 0,
	 "stop when FILE has this size, e.g. 2g; the end snapshot comes on top", 0},
	{"sample", 's', "TIME", 0, "read buddyinfo, vmstat and extfrag every TIME (default: 250ms)",
	 0},
	{"probe", 'p', "LIST", 0,
	 "what to see: page, slab, pressure, percpu, vmalloc, latency, or all (default: "
	 "page,slab,pressure)",
	 0},
	{"quiet", 'q', NULL, 0, "print errors and warnings only", 0},
	{0},
};

static error_t parse_sizes(int key, const char *arg, struct record_options *o)
{
	uint64_t bytes;

	if (units_bytes(arg, &bytes))
		return cmd_usage("'%s' is no size; write a number with k, m or g", arg);
	if (key == 'm') {
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
					"vmalloc, latency and all",
					name);
	}
	free(copy);
	return err;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct record_options *o = state->input;

	switch (key) {
	case 'o':
		o->output = arg;
		return 0;
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
	case ARGP_KEY_ARGS:
		o->command = state->argv + state->next;
		return 0;
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
		       "Bulk, splits, migrations and latency need fentry: 'kmemlab doctor' tells "
		       "whether this host has it.\n\n"
		       "Examples:\n"
		       "  kmemlab record -d 30s -o trace.kmt\n"
		       "  kmemlab record -- make -j2\n\n"
		       "Exit status: 0 done, 1 failed, 2 usage, 3 no permission, 4 the kernel "
		       "lacks it, 7 done but events were lost.",
	};
	struct record_options o = {
		.output = "trace.kmt",
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
	libbpf_set_print(NULL); /* errors are told once, by us */
	return record_run(&o);
}
