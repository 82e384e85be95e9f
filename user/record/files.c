// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* files.c - whole small files in. */
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *read_all(int fd, size_t *bytes)
{
	size_t room = 1 << 14, n = 0;
	char *text = malloc(room);
	ssize_t got = 1;

	while (text && got > 0) {
		if (room - n < 2) {
			char *bigger = realloc(text, room *= 2);

			if (!bigger)
				free(text);
			text = bigger;
			continue;
		}
		got = read(fd, text + n, room - n - 1);
		if (got > 0)
			n += (size_t)got;
	}
	if (!text)
		return NULL;
	if (got < 0) {
		free(text);
		return NULL;
	}
	text[n] = '\0';
	if (bytes)
		*bytes = n;
	return text;
}

int file_refused(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

bool file_reads_zero(const char *path)
{
	char *text = file_text(path, NULL);
	bool zero = text && !strcmp(text, "0\n");

	free(text);
	return zero;
}

char *file_text(const char *path, size_t *bytes)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text;
	int err;

	if (fd < 0)
		return NULL;
	text = read_all(fd, bytes);
	err = errno;
	close(fd);
	errno = err;
	return text;
}
