/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * pagecache.c - files written, read and deleted, more of them than memory holds.
 *
 * A round writes one file, reads another of its own and a sparse one, which costs
 * the disk nothing; a tenth of the files is deleted and made anew. With less
 * memory than the files take, kswapd and direct reclaim do their work.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "load.h"

enum { FILES = 60, WRITTEN = 2 << 20, SPARSE = 24 << 20, BUFFER = 64 << 10 };

static char buffer[BUFFER];

static void name_of(char *name, const char *kind, unsigned long i)
{
	snprintf(name, 64, "pagecache.%s.%lu", kind, i);
}

static void write_file(unsigned long i)
{
	char name[64];
	int fd;

	name_of(name, "data", i);
	fd = open(name, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
	load_need(fd >= 0, name);
	for (size_t at = 0; at < WRITTEN; at += BUFFER)
		load_need(write(fd, buffer, BUFFER) == BUFFER, name);
	close(fd);
}

static void make_sparse(unsigned long i)
{
	char name[64];
	int fd;

	name_of(name, "hole", i);
	fd = open(name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	load_need(fd >= 0 && !ftruncate(fd, SPARSE), name);
	close(fd);
}

static void read_file(const char *kind, unsigned long i)
{
	char name[64];
	int fd;

	name_of(name, kind, i);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	while (read(fd, buffer, BUFFER) > 0)
		;
	close(fd);
}

int main(int argc, char **argv)
{
	struct load w = load_begin(argc, argv, 150);

	for (unsigned long i = 0; i < FILES; i++)
		make_sparse(i);
	for (unsigned long r = 0; r < w.rounds; r++) {
		write_file(load_random(&w, FILES));
		read_file("data", load_random(&w, FILES));
		read_file("hole", load_random(&w, FILES));
		if (!load_random(&w, 10)) {
			char name[64];

			name_of(name, "data", load_random(&w, FILES));
			unlink(name);
		}
	}
	return 0;
}
