/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* snapshot.c - writing TEXT and PAGES blocks. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "trace/varint.h"
#include "trace/writer_impl.h"

enum { RUNS_PER_BLOCK = 1 << 19, RUN_MAX_BYTES = 1 + VARINT_MAX_BYTES };

int trace_writer_text(struct trace_writer *w, uint16_t flags, uint64_t time_ns, const char *name,
		      const void *text, size_t bytes)
{
	struct kmt_block head = {.type = KMT_TEXT,
				 .flags = flags,
				 .count = 1,
				 .t_first_ns = time_ns,
				 .t_last_ns = time_ns};
	uint8_t length[VARINT_MAX_BYTES];
	size_t name_bytes = strnlen(name, KMT_STRING_MAX_BYTES);
	struct block_part parts[] = {
		{.data = length, .bytes = (size_t)(varint_put(length, name_bytes) - length)},
		{.data = name, .bytes = name_bytes},
		{.data = text, .bytes = bytes},
	};

	return writer_block(w, &head, parts, 3);
}

/* One block of at most RUNS_PER_BLOCK runs into @payload. */
static int write_runs(struct trace_writer *w, struct kmt_block *head, uint8_t *payload,
		      const struct trace_page_run *runs)
{
	struct block_part part = {.data = payload};
	uint8_t *to = varint_put(payload, head->first_id);

	for (uint32_t i = 0; i < head->count; i++) {
		*to++ = (uint8_t)(runs[i].state << 4 | (runs[i].order & 15));
		to = varint_put(to, runs[i].blocks);
	}
	part.bytes = (size_t)(to - payload);
	head->first_id = 0;
	return writer_block(w, head, &part, 1);
}

int trace_writer_pages(struct trace_writer *w, uint16_t flags, uint64_t t_first_ns,
		       uint64_t t_last_ns, uint64_t first_pfn, const struct trace_page_run *runs,
		       size_t n)
{
	size_t most = n < RUNS_PER_BLOCK ? n : RUNS_PER_BLOCK;
	uint8_t *payload = malloc(VARINT_MAX_BYTES + most * RUN_MAX_BYTES);
	int err = payload ? 0 : -ENOMEM;

	for (size_t done = 0; !err && done < n;) {
		struct kmt_block head = {.type = KMT_PAGES,
					 .flags = flags,
					 .t_first_ns = t_first_ns,
					 .t_last_ns = t_last_ns,
					 .first_id = first_pfn};

		head.count = (uint32_t)(n - done < most ? n - done : most);
		err = write_runs(w, &head, payload, runs + done);
		for (uint32_t i = 0; i < head.count; i++)
			first_pfn += runs[done + i].blocks << runs[done + i].order;
		done += head.count;
	}
	free(payload);
	return err;
}
