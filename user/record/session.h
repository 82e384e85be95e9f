/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * session.h - one recording while it lasts: what session.c and part.c share.
 */
#ifndef KMEMLAB_RECORD_SESSION_H
#define KMEMLAB_RECORD_SESSION_H

#include "account.h"
#include "child.h"
#include "consume.h"
#include "cost.h"
#include "flight.h"
#include "output.h"
#include "overhead.h"
#include "record.h"
#include "start_state.h"

struct session {
	const struct record_options *opt;
	struct kernel_bases bases;
	struct probes *probes;
	struct symbols *symbols;
	struct missing *missing;
	struct trace_writer *writer;
	struct definitions *definitions;
	struct consumer *consumer;
	struct stopwatch *latency;	 /* NULL: not measured */
	struct walk *walk;		 /* NULL: the kernel's lists cannot be read */
	struct area_walk *area_walk;	 /* NULL: nor vmalloc's */
	struct slab_walk *slab_walk;	 /* NULL: nor the caches' */
	struct percpu_walk *percpu_walk; /* NULL: nor per-CPU memory's chunks */
	int walk_error, area_error, slab_error, percpu_error; /* why not, where NULL */
	struct start_state start_state;
	struct child child;
	struct account account;
	struct cost cost;
	struct overhead overhead;
	struct output output;		    /* the file that grows, or will be the last window */
	struct flight *flight;		    /* NULL: to the file at once */
	char *header;			    /* text, as of the start */
	uint64_t vmstat_alloc, vmstat_free; /* at the start of coverage */
	uint64_t begin_ns;		    /* the start snapshot is taken */
	uint64_t snapshot_cpu_ns;	    /* what the last one took */
	uint64_t part_ns;		    /* the part began */
	uint64_t nap_ns;
	unsigned int part;    /* number of the file, from 1; 0: the only one */
	unsigned int written; /* files complete */
	int write_error;      /* the first, as -errno */
	bool window_missed;   /* one could not be written; recording went on */
};

/** session_empty() - empty the rings; a recording_pause */
void session_empty(void *session);
/** session_note() - remember a write's @err, if it is one */
void session_note(struct session *s, int err);
/** session_account() - an ACCOUNT block of what there is now */
void session_account(struct session *s);

/* ---- snapshots.c ---- */

/** session_open_walks() - find the kernel's lists; what is not found is noted as missing */
void session_open_walks(struct session *s);
void session_close_walks(struct session *s);
/** session_snapshot() - the state now, at a file's start or end (KMT_PHASE_*) */
void session_snapshot(struct session *s, uint16_t phase);

/* ---- part.c ---- */

/** session_nap() - sleep, less if a signal comes */
void session_nap(uint64_t ns);

/**
 * part_begin() - a file, or a part of the window, begins here: with a header, or
 * in memory @base, and a snapshot
 * Return: 0 or -errno.
 */
int part_begin(struct session *s, struct account_base *base);
/** part_rotate() - end this file and begin the next. Return: 0 or -errno */
int part_rotate(struct session *s);
/** part_turn() - in memory: begin a new part if it is time */
void part_turn(struct session *s, uint64_t now_ns);
/** part_dump() - write the window because of @why, then begin anew. Return: 0 or -errno */
int part_dump(struct session *s, const char *why);
/** part_finish() - the last file: end snapshot, detach, last events, account, end */
void part_finish(struct session *s, const char *why);

#endif
