/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* given.c - see given.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "compare/given.h"

enum { FIRST_FILES = 16 };

/* Names are told apart as far as groups keep them. */
static bool is_of(const struct given_file *f, const char *group)
{
	return !strncmp(f->group, group, GROUP_NAME_BYTES - 1);
}

bool given_group(const struct given *g, const char *group)
{
	for (size_t i = 0; i < g->n; i++)
		if (is_of(&g->at[i], group))
			return true;
	return false;
}

int given_add(struct given *g, const char *group, const char *path)
{
	struct given_file *f;
	struct stat st;

	if (stat(path, &st))
		memset(&st, 0, sizeof(st));
	for (size_t i = 0; i < g->n; i++)
		if (st.st_ino && is_of(&g->at[i], group) && g->at[i].device == st.st_dev &&
		    g->at[i].inode == st.st_ino)
			return -EEXIST;
	if (g->n == g->room) {
		size_t room = g->room ? g->room * 2 : FIRST_FILES;

		f = reallocarray(g->at, room, sizeof(*f));
		if (!f)
			return -ENOMEM;
		g->at = f;
		g->room = room;
	}
	f = &g->at[g->n++];
	snprintf(f->group, sizeof(f->group), "%s", group);
	f->device = st.st_dev;
	f->inode = st.st_ino;
	return 0;
}
