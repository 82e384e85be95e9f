/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * hooks.h - programs on functions: by fentry and fexit, or, where the kernel refuses
 * these and is let, by kprobes and kretprobes.
 */
#ifndef KMEMLAB_RECORD_HOOKS_H
#define KMEMLAB_RECORD_HOOKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record.h"

struct bpf_link;
struct bpf_program;
struct record;

struct function_hooks;

/* One function's program, attached. */
struct function_hook {
	const char *function; /* its name in this kernel; NULL: none there */
	const char *how;      /* "fentry", "fexit", "kprobe", "kretprobe" */
	struct bpf_link *link;
	struct bpf_link *enter; /* of a kretprobe: its arguments */
	const struct bpf_program *program;
};

/**
 * hooks_load() - load what the kernel has and lets one load; its errors wait for
 * hooks_attach()
 * @record: has been loaded; its maps are shared
 * Return: NULL on no memory.
 */
struct function_hooks *hooks_load(const struct record *record, unsigned int families,
				  enum attach_way way);
void hooks_free(struct function_hooks *h);

/** hooks_attach() - the i-th of probe_table. Return: 0 and @hook, or -errno; -ENOENT: the
 *  kernel has no such function */
int hooks_attach(struct function_hooks *h, size_t i, const struct function_hook **hook);
/** hooks_why() - what @err of hooks_attach() comes from; NULL: nothing better than
 *  strerror() is known */
const char *hooks_why(const struct function_hooks *h, int err);
/** hooks_detach() - all of them; @h may be NULL */
void hooks_detach(struct function_hooks *h);

/** hooks_missed_calls() - that kprobes did not see, or kretprobes not return, as far as this
 *  kernel counts them */
uint64_t hooks_missed_calls(const struct function_hooks *h);

#endif
