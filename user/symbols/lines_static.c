/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* lines_static.c - without shared libraries there is no elfutils. */
#ifdef KMEMLAB_STATIC
#include <errno.h>
#include <stdio.h>

#include "symbols/lines.h"

struct lines *lines_open(const struct lines_kernel *kernel, const char *path, char *error)
{
	(void)kernel;
	(void)path;
	snprintf(error, 256,
		 "this static build reads no debug information; use the build with shared "
		 "libraries");
	errno = ENOTSUP;
	return NULL;
}

void lines_close(struct lines *l)
{
	(void)l;
}

const char *lines_find(struct lines *l, const char *site)
{
	(void)l;
	(void)site;
	return NULL;
}
#else
typedef int lines_are_in_lines_c;
#endif
