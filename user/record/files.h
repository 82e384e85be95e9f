/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* files.h - whole small files in. */
#ifndef KMEMLAB_RECORD_FILES_H
#define KMEMLAB_RECORD_FILES_H

#include <stdbool.h>
#include <stddef.h>

/**
 * file_text() - a whole file, NUL-terminated; meant for /proc and /sys
 * @bytes: its length, or NULL
 * Return: to be freed, or NULL with errno.
 */
char *file_text(const char *path, size_t *bytes);

/** file_refused() - 0, or -errno of opening @path: access() knows neither capabilities nor
 *  lockdown */
int file_refused(const char *path);

/** file_reads_zero() - is @path a switch that is off? false where it cannot be read */
bool file_reads_zero(const char *path);

#endif
