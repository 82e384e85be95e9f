/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* calls.list.h - every function that is looked at, and of how many arguments the event
 * is made: for hooks.bpf.c and kprobes.bpf.c, which define both macros. */
AT_EXIT(bulk_pages, 6)
AT_ENTRY(page_split, 3)
AT_ENTRY(migrated, 2)
AT_EXIT(isolated, 2)
AT_EXIT(kept, 1)
AT_EXIT(contig, 4)
AT_EXIT(cache_bulk_alloc, 4)
AT_ENTRY(cache_bulk_free, 3)
AT_EXIT(cache_create, 0)
AT_ENTRY(cache_destroy, 1)
AT_EXIT(area_alloc, 3)
AT_ENTRY(area_free, 1)
