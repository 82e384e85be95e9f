/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * doctor_bpf.c - BPF, found by loading and attaching the shortest program there
 * is (return 0) in every way that kmemlab may need.
 *
 * Nothing stays: programs, links and maps are file descriptors of this process,
 * closed as soon as the kernel has answered.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "doctor/doctor.h"
#include "record/area_walk.h"
#include "record/percpu_walk.h"
#include "record/probe_table.h"
#include "record/record.h"
#include "record/slab_walk.h"
#include "trace/kinds.h"

static const struct bpf_insn return_0[] = {
	{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0},
	{.code = BPF_JMP | BPF_EXIT},
};

static const char *const tracepoints[] = {
	"mm_page_alloc",
	"mm_page_free",
	"mm_page_alloc_zone_locked",
	"mm_page_alloc_extfrag",
	"mm_page_pcpu_drain",
	"kmalloc",
	"kfree",
	"kmem_cache_alloc",
	"kmem_cache_free",
};

enum { TRACEPOINTS = sizeof(tracepoints) / sizeof(tracepoints[0]) };

static int load(enum bpf_prog_type type, enum bpf_attach_type attach, int btf_id)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts);

	if (btf_id > 0) {
		opts.expected_attach_type = attach;
		opts.attach_btf_id = (uint32_t)btf_id;
	}
	return bpf_prog_load(type, "kmemlab_doctor", "GPL", return_0,
			     sizeof(return_0) / sizeof(return_0[0]), &opts);
}

/* Load, open by bpf_raw_tracepoint_open(), close. 0 or -errno. */
static int try_raw(enum bpf_prog_type type, enum bpf_attach_type attach, int btf_id,
		   const char *name)
{
	int prog = load(type, attach, btf_id);
	int link;

	if (prog < 0)
		return prog;
	link = bpf_raw_tracepoint_open(name, prog);
	close(prog);
	if (link < 0)
		return link;
	close(link);
	return 0;
}

static int try_tp_btf(const char *name)
{
	int id = libbpf_find_vmlinux_btf_id(name, BPF_TRACE_RAW_TP);

	return id < 0 ? id : try_raw(BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP, id, NULL);
}

static int try_raw_tp(const char *name)
{
	return try_raw(BPF_PROG_TYPE_RAW_TRACEPOINT, 0, 0, name);
}

/* Load a program of @type, attach it to the perf event @attr, undo both. */
static int try_perf(enum bpf_prog_type type, struct perf_event_attr *attr)
{
	int prog = load(type, 0, 0);
	int event, err = 0;

	if (prog < 0)
		return prog;
	attr->size = sizeof(*attr);
	event = (int)syscall(SYS_perf_event_open, attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	if (event < 0 || ioctl(event, PERF_EVENT_IOC_SET_BPF, prog))
		err = -errno;
	if (event >= 0)
		close(event);
	close(prog);
	return err;
}

static int try_classic_tp(const char *name)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_TRACEPOINT};
	char path[128], text[32];
	int err;

	snprintf(path, sizeof(path), "/sys/kernel/tracing/events/kmem/%s/id", name);
	err = doctor_read(path, text, sizeof(text));
	if (err == -ENOENT) {
		snprintf(path, sizeof(path), "/sys/kernel/debug/tracing/events/kmem/%s/id", name);
		err = doctor_read(path, text, sizeof(text));
	}
	if (err)
		return err;
	attr.config = strtoull(text, NULL, 10);
	return try_perf(BPF_PROG_TYPE_TRACEPOINT, &attr);
}

/* Names that did not attach: as many as there is room for, and how many more. */
struct absent {
	char names[120];
	size_t used, more;
};

static void absent_add(struct absent *a, const char *name)
{
	size_t n = strlen(name) + 1;

	if (a->more || a->used + n >= sizeof(a->names)) {
		a->more++;
		return;
	}
	snprintf(a->names + a->used, sizeof(a->names) - a->used, " %s", name);
	a->used += n;
}

static const char *absent_more(const struct absent *a, char text[32])
{
	snprintf(text, 32, " and %zu more", a->more);
	return a->more ? text : "";
}

/* Try all the tracepoints that kmemlab records, and say which are missing. */
static void try_tracepoints(int (*attempt)(const char *), struct doctor_finding *f)
{
	struct absent absent = {0};
	char more[32];
	int err, error = 0;
	size_t ok = 0;

	for (size_t i = 0; i < TRACEPOINTS; i++) {
		err = attempt(tracepoints[i]);
		ok += err == 0;
		if (!err)
			continue;
		error = error ? error : -err;
		absent_add(&absent, tracepoints[i]);
	}
	if (ok == TRACEPOINTS) {
		doctor_found(f, "all %d kmem tracepoints attach", TRACEPOINTS);
	} else if (ok) {
		doctor_failed(f, error, "%zu of %d attach, not%s%s", ok, TRACEPOINTS, absent.names,
			      absent_more(&absent, more));
		f->state = DOCTOR_PART;
	} else {
		doctor_failed(f, error, "cannot attach to kmem:%s", tracepoints[0]);
	}
}

void doctor_btf(const void *arg, struct doctor_finding *f)
{
	struct btf *btf;
	uint32_t bytes;
	char magic[8];
	int err;

	(void)arg;
	err = doctor_read("/sys/kernel/btf/vmlinux", magic, sizeof(magic));
	if (err) {
		doctor_failed(f, -err, "cannot read /sys/kernel/btf/vmlinux");
		return;
	}
	btf = btf__load_vmlinux_btf();
	if (!btf) {
		doctor_failed(f, errno, "/sys/kernel/btf/vmlinux does not parse");
		return;
	}
	btf__raw_data(btf, &bytes);
	doctor_found(f, "%u types, %.1f MB", btf__type_cnt(btf), bytes / 1e6);
	btf__free(btf);
}

void doctor_ring(const void *arg, struct doctor_finding *f)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE);
	const size_t bytes = 1 << 20;
	void *memory;
	int map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "kmemlab_doctor", sizeof(uint32_t), bytes, 1,
				 &opts);

	(void)arg;
	if (map < 0) {
		doctor_failed(f, -map, "cannot create a mappable BPF array");
		return;
	}
	memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);
	if (memory == MAP_FAILED) {
		doctor_failed(f, errno, "cannot map a BPF array");
	} else {
		doctor_found(f, "a BPF array of 1 MiB maps");
		munmap(memory, bytes);
	}
	close(map);
}

void doctor_tp_btf(const void *arg, struct doctor_finding *f)
{
	(void)arg;
	try_tracepoints(try_tp_btf, f);
}

void doctor_raw_tp(const void *arg, struct doctor_finding *f)
{
	(void)arg;
	try_tracepoints(try_raw_tp, f);
}

void doctor_classic_tp(const void *arg, struct doctor_finding *f)
{
	(void)arg;
	try_tracepoints(try_classic_tp, f);
}

static bool refuses(int error)
{
	return error == EPERM || error == EACCES;
}

void doctor_sum_frames(int classic_error, int pagemap_error, struct doctor_finding *f)
{
	if (!classic_error)
		doctor_found(f, "the classic tracepoint shows them");
	else if (!pagemap_error)
		doctor_found(f, "/proc/self/pagemap shows them");
	else
		doctor_failed(f, refuses(classic_error) ? classic_error : pagemap_error,
			      "neither classic tracepoint nor /proc/self/pagemap shows them");
}

/* A tracefs that only doctor_mounts() has mounted is not there for a recording. */
void doctor_frames(const void *arg, struct doctor_finding *f)
{
	struct doctor_finding tracefs = {0};
	int classic;

	(void)arg;
	doctor_mount("tracefs", &tracefs);
	classic = tracefs.state == DOCTOR_MOUNT ? ENOENT : -try_classic_tp("mm_page_alloc");
	doctor_sum_frames(classic, doctor_own_frame(), f);
}

/* By finding them, as the recorder does. */
void doctor_areas(const void *arg, struct doctor_finding *f)
{
	struct area_walk *w = area_walk_open();

	(void)arg;
	if (w)
		doctor_found(f, "the kernel's lists of areas were found");
	else
		doctor_failed(f, errno, "cannot read the kernel's lists of areas");
	area_walk_close(w);
}

/* Where frames are is of no matter for finding the caches. */
void doctor_slab_lists(const void *arg, struct doctor_finding *f)
{
	const struct kernel_bases nowhere = {.page_struct_bytes = 1};
	struct slab_walk *w = slab_walk_open(&nowhere);

	(void)arg;
	if (w)
		doctor_found(f, "the kernel's caches were found");
	else
		doctor_failed(f, errno, "cannot find the kernel's caches");
	slab_walk_close(w);
}

/* Where kallsyms shows no data, by an area's page: that takes the bases. */
void doctor_chunks(const void *arg, struct doctor_finding *f)
{
	struct kernel_bases bases = {0};
	struct percpu_walk *w = NULL;
	char error[256];
	int err = calibrate(&bases, error);

	(void)arg;
	if (!err) {
		w = percpu_walk_open(&bases);
		err = -errno;
	}
	if (w)
		doctor_found(f, "the kernel's chunks of per-CPU memory were found");
	else
		doctor_failed(f, -err, "cannot find the kernel's chunks of per-CPU memory");
	percpu_walk_close(w);
}

enum by { BY_FENTRY, BY_FEXIT, BY_KPROBE };

/* At entry, or, where @at_exit, at return. */
static int try_kprobe(const char *name, bool at_exit)
{
	struct perf_event_attr attr = {.config = at_exit, .config1 = (uint64_t)(uintptr_t)name};
	char text[32];
	int err = doctor_read("/sys/bus/event_source/devices/kprobe/type", text, sizeof(text));

	if (err)
		return err;
	attr.type = (uint32_t)strtoul(text, NULL, 10);
	return try_perf(BPF_PROG_TYPE_KPROBE, &attr);
}

static int try_function(const struct btf *btf, const char *name, enum by by, bool at_exit)
{
	int id = btf__find_by_name_kind(btf, name, BTF_KIND_FUNC);

	if (by == BY_KPROBE)
		return try_kprobe(name, at_exit);
	return try_raw(BPF_PROG_TYPE_TRACING, at_exit ? BPF_TRACE_FEXIT : BPF_TRACE_FENTRY, id,
		       NULL);
}

/* Try every function that kmemlab hooks so, by its name in this kernel. */
static void try_functions(enum by by, struct doctor_finding *f)
{
	const char *silent = probe_functions_silent(), *failed = NULL;
	struct btf *btf = silent ? NULL : btf__load_vmlinux_btf();
	unsigned int ok = 0, n = 0;
	int error = 0;

	if (silent) {
		doctor_failed(f, ENOTSUP, "%s", silent);
		return;
	}
	for (size_t i = 0; i < probe_table_n; i++) {
		const struct probe *p = &probe_table[i];
		bool so = by == BY_KPROBE || p->at_exit == (by == BY_FEXIT);
		const char *name = p->functions && so && !probe_by_tracepoint(i)
					   ? probe_function(btf, p->functions)
					   : NULL;
		int err;

		if (!name)
			continue;
		err = try_function(btf, name, by, p->at_exit);
		n++;
		ok += !err;
		if (err && !failed) {
			failed = name;
			error = -err;
		}
	}
	btf__free(btf);
	if (n && ok == n) {
		doctor_found(f, "attaches to all %u functions that kmemlab hooks so", n);
	} else if (!n) {
		doctor_failed(f, ENOENT, "no function to hook in BTF");
	} else {
		doctor_failed(f, error, "%u of %u functions attach; %s()", ok, n, failed);
		f->state = ok ? DOCTOR_PART : DOCTOR_NO;
	}
}

void doctor_fentry(const void *arg, struct doctor_finding *f)
{
	(void)arg;
	try_functions(BY_FENTRY, f);
}

void doctor_fexit(const void *arg, struct doctor_finding *f)
{
	(void)arg;
	try_functions(BY_FEXIT, f);
}

void doctor_kprobe(const void *arg, struct doctor_finding *f)
{
	(void)arg;
	try_functions(BY_KPROBE, f);
}

/* The tracepoints of the families other than page and slab. */
void doctor_families(const void *arg, struct doctor_finding *f)
{
	const unsigned int families = FAMILY_PRESSURE | FAMILY_PERCPU | FAMILY_VMALLOC;
	struct absent absent = {0};
	size_t ok = 0, all = 0;
	char more[32];
	int error = 0;

	(void)arg;
	for (unsigned int k = 0; k < KMT_KINDS; k++) {
		int err = kind_info(k)->family & families ? try_raw_tp(kind_info(k)->name) : 1;

		all += err <= 0;
		ok += !err;
		if (err >= 0)
			continue;
		error = error ? error : -err;
		absent_add(&absent, kind_info(k)->name);
	}
	if (ok == all) {
		doctor_found(f, "all %zu tracepoints of pressure, percpu and vmalloc attach", all);
		return;
	}
	doctor_failed(f, error, "%zu of %zu attach, not%s%s", ok, all, absent.names,
		      absent_more(&absent, more));
	f->state = ok ? DOCTOR_PART : DOCTOR_NO;
}
