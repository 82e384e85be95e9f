// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * output.c - the file that a recording makes.
 *
 * While it grows it is NAME.partial, made with O_EXCL and O_NOFOLLOW and held
 * by a lock: what a killed recorder left is told from what a living one writes.
 * It becomes NAME by a rename that replaces nothing unless told to.
 */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

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

static int use_stdout(struct output *o)
{
	if (isatty(STDOUT_FILENO))
		return -ENOTTY;
	o->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	if (o->fd < 0)
		return -errno;
	/* The writer waits for a slow reader; events wait in the rings. */
	fcntl(o->fd, F_SETFL, fcntl(o->fd, F_GETFL) & ~O_NONBLOCK);
	o->direct = true;
	return 0;
}

/* A pipe or a device that is there already: nothing to create or to rename. */
static int use_special(struct output *o)
{
	o->fd = open(o->name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	o->direct = true;
	return o->fd < 0 ? -errno : 0;
}

/* May @o->name become a file? -ENODEV: it is there and is no file. */
static int look(const struct output *o)
{
	struct stat st;

	if (lstat(o->name, &st))
		return errno == ENOENT ? 0 : -errno;
	if (S_ISLNK(st.st_mode))
		return -ELOOP;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!o->overwrite)
		return -EEXIST;
	return S_ISREG(st.st_mode) ? 0 : -ENODEV;
}

/* Take away what a killed recorder left; a living one holds the lock. */
static int remove_stale(const struct output *o)
{
	int fd = open(o->partial, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	int err = 0;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (flock(fd, LOCK_EX | LOCK_NB))
		err = -EBUSY;
	else if (!o->overwrite)
		err = -EEXIST;
	else if (unlink(o->partial))
		err = -errno;
	close(fd);
	return err;
}

static int create(struct output *o)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	int err = remove_stale(o);

	if (err)
		return err;
	o->fd = open(o->partial, flags, 0600);
	if (o->fd < 0)
		return -errno;
	/* Not every file system has locks; the file is ours all the same. */
	flock(o->fd, LOCK_EX | LOCK_NB);
	if (fchmod(o->fd, 0600)) {
		err = -errno;
		output_discard(o);
		return err;
	}
	give_to_sudo_caller(o->fd);
	return 0;
}

int output_open(struct output *o, const char *path, unsigned int part, bool overwrite)
{
	size_t room = sizeof(o->name);
	int err;

	*o = (struct output){.fd = -1, .overwrite = overwrite};
	if (output_is_stdout(path))
		return use_stdout(o);
	if ((part ? snprintf(o->name, room, "%s.%04u", path, part)
		  : snprintf(o->name, room, "%s", path)) >= (int)room)
		return -ENAMETOOLONG;
	snprintf(o->partial, sizeof(o->partial), "%s.partial", o->name);
	err = look(o);
	if (err == -ENODEV)
		return use_special(o);
	return err ? err : create(o);
}

unsigned int output_taken(const char *path)
{
	char name[OUTPUT_NAME_BYTES];

	for (unsigned int part = 1; part <= PARTS_MAX; part++)
		if (snprintf(name, sizeof(name), "%s.%04u", path, part) < (int)sizeof(name) &&
		    !access(name, F_OK))
			return part;
	return 0;
}

/* Without replacing what may be there; not every file system can. */
static int rename_new(const struct output *o)
{
	if (!renameat2(AT_FDCWD, o->partial, AT_FDCWD, o->name, RENAME_NOREPLACE))
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	if (link(o->partial, o->name))
		return -errno;
	return unlink(o->partial) ? -errno : 0;
}

int output_commit(struct output *o)
{
	int err = 0;

	if (o->fd < 0)
		return 0;
	if (!o->direct && o->overwrite)
		err = rename(o->partial, o->name) ? -errno : 0;
	else if (!o->direct)
		err = rename_new(o);
	close(o->fd);
	o->fd = -1;
	return err;
}

void output_discard(struct output *o)
{
	if (o->fd < 0)
		return;
	if (!o->direct)
		unlink(o->partial);
	close(o->fd);
	o->fd = -1;
}

const char *output_why(const struct output *o, int err, char *text, unsigned int size)
{
	struct stat st;

	if (err == -EISDIR)
		snprintf(text, size, "it is a directory; name a file in it");
	else if (err == -EEXIST && lstat(o->name, &st))
		snprintf(text, size,
			 "'%s' exists, left by a kmemlab that was killed; use -f to overwrite "
			 "it or keep it under another name",
			 o->partial);
	else if (err == -EEXIST)
		snprintf(text, size, "it exists; use -f to overwrite it or -o for another name");
	else if (err == -EBUSY)
		snprintf(text, size, "another kmemlab writes it; use -o for another name");
	else if (err == -ELOOP)
		snprintf(text, size, "it is a symbolic link; give the file itself");
	else
		snprintf(text, size, "%s", strerror(-err));
	return text;
}
