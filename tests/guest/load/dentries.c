/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * dentries.c - directory entries and inodes made, looked up in vain, renamed and
 * removed: reclaimable slabs, which grow and are given back when asked for.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "load.h"

enum { DIRECTORIES = 16, NAMES = 3000, SHRINK_EVERY = 8000 };

static void path_of(struct load *w, char *path)
{
	snprintf(path, 64, "dentries.%lu/%lu", load_random(w, DIRECTORIES), load_random(w, NAMES));
}

static void create(const char *path)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	load_need(fd >= 0, path);
	close(fd);
}

/* 2: dentries and inodes, not the page cache. */
static void shrink(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, "2", 1) != 1)
		perror("drop_caches");
	close(fd);
}

int main(int argc, char **argv)
{
	struct load w = load_begin(argc, argv, 40000);
	char path[64], other[64];
	struct stat st;

	for (int i = 0; i < DIRECTORIES; i++) {
		snprintf(path, sizeof(path), "dentries.%d", i);
		mkdir(path, 0700);
	}
	for (unsigned long r = 1; r <= w.rounds; r++) {
		path_of(&w, path);
		switch (load_random(&w, 8)) {
		case 0 ... 3:
			create(path);
			break;
		case 4:
			unlink(path);
			break;
		case 5:
			path_of(&w, other);
			(void)rename(path, other);
			break;
		default:
			(void)stat(path, &st);
		}
		if (r % SHRINK_EVERY == 0)
			shrink();
	}
	return 0;
}
