/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* context.h - find what tells whether a task may sleep; see kmemlab/context.h. */
#ifndef KMEMLAB_RECORD_CONTEXT_H
#define KMEMLAB_RECORD_CONTEXT_H

#include <kmemlab/context.h>

struct btf;

/** context_find() - the places, and the gfp bit, as @btf of the running kernel tells.
 *  Return: NULL, or why they cannot be told */
const char *context_find(struct kml_context *c, const struct btf *btf);

/** context_doubt() - may @c be believed after @seen own requests that may block, of which
 *  @unlike had other counts than the first? Return: NULL if so, or why not */
const char *context_doubt(const struct kml_context *c, unsigned int seen, unsigned int unlike);

#endif
