/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * doctor.h - what this host permits, found by trying it.
 *
 * Every check does the thing itself (loads and attaches a program, opens and
 * reads the file, mounts the file system in a mount namespace of its own) and
 * undoes it. Versions and configuration files are not believed.
 */
#ifndef KMEMLAB_DOCTOR_H
#define KMEMLAB_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>

/* What suffices where only permission lacks; CAP_DAC_READ_SEARCH is for tracefs
 * and the files of /proc that only root may read. */
#define DOCTOR_PRIVILEGE                                                                           \
	"run as root, or grant CAP_BPF, CAP_PERFMON, CAP_DAC_READ_SEARCH and CAP_SYSLOG"

enum doctor_state {
	DOCTOR_YES = 0,
	DOCTOR_NO,
	DOCTOR_MOUNT, /* not mounted, but mounting it works */
	DOCTOR_PART,  /* some of it */
};

struct doctor_finding {
	enum doctor_state state;
	int error;   /* positive errno of the attempt, 0 if it worked */
	bool denied; /* only permission lacks: a process with CAP_SYS_ADMIN might */
	char detail[192];
};

struct doctor_check {
	const char *what;
	bool required; /* no recording without it */
	/* Finds out; @arg is the check's own. */
	void (*attempt)(const void *arg, struct doctor_finding *f);
	const void *arg;
	const char *without; /* what kmemlab does where it is not there */
	const char *todo;    /* what helps, unless permission is all that lacks */
};

extern const struct doctor_check doctor_checks[];
extern const size_t doctor_check_count;

/** doctor_run() - do every check, in order; @out: doctor_check_count findings */
void doctor_run(struct doctor_finding *out);

/**
 * doctor_verdict() - can this host be recorded by this process?
 * Return: EXIT_DONE, EXIT_PERMISSION or EXIT_KERNEL.
 */
int doctor_verdict(const struct doctor_finding *found);

/** doctor_todo() - what to do about the @i-th check; NULL if it is met */
const char *doctor_todo(size_t i, const struct doctor_finding *f);

/* ---- For the checks ----------------------------------------------------- */

/** doctor_found() - the check is met */
void doctor_found(struct doctor_finding *f, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/** doctor_failed() - it is not; @error (positive) is put in words after the text */
void doctor_failed(struct doctor_finding *f, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** doctor_refused() - it is not, by a rule that the text tells */
void doctor_refused(struct doctor_finding *f, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/** doctor_has_capability() - effective in this process */
bool doctor_has_capability(unsigned int capability);

/** doctor_read() - the start of a file as a string without its last newline;
 *  0 or -errno */
int doctor_read(const char *path, char *text, size_t bytes);

/** doctor_sum_frames() - what the two sources of frame numbers (0 or a positive
 *  errno each) add up to: one suffices, and permission for one would */
void doctor_sum_frames(int classic_error, int pagemap_error, struct doctor_finding *f);

/** doctor_mounts() - note what is mounted, then mount the rest privately */
void doctor_mounts(void);

/* doctor_host.c */
void doctor_kernel(const void *arg, struct doctor_finding *f);
void doctor_capability(const void *arg, struct doctor_finding *f);
void doctor_lockdown(const void *arg, struct doctor_finding *f);
void doctor_unprivileged_bpf(const void *arg, struct doctor_finding *f);
void doctor_perf_paranoid(const void *arg, struct doctor_finding *f);

/* doctor_files.c */
int doctor_own_frame(void); /* does the page map show frame numbers? 0 or a positive errno */
void doctor_mount(const void *arg, struct doctor_finding *f);
void doctor_file(const void *arg, struct doctor_finding *f);
void doctor_areas(const void *arg, struct doctor_finding *f);
void doctor_chunks(const void *arg, struct doctor_finding *f);
void doctor_slab_lists(const void *arg, struct doctor_finding *f);
void doctor_kallsyms(const void *arg, struct doctor_finding *f);
void doctor_data_symbols(const void *arg, struct doctor_finding *f);

/* doctor_bpf.c */
void doctor_btf(const void *arg, struct doctor_finding *f);
void doctor_ring(const void *arg, struct doctor_finding *f);
void doctor_tp_btf(const void *arg, struct doctor_finding *f);
void doctor_raw_tp(const void *arg, struct doctor_finding *f);
void doctor_classic_tp(const void *arg, struct doctor_finding *f);
void doctor_frames(const void *arg, struct doctor_finding *f);
void doctor_fentry(const void *arg, struct doctor_finding *f);
void doctor_kprobe(const void *arg, struct doctor_finding *f);
void doctor_fexit(const void *arg, struct doctor_finding *f);
void doctor_families(const void *arg, struct doctor_finding *f);

#endif
