/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cmd_export.c - kmemlab export: a trace in the formats of other tools. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "cli/view.h"
#include "common/log.h"
#include "export/export.h"
#include "record/output.h"

enum { KEY_WEIGHT = 0x100 };

enum format { CSV, JSONL, PARQUET, PERFETTO, FOLDED, SPEEDSCOPE, FORMATS };

static const char *const formats[FORMATS] = {"csv",	 "jsonl",  "parquet",
					     "perfetto", "folded", "speedscope"};

struct options {
	const char *path, *output;
	enum format format;
	enum export_weight weight;
	bool format_given, force;
};

static const struct argp_option option_list[] = {
	{"format", 'F', "FORMAT", 0,
	 "csv, jsonl (an object a line), parquet (DuckDB, ClickHouse, Spark, pandas), perfetto "
	 "(ui.perfetto.dev), folded (flame graphs) or speedscope",
	 0},
	{"weight", KEY_WEIGHT, "WHAT", 0,
	 "Of folded and speedscope: allocs, bytes (default) or live (bytes not seen freed)", 0},
	{"output", 'o', "FILE", 0, "Write here (default: standard output)", 0},
	{"force", 'f', NULL, 0, "Overwrite FILE", 0},
	{0},
};

static error_t parse_format(struct options *o, const char *name)
{
	for (int i = 0; i < FORMATS; i++)
		if (!strcmp(name, formats[i])) {
			o->format = (enum format)i;
			o->format_given = true;
			return 0;
		}
	return cmd_usage("unknown format '%s'; use csv, jsonl, parquet, perfetto, folded or "
			 "speedscope",
			 name);
}

static error_t parse_weight(struct options *o, const char *name)
{
	static const char *const known[] = {"allocs", "bytes", "live"};

	for (int i = 0; i < 3; i++)
		if (!strcmp(name, known[i])) {
			o->weight = (enum export_weight)i;
			return 0;
		}
	return cmd_usage("unknown weight '%s'; use allocs, bytes or live", name);
}

static error_t complete(const struct options *o)
{
	if (!o->path)
		return cmd_usage("no trace given; try 'kmemlab export --format parquet -o "
				 "events.parquet FILE.kmt'");
	if (!o->format_given)
		return cmd_usage("no format given; use --format csv, jsonl, parquet, perfetto, "
				 "folded or speedscope");
	return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'F':
		return parse_format(o, arg);
	case KEY_WEIGHT:
		return parse_weight(o, arg);
	case 'o':
		o->output = arg;
		return 0;
	case 'f':
		o->force = true;
		return 0;
	case ARGP_KEY_ARG:
		return view_path(&o->path, arg);
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
	"Write a trace's events, or what they sum up to, in the format of another tool.\v"
	"csv, jsonl and parquet have a row an event, flat columns: time_ns, cpu, event, pid, comm, "
	"pfn, phys, opaque, order (of areas: log2 of the alignment, of per-CPU ones in bytes, "
	"of vmalloc's in pages), migratetype, gfp, fallback_order, fallback_type, call_site, "
	"cache, bytes_req, bytes_alloc, node, pages (of a contiguous range or vmalloc area), "
	"number "
	"(what the event counts: pages reclaimed or migrated, microseconds throttled, areas "
	"purged, a zone's first pfn, an OOM victim's pid, an alignment; or where it is: per-CPU "
	"chunk << 32 | offset, vmalloc page), detail (zone woken for, 1 for synchronous "
	"compaction, "
	"a compaction's result, a throttling's reason, per-CPU flags 1 reserved and 2 atomic, 1 "
	"for "
	"a per-CPU refill), failed (1, or pages that did not migrate), context (of objects "
	"requested without __GFP_DIRECT_RECLAIM: may-sleep, atomic, softirq, hardirq, or, "
	"imported, preemptible).\n\n"
	"Examples:\n"
	"  kmemlab export -F parquet -o events.parquet host.kmt\n"
	"  duckdb -c \"select cache, count(*) from 'events.parquet' group by 1 order by 2 desc\"\n"
	"  kmemlab export -F folded --weight live host.kmt | flamegraph.pl >live.svg\n\n"
	"Exit status is 5 if the trace is damaged; intact parts are written.",
	NULL,
	NULL,
	NULL,
};

static int export(const struct options *o, const struct view *v, FILE *out)
{
	switch (o->format) {
	case CSV:
		return export_csv(v, out);
	case JSONL:
		return export_jsonl(v, out);
	case PARQUET:
		return export_parquet(v, out);
	case PERFETTO:
		return export_perfetto(v, out);
	case FOLDED:
		return export_folded(v, out, o->weight);
	default:
		return export_speedscope(v, out, o->weight);
	}
}

/* Standard output is written as it is; a file has its name once it is whole. */
static int open_output(const struct options *o, struct output *file, FILE **out)
{
	char why[512];
	int err = 0, fd;

	*file = (struct output){.fd = -1};
	if (o->output && !output_is_stdout(o->output))
		err = output_open(file, o->output, 0, o->force);
	fd = err ? -1 : dup(file->fd < 0 ? STDOUT_FILENO : file->fd);
	*out = fd < 0 ? NULL : fdopen(fd, "w");
	if (*out)
		return EXIT_DONE;
	err = err ? err : -errno;
	log_error("cannot write '%s': %s", o->output ? o->output : "standard output",
		  output_why(file, err, why, sizeof(why)));
	output_discard(file);
	if (fd >= 0)
		close(fd);
	return EXIT_FAILED;
}

static int write_all(const struct options *o, const struct view *v, struct output *file, FILE *out)
{
	const char *to = o->output ? o->output : "standard output";
	int err = export(o, v, out);

	if (fclose(out) && !err)
		err = -EIO;
	if (err)
		output_discard(file);
	else if (output_commit(file))
		err = -EIO;
	if (!err)
		return EXIT_DONE;
	if (err != -EIO)
		return view_read_failed(v, err);
	log_error("cannot write '%s': the disk is full, or nobody reads it", to);
	return EXIT_FAILED;
}

int cmd_export(int argc, char **argv)
{
	struct options o = {.weight = EXPORT_BYTES};
	struct output file;
	struct view v;
	FILE *out;
	int status = cmd_parse(&argp, argc, argv, 0, &o);

	if (status >= 0)
		return status;
	if (o.format == PARQUET && !o.output && isatty(STDOUT_FILENO)) {
		log_error("cannot write Parquet to a terminal; use -o FILE");
		return EXIT_USAGE;
	}
	status = view_open(&v, o.path);
	if (status >= 0)
		return status;
	status = open_output(&o, &file, &out);
	if (status == EXIT_DONE)
		status = write_all(&o, &v, &file, out);
	return view_close(&v, status);
}
