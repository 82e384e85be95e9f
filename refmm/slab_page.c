/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * slab_page.c - a slab from the page allocator, and back.
 *
 * A new slab is tried with the cache's own order, without any effort: large
 * blocks are worth having, but not worth reclaim. If there is none, the order
 * that holds one object will do, and for that the caller's mask counts.
 *
 *   oo  = {3, 16}: NOWARN | NORETRY, no reclaim ----+--> slab of 16 objects
 *   min = {0, 2}:  the caller's mask ---------------+--> slab of 2 objects
 *
 * So objects per slab is a slab's own number. Then all objects are put on the
 * slab's list: in address order, or, with freelist_random, in an order drawn
 * once per cache, from a place in it drawn for each slab, so that nobody can
 * tell which object comes next to which.
 *
 * Locking: none; nobody else knows the slab yet, or any more.
 *
 * Modelled: new_slab, allocate_slab, shuffle_freelist, next_freelist_entry,
 * setup_object, free_slab, discard_slab, __free_slab, and the accounting of
 * nodes. Omitted: memory control groups. (6.12, mm/slub.c; LKD3 ch. 12 "Slab
 * Layer")
 */
#include "slab_parts.h"

/* GFP_RECLAIM_MASK | GFP_CONSTRAINT_MASK: what a caller may say about a slab,
 * which serves others too: how hard to try, and on which node, but not what
 * kind of memory */
#define CALLERS                                                                \
	(RMM_GFP_RECLAIM | RMM_GFP_HIGH | RMM_GFP_IO | RMM_GFP_FS |            \
	 RMM_GFP_NOWARN | RMM_GFP_RETRY_MAYFAIL | RMM_GFP_NOFAIL |             \
	 RMM_GFP_NORETRY | RMM_GFP_MEMALLOC | RMM_GFP_NOMEMALLOC |             \
	 RMM_GFP_HARDWALL | RMM_GFP_THISNODE)

/* alloc_slab_page(): no node in mind is the page side's quick way */
static struct rmm_page *alloc_slab_page(struct rmm_kmem_cache *s,
					unsigned int cpu, unsigned int gfp,
					int nid, unsigned int order)
{
	return nid < 0 ? rmm_alloc_pages(s->layer->rmm, cpu, gfp, order)
		       : rmm_alloc_pages_node(s->layer->rmm, cpu, nid, gfp,
					      order);
}

/* Pages of the cache's order, or of the least that will do; which: @oo */
static struct rmm_page *alloc_any_page(struct rmm_kmem_cache *s,
				       unsigned int cpu, unsigned int gfp,
				       int nid, struct rmm_order_objects *oo)
{
	unsigned int easy = (gfp | RMM_GFP_NOWARN | RMM_GFP_NORETRY) &
			    ~(unsigned int)RMM_GFP_NOFAIL;
	struct rmm_page *page;

	*oo = s->oo;
	if ((easy & RMM_GFP_DIRECT_RECLAIM) && oo->order > s->min.order)
		easy = (easy | RMM_GFP_NOMEMALLOC) &
		       ~(unsigned int)RMM_GFP_RECLAIM;
	page = alloc_slab_page(s, cpu, easy, nid, oo->order);
	if (page)
		return page;
	*oo = s->min;
	page = alloc_slab_page(s, cpu, gfp, nid, oo->order);
	if (page)
		s->cpu[cpu].stat.order_fallback++;
	return page;
}

/* setup_object(): a constructor runs once, when its slab is made, and whoever
 * frees an object leaves it as constructed */
static uintptr_t setup_object(struct rmm_kmem_cache *s, struct rmm_slab *slab,
			      unsigned int index)
{
	uintptr_t object = rmm_index_to_obj(s, slab, index);

	if (s->debug)
		rmm_init_object_debug(s, slab, object);
	if (s->ctor && s->backed)
		s->ctor((void *)object);
	return object;
}

/* next_freelist_entry(): a slab of fewer objects leaves some numbers out */
static unsigned int next_entry(const struct rmm_kmem_cache *s, unsigned int *at,
			       unsigned int objects)
{
	unsigned int index;

	do {
		index = s->random_seq[*at];
		*at = *at + 1 < s->oo.objects ? *at + 1 : 0;
	} while (index >= objects);
	return index;
}

/* build_freelist() where nothing is to be done but to link them */
static unsigned int build_plain(struct rmm_kmem_cache *s, struct rmm_slab *slab,
				unsigned int objects)
{
	uintptr_t object = slab->base, last;

	for (last = object + (objects - 1ul) * s->size; object < last;
	     object += s->size)
		rmm_set_freepointer(s, slab, object, object + s->size);
	rmm_set_freepointer(s, slab, object, 0);
	return 0;
}

/* All objects on the slab's list; returns the first one's number */
static unsigned int build_freelist(struct rmm_kmem_cache *s,
				   struct rmm_slab *slab, unsigned int objects)
{
	bool random = s->random_seq && objects > 1;
	unsigned int at = 0, first = 0;
	uintptr_t object, next;

	if (!random && !s->debug && !s->ctor)
		return build_plain(s, slab, objects);
	if (random) {
		at = (unsigned int)(rmm_slab_random(s->layer) % s->oo.objects);
		first = next_entry(s, &at, objects);
	}
	object = setup_object(s, slab, first);
	for (unsigned int i = 1; i < objects; i++) {
		next = setup_object(s, slab,
				    random ? next_entry(s, &at, objects) : i);
		rmm_set_freepointer(s, slab, object, next);
		object = next;
	}
	rmm_set_freepointer(s, slab, object, 0);
	return first;
}

/* Every frame of the slab leads to it, and the page side knows of it. */
static void set_heads(struct rmm_slab *slab, struct rmm_slab *head)
{
	const struct rmm_slab_layer *l = slab->cache->layer;
	struct rmm_page *page = &l->rmm->memmap[slab - l->slabs];
	unsigned int flags = page->flags & ~(unsigned int)RMM_PF_SLAB;

	/* __folio_set_slab(): no other CPU changes flags of a slab's page. */
	RMM_WRITE(page->flags, (uint8_t)(head ? flags | RMM_PF_SLAB : flags));
	for (unsigned int i = 0; i < 1u << slab->order; i++)
		RMM_WRITE(slab[i].head, head);
}

/* A locked instruction waits for all stores before it, and those to memory that
 * was long unused take their time: not where there is nobody else. */
static void add(const struct rmm_kmem_cache *s, uint64_t *to, int64_t n)
{
	if (s->threads)
		__atomic_fetch_add(to, (uint64_t)n, __ATOMIC_RELAXED);
	else
		*to += (uint64_t)n;
}

/* inc_slabs_node(), dec_slabs_node(): kept apart from lists, as full slabs are
 * on none */
static void count_slab(struct rmm_kmem_cache *s, const struct rmm_slab *slab,
		       int64_t slabs)
{
	struct rmm_kmem_cache_node *n = &s->node[slab->node];

	add(s, &n->nr_slabs, slabs);
	add(s, &n->total_objects, slabs * rmm_slab_word(slab).objects);
	add(s, &s->pages, slabs * ((int64_t)1 << slab->order));
}

/* Links, for objects that cannot hold them; false: no memory */
static bool make_links(struct rmm_kmem_cache *s, struct rmm_slab *slab,
		       unsigned int objects)
{
	size_t bytes = rmm_slab_meta_bytes(s, objects);

	if (!bytes)
		return true;
	slab->link = rmm_slab_meta_alloc(s->layer, bytes);
	return slab->link;
}

/** rmm_new_slab() - new_slab(): all objects free; NULL: no memory */
struct rmm_slab *rmm_new_slab(struct rmm_kmem_cache *s, unsigned int cpu,
			      unsigned int gfp, int nid)
{
	struct rmm *rmm = s->layer->rmm;
	struct rmm_slab_word word = {0};
	struct rmm_order_objects oo;
	struct rmm_page *page;
	struct rmm_slab *slab;
	rmm_pfn pfn;

	page = alloc_any_page(s, cpu, (gfp & CALLERS) | s->allocflags, nid,
			      &oo);
	if (!page)
		return NULL;
	pfn = rmm_page_to_pfn(rmm, page);
	slab = &s->layer->slabs[pfn];
	if (!make_links(s, slab, oo.objects)) {
		rmm_free_pages(rmm, cpu, page, oo.order);
		return NULL;
	}
	RMM_WRITE(slab->cache, s);
	slab->order = (uint8_t)oo.order;
	slab->node = rmm_page_zone(rmm, pfn)->node;
	slab->where = RMM_SLAB_NOWHERE;
	slab->base = (uintptr_t)rmm_page_address(rmm, page) + s->red_left_pad;
	word.objects = oo.objects & RMM_SLAB_MAX_OBJECTS;
	slab->word = word.word; /* for whoever looks on the way */
	if (s->debug)
		rmm_init_slab_debug(s, slab);
	word.freelist = (uint16_t)build_freelist(s, slab, oo.objects);
	__atomic_store_n(&slab->word, word.word, __ATOMIC_RELEASE);
	set_heads(slab, slab);
	count_slab(s, slab, 1);
	s->cpu[cpu].stat.alloc_slab++;
	return slab;
}

/** rmm_free_slab_pages() - __free_slab(): now, readers or not */
void rmm_free_slab_pages(struct rmm_kmem_cache *s, unsigned int cpu,
			 struct rmm_slab *slab)
{
	struct rmm *rmm = s->layer->rmm;
	rmm_pfn pfn = (rmm_pfn)(slab - s->layer->slabs);
	unsigned int order = slab->order;

	rmm_slab_meta_free(s->layer, slab->link,
			   rmm_slab_meta_bytes(s, rmm_slab_word(slab).objects));
	slab->link = NULL;
	set_heads(slab, NULL);
	rmm_free_pages(rmm, cpu, &rmm->memmap[pfn], order);
}

/** rmm_discard_slab() - discard_slab(): an empty slab that is on no list */
void rmm_discard_slab(struct rmm_kmem_cache *s, unsigned int cpu,
		      struct rmm_slab *slab)
{
	count_slab(s, slab, -1);
	s->cpu[cpu].stat.free_slab++;
	if (s->flags & RMM_SLAB_TYPESAFE_BY_RCU)
		rmm_slab_rcu_slab(s, slab);
	else
		rmm_free_slab_pages(s, cpu, slab);
}
