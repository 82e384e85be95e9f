/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sandbox.h - privileges and system calls that a running recording gives up. */
#ifndef KMEMLAB_RECORD_SANDBOX_H
#define KMEMLAB_RECORD_SANDBOX_H

#include <stdbool.h>

struct sandbox_needs {
	bool kill;	    /* it may have to end a command */
	bool more_files;    /* it will create others later */
	bool terminal;	    /* it draws on one */
	const char *output; /* which is renamed at the end; NULL: it writes no file */
};

/**
 * sandbox_enter() - drop every capability that @needs does not ask for, and refuse
 * all system calls but those of a recording: it opens no socket, starts no
 * process, loads no program. What the recorder has open stays usable.
 * @error: 256 bytes; what could not be given up
 * Return: 0 or -errno; the recording can go on either way.
 */
int sandbox_enter(const struct sandbox_needs *needs, char *error);

#endif
