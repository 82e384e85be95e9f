/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * percpu.c - allocate and free a variable with a copy for each CPU.
 *
 *      request --> slots from its size up --> a chunk with room --> area
 *         |                | none
 *         |                +-- atomic: fail, and let the worker populate
 *         |                +-- else: a new chunk, and again
 *         +-- pages of the area not populated yet: populate them (not atomic)
 *
 * What may wait (__GFP_DIRECT_RECLAIM) holds the mutex throughout, so chunks
 * come one at a time. What may not takes an area in populated pages or fails;
 * the worker (percpu_balance.c) keeps a few such pages ready.
 *
 *      ptr = address of the copy in unit 0 - window + a page
 *
 * so that no variable, not even the first static one, has the name 0.
 *
 * Invariants: those of percpu.h; nr_cur_alloc = sum of the chunks' nr_alloc.
 *
 * Locking: mutex, then lock; both released before the areas are cleared.
 *
 * Modelled: pcpu_alloc, free_percpu, __alloc_percpu(_gfp), alloc_percpu,
 * __alloc_reserved_percpu. Simplified: wrong frees are refused instead of
 * corrupting a chunk. Omitted: memory cgroups, kmemleak. (6.12, mm/percpu.c;
 * LKD3 ch. 12 "Per-CPU Data at Runtime")
 */
#include <errno.h>
#include <string.h>

#include "percpu_chunk.h"

/* Flags that go on to the page allocator: how hard to try. Which memory is not
 * the caller's to say, as a chunk's pages serve others too. */
#define PCPU_GFP (RMM_GFP_KERNEL | RMM_GFP_NORETRY | RMM_GFP_NOWARN)

struct request {
	size_t size;
	int bits, align; /* in bits */
	unsigned int cpu, gfp;
	bool reserved, atomic;
};

/* An area lies in one chunk, whose unit may be as small as min_unit_size, and
 * units begin with a page, so no alignment beyond that can be had. */
static bool is_illegal(const struct rmm_pcpu *p, size_t size, size_t align)
{
	return !size || size > (size_t)p->min_unit_size ||
	       align > (size_t)p->page_size || (align & (align - 1));
}

/* An area of @c; offset in bytes, or -1 */
static int alloc_in_chunk(struct rmm_pcpu *p, struct rmm_pcpu_chunk *c,
			  const struct request *r)
{
	int at = rmm_pcpu_find_block_fit(p, c, r->bits, r->align, r->atomic);

	return at < 0 ? -1 : rmm_pcpu_alloc_area(p, c, r->bits, r->align, at);
}

/* The first chunk, from the fullest on, that has an area; locked. So nearly
 * empty chunks are left alone and get wholly empty: only then can they go. */
static struct rmm_pcpu_chunk *search(struct rmm_pcpu *p,
				     const struct request *r, int *off)
{
	struct rmm_pcpu_chunk *c, *next;

	for (int s = rmm_pcpu_size_to_slot(p, (int)r->size);
	     s <= p->info.free_slot; s++) {
		for (c = p->slots[s].first; c; c = next) {
			int at = rmm_pcpu_find_block_fit(p, c, r->bits,
							 r->align, r->atomic);

			next = c->next;
			if (at < 0) { /* nearly full: aside until it changes */
				if (s < RMM_PCPU_SLOT_FAIL)
					rmm_pcpu_chunk_move(p, c, 0, true);
				continue;
			}
			*off = rmm_pcpu_alloc_area(p, c, r->bits, r->align, at);
			if (*off >= 0) {
				rmm_pcpu_reintegrate_chunk(p, c);
				return c;
			}
			p->stat.hint_miss++;
		}
	}
	return NULL;
}

/** rmm_pcpu_count_alloc() - pcpu_stats_area_alloc() */
void rmm_pcpu_count_alloc(struct rmm_pcpu *p, struct rmm_pcpu_chunk *c,
			  size_t size)
{
	struct rmm_percpu_stat *s = &p->stat;

	s->nr_alloc++;
	s->nr_cur_alloc++;
	if (s->nr_cur_alloc > s->nr_max_alloc)
		s->nr_max_alloc = s->nr_cur_alloc;
	if (size < s->min_alloc_size)
		s->min_alloc_size = size;
	if (size > s->max_alloc_size)
		s->max_alloc_size = size;
	c->nr_alloc++;
	if (size > c->max_alloc_size)
		c->max_alloc_size = size;
}

/* A chunk with an area for @r; NULL and @why */
static struct rmm_pcpu_chunk *take_area(struct rmm_pcpu *p,
					const struct request *r, int *off,
					const char **why)
{
	struct rmm_pcpu_chunk *c;

	rmm_lock(p->rmm, &p->lock);
	if (r->reserved && p->reserved_chunk) {
		c = p->reserved_chunk;
		*off = alloc_in_chunk(p, c, r);
		*why = "the reserved chunk is full";
		if (*off < 0)
			c = NULL;
	} else {
		*why = "no populated area is free, and an atomic request may "
		       "not wait for one";
		c = search(p, r, off);
	}
	/* A new chunk needs memory, so the lock is let go; whoever frees
	 * meanwhile may have made room elsewhere: look everywhere again. */
	while (!c && !r->atomic && !(r->reserved && p->reserved_chunk)) {
		struct rmm_pcpu_chunk *fresh = NULL;

		if (!p->slots[p->info.free_slot].first) {
			rmm_unlock(p->rmm, &p->lock);
			fresh = rmm_pcpu_create_chunk(p);
			rmm_lock(p->rmm, &p->lock);
			*why = "there is no room for a new chunk";
			if (!fresh)
				break;
			rmm_pcpu_chunk_relocate(p, fresh, -1);
		}
		c = search(p, r, off);
	}
	if (c)
		rmm_pcpu_count_alloc(p, c, r->size);
	rmm_unlock(p->rmm, &p->lock);
	return c;
}

/* Populate what is not there yet of [@off, @off + size); -ENOMEM, and the area
 * is free again. Pages populated before the failure stay. */
static int populate_area(struct rmm_pcpu *p, struct rmm_pcpu_chunk *c, int off,
			 const struct request *r)
{
	int end = (off + (int)r->size + p->page_size - 1) / p->page_size;
	int from =
		rmm_find_next_zero_bit(c->populated, end, off / p->page_size);

	while (from < end) {
		int to = rmm_find_next_bit(c->populated, end, from);
		int err = rmm_pcpu_populate_chunk(p, c, r->cpu, from, to,
						  r->gfp & PCPU_GFP);

		rmm_lock(p->rmm, &p->lock);
		if (err)
			rmm_pcpu_free_area(p, c, off);
		else
			rmm_pcpu_chunk_populated(p, c, from, to);
		rmm_unlock(p->rmm, &p->lock);
		if (err)
			return err;
		from = rmm_find_next_zero_bit(c->populated, end, to);
	}
	return 0;
}

static rmm_percpu fail(struct rmm_pcpu *p, const struct request *r,
		       const char *why)
{
	__atomic_add_fetch(&p->stat.failed, 1, __ATOMIC_RELAXED);
	/* There may be room and no pages: the worker sees to it, for the next
	 * one that cannot wait. */
	if (r->atomic) {
		RMM_WRITE(p->atomic_alloc_failed, true);
		rmm_pcpu_schedule_balance(p);
	}
	rmm_error(p->rmm, -ENOMEM, "cannot allocate %zu bytes per CPU: %s",
		  r->size, why);
	return RMM_NO_PERCPU;
}

/* The name of what is at @off of @c's units, cleared */
static rmm_percpu name_area(struct rmm_pcpu *p, const struct rmm_pcpu_chunk *c,
			    int off, size_t size)
{
	for (unsigned int cpu = 0; p->backed && cpu < p->nr_cpus; cpu++)
		memset((char *)rmm_pcpu_chunk_addr(p, c, cpu, 0) + off, 0,
		       size);
	return rmm_pcpu_name(p, c, off);
}

static rmm_percpu alloc(struct rmm_pcpu *p, const struct request *r)
{
	const char *why = NULL;
	struct rmm_pcpu_chunk *c;
	rmm_percpu ptr = RMM_NO_PERCPU;
	int off = -1;

	if (!r->atomic)
		rmm_lock(p->rmm, &p->mutex);
	c = take_area(p, r, &off, &why);
	if (c && !r->atomic && populate_area(p, c, off, r)) {
		why = "there are no pages to populate it";
		c = NULL;
	}
	if (c && RMM_READ(p->nr_empty_pop_pages) < RMM_PCPU_EMPTY_LOW)
		rmm_pcpu_schedule_balance(p);
	/* Before the mutex goes: until somebody has its name, nobody can free
	 * the area, but a message must not tell of a chunk that is gone. */
	ptr = c ? name_area(p, c, off, r->size) : fail(p, r, why);
	if (!r->atomic)
		rmm_unlock(p->rmm, &p->mutex);
	return ptr;
}

/* pcpu_alloc() */
static rmm_percpu pcpu_alloc(struct rmm *rmm, struct request r, size_t size,
			     size_t align)
{
	struct rmm_pcpu *p = rmm_pcpu_of(rmm);
	const char *bad = NULL;

	if (align < RMM_PCPU_MIN_ALLOC)
		align = RMM_PCPU_MIN_ALLOC;
	if (!p)
		bad = "rmm_percpu_init() was not called";
	else if (r.cpu >= p->nr_cpus)
		bad = "there is no such CPU";
	else if (size > SIZE_MAX - RMM_PCPU_MIN_ALLOC ||
		 is_illegal(p, (size + 3) & ~(size_t)3, align))
		bad = "the size is 0 or over 32 KiB, or the alignment is no "
		      "power of two up to a page";
	else if ((r.gfp & RMM_GFP_DIRECT_RECLAIM) && rmm_in_atomic(rmm, r.cpu))
		bad = "it may sleep, and this CPU is in an interrupt or has "
		      "preemption disabled";
	if (bad) {
		rmm_error(rmm, -EINVAL,
			  "cannot allocate %zu bytes per CPU, aligned to %zu, "
			  "on CPU %u: %s",
			  size, align, r.cpu, bad);
		return RMM_NO_PERCPU;
	}
	r.size = (size + 3) & ~(size_t)3;
	r.bits = (int)(r.size >> RMM_PCPU_SHIFT);
	r.align = (int)(align >> RMM_PCPU_SHIFT);
	r.atomic = !(r.gfp & RMM_GFP_DIRECT_RECLAIM);
	return alloc(p, &r);
}

/** rmm___alloc_percpu_gfp() - see refmm_percpu.h */
rmm_percpu rmm___alloc_percpu_gfp(struct rmm *rmm, unsigned int cpu,
				  size_t size, size_t align, unsigned int gfp)
{
	struct request r = {.cpu = cpu, .gfp = gfp};

	return pcpu_alloc(rmm, r, size, align);
}

/** rmm___alloc_percpu() - see refmm_percpu.h */
rmm_percpu rmm___alloc_percpu(struct rmm *rmm, unsigned int cpu, size_t size,
			      size_t align)
{
	return rmm___alloc_percpu_gfp(rmm, cpu, size, align, RMM_GFP_KERNEL);
}

/** rmm___alloc_reserved_percpu() - see refmm_percpu.h */
rmm_percpu rmm___alloc_reserved_percpu(struct rmm *rmm, unsigned int cpu,
				       size_t size, size_t align)
{
	struct request r = {
		.cpu = cpu,
		.gfp = RMM_GFP_KERNEL,
		.reserved = true,
	};

	return pcpu_alloc(rmm, r, size, align);
}

/* Only where one begins can it be freed: the bounds are all that is known of
 * its size. Does an allocation begin at byte @off of @c? */
static bool begins_at(const struct rmm_pcpu_chunk *c, int off)
{
	int bit = off >> RMM_PCPU_SHIFT;

	return off % RMM_PCPU_MIN_ALLOC == 0 &&
	       rmm_test_bit(c->alloc_map, bit) &&
	       rmm_test_bit(c->bound_map, bit);
}

/* After a free: is there work for the worker? One free chunk is enough. */
static bool wants_balance(struct rmm_pcpu *p, struct rmm_pcpu_chunk *c)
{
	if (!c->isolated && (size_t)c->free_bytes == p->info.unit_size) {
		struct rmm_pcpu_chunk *head = p->slots[p->info.free_slot].first;

		return head && (head != c || head->next);
	}
	if (!rmm_pcpu_should_reclaim_chunk(p, c))
		return false;
	rmm_pcpu_isolate_chunk(p, c);
	return true;
}

/** rmm_free_percpu() - see refmm_percpu.h */
int rmm_free_percpu(struct rmm *rmm, unsigned int cpu, rmm_percpu ptr)
{
	struct rmm_pcpu *p = rmm_pcpu_of(rmm);
	struct rmm_pcpu_chunk *c;
	uintptr_t addr;
	bool valid;

	(void)cpu;
	if (!ptr)
		return 0;
	if (!p)
		return rmm_error(rmm, -EINVAL,
				 "cannot free a per-CPU variable: "
				 "rmm_percpu_init() was not called");
	addr = ptr - (uintptr_t)p->page_size + p->window;
	rmm_lock(rmm, &p->lock);
	c = rmm_pcpu_addr_to_chunk(p, addr);
	valid = c && begins_at(c, (int)(addr - c->base_addr));
	if (valid) {
		rmm_pcpu_free_area(p, c, (int)(addr - c->base_addr));
		if (wants_balance(p, c))
			rmm_pcpu_schedule_balance(p);
	}
	rmm_unlock(rmm, &p->lock);
	if (valid)
		return 0;
	return rmm_error(rmm, -EINVAL,
			 "cannot free the per-CPU variable 0x%llx: %s",
			 (unsigned long long)ptr,
			 c ? "none begins there, or it is free already"
			   : "it is static, or in no chunk");
}
