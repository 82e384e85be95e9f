// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* files.c - whole small files in, and the output file created safely. */
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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

/* Under sudo the trace belongs to the caller; failing that, to root. */
static void give_to_sudo_caller(int fd)
{
	const char *uid = getenv("SUDO_UID"), *gid = getenv("SUDO_GID");
	char *uid_end, *gid_end;
	unsigned long u, g;

	if (geteuid() != 0 || !uid || !gid)
		return;
	u = strtoul(uid, &uid_end, 10);
	g = strtoul(gid, &gid_end, 10);
	if (*uid && !*uid_end && *gid && !*gid_end && fchown(fd, (uid_t)u, (gid_t)g))
		return;
}

bool output_is_stdout(const char *path)
{
	return !strcmp(path, "-");
}

static int use_stdout(void)
{
	int fd;

	if (isatty(STDOUT_FILENO))
		return -ENOTTY;
	fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		return -errno;
	/* The writer waits for a slow reader; events wait in the rings. */
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
	return fd;
}

int output_create(const char *path, bool overwrite)
{
	int flags = O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | (overwrite ? 0 : O_EXCL);
	struct stat st;
	int fd;

	if (output_is_stdout(path))
		return use_stdout();
	if (!stat(path, &st) && S_ISDIR(st.st_mode))
		return -EISDIR;
	fd = open(path, flags, 0600);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) || (S_ISREG(st.st_mode) && (ftruncate(fd, 0) || fchmod(fd, 0600)))) {
		int err = -errno;

		close(fd);
		return err;
	}
	give_to_sudo_caller(fd);
	return fd;
}
