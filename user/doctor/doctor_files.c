/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * doctor_files.c - what the kernel shows as files.
 *
 * Whether a file system that is not mounted could be is found by mounting it,
 * in a mount namespace of our own that ends with this process: nothing on the
 * host changes, and the checks after it see what a mount would show.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "doctor/doctor.h"

static struct {
	const char *type, *path, *other; /* other: where it may be as well */
	long magic;
	bool mounted;
	int error; /* of the private mount, 0 if it worked */
} mounts[] = {
	{.type = "tracefs",
	 .path = "/sys/kernel/tracing",
	 .other = "/sys/kernel/debug/tracing",
	 .magic = TRACEFS_MAGIC},
	{.type = "debugfs", .path = "/sys/kernel/debug", .magic = DEBUGFS_MAGIC},
	{.type = "securityfs", .path = "/sys/kernel/security", .magic = SECURITYFS_MAGIC},
};

enum { MOUNTS = sizeof(mounts) / sizeof(mounts[0]) };

int doctor_read(const char *path, char *text, size_t bytes)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;
	int err;

	if (fd < 0)
		return -errno;
	n = read(fd, text, bytes - 1);
	err = n < 0 ? -errno : 0;
	close(fd);
	if (err)
		return err;
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return 0;
}

static bool is_mounted(const char *path, long magic)
{
	struct statfs s;

	return !statfs(path, &s) && s.f_type == magic;
}

void doctor_mounts(void)
{
	int error = 0;

	for (size_t i = 0; i < MOUNTS; i++) {
		mounts[i].mounted = is_mounted(mounts[i].path, mounts[i].magic);
		if (mounts[i].mounted || !mounts[i].other ||
		    !is_mounted(mounts[i].other, mounts[i].magic))
			continue;
		mounts[i].path = mounts[i].other;
		mounts[i].mounted = true;
	}
	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		error = errno;
	for (size_t i = 0; i < MOUNTS; i++) {
		mounts[i].error = error;
		if (error || mounts[i].mounted)
			continue;
		if (mount("none", mounts[i].path, mounts[i].type, 0, NULL))
			mounts[i].error = errno;
	}
}

/* By trying, as access(2) asks for the real user and forgets capabilities. */
static int try_open(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

/* @arg: the file system's type */
void doctor_mount(const void *arg, struct doctor_finding *f)
{
	size_t i = 0;
	int error;

	while (i + 1 < MOUNTS && strcmp(mounts[i].type, arg))
		i++;
	error = mounts[i].mounted ? try_open(mounts[i].path) : 0;
	if (mounts[i].mounted && !error) {
		doctor_found(f, "mounted at %s", mounts[i].path);
	} else if (mounts[i].mounted) {
		doctor_failed(f, error, "mounted at %s, not readable", mounts[i].path);
	} else if (mounts[i].error) {
		doctor_failed(f, mounts[i].error, "not mounted, and cannot be");
	} else {
		doctor_found(f, "not mounted; mounting it at %s works", mounts[i].path);
		f->state = DOCTOR_MOUNT;
	}
}

/* @arg: a path; met if it can be opened and read */
void doctor_file(const void *arg, struct doctor_finding *f)
{
	char text[16 + 1]; /* kpageflags wants a multiple of 8 */
	int err = doctor_read(arg, text, sizeof(text));

	if (err)
		doctor_failed(f, -err, "cannot read %s", (const char *)arg);
	else
		doctor_found(f, "%s reads", (const char *)arg);
}

/* Without CAP_SYS_ADMIN the kernel shows the entry, but 0 for the frame. */
int doctor_own_frame(void)
{
	const uint64_t frame_bits = (1ull << 55) - 1;
	volatile char here = 1; /* on a page that is present */
	uint64_t entry = 0;
	off_t at = (off_t)((uintptr_t)&here / (unsigned long)sysconf(_SC_PAGESIZE)) * 8;
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	ssize_t n;
	int error;

	if (fd < 0)
		return errno;
	n = pread(fd, &entry, sizeof(entry), at);
	error = n < 0 ? errno : 0;
	close(fd);
	return !error && !(entry & frame_bits) ? EPERM : error;
}

/* Calls @see for each symbol until it returns true. -errno, 0 or 1 (seen). */
static int each_symbol(bool (*see)(unsigned long long address, char type, const char *name))
{
	FILE *file = fopen("/proc/kallsyms", "re");
	char line[512], name[256], type;
	unsigned long long address;
	int seen = 0;

	if (!file)
		return -errno;
	while (!seen && fgets(line, sizeof(line), file)) {
		char *end;

		address = strtoull(line, &end, 16);
		if (sscanf(end, " %c %255s", &type, name) == 2)
			seen = see(address, type, name);
	}
	fclose(file);
	return seen;
}

static bool has_address(unsigned long long address, char type, const char *name)
{
	return address && strchr("tT", type) && strcmp(name, "_stext") != 0;
}

static bool is_page_base(unsigned long long address, char type, const char *name)
{
	(void)address;
	(void)type;
	return !strcmp(name, "vmemmap_base");
}

void doctor_kallsyms(const void *arg, struct doctor_finding *f)
{
	int seen = each_symbol(has_address);

	(void)arg;
	if (seen < 0)
		doctor_failed(f, -seen, "cannot read /proc/kallsyms");
	else if (!seen)
		doctor_failed(f, EPERM, "/proc/kallsyms hides the addresses");
	else
		doctor_found(f, "/proc/kallsyms shows addresses");
}

void doctor_data_symbols(const void *arg, struct doctor_finding *f)
{
	int seen = each_symbol(is_page_base);

	(void)arg;
	if (seen < 0)
		doctor_failed(f, -seen, "cannot read /proc/kallsyms");
	else if (!seen)
		doctor_failed(f, ENOENT, "no vmemmap_base in /proc/kallsyms");
	else
		doctor_found(f, "vmemmap_base is in /proc/kallsyms");
}
