/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* files.h - whole small files in, and the output file created safely. */
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

/**
 * output_create() - create the trace: mode 0600, no link followed, owned by
 * whoever called sudo; "-" is standard output
 * Return: a descriptor or -errno (-EEXIST where it is there and not @overwrite,
 * -ENOTTY where standard output is a terminal).
 */
int output_create(const char *path, bool overwrite);
/** output_is_stdout() - is @path "-"? */
bool output_is_stdout(const char *path);

#endif
