/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* page_runs.h - page flags to runs of blocks. Pure: no files, no allocation. */
#ifndef KMEMLAB_RECORD_PAGE_RUNS_H
#define KMEMLAB_RECORD_PAGE_RUNS_H

#include <stddef.h>
#include <stdint.h>

#include <trace/trace_io.h>

/* Runs under construction; `run` has room for as many as there are pages. */
struct page_runs {
	struct trace_page_run *run;
	size_t n;
};

/** page_runs_add() - add the pages of /proc/kpageflags' @flags[0..n), the first
 *  of which is @pfn */
void page_runs_add(struct page_runs *r, const uint64_t *flags, size_t n, uint64_t pfn);
/** page_runs_reserved() - add @pages reserved ones from @pfn on */
void page_runs_reserved(struct page_runs *r, uint64_t pfn, uint64_t pages);

#endif
