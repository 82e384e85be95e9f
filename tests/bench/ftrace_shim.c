// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * ftrace_shim.c - lets trace-cmd run where the kernel refuses function tracing.
 *
 * trace-cmd resets the function tracer's files before it records anything and
 * gives up if it may not. Preloaded, this opens /dev/null for those files, which
 * events do not need, and leaves everything else alone.
 */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What libc calls open() by other names. */
int open64(const char *path, int flags, ...) __attribute__((copy(open), alias("open")));
int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags) __attribute__((alias("__open_2")));
FILE *fopen64(const char *path, const char *mode) __attribute__((copy(fopen), alias("fopen")));

static const char *harmless(const char *path)
{
	const char *name = strrchr(path, '/');

	if (!strstr(path, "/tracing/") && !strstr(path, "ftrace_enabled"))
		return path;
	return name && (strstr(name, "ftrace_") || strstr(name, "set_graph_")) ? "/dev/null" : path;
}

static int open_mode(const char *path, int flags, mode_t mode)
{
	return (int)syscall(SYS_openat, AT_FDCWD, harmless(path), flags, mode);
}

int open(const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = va_arg(args, mode_t);
	va_end(args);
	return open_mode(path, flags, mode);
}

int __open_2(const char *path, int flags)
{
	return open_mode(path, flags, 0);
}

FILE *fopen(const char *path, const char *mode)
{
	int flags =
		*mode == 'r' ? O_RDONLY : O_WRONLY | O_CREAT | (*mode == 'a' ? O_APPEND : O_TRUNC);
	int fd = open_mode(path, strchr(mode, '+') ? (flags & ~O_WRONLY) | O_RDWR : flags, 0666);

	return fd < 0 ? NULL : fdopen(fd, mode);
}
