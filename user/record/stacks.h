/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * stacks.h - kernel stacks, from the numbers that rings know them by to those of
 * the trace.
 */
#ifndef KMEMLAB_RECORD_STACKS_H
#define KMEMLAB_RECORD_STACKS_H

#include <stdint.h>

struct stacks;
struct symbols;
struct trace_writer;

/* What became of stacks, since the recording began. */
struct stacks_seen {
	uint64_t distinct; /* as the trace has them */
	uint64_t cut;	   /* of the kernel's, told to KML_STACK_FRAMES frames only */
	uint64_t left_out; /* beyond what a trace holds */
};

struct stacks *stacks_new(struct trace_writer *w, const struct symbols *symbols);
void stacks_free(struct stacks *s);

/**
 * stacks_add() - take a KML_STACK definition
 * @word: its words: number, frames, return addresses
 * Return: 0 or -ENOMEM.
 */
int stacks_add(struct stacks *s, const uint64_t *word);

/** stacks_find() - number in the trace of the one that rings call @number; 0: unknown */
uint32_t stacks_find(const struct stacks *s, uint64_t number);

void stacks_seen(const struct stacks *s, struct stacks_seen *seen);

#endif
