/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * trace_io.h - write and read .kmt files (include/kmemlab/trace.h). The only
 * code that knows the bytes of the format.
 */
#ifndef KMEMLAB_TRACE_IO_H
#define KMEMLAB_TRACE_IO_H

#include <stdint.h>

#include "trace/trace_reader.h"
#include "trace/trace_writer.h"

/* A run of PAGES: @blocks neighbouring blocks of one state and order. */
struct trace_page_run {
	uint8_t state; /* enum kmt_page_state */
	uint8_t order; /* 0..14 */
	uint64_t blocks;
};

#endif
