/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* account.h - what became of every event; see account.c. */
#ifndef KMEMLAB_RECORD_ACCOUNT_H
#define KMEMLAB_RECORD_ACCOUNT_H

#include "record.h"

struct account {
	const struct probes *probes;
	const struct trace_writer *writer;
	uint64_t start_ns, end_ns;
	/* Pages between two readings of /proc/vmstat; valid if covered. */
	bool covered;
	uint64_t pages_alloc_seen, pages_alloc_vmstat;
	uint64_t pages_free_seen, pages_free_vmstat;
	int command_status; /* as of wait(2); -1: no command */
};

struct account_total {
	uint64_t fired, recorded, filtered, lost_ring, lost_recursion, lost_write;
};

/** account_total() - over all CPUs and kinds */
struct account_total account_total(const struct account *a);
/** account_json() - the ACCOUNT block's text, to be freed; NULL on no memory */
char *account_json(const struct account *a);

#endif
