/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * addresses.h - the kernel's addresses as a trace has them: frame numbers, places
 * in the direct map, and of all others numbers that tell nothing.
 */
#ifndef KMEMLAB_RECORD_ADDRESSES_H
#define KMEMLAB_RECORD_ADDRESSES_H

#include "record.h"

/* Where addresses of one sort lie: those with offset < bytes are offset >> shift. */
struct region {
	uint64_t base, bytes;
	unsigned int shift;
};

struct addresses {
	struct kernel_bases bases;
	struct region pages;   /* empty where a struct page has not the usual size */
	struct region objects; /* the direct map */
	uint64_t opaque_key;
	uint64_t *chunk; /* per-CPU chunks seen, as the rings tell them */
	size_t chunks;
};

/** addresses_init() - Return: 0, or -errno where there are no random numbers */
int addresses_init(struct addresses *a, const struct kernel_bases *bases);
void addresses_free(struct addresses *a);

/**
 * addresses_of() - what the trace's address column gets of a ring's @word
 * @vmalloc_start: see addresses_vmalloc()
 */
uint64_t addresses_of(struct addresses *a, uint64_t vmalloc_start, unsigned int kind,
		      uint64_t word);

/** addresses_percpu_chunk() - upper 32 bits of the addresses of areas in the chunk at @base */
uint64_t addresses_percpu_chunk(struct addresses *a, uint64_t base);

/**
 * addresses_vmalloc() - page of a vmalloc area's @address; @start: of all areas, 0: unknown
 *
 * Modules have a region of their own, whose place is a secret too.
 */
uint64_t addresses_vmalloc(const struct addresses *a, uint64_t start, uint64_t address);

#endif
