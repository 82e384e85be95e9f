/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* replay.c - set up the runs of a replay. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "replay/callpaths.h"
#include "replay/knobs.h"
#include "replay/replay.h"
#include "trace/text_json.h"
#include "trace/trace_io.h"

static int load_classes(struct replay *p)
{
	p->nr_classes = trace_reader_classes(p->reader);
	p->classes = calloc(p->nr_classes + 1, sizeof(*p->classes));
	if (!p->classes)
		return -ENOMEM;
	for (uint32_t i = 0; i < p->nr_classes; i++)
		p->classes[i] = trace_reader_class(p->reader, i);
	return 0;
}

static uint64_t snapshot_end(const struct snapshot *s)
{
	uint64_t end = 0;

	for (size_t i = 0; i < s->n; i++)
		if (s->chunks[i].end_pfn > end)
			end = s->chunks[i].end_pfn;
	return end;
}

static int load_trace(struct replay *p, char *error)
{
	int err = host_load(&p->host, p->reader, error);

	if (err)
		return err;
	snprintf(error, 512, "out of memory");
	err = load_classes(p);
	if (!err)
		err = snapshot_load(&p->start_pages, p->reader, KMT_PHASE_START);
	if (!err)
		err = host_check_span(&p->host, snapshot_end(&p->start_pages), error);
	if (!err)
		err = snapshot_load(&p->end_pages, p->reader, KMT_PHASE_END);
	if (!err)
		err = kernel_samples_load(&p->kernel, p->reader, &p->host);
	if (!err && !p->start_pages.n) {
		snprintf(error, 512,
			 "the trace holds no pages of its start (recorded without "
			 "/proc/kpageflags?); record as root");
		err = -ENODATA;
	}
	return err;
}

static void set_samples(struct replay *p)
{
	uint64_t events = 0, span;

	trace_reader_times(p->reader, &p->first_ns, &p->last_ns);
	trace_reader_sizes(p->reader, &(uint64_t){0}, &(uint64_t){0}, &events);
	span = p->last_ns - p->first_ns;
	p->samples = events < REPLAY_SAMPLES ? (unsigned int)events + 1 : REPLAY_SAMPLES;
	for (unsigned int i = 0; i < p->samples; i++)
		p->sample_ns[i] = p->first_ns + (uint64_t)((double)span * (i + 1) / p->samples);
}

static int load_observed(struct replay *p, struct observed *o)
{
	int err = observed_init(o, &p->host, p->classes, p->nr_classes);

	if (!err)
		err = observed_load(o, &p->start_pages, p->reader);
	return err;
}

static int scout(struct replay *p)
{
	struct observed ahead;
	int err;

	log_progress("replay: looking ahead");
	err = load_observed(p, &ahead);
	if (!err)
		err = scout_run(&p->scout, &ahead, &p->end_pages, p->reader);
	observed_destroy(&ahead);
	return err;
}

static int open_observed(struct replay *p, struct run *run)
{
	int err;

	run->observed = calloc(1, sizeof(*run->observed));
	if (!run->observed)
		return -ENOMEM;
	p->observed = run;
	err = scout(p);
	if (!err)
		err = load_observed(p, run->observed);
	run->observed->bypass = p->scout.bypass;
	run->observed->bypasses = p->scout.n;
	return err;
}

static int build_start(struct replay *p)
{
	int err = p->started ? 0
			     : start_build(&p->start, &p->host, &p->start_pages, p->reader,
					   p->classes, p->nr_classes);

	p->started = !err;
	return err;
}

static int open_plugin(struct replay *p, struct run *run, const char *file, char *error)
{
	char why[512] = "";
	int err;

	run->plugin = calloc(1, sizeof(*run->plugin));
	if (!run->plugin)
		return -ENOMEM;
	err = plugin_load(run->plugin, file, why);
	if (err) {
		snprintf(error, 512, "cannot load backend '%.100s': %.380s", file, why);
		return err;
	}
	snprintf(run->name, sizeof(run->name), "%s", run->plugin->backend->name);
	err = build_start(p);
	return err ? err : plugin_start(run->plugin, &p->host, &p->start, error);
}

static bool same_marks(const struct rmm_config *a, const struct rmm_config *b)
{
	return a->min_free_kbytes == b->min_free_kbytes &&
	       a->watermark_scale_factor == b->watermark_scale_factor &&
	       a->watermark_boost_factor == b->watermark_boost_factor;
}

static int set_knobs(struct run *run, const struct replay_policy *policy, char *error)
{
	struct reference *f = run->reference;
	const struct rmm_config own = f->config;
	struct knob_config config = {.pages = &f->config};
	int err = 0;

	config.slabs = &f->slab_knobs;
	for (unsigned int i = 0; i < policy->nr_settings && !err; i++)
		err = knob_set(&config, policy->settings[i], run->settings, error);
	f->move_tries = config.compact_seed;
	f->models_reclaim =
		config.reclaim == KNOB_RECLAIM_MODEL ||
		(config.reclaim == KNOB_RECLAIM_BY_NEED && !same_marks(&own, &f->config));
	return err;
}

static int load_cache(struct replay *p, struct reference *f)
{
	int err = p->fates.start_kept ? 0 : fates_read(&p->fates, &p->start, p->reader);

	return err ? err : reference_load_cache(f, &p->fates, &p->start_pages, p->reader);
}

static int open_reference(struct replay *p, struct run *run, const struct replay_policy *policy,
			  char *error)
{
	int err;

	run->reference = calloc(1, sizeof(*run->reference));
	if (!run->reference)
		return -ENOMEM;
	err = build_start(p);
	if (err)
		return err;
	err = reference_configure(run->reference, &p->host, &p->start, p->reader);
	if (!err)
		err = set_knobs(run, policy, error);
	if (err)
		return err;
	err = reference_start(run->reference, &p->start, &p->host, error);
	if (!err && run->reference->models_reclaim)
		err = load_cache(p, run->reference);
	/* As recorded, only the trace can be at fault. */
	return err == -EINVAL && !policy->nr_settings ? -EBADMSG : err;
}

static int open_run(struct replay *p, const struct replay_policy *policy, char *error)
{
	struct run *run = &p->runs[p->nr_runs++];
	int err = run_init(run, policy->name, &p->host, p->samples);

	if (err)
		return err;
	if (!policy->backend && !strcmp(policy->name, "observed") && !policy->nr_settings)
		return open_observed(p, run);
	err = policy->backend ? open_plugin(p, run, policy->backend, error)
			      : open_reference(p, run, policy, error);
	if (err)
		return err;
	run->timer = call_timer_new(p->first_ns, p->last_ns);
	(run->plugin ? &run->plugin->requests : &run->reference->requests)->timer = run->timer;
	return run->timer ? 0 : -ENOMEM;
}

/* With a run's settings of the slab layer */
static int open_own_slabs(struct replay *p, struct run *run)
{
	run->slabs = calloc(1, sizeof(*run->slabs));
	if (!run->slabs)
		return -ENOMEM;
	run->slabs->knobs = run->reference->slab_knobs;
	run->slabs->plain = p->slabs;
	return slabs_new(run->slabs, &p->host, p->reader, p->classes, p->nr_classes);
}

static int open_all_own_slabs(struct replay *p)
{
	static const struct slabs_knobs none;
	int err = 0;

	for (unsigned int i = 0; i < p->nr_runs && !err; i++)
		if (p->runs[i].reference &&
		    memcmp(&p->runs[i].reference->slab_knobs, &none, sizeof(none)) != 0)
			err = open_own_slabs(p, &p->runs[i]);
	return err;
}

/* Slab objects are replayed once as on the host, and for each run that has settings
 * of the slab layer. */
static int open_slabs(struct replay *p)
{
	bool wanted = false;
	int err;

	for (unsigned int i = 0; i < p->nr_runs; i++)
		wanted |= p->runs[i].reference != NULL;
	if (!wanted)
		return 0;
	p->slabs = calloc(1, sizeof(*p->slabs));
	if (!p->slabs)
		return -ENOMEM;
	log_progress("replay: looking ahead for slab objects");
	err = slabs_new(p->slabs, &p->host, p->reader, p->classes, p->nr_classes);
	if (!err)
		return open_all_own_slabs(p);
	free(p->slabs);
	p->slabs = NULL;
	return err == -ENOENT ? 0 : err;
}

static bool is_control(const struct replay_policy *policy)
{
	return policy->nr_settings == 1 && !strcmp(policy->settings[0], "reclaim=model");
}

/* What runs that model reclaim are held against */
static int find_control(struct replay *p, const struct replay_policy *policies, unsigned int n,
			char *error)
{
	static const struct replay_policy own = {
		.name = KNOB_CONTROL_RUN, .settings = {"reclaim=model"}, .nr_settings = 1};
	bool wanted = false;
	int err;

	for (unsigned int i = 0; i < n; i++) {
		wanted |= p->runs[i].reference && p->runs[i].reference->models_reclaim;
		if (!p->control && is_control(&policies[i]))
			p->control = &p->runs[i];
	}
	if (!wanted || p->control)
		return 0;
	err = open_run(p, &own, error);
	p->control = &p->runs[p->nr_runs - 1];
	return err;
}

/* Which path served each request of the kernel, by what the observed run sees */
static int open_paths(struct replay *p)
{
	int err = paths_init(&p->paths, &p->host, p->classes, p->nr_classes,
			     p->started ? p->start.t_ns : 0, p->reader);

	if (!err)
		err = call_paths_init(&p->call_paths, json_object_get(p->latency, "samples"),
				      p->host.cpus);
	p->paths.calls = &p->call_paths;
	p->observed->observed->paths = &p->paths;
	return err;
}

int replay_open(struct replay *p, struct trace_reader *r, const struct replay_policy *policies,
		unsigned int n, char *error)
{
	int err;

	memset(p, 0, sizeof(*p));
	p->reader = r;
	error[0] = '\0';
	err = load_trace(p, error);
	if (err)
		return err;
	set_samples(p);
	/* The recorder's histograms of the time inside the allocation functions, and calls of it */
	p->latency = trace_reader_json(r, "latency", KMT_PHASE_END);
	for (unsigned int i = 0; i < n && !err; i++)
		err = open_run(p, &policies[i], error);
	if (!err && p->observed)
		err = open_paths(p);
	if (!err)
		err = find_control(p, policies, n, error);
	if (!err)
		err = blockmap_init(&p->map, &p->host);
	if (!err)
		err = areas_init(&p->areas, &p->host, p->classes, p->nr_classes);
	if (!err && p->started)
		err = areas_read(&p->areas, p->reader);
	if (!err)
		err = open_slabs(p);
	if (err)
		return err;
	p->objects = objects_new(p->classes, p->nr_classes, p->samples);
	return p->objects ? 0 : -ENOMEM;
}

void replay_close(struct replay *p)
{
	for (unsigned int i = 0; i < p->nr_runs; i++)
		run_destroy(&p->runs[i]);
	start_destroy(&p->start);
	fates_destroy(&p->fates);
	scout_destroy(&p->scout);
	paths_destroy(&p->paths);
	call_paths_destroy(&p->call_paths);
	json_decref(p->latency);
	objects_free(p->objects);
	areas_destroy(&p->areas);
	if (p->slabs)
		slabs_destroy(p->slabs);
	free(p->slabs);
	blockmap_destroy(&p->map);
	kernel_samples_destroy(&p->kernel);
	snapshot_destroy(&p->start_pages);
	snapshot_destroy(&p->end_pages);
	free(p->classes);
	host_destroy(&p->host);
	memset(p, 0, sizeof(*p));
}
