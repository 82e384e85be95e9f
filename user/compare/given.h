/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* given.h - which files were given for which group: none counts twice. */
#ifndef KMEMLAB_COMPARE_GIVEN_H
#define KMEMLAB_COMPARE_GIVEN_H

#include <stdbool.h>
#include <sys/types.h>

#include "compare/group.h"

/* All zero at first; free `at` in the end. */
struct given {
	struct given_file {
		char group[GROUP_NAME_BYTES];
		dev_t device;
		ino_t inode;
	} * at;
	size_t n, room;
};

/** given_group() - does a group of that name have a file? */
bool given_group(const struct given *g, const char *group);

/**
 * given_add() - @path is of @group
 * Return: 0; -EEXIST: it is so already, by whatever name; -ENOMEM. A file that cannot be
 * looked at is none that was given: who reads it says why.
 */
int given_add(struct given *g, const char *group, const char *path);

#endif
