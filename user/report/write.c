/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * write.c - put a result or report on disk: under a temporary name beside its
 * place, then linked (must not exist) or renamed (may exist) to it. Whoever opens
 * the name finds all of it; links to files at that name are not followed. What is
 * no file (a device, a pipe) is written to, never replaced.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report/report.h"

static int write_all(int fd, const char *data, size_t bytes)
{
	while (bytes) {
		ssize_t n = write(fd, data, bytes);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		bytes -= (size_t)n;
	}
	return 0;
}

static int put_in_place(const char *temporary, const char *path, bool force)
{
	if (force)
		return rename(temporary, path) ? -errno : 0;
	if (!link(temporary, path)) {
		unlink(temporary);
		return 0;
	}
	if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS)
		return -errno;
	/* A file system without hard links. */
	if (!access(path, F_OK))
		return -EEXIST;
	return rename(temporary, path) ? -errno : 0;
}

/* Is there something at @path that can be written to and must stay? */
static bool is_special(const char *path)
{
	struct stat st;

	return !stat(path, &st) && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

static int write_special(const char *path, const void *data, size_t bytes)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY), err;

	if (fd < 0)
		return -errno;
	err = write_all(fd, data, bytes);
	if (close(fd) && !err)
		err = -errno;
	return err;
}

int report_write(const char *path, const void *data, size_t bytes, bool force)
{
	char *temporary = NULL;
	int err;

	if (!force && !faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW))
		return -EEXIST;
	if (is_special(path))
		return write_special(path, data, bytes);
	if (asprintf(&temporary, "%s.XXXXXX", path) < 0)
		return -ENOMEM;
	int fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0) {
		err = -errno;
		free(temporary);
		return err;
	}
	mode_t mask = umask(0);
	umask(mask);
	err = write_all(fd, data, bytes);
	if (!err && fchmod(fd, 0666 & ~mask))
		err = -errno;
	if (close(fd) && !err)
		err = -errno;
	if (!err)
		err = put_in_place(temporary, path, force);
	if (err)
		unlink(temporary);
	free(temporary);
	return err;
}
