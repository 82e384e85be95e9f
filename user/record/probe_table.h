/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* probe_table.h - which program shows which kind, and where it is attached. */
#ifndef KMEMLAB_RECORD_PROBE_TABLE_H
#define KMEMLAB_RECORD_PROBE_TABLE_H

#include <kmemlab/kinds.h>
#include <stdbool.h>
#include <stddef.h>

struct btf;

enum { PROBES_MAX = 64 };

struct probe {
	const char *program;
	/* NULL: a raw tracepoint. Else a function's names over time, NULL-terminated. */
	const char *const *functions;
	enum kmt_kind kind;
	enum kmt_kind second; /* the program's other kind; 0: it has one */
	enum kmt_kind unless; /* not attached where this kind is; 0: always */
	bool at_exit;
};

/* In the order of attaching: what others depend on comes first. */
extern const struct probe probe_table[];
extern const size_t probe_table_n;

/** probe_function() - the first of @names that the kernel of @btf has; NULL: none */
const char *probe_function(const struct btf *btf, const char *const *names);

/** probe_by_tracepoint() - the i-th shows a kind that has a tracepoint too */
bool probe_by_tracepoint(size_t i);

/** probe_parameters() - how many the function @name has; 0: unknown */
unsigned int probe_parameters(const struct btf *btf, const char *name);

/** probe_functions_silent() - what keeps any function from calling a program, although the
 *  kernel lets one attach: a reason in words; NULL: nothing does */
const char *probe_functions_silent(void);

/** probe_split_in_parts() - does split_page_memcg() take a number of parts? */
bool probe_split_in_parts(const struct btf *btf);

#endif
