/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* small_host.h - a host of one CPU and one zone, as a trace tells of it. */
#ifndef KMEMLAB_SMALL_HOST_H
#define KMEMLAB_SMALL_HOST_H

enum { SMALL_HOST_PAGES = 8192 };

#define SMALL_HOST_HEADER                                                                          \
	"{\"kmemlab\":\"test\",\"pageblock_order\":9,\"max_order\":10,\"struct_page_bytes\":64,"   \
	"\"host\":{\"release\":\"6.18.0\",\"page_size\":4096,\"mem_total_kb\":32768}}"
#define SMALL_HOST_ZONE                                                                            \
	"Node 0, zone   Normal\n  pages free     4096\n        min      10\n"                      \
	"        low      20\n        high     30\n        promo    40\n"                          \
	"        spanned  8192\n        present  8192\n        managed  8192\n"                    \
	"        protection: (0, 0, 0, 0, 0)\n  pagesets\n    cpu: 0\n"                            \
	"              count: 2\n              high:  200\n              batch: 16\n"              \
	"              high_min: 200\n              high_max: 400\n  start_pfn:           0\n"

/* Per-CPU memory in units of 64 KiB, three areas in each of two chunks. */
#define SMALL_HOST_PERCPU                                                                          \
	"{\"time_ns\":[1000,3000],\"unit_bytes\":65536,\"atom_bytes\":65536,"                      \
	"\"static_bytes\":4096,\"reserved_bytes\":0,\"dyn_bytes\":28672,\"chunks\":["              \
	"{\"chunk\":1,\"first\":true,\"areas\":[[0,8],[8,64],[4092,8]]},"                          \
	"{\"chunk\":2,\"slot\":11,\"populated\":[[0,3]],\"areas\":[[0,8],[8,64],[4092,8]]}]}"

#endif
