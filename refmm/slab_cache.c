/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * slab_cache.c - a cache begins, is shared, is shrunk, ends.
 *
 * Caches whose objects would look alike are one: whoever asks for a cache that
 * exists under another name gets that one, with its user counted.
 *
 *   foo   size 60 -> 64 --+
 *   bar   size 64         +--> kmalloc-64-like cache, aliases 1
 *
 *   merged if  size <= s->size < size + 8, s->size fits the alignment, and the
 *              same of RECLAIM_ACCOUNT, CACHE_DMA, CACHE_DMA32, ACCOUNT
 *   never if   constructor, usercopy region, RCU-typesafe, NO_MERGE, red zone,
 *              poison, tracking, sheaves of its own
 *
 * Locking: layer->lock over the list of caches, their users' number, and which
 * of them is dying; so a cache's last user and a new one cannot miss each
 * other. With threads, a cache must not be in use while its last user destroys
 * it, and shrinking reaches only the slabs of the CPU that asks for it, and the
 * nodes'.
 *
 * Modelled: kmem_cache_create, find_mergeable, slab_unmergeable,
 * __kmem_cache_alias, do_kmem_cache_create, init_cache_random_seq,
 * kmem_cache_destroy, __kmem_cache_shutdown. Simplified: a cache with live
 * objects is not destroyed (the kernel warns and leaks it); other CPUs are
 * flushed by the caller. Omitted: sysfs. (6.12, mm/slab_common.c, mm/slub.c;
 * LKD3 ch. 12 "Slab Layer")
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kmalloc.h"
#include "slab_parts.h"

/*
 * Users of a merged cache share one layout and one fate. So what finds damage
 * is not shared, as it would name the wrong user; nor slabs that readers look
 * into after a free, as they rely on the type. MERGE_SAME: other zones,
 * pageblocks or somebody who pays.
 */
enum {
	NEVER_MERGE = RMM_SLAB_RED_ZONE | RMM_SLAB_POISON |
		      RMM_SLAB_STORE_USER | RMM_SLAB_TYPESAFE_BY_RCU |
		      RMM_SLAB_NO_MERGE,
	MERGE_SAME = RMM_SLAB_RECLAIM_ACCOUNT | RMM_SLAB_CACHE_DMA |
		     RMM_SLAB_CACHE_DMA32 | RMM_SLAB_ACCOUNT,
	ALL_FLAGS = (RMM_SLAB_KMALLOC << 1) - 1,
	MAX_SHEAF = 4096,
};

/* What a constructor made, and what RCU readers look at, must stay in a free
 * object; so its link goes behind the object, unless the user names a word that
 * may be lost. Other objects have it in their middle anyway. */
static const char *check_freeptr(const struct rmm_kmem_cache_args *a)
{
	if (!a->use_freeptr_offset)
		return NULL;
	if (!(a->flags & RMM_SLAB_TYPESAFE_BY_RCU) && !a->ctor)
		return "freeptr_offset is for constructors and RCU only";
	if (a->freeptr_offset % sizeof(uint64_t) ||
	    a->size < sizeof(uint64_t) ||
	    a->freeptr_offset > a->size - sizeof(uint64_t))
		return "freeptr_offset is no word of the object";
	return NULL;
}

/* kmem_cache_sanity_check(), and what the kernel leaves to luck */
static const char *check_args(const struct rmm_kmem_cache_args *a)
{
	if (!a || !a->name || !a->name[0])
		return "it has no name";
	if (!a->size || a->size > RMM_SLAB_MAX_SIZE)
		return "size is not in 1..4 MiB";
	if (a->align & (a->align - 1))
		return "align is no power of two";
	if (a->align > RMM_SLAB_MAX_SIZE)
		return "align is over 4 MiB";
	if (a->flags & ~(unsigned int)ALL_FLAGS)
		return "a flag is unknown";
	if (a->usersize > a->size)
		return "usersize is over size";
	if (a->sheaf_capacity > MAX_SHEAF)
		return "sheaf_capacity is over 4096";
	return check_freeptr(a);
}

/* slab_unmergeable(): a constructor makes objects of one type only, and what
 * may be copied to user space is checked by cache */
static bool unmergeable(const struct rmm_kmem_cache *s)
{
	return s->dying || (s->flags & NEVER_MERGE) || s->ctor || s->usersize ||
	       (s->sheaf_capacity &&
		s->layer->config.sheaves == RMM_SHEAVES_CHOSEN);
}

/* find_mergeable(): the oldest cache whose objects would do; @flags with debug.
 * Within a word of the size: beyond it, sharing would waste more in each object
 * than it saves in half-empty slabs. */
static struct rmm_kmem_cache *
find_mergeable(const struct rmm_slab_layer *l,
	       const struct rmm_kmem_cache_args *a, unsigned int flags)
{
	unsigned int size = (a->size + 7) / 8 * 8;
	unsigned int align =
		rmm_calculate_alignment(&l->config, flags, a->align, size);
	bool own_sheaves =
		a->sheaf_capacity && l->config.sheaves == RMM_SHEAVES_CHOSEN;

	size = (size + align - 1) / align * align;
	if (l->config.nomerge || (flags & NEVER_MERGE) || a->ctor ||
	    a->usersize || own_sheaves)
		return NULL;
	for (struct rmm_kmem_cache *s = l->first; s; s = s->next) {
		if (unmergeable(s) || size > s->size || s->size % align ||
		    s->size - size >= sizeof(uint64_t))
			continue;
		if ((flags & MERGE_SAME) == (s->flags & MERGE_SAME))
			return s;
	}
	return NULL;
}

/* __kmem_cache_alias(): the cache serves another user too. What is cleared on
 * request is object_size, so that must be the largest user's. */
static void alias(struct rmm_kmem_cache *s, unsigned int size)
{
	unsigned int inuse = (size + 7) / 8 * 8;

	s->aliases++;
	if (size > s->object_size)
		s->object_size = size;
	if (inuse > s->inuse)
		s->inuse = inuse;
}

/* init_cache_random_seq(): all numbers of objects, shuffled (Fisher and Yates).
 * Once for a cache, as a new slab has no time for it; each slab begins at
 * another place of the sequence. */
static bool init_random_seq(struct rmm_kmem_cache *s)
{
	unsigned int nr = s->oo.objects;

	if (!s->layer->config.freelist_random || nr < 2)
		return true;
	s->random_seq = rmm_slab_meta_alloc(s->layer, nr * sizeof(uint16_t));
	if (!s->random_seq)
		return false;
	for (unsigned int i = 0; i < nr; i++)
		s->random_seq[i] = (uint16_t)i;
	for (unsigned int i = nr - 1; i > 0; i--) {
		unsigned int k =
			(unsigned int)(rmm_slab_random(s->layer) % (i + 1));
		uint16_t was = s->random_seq[i];

		s->random_seq[i] = s->random_seq[k];
		s->random_seq[k] = was;
	}
	return true;
}

/* The end of a cache, or of one that could not be made: no slab is left, and
 * what is not there was never asked for */
static void release(struct rmm_kmem_cache *s)
{
	struct rmm_slab_layer *l = s->layer;
	const struct rmm *rmm = l->rmm;

	if (s->cpu && s->node)
		rmm_destroy_sheaves(s);
	rmm_slab_meta_free(l, s->random_seq, s->oo.objects * sizeof(uint16_t));
	rmm_slab_meta_free(l, s->node, rmm->nr_nodes * sizeof(*s->node));
	rmm_slab_meta_free(l, s->cpu, s->nr_cpus * sizeof(*s->cpu));
	if (s->name)
		rmm_slab_meta_free(l, s->name, strlen(s->name) + 1);
	rmm_slab_meta_free(l, s, sizeof(*s));
}

/* Everything that one fast look must tell, in s->watch */
static void set_watch(struct rmm_kmem_cache *s)
{
	s->watch = s->backed ? RMM_GFP_ZERO : 0;
	if (s->debug || s->sheaf_capacity)
		s->watch |= RMM_WATCH_ALL;
}

/* What a CPU's fast paths need of the cache, beside what it allocates from */
static void init_cpus(struct rmm_kmem_cache *s)
{
	for (unsigned int i = 0; i < s->nr_cpus; i++) {
		s->cpu[i].offset = s->offset;
		s->cpu[i].multiple = UINT64_MAX / s->size + 1;
		s->cpu[i].random = s->random;
	}
}

/* Fields that need no memory; false: no slab can hold such an object */
static bool describe(struct rmm_kmem_cache *s, struct rmm_slab_layer *l,
		     const struct rmm_kmem_cache_args *a, unsigned int flags)
{
	s->layer = l;
	s->nr_cpus = l->rmm->config.nr_cpus;
	s->backed = l->rmm->arena;
	s->threads = l->threads;
	s->object_size = a->size;
	s->flags = flags;
	s->align =
		rmm_calculate_alignment(&l->config, flags, a->align, a->size);
	s->ctor = a->ctor;
	s->usersize = a->usersize;
	s->debug = flags & RMM_SLAB_DEBUG_FLAGS;
	s->cpu_slabs = !s->debug && l->config.sheaves != RMM_SHEAVES_ALL;
	/* Of each cache: what leaks from one tells nothing of another. */
	s->random = rmm_slab_random(l);
	if (!rmm_calculate_sizes(s, a) ||
	    s->oo.order + l->page_shift > RMM_SLAB_MAX_SHIFT ||
	    s->min.order + l->page_shift > RMM_SLAB_MAX_SHIFT)
		return false;
	rmm_set_min_partial(s);
	rmm_set_cpu_partial(s);
	rmm_set_sheaf_capacity(s, a->sheaf_capacity);
	set_watch(s);
	return true;
}

/* do_kmem_cache_create(); -ENOMEM, -EINVAL: too large for any slab */
static int create(struct rmm_slab_layer *l, const struct rmm_kmem_cache_args *a,
		  unsigned int flags, struct rmm_kmem_cache **out)
{
	struct rmm_kmem_cache *s = rmm_slab_meta_alloc(l, sizeof(*s));
	size_t name = strlen(a->name) + 1;

	if (!s)
		return -ENOMEM;
	if (!describe(s, l, a, flags)) {
		rmm_slab_meta_free(l, s, sizeof(*s));
		return -EINVAL;
	}
	s->name = rmm_slab_meta_alloc(l, name);
	s->cpu = rmm_slab_meta_alloc(l, s->nr_cpus * sizeof(*s->cpu));
	s->node = rmm_slab_meta_alloc(l, l->rmm->nr_nodes * sizeof(*s->node));
	if (s->name)
		memcpy(s->name, a->name, name);
	if (!s->name || !s->cpu || !s->node || !init_random_seq(s) ||
	    !rmm_create_sheaves(s)) {
		release(s);
		return -ENOMEM;
	}
	init_cpus(s);
	*out = s;
	return 0;
}

/* At the end: the list is in order of creation. The kernel adds at the
 * head, and looks through its list from the tail. */
static void enlist(struct rmm_slab_layer *l, struct rmm_kmem_cache *s)
{
	s->prev = l->last;
	if (l->last)
		l->last->next = s;
	else
		l->first = s;
	l->last = s;
}

static void delist(struct rmm_slab_layer *l, const struct rmm_kmem_cache *s)
{
	if (s->prev)
		s->prev->next = s->next;
	else
		l->first = s->next;
	if (s->next)
		s->next->prev = s->prev;
	else
		l->last = s->prev;
}

/** rmm_kmem_cache_create() - kmem_cache_create() */
struct rmm_kmem_cache *
rmm_kmem_cache_create(struct rmm *rmm, const struct rmm_kmem_cache_args *args)
{
	struct rmm_slab_layer *l = rmm_slab_layer(rmm);
	const char *bad = l ? check_args(args) : "call rmm_kmem_cache_init()";
	const char *name = args && args->name ? args->name : "(none)";
	struct rmm_kmem_cache *s;
	unsigned int flags;
	int err = 0;

	if (bad) {
		rmm_error(rmm, -EINVAL, "cannot create cache %.40s: %s", name,
			  bad);
		return NULL;
	}
	flags = args->flags | l->config.debug;
	rmm_lock(rmm, &l->lock);
	s = find_mergeable(l, args, flags);
	if (s) {
		alias(s, args->size);
	} else {
		err = create(l, args, flags, &s);
		if (!err)
			enlist(l, s);
	}
	rmm_unlock(rmm, &l->lock);
	if (!err)
		return s;
	rmm_error(rmm, err, "cannot create cache %.40s: %s", args->name,
		  err == -ENOMEM ? "out of memory for its own records"
				 : "no slab holds an object of its size");
	return NULL;
}

/* Slabs of a node's list, all of them empty: whoever had objects of them was
 * counted before */
static void free_partial(struct rmm_kmem_cache *s, unsigned int cpu,
			 struct rmm_kmem_cache_node *n)
{
	struct rmm_slab *slab;

	while ((slab = n->partial.first)) {
		rmm_slab_list_del(&n->partial, slab);
		RMM_WRITE(slab->where, RMM_SLAB_NOWHERE);
		rmm_discard_slab(s, cpu, slab);
	}
}

/* __kmem_cache_shutdown(): give back all slabs, none of which is in use. What
 * comes out of sheaves and barns may get into CPUs' slabs and lists again, so
 * these come last; slabs of a typesafe cache need a grace period more. */
static void shut_down(struct rmm_kmem_cache *s, unsigned int cpu)
{
	struct rmm *rmm = s->layer->rmm;

	for (unsigned int i = 0; i < s->nr_cpus; i++) {
		rmm_flush_pcs(s, cpu, i);
		rmm_flush_cpu_slab(s, cpu, i);
	}
	rmm_shrink_barns(s, cpu);
	for (unsigned int i = 0; i < s->nr_cpus; i++)
		rmm_flush_cpu_slab(s, cpu, i);
	for (unsigned int i = 0; i < rmm->nr_nodes; i++)
		free_partial(s, cpu, &s->node[i]);
	rmm_rcu_barrier(rmm, cpu);
}

/* Why a cache cannot go */
struct users {
	uint64_t live; /* objects */
	const struct rmm_slab *slab;
	uintptr_t object;		/* one of them, in `slab` */
	const struct rmm_slab *damaged; /* one that was taken out of use */
};

static void count_users(const struct rmm_kmem_cache *s,
			const struct rmm_slab *slab, struct users *u)
{
	if (slab->damaged) {
		u->damaged = slab;
		return;
	}
	for (unsigned int i = 0; i < rmm_slab_word(slab).objects; i++) {
		uintptr_t object = rmm_index_to_obj(s, slab, i);

		if (rmm_object_is_live(s, slab, object) && !u->live++) {
			u->slab = slab;
			u->object = object;
		}
	}
}

/* Objects live: how many, and whose one of them is. If none does, a slab was
 * damaged, all @objects of which count as in use for ever; or somebody has
 * written into one, so that it looks free. */
static int busy(const struct rmm_kmem_cache *s, uint64_t objects)
{
	struct rmm *rmm = s->layer->rmm;
	struct rmm_slab_report report = {.verb = "destroy the cache of"};
	struct users u = {0};
	char what[64];

	for (rmm_pfn pfn = 0; pfn < rmm->end_pfn; pfn++) {
		const struct rmm_slab *slab = &s->layer->slabs[pfn];

		/* Slabs of other caches may come and go meanwhile. */
		if (RMM_READ(slab->head) != slab || RMM_READ(slab->cache) != s)
			continue;
		count_users(s, slab, &u);
	}
	if (!u.live && !u.damaged)
		return rmm_error(rmm, -EBUSY,
				 "cannot destroy cache %.40s: %llu objects "
				 "are in use, and were written to like free "
				 "ones",
				 s->name, (unsigned long long)objects);
	if (!u.live)
		return rmm_error(
			rmm, -EBUSY,
			"cannot destroy cache %.40s: its slab at pfn "
			"%llu is damaged, and not given back so that "
			"nobody trusts it; no other object is in use",
			s->name,
			(unsigned long long)(u.damaged - s->layer->slabs));
	snprintf(what, sizeof(what), "%llu objects are in use%s",
		 (unsigned long long)u.live,
		 u.damaged ? ", and a slab is damaged" : "");
	report.slab = u.slab;
	report.object = u.object;
	report.what = what;
	return rmm_slab_error(rmm, -EBUSY, &report);
}

/* Objects that were freed but for their readers must not keep the cache: also
 * those that another CPU, which is not at work any more, has gathered. */
static void finish_rcu(struct rmm_kmem_cache *s, unsigned int cpu)
{
	struct rmm *rmm = s->layer->rmm;

	/* That CPU may be in rmm_rcu_barrier(), and find its sheaf, too. */
	rmm_lock(rmm, &s->layer->lock);
	for (unsigned int i = 0; i < s->nr_cpus; i++) {
		if (s->cpu[i].rcu_free)
			rmm_slab_rcu_sheaf(s->layer, s->cpu[i].rcu_free);
		s->cpu[i].rcu_free = NULL;
	}
	rmm_unlock(rmm, &s->layer->lock);
	rmm_rcu_barrier(rmm, cpu);
}

/* A user goes; true: it was the last, and from now on the cache is nobody's
 * alias. Counted and marked at once, or a new user could come in between. */
static bool last_user_goes(struct rmm_kmem_cache *s)
{
	struct rmm_slab_layer *l = s->layer;
	bool last;

	rmm_lock(l->rmm, &l->lock);
	last = !s->aliases;
	if (last)
		s->dying = true;
	else
		s->aliases--;
	rmm_unlock(l->rmm, &l->lock);
	return last;
}

/* The end of a dying cache: @err, it lives on; else it leaves the list */
static void settle(struct rmm_kmem_cache *s, int err)
{
	struct rmm_slab_layer *l = s->layer;

	rmm_lock(l->rmm, &l->lock);
	s->dying = false;
	if (!err)
		delist(l, s);
	rmm_unlock(l->rmm, &l->lock);
	if (!err)
		release(s);
}

/** rmm_kmem_cache_destroy() - kmem_cache_destroy() */
int rmm_kmem_cache_destroy(struct rmm *rmm, unsigned int cpu,
			   struct rmm_kmem_cache *s)
{
	struct rmm_kmem_cache_info info;
	int err = 0;

	if (!s)
		return 0;
	if (cpu >= s->nr_cpus)
		return rmm_error(rmm, -EINVAL,
				 "cannot destroy cache %.40s on CPU %u: there "
				 "are %u",
				 s->name, cpu, s->nr_cpus);
	/* The kernel keeps its own by a count that never gets to 0; they have
	 * no aliases, as all of them may be copied to user space. */
	if (rmm_is_kmalloc_cache(s))
		return rmm_error(
			rmm, -EINVAL,
			"cannot destroy cache %.40s: it is kmalloc()'s",
			s->name);
	if (!last_user_goes(s))
		return 0;
	finish_rcu(s, cpu);
	rmm_kmem_cache_info(rmm, s, &info);
	if (info.objects)
		err = busy(s, info.objects);
	else
		shut_down(s, cpu);
	settle(s, err);
	return err;
}
