/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* units.h - sizes and times as people write them. */
#ifndef KMEMLAB_UNITS_H
#define KMEMLAB_UNITS_H

#include <stdint.h>

/** units_bytes() - "64k", "2g", "4096": powers of 1024. Return: 0 or -EINVAL */
int units_bytes(const char *text, uint64_t *bytes);
/** units_ns() - "30s", "250ms", "5m", "10": seconds without a unit. Return: 0 or -EINVAL */
int units_ns(const char *text, uint64_t *ns);

#endif
