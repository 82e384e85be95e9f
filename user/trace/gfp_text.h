/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* gfp_text.h - gfp masks in words, by the bits that a trace's kernel has. */
#ifndef KMEMLAB_GFP_TEXT_H
#define KMEMLAB_GFP_TEXT_H

#include <stddef.h>
#include <stdint.h>

struct json_t;

/**
 * gfp_text() - "GFP_KERNEL|__GFP_ZERO", as the kernel's own tracepoints say it
 * @bits: the header's gfp_bits {name: mask}, or NULL; bits that it does not name are
 * told as a number
 * @text: 256 bytes hold any
 */
void gfp_text(const struct json_t *bits, uint32_t gfp, char *text, size_t size);

#endif
