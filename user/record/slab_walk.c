// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * slab_walk.c - run the programs of slab_walk.bpf.c, cache by cache, and write what they
 * found. A cache whose lists never stand still is left out whole.
 */
#include "slab_walk.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <kmemlab/slab_walk.h>

#include "files.h"
#include "record.h"
#include "run_prog.h"
#include "slab_walk.skel.h"

enum { TRIES = 50 };

/* ---- Where everything is --------------------------------------------------- */

/* Have the kernel allocate for us, per CPU and from a cache, while the programs watch. */
static int provoke(struct slab_walk *w)
{
	int fd = -1;

	w->bss->tgid = (uint32_t)getpid();
	w->links.see_cache = bpf_program__attach(w->progs.see_cache);
	w->links.see_percpu = bpf_program__attach(w->progs.see_percpu);
	if (w->links.see_cache && w->links.see_percpu)
		fd = bpf_map_create(BPF_MAP_TYPE_PERCPU_ARRAY, "kmemlab", 4, 8, 1, NULL);
	if (fd < 0)
		return -errno;
	slab_walk__detach(w);
	close(fd);
	return 0;
}

/* CPU 0's copies are the first; the others lie as far on as the run queues do. */
static void find_copies(struct slab_walk *w)
{
	struct kml_slab_walk *s = &w->bss->slabs;
	uint64_t first = 0;

	for (uint32_t cpu = 0; cpu < s->cpus && cpu < KML_SLAB_CPUS; cpu++) {
		s->rq = 0;
		/* An offline CPU holds no slabs. */
		if (run_prog_on(w->progs.read_rq, cpu) || !s->rq || !s->delta)
			continue;
		first = cpu ? first : s->rq;
		s->offset[cpu] = first ? s->delta + s->rq - first : 0;
	}
	s->per_cpu = first != 0;
}

/* The last node that there may be, as "0-3"; without nodes there is one. */
static uint32_t nodes(void)
{
	char *text = file_text("/sys/devices/system/node/possible", NULL);
	const char *last = text ? strrchr(text, '-') : NULL;
	uint32_t n = last ? (uint32_t)strtoul(last + 1, NULL, 10) + 1 : 1;

	free(text);
	return n < KML_SLAB_NODES ? n : KML_SLAB_NODES;
}

static int find(struct slab_walk *w)
{
	struct kml_slab_walk *s = &w->bss->slabs;
	int err;

	s->nodes = nodes();
	s->cpus = (uint32_t)libbpf_num_possible_cpus();
	err = run_prog_on(w->progs.find_caches, 0);
	if (!err && s->status == KML_SLABS_DONE)
		return 0;
	err = provoke(w);
	err = err ? err : run_prog_on(w->progs.find_caches, 0);
	if (!err && s->status != KML_SLABS_DONE)
		err = -ENOENT;
	if (!err && !s->per_cpu)
		find_copies(w);
	return err;
}

struct slab_walk *slab_walk_open(const struct kernel_bases *bases)
{
	struct slab_walk *w = slab_walk__open();
	int err;

	if (!w)
		return NULL;
	w->rodata->vmemmap_base = bases->vmemmap;
	w->rodata->page_struct_bytes = bases->page_struct_bytes;
	err = slab_walk__load(w);
	err = err ? err : find(w);
	if (!err)
		return w;
	slab_walk__destroy(w);
	errno = -err;
	return NULL;
}

void slab_walk_close(struct slab_walk *w)
{
	slab_walk__destroy(w);
}

const char *slab_walk_why(int err)
{
	switch (-err) {
	case ENOENT:
		return "the kernel's caches were not found";
	case E2BIG:
		return "there are more than 262144 slabs that are not full";
	default:
		return strerror(-err);
	}
}

/* ---- Reading ------------------------------------------------------------- */

/* Return: 1 read, 0 busy, -errno; -EAGAIN: what CPUs hold is not where it was sought */
static int read_cache(struct slab_walk *w, uint32_t cache)
{
	struct kml_slab_walk *s = &w->bss->slabs;

	s->cache = cache;
	for (int i = 0; i < TRIES; i++) {
		int err = run_prog_on(w->progs.read_cache, 0);

		if (err)
			return err;
		if (s->status == KML_SLABS_DONE)
			return 1;
		if (s->status == KML_SLABS_FULL)
			return -E2BIG;
		if (s->status == KML_SLABS_CPUS_BAD && i == TRIES - 1)
			return -EAGAIN;
	}
	return 0;
}

/* [pfn, free objects, node or CPU] */
static json_t *slabs_json(const struct kml_slab_one *slab, uint32_t n, uint16_t list)
{
	json_t *o = json_array();

	for (uint32_t i = 0; i < n; i++)
		if (slab[i].list == list)
			json_array_append_new(o, json_pack("[I, i, i]", (json_int_t)slab[i].pfn,
							   (int)slab[i].free, (int)slab[i].of));
	return o;
}

static json_t *cache_json(const struct kml_slab_walk *s, uint32_t first)
{
	const struct kml_slab_cache *c = &s->of[s->cache];
	const struct kml_slab_one *slab = &s->slab[first];
	uint32_t n = s->n - first;
	json_t *o = json_pack("{s:s, s:i, s:i, s:i, s:I, s:I, s:I, s:o}", "name", c->name, "size",
			      (int)c->size, "order", (int)(c->oo >> 16), "objects_per_slab",
			      (int)(c->oo & 0xffff), "slabs", (json_int_t)c->slabs, "objects",
			      (json_int_t)c->objects, "time_ns", (json_int_t)s->time_ns, "node",
			      slabs_json(slab, n, KML_SLAB_NODE));

	if (o && s->per_cpu) {
		json_object_set_new(o, "cpu", slabs_json(slab, n, KML_SLAB_CPU));
		json_object_set_new(o, "cpu_partial", slabs_json(slab, n, KML_SLAB_CPU_PARTIAL));
	}
	if (o && c->sheaves)
		json_object_set_new(o, "in_sheaves", json_integer((json_int_t)c->sheaved));
	return o;
}

static int read_all(struct slab_walk *w, json_t *caches, struct slab_walk_seen *seen)
{
	struct kml_slab_walk *s = &w->bss->slabs;
	int got = 0;

	*seen = (struct slab_walk_seen){.per_cpu = s->per_cpu};
	s->n = 0;
	for (uint32_t i = 0; i < s->caches && got >= 0; i++) {
		uint32_t first = s->n;

		got = read_cache(w, i);
		seen->caches += got == 1;
		seen->busy += got == 0;
		seen->sheaves |= got == 1 && s->of[i].sheaves;
		seen->sheaved += got == 1 ? s->of[i].sheaved : 0;
		if (got == 1 && json_array_append_new(caches, cache_json(s, first)))
			return -ENOMEM;
	}
	return got < 0 ? got : 0;
}

int slab_walk_record(struct slab_walk *w, struct trace_writer *to, uint16_t phase,
		     struct slab_walk_seen *seen)
{
	struct kml_slab_walk *s = &w->bss->slabs;
	uint64_t first = boottime_ns();
	json_t *caches = json_array(), *doc = json_pack("{s:o}", "caches", caches);
	uint32_t per_cpu = s->per_cpu;
	int err = run_prog_on(w->progs.find_caches, 0); /* they come and go */

	s->per_cpu |= per_cpu;
	if (!err && s->status != KML_SLABS_DONE)
		err = -EBUSY;
	if (!err)
		err = read_all(w, caches, seen);
	if (err == -EAGAIN) {
		s->per_cpu = 0;
		json_array_clear(caches);
		err = read_all(w, caches, seen);
	}
	json_object_set_new(doc, "time_ns",
			    json_pack("[I, I]", (json_int_t)first, (json_int_t)boottime_ns()));
	if (!err)
		err = record_json(to, phase, "kmemlab/slabs", doc);
	json_decref(doc);
	return err;
}
