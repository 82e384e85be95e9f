/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* writer_impl.h - what writer.c and snapshot.c share. */
#ifndef KMEMLAB_WRITER_IMPL_H
#define KMEMLAB_WRITER_IMPL_H

#include "trace/block.h"
#include "trace/columns.h"
#include "trace/intern.h"
#include "trace/trace_io.h"

/* Events of one CPU, by kind. */
struct writer_counts {
	uint64_t recorded[KMT_KINDS];
	uint64_t lost[KMT_KINDS];
};

struct trace_writer {
	struct trace_lanes lanes; /* first: the inline append looks for it here */
	struct writer_counts *counts;
	struct block_packer *packer;
	struct encoder *encoder;
	struct intern strings, stacks, classes;
	struct trace_writer_stats stats;
	uint64_t seq;
	uint64_t lost_ring, lost_recursion;
	uint64_t lost_before; /* lost_write of the files before this one */
	struct trace_sink sink;
	int fd;
	bool broken; /* half a block is in the file and cannot be taken back */
};

/** writer_block() - pack and write one block; 0 or -errno, the file then unchanged */
int writer_block(struct trace_writer *w, struct kmt_block *head, const struct block_part *parts,
		 size_t n);

#endif
