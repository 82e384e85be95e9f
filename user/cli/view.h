/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* view.h - what the commands that look into a trace share. */
#ifndef KMEMLAB_VIEW_H
#define KMEMLAB_VIEW_H

#include <argp.h>
#include <jansson.h>
#include <stdint.h>

#include "trace/trace_io.h"

struct lines;

/* An open trace with its JSON parsed; all of it may be damaged. */
struct view {
	const char *name; /* for messages */
	struct trace_reader *reader;
	json_t *header;	     /* an object, perhaps empty */
	json_t *account;     /* NULL if there is none */
	struct lines *lines; /* of call sites; NULL: not asked for */
};

/** view_open_lines() - debug information for call sites; see lines_open() for @path.
 *  Return: -1 to go on, otherwise the status, said on stderr */
int view_open_lines(struct view *v, const char *path);

/** view_open() - @path or "-"; -1 to go on, otherwise the status, said on stderr */
int view_open(struct view *v, const char *path);

/** view_close() - @status, or EXIT_DAMAGED with a line on stderr if damage was found */
int view_close(struct view *v, int status);

/** view_read_failed() - say that reading ended in @err (-errno); EXIT_FAILED */
int view_read_failed(const struct view *v, long err);

/** view_type() - name of a migrate type, as the host calls it */
const char *view_type(const struct view *v, unsigned int type);

enum { VIEW_STACK_BYTES = 1 << 13 };

/** view_stack() - frames of stack @id as "inner < its caller < ...", cut at @size
 *  Return: @text, "" if there is none. */
char *view_stack(const struct view *v, uint32_t id, char *text, size_t size);

/** view_damage() - as a JSON object; new reference */
json_t *view_damage(const struct view *v);

/** view_path() - the one TRACE argument of a parser: use for ARGP_KEY_ARG */
error_t view_path(const char **path, const char *arg);

#endif
