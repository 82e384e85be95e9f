/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * percpu_access.c - set the layer up, and get at one's own copy.
 *
 *      name    --rmm_per_cpu_ptr(cpu)-->   window + name - a page
 *                                          + unit_map[cpu] * unit_size
 *
 * One's own copy needs no lock, as nobody else writes it, but the owner must
 * not be moved to another CPU in between: get_cpu_var() disables preemption,
 * put_cpu_var() allows it again. Whoever has disabled it must not sleep, so
 * allocations that may are refused meanwhile.
 *
 * The interface of old (LKD3 ch. 12, "Per-CPU Allocations") is an array with
 * NR_CPUS members, and cpu = get_cpu(); array[cpu]++; put_cpu(). It still
 * works: rmm_get_cpu() and a C array do it. But its members share cache lines
 * unless padded, it is as large as NR_CPUS, and CPUs' memory is not near them.
 *
 * Locking: none; preempt_count (vmalloc_context.c) is that CPU's own.
 *
 * Modelled: per_cpu_ptr, get_cpu, put_cpu, get_cpu_ptr, put_cpu_ptr.
 * Simplified: preemption off keeps nobody from anything but sleeping in
 * per-CPU allocation, vmalloc, kmap and stacks; the kernel warns of any
 * might_sleep(). Omitted: this_cpu_ operations, as x86's segment
 * prefix has no likeness here. (6.12, include/linux/percpu-defs.h; LKD3 ch. 12
 * "The New percpu Interface")
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "percpu_chunk.h"

/* Where areas lie if nothing is behind them: x86-64's vmalloc space */
#define PCPU_WINDOW ((uintptr_t)0xffffc90000000000)

/** rmm_percpu_config_init() - see refmm_percpu.h */
void rmm_percpu_config_init(struct rmm_percpu_config *c)
{
	*c = (struct rmm_percpu_config){
		.static_size = 180 << 10,
		.dyn_size = RMM_PCPU_RESERVE,
		.atom_size = 2 << 20,
		.max_chunks = 256,
	};
}

static size_t window_bytes(const struct rmm_pcpu *p)
{
	return p->max_chunks * p->area_bytes;
}

static int map_window(struct rmm_pcpu *p)
{
	void *map;

	p->window = PCPU_WINDOW;
	if (!p->backed)
		return 0;
	map = mmap(NULL, window_bytes(p), PROT_NONE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (map == MAP_FAILED) {
		p->window = 0;
		return -ENOMEM;
	}
	p->window = (uintptr_t)map;
	return 0;
}

static void destroy(struct rmm *rmm, void *state)
{
	struct rmm_pcpu *p = state;

	(void)rmm;
	for (unsigned int i = 1; p->areas && i < p->max_chunks; i++)
		rmm_pcpu_free_chunk(p->areas[i]);
	rmm_pcpu_free_chunk(p->first_chunk);
	rmm_pcpu_free_chunk(p->reserved_chunk);
	if (p->backed && p->window)
		munmap((void *)p->window, window_bytes(p));
	free(p->areas);
	free(p->unit_map);
	free(p);
}

/* What is left once the sizes are known */
static int setup(struct rmm_pcpu *p)
{
	p->area_bytes = p->info.nr_units * p->info.unit_size;
	p->areas = calloc(p->max_chunks, sizeof(struct rmm_pcpu_chunk *));
	if (!p->areas || map_window(p))
		return -ENOMEM;
	rmm_pcpu_init_slots(p);
	return rmm_pcpu_setup_first_chunk(p);
}

static struct rmm_pcpu *new_state(struct rmm *rmm,
				  const struct rmm_percpu_config *c)
{
	struct rmm_pcpu *p = malloc(sizeof(*p));

	if (!p)
		return NULL;
	*p = (struct rmm_pcpu){
		.rmm = rmm,
		.nr_cpus = c->nr_cpus ? c->nr_cpus : rmm->config.nr_cpus,
		.page_size = 1 << rmm->config.page_shift,
		.max_chunks = c->max_chunks ? c->max_chunks : 1,
	};
	p->block_bits = p->page_size >> RMM_PCPU_SHIFT;
	p->min_unit_size = RMM_PCPU_MAX_ALLOC > p->page_size
				   ? RMM_PCPU_MAX_ALLOC
				   : p->page_size;
	p->unit_map = calloc(p->nr_cpus, sizeof(*p->unit_map));
	if (p->unit_map)
		return p;
	destroy(rmm, p);
	return NULL;
}

static int refuse(struct rmm *rmm, int err, const char *why)
{
	return rmm_error(rmm, err, "cannot set up per-CPU memory: %s", why);
}

/** rmm_percpu_init() - see refmm_percpu.h */
int rmm_percpu_init(struct rmm *rmm, const struct rmm_percpu_config *given)
{
	struct rmm_percpu_config c;
	struct rmm_pcpu *p;
	const char *bad;

	rmm_percpu_config_init(&c);
	if (given)
		c = *given;
	if (rmm_pcpu_of(rmm))
		return refuse(rmm, -EBUSY, "it is set up already");
	if (!rmm->ready)
		return refuse(rmm, -EINVAL, "rmm_setup_done() comes first");
	if (c.nr_cpus > rmm->config.nr_cpus || c.max_chunks > 1u << 20)
		return refuse(rmm, -EINVAL,
			      "more CPUs than the machine has, or over 2^20 "
			      "chunks");
	p = new_state(rmm, &c);
	if (!p)
		return refuse(rmm, -ENOMEM, "out of memory");
	bad = rmm_pcpu_build_alloc_info(p, &c);
	p->backed = rmm->config.backed;
	if (bad || setup(p)) {
		destroy(rmm, p);
		return refuse(rmm, bad ? -EINVAL : -ENOMEM,
			      bad ? bad : "out of memory");
	}
	rmm->layer[RMM_LAYER_PERCPU] = (struct rmm_layer){
		.state = p,
		.destroy = destroy,
		.validate = rmm_pcpu_validate,
	};
	return 0;
}

/** rmm_per_cpu_ptr() - per_cpu_ptr(); NULL for no variable or no CPU */
void *rmm_per_cpu_ptr(const struct rmm *rmm, rmm_percpu ptr, unsigned int cpu)
{
	const struct rmm_pcpu *p = rmm_pcpu_of(rmm);

	if (!p || !ptr || cpu >= p->nr_cpus)
		return NULL;
	return (void *)(p->window + (ptr - (uintptr_t)p->page_size) +
			(uintptr_t)p->unit_map[cpu] * p->info.unit_size);
}

/** rmm_get_cpu() - see refmm_percpu.h */
unsigned int rmm_get_cpu(struct rmm *rmm, unsigned int cpu)
{
	rmm_preempt_disable(rmm, cpu);
	return cpu;
}

/** rmm_put_cpu() - without rmm_get_cpu() before: nothing */
void rmm_put_cpu(struct rmm *rmm, unsigned int cpu)
{
	rmm_preempt_enable(rmm, cpu);
}

/** rmm_get_cpu_ptr() - see refmm_percpu.h */
void *rmm_get_cpu_ptr(struct rmm *rmm, unsigned int cpu, rmm_percpu ptr)
{
	return rmm_per_cpu_ptr(rmm, ptr, rmm_get_cpu(rmm, cpu));
}

/** rmm_put_cpu_ptr() - @ptr says whose, and is not looked at */
void rmm_put_cpu_ptr(struct rmm *rmm, unsigned int cpu, rmm_percpu ptr)
{
	(void)ptr;
	rmm_put_cpu(rmm, cpu);
}
