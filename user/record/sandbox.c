// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * sandbox.c - privileges and system calls that a running recording gives up.
 *
 * The rings are mapped, the programs attached, the symbols read: what is left
 * to do is to read the kernel's own files and to write one of our own. A call
 * outside the list fails with EPERM and does not end the process, so that a C
 * library with another habit costs a feature and not the recording.
 */
#include "sandbox.h"

#include <errno.h>
#include <linux/bpf.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <unistd.h>

/* ---- Capabilities ------------------------------------------------------ */

/* Can the directory of @path be written without a capability's help? */
static bool owner_writes(const char *path)
{
	char dir[4096];
	const char *slash = strrchr(path, '/');

	if (!slash)
		snprintf(dir, sizeof(dir), ".");
	else if (slash == path)
		snprintf(dir, sizeof(dir), "/");
	else
		snprintf(dir, sizeof(dir), "%.*s", (int)(slash - path), path);
	return !eaccess(dir, W_OK);
}

static unsigned int wanted(const struct sandbox_needs *needs, cap_value_t *list)
{
	unsigned int n = 0;

	if (needs->kill)
		list[n++] = CAP_KILL;
	/* The kernel's files are root's; whoever is not root needs this to read them. */
	if (geteuid() != 0)
		list[n++] = CAP_DAC_READ_SEARCH;
	/* Files that were given to the caller of sudo: to rename, to give more. */
	if (getenv("SUDO_UID")) {
		list[n++] = CAP_FOWNER;
		if (needs->more_files)
			list[n++] = CAP_CHOWN;
	}
	return n;
}

static int set_capabilities(const cap_value_t *list, unsigned int n)
{
	cap_t now = cap_get_proc(), next = cap_init();
	int err = now && next ? 0 : -ENOMEM;

	for (unsigned int i = 0; !err && i < n; i++) {
		cap_flag_value_t have = CAP_CLEAR;

		cap_get_flag(now, list[i], CAP_PERMITTED, &have);
		if (have == CAP_SET) {
			cap_set_flag(next, CAP_PERMITTED, 1, &list[i], CAP_SET);
			cap_set_flag(next, CAP_EFFECTIVE, 1, &list[i], CAP_SET);
		}
	}
	if (!err && cap_set_proc(next))
		err = -errno;
	cap_free(now);
	cap_free(next);
	return err;
}

static int drop_capabilities(const struct sandbox_needs *needs)
{
	const cap_value_t override = CAP_DAC_OVERRIDE;
	cap_value_t list[8];
	unsigned int n = wanted(needs, list);
	cap_flag_value_t had = CAP_CLEAR;
	cap_t now = cap_get_proc();
	int err = now ? 0 : -ENOMEM;

	if (!err)
		cap_get_flag(now, override, CAP_EFFECTIVE, &had);
	/* Another user's directory: only seen once the capability is not in effect. */
	if (!err && had == CAP_SET) {
		cap_set_flag(now, CAP_EFFECTIVE, 1, &override, CAP_CLEAR);
		err = cap_set_proc(now) ? -errno : 0;
		if (!err && needs->output && !owner_writes(needs->output))
			list[n++] = override;
	}
	cap_free(now);
	return err ? err : set_capabilities(list, n);
}

/* ---- System calls ------------------------------------------------------ */

static const int calls[] = {
	/* Files */
	SCMP_SYS(read),
	SCMP_SYS(write),
	SCMP_SYS(pread64),
	SCMP_SYS(writev),
	SCMP_SYS(openat),
	SCMP_SYS(open),
	SCMP_SYS(close),
	SCMP_SYS(fstat),
	SCMP_SYS(stat),
	SCMP_SYS(lstat),
	SCMP_SYS(newfstatat),
	SCMP_SYS(statx),
	SCMP_SYS(lseek),
	SCMP_SYS(ftruncate),
	SCMP_SYS(fchmod),
	SCMP_SYS(fchown),
	SCMP_SYS(fcntl),
	SCMP_SYS(flock),
	SCMP_SYS(getdents64),
	SCMP_SYS(rename),
	SCMP_SYS(renameat),
	SCMP_SYS(renameat2),
	SCMP_SYS(link),
	SCMP_SYS(linkat),
	SCMP_SYS(unlink),
	SCMP_SYS(unlinkat),
	SCMP_SYS(dup),
	SCMP_SYS(poll),
	/* Memory */
	SCMP_SYS(mmap),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(mprotect),
	SCMP_SYS(brk),
	SCMP_SYS(madvise),
	SCMP_SYS(futex),
	/* Time, and what this machine is */
	SCMP_SYS(nanosleep),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(getrandom),
	SCMP_SYS(sysinfo),
	SCMP_SYS(uname),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(getcpu),
	/* Processes: itself, and the end of its command */
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(geteuid),
	SCMP_SYS(getuid),
	SCMP_SYS(getrusage),
	SCMP_SYS(kill),
	SCMP_SYS(tgkill),
	SCMP_SYS(wait4),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
};

static int add_calls(scmp_filter_ctx c)
{
	int err = 0;

	for (size_t i = 0; !err && i < sizeof(calls) / sizeof(calls[0]); i++)
		err = seccomp_rule_add(c, SCMP_ACT_ALLOW, calls[i], 0);
	/* Of BPF, what the end needs to know of the programs; of terminals, their shape. */
	if (!err)
		err = seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(bpf), 1,
				       SCMP_A0(SCMP_CMP_EQ, BPF_OBJ_GET_INFO_BY_FD));
	if (!err)
		err = seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(bpf), 1,
				       SCMP_A0(SCMP_CMP_EQ, BPF_MAP_LOOKUP_ELEM));
	/* Each file begins with what the walk of its lists finds. */
	if (!err)
		err = seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(bpf), 1,
				       SCMP_A0(SCMP_CMP_EQ, BPF_PROG_TEST_RUN));
	if (!err)
		err = seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
				       SCMP_A1(SCMP_CMP_EQ, TCGETS));
	if (!err)
		err = seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
				       SCMP_A1(SCMP_CMP_EQ, TIOCGWINSZ));
	return err;
}

/* To draw on a terminal, and to give it back as it was. */
static int add_terminal_calls(scmp_filter_ctx c)
{
	static const unsigned long set[] = {TCSETS, TCSETSW, TCSETSF};
	int err = 0;

	for (size_t i = 0; !err && i < sizeof(set) / sizeof(set[0]); i++)
		err = seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
				       SCMP_A1(SCMP_CMP_EQ, set[i]));
	return err;
}

static int filter_calls(const struct sandbox_needs *needs)
{
	scmp_filter_ctx c = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int err = c ? add_calls(c) : -ENOMEM;

	if (!err && needs->terminal)
		err = add_terminal_calls(c);

	if (!err)
		err = seccomp_load(c);
	seccomp_release(c);
	return err;
}

int sandbox_enter(const struct sandbox_needs *needs, char *error)
{
	int err = drop_capabilities(needs);

	if (err)
		snprintf(error, 256, "cannot drop capabilities: %s; going on with them",
			 strerror(-err));
	else if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		err = -errno;
	if (!err)
		err = filter_calls(needs);
	else
		return err;
	if (err)
		snprintf(error, 256, "cannot filter system calls: %s; going on without",
			 strerror(-err));
	return err;
}
