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

#endif
