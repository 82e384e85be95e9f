/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * scan.c - walk a file's block heads.
 *
 * A head is believed when its checksum holds, and only then is its size used
 * to find the next one. Where none holds, the next KMT_MAGIC with an intact
 * head is searched for, so damage costs the blocks it touches and no others.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "trace/reader_impl.h"

enum { WINDOW_BYTES = 1 << 16, IDS_PER_FILE_BYTE = 16 };

/* A stretch of the file in memory. */
struct window {
	int fd;
	uint64_t start;
	size_t bytes;
	uint8_t data[WINDOW_BYTES];
};

/* @bytes at @offset, or what the file has of them; NULL on an I/O error. */
static const uint8_t *look(struct window *w, uint64_t offset, size_t bytes, size_t *got)
{
	if (offset < w->start || offset + bytes > w->start + w->bytes) {
		long n = block_pread(w->fd, w->data, WINDOW_BYTES, offset);

		if (n < 0) {
			errno = (int)-n;
			return NULL;
		}
		w->start = offset;
		w->bytes = (size_t)n;
	}
	*got = w->bytes - (size_t)(offset - w->start);
	return w->data + (offset - w->start);
}

static int push_noted(struct noted_list *l, const struct kmt_block *head, uint64_t offset)
{
	if (l->n == l->max) {
		size_t max = l->max ? l->max * 2 : 32;
		struct noted *bigger = reallocarray(l->at, max, sizeof(*bigger));

		if (!bigger)
			return -ENOMEM;
		l->at = bigger;
		l->max = max;
	}
	l->at[l->n++] = (struct noted){*head, offset};
	return 0;
}

static int reserve_cpu(struct trace_reader *r, unsigned int cpu)
{
	struct chain *bigger;

	if (cpu < r->cpus)
		return 0;
	bigger = reallocarray(r->chain, cpu + 1, sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	memset(bigger + r->cpus, 0, (cpu + 1 - r->cpus) * sizeof(*bigger));
	r->chain = bigger;
	r->cpus = cpu + 1;
	return 0;
}

static int note_events(struct trace_reader *r, const struct kmt_block *head, uint64_t offset)
{
	struct chain *c;

	if (head->cpu >= KMT_CPU_MAX || head->count > KMT_ROUND_MAX_EVENTS || !head->count)
		return -EBADMSG;
	if (reserve_cpu(r, head->cpu))
		return -ENOMEM;
	c = &r->chain[head->cpu];
	if (c->n == c->max) {
		size_t max = c->max ? c->max * 2 : 16;
		uint64_t *bigger = reallocarray(c->block, max, sizeof(*bigger));

		if (!bigger)
			return -ENOMEM;
		c->block = bigger;
		c->max = max;
	}
	c->block[c->n++] = offset;
	if (!r->events || head->t_first_ns < r->first_ns)
		r->first_ns = head->t_first_ns;
	if (head->t_last_ns > r->last_ns)
		r->last_ns = head->t_last_ns;
	r->events += head->count;
	r->event_bytes += sizeof(*head) + head->stored_bytes;
	return 0;
}

/* Numbers far beyond what a file of this size can define are no numbers. */
static bool ids_plausible(const struct trace_reader *r, const struct kmt_block *head)
{
	uint64_t most = r->bytes * IDS_PER_FILE_BYTE;

	if (most > KMT_CLASS_MAX)
		most = KMT_CLASS_MAX;
	return head->first_id <= most && head->count <= most - head->first_id;
}

/* Take in a block whose payload is needed at once. */
static int load(struct trace_reader *r, const struct kmt_block *head, uint64_t offset)
{
	uint8_t *raw = NULL;
	int err = reader_payload(r, head, offset, &raw);

	if (!err && head->type == KMT_STRINGS) {
		err = ids_plausible(r, head) ? dictionary_strings(&r->dictionary, head, raw)
					     : -EBADMSG;
	} else if (!err && head->type == KMT_STACKS) {
		err = ids_plausible(r, head) ? dictionary_stacks(&r->dictionary, head, raw)
					     : -EBADMSG;
	} else if (!err && head->type == KMT_CLASSES) {
		err = ids_plausible(r, head) ? dictionary_classes(&r->dictionary, head, raw)
					     : -EBADMSG;
	} else if (!err) {
		char **json = head->type == KMT_HEADER ? &r->header : &r->account;

		free(*json);
		*json = (char *)raw;
		return 0;
	}
	free(raw);
	return err;
}

static int take_block(struct trace_reader *r, const struct kmt_block *head, uint64_t offset)
{
	uint64_t payload = offset + sizeof(*head);

	switch (head->type) {
	case KMT_HEADER:
	case KMT_STRINGS:
	case KMT_STACKS:
	case KMT_CLASSES:
	case KMT_ACCOUNT:
		return load(r, head, payload);
	case KMT_EVENTS:
		return note_events(r, head, offset);
	case KMT_TEXT:
		return push_noted(&r->texts, head, payload);
	case KMT_PAGES:
		return push_noted(&r->pages, head, payload);
	case KMT_END:
		r->damage.unfinished = false;
		return 0;
	default:
		return 0;
	}
}

static bool starts_like_a_block(const uint8_t *data, size_t bytes)
{
	const uint32_t magic = KMT_MAGIC;

	return bytes && !memcmp(data, &magic, bytes < sizeof(magic) ? bytes : sizeof(magic));
}

/* The next offset after @offset that holds an intact head, or the file's end. */
static int search(struct trace_reader *r, struct window *w, uint64_t offset, uint64_t *found)
{
	for (uint64_t at = offset + 1; at < r->bytes; at++) {
		struct kmt_block head;
		size_t got;
		const uint8_t *data = look(w, at, sizeof(head), &got);
		const uint8_t *hit;

		if (!data)
			return -errno;
		if (!got) /* the file has shrunk */
			break;
		hit = memchr(data, KMT_MAGIC & 0xff, got);
		if (!hit) {
			at += got - 1;
			continue;
		}
		at += (uint64_t)(hit - data);
		data = look(w, at, sizeof(head), &got);
		if (!data)
			return -errno;
		if (got < sizeof(head)) {
			r->damage.torn |= starts_like_a_block(data, got);
			continue;
		}
		memcpy(&head, data, sizeof(head));
		if (block_head_ok(&head)) {
			*found = at;
			return 0;
		}
	}
	*found = r->bytes;
	return 0;
}

/* The block at *@offset, if it is one; moves *@offset on. */
static int step(struct trace_reader *r, struct window *w, uint64_t *offset)
{
	struct kmt_block head;
	uint64_t next = 0;
	size_t got;
	const uint8_t *data = look(w, *offset, sizeof(head), &got);
	int err;

	if (!data)
		return -errno;
	if (got >= sizeof(head))
		memcpy(&head, data, sizeof(head));
	if (got < sizeof(head) || !block_head_ok(&head)) {
		r->damage.torn |= got < sizeof(head) && starts_like_a_block(data, got);
		err = search(r, w, *offset, &next);
		r->damage.skipped_bytes += next - *offset;
		*offset = next;
		return err;
	}
	if (sizeof(head) + head.stored_bytes > r->bytes - *offset) {
		r->damage.torn = true;
		r->damage.skipped_bytes += r->bytes - *offset;
		*offset = r->bytes;
		return 0;
	}
	if (head.version > KMT_VERSION)
		return -EPROTO;
	/* The first block of a recording's later file goes on counting. */
	if (head.type == KMT_HEADER && !*offset)
		r->next_seq = head.seq;
	if (head.seq > r->next_seq)
		r->damage.missing_blocks += head.seq - r->next_seq;
	r->next_seq = head.seq + 1;
	r->lost_ring = head.lost_ring;
	r->lost_recursion = head.lost_recursion;
	r->lost_write = head.lost_write;
	err = take_block(r, &head, *offset);
	if (err == -EBADMSG)
		r->damage.bad_blocks++;
	*offset += sizeof(head) + head.stored_bytes;
	return err == -EBADMSG ? 0 : err;
}

int scan_file(struct trace_reader *r)
{
	struct window *w = calloc(1, sizeof(*w));
	uint64_t offset = 0;
	int err = w ? 0 : -ENOMEM;

	r->damage.unfinished = true;
	if (w)
		w->fd = r->fd;
	while (!err && offset < r->bytes)
		err = step(r, w, &offset);
	free(w);
	return err;
}
