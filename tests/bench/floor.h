/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * floor.h - programs of a few instructions on the tracepoints that recorders watch: the
 * floor of what any of them costs.
 */
#ifndef KMEMLAB_BENCH_FLOOR_H
#define KMEMLAB_BENCH_FLOOR_H

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <string.h>
#include <unistd.h>

#define EVENTS                                                                                     \
	"kmem:mm_page_alloc", "kmem:mm_page_free", "kmem:mm_page_alloc_zone_locked",               \
		"kmem:mm_page_alloc_extfrag", "kmem:mm_page_pcpu_drain", "kmem:kmalloc",           \
		"kmem:kfree", "kmem:kmem_cache_alloc", "kmem:kmem_cache_free"

static const char *const event_names[] = {EVENTS};

enum { PROGRAMS = sizeof(event_names) / sizeof(event_names[0]) };

enum floor {
	FLOOR_NONE,
	FLOOR_EMPTY,
	FLOOR_CLOCK, /* reads the clock */
};

static inline int load_floor(enum floor floor)
{
	const struct bpf_insn clock[] = {
		{.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_ktime_get_boot_ns},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K},
		{.code = BPF_JMP | BPF_EXIT},
	};
	const struct bpf_insn *insns = floor == FLOOR_CLOCK ? clock : clock + 1;

	return bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "floor", "GPL", insns,
			     floor == FLOOR_CLOCK ? 3 : 2, NULL);
}

/* A program for each tracepoint, as a recorder has; @link: PROGRAMS of them. */
static inline int attach_floor(enum floor floor, int *link)
{
	for (int i = 0; i < PROGRAMS; i++) {
		int prog = load_floor(floor);

		link[i] = prog < 0 ? prog
				   : bpf_raw_tracepoint_open(strchr(event_names[i], ':') + 1, prog);
		if (prog >= 0)
			close(prog);
		if (link[i] < 0)
			return -1;
	}
	return 0;
}

static inline void detach_floor(const int *link)
{
	for (int i = 0; i < PROGRAMS; i++)
		if (link[i] > 0)
			close(link[i]);
}

#endif
