/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * job.c - replay a trace with a few combinations of settings at once: the trace is
 * decoded and its start state inferred once for all of them.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "cli/view.h"
#include "common/log.h"
#include "common/utf8.h"
#include "compare/measure.h"
#include "compare/prediction.h"
#include "replay/result.h"
#include "report/report.h"
#include "sweep/sweep.h"

int sweep_checksum(const char *path, uint64_t *checksum)
{
	static char buffer[1 << 20];
	XXH3_state_t *state = XXH3_createState();
	FILE *f = fopen(path, "re");
	int err = f ? 0 : -errno;
	size_t n;

	if (!state)
		err = err ? err : -ENOMEM;
	if (!err) {
		XXH3_64bits_reset(state);
		while ((n = fread(buffer, 1, sizeof(buffer), f)) > 0)
			XXH3_64bits_update(state, buffer, n);
		err = ferror(f) ? -EIO : 0;
		*checksum = XXH3_64bits_digest(state);
	}
	if (f)
		fclose(f);
	XXH3_freeState(state);
	return err;
}

void sweep_job_path(const struct sweep_job *job, const char *dir, char *path, size_t size)
{
	XXH64_hash_t hash = job->checksum;
	const char *assignment[GRID_AXES];

	for (size_t i = job->first; i < job->first + job->cells; i++) {
		grid_cell(job->grid, i, assignment);
		for (size_t a = 0; a < job->grid->axes; a++)
			hash = XXH3_64bits_withSeed(assignment[a], strlen(assignment[a]) + 1, hash);
	}
	snprintf(path, size, "%s/%016" PRIx64 ".jsonl", dir, (uint64_t)hash);
}

/* "A=1 B=2"; the reference itself: "". */
static void name_cell(char *text, size_t size, const struct replay_policy *policy)
{
	size_t used = 0;

	*text = '\0';
	for (unsigned int i = 0; i < policy->nr_settings && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%s", i ? " " : "",
					 policy->settings[i]);
}

static json_t *figures_of(const json_t *run)
{
	json_t *figures = json_object();

	for (size_t i = 0; i < MEASURES; i++) {
		double v = measure_of(run, i);

		if (!isnan(v))
			json_object_set_new(figures, measures[i].name, json_real(v));
	}
	return figures;
}

/* What it is to be held against, unless that is the reference; what it does not predict */
static void add_prediction(json_t *line, const json_t *doc, const json_t *run)
{
	const json_t *refused = json_object_get(run, "not_predicted");
	const json_t *base = prediction_base(doc, run);

	if (json_array_size(refused))
		json_object_set(line, "not_predicted", (json_t *)(uintptr_t)refused);
	if (json_object_get(run, "modelled_reclaim") && base)
		json_object_set_new(line, "base_figures", figures_of(base));
}

/* One line a run. Keys are sorted, so equal lines are equal bytes. */
static int print_cell(FILE *out, const struct sweep_job *job, const json_t *doc,
		      const struct replay_policy *policy, const json_t *run)
{
	const json_t *grade = json_object_get(json_object_get(doc, "fidelity"), "grade");
	const char *slash = strrchr(job->trace, '/');
	char *name = utf8_copy(slash ? slash + 1 : job->trace);
	char checksum[20], cell[512];
	json_t *line;
	char *text;

	snprintf(checksum, sizeof(checksum), "%016" PRIx64, job->checksum);
	name_cell(cell, sizeof(cell), policy);
	line = json_pack("{s:s, s:s, s:s, s:o, s:O?}", "trace", name ? name : "", "trace_xxh3",
			 checksum, "settings", cell, "figures", figures_of(run), "fidelity",
			 (json_t *)(uintptr_t)grade);
	add_prediction(line, doc, run);
	text = line ? json_dumps(line, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(9))
		    : NULL;
	json_decref(line);
	free(name);
	if (!text)
		return -ENOMEM;
	fprintf(out, "%s\n", text);
	free(text);
	return 0;
}

static unsigned int plan(const struct sweep_job *job, struct replay_policy *policies)
{
	unsigned int n = 0;

	snprintf(policies[n++].name, RUN_NAME_BYTES, "observed");
	snprintf(policies[n++].name, RUN_NAME_BYTES, "reference");
	for (size_t i = job->first; i < job->first + job->cells && job->grid->axes; i++) {
		struct replay_policy *p = &policies[n++];

		snprintf(p->name, RUN_NAME_BYTES, "cell-%zu", i);
		grid_cell(job->grid, i, p->settings);
		p->nr_settings = (unsigned int)job->grid->axes;
	}
	return n;
}

static char *lines_of(const struct sweep_job *job, struct replay *p,
		      const struct replay_policy *policies, unsigned int n, size_t *bytes)
{
	const struct result_options ro = {"kmemlab sweep", job->trace, true, false};
	json_t *doc = result_build(p, &ro);
	char *text = NULL;
	FILE *out = open_memstream(&text, bytes);
	int err = doc && out ? 0 : -ENOMEM;

	/* The first job of a trace says what the kernel and the reference did. */
	for (unsigned int i = job->first ? 2 : 1; i < n && !err; i++)
		err = print_cell(out, job, doc, &policies[i],
				 json_array_get(json_object_get(doc, "runs"), i));
	json_decref(doc);
	if (out && (fclose(out) || err)) {
		free(text);
		return NULL;
	}
	return text;
}

static int put(const char *path, const char *text, size_t bytes)
{
	int err = text ? report_write(path, text, bytes, true) : -ENOMEM;

	if (!err)
		return EXIT_DONE;
	log_error("cannot write '%s': %s", path, strerror(-err));
	return EXIT_FAILED;
}

static int run(const struct sweep_job *job, struct replay *p, struct trace_reader *r,
	       const char *path)
{
	struct replay_policy policies[SWEEP_CELLS_PER_JOB + 2] = {0};
	unsigned int n = plan(job, policies);
	char error[512] = "";
	size_t bytes = 0;
	char *text;
	int status;
	int err = replay_open(p, r, policies, n, error);

	if (!err)
		err = replay_events(p, error);
	if (err) {
		log_error("cannot replay '%s': %s", job->trace, *error ? error : strerror(-err));
		return EXIT_FAILED;
	}
	text = lines_of(job, p, policies, n, &bytes);
	status = put(path, text, bytes);
	free(text);
	return status;
}

int sweep_job_run(const struct sweep_job *job, const char *path)
{
	struct replay *p = calloc(1, sizeof(*p));
	struct view v;
	int status = p ? view_open(&v, job->trace) : EXIT_FAILED;

	if (status >= 0) {
		free(p);
		return status;
	}
	status = run(job, p, v.reader, path);
	replay_close(p);
	free(p);
	return view_close(&v, status);
}
