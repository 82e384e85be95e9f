/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * highorder.c - large blocks wanted where free memory lies in single pages.
 *
 * Most free memory is taken by single anonymous pages; random ones of them are
 * given back. Then huge pages (order 9) and socket buffers (orders up to 3) are
 * asked for and given back, which calls for compaction.
 */
#include <sys/socket.h>
#include <sys/sysinfo.h>

#include "load.h"

enum { TAKE_PERCENT = 88, FREE_PERCENT = 30, MESSAGE = 60 << 10, PAIRS = 24, MESSAGES = 12 };

static char *take_most(size_t *pages)
{
	struct sysinfo info;
	size_t bytes;
	char *at;

	load_need(!sysinfo(&info), "sysinfo");
	bytes = info.freeram / 100 * TAKE_PERCENT & ~(size_t)(PAGE - 1);
	at = load_map(bytes);
	madvise(at, bytes, MADV_NOHUGEPAGE);
	load_touch(at, bytes);
	*pages = bytes / PAGE;
	return at;
}

static void huge_pages(struct load *w)
{
	size_t bytes = (2 + load_random(w, 6)) * HUGE;
	char *at = load_map(bytes);

	madvise(at, bytes, MADV_HUGEPAGE);
	load_touch(at, bytes);
	munmap(at, bytes);
}

static void messages(struct load *w)
{
	static char buffer[MESSAGE];
	int pairs[PAIRS][2], size = MESSAGE * MESSAGES;

	for (int i = 0; i < PAIRS; i++) {
		load_need(!socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
				      pairs[i]),
			  "socketpair");
		setsockopt(pairs[i][1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
		for (int m = 0; m < MESSAGES; m++)
			if (write(pairs[i][1], buffer, 4096 + load_random(w, MESSAGE - 4096)) < 0)
				break;
	}
	for (int i = 0; i < PAIRS; i++) {
		close(pairs[i][0]);
		close(pairs[i][1]);
	}
}

int main(int argc, char **argv)
{
	struct load w = load_begin(argc, argv, 40);
	size_t pages;
	char *memory = take_most(&pages);

	for (size_t i = 0; i < pages * FREE_PERCENT / 100; i++)
		madvise(memory + load_random(&w, pages) * PAGE, PAGE, MADV_DONTNEED);
	for (unsigned long r = 0; r < w.rounds; r++) {
		huge_pages(&w);
		messages(&w);
		for (int i = 0; i < 200; i++)
			memory[load_random(&w, pages) * PAGE]++;
	}
	return 0;
}
