/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* kinds.h - what the program knows of each kind of include/kmemlab/kinds.h. */
#ifndef KMEMLAB_TRACE_KINDS_H
#define KMEMLAB_TRACE_KINDS_H

#include <stdbool.h>

#include <kmemlab/kinds.h>

/* What `record --probe` chooses from. Bits of a mask. */
enum kind_family {
	FAMILY_PAGE = 1 << 0,
	FAMILY_SLAB = 1 << 1,
	FAMILY_PRESSURE = 1 << 2,
	FAMILY_PERCPU = 1 << 3,
	FAMILY_VMALLOC = 1 << 4,
	FAMILY_LATENCY = 1 << 5, /* no kind of its own: histograms */
	FAMILY_STACKS = 1 << 6,	 /* nor has this: kernel stacks of others' events */
	FAMILY_NONE = 0,
	FAMILY_DEFAULT = FAMILY_PAGE | FAMILY_SLAB | FAMILY_PRESSURE,
	FAMILY_ALL = (1 << 6) - 1, /* but stacks, which cost more than all others */
};

/* What the address column holds. */
enum kind_address {
	ADDRESS_NONE = 0,
	ADDRESS_PFN,
	ADDRESS_OBJECT,
	ADDRESS_PERCPU,
	ADDRESS_VMALLOC,
	ADDRESS_NUMBER, /* kind_info.number says of what */
};

struct kind_info {
	const char *name; /* of the tracepoint or function; NULL: no such kind */
	const char *number;
	enum kind_family family;
	enum kind_address address;
	bool frees; /* an address of nothing is not a failure */
};

/** kind_info() - of any number; name is "unknown" where there is no such kind */
const struct kind_info *kind_info(unsigned int kind);

/** kind_exists() - in traces */
bool kind_exists(unsigned int kind);

/** kind_has_stack() - has it one, where stacks are recorded? */
bool kind_has_stack(unsigned int kind);

/** family_name() - of one family; NULL if @family is none */
const char *family_name(unsigned int family);

/** family_find() - the family of this name, FAMILY_ALL for "all"; 0: none */
unsigned int family_find(const char *name);

#endif
