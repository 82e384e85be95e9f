// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * probes.c - load and attach the recording programs, map their rings.
 *
 * What raw tracepoints show is here; what only functions show is in hooks.c: many
 * kernels refuse that, which costs what it would have shown, nothing else.
 *
 * The links are held by file descriptors alone: whatever happens to this
 * process, nothing stays attached.
 */
#include "record.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <trace/kinds.h>
#include <unistd.h>

#include <kmemlab/filter.h>

#include "hooks.h"
#include "probe_table.h"
#include "record.skel.h"
#include "refusal.h"

enum {
	KERNEL_ENOTSUPP = 524, /* the kernel's own, for which strerror() has no word */
};

struct probes {
	struct record *skel;
	struct function_hooks *hooks;
	unsigned int families;
	struct rings rings;
	struct {
		const struct probe *by; /* NULL: not attached */
		struct bpf_link *link;	/* of its tracepoint */
		const struct function_hook *hook;
		int error;	  /* -errno of what was tried, 0: nothing was */
		bool by_function; /* it was a function's program */
	} kind[KMT_KINDS];
};

static struct bpf_program *program(const struct probes *p, const struct probe *probe)
{
	return bpf_object__find_program_by_name(p->skel->obj, probe->program);
}

static bool wanted(const struct probes *p, const struct probe *probe)
{
	return kind_info(probe->kind)->family & p->families;
}

/* ---- Loading ----------------------------------------------------------- */

static void select_programs(struct probes *p)
{
	for (size_t i = 0; i < probe_table_n; i++)
		if (!probe_table[i].functions)
			bpf_program__set_autoload(program(p, &probe_table[i]),
						  wanted(p, &probe_table[i]));
}

/* What filters and stacks need of memory is one element each where there are none. */
static int size_maps(const struct probes *p)
{
	bool filtered = p->skel->rodata->filter.on, stacks = p->skel->rodata->take_stacks;
	int err =
		bpf_map__set_max_entries(p->skel->maps.filter_states, filtered ? p->rings.cpus : 1);

	err = err ? err
		  : bpf_map__set_max_entries(p->skel->maps.owned, filtered ? KML_OWNED_BUCKETS : 1);
	return err ? err
		   : bpf_map__set_max_entries(p->skel->maps.stack_states,
					      stacks ? p->rings.cpus : 1);
}

static int configure(struct probes *p, const struct probes_setup *setup)
{
	const struct kernel_bases *bases = setup->bases;
	struct bpf_map *map = p->skel->maps.rings;
	int err;

	p->rings.stride = sizeof(struct kml_ring) + setup->ring_bytes;
	p->rings.cell_bytes = setup->ring_bytes;
	p->skel->rodata->possible_cpus = p->rings.cpus;
	p->skel->rodata->filter = *setup->filter;
	p->skel->rodata->vmemmap_base = bases->vmemmap;
	p->skel->rodata->page_offset_base = bases->page_offset;
	p->skel->rodata->page_struct_bytes = bases->page_struct_bytes;
	p->skel->rodata->context = bases->context;
	p->skel->rodata->take_stacks = setup->families & FAMILY_STACKS ? 1 : 0;
	p->skel->rodata->ring_shape = (struct kml_shape){
		.mask = setup->ring_bytes - KML_CELL_BYTES,
		.shift = (uint32_t)__builtin_ctzll(setup->ring_bytes),
		.select = setup->filter->on || setup->filter->sampling ||
			  setup->families & FAMILY_STACKS,
	};
	select_programs(p);
	err = size_maps(p);
	if (err)
		return err;
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
	for (unsigned int cpu = 0; cpu < p->rings.cpus; cpu++)
		ring_of(&p->rings, cpu)->limit = ring_limit(&p->rings, 0);
	return 0;
}

struct probes *probes_load(const struct probes_setup *setup, char *error)
{
	struct probes *p = calloc(1, sizeof(*p));
	int err = -ENOMEM;

	if (!p)
		return NULL;
	p->families = setup->families;
	p->rings.cpus = (unsigned int)libbpf_num_possible_cpus();
	p->skel = record__open();
	if (p->skel)
		err = configure(p, setup);
	if (!err)
		err = record__load(p->skel);
	if (!err)
		err = map_rings(p);
	if (!err)
		p->hooks = hooks_load(p->skel, setup->families, setup->way);
	if (p->hooks)
		return p;
	err = err ? err : -ENOMEM;
	/* Whoever may not load programs was stopped by calibrate(). */
	snprintf(error, 256, "cannot load the BPF programs: %s",
		 err == -ENOMEM ? "no memory for the rings; try a smaller --ring-size"
				: refusal_words(err));
	err = err == -EACCES ? -ENOTSUP : err;
	probes_free(p);
	errno = -err;
	return NULL;
}

/* ---- Attaching --------------------------------------------------------- */

/* Make the kernel allocate a vmalloc area: where these begin is known from one. */
static void provoke_area(void)
{
	static const struct bpf_insn return_0[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "kmemlab", "GPL", return_0,
			       sizeof(return_0) / sizeof(return_0[0]), NULL);

	if (fd >= 0)
		close(fd);
}

/* Is what @probe shows shown already, by itself or by a better one? */
static bool covered(const struct probes *p, const struct probe *probe)
{
	return p->kind[probe->kind].by || (probe->unless && p->kind[probe->unless].by);
}

static int attach(struct probes *p, size_t i)
{
	const struct probe *probe = &probe_table[i];
	int err = 0;

	if (probe->functions) {
		err = hooks_attach(p->hooks, i, &p->kind[probe->kind].hook);
	} else {
		p->kind[probe->kind].link = bpf_program__attach(program(p, probe));
		err = p->kind[probe->kind].link ? 0 : -errno;
	}
	if (err)
		return err;
	p->kind[probe->kind].by = probe;
	if (probe->second)
		p->kind[probe->second].by = probe;
	return 0;
}

int probes_attach(struct probes *p, char *error)
{
	unsigned int attached = 0;
	int err, first = 0;

	for (size_t i = 0; i < probe_table_n; i++) {
		const struct probe *probe = &probe_table[i];

		if (!wanted(p, probe) || covered(p, probe))
			continue;
		err = attach(p, i);
		attached += !err;
		first = first ? first : err;
		/* Of two ways, the one that the kernel has tells why. */
		if (!p->kind[probe->kind].error || err != -ENOENT) {
			p->kind[probe->kind].error = err;
			p->kind[probe->kind].by_function = probe->functions != NULL;
		}
		if (probe->second)
			p->kind[probe->second].error = err;
	}
	if (!attached) {
		snprintf(error, 256, "cannot attach to any tracepoint of the chosen probes: %s",
			 strerror(-first));
		return first ? first : -ENOENT;
	}
	if (probes_attached(p, KMT_VMALLOC_ALLOC))
		provoke_area();
	/* Without it a task keeps the name it had before exec. */
	p->skel->links.task_rename = bpf_program__attach(p->skel->progs.task_rename);
	return 0;
}

void probes_detach(struct probes *p)
{
	for (int k = 0; k < KMT_KINDS; k++) {
		bpf_link__destroy(p->kind[k].link);
		p->kind[k].link = NULL;
	}
	hooks_detach(p->hooks);
	record__detach(p->skel);
}

void probes_free(struct probes *p)
{
	if (!p)
		return;
	if (p->rings.base)
		munmap(p->rings.base, p->rings.stride * p->rings.cpus);
	if (p->skel)
		probes_detach(p);
	hooks_free(p->hooks);
	record__destroy(p->skel);
	free(p);
}

/* ---- What came of it --------------------------------------------------- */

const struct rings *probes_rings(const struct probes *p)
{
	return &p->rings;
}

unsigned int probes_families(const struct probes *p)
{
	return p->families;
}

bool probes_attached(const struct probes *p, unsigned int kind)
{
	return p->kind[kind].by != NULL;
}

const char *probes_how(const struct probes *p, unsigned int kind)
{
	const struct probe *by = p->kind[kind].by;

	if (!by)
		return NULL;
	return by->functions ? p->kind[by->kind].hook->how : "raw_tp";
}

const char *probes_where(const struct probes *p, unsigned int kind)
{
	const struct probe *by = p->kind[kind].by;

	return by && by->functions ? p->kind[by->kind].hook->function : NULL;
}

const char *probes_why_missing(const struct probes *p, unsigned int kind)
{
	int err = p->kind[kind].error;
	const char *why;

	if (p->kind[kind].by || !err)
		return NULL;
	why = p->kind[kind].by_function ? hooks_why(p->hooks, err) : NULL;
	if (why)
		return why;
	return err == -ENOENT		 ? "this kernel does not have it"
	       : err == -KERNEL_ENOTSUPP ? "not supported by this kernel"
					 : strerror(-err);
}

bool probes_is_hook(const struct probes *p, unsigned int kind)
{
	bool hook = false;

	(void)p;
	for (size_t i = 0; i < probe_table_n; i++) {
		const struct probe *probe = &probe_table[i];

		if (probe->kind != kind && (!probe->second || probe->second != kind))
			continue;
		if (!probe->functions)
			return false;
		hook = true;
	}
	return hook;
}

const struct probe_hole *probes_hole(const struct probes *p, size_t i)
{
	static const struct probe_hole holes[] = {
		{KMT_BULK_PAGE, "alloc_pages_bulk",
		 "pages of vmalloc and page pools are seen only when freed; those of kernel "
		 "stacks at the new task's start"},
		{KMT_PAGE_SPLIT, "split_page, split huge pages", "seen when the parts are freed"},
		{KMT_MIGRATE_FROM, "migration", "targets are seen only where a process maps them"},
		{KMT_PAGE_ISOLATE, "compaction's free pages", "they leave the buddy lists unseen"},
		{KMT_CONTIG_ALLOC, "alloc_contig_range", "seen only when freed"},
		{KMT_CACHE_BULK_ALLOC, "kmem_cache_alloc_bulk", "such objects appear unseen"},
		{KMT_CACHE_BULK_FREE, "kmem_cache_free_bulk, kfree_rcu",
		 "such objects vanish unseen"},
		{KMT_CACHE_CREATE, "kmem_cache_create", "caches are seen at their first object"},
		{KMT_CACHE_DESTROY, "kmem_cache_destroy", "caches vanish unseen"},
	};

	(void)p;
	return i < sizeof(holes) / sizeof(holes[0]) ? &holes[i] : NULL;
}

/* What the kernel tells of @kind's program, told once for a program of two kinds. */
static bool program_info(const struct probes *p, unsigned int kind, struct bpf_prog_info *info)
{
	const struct probe *by = p->kind[kind].by;
	const struct bpf_program *prog;
	uint32_t size = sizeof(*info);

	*info = (struct bpf_prog_info){0};
	if (!by || by->kind != kind)
		return false;
	prog = by->functions ? p->kind[kind].hook->program : program(p, by);
	return !bpf_obj_get_info_by_fd(bpf_program__fd(prog), info, &size);
}

uint64_t probes_recursion(const struct probes *p, unsigned int kind)
{
	struct bpf_prog_info info;

	return program_info(p, kind, &info) ? info.recursion_misses : 0;
}

void probes_stacks(const struct probes *p, uint64_t *taken, uint64_t *failed)
{
	struct kml_stack_state *state = NULL;

	*taken = *failed = 0;
	if (p->skel->rodata->take_stacks)
		state = malloc(sizeof(*state));
	for (uint32_t cpu = 0; state && cpu < p->rings.cpus; cpu++) {
		if (bpf_map__lookup_elem(p->skel->maps.stack_states, &cpu, sizeof(cpu), state,
					 sizeof(*state), 0))
			continue;
		*taken += state->taken;
		*failed += state->failed;
	}
	free(state);
}

uint64_t probes_missed_calls(const struct probes *p)
{
	return hooks_missed_calls(p->hooks);
}

uint64_t probes_untracked(const struct probes *p)
{
	struct kml_filter_state *state;
	uint64_t n = 0;

	if (!p->skel->rodata->filter.on)
		return 0;
	state = malloc(sizeof(*state));
	for (uint32_t cpu = 0; state && cpu < p->rings.cpus; cpu++)
		if (!bpf_map__lookup_elem(p->skel->maps.filter_states, &cpu, sizeof(cpu), state,
					  sizeof(*state), 0))
			n += state->untracked;
	free(state);
	return n;
}

void probes_runs(const struct probes *p, uint64_t *ns, uint64_t *runs)
{
	struct bpf_prog_info info;

	*ns = *runs = 0;
	for (unsigned int kind = 0; kind < KMT_KINDS; kind++) {
		if (!program_info(p, kind, &info))
			continue;
		*ns += info.run_time_ns;
		*runs += info.run_cnt;
	}
}
