/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * flight.h - the newest window of a recording, in memory as encoded blocks.
 *
 *   part 0 (oldest)            part 1                     part 2 (growing)
 *   snapshot  events events    snapshot  events events    snapshot  events
 *
 * A part begins with a snapshot of its own, so a file that begins with a part
 * has an exact start state. Parts leave as a whole, once the next one is as old
 * as the window; so what is kept is the window, and at most a part more. Where
 * the budget of bytes leaves no whole part, its oldest events go instead, and
 * are counted: then its snapshot and its first event are apart.
 */
#ifndef KMEMLAB_RECORD_FLIGHT_H
#define KMEMLAB_RECORD_FLIGHT_H

#include <stddef.h>
#include <trace/trace_io.h>

struct flight;

/** flight_new() - keep @window_ns in at most @max_bytes. Return: NULL on no memory */
struct flight *flight_new(uint64_t window_ns, uint64_t max_bytes, unsigned int cpus);
void flight_free(struct flight *f);

/**
 * flight_begin() - a part begins at @now_ns; its snapshot is taken next
 * @base: what the caller wants back with this part; freed with it
 * Return: 0 or -ENOMEM, @base then is the caller's.
 */
int flight_begin(struct flight *f, uint64_t now_ns, void *base);

/** flight_sink() - for trace_writer_sink(): keeps snapshots, samples and events */
struct trace_sink flight_sink(struct flight *f);

struct flight_window {
	uint64_t begin_ns; /* of its first snapshot */
	uint64_t bytes;
	uint64_t events;
	uint64_t evicted; /* events between the snapshot and the first kept one, TASK not counted */
	uint64_t evicted_to_ns; /* the last of them was not after this */
	const void *base;
	unsigned int parts;
};

/** flight_window() - what there is now. Return: false: nothing */
bool flight_window(const struct flight *f, struct flight_window *out);
/** flight_kept() - events of @kind on @cpu in the window */
uint64_t flight_kept(const struct flight *f, unsigned int cpu, unsigned int kind);
/** flight_part_bytes() - of the part that grows */
uint64_t flight_part_bytes(const struct flight *f);
/** flight_write() - copy the window to @w's file. Return: 0 or -errno */
int flight_write(const struct flight *f, struct trace_writer *w);
/** flight_clear() - forget everything */
void flight_clear(struct flight *f);

#endif
