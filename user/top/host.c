// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* host.c - the kernel's own files, beside what the programs count. */
#include "top/host.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "metrics/frag.h"
#include "record/files.h"
#include "record/record.h"
#include "top/rows.h"

enum { PAGE_BYTES = 4096 };

int top_free_parse(const char *buddyinfo, struct top_free *out)
{
	struct proc_buddyinfo b;
	int err = proc_buddyinfo_parse(buddyinfo, &b);

	*out = (struct top_free){0};
	if (err)
		return err;
	for (size_t i = 0; i < b.n; i++) {
		for (unsigned int o = 0; o < b.zones[i].orders; o++)
			out->blocks[o] += b.zones[i].blocks[o];
		if (b.zones[i].orders > out->orders)
			out->orders = b.zones[i].orders;
	}
	proc_buddyinfo_free(&b);
	for (unsigned int o = 0; o < out->orders; o++)
		out->unusable[o] = metric_unusable(out->blocks, out->orders, o);
	return 0;
}

static void remember(struct top_host *h)
{
	if (h->readings == TOP_TREND)
		memmove(h->trend, h->trend + 1, (TOP_TREND - 1) * sizeof(*h->trend));
	else
		h->readings++;
	memcpy(h->trend[h->readings - 1], h->now.unusable, sizeof(h->now.unusable));
}

unsigned int top_trend_order(const struct top_host *h, unsigned int wanted)
{
	unsigned int last = h->now.orders ? h->now.orders - 1 : 0;

	return wanted < last ? wanted : last;
}

int top_slabs_parse(const char *slabinfo, struct top_rows *rows)
{
	struct proc_slabinfo s;
	int err = proc_slabinfo_parse(slabinfo, &s);

	for (size_t i = 0; !err && i < s.n; i++) {
		struct top_row *row = top_rows_find(rows, TOP_CACHE, s.caches[i].name);

		if (!row)
			continue;
		row->slab_bytes =
			s.caches[i].slabs * s.caches[i].pages_per_slab * (uint64_t)PAGE_BYTES;
		if (!row->slab_start)
			row->slab_start = row->slab_bytes;
	}
	if (!err)
		proc_slabinfo_free(&s);
	return err;
}

int top_host_read(struct top_host *h, struct top_rows *rows)
{
	char *buddy = file_text("/proc/buddyinfo", NULL);
	char *slabs = file_text("/proc/slabinfo", NULL);
	int err = buddy ? top_free_parse(buddy, &h->now) : -errno;

	if (!err)
		remember(h);
	if (slabs)
		top_slabs_parse(slabs, rows); /* root's alone: there may be none */
	free(buddy);
	free(slabs);
	return err;
}
