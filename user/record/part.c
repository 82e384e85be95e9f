// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * part.c - the files of a recording, and the window of a flight recorder.
 *
 * One thing serves both: a part begins when the open round has been ended and the
 * counters are noted; each CPU's task is told anew, and a snapshot is taken. A
 * part that goes to a file ends with another snapshot and its account. Nothing
 * is lost between two: events wait in the rings. Of a window, coverage is that
 * of its newest part.
 */
#include "session.h"

#include <common/log.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <trace/kinds.h>
#include <unistd.h>

#include "latency.h"

enum {
	SNAPSHOT_SHARE = 50, /* parts begin so rarely that snapshots cost 1/50 of a CPU */
	PART_SHARE = 3,	     /* and so often that the budget holds three */
	FINAL_TRIES = 1000,
	VMSTAT_TRIES = 20,
	VMSTAT_QUIET_NS = 2000000,
	FINAL_NAP_NS = 1000000,
};

/* ---- Pieces ------------------------------------------------------------ */

void session_nap(uint64_t ns)
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
		session_nap(VMSTAT_QUIET_NS / 2);
		*when = boottime_ns();
		session_nap(VMSTAT_QUIET_NS / 2);
		before = boottime_ns();
		err = vmstat_pages(alloc, freed);
		if (last_alloc == *alloc && last_freed == *freed)
			return err;
	}
	*when = before + (boottime_ns() - before) / 2;
	return err;
}

static void begin_coverage(struct session *s)
{
	uint64_t now = 0;

	s->account.covered = s->opt->families & FAMILY_PAGE &&
			     !read_vmstat(&s->vmstat_alloc, &s->vmstat_free, &now);
	consumer_cover(s->consumer, now);
}

static void end_coverage(struct session *s)
{
	uint64_t alloc, freed, now;

	if (!s->account.covered || read_vmstat(&alloc, &freed, &now)) {
		s->account.covered = false;
		return;
	}
	consumer_stop_cover(s->consumer, now);
	s->account.pages_alloc_vmstat = alloc - s->vmstat_alloc;
	s->account.pages_free_vmstat = freed - s->vmstat_free;
}

static void flush(struct session *s)
{
	enum cost_part before = cost_enter(&s->cost, COST_CONSUME);

	session_note(s, consume(s->consumer, true));
	cost_enter(&s->cost, before);
}

static int write_header(struct session *s, const struct header_part *part)
{
	char *text = header_part(s->header, part);
	int err = text ? trace_writer_header(s->writer, text) : -ENOMEM;

	free(text);
	return err;
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
		session_note(s, fill);
		if (fill == 1)
			session_nap(FINAL_NAP_NS);
	}
}

/* Histograms count since the recording began, in whichever file they stand. */
static void write_latency(struct session *s)
{
	char *json = s->latency ? latency_json(s->latency) : NULL;

	if (json)
		session_note(s, trace_writer_text(s->writer, KMT_PHASE_END, boottime_ns(),
						  "latency", json, strlen(json)));
	free(json);
}

static void write_end(struct session *s, const struct account_base *end)
{
	s->account.end = end;
	session_account(s);
	s->account.end = NULL;
	session_note(s, trace_writer_end(s->writer));
	s->written++;
}

/*
 * End a file that another part follows. Nothing may be taken from the rings from
 * the flush on until that part has begun.
 * Return: the next part's base, NULL on no memory
 */
static struct account_base *end_file(struct session *s)
{
	struct account_base *base;

	end_coverage(s);
	write_latency(s);
	session_snapshot(s, KMT_PHASE_END);
	flush(s);
	base = account_base(&s->account);
	write_end(s, base);
	return base;
}

static int commit(struct output *o)
{
	int err = output_commit(o);

	if (err)
		log_error("cannot rename '%s' to '%s': %s; it is complete under the first name",
			  o->partial, o->name, strerror(-err));
	return err;
}

/* ---- Files ------------------------------------------------------------- */

int part_begin(struct session *s, struct account_base *base)
{
	struct header_part part = {.number = s->part};
	int err;

	consumer_restate(s->consumer);
	s->part_ns = s->account.start_ns = boottime_ns();
	if (!s->flight)
		err = write_header(s, &part);
	else
		err = base ? flight_begin(s->flight, s->part_ns, base) : -ENOMEM;
	if (err)
		return err;
	begin_coverage(s);
	session_snapshot(s, KMT_PHASE_START);
	return 0;
}

/* As many as --keep says, the one that grows not counted. */
static void remove_old(const struct session *s)
{
	char name[OUTPUT_NAME_BYTES];

	if (!s->opt->keep || s->part <= s->opt->keep)
		return;
	if (snprintf(name, sizeof(name), "%s.%04u", s->opt->output, s->part - s->opt->keep) <
	    (int)sizeof(name))
		unlink(name);
}

int part_rotate(struct session *s)
{
	struct output next;
	struct account_base *base;
	char why[OUTPUT_NAME_BYTES + 128];
	int err = output_open(&next, s->opt->output, s->part + 1, s->opt->overwrite);

	if (err) {
		log_error("cannot create '%s': %s", next.name,
			  output_why(&next, err, why, sizeof(why)));
		return err;
	}
	base = end_file(s);
	err = commit(&s->output);
	remove_old(s);
	free(s->account.base);
	s->account.base = base;
	s->output = next;
	s->part++;
	trace_writer_file(s->writer, s->output.fd);
	/* Whatever became of the last file, what comes now belongs to this one. */
	session_note(s, err);
	return base ? part_begin(s, NULL) : -ENOMEM;
}

/* ---- The window -------------------------------------------------------- */

void part_turn(struct session *s, uint64_t now_ns)
{
	uint64_t age = now_ns - s->part_ns;
	bool due = age >= s->opt->window_ns / 2 ||
		   flight_part_bytes(s->flight) > s->opt->window_bytes / PART_SHARE;

	if (!due || age < s->snapshot_cpu_ns * SNAPSHOT_SHARE)
		return;
	flush(s);
	session_note(s, part_begin(s, account_base(&s->account)));
}

/* The window so far into @o; what comes now follows it there. */
static int write_window(struct session *s, const struct output *o, const char *why)
{
	struct header_part part = {.number = s->part, .why = why, .window_ns = s->opt->window_ns};
	struct flight_window w;
	int err;

	flush(s);
	if (!flight_window(s->flight, &w))
		return -ENODATA;
	if (w.evicted)
		log_warn("%" PRIu64 " events after the window's snapshot did not fit; the trace "
			 "tells of the gap; try a larger --ring TIME,SIZE",
			 w.evicted);
	part.begin_ns = s->account.start_ns = w.begin_ns;
	part.evicted = w.evicted;
	part.evicted_until_ns = w.evicted_to_ns;
	s->account.base = (struct account_base *)w.base;
	account_evicted(&s->account, s->account.base, s->flight);
	trace_writer_sink(s->writer, NULL);
	trace_writer_file(s->writer, o->fd);
	err = write_header(s, &part);
	err = err ? err : trace_writer_dictionary(s->writer);
	return err ? err : flight_write(s->flight, s->writer);
}

int part_dump(struct session *s, const char *why)
{
	struct trace_sink sink = flight_sink(s->flight);
	char reason[OUTPUT_NAME_BYTES + 128];
	struct account_base *base;
	struct output o;
	int err;

	/* A number that an earlier recording used is no reason to lose a window. */
	do
		err = output_open(&o, s->opt->output, ++s->part, s->opt->overwrite);
	while (err == -EEXIST && s->part < PARTS_MAX);
	if (err) {
		log_error("cannot create '%s': %s; recording goes on", o.name,
			  output_why(&o, err, reason, sizeof(reason)));
		s->window_missed = true;
		return 0;
	}
	err = write_window(s, &o, why);
	session_note(s, err);
	base = end_file(s);
	s->account.base = NULL; /* the window's, which goes now */
	flight_clear(s->flight);
	trace_writer_sink(s->writer, &sink);
	session_note(s, commit(&o));
	if (!s->write_error)
		log_info("%s: wrote '%s'", why, o.name);
	return part_begin(s, base);
}

/* Coverage ends first: what the end snapshot causes is not part of it. */
void part_finish(struct session *s, const char *why)
{
	if (s->flight && s->part)
		s->part++; /* earlier windows have numbers */
	if (s->flight)
		session_note(s, write_window(s, &s->output, why));
	end_coverage(s);
	write_latency(s);
	session_snapshot(s, KMT_PHASE_END);
	probes_detach(s->probes);
	empty_for_good(s);
	s->account.command_status = s->opt->command ? s->child.status : -1;
	write_end(s, NULL);
	session_note(s, commit(&s->output));
	if (s->flight)
		s->account.base = NULL;
}
