/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * trace_reader.h - read a .kmt file (include/kmemlab/trace.h).
 *
 * Single-threaded, read() only, trusts nothing in the file: checked sizes,
 * bounded allocation and decompression. Memory: 8 bytes per EVENTS block, 104 per
 * TEXT or PAGES block, the dictionaries, and one decompressed block (< 3 MB, typically 0.3 MB) plus
 * 70 KB of state per CPU.
 */
#ifndef KMEMLAB_TRACE_READER_H
#define KMEMLAB_TRACE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kmemlab/trace.h>

struct trace_page_run;
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
 * and PAGES are noted, EVENTS are skipped, so damage inside these three shows
 * only as they are read.
 *
 * Return: the reader, or NULL with errno: ENOENT/EACCES..., ENOMSG: not a
 * trace, EBADMSG: a trace with no intact HEADER, EPROTO: a newer version.
 */
struct trace_reader *trace_reader_open(const char *path, char *error);
/** trace_reader_open_fd() - the same for an open file, which is taken over; @name is for @error */
struct trace_reader *trace_reader_open_fd(int fd, const char *name, char *error);
void trace_reader_close(struct trace_reader *r);

/** trace_reader_header() - HEADER's JSON text */
const char *trace_reader_header(const struct trace_reader *r);
/** trace_reader_account() - the last ACCOUNT's JSON text, or NULL */
const char *trace_reader_account(const struct trace_reader *r);
/** trace_reader_class() - class by number; NULL if undefined */
const struct kmt_class *trace_reader_class(const struct trace_reader *r, uint32_t id);
uint32_t trace_reader_classes(const struct trace_reader *r);
/** trace_reader_string() - string by number, valid UTF-8 whatever is in the file (bytes that
 *  are none become U+FFFD); "" if undefined */
const char *trace_reader_string(const struct trace_reader *r, uint32_t id);
/** trace_reader_stacks() - one more than the largest number of a stack; 0: there are none */
uint32_t trace_reader_stacks(const struct trace_reader *r);
/** trace_reader_stack() - frames of a stack by number, as strings, the innermost first
 *  Return: how many; 0 if there is no such stack. */
uint32_t trace_reader_stack(const struct trace_reader *r, uint32_t id, const uint32_t **frames);
/** trace_context_name() - where an object's request that may not block came from:
 *  "may-sleep", ...; "": the class does not tell, or is of another kind */
const char *trace_context_name(const struct kmt_class *c);
/** trace_class_stack() - the number of a class's stack; 0 if it has none */
uint32_t trace_class_stack(const struct kmt_class *c);
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
/** trace_reader_sizes() - file size, and bytes of EVENTS blocks */
void trace_reader_sizes(const struct trace_reader *r, uint64_t *file, uint64_t *events,
			uint64_t *event_count);
/** trace_reader_times() - first and last event time, ns; 0, 0 if none */
void trace_reader_times(const struct trace_reader *r, uint64_t *first, uint64_t *last);

/** trace_reader_lost() - losses so far, as the last block of the file says */
void trace_reader_lost(const struct trace_reader *r, uint64_t *ring, uint64_t *recursion,
		       uint64_t *write);

/** trace_kind_name() - tracepoint name of a kind, "task" for TASK, or "unknown" */
const char *trace_kind_name(unsigned int kind);

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
