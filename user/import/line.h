/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * line.h - a line of text from another tracer, as an event.
 *
 *   perf script     COMM PID [CPU] TIME: kmem:EVENT: FIELD=VALUE ...
 *   ftrace          COMM-PID (TGID) [CPU] FLAGS TIME: EVENT: FIELD=VALUE ...
 *   trace-cmd       COMM-PID [CPU] TIME: EVENT: FIELD=VALUE ...
 *
 * Pure: no files, no allocation. What a line points to lies in the line.
 */
#ifndef KMEMLAB_IMPORT_LINE_H
#define KMEMLAB_IMPORT_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include <kmemlab/trace.h>

enum line_kind {
	LINE_EVENT,
	LINE_OTHER,   /* an event that kmemlab does not know, a comment, a heading */
	LINE_LOST,    /* the tracer lost some: `lost`, `lost_uncounted` */
	LINE_INVALID, /* an event that kmemlab knows, with fields that make no sense */
};

enum { LINE_NAME_BYTES = 128 };

struct line {
	enum line_kind what;
	uint64_t lost;	     /* at least */
	bool lost_uncounted; /* the tracer does not know how many; `lost` is 1 */
	uint64_t time_ns;
	uint32_t cpu, pid;
	uint32_t tgid; /* the process; where the text does not tell it, pid */
	char comm[LINE_NAME_BYTES];
	struct kmt_class class; /* but for strings */
	uint64_t address;	/* pfn, or the object's address as printed */
	bool failed;		/* the allocation returned nothing */
	bool unknown_gfp;	/* a flag's name that is not known; left out */
	uint64_t site_address;	/* the call site, where it is printed as one; call_site is "" */
	char call_site[LINE_NAME_BYTES], cache[LINE_NAME_BYTES];
};

/** line_parse() - @text is one line without its newline; it is not changed */
void line_parse(struct line *l, const char *text);

/** flags_context() - @text begins with ftrace's flags ("d..1."): where from thread @pid
 *  allocates, enum kmt_context; KMT_CONTEXT_UNKNOWN: they are none, or do not tell */
uint8_t flags_context(const char *text, uint32_t pid);

/** gfp_may_block() - has @gfp, by gfp_parse(), __GFP_DIRECT_RECLAIM? */
bool gfp_may_block(uint32_t gfp);

/** gfp_parse() - "GFP_KERNEL|__GFP_ZERO" or "0xcc0" as the bits of x86-64's 6.1 to 6.18
 *  @unknown: set if a name is not known */
uint32_t gfp_parse(const char *text, bool *unknown);

#endif
