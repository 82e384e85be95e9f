/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* utf8.h - text of any bytes as valid UTF-8. */
#ifndef KMEMLAB_UTF8_H
#define KMEMLAB_UTF8_H

#include <stddef.h>

struct json_t;

enum { UTF8_GROWTH = 3 }; /* bytes that one byte may become */

/**
 * utf8_clean() - @bytes of @s, ended by a NUL; each byte that belongs to no character
 * becomes U+FFFD
 * @to: room for @bytes * UTF8_GROWTH + 1
 * Return: bytes stored, without the NUL. A NUL in @s ends it.
 */
size_t utf8_clean(char *to, const char *s, size_t bytes);

/** utf8_copy() - all of @s, cleaned; free() it. NULL: no memory */
char *utf8_copy(const char *s);

/** utf8_json() - the same as a JSON string, a new reference; NULL: no memory */
struct json_t *utf8_json(const char *s);

#endif
