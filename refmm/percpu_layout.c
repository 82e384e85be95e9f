/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * percpu_layout.c - how large a unit is, and whose is which.
 *
 * At boot, before there is an allocator, the kernel puts its static variables
 * and some room for dynamic ones in pieces of atom_size (2 MiB on x86-64: huge
 * pages of the direct map). Several units may share a piece:
 *
 *      size_sum   = static + reserved + dynamic, rounded up to pages;
 *                   the rounding goes to the dynamic part
 *      alloc_size = size_sum, rounded up to atom_size
 *      unit_size  = alloc_size / upa      upa: units per allocation
 *
 *      | unit 0      | unit 1      | unit 2      | - nobody - |   upa = 4
 *      |<------------------- alloc_size -------------------->|
 *
 * upa is the largest with which as few pieces as possible are needed and at
 * most a third as many units as there are CPUs stay unused. CPUs of one node
 * are a group and share pieces; groups do not.
 *
 * Invariants: unit_size >= size_sum, a multiple of the page; alloc_size =
 * upa * unit_size; unit_map is injective.
 *
 * Locking: setup only.
 *
 * Modelled: pcpu_build_alloc_info with x86's pcpu_cpu_distance, the checks of
 * pcpu_setup_first_chunk. Simplified: groups lie back to back in address space.
 * (6.12, mm/percpu.c; not in LKD3)
 */
#include "percpu_chunk.h"

static size_t round_up(size_t x, size_t to)
{
	return (x + to - 1) / to * to;
}

/* Is @alloc_size divided into @upa whole pages? */
static bool divides(const struct rmm_pcpu *p, unsigned int upa)
{
	size_t alloc = p->info.alloc_size;

	return alloc % upa == 0 && alloc / upa % (size_t)p->page_size == 0;
}

/* CPUs of node @node; with a first chunk of pages all are one group */
static unsigned int group_count(const struct rmm_pcpu *p, bool one,
				unsigned int node)
{
	unsigned int n = 0;

	if (one)
		return node == 0 ? p->nr_cpus : 0;
	for (unsigned int cpu = 0; cpu < p->nr_cpus; cpu++)
		n += p->rmm->cpu[cpu].node == node;
	return n;
}

/* Units per allocation: try from @max down. Fewer make smaller leftovers, and
 * then more allocations. */
static unsigned int best_upa(const struct rmm_pcpu *p, bool one,
			     unsigned int max)
{
	unsigned int best = 1, least = UINT32_MAX;

	for (unsigned int upa = max; upa; upa--) {
		unsigned int allocs = 0, wasted = 0;

		if (!divides(p, upa))
			continue;
		for (unsigned int n = 0; n < p->rmm->nr_nodes; n++) {
			unsigned int count = group_count(p, one, n);
			unsigned int these = (count + upa - 1) / upa;

			allocs += these;
			wasted += these * upa - count;
		}
		if (wasted > p->nr_cpus / 3)
			continue;
		if (allocs > least)
			break;
		least = allocs;
		best = upa;
	}
	return best;
}

/* CPU -> unit, group by group */
static void map_cpus(struct rmm_pcpu *p, bool one, unsigned int upa)
{
	unsigned int unit = 0;

	for (unsigned int n = 0; n < p->rmm->nr_nodes; n++) {
		unsigned int next = unit;

		for (unsigned int cpu = 0; cpu < p->nr_cpus; cpu++)
			if (one ? n == 0 : p->rmm->cpu[cpu].node == n)
				p->unit_map[cpu] = (int)next++;
		unit += (next - unit + upa - 1) / upa * upa;
	}
	p->info.nr_units = unit;
}

/* What is wrong with the configuration */
static const char *check(const struct rmm_percpu_config *c, size_t page)
{
	const size_t most = (size_t)1 << 30;

	if (!c->static_size || c->static_size > most || c->dyn_size > most ||
	    c->reserved_size > most || c->atom_size > most)
		return "static_size is 0, or a size is over 1 GiB";
	if (c->reserved_size % RMM_PCPU_MIN_ALLOC)
		return "reserved_size is no multiple of 4";
	if (c->atom_size < page || (c->atom_size & (c->atom_size - 1)))
		return "atom_size is no power of two, or below a page";
	if (c->first > RMM_PERCPU_PAGE)
		return "the first chunk is neither embedded nor of pages";
	return NULL;
}

/* And with unit_size, if it is given */
static const char *check_unit(const struct rmm_pcpu *p,
			      const struct rmm_percpu_config *c)
{
	size_t page = (size_t)p->page_size;

	if (c->dyn_size < RMM_PCPU_EARLY)
		return "dyn_size is below 20 KiB";
	if ((c->static_size + c->reserved_size + c->dyn_size) % page)
		return "static, reserved and dynamic part end inside a page";
	if (c->unit_size % page || c->unit_size > (size_t)1 << 30)
		return "unit_size is no multiple of a page, or over 1 GiB";
	if (c->unit_size < (size_t)p->min_unit_size ||
	    c->unit_size < c->static_size + c->reserved_size + c->dyn_size)
		return "unit_size is below 32 KiB, or below what it holds";
	return NULL;
}

/** rmm_pcpu_build_alloc_info() - pcpu_build_alloc_info(): fills p->info and
 *  p->unit_map; what is wrong, or NULL */
const char *rmm_pcpu_build_alloc_info(struct rmm_pcpu *p,
				      const struct rmm_percpu_config *c)
{
	struct rmm_percpu_info *i = &p->info;
	size_t page = (size_t)p->page_size, dyn = c->dyn_size, sum, least;
	bool one = c->first == RMM_PERCPU_PAGE;
	const char *bad = check(c, page);
	unsigned int upa;

	if (!bad && c->unit_size)
		bad = check_unit(p, c);
	if (bad)
		return bad;
	if (dyn < RMM_PCPU_EARLY)
		dyn = RMM_PCPU_EARLY;
	sum = round_up(c->static_size + c->reserved_size + dyn, page);
	least = sum > (size_t)p->min_unit_size ? sum : (size_t)p->min_unit_size;
	i->static_size = c->static_size;
	i->reserved_size = c->reserved_size;
	i->dyn_size = sum - c->static_size - c->reserved_size;
	i->atom_size = one ? page : c->atom_size;
	i->alloc_size = round_up(least, i->atom_size);
	upa = (unsigned int)(i->alloc_size / least);
	while (!divides(p, upa))
		upa--;
	upa = best_upa(p, one, upa);
	i->unit_size = i->alloc_size / upa;
	if (c->unit_size) {
		i->dyn_size = c->dyn_size;
		i->unit_size = c->unit_size;
		i->alloc_size = round_up(c->unit_size, i->atom_size);
		upa = (unsigned int)(i->alloc_size / i->unit_size);
	}
	map_cpus(p, one, upa);
	p->unit_pages = (int)(i->unit_size / page);
	return NULL;
}
