/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * output.h - the file that a recording (or an export) makes: under a name of its
 * own until it is complete, so that NAME is there only once it can be read to its end.
 */
#ifndef KMEMLAB_RECORD_OUTPUT_H
#define KMEMLAB_RECORD_OUTPUT_H

#include <stdbool.h>

enum {
	OUTPUT_NAME_BYTES = 4096,
	PARTS_MAX = 9999, /* files with numbers of four digits */
};

struct output {
	char name[OUTPUT_NAME_BYTES];
	char partial[OUTPUT_NAME_BYTES + 16]; /* "NAME.partial" */
	int fd;				      /* -1: none */
	bool direct;			      /* not renamed: a pipe, a device, standard output */
	bool overwrite;
};

/**
 * output_open() - create "@path", or with @part above 0 "@path.0001" and so on:
 * mode 0600, no link followed, owned by whoever called sudo; "-" is standard
 * output
 * Return: 0 or -errno: -EEXIST where it is there and not @overwrite, -EBUSY where
 * another recorder writes it, -ENOTTY where standard output is a terminal.
 */
int output_open(struct output *o, const char *path, unsigned int part, bool overwrite);
/** output_taken() - the first part of @path that is there already; 0: none */
unsigned int output_taken(const char *path);
/** output_commit() - close it, complete, under its own name. Return: 0 or -errno,
 *  then it is left under the other one */
int output_commit(struct output *o);
/** output_discard() - close it and leave no trace of it */
void output_discard(struct output *o);
/** output_why() - what to tell of output_open()'s @err; in @text of @size */
const char *output_why(const struct output *o, int err, char *text, unsigned int size);
/** output_is_stdout() - is @path "-"? */
bool output_is_stdout(const char *path);

#endif
