/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * lines.h - call sites as a trace has them to lines of source, by debug information
 * of the recorded kernel; on any machine, since nothing but names, offsets and the
 * kernel's build id is needed.
 */
#ifndef KMEMLAB_SYMBOLS_LINES_H
#define KMEMLAB_SYMBOLS_LINES_H

struct lines;

/* The recorded kernel, as HEADER names it; strings may be NULL. */
struct lines_kernel {
	const char *release;  /* as uname -r */
	const char *build_id; /* lower-case hex; NULL: not checked */
};

/**
 * lines_open() - find the kernel's debug information
 * @path: a vmlinux, or a directory that holds one; NULL: below /usr/lib/debug and
 *	/lib/modules, then from the servers in DEBUGINFOD_URLS
 * @error: 256 bytes for one line that says what is missing
 * Return: NULL with errno: ENOENT: there is none; EINVAL: it is of another kernel;
 * ENOTSUP: not built in.
 */
struct lines *lines_open(const struct lines_kernel *kernel, const char *path, char *error);
void lines_close(struct lines *l);

/**
 * lines_find() - "symbol+0xoffset[ [module]]" to "file:line[ (inlined by function
 * file:line)...]"
 * Return: valid until lines_close(); NULL: not known, or the symbol's name is not
 * its own alone.
 */
const char *lines_find(struct lines *l, const char *site);

#endif
