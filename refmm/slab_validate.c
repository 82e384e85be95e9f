/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * slab_validate.c - does everything that the slab layer's files promise hold?
 *
 * Places are walked first: CPUs' lists and slabs, nodes' lists, sheaves. Each
 * object found free there is noted; then all slabs are walked, by their frames:
 *
 *   no object is found twice			(one place for each)
 *   found free + live = objects		(live: its free pointer is none)
 *   on its own list = objects - inuse		(the word)
 *   found on a list only if `where` says so, and then once
 *   nr_slabs, total_objects, list counts = what was found
 *   each frame of a slab leads to it, and is allocated as one block (SLAB)
 *   frozen = a CPU's slab
 *
 * Locking: the machine must be at rest.
 *
 * Modelled: validate_slab_cache and what it leaves out. (6.12, mm/slub.c)
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "slab_parts.h"

struct check {
	const struct rmm_slab_layer *l;
	const struct rmm_kmem_cache *s;
	char *msg;
	size_t size;
	uint64_t slabs, objects; /* of `s`, found by walking frames */
	uint64_t pages;
	uint64_t listed;    /* slabs seen on lists, CPUs' own included */
	uint64_t in_places; /* free objects found off their slab's list */
	uint64_t strays;    /* free by pointer, not on their slab's list */
	/* All free objects that were found, wherever */
	uintptr_t *found;
	size_t nr_found, room;
};

__attribute__((format(printf, 2, 3))) static int broken(const struct check *c,
							const char *fmt, ...)
{
	size_t at = 0;
	va_list ap;

	if (c->msg && c->size) {
		snprintf(c->msg, c->size, "cache %.40s: ", c->s->name);
		at = strlen(c->msg);
		va_start(ap, fmt);
		vsnprintf(c->msg + at, c->size - at, fmt, ap);
		va_end(ap);
	}
	return -EUCLEAN;
}

static unsigned long long pfn_of(const struct check *c,
				 const struct rmm_slab *slab)
{
	return (unsigned long long)(slab - c->l->slabs);
}

/* Note where a free object was found: nowhere else may it be. */
static int note(struct check *c, uintptr_t object)
{
	size_t room = c->room ? 2 * c->room : 1024;
	uintptr_t *more;

	if (c->nr_found == c->room) {
		more = realloc(c->found, room * sizeof(*more));
		if (!more)
			return broken(c, "no memory to look for it");
		c->found = more;
		c->room = room;
	}
	c->found[c->nr_found++] = object;
	return 0;
}

/* For qsort() */
static int by_address(const void *a, const void *b)
{
	uintptr_t x = *(const uintptr_t *)a, y = *(const uintptr_t *)b;

	return (x > y) - (x < y);
}

/* Sorted, equal neighbours are one object in two places. */
static int check_once(const struct check *c)
{
	if (c->nr_found)
		qsort(c->found, c->nr_found, sizeof(*c->found), by_address);
	for (size_t i = 1; i < c->nr_found; i++)
		if (c->found[i] == c->found[i - 1])
			return broken(c, "0x%llx is free twice",
				      (unsigned long long)c->found[i]);
	return 0;
}

/* A free object off its slab's list: in its place, and free by its pointer */
static int check_place(struct check *c, uintptr_t object, const char *place)
{
	const struct rmm_slab *slab = rmm_virt_to_slab(c->l, object);

	if (!slab || slab->cache != c->s || !rmm_is_object(c->s, slab, object))
		return broken(c, "0x%llx in a %s is no object of it",
			      (unsigned long long)object, place);
	if (rmm_object_is_live(c->s, slab, object))
		return broken(c, "0x%llx in a %s is live",
			      (unsigned long long)object, place);
	c->in_places++;
	return note(c, object);
}

/* The CPU's slab: frozen, and all on the CPU's list is of it */
static int check_cpu_freelist(struct check *c,
			      const struct rmm_kmem_cache_cpu *cpu)
{
	uint64_t nr = 0;

	if (!cpu->slab)
		return cpu->freelist ? broken(c, "a freelist without a slab")
				     : 0;
	if (!rmm_slab_word(cpu->slab).frozen)
		return broken(c, "a CPU's slab at pfn %llu is not frozen",
			      pfn_of(c, cpu->slab));
	for (uintptr_t o = cpu->freelist; o;
	     o = rmm_get_freepointer(c->s, cpu->slab, o)) {
		int err = check_place(c, o, "CPU's freelist");

		if (err)
			return err;
		if (rmm_virt_to_slab(c->l, o) != cpu->slab ||
		    ++nr > rmm_slab_word(cpu->slab).objects)
			return broken(c,
				      "the freelist of the CPU's slab at "
				      "pfn %llu leads astray",
				      pfn_of(c, cpu->slab));
	}
	c->listed++;
	return 0;
}

/* Those of a barn are full; a CPU's may hold any number */
static int check_sheaf(struct check *c, const struct rmm_sheaf *sheaf,
		       bool must_be_full)
{
	if (!sheaf)
		return 0;
	if (sheaf->size > c->s->sheaf_capacity || sheaf->cache != c->s ||
	    (must_be_full && sheaf->size != c->s->sheaf_capacity))
		return broken(c, "a sheaf holds %u objects of %u", sheaf->size,
			      c->s->sheaf_capacity);
	for (unsigned int i = 0; i < sheaf->size; i++) {
		int err = check_place(c, (uintptr_t)sheaf->objects[i], "sheaf");

		if (err)
			return err;
	}
	return 0;
}

/* A CPU's partial slabs: each knows how many are below it */
static int check_cpu_partial(struct check *c,
			     const struct rmm_kmem_cache_cpu *cpu)
{
	for (const struct rmm_slab *p = cpu->partial; p; p = p->next) {
		struct rmm_slab_word word = rmm_slab_word(p);

		if (word.frozen || word.freelist == RMM_SLAB_NIL)
			return broken(c,
				      "pfn %llu is on a CPU's list: frozen, "
				      "or full",
				      pfn_of(c, p));
		if (p->where != RMM_SLAB_ON_CPU ||
		    p->slabs != 1 + (p->next ? p->next->slabs : 0))
			return broken(c,
				      "pfn %llu is on a CPU's list, as "
				      "number %u of it, state %u",
				      pfn_of(c, p), p->slabs, p->where);
		c->listed++;
	}
	return 0;
}

static int check_cpu(struct check *c, const struct rmm_kmem_cache_cpu *cpu)
{
	int err = check_cpu_freelist(c, cpu);

	if (!err)
		err = check_cpu_partial(c, cpu);
	if (!err && c->s->sheaf_capacity && !cpu->main)
		err = broken(c, "a CPU has no main sheaf");
	if (!err)
		err = check_sheaf(c, cpu->main, false);
	return err ? err : check_sheaf(c, cpu->spare, false);
}

/* A node's list: linked both ways, counted, with members that belong there */
static int check_list(struct check *c, const struct rmm_slab_list *list,
		      unsigned int where, uint8_t node)
{
	const struct rmm_slab *prev = NULL;
	uint64_t nr = 0;

	for (const struct rmm_slab *p = list->first; p; p = p->next) {
		if (p->where != where || p->node != node || p->prev != prev ||
		    p->cache != c->s || rmm_slab_word(p).frozen)
			return broken(c,
				      "pfn %llu is on a list of node %u: "
				      "state %u, node %u",
				      pfn_of(c, p), node, p->where, p->node);
		if ((rmm_slab_word(p).freelist == RMM_SLAB_NIL) !=
		    (where == RMM_SLAB_ON_FULL))
			return broken(c,
				      "pfn %llu is on the wrong list for "
				      "its free objects",
				      pfn_of(c, p));
		if (++nr > list->count)
			break;
		prev = p;
	}
	c->listed += nr;
	if (nr != list->count || list->last != prev)
		return broken(c, "node %u: %llu slabs on a list of %llu", node,
			      (unsigned long long)nr,
			      (unsigned long long)list->count);
	return 0;
}

static int check_node(struct check *c, uint8_t nid)
{
	const struct rmm_kmem_cache_node *n = &c->s->node[nid];
	unsigned int full = 0;
	int err = check_list(c, &n->partial, RMM_SLAB_ON_PARTIAL, nid);

	if (!err)
		err = check_list(c, &n->full, RMM_SLAB_ON_FULL, nid);
	for (const struct rmm_sheaf *f = n->sheaves_full; f && !err;
	     f = f->next) {
		err = check_sheaf(c, f, true);
		full++;
	}
	if (!err && full != n->nr_full)
		err = broken(c, "node %u: %u full sheaves, counter says %u",
			     nid, full, n->nr_full);
	return err;
}

/* The slab's own list against its word, and every object's free pointer */
static int check_objects(struct check *c, const struct rmm_slab *slab)
{
	struct rmm_slab_word word = rmm_slab_word(slab);
	unsigned int on_list = 0, free = 0;
	uintptr_t o = word.freelist == RMM_SLAB_NIL
			      ? 0
			      : rmm_index_to_obj(c->s, slab, word.freelist);

	for (; o && on_list <= word.objects; on_list++) {
		if (!rmm_is_object(c->s, slab, o) ||
		    rmm_object_is_live(c->s, slab, o))
			return broken(c,
				      "0x%llx on the list of pfn %llu is "
				      "live, or no object",
				      (unsigned long long)o, pfn_of(c, slab));
		if (note(c, o))
			return -EUCLEAN;
		o = rmm_get_freepointer(c->s, slab, o);
	}
	if (word.inuse > word.objects || on_list + word.inuse != word.objects)
		return broken(c,
			      "pfn %llu: %u objects on its list, %u of %u "
			      "in use",
			      pfn_of(c, slab), on_list, word.inuse,
			      word.objects);
	for (unsigned int i = 0; i < word.objects; i++)
		free += !rmm_object_is_live(c->s, slab,
					    rmm_index_to_obj(c->s, slab, i));
	if (!slab->damaged)
		c->strays += free - on_list;
	return 0;
}

/* The page side must agree: one allocated block, every frame of which leads to
 * its first */
static int check_frames(const struct check *c, const struct rmm_slab *slab)
{
	const struct rmm *rmm = c->l->rmm;
	const struct rmm_page *page = &rmm->memmap[slab - c->l->slabs];

	if (page->state != RMM_PG_ALLOCATED || page->order != slab->order)
		return broken(c,
			      "pfn %llu: a slab of order %u in a page of "
			      "state %u, order %u",
			      pfn_of(c, slab), slab->order, page->state,
			      page->order);
	if (!(page->flags & RMM_PF_SLAB))
		return broken(c,
			      "pfn %llu: a slab that the page side would free",
			      pfn_of(c, slab));
	for (unsigned int i = 1; i < 1u << slab->order; i++)
		if (slab[i].head != slab)
			return broken(c, "pfn %llu does not lead to its slab",
				      pfn_of(c, slab) + i);
	return 0;
}

/* All slabs of the cache, by their frames */
static int check_slabs(struct check *c)
{
	const struct rmm *rmm = c->l->rmm;
	uint64_t somewhere = 0;

	for (rmm_pfn pfn = 0; pfn < rmm->end_pfn; pfn++) {
		const struct rmm_slab *slab = &c->l->slabs[pfn];
		int err;

		if (rmm->memmap[pfn].state != RMM_PG_ALLOCATED ||
		    slab->head != slab || slab->cache != c->s)
			continue;
		err = check_frames(c, slab);
		if (!err)
			err = check_objects(c, slab);
		if (err)
			return err;
		if (slab->where == RMM_SLAB_IN_RCU)
			continue;
		c->slabs++;
		c->objects += rmm_slab_word(slab).objects;
		c->pages += 1ull << slab->order;
		somewhere += slab->where != RMM_SLAB_NOWHERE ||
			     rmm_slab_word(slab).frozen;
		if (slab->where == RMM_SLAB_NOWHERE &&
		    !rmm_slab_word(slab).frozen &&
		    rmm_slab_word(slab).freelist != RMM_SLAB_NIL)
			return broken(c,
				      "pfn %llu has free objects and is on "
				      "no list",
				      pfn_of(c, slab));
	}
	if (somewhere != c->listed)
		return broken(c, "%llu slabs are on lists, %llu say so",
			      (unsigned long long)c->listed,
			      (unsigned long long)somewhere);
	return 0;
}

/* What was found against what is counted as it happens */
static int check_sums(const struct check *c)
{
	uint64_t slabs = 0, objects = 0;

	for (unsigned int i = 0; i < c->l->rmm->nr_nodes; i++) {
		slabs += c->s->node[i].nr_slabs;
		objects += c->s->node[i].total_objects;
	}
	if (slabs != c->slabs || objects != c->objects)
		return broken(c,
			      "%llu slabs of %llu objects, counters say "
			      "%llu, %llu",
			      (unsigned long long)c->slabs,
			      (unsigned long long)c->objects,
			      (unsigned long long)slabs,
			      (unsigned long long)objects);
	if (c->pages != c->s->pages)
		return broken(c, "%llu pages in slabs, counter says %llu",
			      (unsigned long long)c->pages,
			      (unsigned long long)c->s->pages);
	if (c->strays != c->in_places)
		return broken(c,
			      "%llu free objects off their slabs' lists, "
			      "%llu of them found",
			      (unsigned long long)c->strays,
			      (unsigned long long)c->in_places);
	return 0;
}

static int check_cache(struct check *c)
{
	int err = 0;

	for (unsigned int i = 0; !err && i < c->s->nr_cpus; i++)
		err = check_cpu(c, &c->s->cpu[i]);
	for (unsigned int i = 0; !err && i < c->l->rmm->nr_nodes; i++)
		err = check_node(c, (uint8_t)i);
	if (!err)
		err = check_slabs(c);
	if (!err)
		err = check_once(c);
	free(c->found);
	return err ? err : check_sums(c);
}

/** rmm_slab_validate() - the slab layer's part of rmm_validate() */
int rmm_slab_validate(const struct rmm *rmm, const void *state, char *msg,
		      size_t size)
{
	const struct rmm_slab_layer *l = state;
	int err = 0;

	(void)rmm;
	for (const struct rmm_kmem_cache *s = l->first; s && !err;
	     s = s->next) {
		struct check c = {.l = l, .s = s, .msg = msg, .size = size};

		err = check_cache(&c);
	}
	return err;
}
