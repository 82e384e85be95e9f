// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * probes.c - load and attach the recording programs, map their rings.
 *
 * The links are held by file descriptors alone: whatever happens to this
 * process, nothing stays attached.
 */
#include "record.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "record.skel.h"

struct probes {
	struct record *skel;
	struct rings rings;
	int attach_error[KML_PROBE_KINDS];
};

static struct bpf_program *program(const struct probes *p, enum kml_kind kind)
{
	struct bpf_program *const programs[KML_PROBE_KINDS] = {
		[KML_PAGE_ALLOC] = p->skel->progs.page_alloc,
		[KML_PAGE_FREE] = p->skel->progs.page_free,
		[KML_ZONE_LOCKED] = p->skel->progs.zone_locked,
		[KML_EXTFRAG] = p->skel->progs.extfrag,
		[KML_PCPU_DRAIN] = p->skel->progs.pcpu_drain,
		[KML_KMALLOC] = p->skel->progs.kmalloc,
		[KML_KFREE] = p->skel->progs.kfree,
		[KML_CACHE_ALLOC] = p->skel->progs.cache_alloc,
		[KML_CACHE_FREE] = p->skel->progs.cache_free,
		[KML_STACK_PAGE] = p->skel->progs.stack_pages,
	};

	return programs[kind];
}

static int configure(struct probes *p, const struct kernel_bases *bases, uint64_t ring_bytes)
{
	struct bpf_map *map = p->skel->maps.rings;
	int err;

	p->rings.stride = sizeof(struct kml_ring) + ring_bytes;
	p->rings.cell_bytes = ring_bytes;
	p->skel->rodata->ring_bytes = ring_bytes;
	p->skel->rodata->ring_shift = (uint32_t)__builtin_ctzll(ring_bytes);
	p->skel->rodata->vmemmap_base = bases->vmemmap;
	p->skel->rodata->page_offset_base = bases->page_offset;
	p->skel->rodata->page_struct_bytes = bases->page_struct_bytes;
	err = bpf_map__set_value_size(map, (uint32_t)p->rings.stride);
	return err ? err : bpf_map__set_max_entries(map, p->rings.cpus);
}

static int map_rings(struct probes *p)
{
	void *m = mmap(NULL, p->rings.stride * p->rings.cpus, PROT_READ | PROT_WRITE, MAP_SHARED,
		       bpf_map__fd(p->skel->maps.rings), 0);

	if (m == MAP_FAILED)
		return -errno;
	p->rings.base = m;
	return 0;
}

struct probes *probes_load(const struct kernel_bases *bases, uint64_t ring_bytes, char *error)
{
	struct probes *p = calloc(1, sizeof(*p));
	int err = -ENOMEM;

	if (!p)
		return NULL;
	p->rings.cpus = (unsigned int)libbpf_num_possible_cpus();
	p->skel = record__open();
	if (p->skel)
		err = configure(p, bases, ring_bytes);
	if (!err)
		err = record__load(p->skel);
	if (!err)
		err = map_rings(p);
	if (!err)
		return p;
	/* Whoever may not load programs was stopped by calibrate(). */
	snprintf(error, 256, "cannot load the BPF programs: %s",
		 err == -EACCES	  ? "this kernel's verifier refuses them"
		 : err == -ENOMEM ? "no memory for the rings; try a smaller --ring-size"
				  : strerror(-err));
	err = err == -EACCES ? -ENOTSUP : err;
	probes_free(p);
	errno = -err;
	return NULL;
}

static int attach(struct bpf_program *program_, struct bpf_link **link)
{
	*link = bpf_program__attach(program_);
	return *link ? 0 : -errno;
}

int probes_attach(struct probes *p, char *error)
{
	struct record *s = p->skel;
	struct bpf_link **links[KML_PROBE_KINDS] = {
		[KML_PAGE_ALLOC] = &s->links.page_alloc,
		[KML_PAGE_FREE] = &s->links.page_free,
		[KML_ZONE_LOCKED] = &s->links.zone_locked,
		[KML_EXTFRAG] = &s->links.extfrag,
		[KML_PCPU_DRAIN] = &s->links.pcpu_drain,
		[KML_KMALLOC] = &s->links.kmalloc,
		[KML_KFREE] = &s->links.kfree,
		[KML_CACHE_ALLOC] = &s->links.cache_alloc,
		[KML_CACHE_FREE] = &s->links.cache_free,
		[KML_STACK_PAGE] = &s->links.stack_pages,
	};
	unsigned int attached = 0;

	for (int k = 0; k < KML_PROBE_KINDS; k++) {
		p->attach_error[k] = attach(program(p, k), links[k]);
		attached += !p->attach_error[k];
	}
	if (!attached) {
		int err = p->attach_error[0];

		snprintf(error, 256, "cannot attach to kmem:mm_page_alloc: %s", strerror(-err));
		return err;
	}
	/* Without it a task keeps the name it had before exec. */
	attach(s->progs.task_rename, &s->links.task_rename);
	return 0;
}

void probes_detach(struct probes *p)
{
	record__detach(p->skel);
}

void probes_free(struct probes *p)
{
	if (!p)
		return;
	if (p->rings.base)
		munmap(p->rings.base, p->rings.stride * p->rings.cpus);
	record__destroy(p->skel);
	free(p);
}

const struct rings *probes_rings(const struct probes *p)
{
	return &p->rings;
}

const char *probes_why_missing(const struct probes *p, enum kml_kind kind)
{
	return p->attach_error[kind] ? strerror(-p->attach_error[kind]) : NULL;
}

uint64_t probes_recursion(const struct probes *p, enum kml_kind kind)
{
	struct bpf_prog_info info = {0};
	uint32_t size = sizeof(info);

	if (bpf_obj_get_info_by_fd(bpf_program__fd(program(p, kind)), &info, &size))
		return 0;
	return info.recursion_misses;
}
