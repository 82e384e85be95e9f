// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * refusal.c - libbpf prints the verifier's log, often thousands of lines, of which one
 * says what is wrong: the last before its statistics.
 */
#include "refusal.h"

#include <bpf/libbpf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_BYTES = 32, WORD_BYTES = 128 };

static char program[NAME_BYTES], word[WORD_BYTES];

/* The last line of @log before @end, a line's end, that is no state of the registers. */
static void keep_line_before(const char *log, const char *end)
{
	const char *line = end;

	while (line > log && line[-1] != '\n')
		line--;
	if (line > log &&
	    (strncmp(line, "cur state:", 10) == 0 || strncmp(line, "old state:", 10) == 0))
		keep_line_before(log, line - 1);
	else
		snprintf(word, sizeof(word), "%.*s", (int)(end - line), line);
}

/* @said begins with "prog 'NAME': -- BEGIN PROG LOAD LOG --". */
static void keep_log(const char *said)
{
	const char *statistics = NULL, *next = said;

	if (sscanf(said, "libbpf: prog '%31[^']'", program) != 1)
		program[0] = '\0';
	while ((next = strstr(next, "\nprocessed ")))
		statistics = next++;
	if (statistics)
		keep_line_before(said, statistics);
}

static int listen(enum libbpf_print_level level, const char *format, va_list args)
{
	char *said;
	int n;

	if (level != LIBBPF_WARN || !strstr(format, "BEGIN PROG LOAD LOG"))
		return 0;
	n = vasprintf(&said, format, args);
	if (n < 0)
		return 0;
	keep_log(said);
	free(said);
	return n;
}

void refusal_keep(void)
{
	program[0] = word[0] = '\0';
	libbpf_set_print(listen);
}

const char *refusal_words(int err)
{
	static char words[NAME_BYTES + WORD_BYTES + 64];

	if (!program[0] || !word[0])
		return strerror(-err);
	snprintf(words, sizeof(words), "this kernel's verifier refuses '%s': %s", program, word);
	return words;
}
