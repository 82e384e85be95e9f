/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * trace_io.h - write and read .kmt files (include/kmemlab/trace.h). The only
 * code that knows the bytes of the format.
 *
 * Writer: single-threaded. Reader: single-threaded, read() only, trusts
 * nothing in the file: checked sizes, bounded allocation and decompression.
 */
#ifndef KMEMLAB_TRACE_IO_H
#define KMEMLAB_TRACE_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kmemlab/trace.h>

/* ---- Writer ------------------------------------------------------------ */

struct trace_writer;

struct trace_writer_stats {
	uint64_t bytes;	      /* written to the file */
	uint64_t event_bytes; /* of them, EVENTS blocks */
	uint64_t blocks;
	uint64_t recorded;   /* events that are in the file */
	uint64_t lost_write; /* events that could not be written */
};

/**
 * trace_writer_new() - start a file
 * @fd: open for writing at offset 0; stays the caller's
 * @cpus: number of possible CPUs
 * Return: the writer, or NULL with errno set.
 */
struct trace_writer *trace_writer_new(int fd, unsigned int cpus);

/** trace_writer_header() - write the HEADER block; call first, once */
int trace_writer_header(struct trace_writer *w, const char *json);

/** trace_writer_string() - number of @s, added if new; 0 for "" or no memory */
uint32_t trace_writer_string(struct trace_writer *w, const char *s);

/** trace_writer_class() - number of an equal class, added if new; UINT32_MAX on
 *  no memory. Padding-free comparison: all fields count. */
uint32_t trace_writer_class(struct trace_writer *w, const struct kmt_class *c);

/**
 * trace_writer_event() - append one event
 * @time_ns: clamped up to the CPU's last time
 * @address: as EVENTS in trace.h
 * Return: 0; -EAGAIN when this CPU's round is full: call
 * trace_writer_round() and try again.
 */
int trace_writer_event(struct trace_writer *w, unsigned int cpu, uint32_t class_id,
		       uint64_t time_ns, uint64_t address);

/**
 * trace_writer_round() - write what has been appended, on all CPUs
 * @watermark_ns: no later event has a smaller time
 *
 * When the file cannot take it, the round's events are counted as lost_write
 * (per CPU and kind too) and forgotten; later rounds are tried again.
 *
 * Return: 0 or -errno of the write.
 */
int trace_writer_round(struct trace_writer *w, uint64_t watermark_ns);

/** trace_writer_lost() - cumulative losses that the next block heads carry */
void trace_writer_lost(struct trace_writer *w, uint64_t ring, uint64_t recursion);

/** trace_writer_text() - a TEXT block; @flags: enum kmt_flags or 0 */
int trace_writer_text(struct trace_writer *w, uint16_t flags, uint64_t time_ns, const char *name,
		      const void *text, size_t bytes);

/* A run of PAGES. */
struct trace_page_run {
	uint8_t state; /* enum kmt_page_state */
	uint8_t order; /* 0..14 */
	uint64_t blocks;
};

/** trace_writer_pages() - a PAGES block; times enclose the reading */
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

/* ---- Reader ------------------------------------------------------------ */

struct trace_reader;

struct trace_event {
	uint64_t time_ns;
	uint64_t address; /* as EVENTS in trace.h */
	uint32_t class_id;
	uint16_t cpu;
	uint8_t kind; /* of the class */
	uint8_t order;
};

/* What is wrong with a file; all zero for an intact one. */
struct trace_damage {
	uint64_t bad_blocks;	    /* checksum or content wrong */
	uint64_t skipped_bytes;	    /* passed over to find the next block */
	uint64_t missing_blocks;    /* gaps in seq */
	uint64_t undefined_classes; /* events whose class was lost */
	bool torn;		    /* ends inside a block */
	bool unfinished;	    /* no END block: the recorder was killed */
};

/* A TEXT block, found by trace_text(). `text` is NUL-terminated. */
struct trace_text {
	char *name;
	char *text;
	size_t bytes;
	uint64_t time_ns;
	uint16_t flags;
};

struct trace_pages {
	uint64_t t_first_ns, t_last_ns;
	uint64_t first_pfn;
	struct trace_page_run *runs;
	size_t n;
	uint16_t flags;
};

/**
 * trace_reader_open() - open and index everything but the events
 * @path: "-" reads standard input (spooled to an unlinked temporary file)
 * @error: 256 bytes for one line that says what is wrong; not NULL
 *
 * Walks all block heads; HEADER, STRINGS, CLASSES and ACCOUNT are loaded, TEXT
 * and PAGES are noted, EVENTS are skipped.
 *
 * Return: the reader, or NULL with errno: ENOENT/EACCES..., ENOMSG: not a
 * trace, EBADMSG: a trace with no intact HEADER, EPROTO: a newer version.
 */
struct trace_reader *trace_reader_open(const char *path, char *error);
void trace_reader_close(struct trace_reader *r);

/** trace_reader_header() - HEADER's JSON text */
const char *trace_reader_header(const struct trace_reader *r);
/** trace_reader_account() - the last ACCOUNT's JSON text, or NULL */
const char *trace_reader_account(const struct trace_reader *r);
/** trace_reader_class() - class by number; NULL if undefined */
const struct kmt_class *trace_reader_class(const struct trace_reader *r, uint32_t id);
uint32_t trace_reader_classes(const struct trace_reader *r);
/** trace_reader_string() - string by number; "" if undefined */
const char *trace_reader_string(const struct trace_reader *r, uint32_t id);
/** trace_reader_cpus() - one more than the largest CPU number with events */
unsigned int trace_reader_cpus(const struct trace_reader *r);

/**
 * trace_reader_next() - the next events, merged over CPUs by time
 * @out: room for @max events
 *
 * Ties go to the lower CPU. Order within a CPU is the order recorded.
 *
 * Return: number stored, 0 at the end, -errno on an I/O error. Damage is
 * passed over and counted.
 */
long trace_reader_next(struct trace_reader *r, struct trace_event *out, size_t max);
/** trace_reader_rewind() - back to the first event */
int trace_reader_rewind(struct trace_reader *r);
/** trace_reader_damage() - what was found wrong so far */
void trace_reader_damage(const struct trace_reader *r, struct trace_damage *out);
/** trace_reader_event_bytes() - file size, and bytes of EVENTS blocks */
void trace_reader_sizes(const struct trace_reader *r, uint64_t *file, uint64_t *events,
			uint64_t *event_count);
/** trace_reader_times() - first and last event time, ns; 0, 0 if none */
void trace_reader_times(const struct trace_reader *r, uint64_t *first, uint64_t *last);

/** trace_reader_texts() - how many TEXT blocks there are */
size_t trace_reader_texts(const struct trace_reader *r);
/** trace_reader_text() - load the i-th; free with trace_text_free() */
int trace_reader_text(struct trace_reader *r, size_t i, struct trace_text *out);
/** trace_reader_find_text() - load by name and phase (KMT_PHASE_*); -ENOENT */
int trace_reader_find_text(struct trace_reader *r, const char *name, uint16_t phase,
			   struct trace_text *out);
void trace_text_free(struct trace_text *t);

/** trace_reader_pages() - how many PAGES blocks; and load the i-th */
size_t trace_reader_pages(const struct trace_reader *r);
int trace_reader_page_block(struct trace_reader *r, size_t i, struct trace_pages *out);
void trace_pages_free(struct trace_pages *p);

#endif
