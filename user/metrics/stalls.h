/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * stalls.h - how long allocations waited in reclaim and compaction, what failed
 * all the same, and when the background threads were at work.
 *
 *   task   ----BEGIN======END----BEGIN====(switched out)====END---->
 *               one stall              the wait counts
 *
 * A begin without its end (the recording ended, or events were lost) is counted as
 * open and has no duration; an end without its begin is not counted. Compaction
 * that kcompactd does stalls nobody and is left out: its spans are kept instead.
 */
#ifndef KMEMLAB_STALLS_H
#define KMEMLAB_STALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct trace_event;
struct kmt_class;
struct stalls;

enum stall_kind {
	STALL_RECLAIM,
	STALL_MEMCG_RECLAIM,
	STALL_NODE_RECLAIM,
	STALL_COMPACTION,
	STALL_THROTTLED,	/* told with its length when it is over */
	STALL_COMPACTION_ASKED, /* of whole zones, through vm.compact_memory or sysfs: no
				   allocation waits */
	STALL_KINDS,
};

enum stall_marker { MARKER_FAILURE, MARKER_OOM, MARKERS };
enum stall_thread { THREAD_KSWAPD, THREAD_KCOMPACTD, THREADS };

/* Times are absolute. @task: class of a TASK event, or TASKS_UNKNOWN. */
struct stall {
	uint64_t begin_ns, ns;
	uint32_t task;
	uint8_t kind, order;
};

struct stall_mark {
	uint64_t time_ns;
	uint32_t task; /* who asked; of OOM: class of the event, which names the victim */
	uint8_t kind, order;
};

struct stall_span {
	uint64_t begin_ns, end_ns;
	uint16_t node;
	uint8_t thread;
	bool open; /* at the trace's end */
};

/* What was found: stalls in order of their ends, spans in none. */
struct stalls_found {
	const struct stall *stalls;
	const struct stall_mark *marks;
	const struct stall_span *spans;
	size_t n, nr_marks, nr_spans;
	uint64_t open; /* stalls without an end */
};

/** stalls_new() - @classes by number, kept; NULL on no memory */
struct stalls *stalls_new(const struct kmt_class *const *classes, uint32_t n, unsigned int cpus);
void stalls_free(struct stalls *s);

/** stalls_feed() - @n events of any kind; 0 or -ENOMEM */
int stalls_feed(struct stalls *s, const struct trace_event *e, long n);

/** stalls_finish() - the trace ends at @end_ns */
int stalls_finish(struct stalls *s, uint64_t end_ns, struct stalls_found *out);

#endif
