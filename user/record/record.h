/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * record.h - the recorder: BPF rings in, .kmt file out.
 *
 *   session.c    one recording from open to summary
 *   snapshots.c  the state at its start and end
 *   part.c       its files: rotation, and the window of a flight recorder
 *   flight.c     that window, in memory
 *   trigger.c    what has it written
 *   overhead.c   the rate at which allocations are recorded
 *   filter.c     which allocations are recorded at all
 *   sandbox.c    privileges and system calls given up
 *   cost.c       what the recorder itself uses
 *   output.c     the file, complete under its name or not at all
 *   probes.c     load and attach the BPF programs, map the rings
 *   hooks.c      programs on functions, by fentry or by kprobes
 *   probe_table.c  which program shows what
 *   latency.c    time inside the allocation functions
 *   calibrate.c  find the bases of struct page and of the direct map
 *   context.c    find preempt_count
 *   consume.c    rings to trace events
 *   addresses.c  the kernel's addresses as a trace has them
 *   define.c     slot definitions to trace classes
 *   stacks.c     kernel stacks to entries of the dictionary
 *   symbols.c    call sites to names
 *   pages.c      the state of every page, from /proc/kpageflags
 *   walk.c       what only the kernel's own structures hold: per-CPU lists
 *   area_walk.c  the same of vmalloc: its areas
 *   slab_walk.c  and of caches: their slabs
 *   percpu_walk.c  and of per-CPU memory: its chunks; percpu_areas.c: areas in them
 *   run_prog.h   runs a program that is attached to nothing
 *   start_state.c  what of the start is read, inferred, missing
 *   texts.c      the kernel's own text files, as snapshot and on a timer
 *   header.c     the HEADER block
 *   account.c    accounting identity, coverage, own cost: the ACCOUNT block
 *   boottime.c   the clock
 *   child.c      the traced command
 *   files.c      whole files in
 */
#ifndef KMEMLAB_RECORD_H
#define KMEMLAB_RECORD_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <kmemlab/context.h>
#include <kmemlab/event.h>
#include <trace/trace_io.h>

struct triggers;
struct filters;

/* How functions are hooked. */
enum attach_way {
	ATTACH_AUTO = 0, /* fentry, else kprobes */
	ATTACH_FENTRY,
	ATTACH_KPROBE,
	ATTACH_NONE, /* tracepoints alone */
};

struct record_options {
	const char *output;
	uint64_t duration_ns;	   /* 0: until the command ends or Ctrl-C */
	uint64_t ring_bytes;	   /* of cells per CPU, a power of two */
	uint64_t sample_ns;	   /* between samples of the kernel's text files */
	uint64_t max_bytes;	   /* stop when the file is this large; 0: never */
	unsigned int families;	   /* enum kind_family of trace/kinds.h */
	uint64_t rotate_bytes;	   /* begin another file when this one is as large; 0: never */
	unsigned int keep;	   /* as many files; 0: all */
	uint64_t window_ns;	   /* keep the newest of it in memory; 0: write all */
	uint64_t window_bytes;	   /* of memory for it, at most */
	double max_overhead;	   /* of all CPUs' time, 0..1; 0: no limit */
	struct triggers *triggers; /* that write the window; see trigger.h */
	struct filters *filters;   /* what to record of; see filter.h */
	enum attach_way way;	   /* of functions */
	char **command;		   /* NULL-terminated, or NULL */
	bool overwrite;
};

/** record_run() - record as @opt says. Return: an exit code (common/log.h),
 *  everything worth saying has been said. */
int record_run(const struct record_options *opt);

/** record_refused() - say @what, which ended in @err (-errno), once, with what helps.
 *  Return: its exit code */
int record_refused(int err, const char *what);

/* ---- calibrate.c ---- */

struct kernel_bases {
	uint64_t vmemmap;	   /* address of frame 0's struct page */
	uint64_t page_offset;	   /* address of frame 0 in the direct map */
	uint64_t direct_map_bytes; /* of the direct map that hold memory */
	uint32_t page_struct_bytes;
	struct kml_context context;
	const char *no_context; /* why contexts are not told; NULL: they are */
};

/**
 * calibrate() - find the kernel's bases by watching own allocations
 * @error: 256 bytes; says what failed
 * Return: 0, -EPERM, or -ENOTSUP if what was seen is not consistent.
 */
int calibrate(struct kernel_bases *bases, char *error);

/* The rings of all possible CPUs, as mapped memory. */
struct rings {
	unsigned char *base;
	size_t stride;	     /* from one CPU's struct kml_ring to the next */
	uint64_t cell_bytes; /* of cells per CPU, a power of two */
	unsigned int cpus;
};

static inline struct kml_ring *ring_of(const struct rings *r, unsigned int cpu)
{
	return (struct kml_ring *)(r->base + cpu * r->stride);
}

/* How far the programs may write when @tail bytes have been read. */
static inline uint64_t ring_limit(const struct rings *r, uint64_t tail)
{
	return tail + r->cell_bytes - KML_RING_MARGIN_BYTES;
}

/* Bytes of kernel memory that the rings hold. */
static inline uint64_t rings_bytes(const struct rings *r)
{
	return r->stride * r->cpus;
}

/* ---- probes.c ---- */

struct probes;

struct kml_filter;

/* What the programs are loaded with. */
struct probes_setup {
	const struct kernel_bases *bases;
	const struct kml_filter *filter;
	uint64_t ring_bytes;   /* of cells per CPU, a power of two */
	unsigned int families; /* enum kind_family */
	enum attach_way way;
};

/**
 * probes_load() - load the programs of the chosen families
 * @error: 256 bytes
 * Return: the probes, not attached yet, or NULL with errno.
 */
struct probes *probes_load(const struct probes_setup *setup, char *error);
/** probes_attach() - events flow from here. Return: 0 or -errno, @error set */
int probes_attach(struct probes *p, char *error);
/** probes_detach() - no event after this returns */
void probes_detach(struct probes *p);
void probes_free(struct probes *p);
const struct rings *probes_rings(const struct probes *p);
unsigned int probes_families(const struct probes *p);
bool probes_attached(const struct probes *p, unsigned int kind);
/** probes_how() - "raw_tp", "fentry", "fexit", "kprobe" or "kretprobe"; NULL: @kind is not
 *  attached */
const char *probes_how(const struct probes *p, unsigned int kind);
/** probes_where() - the function that @kind hooks; NULL: none */
const char *probes_where(const struct probes *p, unsigned int kind);
/** probes_why_missing() - NULL if @kind is attached, not asked for or shown by
 *  another, else the reason */
const char *probes_why_missing(const struct probes *p, unsigned int kind);
/** probes_is_hook() - is @kind shown by functions only, by no tracepoint? */
bool probes_is_hook(const struct probes *p, unsigned int kind);

/* What a recording without a hook does not see. */
struct probe_hole {
	unsigned int kind;
	const char *what, *effect;
};

/** probes_hole() - the i-th hole that there may be; NULL after the last */
const struct probe_hole *probes_hole(const struct probes *p, size_t i);
/** probes_recursion() - events of @kind that the kernel kept from the program */
uint64_t probes_recursion(const struct probes *p, unsigned int kind);
/** probes_stacks() - events whose stack was taken, and those that it could not be had of */
void probes_stacks(const struct probes *p, uint64_t *taken, uint64_t *failed);
/** probes_missed_calls() - calls of functions that kprobes lost, as far as they are counted */
uint64_t probes_missed_calls(const struct probes *p);
/** probes_untracked() - allocations that a filter left out for want of room */
uint64_t probes_untracked(const struct probes *p);
/** probes_runs() - time in all programs, and their runs, while the kernel measured */
void probes_runs(const struct probes *p, uint64_t *ns, uint64_t *runs);

/* ---- symbols.c ---- */

struct symbols;

/** symbols_load() - read /proc/kallsyms. Return: NULL with errno, EPERM where the
 *  kernel hides the addresses */
struct symbols *symbols_load(void);
/** symbols_name() - "symbol+0xoffset[ [module]]" of @address into @buf; "" if
 *  nothing is known of it. Never an address. */
void symbols_name(const struct symbols *s, uint64_t address, char *buf, size_t size);
/** symbols_range() - where the function @name lies: [*from, *to). Return: 0 or -ENOENT */
int symbols_range(const struct symbols *s, const char *name, uint64_t *from, uint64_t *to);
void symbols_free(struct symbols *s);

/* ---- define.c ---- */

/* What the slots of every CPU stand for, as class numbers. */
struct definitions;

struct definitions *definitions_new(struct trace_writer *w, const struct symbols *symbols,
				    unsigned int cpus);
void definitions_free(struct definitions *d);
/** define_word() - take one definition cell of @cpu. Return: 1 if it completed
 *  a TASK, whose class is then definitions_task(); 0 otherwise; -ENOMEM */
int define_word(struct definitions *d, unsigned int cpu, const struct kml_cell *cell);
/** definitions_task() - class of the task that runs on @cpu */
uint32_t definitions_task(const struct definitions *d, unsigned int cpu);
/** definitions_tgid() - its process; 0 before the first TASK */
uint32_t definitions_tgid(const struct definitions *d, unsigned int cpu);
struct stacks;

const struct stacks *definitions_stacks(const struct definitions *d);
/** definitions_vmalloc_start() - the lowest region of vmalloc areas so far; 0: none */
uint64_t definitions_vmalloc_start(const struct definitions *d);
/** definitions_vmalloc_starts() - it begins at @address, as was read elsewhere */
void definitions_vmalloc_starts(struct definitions *d, uint64_t address);
/* What the hot path needs to know of a slot. */
struct slot {
	uint32_t class_id;
	uint32_t order; /* page kinds */
};

/** definitions_slots() - KML_ALL_SLOTS of @cpu, in the order of struct kml_ring */
const struct slot *definitions_slots(const struct definitions *d, unsigned int cpu);

/* ---- header.c ---- */

/* What could not be attached or read, and why. */
struct missing;

struct missing *missing_new(void);
void missing_add(struct missing *m, const char *what, const char *why);
void missing_free(struct missing *m);

/** header_json() - the HEADER block's text, to be freed; adds to @missing */
char *header_json(const struct probes *p, const struct kernel_bases *bases,
		  const struct record_options *opt, struct missing *missing);

/** kernel_pageblock_order() - as /proc/pagetypeinfo says, else the usual one */
unsigned int kernel_pageblock_order(void);

/* What sets one of a recording's files apart. */
struct header_part {
	unsigned int number;	   /* of the file, from 1; 0: the only one */
	const char *why;	   /* NULL, or what had the window written */
	uint64_t window_ns;	   /* as asked for; 0: no window */
	uint64_t begin_ns;	   /* of the window's snapshot */
	uint64_t evicted;	   /* events that left the window after it */
	uint64_t evicted_until_ns; /* the last of them was not after this */
};

/** header_part() - @header as the begin of this file, to be freed; NULL on no memory */
char *header_part(const char *header, const struct header_part *part);

/* ---- pages.c, texts.c ---- */

/* Called between pieces of long work, so that the rings do not fill. */
struct recording_pause {
	void (*run)(void *context);
	void *context;
};

/** record_pages() - PAGES blocks of all zones. Return: 0 or -errno */
int record_pages(struct trace_writer *w, uint16_t phase, const struct recording_pause *pause);
/** texts_missing() - add the kernel files that cannot be read to @missing */
void texts_missing(struct missing *missing);
/* Of per-CPU memory, its chunks: not where CONFIG_PERCPU_STATS is off. */
#define PERCPU_STATS "/sys/kernel/debug/percpu_stats"
/** record_texts() - TEXT blocks; @phase 0: only what the timer samples */
void record_texts(struct trace_writer *w, uint16_t phase);
struct json_t;
/** record_json() - a TEXT block of @doc, or -ENOMEM where that is NULL; 0 or -errno */
int record_json(struct trace_writer *w, uint16_t phase, const char *name, const struct json_t *doc);
/** vmstat_pages() - pages allocated and freed since boot, as the kernel counts */
int vmstat_pages(uint64_t *allocated, uint64_t *freed);

/* ---- boottime.c ---- */

/** boottime_ns() - now, on the clock of all times in a trace */
uint64_t boottime_ns(void);
/** boottime_settle() - learn this process's time namespace, before the first time is read */
void boottime_settle(void);
/** boottime_offset() - nanoseconds that /proc/PID/timens_offsets adds to the clock */
int64_t boottime_offset(const char *timens_offsets);

#endif
