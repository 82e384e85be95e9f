// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * kernel.c - the programs behind `kmemlab top`. Links and maps live as long as
 * this process's file descriptors: whatever happens to it, nothing stays attached.
 */
#include "top/kernel.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "record/cost.h"
#include "record/record.h"
#include "record/refusal.h"
#include "top.skel.h"

enum {
	PROGRAMS_MAX = 32,
	BUCKETS_MIN = 1 << 16, /* of lives: 8 MiB, a quarter of a million */
	BUCKETS_MAX = 1 << 19,
	BURSTS = 200, /* own allocations, to see what a run takes */
	BURST_BYTES = 64 * 4096,
	FEW_SHIFT = 6, /* with one in 64 or fewer, BUCKETS_MIN is enough */
};

struct top_kernel {
	struct top *skel;
	unsigned char *base; /* of the map `cpus` */
	size_t bytes;
	unsigned int cpus;
	const char *missing[PROGRAMS_MAX];
	size_t n_missing;
};

static uint32_t buckets_for(unsigned int sample_shift)
{
	uint32_t n = BUCKETS_MIN;

	for (; sample_shift < FEW_SHIFT && n < BUCKETS_MAX; sample_shift++)
		n *= 2;
	return n;
}

static int configure(struct top_kernel *k, unsigned int sample_shift)
{
	struct kernel_bases bases = {0};
	char why[256];
	uint32_t buckets = buckets_for(sample_shift);
	int err = calibrate(&bases, why);

	/* Without the bases kmalloc's caches have no names: no reason to give up. */
	if (err && err != -ENOTSUP)
		return err;
	k->skel->rodata->vmemmap_base = bases.vmemmap;
	k->skel->rodata->page_offset_base = err ? UINT64_MAX : bases.page_offset;
	k->skel->rodata->page_struct_bytes = bases.page_struct_bytes;
	k->skel->rodata->sample_mask = (1u << sample_shift) - 1;
	k->skel->rodata->buckets = buckets;
	k->skel->rodata->possible_cpus = k->cpus;
	err = bpf_map__set_max_entries(k->skel->maps.lives, buckets);
	return err ? err : bpf_map__set_max_entries(k->skel->maps.cpus, k->cpus);
}

static int map_cpus(struct top_kernel *k)
{
	void *m;

	k->bytes = sizeof(struct kml_top_cpu) * k->cpus;
	m = mmap(NULL, k->bytes, PROT_READ, MAP_SHARED, bpf_map__fd(k->skel->maps.cpus), 0);
	if (m == MAP_FAILED)
		return -errno;
	k->base = m;
	return 0;
}

struct top_kernel *top_kernel_open(unsigned int sample_shift, char *error)
{
	struct top_kernel *k = calloc(1, sizeof(*k));
	int err;

	if (!k) {
		snprintf(error, 256, "cannot start: no memory");
		return NULL;
	}
	refusal_keep();
	k->cpus = (unsigned int)libbpf_num_possible_cpus();
	k->skel = top__open();
	err = k->skel ? configure(k, sample_shift) : -errno;
	if (!err)
		err = top__load(k->skel);
	if (!err)
		err = map_cpus(k);
	if (!err)
		return k;
	snprintf(error, 256, "cannot load the BPF programs: %s", refusal_words(err));
	top_kernel_close(k);
	errno = -err;
	return NULL;
}

/* The tracepoint that @prog is for. */
static const char *tracepoint(const struct bpf_program *prog)
{
	const char *section = bpf_program__section_name(prog), *slash = strchr(section, '/');

	return slash ? slash + 1 : section;
}

int top_kernel_attach(struct top_kernel *k, char *error)
{
	const struct bpf_object_skeleton *s = k->skel->skeleton;
	int err = -ENOENT;

	for (int i = 0; i < s->prog_cnt; i++) {
		const struct bpf_program *prog = *s->progs[i].prog;

		*s->progs[i].link = bpf_program__attach(prog);
		if (*s->progs[i].link)
			continue;
		err = -errno;
		if (k->n_missing < PROGRAMS_MAX)
			k->missing[k->n_missing++] = tracepoint(prog);
	}
	/* Old kernels lack tracepoints of stalls; what is counted must be there. */
	if (k->skel->links.top_page_alloc && k->skel->links.top_page_free &&
	    k->skel->links.top_kmalloc && k->skel->links.top_kfree &&
	    k->skel->links.top_cache_alloc && k->skel->links.top_cache_free)
		return 0;
	snprintf(error, 256, "cannot attach to kmem:%s: %s", k->missing[0], strerror(-err));
	return err;
}

void top_kernel_close(struct top_kernel *k)
{
	if (!k)
		return;
	if (k->base)
		munmap(k->base, k->bytes);
	top__destroy(k->skel);
	free(k);
}

size_t top_kernel_bytes(const struct top_kernel *k)
{
	return k->bytes + (size_t)k->skel->rodata->buckets * sizeof(struct kml_top_bucket);
}

unsigned int top_kernel_cpus(const struct top_kernel *k)
{
	return k->cpus;
}

const struct kml_top_cpu *top_kernel_cpu(const struct top_kernel *k, unsigned int cpu)
{
	return (const struct kml_top_cpu *)(k->base + cpu * sizeof(struct kml_top_cpu));
}

const char *top_kernel_missing(const struct top_kernel *k, size_t i)
{
	return i < k->n_missing ? k->missing[i] : NULL;
}

/* ---- Totals --------------------------------------------------------------- */

static void add_pages(const struct kml_top_cpu *c, struct top_totals *t)
{
	for (uint32_t i = 0; i < KML_TOP_PAGE_SLOTS; i++) {
		t->page_allocs += c->slot[KML_TOP_PAGE_BASE + i].events;
		t->pages += c->slot[KML_TOP_PAGE_BASE + i].given >> 12;
	}
	t->pages_failed += c->state[KML_TOP_PAGES].failed;
	for (unsigned int o = 0; o < KML_TOP_ORDERS; o++) {
		t->page_frees += c->page_free[o];
		t->pages_freed += c->page_free[o] << o;
		t->freed_by_order[o] += c->page_free[o];
	}
}

/* By commands, of which there are fewer than sources; either adds up to all. */
static void add_objects(const struct kml_top_cpu *c, struct top_totals *t)
{
	const struct kml_top_state *kmalloc = &c->state[KML_TOP_KMALLOC];

	for (uint32_t i = KML_TOP_KMALLOC * KML_TOP_COMMANDS; i < KML_TOP_PAGE_BASE; i++) {
		t->objects += c->slot[i].events;
		t->bytes_req += c->slot[i].req;
		t->bytes_alloc += c->slot[i].given;
	}
	t->objects_freed += c->kfree + c->cache_free;
	t->objects_failed += kmalloc->failed + c->state[KML_TOP_CACHE].failed;
	t->twice += kmalloc->twice;
	t->other += c->slot[KML_TOP_KMALLOC_BASE].events + c->slot[KML_TOP_CACHE_BASE].events;
	for (unsigned int i = 0; i < KML_TOP_TABLES; i++)
		t->other += c->slot[i * KML_TOP_COMMANDS].events;
}

void top_kernel_totals(const struct top_kernel *k, struct top_totals *out)
{
	*out = (struct top_totals){0};
	for (unsigned int i = 0; i < k->cpus; i++) {
		const struct kml_top_cpu *c = top_kernel_cpu(k, i);

		add_pages(c, out);
		add_objects(c, out);
		out->untracked += c->untracked;
		out->replaced += c->replaced;
		out->runs += c->kfree_null;
	}
	out->runs += out->page_allocs + out->page_frees + out->objects + out->objects_freed +
		     out->twice + out->pages_failed + out->objects_failed;
}

/* ---- Programs ------------------------------------------------------------- */

struct run_sum {
	uint64_t ns, runs, missed;
};

static struct run_sum runs_of(const struct top_kernel *k)
{
	const struct bpf_object_skeleton *s = k->skel->skeleton;
	struct run_sum sum = {0};

	for (int i = 0; i < s->prog_cnt; i++) {
		struct bpf_prog_info info = {0};
		uint32_t size = sizeof(info);

		if (bpf_obj_get_info_by_fd(bpf_program__fd(*s->progs[i].prog), &info, &size))
			continue;
		sum.ns += info.run_time_ns;
		sum.runs += info.run_cnt;
		sum.missed += info.recursion_misses;
	}
	return sum;
}

uint64_t top_kernel_lost(const struct top_kernel *k)
{
	return runs_of(k).missed;
}

/* Some pages, and a file with the objects that it takes. */
static void allocate(void)
{
	char *m =
		mmap(NULL, BURST_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
	if (m == MAP_FAILED)
		return;
	madvise(m, BURST_BYTES, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < BURST_BYTES; i += 4096)
		m[i] = 1;
	munmap(m, BURST_BYTES);
}

double top_kernel_run_ns(const struct top_kernel *k)
{
	struct run_sum sum;
	struct cost c;

	cost_begin(&c);
	cost_measure_programs(&c, 1);
	if (c.stats_fd < 0)
		return 0;
	for (int i = 0; i < BURSTS; i++)
		allocate();
	sum = runs_of(k);
	cost_programs(&c, sum.ns, sum.runs);
	cost_measure_programs(&c, 0);
	return c.run_ns;
}

/* ---- Stalls --------------------------------------------------------------- */

void top_kernel_stalls(const struct top_kernel *k, struct top_stall_sum *out)
{
	for (unsigned int i = 0; i < KML_TOP_STALL_KINDS; i++)
		out[i] = (struct top_stall_sum){k->skel->bss->stall_events[i],
						k->skel->bss->stall_ns[i]};
}

bool top_kernel_stall(const struct top_kernel *k, uint64_t *next, uint64_t *missed,
		      struct kml_top_stall *out)
{
	uint64_t written = __atomic_load_n(&k->skel->bss->stalls, __ATOMIC_RELAXED);
	const volatile struct kml_top_stall *s;

	if (written >= KML_TOP_STALLS && *next + KML_TOP_STALLS <= written) {
		*missed += written - KML_TOP_STALLS + 1 - *next;
		*next = written - KML_TOP_STALLS + 1;
	}
	for (; *next <= written; *next += 1, *missed += 1) {
		s = (const void *)&k->skel->bss->stall[(*next - 1) % KML_TOP_STALLS];
		if (s->seq == 0 || s->seq < *next)
			return false; /* being written */
		memcpy(out, (const void *)s, sizeof(*out));
		if (s->seq != *next)
			continue; /* overwritten meanwhile */
		*next += 1;
		return true;
	}
	return false;
}
