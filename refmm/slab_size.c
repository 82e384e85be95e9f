/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * slab_size.c - how large an object becomes, how many make a slab, and how many
 * slabs may wait.
 *
 * An object of `object_size` bytes takes `size`, parts left out that the flags
 * do not ask for:
 *
 *   |<- red_left_pad ->|<- object_size ->|pad|freeptr| tracks |red|  pad  |
 *                      ^ object          ^inuse                     aligned
 *
 * The free pointer lies in the middle of the object, out of reach of small
 * overruns of its neighbours, unless the bytes of a free object matter to
 * somebody: a constructor, RCU readers, poison.
 *
 *   objects = (page size << order) / size,  waste = the remainder
 *
 * The order is the smallest that holds min_objects and wastes at most 1/16 of
 * the slab; else 1/8, 1/4, 1/2. min_objects grows with the CPUs, since all of
 * them come for slabs to the same lock.
 *
 * Locking: none.
 *
 * Modelled: calculate_alignment, calculate_order (also 6.1's, which gives up
 * objects instead of accepting half a slab of waste), calculate_sizes,
 * set_cpu_partial, set_min_partial. Omitted: KASAN's room. (6.12 and 6.1,
 * mm/slub.c, mm/slab_common.c; LKD3 ch. 12 "Slab Layer")
 */
#include "slab_parts.h"

#define ALIGN_UP(x, to) (((x) + (to)-1) / (to) * (to))

static unsigned int max_u(unsigned int a, unsigned int b)
{
	return a > b ? a : b;
}

static unsigned int min_u(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/* fls(): number of bits that @x needs */
static unsigned int bits_of(unsigned int x)
{
	return x ? 32 - (unsigned int)__builtin_clz(x) : 0;
}

/** rmm_calculate_alignment() - of objects of @size: at least a word; a cache
 *  line with HWCACHE_ALIGN, but for small ones, which share it */
unsigned int rmm_calculate_alignment(const struct rmm_slab_config *c,
				     unsigned int flags, unsigned int align,
				     unsigned int size)
{
	unsigned int line = c->cache_line_size;

	if (flags & RMM_SLAB_HWCACHE_ALIGN) {
		while (size <= line / 2)
			line /= 2;
		align = max_u(align, line);
	}
	return ALIGN_UP(max_u(align, sizeof(uint64_t)),
			(unsigned int)sizeof(uint64_t));
}

/* get_order(): of the smallest block of at least @bytes */
static unsigned int order_of(const struct rmm_slab_layer *l, uint64_t bytes)
{
	unsigned int order = 0;

	while (1ull << (l->page_shift + order) < bytes)
		order++;
	return order;
}

/* order_objects() */
static unsigned int order_objects(const struct rmm_slab_layer *l,
				  unsigned int order, unsigned int size)
{
	return (unsigned int)((1ull << (l->page_shift + order)) / size);
}

/* calc_slab_order(): the first order from @order on that wastes at most
 * 1/@fraction; over max_order: none */
static unsigned int calc_slab_order(const struct rmm_slab_layer *l,
				    unsigned int size, unsigned int order,
				    unsigned int fraction)
{
	for (; order <= l->config.max_order; order++) {
		uint64_t bytes = 1ull << (l->page_shift + order);

		if (bytes % size <= bytes / fraction)
			break;
	}
	return order;
}

static unsigned int min_objects_of(const struct rmm_slab_layer *l,
				   unsigned int size)
{
	unsigned int nr = l->config.min_objects;
	unsigned int most = order_objects(l, l->config.max_order, size);

	if (!nr)
		nr = 4 * (bits_of(l->config.nr_cpus) + 1);
	return min_u(nr, most);
}

/* calculate_order() before 6.8: fewer objects rather than more waste */
static unsigned int calculate_order_61(const struct rmm_slab_layer *l,
				       unsigned int size)
{
	unsigned int max_order = l->config.max_order;

	for (unsigned int nr = min_objects_of(l, size); nr > 1; nr--) {
		unsigned int first = max_u(l->config.min_order,
					   order_of(l, (uint64_t)nr * size));

		for (unsigned int f = 16; f >= 4; f /= 2) {
			unsigned int order = calc_slab_order(l, size, first, f);

			if (order <= max_order)
				return order;
		}
	}
	return max_u(l->config.min_order, order_of(l, size));
}

static unsigned int calculate_order(const struct rmm_slab_layer *l,
				    unsigned int size)
{
	unsigned int nr = max_u(min_objects_of(l, size), 1);
	unsigned int first =
		max_u(l->config.min_order, order_of(l, (uint64_t)nr * size));

	for (unsigned int f = 16; f > 1; f /= 2) {
		unsigned int order = calc_slab_order(l, size, first, f);

		if (order <= l->config.max_order)
			return order;
	}
	return order_of(l, size);
}

/** rmm_calculate_order() - of slabs of objects of @size; -1: too large */
int rmm_calculate_order(const struct rmm_slab_layer *l, unsigned int size)
{
	unsigned int order;

	if (l->config.order_61)
		order = calculate_order_61(l, size);
	else
		order = calculate_order(l, size);
	if (order_objects(l, order, size) > RMM_SLAB_MAX_OBJECTS)
		order = order_of(l, (uint64_t)size * RMM_SLAB_MAX_OBJECTS) - 1;
	return order <= l->rmm->config.max_order ? (int)order : -1;
}

static struct rmm_order_objects make_oo(const struct rmm_slab_layer *l,
					unsigned int order, unsigned int size)
{
	return (struct rmm_order_objects){
		.order = order,
		.objects = min_u(order_objects(l, order, size),
				 RMM_SLAB_MAX_OBJECTS),
	};
}

/* Must the free pointer stay out of the object? */
static bool freeptr_outside(const struct rmm_kmem_cache *s,
			    const struct rmm_kmem_cache_args *args)
{
	unsigned int orig = RMM_SLAB_STORE_USER | RMM_SLAB_KMALLOC;

	if (s->flags & RMM_SLAB_POISON)
		return true;
	if ((s->flags & RMM_SLAB_TYPESAFE_BY_RCU || s->ctor) &&
	    !args->use_freeptr_offset)
		return true;
	return (s->flags & RMM_SLAB_RED_ZONE) &&
	       (s->object_size < sizeof(uint64_t) || (s->flags & orig) == orig);
}

/* Where the free pointer lies; what comes behind it begins there */
static unsigned int place_freeptr(struct rmm_kmem_cache *s,
				  const struct rmm_kmem_cache_args *args)
{
	const unsigned int word = sizeof(uint64_t);

	if (freeptr_outside(s, args)) {
		s->offset = s->inuse;
		return s->inuse + word;
	}
	if (args->use_freeptr_offset)
		s->offset = args->freeptr_offset;
	else
		s->offset = s->object_size / 2 / word * word;
	return s->inuse;
}

static unsigned int slab_allocflags(unsigned int flags)
{
	return RMM_GFP_COMP | (flags & RMM_SLAB_CACHE_DMA ? RMM_GFP_DMA : 0) |
	       (flags & RMM_SLAB_CACHE_DMA32 ? RMM_GFP_DMA32 : 0) |
	       (flags & RMM_SLAB_RECLAIM_ACCOUNT ? RMM_GFP_RECLAIMABLE : 0);
}

/**
 * rmm_calculate_sizes() - calculate_sizes(): from object_size, align, flags and
 * ctor to everything else
 *
 * Return: false if no slab can hold such an object.
 */
bool rmm_calculate_sizes(struct rmm_kmem_cache *s,
			 const struct rmm_kmem_cache_args *args)
{
	const unsigned int word = sizeof(uint64_t);
	unsigned int size = ALIGN_UP(s->object_size, word);
	int order;

	s->object_poison = (s->flags & RMM_SLAB_POISON) && !s->ctor &&
			   !(s->flags & RMM_SLAB_TYPESAFE_BY_RCU);
	/* Room for a red zone, if rounding up leaves none */
	if ((s->flags & RMM_SLAB_RED_ZONE) && size == s->object_size)
		size += word;
	s->inuse = size;
	size = place_freeptr(s, args);
	if (s->flags & RMM_SLAB_STORE_USER) {
		size += 2 * (unsigned int)sizeof(struct rmm_track);
		if (s->flags & RMM_SLAB_KMALLOC)
			size += word; /* the size that was asked for */
	}
	if (s->flags & RMM_SLAB_RED_ZONE) {
		s->red_left_pad = ALIGN_UP(word, s->align);
		size += word + s->red_left_pad;
	}
	s->size = ALIGN_UP(size, s->align);
	order = rmm_calculate_order(s->layer, s->size);
	if (order < 0)
		return false;
	s->allocflags = slab_allocflags(s->flags);
	s->oo = make_oo(s->layer, (unsigned int)order, s->size);
	s->min = make_oo(s->layer, order_of(s->layer, s->size), s->size);
	s->reciprocal = ((1ull << RMM_SLAB_RECIPROCAL) + s->size - 1) / s->size;
	return s->oo.objects > 0;
}

/** rmm_set_cpu_partial() - set_cpu_partial(): free objects a CPU may hold in
 *  partial slabs, and how many slabs that is if each is half full */
void rmm_set_cpu_partial(struct rmm_kmem_cache *s)
{
	unsigned int nr;

	if (!s->cpu_slabs || !s->layer->config.cpu_partial)
		nr = 0;
	else if (s->size >= 1u << s->layer->page_shift)
		nr = 6;
	else if (s->size >= 1024)
		nr = 24;
	else if (s->size >= 256)
		nr = 52;
	else
		nr = 120;
	s->cpu_partial = nr;
	s->cpu_partial_slabs = (2 * nr + s->oo.objects - 1) / s->oo.objects;
}

/** rmm_set_min_partial() - set_min_partial(): empty slabs a node may keep */
void rmm_set_min_partial(struct rmm_kmem_cache *s)
{
	unsigned int nr = (bits_of(s->size) - 1) / 2;

	s->min_partial = min_u(max_u(nr, 5), 10);
}
