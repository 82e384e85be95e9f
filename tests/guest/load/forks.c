/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * forks.c - a storm of fork and exec: page tables, kernel stacks, copies on write.
 *
 * A round starts up to eight children; each writes to some of the memory that
 * it shares with its parent, and every second one executes this program again.
 */
#include <sys/wait.h>

#include "load.h"

enum { CHILDREN = 8, SHARED = 2 << 20, OWN = 512 << 10 };

static void child(struct load *w, char *shared, char **argv)
{
	size_t writes = load_random(w, SHARED / PAGE);

	for (size_t i = 0; i < writes; i++)
		shared[load_random(w, SHARED / PAGE) * PAGE]++;
	if (writes & 1)
		execl("/proc/self/exe", argv[0], "child", NULL);
	_exit(0);
}

int main(int argc, char **argv)
{
	struct load w;
	char *shared;

	if (argc == 2 && !strcmp(argv[1], "child")) {
		load_touch(load_map(OWN), OWN);
		return 0;
	}
	w = load_begin(argc, argv, 40);
	shared = load_map(SHARED);
	load_touch(shared, SHARED);
	for (unsigned long r = 0; r < w.rounds; r++) {
		unsigned long n = 1 + load_random(&w, CHILDREN);

		for (unsigned long i = 0; i < n; i++) {
			pid_t pid;

			load_random(&w, 2);
			pid = fork();
			load_need(pid >= 0, "fork");
			if (!pid)
				child(&w, shared, argv);
		}
		while (wait(NULL) > 0)
			;
	}
	return 0;
}
