/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * trace_writer.h - write a .kmt file (include/kmemlab/trace.h).
 *
 * Single-threaded. Events are appended to one lane per CPU and encoded when the
 * round ends: an append is a store of 24 bytes. Where RLIMIT_FSIZE may bite,
 * the caller ignores SIGXFSZ.
 */
#ifndef KMEMLAB_TRACE_WRITER_H
#define KMEMLAB_TRACE_WRITER_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kmemlab/trace.h>

struct trace_page_run;
struct trace_writer;

struct trace_writer_stats {
	uint64_t bytes;	      /* written to the file */
	uint64_t event_bytes; /* of them, EVENTS blocks */
	uint64_t blocks;
	uint64_t recorded;   /* events that are in the file */
	uint64_t lost_write; /* events that could not be written */
	uint64_t file_bytes; /* of the present file */
	/* CPU time of this process, by part. */
	uint64_t encode_ns, compress_ns, write_ns;
};

/*
 * Where whole blocks go instead of a file. @kinds: events of an EVENTS block by
 * kind (KMT_KINDS of them), else NULL. Return: 0, or -errno: the block is lost.
 */
struct trace_sink {
	int (*take)(void *context, const struct kmt_block *head, const uint32_t *kinds,
		    const void *block);
	void *context;
};

/**
 * trace_writer_new() - start a file
 * @fd: open for writing at offset 0; stays the caller's
 * @cpus: number of possible CPUs
 * Return: the writer, or NULL with errno set.
 */
struct trace_writer *trace_writer_new(int fd, unsigned int cpus);

/** trace_writer_sink() - send blocks there from now on; NULL: to the file again */
void trace_writer_sink(struct trace_writer *w, const struct trace_sink *sink);

/**
 * trace_writer_file() - go on in another file (@fd as for trace_writer_new())
 *
 * Block numbers go on; the dictionaries will be written again, so that the file
 * can be read alone. The caller ends the round before, and writes a HEADER next.
 */
void trace_writer_file(struct trace_writer *w, int fd);

/** trace_writer_dictionary() - write the dictionary as far as it is not in the file */
int trace_writer_dictionary(struct trace_writer *w);

/** trace_writer_copy() - write a block that a sink was given, under a new number */
int trace_writer_copy(struct trace_writer *w, const void *block);

/** trace_writer_header() - write the HEADER block; call first, once */
int trace_writer_header(struct trace_writer *w, const char *json);

/** trace_writer_string() - number of @s, added if new; 0 for "", no memory or a new one when
 *  there are KMT_STRINGS_MAX_BYTES of them */
uint32_t trace_writer_string(struct trace_writer *w, const char *s);

/** trace_writer_stack() - number of the stack of @n strings, innermost first, added if
 *  new; 0 for none, for too many of them and on no memory */
uint32_t trace_writer_stack(struct trace_writer *w, const uint32_t *strings, size_t n);

/** trace_writer_class() - number of an equal class, added if new; UINT32_MAX on
 *  no memory. Padding-free comparison: all fields count. */
uint32_t trace_writer_class(struct trace_writer *w, const struct kmt_class *c);

/* One event before encoding. */
struct trace_raw {
	uint64_t time_ns;
	uint64_t address;
	uint32_t class_id;
	uint32_t zero;
};

/* One CPU's events of the round that is open. */
struct trace_lane {
	struct trace_raw *next, *limit, *begin;
	uint64_t last_ns;
};

/* What the inline append needs to see of a writer; its first member. */
struct trace_lanes {
	struct trace_lane *lane;
	unsigned int cpus;
};

/** trace_lane_grow() - make room; 0, or -EAGAIN when there is none left */
int trace_lane_grow(struct trace_lane *lane);

/**
 * trace_writer_event() - append one event
 * @time_ns: clamped up to the CPU's last time
 * @address: as EVENTS in trace.h; ignored for TASK
 * Return: 0; -EAGAIN when this CPU has no room left: call trace_writer_flush()
 * or trace_writer_round() and try again; -EINVAL for a CPU that cannot be.
 */
static inline int trace_writer_event(struct trace_writer *w, unsigned int cpu, uint32_t class_id,
				     uint64_t time_ns, uint64_t address)
{
	const struct trace_lanes *all = (const struct trace_lanes *)w;
	struct trace_lane *lane = all->lane + cpu;

	if (__builtin_expect(cpu >= all->cpus, 0))
		return -EINVAL;
	if (__builtin_expect(lane->next == lane->limit, 0) && trace_lane_grow(lane))
		return -EAGAIN;
	if (time_ns > lane->last_ns)
		lane->last_ns = time_ns;
	*lane->next++ = (struct trace_raw){lane->last_ns, address, class_id, 0};
	return 0;
}

/** trace_writer_lane() - the lane of @cpu, which is below the writer's number of CPUs */
static inline struct trace_lane *trace_writer_lane(struct trace_writer *w, unsigned int cpu)
{
	return ((struct trace_lanes *)w)->lane + cpu;
}

/**
 * trace_lane_extend() - append many events: the caller has stored them from lane->next on
 * @next: behind the last one, not beyond lane->limit
 * The first of them is not before lane->last_ns, and none before the one ahead of it.
 */
static inline void trace_lane_extend(struct trace_lane *lane, struct trace_raw *next)
{
	if (next > lane->next)
		lane->last_ns = next[-1].time_ns;
	lane->next = next;
}

/**
 * trace_writer_flush() - write what has been appended on @cpu; the round stays open
 * Return: 0, or -errno: these events are counted as lost_write, as in a round.
 */
int trace_writer_flush(struct trace_writer *w, unsigned int cpu);

/**
 * trace_writer_round() - write what has been appended, on all CPUs
 * @watermark_ns: no later event has a smaller time; later ones are clamped
 *
 * When the file cannot take it, the round's events are counted as lost_write
 * (per CPU and kind too) and forgotten; later rounds are tried again.
 *
 * Return: 0 or -errno of the write.
 */
int trace_writer_round(struct trace_writer *w, uint64_t watermark_ns);

/** trace_writer_lost() - losses since the file's begin that the next heads carry */
void trace_writer_lost(struct trace_writer *w, uint64_t ring, uint64_t recursion);

/** trace_writer_text() - a TEXT block; @flags: enum kmt_flags or 0 */
int trace_writer_text(struct trace_writer *w, uint16_t flags, uint64_t time_ns, const char *name,
		      const void *text, size_t bytes);

/** trace_writer_pages() - PAGES blocks, as many as needed; times enclose the reading */
int trace_writer_pages(struct trace_writer *w, uint16_t flags, uint64_t t_first_ns,
		       uint64_t t_last_ns, uint64_t first_pfn, const struct trace_page_run *runs,
		       size_t n);

/** trace_writer_account() - an ACCOUNT block (JSON) */
int trace_writer_account(struct trace_writer *w, const char *json);

/** trace_writer_end() - the END block; the file is complete */
int trace_writer_end(struct trace_writer *w);

/** trace_writer_stats() - totals so far */
void trace_writer_stats(const struct trace_writer *w, struct trace_writer_stats *out);
/** trace_writer_recorded() - events of @kind on @cpu that are in the file */
uint64_t trace_writer_recorded(const struct trace_writer *w, unsigned int cpu, unsigned int kind);
/** trace_writer_lost_write() - events of @kind on @cpu that a write lost */
uint64_t trace_writer_lost_write(const struct trace_writer *w, unsigned int cpu, unsigned int kind);

void trace_writer_free(struct trace_writer *w);

#endif
