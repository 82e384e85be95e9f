/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* run_prog.h - run a BPF program that is attached to nothing. */
#ifndef KMEMLAB_RECORD_RUN_PROG_H
#define KMEMLAB_RECORD_RUN_PROG_H

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>

/** run_prog_on() - once, on @cpu; 0, -ENXIO: it is offline, -errno */
static inline int run_prog_on(const struct bpf_program *prog, unsigned int cpu)
{
	LIBBPF_OPTS(bpf_test_run_opts, o, .flags = BPF_F_TEST_RUN_ON_CPU, .cpu = cpu);

	return bpf_prog_test_run_opts(bpf_program__fd(prog), &o);
}

/** run_prog() - once, on this CPU */
static inline int run_prog(const struct bpf_program *prog)
{
	LIBBPF_OPTS(bpf_test_run_opts, o);

	return bpf_prog_test_run_opts(bpf_program__fd(prog), &o);
}

#endif
