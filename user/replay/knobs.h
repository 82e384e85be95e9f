/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * knobs.h - settings of the reference that a what-if may change, by the names
 * that the kernel's administrator knows.
 */
#ifndef KMEMLAB_KNOBS_H
#define KMEMLAB_KNOBS_H

#include <stddef.h>
#include <stdint.h>

struct rmm_config;
struct slabs_knobs;
struct json_t;

/* Whose reclaim frees pages (reclaim.h) */
enum knob_reclaim {
	KNOB_RECLAIM_BY_NEED, /* the recorded kernel's, unless the watermarks are others */
	KNOB_RECLAIM_RECORDED,
	KNOB_RECLAIM_MODEL,
};

/* The run that those with a model of reclaim are held against: the model with the
 * recorded settings. It is added where there is one of them and no such run. */
#define KNOB_CONTROL_RUN "reclaim-model"

/* What knobs turn. */
struct knob_config {
	struct rmm_config *pages;
	struct slabs_knobs *slabs;
	enum knob_reclaim reclaim;
	uint64_t compact_seed; /* of the pages that stay where compaction wants them */
};

/**
 * knob_set() - apply "NAME=VALUE" to a configuration
 * @settings: object that gets NAME: VALUE; may be NULL
 * @error: 512 bytes for one line that says what is wrong
 *
 * A knob that watermarks depend on makes the reference compute them, as the
 * kernel does when the sysctl is written.
 *
 * Return: 0 or -EINVAL.
 */
int knob_set(struct knob_config *config, const char *assignment, struct json_t *settings,
	     char *error);

/** knob_check() - is "NAME=VALUE" a setting? 0, or -EINVAL with @error as above */
int knob_check(const char *assignment, char *error);

/** knob_list() - all names, separated by ", "; returns @text */
char *knob_list(char *text, size_t size);

#endif
