/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * kernel.bpf.h - the few kernel types that the programs read. Field offsets come
 * from the running kernel's BTF at load time (CO-RE), so only names and types
 * matter here and no vmlinux.h is needed to build.
 */
#ifndef KMEMLAB_KERNEL_BPF_H
#define KMEMLAB_KERNEL_BPF_H

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef signed int __s32;
typedef signed long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;

enum {
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_F_MMAPABLE = 1 << 10,
};

enum { CPUS_MAX = 1 << 13 }; /* of x86-64 */

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct list_head {
	struct list_head *next, *prev;
};

struct page {
	unsigned long compound_head;
	struct list_head lru;
	unsigned char compound_order; /* of a compound page's second, until 6.3 */
};

enum pageflags {
	PG_head = 1, /* the kernel's own number is read at load time */
};

struct vm_struct {
	unsigned long flags;
	struct page **pages;
	unsigned int nr_pages;
	const void *caller;
};

struct rq;

struct cfs_rq {
	struct rq *rq; /* with CONFIG_FAIR_GROUP_SCHED */
};

struct sched_entity {
	struct cfs_rq *cfs_rq; /* likewise */
};

struct task_struct {
	struct vm_struct *stack_vm_area; /* with CONFIG_VMAP_STACK */
	struct sched_entity se;
	unsigned int __state;
	unsigned int flags;
	int rcu_read_lock_nesting; /* with CONFIG_PREEMPT_RCU */
	int pid;
	char comm[16];
};

struct vmap_area {
	unsigned long va_start, va_end;
	struct list_head list;
	struct vm_struct *vm;
	unsigned long flags;
};

struct compact_control {
	unsigned int gfp_mask;
	int order;
};

struct kmem_cache {
	unsigned int size;
	unsigned int object_size;
	const char *name;
};

struct slab {
	struct kmem_cache *slab_cache;
};

#pragma clang attribute pop

/* Arguments of a raw tracepoint, as scalars. */
struct bpf_raw_tracepoint_args {
	__u64 args[0];
};

#endif
