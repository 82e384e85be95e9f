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
#include <sys/stat.h>
#include <time.h>
#include <trace/kinds.h>
#include <unistd.h>

#include "account.h"
#include "child.h"
#include "consume.h"
#include "files.h"
#include "latency.h"
#include "summary.h"

enum {
	NAP_MIN_NS = 1000000,
	NAP_MAX_NS = 20000000,
	FILL_HURRY = 10, /* percent of a ring: nap less above, more below half */
	ACCOUNT_NS = 2000000000,
	FINAL_TRIES = 1000,
	VMSTAT_TRIES = 20,
	VMSTAT_QUIET_NS = 2000000,
};

struct session {
	const struct record_options *opt;
	struct kernel_bases bases;
	struct probes *probes;
	struct symbols *symbols;
	struct missing *missing;
	struct trace_writer *writer;
	struct definitions *definitions;
	struct consumer *consumer;
	struct stopwatch *latency; /* NULL: not measured */
	struct child child;
	struct account account;
	uint64_t vmstat_alloc, vmstat_free; /* at the start of coverage */
	uint64_t begin_ns;		    /* the start snapshot is taken */
	uint64_t nap_ns;
	int fd;
	int write_error; /* the first, as -errno */
};

static volatile sig_atomic_t stop_signal;

/* The first signal ends the recording, the second the process. */
static void on_signal(int sig)
{
	stop_signal = sig;
	signal(sig, SIG_DFL);
}

static void catch_signals(void)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction a = {.sa_handler = on_signal};

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &a, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
}

/* Say a failure once, with its exit code. */
static int fail(int err, const char *what)
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
	const char *path = s->opt->output;

	if (err == -EISDIR)
		log_error("cannot create '%s': it is a directory; name a file in it", path);
	else if (err == -EEXIST)
		log_error("cannot create '%s': it exists; use -f to overwrite it or -o for another "
			  "name",
			  path);
	else if (err == -ENOTTY)
		log_error("cannot write a trace to a terminal; redirect standard output or use -o "
			  "FILE");
	else if (err == -ELOOP)
		log_error("cannot create '%s': it is a symbolic link; give the file itself", path);
	else
		log_error("cannot create '%s': %s", path, strerror(-err));
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

static int open_kernel(struct session *s)
{
	char error[256] = "cannot learn where the kernel's memory lies";
	int err = calibrate(&s->bases, error);

	err = err ? err : find_direct_map(&s->bases);
	if (err)
		return fail(err, error);
	s->probes = probes_load(&s->bases, s->opt->ring_bytes, s->opt->families, error);
	if (!s->probes)
		return fail(-errno, error);
	s->symbols = symbols_load();
	s->missing = missing_new();
	if (!s->missing)
		return fail(-ENOMEM, "cannot start: no memory");
	if (!s->symbols)
		missing_add(s->missing, "/proc/kallsyms", "call sites have no names");
	return EXIT_DONE;
}

static int open_output(struct session *s)
{
	s->fd = output_create(s->opt->output, s->opt->overwrite);
	if (s->fd < 0)
		return fail_output(s, s->fd);
	s->writer = trace_writer_new(s->fd, probes_rings(s->probes)->cpus);
	if (s->writer)
		s->definitions =
			definitions_new(s->writer, s->symbols, probes_rings(s->probes)->cpus);
	if (s->definitions)
		s->consumer = consumer_new(probes_rings(s->probes), s->writer, s->definitions,
					   &s->bases, boottime_ns);
	return s->consumer ? EXIT_DONE : fail(-ENOMEM, "cannot start: no memory");
}

static void note_write(struct session *s, int err)
{
	if (err < 0 && !s->write_error)
		s->write_error = err;
}

static void empty_rings(void *context)
{
	struct session *s = context;
	int fill = consume(s->consumer, false);

	note_write(s, fill);
	if (fill > FILL_HURRY)
		s->nap_ns = s->nap_ns / 2 > NAP_MIN_NS ? s->nap_ns / 2 : NAP_MIN_NS;
	else if (fill < FILL_HURRY / 2)
		s->nap_ns = s->nap_ns * 2 < NAP_MAX_NS ? s->nap_ns * 2 : NAP_MAX_NS;
}

static void snapshot(struct session *s, uint16_t phase)
{
	struct recording_pause pause = {.run = empty_rings, .context = s};
	int err;

	record_texts(s->writer, phase);
	err = record_pages(s->writer, phase, &pause);
	if (err)
		log_warn("cannot read all page states from /proc/kpageflags: %s", strerror(-err));
	empty_rings(s);
}

static void nap(uint64_t ns)
{
	struct timespec t = {.tv_sec = (time_t)(ns / 1000000000),
			     .tv_nsec = (long)(ns % 1000000000)};

	nanosleep(&t, NULL);
}

/*
 * The counters, and a time when they had these values: between two readings that are
 * equal, with a moment between, as a page's event comes a little before the counter
 * moves. On a busy host, where there are none, in the middle of the last reading.
 */
static int read_vmstat(uint64_t *alloc, uint64_t *freed, uint64_t *when)
{
	uint64_t last_alloc, last_freed, before = boottime_ns();
	int err = vmstat_pages(alloc, freed);

	for (int i = 0; !err && i < VMSTAT_TRIES; i++) {
		last_alloc = *alloc;
		last_freed = *freed;
		nap(VMSTAT_QUIET_NS / 2);
		*when = boottime_ns();
		nap(VMSTAT_QUIET_NS / 2);
		before = boottime_ns();
		err = vmstat_pages(alloc, freed);
		if (last_alloc == *alloc && last_freed == *freed)
			return err;
	}
	*when = before + (boottime_ns() - before) / 2;
	return err;
}

static void start_latency(struct session *s)
{
	if (!(s->opt->families & FAMILY_LATENCY))
		return;
	s->latency = latency_start();
	if (!s->latency)
		missing_add(s->missing, "latency inside the allocation functions",
			    errno == ENOENT ? "this kernel has none of them" : strerror(errno));
}

static void write_latency(struct session *s)
{
	char *json = s->latency ? latency_json(s->latency) : NULL;

	if (json)
		note_write(s, trace_writer_text(s->writer, KMT_PHASE_END, boottime_ns(), "latency",
						json, strlen(json)));
	free(json);
}

static int start(struct session *s)
{
	char error[256] = "";
	char *header;
	int err = probes_attach(s->probes, error);
	uint64_t now = 0;

	if (err)
		return fail(err, error);
	start_latency(s);
	s->account.start_ns = boottime_ns();
	s->account.covered = s->opt->families & FAMILY_PAGE &&
			     !read_vmstat(&s->vmstat_alloc, &s->vmstat_free, &now);
	consumer_cover(s->consumer, now);
	header = header_json(s->probes, &s->bases, s->opt, s->missing);
	err = header ? trace_writer_header(s->writer, header) : -ENOMEM;
	free(header);
	if (err) {
		log_error("cannot write '%s': %s", s->opt->output, strerror(-err));
		return EXIT_FAILED;
	}
	snapshot(s, KMT_PHASE_START);
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

static void write_account(struct session *s)
{
	struct account_total total = account_total(&s->account);
	char *json;

	s->account.end_ns = boottime_ns();
	consumer_pages(s->consumer, &s->account.pages_alloc_seen, &s->account.pages_free_seen);
	trace_writer_lost(s->writer, total.lost_ring, total.lost_recursion);
	json = account_json(&s->account);
	note_write(s, json ? trace_writer_account(s->writer, json) : -ENOMEM);
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

static void loop(struct session *s)
{
	uint64_t now = boottime_ns();
	uint64_t next_sample = now, next_account = now + ACCOUNT_NS;

	while (!done(s, now)) {
		nap(s->nap_ns);
		empty_rings(s);
		now = boottime_ns();
		if (now >= next_sample) {
			record_texts(s->writer, 0);
			next_sample = now + s->opt->sample_ns;
		}
		if (now >= next_account) {
			write_account(s);
			summary_progress(&s->account);
			next_account = now + ACCOUNT_NS;
		}
	}
}

/*
 * Until all rings are empty. A program that still ran when it was detached
 * commits its cell within microseconds; the bound is for our own bugs.
 */
static void empty_for_good(struct session *s)
{
	int fill = 1;

	for (int i = 0; i < FINAL_TRIES && fill > 0; i++) {
		fill = consume(s->consumer, true);
		note_write(s, fill);
		if (fill == 1)
			nap(NAP_MIN_NS);
	}
}

/* Coverage ends first: what the end snapshot causes is not part of it. */
static void finish(struct session *s)
{
	uint64_t alloc, freed, now;

	if (s->account.covered && !read_vmstat(&alloc, &freed, &now)) {
		consumer_stop_cover(s->consumer, now);
		s->account.pages_alloc_vmstat = alloc - s->vmstat_alloc;
		s->account.pages_free_vmstat = freed - s->vmstat_free;
	} else {
		s->account.covered = false;
	}
	write_latency(s);
	snapshot(s, KMT_PHASE_END);
	probes_detach(s->probes);
	empty_for_good(s);
	s->account.command_status = s->opt->command ? s->child.status : -1;
	write_account(s);
	note_write(s, trace_writer_end(s->writer));
}

/* A recording that never began leaves no file behind. */
static void forget_output(const struct session *s)
{
	struct stat st;

	if (!fstat(s->fd, &st) && S_ISREG(st.st_mode) && !output_is_stdout(s->opt->output))
		unlink(s->opt->output);
}

static int record_session(struct session *s)
{
	struct recording_pause pause = {.run = empty_rings, .context = s};
	struct summary_end end = {0};
	int code = open_kernel(s);

	code = code ? code : open_output(s);
	if (code)
		return code;
	if (s->opt->command &&
	    child_prepare(&s->child, s->opt->command, !output_is_stdout(s->opt->output))) {
		log_error("cannot start a process for '%s': %s", s->opt->command[0],
			  strerror(errno));
		return EXIT_FAILED;
	}
	s->account.probes = s->probes;
	s->account.writer = s->writer;
	catch_signals();
	code = start(s);
	if (code)
		return code;
	code = run_command(s);
	if (!code)
		loop(s);
	end.child_stopped = s->opt->command && child_stop(&s->child, &pause);
	end.full = file_full(s);
	finish(s);
	if (code) {
		forget_output(s);
		return code;
	}
	end.child = s->opt->command ? &s->child : NULL;
	end.write_error = s->write_error;
	return summary_print(s->opt, &s->account, &end);
}

static void no_pause(void *context)
{
	(void)context;
}

int record_run(const struct record_options *opt)
{
	struct session s = {.opt = opt, .fd = -1, .nap_ns = NAP_MAX_NS};
	struct recording_pause pause = {.run = no_pause};
	struct stat st;
	int code = record_session(&s);

	if (s.child.pid)
		child_stop(&s.child, &pause);
	consumer_free(s.consumer);
	definitions_free(s.definitions);
	if (s.fd >= 0 && code && !fstat(s.fd, &st) && st.st_size == 0)
		forget_output(&s);
	if (s.writer)
		trace_writer_free(s.writer);
	if (s.fd >= 0)
		close(s.fd);
	missing_free(s.missing);
	latency_free(s.latency);
	symbols_free(s.symbols);
	probes_free(s.probes);
	return code;
}
