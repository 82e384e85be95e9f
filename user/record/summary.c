// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* summary.c - what a recording says about itself, on stderr. */
#include "summary.h"

#include <common/log.h>
#include <common/out.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <trace/kinds.h>

/* More recursion than this, in parts per million of all events, is worth an
 * exit code of its own; less is only said. */
enum {
	RECURSION_PPM = 500,
};

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0.0;
}

void summary_progress(const struct account *a)
{
	struct account_total t = account_total(a);
	struct trace_writer_stats s;
	char bytes[16];

	trace_writer_stats(a->writer, &s);
	log_progress("recording %.0f s, %" PRIu64 " events, %s, %" PRIu64 " lost; Ctrl-C ends it",
		     (double)(a->end_ns - a->start_ns) / 1e9, t.recorded,
		     out_human_bytes(s.bytes, bytes), t.lost_ring + t.lost_write);
}

static void print_accounting(const struct account_total *t)
{
	uint64_t sum = t->recorded + t->filtered + t->lost_ring + t->lost_write + t->lost_recursion;

	log_info("accounting: fired %" PRIu64 " %s recorded %" PRIu64 " + filtered %" PRIu64
		 " + lost %" PRIu64 " (ring %" PRIu64 ", recursion %" PRIu64 ", write %" PRIu64 ")",
		 t->fired, t->fired == sum ? "=" : "!=", t->recorded, t->filtered,
		 t->lost_ring + t->lost_write + t->lost_recursion, t->lost_ring, t->lost_recursion,
		 t->lost_write);
	if (t->fired != sum)
		log_warn("the accounting does not add up: fired %" PRIu64 ", accounted for %" PRIu64
			 "; this is a bug in kmemlab",
			 t->fired, sum);
}

static void print_coverage(const struct account *a)
{
	if (!a->covered) {
		if (probes_families(a->probes) & FAMILY_PAGE)
			log_info("coverage: unknown, /proc/vmstat cannot be read");
		return;
	}
	log_info("coverage: %.2f %% of %" PRIu64 " pages allocated, %.2f %% of %" PRIu64
		 " pages freed (against /proc/vmstat)",
		 percent(a->pages_alloc_seen, a->pages_alloc_vmstat), a->pages_alloc_vmstat,
		 percent(a->pages_free_seen, a->pages_free_vmstat), a->pages_free_vmstat);
}

/* Holes that stay open, by name; 'info' says what each costs. */
static void print_holes(const struct probes *p)
{
	const struct probe_hole *hole;
	char names[512] = "";
	size_t n = 0;

	for (size_t i = 0; (hole = probes_hole(p, i)) && n < sizeof(names); i++)
		if (probes_why_missing(p, hole->kind))
			n += (size_t)snprintf(names + n, sizeof(names) - n, "%s%s", n ? "; " : "",
					      hole->what);
	if (n)
		log_info("not seen, for want of fentry: %s (see 'kmemlab info')", names);
}

static void print_cost(const struct account *a)
{
	struct trace_writer_stats s;
	struct rusage u;
	char rings[16], rss[16], bytes[16];

	trace_writer_stats(a->writer, &s);
	getrusage(RUSAGE_SELF, &u);
	log_info("cost: %.2f s user, %.2f s system in the recorder, %s of rings, %s resident; "
		 "%s written: %.2f bytes an event, %.2f with the snapshots",
		 (double)u.ru_utime.tv_sec + (double)u.ru_utime.tv_usec / 1e6,
		 (double)u.ru_stime.tv_sec + (double)u.ru_stime.tv_usec / 1e6,
		 out_human_bytes(rings_bytes(probes_rings(a->probes)), rings),
		 out_human_bytes((uint64_t)u.ru_maxrss * 1024, rss),
		 out_human_bytes(s.bytes, bytes),
		 s.recorded ? (double)s.event_bytes / (double)s.recorded : 0.0,
		 s.recorded ? (double)s.bytes / (double)s.recorded : 0.0);
}

static void print_command(const struct record_options *opt, const struct summary_end *end)
{
	char words[128];

	if (!end->child)
		return;
	log_info(
		"command '%s' %s%s", opt->command[0], child_words(end->child, words, sizeof(words)),
		end->child_stopped && end->child->ran ? "; the recording ended first and stopped it"
						      : "");
}

int summary_print(const struct record_options *opt, const struct account *a,
		  const struct summary_end *end)
{
	struct account_total t = account_total(a);

	if (end->full)
		log_info("ended because the file reached --max-size");
	print_command(opt, end);
	log_info("recorded %" PRIu64 " events in %.2f s to '%s'", t.recorded,
		 (double)(a->end_ns - a->start_ns) / 1e9, opt->output);
	print_accounting(&t);
	print_coverage(a);
	print_holes(a->probes);
	print_cost(a);
	if (end->write_error) {
		log_error("cannot write '%s': %s; what was written before is readable", opt->output,
			  strerror(-end->write_error));
		return EXIT_FAILED;
	}
	if (t.lost_ring) {
		log_warn("%" PRIu64 " events were lost to a full ring; try a larger --ring-size",
			 t.lost_ring);
		return EXIT_LOST;
	}
	return t.lost_recursion * 1000000 > t.fired * RECURSION_PPM ? EXIT_LOST : EXIT_DONE;
}
