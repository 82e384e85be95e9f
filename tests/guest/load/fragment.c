/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * fragment.c - unmovable pages grow among movable ones until pageblocks mix.
 *
 * Anonymous pages take most of what is free. Then, round by round, some of them
 * are given back one by one, at random places, and pipes fill with the unmovable
 * pages that find no pageblock of their own.
 */
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>

#include "load.h"

enum { PIPE_BYTES = 256 << 10, KEEP_PERCENT = 12, PIPES_EACH = 4, FREED_EACH = 1500 };

static void fill_pipe(void)
{
	static char buffer[PIPE_BYTES];
	int fd[2];

	load_need(!pipe2(fd, O_NONBLOCK | O_CLOEXEC), "pipe2");
	(void)fcntl(fd[1], F_SETPIPE_SZ, PIPE_BYTES);
	while (write(fd[1], buffer, PIPE_BYTES) > 0)
		;
}

static size_t take_most(char **at)
{
	struct sysinfo info;
	size_t bytes;

	load_need(!sysinfo(&info), "sysinfo");
	bytes = info.freeram / 100 * (100 - KEEP_PERCENT) & ~(size_t)(PAGE - 1);
	*at = load_map(bytes);
	madvise(*at, bytes, MADV_NOHUGEPAGE);
	load_touch(*at, bytes);
	return bytes / PAGE;
}

int main(int argc, char **argv)
{
	struct load w = load_begin(argc, argv, 60);
	const struct rlimit files = {65536, 65536};
	char *memory;
	size_t pages;

	load_need(!setrlimit(RLIMIT_NOFILE, &files), "setrlimit");
	pages = take_most(&memory);
	for (unsigned long r = 0; r < w.rounds; r++) {
		for (int i = 0; i < FREED_EACH; i++)
			madvise(memory + load_random(&w, pages) * PAGE, PAGE, MADV_DONTNEED);
		for (int i = 0; i < PIPES_EACH; i++)
			fill_pipe();
		/* A part comes back as movable memory. */
		for (int i = 0; i < FREED_EACH / 4; i++)
			memory[load_random(&w, pages) * PAGE]++;
	}
	return 0;
}
