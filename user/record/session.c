// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * session.c - one recording, from open to summary.
 *
 *   open:    calibrate, load, create the file, fork the command (held back)
 *   start:   attach, HEADER, start snapshot, let the command run
 *   loop:    sleep, empty the rings, sample the kernel's files, until told
 *   finish:  end snapshot, detach, last events, ACCOUNT, END
 *
 * Whatever fails after the file exists is said once, and what was recorded
 * until then is kept readable.
 */
#include "record.h"

#include <common/log.h>
#include <common/procfs.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <trace/kinds.h>
#include <unistd.h>

#include "area_walk.h"
#include "files.h"
#include "filter.h"
#include "latency.h"
#include "sandbox.h"
#include "session.h"
#include "summary.h"
#include "trigger.h"

enum {
	NAP_MIN_NS = 1000000,
	NAP_MAX_NS = 20000000,
	FILL_HURRY = 10, /* percent of a ring: nap less above, more below half */
	ACCOUNT_NS = 2000000000,
	OVERHEAD_NS = 1000000000,
};

static volatile sig_atomic_t stop_signal, write_signal;

/* The first signal ends the recording, the second the process. */
static void on_signal(int sig)
{
	stop_signal = sig;
	signal(sig, SIG_DFL);
}

static void on_write_signal(int sig)
{
	write_signal = sig;
}

static void catch_signals(void)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction a = {.sa_handler = on_signal};

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &a, NULL);
	a.sa_handler = on_write_signal;
	sigaction(SIGUSR1, &a, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
}

int record_refused(int err, const char *what)
{
	if (err == -EPERM || err == -EACCES) {
		log_error("%s; run as root or grant CAP_BPF and CAP_PERFMON (see 'kmemlab doctor')",
			  what);
		return EXIT_PERMISSION;
	}
	log_error("%s", what);
	return err == -ENOTSUP || err == -ENOENT || err == -EINVAL ? EXIT_KERNEL : EXIT_FAILED;
}

static int fail_output(const struct session *s, int err)
{
	char why[OUTPUT_NAME_BYTES + 128];

	if (err == -ENOTTY)
		log_error("cannot write a trace to a terminal; redirect standard output or use -o "
			  "FILE");
	else
		log_error("cannot create '%s': %s", s->output.name,
			  output_why(&s->output, err, why, sizeof(why)));
	return EXIT_FAILED;
}

/* Frames of all zones end where the direct map's memory ends. */
static int find_direct_map(struct kernel_bases *bases)
{
	char *text = file_text("/proc/zoneinfo", NULL);
	struct proc_zoneinfo zones = {0};
	int err = text ? proc_zoneinfo_parse(text, &zones) : -errno;

	free(text);
	if (err)
		return err;
	for (size_t i = 0; i < zones.n; i++) {
		uint64_t end = (zones.zones[i].start_pfn + zones.zones[i].spanned) * 4096;

		if (end > bases->direct_map_bytes)
			bases->direct_map_bytes = end;
	}
	proc_zoneinfo_free(&zones);
	return 0;
}

static int load_programs(struct session *s)
{
	struct probes_setup setup = {
		.bases = &s->bases,
		.filter = &s->opt->filters->kernel,
		.ring_bytes = s->opt->ring_bytes,
		.families = s->opt->families,
		.way = s->opt->way,
	};
	const char *unknown = filters_resolve(s->opt->filters, s->symbols);
	char error[256];

	if (unknown) {
		log_error("cannot filter by call site '%s': /proc/kallsyms shows no such function",
			  unknown);
		return EXIT_FAILED;
	}
	s->probes = probes_load(&setup, error);
	return s->probes ? EXIT_DONE : record_refused(-errno, error);
}

static int open_kernel(struct session *s)
{
	char error[256] = "cannot learn where the kernel's memory lies";
	int err = calibrate(&s->bases, error);

	err = err ? err : find_direct_map(&s->bases);
	if (err)
		return record_refused(err, error);
	s->symbols = symbols_load();
	s->missing = missing_new();
	if (!s->missing)
		return record_refused(-ENOMEM, "cannot start: no memory");
	if (!s->symbols)
		missing_add(s->missing, "/proc/kallsyms", "call sites have no names");
	session_open_walks(s);
	return load_programs(s);
}

static int open_output(struct session *s)
{
	const struct rings *rings = probes_rings(s->probes);
	unsigned int taken = 0;
	int err;

	s->part = s->opt->rotate_bytes ? 1 : 0;
	/* Not when the recording has come to that number. */
	if (s->opt->rotate_bytes && !s->opt->overwrite)
		taken = output_taken(s->opt->output);
	err = output_open(&s->output, s->opt->output, taken ? taken : s->part, s->opt->overwrite);
	if (err)
		return fail_output(s, err);
	s->writer = trace_writer_new(s->output.fd, rings->cpus);
	if (s->writer)
		s->definitions = definitions_new(s->writer, s->symbols, rings->cpus);
	if (s->definitions && s->area_walk)
		definitions_vmalloc_starts(s->definitions, area_walk_base(s->area_walk));
	if (s->definitions)
		s->consumer =
			consumer_new(rings, s->writer, s->definitions, &s->bases, boottime_ns);
	if (s->consumer && s->opt->window_ns)
		s->flight = flight_new(s->opt->window_ns, s->opt->window_bytes, rings->cpus);
	if (!s->consumer || (s->opt->window_ns && !s->flight))
		return record_refused(-ENOMEM, "cannot start: no memory");
	return EXIT_DONE;
}

void session_note(struct session *s, int err)
{
	if (err < 0 && !s->write_error)
		s->write_error = err;
}

void session_empty(void *context)
{
	struct session *s = context;
	enum cost_part before = cost_enter(&s->cost, COST_CONSUME);
	int fill = consume(s->consumer, false);

	session_note(s, fill);
	if (fill > FILL_HURRY)
		s->nap_ns = s->nap_ns / 2 > NAP_MIN_NS ? s->nap_ns / 2 : NAP_MIN_NS;
	else if (fill < FILL_HURRY / 2)
		s->nap_ns = s->nap_ns * 2 < NAP_MAX_NS ? s->nap_ns * 2 : NAP_MAX_NS;
	cost_enter(&s->cost, before);
}

/* In memory, where blocks go there; else in the file. */
static int begin(struct session *s)
{
	struct trace_sink sink;

	if (!s->flight)
		return part_begin(s, NULL);
	sink = flight_sink(s->flight);
	trace_writer_sink(s->writer, &sink);
	return part_begin(s, account_base(&s->account));
}

static void start_latency(struct session *s)
{
	const char *why = NULL;

	if (s->opt->families & FAMILY_LATENCY)
		s->latency = latency_start(s->opt->way, &why);
	if (why)
		missing_add(s->missing, "latency inside the allocation functions", why);
}

static int start(struct session *s)
{
	char error[256] = "";
	int err = probes_attach(s->probes, error);
	uint64_t run_ns, runs;

	if (err)
		return record_refused(err, error);
	start_latency(s);
	cost_measure_programs(&s->cost, 1);
	s->header = header_json(s->probes, &s->bases, s->opt, s->missing);
	err = s->header ? begin(s) : -ENOMEM;
	probes_runs(s->probes, &run_ns, &runs);
	cost_programs(&s->cost, run_ns, runs);
	cost_measure_programs(&s->cost, 0);
	if (err) {
		log_error("cannot write '%s': %s", s->opt->output, strerror(-err));
		return EXIT_FAILED;
	}
	s->begin_ns = boottime_ns();
	return EXIT_DONE;
}

/* Let the command run, unless a signal came first. Return: an exit code */
static int run_command(struct session *s)
{
	int err;

	if (!s->child.pid || stop_signal)
		return EXIT_DONE;
	err = child_go(&s->child);
	if (!err)
		return EXIT_DONE;
	log_error("cannot run '%s': %s%s", s->opt->command[0], strerror(-err),
		  err == -ENOENT ? " (of the file or of its interpreter)" : "");
	return EXIT_FAILED;
}

void session_account(struct session *s)
{
	struct account_total total = account_part(&s->account);
	char *json;

	s->account.end_ns = boottime_ns();
	consumer_pages(s->consumer, &s->account.pages_alloc_seen, &s->account.pages_free_seen);
	trace_writer_lost(s->writer, total.lost_ring, total.lost_recursion);
	json = account_json(&s->account);
	session_note(s, json ? trace_writer_account(s->writer, json) : -ENOMEM);
	free(json);
}

static bool file_full(const struct session *s)
{
	struct trace_writer_stats stats;

	trace_writer_stats(s->writer, &stats);
	return s->opt->max_bytes && stats.bytes >= s->opt->max_bytes;
}

static bool done(struct session *s, uint64_t now)
{
	if (stop_signal || s->write_error || file_full(s))
		return true;
	if (s->opt->duration_ns && now - s->begin_ns >= s->opt->duration_ns)
		return true;
	return s->opt->command && child_ended(&s->child);
}

/* The kernel's own files, and what a trigger reads in them. */
static void sample(struct session *s)
{
	enum cost_part before = cost_enter(&s->cost, COST_SAMPLE);
	char *text = NULL;

	record_texts(s->writer, 0);
	if (s->opt->triggers && triggers_want_samples(s->opt->triggers))
		text = file_text("/proc/buddyinfo", NULL);
	if (text)
		triggers_sample(s->opt->triggers, text);
	free(text);
	cost_enter(&s->cost, before);
}

static void report(struct session *s)
{
	enum cost_part before = cost_enter(&s->cost, COST_SAMPLE);

	session_account(s);
	summary_progress(&s->account);
	cost_enter(&s->cost, before);
}

/* What was asked for by a signal, by a trigger, or by the file's size. */
static void turn_over(struct session *s, uint64_t now)
{
	struct trace_writer_stats stats;
	const char *why = s->opt->triggers ? triggers_take(s->opt->triggers, now) : NULL;
	bool asked = write_signal;

	write_signal = 0;
	trace_writer_stats(s->writer, &stats);
	if (s->flight) {
		if (asked || why) {
			session_note(s, part_dump(s, asked ? "SIGUSR1" : why));
			/* There is no window until it has filled once more. */
			if (s->opt->triggers)
				s->opt->triggers->quiet_until_ns =
					boottime_ns() + s->opt->window_ns;
		} else {
			part_turn(s, now);
		}
	} else if (s->opt->rotate_bytes && (asked || stats.file_bytes >= s->opt->rotate_bytes)) {
		session_note(s, part_rotate(s));
	}
}

/* Where --max-overhead asks for it: another rate, told in the trace too. */
static void adapt(struct session *s)
{
	uint64_t own = cost_cpu_ns() + account_program_ns(&s->account);
	char text[64];
	int n;

	if (!s->opt->max_overhead || !overhead_step(&s->overhead, boottime_ns(), own))
		return;
	filters_sample(probes_rings(s->probes), s->overhead.shift);
	n = snprintf(text, sizeof(text), "one_in %u\n", 1u << s->overhead.shift);
	session_note(s, trace_writer_text(s->writer, 0, boottime_ns(), "kmemlab/sampling", text,
					  (size_t)n));
	log_info("overhead %.2f %% of the machine, allowed %.2f %%: recording one allocation in %u",
		 100 * s->overhead.share, 100 * s->overhead.limit, 1u << s->overhead.shift);
}

static void loop(struct session *s)
{
	uint64_t now = boottime_ns();
	uint64_t next_sample = now, next_account = now + ACCOUNT_NS, next_step = now;

	while (!done(s, now)) {
		session_nap(s->nap_ns);
		session_empty(s);
		now = boottime_ns();
		turn_over(s, now);
		if (now >= next_sample) {
			sample(s);
			next_sample = now + s->opt->sample_ns;
		}
		if (now >= next_account) {
			report(s);
			next_account = now + ACCOUNT_NS;
		}
		if (now >= next_step) {
			adapt(s);
			next_step = now + OVERHEAD_NS;
		}
	}
}

/* What the recording has no more use for: privileges, system calls. */
static void give_up(struct session *s)
{
	const struct sandbox_needs needs = {
		.kill = s->opt->command != NULL,
		.output = s->opt->output,
		.more_files = s->opt->rotate_bytes || s->opt->window_ns,
	};
	char error[256];

	if (sandbox_enter(&needs, error))
		log_warn("%s", error);
}

static const char *why_ended(const struct session *s)
{
	if (stop_signal)
		return strsignal(stop_signal);
	return s->opt->command && s->child.ran ? "the command ended" : "the end of the recording";
}

/* Open everything, and fork the command while there are the privileges for it. */
static int prepare(struct session *s)
{
	int code = open_kernel(s), err = 0;

	code = code ? code : open_output(s);
	if (code)
		return code;
	if (s->opt->command)
		err = child_prepare(&s->child, s->opt->command, !output_is_stdout(s->opt->output));
	if (err) {
		log_error("cannot start a process for '%s': %s", s->opt->command[0],
			  strerror(-err));
		return EXIT_FAILED;
	}
	s->account.probes = s->probes;
	s->account.writer = s->writer;
	s->account.consumer = s->consumer;
	s->account.stacks = definitions_stacks(s->definitions);
	s->account.cost = &s->cost;
	s->account.overhead = &s->overhead;
	s->account.start_state = &s->start_state;
	s->account.command_status = -1;
	s->overhead.limit = s->opt->max_overhead;
	s->overhead.cpus = (unsigned int)sysconf(_SC_NPROCESSORS_ONLN);
	if (s->opt->triggers) {
		struct event_watch watch = triggers_watch(s->opt->triggers);

		consumer_watch(s->consumer, &watch);
	}
	return EXIT_DONE;
}

static int record_session(struct session *s)
{
	struct recording_pause pause = {.run = session_empty, .context = s};
	struct summary_end end = {0};
	int code = prepare(s);

	if (code)
		return code;
	catch_signals();
	code = start(s);
	if (code)
		return code;
	give_up(s);
	code = run_command(s);
	if (!code)
		loop(s);
	end.child_stopped = s->opt->command && child_stop(&s->child, &pause);
	end.full = file_full(s);
	if (code) {
		output_discard(&s->output);
		return code;
	}
	part_finish(s, why_ended(s));
	end.child = s->opt->command ? &s->child : NULL;
	end.write_error = s->write_error;
	end.files = s->written;
	end.last_file = s->output.name;
	code = summary_print(s->opt, &s->account, &end);
	return s->window_missed ? EXIT_FAILED : code;
}

static void no_pause(void *context)
{
	(void)context;
}

int record_run(const struct record_options *opt)
{
	struct session s = {.opt = opt, .output.fd = -1, .nap_ns = NAP_MAX_NS};
	struct recording_pause pause = {.run = no_pause};
	int code;

	boottime_settle();
	cost_begin(&s.cost);
	code = record_session(&s);
	if (s.child.pid)
		child_stop(&s.child, &pause);
	consumer_free(s.consumer);
	definitions_free(s.definitions);
	output_discard(&s.output);
	if (s.writer)
		trace_writer_free(s.writer);
	flight_free(s.flight);
	free(s.account.base);
	free(s.header);
	missing_free(s.missing);
	latency_free(s.latency);
	session_close_walks(&s);
	symbols_free(s.symbols);
	probes_free(s.probes);
	return code;
}
