/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* load.c - see load.h. */
#include "load.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	REGION_BYTES = 4 << 20,
	PACKETS = 256,
	TURNS = LOAD_PAGE_EVENTS / 2 / PACKETS,
	PAGE_BYTES = 4096,
};

/* A pipe in packet mode takes a page for every write and gives it back at the
 * read: page events, and next to nothing else. */
static void page_round(void)
{
	char byte = 0;
	int fd[2];

	if (pipe2(fd, O_DIRECT) || fcntl(fd[1], F_SETPIPE_SZ, PACKETS * PAGE_BYTES) < 0)
		abort();
	for (int turn = 0; turn < TURNS; turn++) {
		for (int i = 0; i < PACKETS; i++)
			if (write(fd[1], &byte, 1) != 1)
				abort();
		for (int i = 0; i < PACKETS; i++)
			if (read(fd[0], &byte, 1) != 1)
				abort();
	}
	close(fd[0]);
	close(fd[1]);
}

/* Fault in and drop small pages, as a program's heap does. */
static void fault_round(void)
{
	volatile char *m = mmap(NULL, REGION_BYTES, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (m == MAP_FAILED)
		abort();
	madvise((void *)m, REGION_BYTES, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < REGION_BYTES; i += PAGE_BYTES)
		m[i] = 1;
	munmap((void *)m, REGION_BYTES);
}

/* A path look-up, a file and a pipe: slab caches and kmalloc, hardly a page. */
static void slab_round(void)
{
	for (int i = 0; i < 256; i++) {
		int fd[2], file = open("/dev/null", O_RDONLY);

		if (file < 0 || pipe(fd))
			abort();
		close(fd[0]);
		close(fd[1]);
		close(file);
	}
}

static void fork_round(void)
{
	for (int i = 0; i < 8; i++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		waitpid(pid, NULL, 0);
	}
}

/* A compiler at work on a source of ours: what a build host does all day. */
static void compile_round(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		execlp("gcc", "gcc", "-O1", "-Iinclude", "-Iuser", "-D_GNU_SOURCE", "-c",
		       "user/trace/writer.c", "-o", "/dev/null", NULL);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
}

static void mixed_round(void)
{
	slab_round();
	fault_round();
	fork_round();
}

void (*load_by_name(const char *name))(void)
{
	if (!strcmp(name, "page"))
		return page_round;
	if (!strcmp(name, "slab"))
		return slab_round;
	if (!strcmp(name, "compile"))
		return compile_round;
	return strcmp(name, "mixed") ? NULL : mixed_round;
}
