/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* utf8.c - see utf8.h. What is valid: RFC 3629, section 4. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/utf8.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/* Characters by their first byte, and what the second may be; others are 80..bf. */
static const struct {
	unsigned char first, last, bytes, low, high;
} forms[] = {
	{0x01, 0x7f, 1, 0, 0},	     {0xc2, 0xdf, 2, 0x80, 0xbf}, {0xe0, 0xe0, 3, 0xa0, 0xbf},
	{0xe1, 0xec, 3, 0x80, 0xbf}, {0xed, 0xed, 3, 0x80, 0x9f}, {0xee, 0xef, 3, 0x80, 0xbf},
	{0xf0, 0xf0, 4, 0x90, 0xbf}, {0xf1, 0xf3, 4, 0x80, 0xbf}, {0xf4, 0xf4, 4, 0x80, 0x8f},
};

/* Bytes of the character at @s; 0: there is none. */
static size_t character(const unsigned char *s, size_t bytes)
{
	size_t i = 0, n;

	while (i < sizeof(forms) / sizeof(*forms) && *s > forms[i].last)
		i++;
	if (i == sizeof(forms) / sizeof(*forms) || *s < forms[i].first || forms[i].bytes > bytes)
		return 0;
	n = forms[i].bytes;
	if (n > 1 && (s[1] < forms[i].low || s[1] > forms[i].high))
		return 0;
	for (size_t k = 2; k < n; k++)
		if (s[k] < 0x80 || s[k] > 0xbf)
			return 0;
	return n;
}

size_t utf8_clean(char *to, const char *s, size_t bytes)
{
	char *at = to;

	while (bytes && *s) {
		size_t n = character((const unsigned char *)s, bytes);

		at = mempcpy(at, n ? s : REPLACEMENT, n ? n : strlen(REPLACEMENT));
		s += n ? n : 1;
		bytes -= n ? n : 1;
	}
	*at = '\0';
	return (size_t)(at - to);
}

char *utf8_copy(const char *s)
{
	size_t bytes = strlen(s);
	char *to = malloc(bytes * UTF8_GROWTH + 1);

	if (to)
		utf8_clean(to, s, bytes);
	return to;
}

json_t *utf8_json(const char *s)
{
	char *clean = utf8_copy(s);
	json_t *string = clean ? json_string(clean) : NULL;

	free(clean);
	return string;
}
