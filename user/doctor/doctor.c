/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* doctor.c - the list of checks, and what their findings add up to. */
#include <errno.h>
#include <linux/capability.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "doctor/doctor.h"
#include "record/record.h"

#define CAPABILITY(n) ((const void *)(uintptr_t)(n))

const struct doctor_check doctor_checks[] = {
	{"kernel", true, doctor_kernel, NULL, "records nothing: rings rely on x86-64",
	 "record on an x86-64 host; replay works everywhere"},
	{"CAP_BPF", false, doctor_capability, CAPABILITY(CAP_BPF),
	 "cannot load programs, so cannot record", DOCTOR_PRIVILEGE},
	{"CAP_PERFMON", false, doctor_capability, CAPABILITY(CAP_PERFMON),
	 "cannot attach programs, so cannot record", DOCTOR_PRIVILEGE},
	{"CAP_SYS_ADMIN", false, doctor_capability, CAPABILITY(CAP_SYS_ADMIN),
	 "nothing is lost where the finer capabilities are there", DOCTOR_PRIVILEGE},
	{"CAP_SYSLOG", false, doctor_capability, CAPABILITY(CAP_SYSLOG),
	 "call sites stay unnamed where kernel.kptr_restrict hides symbols", DOCTOR_PRIVILEGE},
	{"lockdown", true, doctor_lockdown, NULL, "cannot record",
	 "boot with lockdown=integrity or none"},
	{"bpf sysctl", false, doctor_unprivileged_bpf, NULL,
	 "cannot load programs, so cannot record", DOCTOR_PRIVILEGE},
	{"perf sysctl", false, doctor_perf_paranoid, NULL,
	 "cannot attach programs, so cannot record", DOCTOR_PRIVILEGE},
	{"BTF", true, doctor_btf, NULL, "cannot find fields of kernel structures, so cannot record",
	 "boot a kernel built with CONFIG_DEBUG_INFO_BTF=y"},
	{"tracefs", false, doctor_mount, "tracefs",
	 "learns frame numbers from /proc/self/pagemap, which needs CAP_SYS_ADMIN",
	 "mount -t tracefs none /sys/kernel/tracing"},
	{"debugfs", false, doctor_mount, "debugfs", "leaves out extfrag and percpu_stats snapshots",
	 "mount -t debugfs none /sys/kernel/debug"},
	{"BPF ring", true, doctor_ring, NULL, "has no rings, so cannot record",
	 "boot a kernel from 5.5 on"},
	{"tp_btf", false, doctor_tp_btf, NULL, "uses raw_tp, which sees the same",
	 "nothing is lost; needs CONFIG_DEBUG_INFO_BTF=y and 5.5"},
	{"raw_tp", true, doctor_raw_tp, NULL,
	 "a tracepoint that does not attach records none of its events",
	 "boot a kernel with CONFIG_BPF_EVENTS=y and CONFIG_TRACEPOINTS=y"},
	{"classic tp", false, doctor_classic_tp, NULL,
	 "learns frame numbers from /proc/self/pagemap, which needs CAP_SYS_ADMIN",
	 "mount tracefs; boot a kernel with CONFIG_PERF_EVENTS=y"},
	{"frame numbers", true, doctor_frames, NULL,
	 "cannot tell frames from the addresses of struct pages, so cannot record",
	 "mount -t tracefs none /sys/kernel/tracing, or boot a kernel with "
	 "CONFIG_PROC_PAGE_MONITOR=y"},
	{"family tps", false, doctor_families, NULL,
	 "a tracepoint that does not attach records none of its events; vmalloc's (6.3 on) are "
	 "replaced by programs on functions",
	 "boot a newer kernel"},
	{"fentry", false, doctor_fentry, NULL,
	 "uses kprobes, which cost more; without these too, splits, migrations and objects freed "
	 "in "
	 "bulk are inferred from their effects",
	 "boot a kernel with CONFIG_FUNCTION_TRACER=y that lets BPF use it"},
	{"fexit", false, doctor_fexit, NULL,
	 "uses kretprobes, which cost more; without these too, pages and objects allocated in bulk "
	 "and compaction's pages are inferred when they are freed",
	 "boot a kernel with CONFIG_FUNCTION_TRACER=y that lets BPF use it"},
	{"kprobe", false, doctor_kprobe, NULL,
	 "has nothing to use in place of fentry and fexit, should these be refused",
	 "nothing is lost where fentry and fexit attach; boot a kernel with CONFIG_KPROBES=y and "
	 "CONFIG_KPROBE_EVENTS=y that lets BPF use them"},
	{"symbol addresses", false, doctor_kallsyms, NULL,
	 "call sites stay unnamed: no report of who allocates",
	 "run as root, or sysctl kernel.kptr_restrict=0"},
	{"data symbols", false, doctor_data_symbols, NULL,
	 "finds the base of the page array by a test allocation",
	 "nothing is lost; CONFIG_KALLSYMS_ALL=y would spare the test"},
	{"kpageflags", false, doctor_file, "/proc/kpageflags",
	 "page states at start and end stay unknown: replay starts from buddyinfo alone",
	 "boot a kernel with CONFIG_PROC_PAGE_MONITOR=y"},
	{"slabinfo", false, doctor_file, "/proc/slabinfo", "no slab totals to compare with",
	 "boot a kernel with CONFIG_SLUB_DEBUG=y"},
	{"pagetypeinfo", false, doctor_file, "/proc/pagetypeinfo",
	 "migrate types of free pages at start and end stay unknown",
	 "boot a kernel with CONFIG_PROC_FS=y"},
	{"percpu_stats", false, doctor_file, PERCPU_STATS,
	 "per-CPU memory at the start stays unknown where its chunks cannot be read either",
	 "mount debugfs; boot a kernel with CONFIG_PERCPU_STATS=y"},
	{"percpu chunks", false, doctor_chunks, NULL,
	 "which per-CPU areas there are at the start stays unknown: inferred from percpu_stats",
	 "grant CAP_BPF and CAP_PERFMON"},
	{"vmalloc areas", false, doctor_areas, NULL,
	 "vmalloc's areas at the start stay unknown: their replay begins empty",
	 "grant CAP_BPF and CAP_PERFMON; boot a kernel with CONFIG_KALLSYMS_ALL=y, or 6.3 or "
	 "newer"},
	{"slab lists", false, doctor_slab_lists, NULL,
	 "which slabs are partly free at the start stays unknown: spread by slabinfo's counts",
	 "grant CAP_BPF and CAP_PERFMON"},
	{"extfrag", false, doctor_file, "/sys/kernel/debug/extfrag/unusable_index",
	 "the kernel's own unusable index is not recorded; kmemlab computes it",
	 "mount debugfs; boot a kernel with CONFIG_COMPACTION=y"},
};

const size_t doctor_check_count = sizeof(doctor_checks) / sizeof(doctor_checks[0]);

/* strerror() has no word for the kernel's own ENOTSUPP. */
static const char *error_words(int error)
{
	enum { KERNEL_ENOTSUPP = 524 };

	return error == KERNEL_ENOTSUPP ? "not supported by this kernel" : strerror(error);
}

static void set(struct doctor_finding *f, enum doctor_state state, int error)
{
	f->state = state;
	f->error = error;
	f->denied = (error == EPERM || error == EACCES) && !doctor_has_capability(CAP_SYS_ADMIN);
}

void doctor_found(struct doctor_finding *f, const char *format, ...)
{
	va_list ap;

	set(f, DOCTOR_YES, 0);
	va_start(ap, format);
	vsnprintf(f->detail, sizeof(f->detail), format, ap);
	va_end(ap);
}

void doctor_refused(struct doctor_finding *f, const char *format, ...)
{
	va_list ap;

	set(f, DOCTOR_NO, EPERM);
	va_start(ap, format);
	vsnprintf(f->detail, sizeof(f->detail), format, ap);
	va_end(ap);
}

void doctor_failed(struct doctor_finding *f, int error, const char *format, ...)
{
	va_list ap;
	size_t n;

	set(f, DOCTOR_NO, error);
	va_start(ap, format);
	vsnprintf(f->detail, sizeof(f->detail), format, ap);
	va_end(ap);
	n = strlen(f->detail);
	snprintf(f->detail + n, sizeof(f->detail) - n, ": %s", error_words(error));
}

void doctor_run(struct doctor_finding *out)
{
	doctor_mounts();
	for (size_t i = 0; i < doctor_check_count; i++)
		doctor_checks[i].attempt(doctor_checks[i].arg, &out[i]);
}

int doctor_verdict(const struct doctor_finding *found)
{
	int verdict = EXIT_DONE;

	for (size_t i = 0; i < doctor_check_count; i++) {
		if (!doctor_checks[i].required || found[i].state == DOCTOR_YES ||
		    found[i].state == DOCTOR_PART)
			continue;
		if (found[i].denied)
			return EXIT_PERMISSION;
		verdict = EXIT_KERNEL;
	}
	return verdict;
}

const char *doctor_todo(size_t i, const struct doctor_finding *f)
{
	if (f->state == DOCTOR_YES)
		return NULL;
	if (f->denied)
		return DOCTOR_PRIVILEGE;
	if (f->state == DOCTOR_NO && (f->error == EPERM || f->error == EACCES))
		return "nothing from inside: lockdown, a container or a security module "
		       "refuses it even to root";
	return doctor_checks[i].todo;
}
