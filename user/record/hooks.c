// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * hooks.c - load hooks.bpf.c, and kprobes.bpf.c where that is refused.
 *
 * Both have the same programs by name, and the same constants; they share the maps
 * of the recording's own object. kprobes are loaded when the first function wants
 * one: on most kernels that is never. An interpreter of BPF programs refuses fentry,
 * and of the kprobes those that call back: bpf_loop().
 */
#include "hooks.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <trace/kinds.h>

#include <kmemlab/filter.h>

#include "files.h"
#include "hooks.skel.h"
#include "kprobes.skel.h"
#include "probe_table.h"
#include "record.skel.h"

struct function_hooks {
	const struct record *record;
	struct btf *btf;
	unsigned int families;
	enum attach_way way;
	struct hooks *fentry;
	struct kprobes *kprobe;
	int fentry_error, kprobe_error; /* of loading */
	const char *obstacle;		/* for all functions, however hooked; NULL: none is known */
	uint64_t left_out;		/* of hooks that were detached */
	struct function_hook hook[PROBES_MAX]; /* by index in probe_table */
};

/* ---- Loading ----------------------------------------------------------- */

/* By name: the maps of an object that are the recording's too. */
static int share_maps(const struct function_hooks *h, struct bpf_object *to)
{
	struct bpf_map *map;
	int err = 0;

	bpf_object__for_each_map(map, to)
	{
		const struct bpf_map *from =
			bpf_map__is_internal(map)
				? NULL
				: bpf_object__find_map_by_name(h->record->obj, bpf_map__name(map));

		if (!from || err)
			continue;
		err = bpf_map__set_value_size(map, bpf_map__value_size(from));
		err = err ? err : bpf_map__set_max_entries(map, bpf_map__max_entries(from));
		err = err ? err : bpf_map__reuse_fd(map, bpf_map__fd(from));
	}
	return err;
}

/* Of the function that shows @kind here: how many parameters it has. */
static unsigned int parameters(const struct function_hooks *h, enum kmt_kind kind)
{
	for (size_t i = 0; i < probe_table_n; i++)
		if (probe_table[i].kind == kind)
			return probe_parameters(h->btf, h->hook[i].function);
	return 0;
}

/* The constants of either object, which have the same names but not the same type. */
#define SET_CONSTANTS(h, to)                                                                       \
	do {                                                                                       \
		const struct record__rodata *from_ = (h)->record->rodata;                          \
                                                                                                   \
		(to)->ring_shape = from_->ring_shape;                                              \
		(to)->vmemmap_base = from_->vmemmap_base;                                          \
		(to)->page_offset_base = from_->page_offset_base;                                  \
		(to)->page_struct_bytes = from_->page_struct_bytes;                                \
		(to)->filter = from_->filter;                                                      \
		(to)->take_stacks = from_->take_stacks;                                            \
		(to)->split_in_parts = probe_split_in_parts((h)->btf);                             \
		(to)->split_params = parameters(h, KMT_PAGE_SPLIT);                                \
		(to)->bulk_params = parameters(h, KMT_BULK_PAGE);                                  \
	} while (0)

/* Which functions this kernel has. Return: how many */
static unsigned int find_functions(struct function_hooks *h)
{
	unsigned int n = 0;

	for (size_t i = 0; i < probe_table_n; i++) {
		const struct probe *probe = &probe_table[i];

		if (probe->functions && kind_info(probe->kind)->family & h->families)
			h->hook[i].function = probe_function(h->btf, probe->functions);
		n += h->hook[i].function != NULL;
	}
	return n;
}

/* Aim each program at its function, or leave it out. */
static void aim(struct function_hooks *h, struct bpf_object *o, bool fentry)
{
	for (size_t i = 0; i < probe_table_n; i++) {
		struct bpf_program *prog =
			probe_table[i].functions
				? bpf_object__find_program_by_name(o, probe_table[i].program)
				: NULL;
		bool in = prog && h->hook[i].function;

		if (in && fentry)
			in = !bpf_program__set_attach_target(prog, 0, h->hook[i].function);
		if (prog)
			bpf_program__set_autoload(prog, in);
	}
}

static int load_fentry(struct function_hooks *h)
{
	int err;

	h->fentry = hooks__open();
	if (!h->fentry)
		return -errno;
	SET_CONSTANTS(h, h->fentry->rodata);
	aim(h, h->fentry->obj, true);
	err = share_maps(h, h->fentry->obj);
	return err ? err : hooks__load(h->fentry);
}

/* @looping: with those that call back */
static int try_kprobes(struct function_hooks *h, bool looping)
{
	int err;

	h->kprobe = kprobes__open();
	if (!h->kprobe)
		return -errno;
	SET_CONSTANTS(h, h->kprobe->rodata);
	aim(h, h->kprobe->obj, false);
	if (!looping) {
		bpf_program__set_autoload(h->kprobe->progs.bulk_pages, false);
		bpf_program__set_autoload(h->kprobe->progs.cache_bulk_alloc, false);
		bpf_program__set_autoload(h->kprobe->progs.cache_bulk_free, false);
	}
	err = share_maps(h, h->kprobe->obj);
	return err ? err : kprobes__load(h->kprobe);
}

static int load_kprobes(struct function_hooks *h)
{
	int err = try_kprobes(h, true);

	if (!err)
		return 0;
	kprobes__destroy(h->kprobe);
	return try_kprobes(h, false);
}

struct function_hooks *hooks_load(const struct record *record, unsigned int families,
				  enum attach_way way)
{
	struct function_hooks *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->record = record;
	h->families = families;
	h->way = way;
	h->btf = btf__load_vmlinux_btf();
	h->fentry_error = h->kprobe_error = -ENOENT;
	h->obstacle = way == ATTACH_NONE ? "--attach none" : probe_functions_silent();
	if (!find_functions(h) || h->obstacle)
		return h;
	if (way == ATTACH_AUTO || way == ATTACH_FENTRY)
		h->fentry_error = load_fentry(h);
	if (way == ATTACH_KPROBE)
		h->kprobe_error = load_kprobes(h);
	return h;
}

/* ---- Attaching --------------------------------------------------------- */

static int attach_fentry(struct function_hooks *h, const struct probe *probe,
			 struct function_hook *to)
{
	const struct bpf_program *prog;

	if (h->fentry_error)
		return h->fentry_error;
	prog = bpf_object__find_program_by_name(h->fentry->obj, probe->program);
	to->link = bpf_program__attach(prog);
	if (!to->link)
		return -errno;
	to->program = prog;
	to->how = probe->at_exit ? "fexit" : "fentry";
	return 0;
}

static void detach(struct function_hook *hook)
{
	/* The entry first: of what is under way no further call is counted. */
	bpf_link__destroy(hook->enter);
	bpf_link__destroy(hook->link);
	hook->enter = hook->link = NULL;
}

/* The function is there: a kernel that finds nothing has no kprobes. */
static int link_error(void)
{
	return errno == ENOENT ? -ENOTSUP : -errno;
}

static int attach_kprobe(struct function_hooks *h, const struct probe *probe,
			 struct function_hook *to)
{
	const struct bpf_program *prog;
	int err = 0;

	if (!h->kprobe)
		h->kprobe_error = load_kprobes(h);
	if (h->kprobe_error)
		return h->kprobe_error;
	prog = bpf_object__find_program_by_name(h->kprobe->obj, probe->program);
	if (bpf_program__fd(prog) < 0)
		return -ENOTSUP;
	to->link = bpf_program__attach_kprobe(prog, probe->at_exit, to->function);
	if (!to->link)
		return link_error();
	/* The exit first: a call that is entered is seen to leave. */
	if (probe->at_exit) {
		to->enter = bpf_program__attach_kprobe(h->kprobe->progs.enter, false, to->function);
		err = to->enter ? 0 : link_error();
	}
	if (err) {
		detach(to);
		return err;
	}
	to->program = prog;
	to->how = probe->at_exit ? "kretprobe" : "kprobe";
	return 0;
}

int hooks_attach(struct function_hooks *h, size_t i, const struct function_hook **hook)
{
	const struct probe *probe = &probe_table[i];
	struct function_hook *to = &h->hook[i];
	int err = -ENOENT, kprobe_error;

	*hook = to;
	if (!to->function)
		return -ENOENT;
	if (h->obstacle)
		return -ENOTSUP;
	if (h->way != ATTACH_KPROBE)
		err = attach_fentry(h, probe, to);
	if (!err || h->way == ATTACH_FENTRY)
		return err;
	kprobe_error = attach_kprobe(h, probe, to);
	/* Of two refusals the first is the one to mend. */
	return kprobe_error && h->way == ATTACH_AUTO ? err : kprobe_error;
}

const char *hooks_why(const struct function_hooks *h, int err)
{
	if (err == -ENOENT)
		return NULL;
	if (h->obstacle)
		return h->obstacle;
	return file_reads_zero("/proc/sys/net/core/bpf_jit_enable")
		       ? "BPF programs are interpreted: net.core.bpf_jit_enable is 0"
		       : NULL;
}

/* ---- Calls that kprobes did not see ------------------------------------ */

/* How often the kernel left the link's kprobe out, for it was busy with another: told
 * since 6.7. The header of this build may know less than the kernel. */
static uint64_t left_out(const struct bpf_link *link)
{
	enum { IS_KPROBE = 3, IS_KRETPROBE = 4 };
	struct {
		uint32_t type, id, prog_id, pad;
		uint32_t perf_type, pad2;
		uint64_t name;
		uint32_t name_bytes, offset;
		uint64_t address, missed, cookie;
		uint64_t rest[8];
	} info = {0};
	uint32_t bytes = sizeof(info);

	if (!link || bpf_obj_get_info_by_fd(bpf_link__fd(link), &info, &bytes))
		return 0;
	return info.perf_type == IS_KPROBE || info.perf_type == IS_KRETPROBE ? info.missed : 0;
}

/* A call whose return was left out has entered. */
static uint64_t all_left_out(const struct function_hooks *h)
{
	uint64_t n = 0;

	for (size_t i = 0; i < PROBES_MAX; i++)
		n += left_out(h->hook[i].enter ? h->hook[i].enter : h->hook[i].link);
	return n;
}

/* How often the kernel left @prog out, for another program was active on that CPU. */
static uint64_t recursion_misses(const struct bpf_program *prog)
{
	struct bpf_prog_info info = {0};
	uint32_t bytes = sizeof(info);

	return bpf_obj_get_info_by_fd(bpf_program__fd(prog), &info, &bytes) ? 0
									    : info.recursion_misses;
}

uint64_t hooks_missed_calls(const struct function_hooks *h)
{
	uint64_t missed = h->left_out + all_left_out(h);

	if (!h->kprobe || h->kprobe_error)
		return 0;
	missed += recursion_misses(h->kprobe->progs.enter);
	if (h->kprobe->bss->entered > h->kprobe->bss->left)
		missed += h->kprobe->bss->entered - h->kprobe->bss->left;
	return missed;
}

void hooks_detach(struct function_hooks *h)
{
	if (!h)
		return;
	h->left_out += all_left_out(h);
	for (size_t i = 0; i < PROBES_MAX; i++)
		detach(&h->hook[i]);
}

void hooks_free(struct function_hooks *h)
{
	if (!h)
		return;
	hooks_detach(h);
	hooks__destroy(h->fentry);
	kprobes__destroy(h->kprobe);
	btf__free(h->btf);
	free(h);
}
