/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * vmalloc.c - vmalloc() and vfree(), vmap() and vunmap().
 *
 *   rmm_vmalloc --+-- addresses  vmalloc_area.c: a pool's or the free tree's
 *                 +-- pages      vmalloc_pages.c, in bulk
 *                 +-- mapping    vmalloc_pages.c, and address.c's memory
 *
 *   rmm_vfree ----+-- no longer in use, unmapped
 *                 +-- addresses wait for a purge  (vmalloc_purge.c)
 *                 +-- pages go back at once
 *
 * Each area is followed by a page that is never mapped, so that whoever runs
 * over its end meets nobody else's memory:
 *
 *      | pages of A | guard | pages of B | guard |
 *      <---- size of A ----->
 *
 * Whatever fails, all that was got before goes back: pages at once, addresses
 * by the lazy way, as another CPU may have seen them.
 *
 * Locking: none of its own; may not be called where nothing may sleep, but for
 * the freeing, which is then put off.
 *
 * Modelled: vmalloc, vzalloc, vmalloc_node, vmalloc_huge, __vmalloc,
 * __vmalloc_node_range, get_vm_area, __get_vm_area_node, vfree, vfree_atomic,
 * delayed_vfree_work, vmap, vunmap. Simplified: bookkeeping objects come from
 * libc; wrong frees are refused, where the kernel warns or takes them. Omitted:
 * ioremap's physical addresses, VM_FLUSH_RESET_PERMS, protections, KASAN.
 * (6.12, mm/vmalloc.c; LKD3 ch. 12 "vmalloc()")
 */
#include <errno.h>
#include <stdlib.h>

#include "highmem.h"
#include "layers.h"
#include "vmalloc.h"

static const char *hint_atomic =
	"it may sleep, and this CPU is in atomic context";

static void free_vm(struct rmm_vm_struct *vm)
{
	free(vm->pages);
	free(vm);
}

/* remove_vm_area(): out of use, unmapped, its addresses on their way back; 0
 * and
 * *@vm, or as rmm_claim_vmap_area() */
static int remove_vm_area(struct rmm *rmm, unsigned int cpu, uintptr_t address,
			  enum rmm_vmap_claim claim, struct rmm_vm_struct **vm)
{
	struct rmm_vmap_area *va;
	int err = rmm_claim_vmap_area(rmm, address, claim, &va);

	if (err)
		return err;
	*vm = va->vm;
	if (rmm->arena)
		rmm_unmap_at(rmm, va->start, rmm_va_size(va));
	rmm_free_vmap_area_noflush(rmm, cpu, va);
	return 0;
}

/* A request that failed half way: what it has got goes back, in the order in
 * which vfree() would do it, so that nothing is mapped whose pages are free */
static void drop(struct rmm *rmm, unsigned int cpu, struct rmm_vm_struct *vm)
{
	if (remove_vm_area(rmm, cpu, vm->address, RMM_CLAIM_VFREE, &vm))
		return;
	rmm_vmalloc_free_pages(rmm, cpu, vm);
	free_vm(vm);
}

/* For large mappings. x86's IOREMAP_MAX_ORDER: what an entry of the PUD maps,
 * on 32 bits of the PMD */
static uintptr_t ioremap_align(const struct rmm *rmm, uintptr_t size)
{
	uintptr_t align = rmm_page_bytes(rmm), most = (uintptr_t)1 << 30;

	if (rmm_is_32bit(rmm))
		most = align << rmm->thp_order;
	while (align < size && align < most)
		align *= 2;
	return align;
}

/* __get_vm_area_node(): addresses for args->size bytes, in units of 2^@order
 * pages */
static struct rmm_vm_struct *get_vm_area(struct rmm *rmm, unsigned int cpu,
					 const struct rmm_vmalloc_args *args,
					 unsigned int order)
{
	struct rmm_vmalloc *v = rmm_vmalloc_of(rmm);
	uintptr_t page = rmm_page_bytes(rmm), unit = page << order;
	struct rmm_vmap_want want = {
		.size = rmm_align_up(args->size, unit),
		.align = args->align > unit ? args->align : unit,
		.start = args->start ? args->start : v->start,
		.end = args->end ? args->end : v->end,
		.gfp = args->gfp,
		.cpu = cpu,
	};
	struct rmm_vm_struct *vm = NULL;

	if (args->size > v->space_end - v->space_start)
		return NULL; /* what is rounded up below must not wrap */
	if (args->flags & RMM_VM_IOREMAP)
		want.align = ioremap_align(rmm, want.size);
	if (!(args->flags & RMM_VM_NO_GUARD))
		want.size += page;
	if (!rmm_should_fail(rmm, RMM_FAULT_VMALLOC, args->gfp, 0))
		vm = calloc(1, sizeof(*vm));
	if (!vm)
		return NULL;
	vm->flags = args->flags;
	vm->requested = args->size;
	vm->page_order = order;
	if (rmm_alloc_vmap_area(rmm, &want, vm))
		return vm;
	free(vm);
	return NULL;
}

static int refuse(struct rmm *rmm, unsigned int cpu, size_t size,
		  const char *why)
{
	RMM_ADD(rmm_vmalloc_of(rmm)->stat.failed, 1);
	return rmm_error(rmm, -EINVAL, "cannot vmalloc %zu bytes on CPU %u: %s",
			 size, cpu, why);
}

/* What no attempt could serve. The kernel warns of the first ones or stops; a
 * request larger than all memory it refuses likewise, before it takes any. */
static int check_request(struct rmm *rmm, unsigned int cpu, size_t size,
			 size_t align)
{
	struct rmm_vmalloc *v = rmm_vmalloc_of(rmm);

	if (!v)
		return rmm_error(rmm, -EINVAL,
				 "cannot vmalloc: call rmm_vmalloc_init first");
	if (cpu >= rmm->config.nr_cpus)
		return refuse(rmm, 0, size, "the machine has no such CPU");
	if (rmm_in_atomic(rmm, cpu))
		return refuse(rmm, cpu, size, hint_atomic);
	if (!size)
		return refuse(rmm, cpu, size, "there is nothing to map");
	if (align & (align - 1))
		return refuse(rmm, cpu, size, "align is not a power of two");
	if (size >> rmm->config.page_shift > v->total_pages)
		return refuse(rmm, cpu, size, "that exceeds total pages");
	return 0;
}

/* May huge pages be tried? Then the order of one. Without a node the request
 * may be spread over all, so each must have a huge page's worth of it. */
static unsigned int huge_order(const struct rmm *rmm,
			       const struct rmm_vmalloc_args *args)
{
	const struct rmm_vmalloc *v = rmm_vmalloc_of(rmm);
	uintptr_t bytes = rmm_page_bytes(rmm) << rmm->thp_order;
	size_t per_node = args->size;

	if (!v->config.huge || !(args->flags & RMM_VM_ALLOW_HUGE_VMAP) ||
	    rmm->thp_order > rmm->config.max_order)
		return 0;
	if (args->nid < 0)
		per_node /= rmm->nr_nodes;
	return per_node >= bytes ? rmm->thp_order : 0;
}

/* One attempt with blocks of @order; NULL: nothing is left of it, so that the
 * next attempt starts from the same state, but for addresses that are lazy */
static struct rmm_vm_struct *try_order(struct rmm *rmm, unsigned int cpu,
				       const struct rmm_vmalloc_args *args,
				       unsigned int order)
{
	struct rmm_vm_struct *vm = get_vm_area(rmm, cpu, args, order);

	if (!vm)
		return NULL;
	if (!rmm___vmalloc_area_node(rmm, cpu, vm, args))
		return vm;
	drop(rmm, cpu, vm);
	return NULL;
}

/** rmm___vmalloc_node_range() - __vmalloc_node_range(); see refmm_vmalloc.h */
void *rmm___vmalloc_node_range(struct rmm *rmm, unsigned int cpu,
			       const struct rmm_vmalloc_args *args)
{
	struct rmm_vmalloc_args a = *args;
	struct rmm_vmalloc *v = rmm_vmalloc_of(rmm);
	struct rmm_vm_struct *vm;
	unsigned int order;

	if (check_request(rmm, cpu, a.size, a.align))
		return NULL;
	a.flags |= RMM_VM_ALLOC;
	order = huge_order(rmm, &a);
	vm = try_order(rmm, cpu, &a, order);
	if (!vm && order) {
		RMM_ADD(v->stat.huge_fallback, 1);
		vm = try_order(rmm, cpu, &a, 0);
	}
	if (vm) {
		RMM_ADD(v->stat.alloc, 1);
		return (void *)vm->address;
	}
	RMM_ADD(v->stat.failed, 1);
	rmm_error(rmm, -ENOMEM,
		  "cannot vmalloc %zu bytes on CPU %u: out of pages or of "
		  "addresses; %llu pages are free",
		  a.size, cpu, (unsigned long long)rmm_nr_free_pages(rmm));
	return NULL;
}

/** rmm___vmalloc() - __vmalloc(): any mask; of the zone modifiers only DMA and
 *  DMA32 count, as everything else may be in high memory */
void *rmm___vmalloc(struct rmm *rmm, unsigned int cpu, size_t size,
		    unsigned int gfp)
{
	const struct rmm_vmalloc_args a = {.size = size, .gfp = gfp, .nid = -1};

	return rmm___vmalloc_node_range(rmm, cpu, &a);
}

/** rmm_vmalloc() - vmalloc() */
void *rmm_vmalloc(struct rmm *rmm, unsigned int cpu, size_t size)
{
	return rmm___vmalloc(rmm, cpu, size, RMM_GFP_KERNEL);
}

/** rmm_vzalloc() - vzalloc() */
void *rmm_vzalloc(struct rmm *rmm, unsigned int cpu, size_t size)
{
	return rmm___vmalloc(rmm, cpu, size, RMM_GFP_KERNEL | RMM_GFP_ZERO);
}

/** rmm_vmalloc_node() - vmalloc_node(): a preference, not a promise */
void *rmm_vmalloc_node(struct rmm *rmm, unsigned int cpu, size_t size, int nid)
{
	const struct rmm_vmalloc_args a = {
		.size = size, .gfp = RMM_GFP_KERNEL, .nid = nid};

	return rmm___vmalloc_node_range(rmm, cpu, &a);
}

/** rmm_vmalloc_huge() - vmalloc_huge(): fewer entries in page tables and TLB,
 * for what is used much */
void *rmm_vmalloc_huge(struct rmm *rmm, unsigned int cpu, size_t size,
		       unsigned int gfp)
{
	const struct rmm_vmalloc_args a = {
		.size = size,
		.gfp = gfp,
		.flags = RMM_VM_ALLOW_HUGE_VMAP,
		.nid = -1,
	};

	return rmm___vmalloc_node_range(rmm, cpu, &a);
}

/** rmm_get_vm_area() - get_vm_area(), __get_vm_area_node(); see refmm_vmalloc.h
 */
uintptr_t rmm_get_vm_area(struct rmm *rmm, unsigned int cpu,
			  const struct rmm_vmalloc_args *args)
{
	struct rmm_vm_struct *vm;

	/* There may be more addresses than pages. */
	if (check_request(rmm, cpu, args->size != 0, args->align))
		return 0;
	vm = get_vm_area(rmm, cpu, args, 0);
	RMM_ADD(*(vm ? &rmm_vmalloc_of(rmm)->stat.alloc
		     : &rmm_vmalloc_of(rmm)->stat.failed),
		1);
	if (vm)
		return vm->address;
	rmm_error(rmm, -ENOMEM,
		  "cannot get %zu bytes of addresses on CPU %u: no hole of "
		  "that size",
		  args->size, cpu);
	return 0;
}

/* Why nothing that begins at @address can be let go; @err is the claim's */
static int refuse_free(struct rmm *rmm, const char *what, uintptr_t address,
		       int err)
{
	uintptr_t start;

	if (err == -EBUSY)
		return rmm_error(rmm, -EINVAL,
				 "cannot %s 0x%llx: freed already, in atomic "
				 "context; it waits for the worker",
				 what, (unsigned long long)address);
	if (err == -EPERM)
		return rmm_error(rmm, -EINVAL,
				 "cannot %s 0x%llx: the area owns its pages, "
				 "which would be lost; use vfree",
				 what, (unsigned long long)address);
	start = rmm_vm_start(rmm, address);
	if (start && start != address)
		return rmm_error(rmm, -EINVAL,
				 "cannot %s 0x%llx: it lies inside the area "
				 "that begins at 0x%llx; free that",
				 what, (unsigned long long)address,
				 (unsigned long long)start);
	return rmm_error(rmm, -EINVAL,
			 "cannot %s 0x%llx: nonexistent vm area, never there "
			 "or freed already",
			 what, (unsigned long long)address);
}

/* Nobody else can find the area once it is unlinked; of two CPUs that free the
 * same one, also if one puts it off, the second finds nothing, or that it is
 * taken. */
static int vfree(struct rmm *rmm, unsigned int cpu, const char *what,
		 uintptr_t address, enum rmm_vmap_claim claim)
{
	struct rmm_vm_struct *vm;
	int err = remove_vm_area(rmm, cpu, address, claim, &vm);

	if (err)
		return refuse_free(rmm, what, address, err);
	RMM_ADD(rmm_vmalloc_of(rmm)->stat.free, 1);
	rmm_vmalloc_free_pages(rmm, cpu, vm);
	free_vm(vm);
	return 0;
}

static int check_free(struct rmm *rmm, unsigned int cpu, const char *what)
{
	if (!rmm_vmalloc_of(rmm) || cpu >= rmm->config.nr_cpus)
		return rmm_error(rmm, -EINVAL,
				 "cannot %s on CPU %u: there is no such CPU, "
				 "or no rmm_vmalloc_init",
				 what, cpu);
	return 0;
}

/** rmm_vfree() - vfree(); see refmm_vmalloc.h */
int rmm_vfree(struct rmm *rmm, unsigned int cpu, const void *address)
{
	if (check_free(rmm, cpu, "vfree"))
		return -EINVAL;
	if (!address)
		return 0;
	if (rmm_in_interrupt(rmm, cpu))
		return rmm_vfree_atomic(rmm, cpu, address);
	return vfree(rmm, cpu, "vfree", (uintptr_t)address, RMM_CLAIM_VFREE);
}

/** rmm_vfree_atomic() - vfree_atomic(); see refmm_vmalloc.h */
int rmm_vfree_atomic(struct rmm *rmm, unsigned int cpu, const void *address)
{
	struct rmm_vfree_deferred *d;
	struct rmm_vmap_area *va;
	int err;

	if (check_free(rmm, cpu, "vfree"))
		return -EINVAL;
	if (!address)
		return 0;
	d = &rmm_vmalloc_of(rmm)->deferred[cpu];
	err = rmm_claim_vmap_area(rmm, (uintptr_t)address, RMM_CLAIM_DEFER,
				  &va);
	if (err)
		return refuse_free(rmm, "vfree", (uintptr_t)address, err);
	RMM_ADD(rmm_vmalloc_of(rmm)->stat.deferred, 1);
	rmm_lock(rmm, &d->lock);
	va->vm->next = d->first;
	d->first = va->vm;
	rmm_unlock(rmm, &d->lock);
	return 0;
}

/** rmm_delayed_vfree_work() - delayed_vfree_work(); the last put off goes
 *  first, as on the kernel's lock-less list */
size_t rmm_delayed_vfree_work(struct rmm *rmm, unsigned int cpu)
{
	struct rmm_vm_struct *vm, *next;
	struct rmm_vfree_deferred *d;
	size_t n = 0;

	if (check_free(rmm, cpu, "vfree"))
		return 0;
	d = &rmm_vmalloc_of(rmm)->deferred[cpu];
	rmm_lock(rmm, &d->lock);
	vm = d->first;
	d->first = NULL;
	rmm_unlock(rmm, &d->lock);
	for (; vm; vm = next, n++) {
		next = vm->next;
		vfree(rmm, cpu, "vfree", vm->address, RMM_CLAIM_WORKER);
	}
	return n;
}

/* The caller's pages become @vm's list; -ENOMEM, -EINVAL: one is no page. What
 * is mapped would be somebody else's memory then, or none. */
static int copy_pages(const struct rmm *rmm, struct rmm_vm_struct *vm,
		      struct rmm_page **pages, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!rmm_is_page(rmm, pages[i]))
			return -EINVAL;
	vm->pages = calloc(count, sizeof(*vm->pages));
	if (!vm->pages)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		vm->pages[i] = pages[i];
	vm->nr_mapped = count;
	return 0;
}

/** rmm_vmap() - vmap(); see refmm_vmalloc.h */
void *rmm_vmap(struct rmm *rmm, unsigned int cpu, struct rmm_page **pages,
	       size_t count, unsigned int flags)
{
	/* One's top guard is the next one's bottom guard: never without. */
	const struct rmm_vmalloc_args a = {
		.size = count << rmm->config.page_shift,
		.gfp = RMM_GFP_KERNEL,
		.flags =
			flags & ~(unsigned int)(RMM_VM_NO_GUARD | RMM_VM_ALLOC |
						RMM_VM_ALLOW_HUGE_VMAP),
		.nid = -1,
	};
	struct rmm_vm_struct *vm;

	/* A count that is absurd may look small in bytes. */
	if (check_request(rmm, cpu, a.size, 0) ||
	    (count > rmm_vmalloc_of(rmm)->total_pages &&
	     refuse(rmm, cpu, SIZE_MAX, "that exceeds total pages")))
		return NULL;
	vm = get_vm_area(rmm, cpu, &a, 0);
	if (vm && (copy_pages(rmm, vm, pages, count) ||
		   rmm_vmap_pages_range(rmm, vm))) {
		drop(rmm, cpu, vm);
		vm = NULL;
	}
	if (!vm) {
		RMM_ADD(rmm_vmalloc_of(rmm)->stat.failed, 1);
		rmm_error(rmm, -ENOMEM,
			  "cannot vmap %zu pages on CPU %u: out of addresses "
			  "or mappings, or one is no page of this machine",
			  count, cpu);
		return NULL;
	}
	if (flags & RMM_VM_MAP_PUT_PAGES)
		vm->nr_pages = count;
	RMM_ADD(rmm_vmalloc_of(rmm)->stat.alloc, 1);
	return (void *)vm->address;
}

/** rmm_vunmap() - vunmap(); see refmm_vmalloc.h */
int rmm_vunmap(struct rmm *rmm, unsigned int cpu, const void *address)
{
	if (check_free(rmm, cpu, "vunmap"))
		return -EINVAL;
	if (!address)
		return 0;
	if (rmm_in_interrupt(rmm, cpu))
		return rmm_error(rmm, -EINVAL,
				 "cannot vunmap %p on CPU %u: not allowed in "
				 "an interrupt",
				 address, cpu);
	return vfree(rmm, cpu, "vunmap", (uintptr_t)address, RMM_CLAIM_VUNMAP);
}
