// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* child.c - the traced command: started stopped, so that nothing of it is missed. */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "files.h"

enum {
	GRACE_TICKS = 200, /* of 10 ms between TERM and KILL */
};

static void run(int go, int error, char *const *argv, bool own_stdout)
{
	sigset_t none;
	char byte;
	int err;

	/* The recorder is gone if the pipe closes without a byte. */
	if (read(go, &byte, 1) != 1)
		_exit(127);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (!own_stdout)
		dup2(STDERR_FILENO, STDOUT_FILENO);
	signal(SIGXFSZ, SIG_DFL);
	execvp(argv[0], argv);
	err = errno;
	if (write(error, &err, sizeof(err)) != sizeof(err))
		_exit(126);
	_exit(127);
}

/* Ctrl-C reaches the command too; until it runs, only the recorder acts on it. */
static void block_signals(sigset_t *before)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, before);
}

static void let_go(struct child *c)
{
	close(c->go);
	close(c->error);
	c->go = c->error = -1;
}

int child_prepare(struct child *c, char *const *argv, bool own_stdout)
{
	int go[2], error[2], err = 0;
	sigset_t before;
	pid_t pid;

	if (pipe2(go, O_CLOEXEC))
		return -errno;
	if (pipe2(error, O_CLOEXEC)) {
		err = -errno;
		close(go[0]);
		close(go[1]);
		return err;
	}
	block_signals(&before);
	pid = fork();
	if (pid == 0) {
		close(go[1]);
		close(error[0]);
		run(go[0], error[1], argv, own_stdout);
	}
	err = pid < 0 ? -errno : 0;
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(go[0]);
	close(error[1]);
	c->go = go[1];
	c->error = error[0];
	if (err) {
		let_go(c);
		return err;
	}
	/* Never below 0: to kill() that would be everybody. */
	c->pid = pid;
	return 0;
}

int child_go(struct child *c)
{
	int err = 0;

	/* A successful exec closes the other end and leaves nothing to read. */
	if (write(c->go, "", 1) != 1 || read(c->error, &err, sizeof(err)) < 0)
		err = errno;
	let_go(c);
	c->ran = !err;
	return -err;
}

bool child_ended(struct child *c)
{
	if (c->pid && waitpid(c->pid, &c->status, WNOHANG) == c->pid)
		c->pid = 0;
	return !c->pid;
}

/*
 * Send @sig to @pid and to what it started. The command shares the recorder's
 * process group, so that Ctrl-C and job control reach it; the group is no handle.
 */
static void signal_tree(pid_t pid, int sig)
{
	char path[64], *text, *rest;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	text = rest = file_text(path, NULL);
	kill(pid, sig);
	for (char *word; rest && (word = strsep(&rest, " "));)
		if (*word)
			signal_tree((pid_t)strtol(word, NULL, 10), sig);
	free(text);
}

bool child_stop(struct child *c, const struct recording_pause *pause)
{
	const struct timespec tick = {.tv_nsec = 10000000};

	if (child_ended(c))
		return false;
	if (c->go >= 0) {
		/* It waits for a byte, and leaves when it sees the end instead. */
		let_go(c);
	}
	signal_tree(c->pid, SIGTERM);
	for (int i = 0; i < GRACE_TICKS && !child_ended(c); i++) {
		nanosleep(&tick, NULL);
		pause->run(pause->context);
	}
	if (!c->pid)
		return true;
	signal_tree(c->pid, SIGKILL);
	waitpid(c->pid, &c->status, 0);
	c->pid = 0;
	return true;
}

bool child_succeeded(const struct child *c)
{
	return c->ran && WIFEXITED(c->status) && !WEXITSTATUS(c->status);
}

const char *child_words(const struct child *c, char *buf, size_t size)
{
	if (!c->ran)
		snprintf(buf, size, "was not started");
	else if (WIFSIGNALED(c->status))
		snprintf(buf, size, "was ended by signal %d (%s)", WTERMSIG(c->status),
			 strsignal(WTERMSIG(c->status)));
	else
		snprintf(buf, size, "exited with status %d", WEXITSTATUS(c->status));
	return buf;
}
