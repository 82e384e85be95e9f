/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * forks.c - a storm of fork and exec: page tables, kernel stacks, copies on write.
 *
 * A round starts up to eight children; each writes to some of the memory that
 * it shares with its parent, and every second one executes this program again.
 */
#include <sys/wait.h>

#include "work.h"

enum { CHILDREN = 8, SHARED = 2 << 20, OWN = 512 << 10 };

static void child(struct work *w, char *shared, char **argv)
{
	size_t writes = work_random(w, SHARED / PAGE);

	for (size_t i = 0; i < writes; i++)
		shared[work_random(w, SHARED / PAGE) * PAGE]++;
	if (writes & 1)
		execl("/proc/self/exe", argv[0], "child", NULL);
	_exit(0);
}

int main(int argc, char **argv)
{
	struct work w;
	char *shared;

	if (argc == 2 && !strcmp(argv[1], "child")) {
		work_touch(work_map(OWN), OWN);
		return 0;
	}
	w = work_begin(argc, argv, 40);
	shared = work_map(SHARED);
	work_touch(shared, SHARED);
	for (unsigned long r = 0; r < w.rounds; r++) {
		unsigned long n = 1 + work_random(&w, CHILDREN);

		for (unsigned long i = 0; i < n; i++) {
			pid_t pid;

			work_random(&w, 2);
			pid = fork();
			work_need(pid >= 0, "fork");
			if (!pid)
				child(&w, shared, argv);
		}
		while (wait(NULL) > 0)
			;
	}
	return 0;
}
