/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * writer.c - lanes of events into blocks of a file.
 *
 * A block is written whole or not at all: what a failed write left is cut off
 * again, so that a full disk costs events and never the file. Dictionary
 * entries count as written only once they are, so that events of a later round
 * find them.
 *
 * A recording may span several files, and blocks may be kept in memory first
 * (trace_writer_sink()). What a file carries of losses counts from its begin.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "trace/varint.h"
#include "trace/writer_impl.h"

enum {
	ZSTD_LEVEL = 1,
	FIRST_LANE_EVENTS = 1 << 15,
	/* Of a block: what it is made of and made into stays in a CPU's own cache. */
	LANE_EVENTS = 1 << 15,
	DICTIONARY_BYTES = 1 << 20, /* of a block, about */
	STRING_ENTRY_MAX = KMT_STRING_MAX_BYTES + VARINT_MAX_BYTES,
	STRING_LIMIT = 1 << 24,
};
_Static_assert((int)LANE_EVENTS <= (int)KMT_ROUND_MAX_EVENTS, "a lane is a block");
_Static_assert(STRING_ENTRY_MAX >= (KMT_STACK_FRAMES + 1) * VARINT_MAX_BYTES,
	       "a stack takes no more room than a string");

struct trace_writer *trace_writer_new(int fd, unsigned int cpus)
{
	struct trace_writer *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->fd = fd;
	w->lanes.cpus = cpus;
	w->lanes.lane = calloc(cpus, sizeof(*w->lanes.lane));
	w->counts = calloc(cpus, sizeof(*w->counts));
	w->packer = block_packer_new(ZSTD_LEVEL);
	w->encoder = encoder_new();
	if (!w->lanes.lane || !w->counts || !w->packer || !w->encoder ||
	    intern_init(&w->strings, STRING_LIMIT) || intern_init(&w->classes, KMT_CLASS_MAX) ||
	    intern_init(&w->stacks, KMT_STACK_MAX) ||
	    intern_add(&w->strings, "", 0) == INTERN_NONE ||
	    intern_add(&w->stacks, "", 0) == INTERN_NONE) {
		trace_writer_free(w);
		errno = ENOMEM;
		return NULL;
	}
	w->strings.written = 1; /* number 0 is "" and not stored */
	w->stacks.written = 1;	/* nor is the stack without frames */
	return w;
}

void trace_writer_free(struct trace_writer *w)
{
	if (!w)
		return;
	for (unsigned int cpu = 0; w->lanes.lane && cpu < w->lanes.cpus; cpu++)
		free(w->lanes.lane[cpu].begin);
	free(w->lanes.lane);
	free(w->counts);
	block_packer_free(w->packer);
	encoder_free(w->encoder);
	intern_free(&w->strings);
	intern_free(&w->stacks);
	intern_free(&w->classes);
	free(w);
}

/* ---- Blocks ------------------------------------------------------------ */

/* Cut off the @done bytes of a block that did not fit. */
static void take_back(struct trace_writer *w, size_t done)
{
	off_t now = lseek(w->fd, 0, SEEK_CUR);

	if (!done)
		return;
	if (now < (off_t)done || ftruncate(w->fd, now - (off_t)done) ||
	    lseek(w->fd, now - (off_t)done, SEEK_SET) < 0)
		w->broken = true;
}

static int write_whole(struct trace_writer *w, const uint8_t *data, size_t bytes)
{
	size_t done = 0;

	if (w->broken)
		return -EIO;
	while (done < bytes) {
		ssize_t n = write(w->fd, data + done, bytes - done);
		int err = n < 0 ? errno : EIO;

		if (n < 0 && err == EINTR)
			continue;
		if (n <= 0) {
			take_back(w, done);
			return -err;
		}
		done += (size_t)n;
	}
	return 0;
}

static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void number(const struct trace_writer *w, struct kmt_block *head)
{
	head->seq = w->seq;
	head->lost_ring = w->lost_ring;
	head->lost_recursion = w->lost_recursion;
	head->lost_write = w->stats.lost_write - w->lost_before;
}

/* To the file, or where else blocks go now. */
static int put_block(struct trace_writer *w, const struct kmt_block *head, const uint32_t *kinds,
		     const void *data)
{
	size_t bytes = sizeof(*head) + head->stored_bytes;
	uint64_t start = cpu_ns();
	int err = w->sink.take ? w->sink.take(w->sink.context, head, kinds, data)
			       : write_whole(w, data, bytes);

	w->stats.write_ns += cpu_ns() - start;
	if (err)
		return err;
	w->seq++;
	w->stats.blocks++;
	if (!w->sink.take) {
		w->stats.bytes += bytes;
		w->stats.file_bytes += bytes;
	}
	return 0;
}

int writer_block(struct trace_writer *w, struct kmt_block *head, const struct block_part *parts,
		 size_t n)
{
	const uint32_t *kinds = head->type == KMT_EVENTS ? encoder_counts(w->encoder) : NULL;
	uint64_t start = cpu_ns();
	const void *data;
	size_t bytes;
	int err;

	if (head->type != KMT_EVENTS)
		head->cpu = KMT_CPU_NONE;
	number(w, head);
	bytes = block_pack(w->packer, head, parts, n, &data);
	w->stats.compress_ns += cpu_ns() - start;
	if (!bytes)
		return -errno;
	err = put_block(w, head, kinds, data);
	if (!err && kinds)
		w->stats.event_bytes += bytes;
	return err;
}

int trace_writer_copy(struct trace_writer *w, const void *block)
{
	struct kmt_block head;
	uint8_t *copy;
	int err;

	memcpy(&head, block, sizeof(head));
	copy = malloc(sizeof(head) + head.stored_bytes);
	if (!copy)
		return -ENOMEM;
	number(w, &head);
	block_seal(&head);
	memcpy(copy, &head, sizeof(head));
	memcpy(copy + sizeof(head), (const uint8_t *)block + sizeof(head), head.stored_bytes);
	err = put_block(w, &head, NULL, copy);
	free(copy);
	return err;
}

void trace_writer_sink(struct trace_writer *w, const struct trace_sink *sink)
{
	w->sink = sink ? *sink : (struct trace_sink){0};
}

void trace_writer_file(struct trace_writer *w, int fd)
{
	w->fd = fd;
	w->broken = false;
	w->strings.written = w->stacks.written = 1;
	w->classes.written = 0;
	w->lost_ring = w->lost_recursion = 0;
	w->lost_before = w->stats.lost_write;
	w->stats.file_bytes = 0;
}

static int write_json(struct trace_writer *w, uint16_t type, const char *json)
{
	struct block_part part = {.data = json, .bytes = strlen(json)};
	struct kmt_block head = {.type = type};

	return writer_block(w, &head, &part, 1);
}

int trace_writer_header(struct trace_writer *w, const char *json)
{
	return write_json(w, KMT_HEADER, json);
}

int trace_writer_account(struct trace_writer *w, const char *json)
{
	return write_json(w, KMT_ACCOUNT, json);
}

int trace_writer_end(struct trace_writer *w)
{
	struct kmt_block head = {.type = KMT_END};

	return writer_block(w, &head, NULL, 0);
}

/* ---- Dictionaries ------------------------------------------------------ */

uint32_t trace_writer_string(struct trace_writer *w, const char *s)
{
	struct intern *t = &w->strings;
	size_t length = strnlen(s, KMT_STRING_MAX_BYTES);
	uint32_t id;

	/* A file can hold no more: what is known is still found. */
	if (t->bytes_used + t->count + length + 1 > KMT_STRINGS_MAX_BYTES)
		t->limit = t->count;
	id = intern_add(t, s, length);
	return id == INTERN_NONE ? 0 : id;
}

uint32_t trace_writer_class(struct trace_writer *w, const struct kmt_class *c)
{
	return intern_add(&w->classes, c, sizeof(*c));
}

uint32_t trace_writer_stack(struct trace_writer *w, const uint32_t *strings, size_t n)
{
	struct intern *t = &w->stacks;
	uint32_t id = INTERN_NONE;

	if (t->bytes_used / sizeof(*strings) + n > KMT_FRAMES_MAX)
		t->limit = t->count; /* as with strings */
	if (n <= KMT_STACK_FRAMES)
		id = intern_add(t, strings, n * sizeof(*strings));
	return id == INTERN_NONE ? 0 : id;
}

/* As many unwritten strings as a block takes; their number. */
static uint32_t lay_out_strings(const struct intern *t, uint8_t *payload, size_t *bytes)
{
	uint32_t id = t->written;

	for (*bytes = 0; id < t->count && *bytes < DICTIONARY_BYTES; id++) {
		size_t length;
		const void *s = intern_get(t, id, &length);
		uint8_t *to = varint_put(payload + *bytes, length);

		memcpy(to, s, length);
		*bytes = (size_t)(to + length - payload);
	}
	return id - t->written;
}

/* The same of stacks: as varints, their number first. */
static uint32_t lay_out_stacks(const struct intern *t, uint8_t *payload, size_t *bytes)
{
	uint32_t id = t->written;

	for (*bytes = 0; id < t->count && *bytes < DICTIONARY_BYTES; id++) {
		size_t length;
		const uint32_t *frame = intern_get(t, id, &length);
		uint8_t *to = varint_put(payload + *bytes, length / sizeof(*frame));

		for (size_t i = 0; i < length / sizeof(*frame); i++)
			to = varint_put(to, frame[i]);
		*bytes = (size_t)(to - payload);
	}
	return id - t->written;
}

/* What is not in the file yet of the strings, or of the stacks. */
static int write_entries(struct trace_writer *w, uint16_t type, struct intern *t)
{
	uint8_t *payload;
	int err = 0;

	if (t->written == t->count)
		return 0;
	payload = malloc(DICTIONARY_BYTES + STRING_ENTRY_MAX);
	if (!payload)
		return -ENOMEM;
	while (!err && t->written < t->count) {
		struct kmt_block head = {.type = type, .first_id = t->written};
		struct block_part part = {.data = payload};

		head.count = type == KMT_STRINGS ? lay_out_strings(t, payload, &part.bytes)
						 : lay_out_stacks(t, payload, &part.bytes);
		err = writer_block(w, &head, &part, 1);
		if (!err)
			t->written += head.count;
	}
	free(payload);
	return err;
}

static int write_classes(struct trace_writer *w)
{
	struct intern *t = &w->classes;
	const uint32_t most = DICTIONARY_BYTES / sizeof(struct kmt_class);

	while (t->written < t->count) {
		struct kmt_block head = {.type = KMT_CLASSES, .first_id = t->written};
		uint32_t n = t->count - t->written;
		struct block_part part = {0};
		int err;

		head.count = n < most ? n : most;
		part.data = intern_get(t, t->written, NULL);
		part.bytes = head.count * sizeof(struct kmt_class);
		err = writer_block(w, &head, &part, 1);
		if (err)
			return err;
		t->written += head.count;
	}
	return 0;
}

/* ---- Events ------------------------------------------------------------ */

int trace_lane_grow(struct trace_lane *lane)
{
	size_t used = (size_t)(lane->next - lane->begin);
	size_t max = used ? used * 2 : FIRST_LANE_EVENTS;
	struct trace_raw *bigger;

	if (used >= LANE_EVENTS)
		return -EAGAIN;
	bigger = reallocarray(lane->begin, max, sizeof(*bigger));
	if (!bigger)
		return -EAGAIN;
	lane->begin = bigger;
	lane->next = bigger + used;
	lane->limit = bigger + max;
	return 0;
}

static void count_written(struct trace_writer *w, unsigned int cpu, size_t n)
{
	const uint32_t *counts = encoder_counts(w->encoder);

	for (int kind = 0; kind < KMT_KINDS; kind++)
		w->counts[cpu].recorded[kind] += counts[kind];
	w->stats.recorded += n;
}

static void count_lost(struct trace_writer *w, unsigned int cpu, size_t n)
{
	const struct trace_raw *events = w->lanes.lane[cpu].begin;
	const struct kmt_class *classes = (const void *)w->classes.bytes;

	for (size_t i = 0; i < n; i++) {
		uint32_t id = events[i].class_id;
		unsigned int kind = id < w->classes.count ? classes[id].kind : KMT_KINDS - 1;

		w->counts[cpu].lost[kind % KMT_KINDS]++;
	}
	w->stats.lost_write += n;
}

static int write_lane(struct trace_writer *w, unsigned int cpu, size_t n)
{
	const struct trace_lane *lane = &w->lanes.lane[cpu];
	struct kmt_block head = {.type = KMT_EVENTS, .cpu = (uint16_t)cpu, .count = (uint32_t)n};
	struct block_part parts[COL_COUNT + 1];
	uint64_t start = cpu_ns();
	int err;

	head.t_first_ns = lane->begin[0].time_ns;
	head.t_last_ns = lane->next[-1].time_ns;
	err = encoder_run(w->encoder, lane->begin, n, &w->classes, parts);
	w->stats.encode_ns += cpu_ns() - start;
	return err ? err : writer_block(w, &head, parts, COL_COUNT + 1);
}

int trace_writer_dictionary(struct trace_writer *w)
{
	int err = write_entries(w, KMT_STRINGS, &w->strings);

	err = err ? err : write_entries(w, KMT_STACKS, &w->stacks);
	return err ? err : write_classes(w);
}

/* The events of @cpu's lane as a block, or counted as lost. @dictionary: what became of it;
 * without theirs the events would be noise. */
static int empty_lane(struct trace_writer *w, unsigned int cpu, int dictionary)
{
	struct trace_lane *lane = &w->lanes.lane[cpu];
	size_t n = (size_t)(lane->next - lane->begin);
	int err;

	if (!n)
		return 0;
	err = dictionary ? dictionary : write_lane(w, cpu, n);
	if (err)
		count_lost(w, cpu, n);
	else
		count_written(w, cpu, n);
	lane->next = lane->begin;
	return err;
}

int trace_writer_flush(struct trace_writer *w, unsigned int cpu)
{
	return empty_lane(w, cpu, trace_writer_dictionary(w));
}

int trace_writer_round(struct trace_writer *w, uint64_t watermark_ns)
{
	struct kmt_block head = {.type = KMT_ROUND, .t_last_ns = watermark_ns};
	int dictionary = trace_writer_dictionary(w), err, first = dictionary;

	for (unsigned int cpu = 0; cpu < w->lanes.cpus; cpu++) {
		struct trace_lane *lane = &w->lanes.lane[cpu];

		err = empty_lane(w, cpu, dictionary);
		first = first ? first : err;
		if (lane->last_ns < watermark_ns)
			lane->last_ns = watermark_ns;
	}
	err = writer_block(w, &head, NULL, 0);
	return first ? first : err;
}

void trace_writer_lost(struct trace_writer *w, uint64_t ring, uint64_t recursion)
{
	w->lost_ring = ring;
	w->lost_recursion = recursion;
}

void trace_writer_stats(const struct trace_writer *w, struct trace_writer_stats *out)
{
	*out = w->stats;
}

uint64_t trace_writer_recorded(const struct trace_writer *w, unsigned int cpu, unsigned int kind)
{
	return w->counts[cpu].recorded[kind];
}

uint64_t trace_writer_lost_write(const struct trace_writer *w, unsigned int cpu, unsigned int kind)
{
	return w->counts[cpu].lost[kind];
}
