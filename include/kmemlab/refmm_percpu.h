/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * refmm_percpu.h - one copy of a variable for each CPU (LKD3 ch. 12, "Per-CPU
 * Allocations", "The New percpu Interface").
 *
 *   rmm_setup_done -> rmm_percpu_init -> rmm_define_per_cpu, rmm_alloc_percpu
 *	-> rmm_per_cpu_ptr -> rmm_free_percpu -> rmm_destroy
 *
 * What is allocated is no address but the name of as many as there are CPUs
 * (the kernel's __percpu pointer): rmm_per_cpu_ptr() makes an address of it.
 * That is usable memory in backed mode, else a number. Functions that return
 * int return 0 or -errno and rmm_last_error() says why.
 */
#ifndef KMEMLAB_REFMM_PERCPU_H
#define KMEMLAB_REFMM_PERCPU_H

#include <stddef.h>

#include <kmemlab/refmm_types.h>

typedef uintptr_t rmm_percpu; /* names a variable on every CPU */
#define RMM_NO_PERCPU ((rmm_percpu)0)

enum rmm_percpu_limits {
	RMM_PCPU_MIN_ALLOC = 4, /* bytes; sizes and alignments below it */
	RMM_PCPU_MAX_ALLOC = 32
			     << 10,  /* PCPU_MIN_UNIT_SIZE, with 4 KiB pages */
	RMM_PCPU_EARLY = 20 << 10,   /* PERCPU_DYNAMIC_EARLY_SIZE */
	RMM_PCPU_RESERVE = 28 << 10, /* PERCPU_DYNAMIC_RESERVE, 64 bits */
	RMM_PCPU_MODULE = 8 << 10,   /* PERCPU_MODULE_RESERVE */
};

/* How the first chunk came to be: percpu_alloc= on the command line */
enum rmm_percpu_first {
	RMM_PERCPU_EMBED = 0, /* in the direct map, in units of atom_size */
	RMM_PERCPU_PAGE = 1,  /* page by page, in vmalloc space */
};

/* Sizes in bytes. rmm_percpu_config_init() sets the defaults named here. */
struct rmm_percpu_config {
	size_t static_size;   /* 180 KiB; what DEFINE_PER_CPU took */
	size_t reserved_size; /* 0; for the static variables of modules */
	size_t dyn_size;      /* RMM_PCPU_RESERVE; at least so much */
	size_t atom_size;     /* 2 MiB (x86-64), in PAGE one page */
	size_t unit_size;     /* 0: compute; else unit_size and dyn_size are
				 taken as they are, as percpu_stats has them */
	enum rmm_percpu_first first;
	unsigned int nr_cpus;	 /* 0: as the machine's; possible CPUs */
	unsigned int max_chunks; /* 256; room for chunks in address space */
};

/* What setup made of it: percpu_stats' "Allocation Info", and more */
struct rmm_percpu_info {
	size_t unit_size, static_size, reserved_size, dyn_size, atom_size,
		alloc_size;
	unsigned int nr_units; /* some may be no CPU's */
	int nr_slots, sidelined_slot, free_slot, to_depopulate_slot;
};

/* percpu_stats' "Global Stats", and path counts */
struct rmm_percpu_stat {
	uint64_t nr_alloc, nr_dealloc, nr_cur_alloc, nr_max_alloc;
	uint64_t nr_chunks, nr_max_chunks;
	size_t min_alloc_size, max_alloc_size;
	int empty_pop_pages;
	uint64_t nr_populated; /* pages of one unit */
	uint64_t nr_pages;     /* /proc/meminfo Percpu */
	uint64_t failed, balanced, depopulated, reintegrated, hint_miss;
};

/* percpu_stats' "Per Chunk Stats": bytes, but for counts and first_bit */
struct rmm_percpu_chunk_stat {
	bool first, reserved, sidelined, to_depopulate;
	int slot, nr_alloc, empty_pop_pages, first_bit, free_bytes,
		contig_bytes, sum_frag, max_frag, cur_min_alloc, cur_med_alloc,
		cur_max_alloc, nr_pages, nr_populated;
	size_t max_alloc_size;
};

/* ---- The layer (refmm/percpu.c, percpu_first.c) ------------------------- */

void rmm_percpu_config_init(struct rmm_percpu_config *c);
/** rmm_percpu_init() - once per machine, after rmm_setup_done(). NULL: the
 *  defaults. -EBUSY, -EINVAL, -ENOMEM */
int rmm_percpu_init(struct rmm *rmm, const struct rmm_percpu_config *c);

/* ---- Static variables: DEFINE_PER_CPU(type, name) ----------------------- */

/** rmm_define_per_cpu() - @size bytes at the next place in the static area;
 *  @init is copied to every CPU's (NULL: zeros). Cannot be freed. */
rmm_percpu rmm_define_per_cpu(struct rmm *rmm, size_t size, size_t align,
			      const void *init);

/* ---- Dynamic variables --------------------------------------------------- */

/** rmm___alloc_percpu_gfp() - @size bytes for every CPU, zeroed; @align at most
 *  a page. Without __GFP_DIRECT_RECLAIM: only where pages are there already. */
rmm_percpu rmm___alloc_percpu_gfp(struct rmm *rmm, unsigned int cpu,
				  size_t size, size_t align, unsigned int gfp);
/** rmm___alloc_percpu() - the same with GFP_KERNEL */
rmm_percpu rmm___alloc_percpu(struct rmm *rmm, unsigned int cpu, size_t size,
			      size_t align);
/** rmm___alloc_reserved_percpu() - a module's static variables */
rmm_percpu rmm___alloc_reserved_percpu(struct rmm *rmm, unsigned int cpu,
				       size_t size, size_t align);
#define rmm_alloc_percpu(rmm, cpu, type)                                       \
	rmm___alloc_percpu(rmm, cpu, sizeof(type), __alignof__(type))
/** rmm_free_percpu() - RMM_NO_PERCPU is fine. -EINVAL: static, free already,
 *  or not what an allocation returned; nothing changes */
int rmm_free_percpu(struct rmm *rmm, unsigned int cpu, rmm_percpu ptr);

/* ---- Access -------------------------------------------------------------- */

/** rmm_per_cpu_ptr() - address of @cpu's copy: per_cpu(), per_cpu_ptr() */
void *rmm_per_cpu_ptr(const struct rmm *rmm, rmm_percpu ptr, unsigned int cpu);
/** rmm_get_cpu() - no preemption from here on, so @cpu stays one's own; nests.
 *  Until rmm_put_cpu() per-CPU allocations that may sleep, vmalloc and kmap
 *  are refused: it is rmm_preempt_disable(). */
unsigned int rmm_get_cpu(struct rmm *rmm, unsigned int cpu);
void rmm_put_cpu(struct rmm *rmm, unsigned int cpu);
/** rmm_get_cpu_ptr() - get_cpu_var(), get_cpu_ptr(): own copy, preemption off
 */
void *rmm_get_cpu_ptr(struct rmm *rmm, unsigned int cpu, rmm_percpu ptr);
void rmm_put_cpu_ptr(struct rmm *rmm, unsigned int cpu, rmm_percpu ptr);

/* ---- In the background --------------------------------------------------- */

/** rmm_percpu_balance_needed() - would the kernel's work item be queued? */
bool rmm_percpu_balance_needed(const struct rmm *rmm);
/** rmm_percpu_balance() - let it run: free and depopulate what is too much,
 *  populate what is too little (pcpu_balance_workfn) */
void rmm_percpu_balance(struct rmm *rmm, unsigned int cpu);

/* ---- Looking (refmm/percpu_stat.c) --------------------------------------- */

int rmm_percpu_info(const struct rmm *rmm, struct rmm_percpu_info *out);
void rmm_percpu_stat(const struct rmm *rmm, struct rmm_percpu_stat *out);
/** rmm_percpu_chunk_stat() - of the @n-th chunk in the order in which debugfs
 *  percpu_stats prints them; -ENOENT: so many there are not */
int rmm_percpu_chunk_stat(const struct rmm *rmm, unsigned int n,
			  struct rmm_percpu_chunk_stat *out);
/** rmm_percpu_where() - offset of @ptr in its chunk's units, and in @chunk a
 *  number that all of that chunk share; -ENOENT: in no chunk */
int rmm_percpu_where(const struct rmm *rmm, rmm_percpu ptr,
		     unsigned int *chunk);
/** rmm_percpu_size_to_slot() - slot of a chunk whose largest free area has
 *  @size bytes */
int rmm_percpu_size_to_slot(const struct rmm *rmm, int size);

#endif
