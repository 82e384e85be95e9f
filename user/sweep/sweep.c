/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * sweep.c - hand out jobs to processes, collect their files. A process a job: a job
 * that dies takes nothing with it, and its memory goes back.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/log.h"
#include "common/out.h"
#include "sweep/sweep.h"

/* ---- Jobs ---------------------------------------------------------------- */

struct crew {
	const struct sweep *s;
	struct sweep_outcome *out;
	size_t number, jobs; /* of the job at hand; all of the shard */
	unsigned int busy;
};

static void collect(struct crew *c)
{
	int status;

	while (waitpid(-1, &status, 0) < 0 && errno == EINTR)
		;
	c->busy--;
	status = WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILED;
	if (status == EXIT_DONE || status == EXIT_DAMAGED)
		c->out->done++;
	else
		c->out->failed++;
	c->out->damaged += status == EXIT_DAMAGED;
	log_progress("sweep: %zu of %zu jobs", c->out->done + c->out->skipped + c->out->failed,
		     c->jobs);
}

/* In a process of its own. A damaged trace may be good enough, or no use at all. */
static int do_job(const struct sweep_job *job, const char *path)
{
	int status = sweep_job_run(job, path);

	return status == EXIT_DAMAGED && access(path, F_OK) ? EXIT_FAILED : status;
}

static int start(struct crew *c, const struct sweep_job *job, const char *path)
{
	pid_t pid;

	while (c->busy >= c->s->workers)
		collect(c);
	out_flush();
	pid = fork();
	if (pid < 0)
		return -errno;
	if (!pid) {
		log_quiet(true);
		_exit(do_job(job, path));
	}
	c->busy++;
	return 0;
}

static int offer(struct crew *c, const struct sweep_job *job)
{
	char path[4096];

	if (c->number++ % c->s->shards != c->s->shard)
		return 0;
	sweep_job_path(job, c->s->dir, path, sizeof(path));
	if (!access(path, F_OK)) {
		c->out->skipped++;
		return 0;
	}
	return start(c, job, path);
}

static int offer_trace(struct crew *c, const char *trace)
{
	struct sweep_job job = {.trace = trace, .grid = &c->s->grid};
	size_t cells = grid_cells(&c->s->grid);
	int err = sweep_checksum(trace, &job.checksum);

	if (err) {
		log_error("cannot read '%s': %s", trace, strerror(-err));
		return err;
	}
	for (; job.first < cells && !err; job.first += SWEEP_CELLS_PER_JOB) {
		job.cells = cells - job.first;
		if (job.cells > SWEEP_CELLS_PER_JOB)
			job.cells = SWEEP_CELLS_PER_JOB;
		err = offer(c, &job);
	}
	return err;
}

int sweep_run(const struct sweep *s, struct sweep_outcome *out)
{
	size_t a_trace = (grid_cells(&s->grid) + SWEEP_CELLS_PER_JOB - 1) / SWEEP_CELLS_PER_JOB;
	struct crew c = {.s = s, .out = out};
	int err = 0;

	c.jobs = (a_trace * s->nr_traces + s->shards - 1 - s->shard) / s->shards;
	if (mkdir(s->dir, 0777) && errno != EEXIST) {
		err = -errno;
		log_error("cannot make '%s': %s", s->dir, strerror(-err));
		return err;
	}
	for (size_t i = 0; i < s->nr_traces && !err; i++)
		err = offer_trace(&c, s->traces[i]);
	while (c.busy)
		collect(&c);
	log_progress_done();
	return err;
}

/* ---- Merging ------------------------------------------------------------- */

struct lines {
	char **line;
	size_t n, room;
};

static int take_line(struct lines *l, const char *text)
{
	if (l->n == l->room) {
		size_t room = l->room ? l->room * 2 : 256;
		char **more = realloc(l->line, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		l->line = more;
		l->room = room;
	}
	l->line[l->n] = strdup(text);
	return l->line[l->n] ? (l->n++, 0) : -ENOMEM;
}

static int take_file(struct lines *l, const char *dir, const char *name)
{
	char path[4096];
	char *line = NULL;
	size_t room = 0;
	int err = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	while (!err && getline(&line, &room, f) > 0)
		err = take_line(l, line);
	if (!err && ferror(f))
		err = -EIO;
	free(line);
	fclose(f);
	return err;
}

static int take_dir(struct lines *l, const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	int err = d ? 0 : -errno;

	while (d && !err && (e = readdir(d))) {
		size_t n = strlen(e->d_name);

		if (n > 6 && !strcmp(e->d_name + n - 6, ".jsonl"))
			err = take_file(l, dir, e->d_name);
	}
	if (d)
		closedir(d);
	if (err)
		log_error("cannot read the jobs in '%s': %s", dir, strerror(-err));
	return err;
}

static int by_text(const void *x, const void *y)
{
	return strcmp(*(char *const *)x, *(char *const *)y);
}

long sweep_merge(const char *const *dirs, size_t n, FILE *out)
{
	struct lines l = {0};
	long printed = 0;
	int err = 0;

	for (size_t i = 0; i < n && !err; i++)
		err = take_dir(&l, dirs[i]);
	if (l.n)
		qsort(l.line, l.n, sizeof(*l.line), by_text);
	for (size_t i = 0; i < l.n && !err; i++)
		if (!i || strcmp(l.line[i], l.line[i - 1]) != 0) {
			fputs(l.line[i], out);
			printed++;
		}
	for (size_t i = 0; i < l.n; i++)
		free(l.line[i]);
	free(l.line);
	return err ? err : printed;
}
