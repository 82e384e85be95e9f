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

#include "stacks.h"

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

static void print_coverage(const struct record_options *opt, const struct account *a)
{
	const char *of = opt->rotate_bytes ? " in the last file"
			 : opt->window_ns  ? " in the window's newest part"
					   : "";

	if (!a->covered) {
		if (probes_families(a->probes) & FAMILY_PAGE)
			log_info("coverage: unknown, /proc/vmstat cannot be read");
		return;
	}
	log_info("coverage: %.2f %% of %" PRIu64 " pages allocated, %.2f %% of %" PRIu64
		 " pages freed%s (against /proc/vmstat)",
		 percent(a->pages_alloc_seen, a->pages_alloc_vmstat), a->pages_alloc_vmstat,
		 percent(a->pages_free_seen, a->pages_free_vmstat), a->pages_free_vmstat, of);
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
		log_info("not seen, for want of fentry or kprobes: %s (see 'kmemlab info')", names);
}

/* By what functions are watched: fentry needs no words. */
static void print_kprobes(const struct probes *p)
{
	unsigned int functions = 0, kprobes = 0;

	for (unsigned int k = 0; k < KMT_KINDS; k++) {
		const char *how = probes_how(p, k);

		functions += probes_where(p, k) != NULL;
		kprobes += how && (!strcmp(how, "kprobe") || !strcmp(how, "kretprobe"));
	}
	if (kprobes)
		log_info("of %u events that only functions show, %u come by kprobes, not fentry",
			 functions, kprobes);
}

/* What the CPU time went to: the parts are of the process, the programs run elsewhere. */
static void print_parts(const struct account *a, const struct trace_writer_stats *s)
{
	const uint64_t *ns = a->cost->ns;
	uint64_t writing = s->encode_ns + s->compress_ns + s->write_ns;
	uint64_t consume = ns[COST_CONSUME] > writing ? ns[COST_CONSUME] - writing : 0;
	uint64_t programs = account_program_ns(a);

	log_info("cost by part: rings %.2f s, encode %.2f s, compress %.2f s, write %.2f s, "
		 "snapshots %.2f s, samples %.2f s, rest %.2f s",
		 (double)consume / 1e9, (double)s->encode_ns / 1e9, (double)s->compress_ns / 1e9,
		 (double)s->write_ns / 1e9, (double)ns[COST_SNAPSHOT] / 1e9,
		 (double)ns[COST_SAMPLE] / 1e9, (double)ns[COST_OTHER] / 1e9);
	if (programs)
		log_info("programs in the kernel: about %.2f s: %.0f ns a run as the kernel "
			 "measured it at the start, without the call of the tracepoint",
			 (double)programs / 1e9, a->cost->run_ns);
	log_info("of the events, %" PRIu64 " were caused by the recorder itself",
		 consumer_own_events(a->consumer));
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
	print_parts(a, &s);
}

/* What was left out on purpose, and what that costs a reader. */
static void print_sampling(const struct account *a)
{
	const struct overhead *o = a->overhead;
	uint64_t untracked = probes_untracked(a->probes);

	if (o->changes)
		log_info("sampling: the rate changed %u times, the last one is one allocation in "
			 "%u",
			 o->changes, 1u << o->shift);
	if (untracked)
		log_warn("%" PRIu64 " allocations that the filter wants were left out: a million "
			 "live ones are kept track of; filter more narrowly",
			 untracked);
}

/* Events that the kernel itself did not count. */
static void print_missed(const struct probes *p)
{
	uint64_t missed = probes_missed_calls(p);

	if (missed)
		log_warn("kprobes missed %" PRIu64 " calls; what these did is not in the trace",
			 missed);
}

static void print_stacks(const struct account *a)
{
	struct stacks_seen seen;
	uint64_t taken, failed;

	if (!(probes_families(a->probes) & FAMILY_STACKS))
		return;
	stacks_seen(a->stacks, &seen);
	probes_stacks(a->probes, &taken, &failed);
	log_info("stacks: %" PRIu64 " distinct of %" PRIu64 " taken, %" PRIu64 " cut at %d frames",
		 seen.distinct, taken, seen.cut, KML_STACK_FRAMES);
	if (failed || seen.left_out)
		log_warn("%" PRIu64 " stacks could not be had from the kernel, %" PRIu64
			 " had no room in the trace",
			 failed, seen.left_out);
}

static void print_command(const struct record_options *opt, const struct summary_end *end)
{
	char words[128];

	if (!end->child || (!end->child_stopped && child_succeeded(end->child)))
		return;
	log_info(
		"command '%s' %s%s", opt->command[0], child_words(end->child, words, sizeof(words)),
		end->child_stopped && end->child->ran ? "; the recording ended first and stopped it"
						      : "");
}

static void print_files(const struct record_options *opt, const struct account *a,
			const struct summary_end *end)
{
	uint64_t recorded = account_total(a).recorded;
	double seconds = (double)(a->end_ns - a->start_ns) / 1e9;

	if (opt->rotate_bytes)
		log_info("recorded %" PRIu64 " events to %u files%s, the last is '%s'", recorded,
			 end->files, opt->keep ? ", of which the newest are kept" : "",
			 end->last_file);
	else if (opt->window_ns)
		log_info("saw %" PRIu64 " events; '%s' holds the last %.2f s", recorded,
			 opt->output, seconds);
	else
		log_info("recorded %" PRIu64 " events in %.2f s to '%s'", recorded, seconds,
			 opt->output);
}

int summary_print(const struct record_options *opt, const struct account *a,
		  const struct summary_end *end)
{
	struct account_total t = account_total(a);

	if (end->full)
		log_info("ended because the file reached --max-size");
	print_command(opt, end);
	print_files(opt, a, end);
	print_accounting(&t);
	print_coverage(opt, a);
	print_kprobes(a->probes);
	print_holes(a->probes);
	start_state_print(a->start_state);
	print_cost(a);
	print_sampling(a);
	print_stacks(a);
	print_missed(a->probes);
	if (end->write_error) {
		log_error("cannot write '%s': %s; what was written before is readable",
			  strcmp(opt->output, "-") ? opt->output : "standard output",
			  strerror(-end->write_error));
		return EXIT_FAILED;
	}
	if (t.lost_ring) {
		log_warn("%" PRIu64 " events were lost to a full ring; try a larger --ring-size",
			 t.lost_ring);
		return EXIT_LOST;
	}
	if (t.lost_recursion * 1000000 <= t.fired * RECURSION_PPM)
		return EXIT_DONE;
	log_warn("%" PRIu64 " events (%.2f %%) were lost to recursion: they fired while their own "
		 "program ran on that CPU",
		 t.lost_recursion, percent(t.lost_recursion, t.fired));
	return EXIT_LOST;
}
