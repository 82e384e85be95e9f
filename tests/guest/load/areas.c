/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * areas.c - a process of hundreds of memory areas forks: the kernel takes the
 * nodes of the tree that holds them in bulk.
 */
#include <sys/wait.h>

#include "load.h"

enum { AREAS = 500 };

int main(int argc, char **argv)
{
	struct load w = load_begin(argc, argv, 10);
	char *all = load_map((size_t)AREAS * PAGE);

	/* Neighbours that differ in what they permit stay areas of their own. */
	for (size_t i = 0; i < AREAS; i += 2)
		load_need(!mprotect(all + i * PAGE, PAGE, PROT_READ), "mprotect");
	for (unsigned long r = 0; r < w.rounds; r++) {
		pid_t pid = fork();

		load_need(pid >= 0, "fork");
		if (!pid)
			_exit(0);
		while (wait(NULL) > 0)
			;
	}
	return 0;
}
