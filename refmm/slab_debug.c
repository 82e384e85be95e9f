/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * slab_debug.c - bytes that must not change, and what it means if they did.
 *
 * Nobody can watch each access, but known bytes around and in an object tell
 * later that somebody wrote there:
 *
 *              left red zone   object             right red zone   padding
 *   in use     cc cc cc ..     (its owner's)      cc cc ..         5a 5a ..
 *   free       bb bb bb ..     6b 6b .. 6b a5     bb bb ..         5a 5a ..
 *
 * Without red zones what rounding up to a word leaves is padding, too.
 *
 *   red zone of an object in use changed    overrun, from the left or right
 *   poison of a free object changed         use after free
 *   red zone of a free object changed       overrun by a neighbour, or both
 *   padding changed                         somebody wrote far off
 *   free pointer leads out of the slab      use after free, or overrun
 *   one behind an object in use not wiped   overrun
 *
 * They are looked at when an object is given out and when it comes back. What
 * was found is put right, so that each damage is told once. A kmalloc cache
 * that tracks knows how much was asked for; its right red zone begins there.
 *
 * Locking: node->lock, held by slab_single.c.
 *
 * Modelled: init_object, check_object, check_bytes_and_report, restore_bytes,
 * check_pad_bytes, slab_pad_check, setup_slab_debug, setup_object_debug.
 * Simplified: only with memory behind the pages; without, flags cost their
 * room and the rest is checked. (6.12, mm/slub.c, include/linux/poison.h; not
 * in LKD3)
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "slab_parts.h"

enum {
	RED_INACTIVE = 0xbb, /* SLUB_RED_INACTIVE */
	RED_ACTIVE = 0xcc,   /* SLUB_RED_ACTIVE */
	POISON_INUSE = 0x5a, /* padding */
	POISON_FREE = 0x6b,
	POISON_END = 0xa5,
};

/* Bytes that must all have one value */
struct zone_bytes {
	uintptr_t at;
	size_t size;
	uint8_t value;
	const char *meaning; /* if they have not */
};

/* Where the owner's bytes end: what was asked for, if that is known */
static size_t used_bytes(const struct rmm_kmem_cache *s,
			 const struct rmm_slab *slab, uintptr_t object)
{
	const struct rmm_track *t;

	if (!rmm_keeps_size(s))
		return s->object_size;
	t = rmm_get_track(s, slab, object, RMM_TRACK_ALLOC);
	return t->size && t->size < s->object_size ? t->size : s->object_size;
}

/** rmm_init_object() - init_object(): bytes as they must be from now on */
void rmm_init_object(const struct rmm_kmem_cache *s, uintptr_t object,
		     bool live)
{
	uint8_t red = live ? RED_ACTIVE : RED_INACTIVE;
	uint8_t *p = (uint8_t *)object;

	if (!s->backed)
		return;
	if (s->flags & RMM_SLAB_RED_ZONE) {
		memset(p - s->red_left_pad, red, s->red_left_pad);
		memset(p + s->object_size, red, s->inuse - s->object_size);
	}
	if (s->object_poison) {
		memset(p, POISON_FREE, s->object_size - 1);
		p[s->object_size - 1] = POISON_END;
	}
}

/** rmm_red_zone_rest() - of an object whose owner asked for less: red too */
void rmm_red_zone_rest(const struct rmm_kmem_cache *s,
		       const struct rmm_slab *slab, uintptr_t object)
{
	size_t used = used_bytes(s, slab, object);

	if (s->backed && (s->flags & RMM_SLAB_RED_ZONE))
		memset((char *)object + used, RED_ACTIVE,
		       s->object_size - used);
}

/** rmm_init_slab_debug() - setup_slab_debug() */
void rmm_init_slab_debug(struct rmm_kmem_cache *s, struct rmm_slab *slab)
{
	size_t bytes = (size_t)1 << (slab->order + s->layer->page_shift);

	if (s->backed && (s->flags & RMM_SLAB_POISON))
		memset((void *)(slab->base - s->red_left_pad), POISON_INUSE,
		       bytes);
}

/** rmm_init_object_debug() - setup_object_debug() */
void rmm_init_object_debug(struct rmm_kmem_cache *s, struct rmm_slab *slab,
			   uintptr_t object)
{
	struct rmm_track *t = rmm_get_track(s, slab, object, RMM_TRACK_ALLOC);

	rmm_init_object(s, object, false);
	if (t)
		memset(t, 0, 2 * sizeof(*t));
}

/* check_bytes_and_report(): put right and told, if they are wrong */
static int check_bytes(const struct rmm_slab_report *object,
		       const struct zone_bytes *z)
{
	struct rmm *rmm = object->slab->cache->layer->rmm;
	struct rmm_slab_report report = *object;
	uint8_t *p = (uint8_t *)z->at;
	size_t i = 0;
	char what[80];

	while (i < z->size && p[i] == z->value)
		i++;
	if (i == z->size)
		return 0;
	snprintf(what, sizeof(what), "%s: byte %lld is 0x%02x, not 0x%02x",
		 z->meaning, (long long)(z->at + i - object->object), p[i],
		 z->value);
	report.what = what;
	memset(p, z->value, z->size);
	return rmm_slab_error(rmm, -EUCLEAN, &report);
}

static int check_red_zones(const struct rmm_kmem_cache *s,
			   const struct rmm_slab_report *r, bool live)
{
	uint8_t red = live ? RED_ACTIVE : RED_INACTIVE;
	size_t used = live ? used_bytes(s, r->slab, r->object) : s->object_size;
	const struct zone_bytes left = {r->object - s->red_left_pad,
					s->red_left_pad, red,
					"overrun to the left"};
	const struct zone_bytes right = {r->object + used, s->inuse - used, red,
					 "overrun"};
	/* What rounding up to a word has left, where it is no red zone */
	const struct zone_bytes rest = {r->object + s->object_size,
					s->inuse - s->object_size, POISON_INUSE,
					"overrun into the alignment padding"};
	int err;

	if (s->flags & RMM_SLAB_RED_ZONE) {
		err = check_bytes(r, &left);
		return err ? err : check_bytes(r, &right);
	}
	return s->flags & RMM_SLAB_POISON ? check_bytes(r, &rest) : 0;
}

/* A free object's own bytes */
static int check_poison(const struct rmm_kmem_cache *s,
			const struct rmm_slab_report *r)
{
	const struct zone_bytes body = {r->object, s->object_size - 1,
					POISON_FREE, "use after free"};
	const struct zone_bytes end = {r->object + s->object_size - 1, 1,
				       POISON_END, "use after free"};
	int err;

	if (!s->object_poison)
		return 0;
	err = check_bytes(r, &body);
	return err ? err : check_bytes(r, &end);
}

/* check_pad_bytes(): between what is kept of this object and the next one */
static int check_padding(const struct rmm_kmem_cache *s,
			 const struct rmm_slab_report *r)
{
	size_t end = s->inuse + (s->offset >= s->inuse ? 8 : 0);
	struct zone_bytes z = {0, 0, POISON_INUSE, "write far off the object"};

	if (!(s->flags & RMM_SLAB_POISON))
		return 0;
	if (s->flags & RMM_SLAB_STORE_USER)
		end += 2 * sizeof(struct rmm_track);
	z.at = r->object + end;
	z.size = s->size - s->red_left_pad - end;
	return check_bytes(r, &z);
}

/* Does a free object lead to another of its slab, or to none? */
static int check_freepointer(const struct rmm_kmem_cache *s,
			     struct rmm_slab_report *r)
{
	uintptr_t next = rmm_get_freepointer(s, r->slab, r->object);

	if (!next || rmm_is_object(s, r->slab, next))
		return 0;
	r->what = "free pointer overwritten: use after free";
	return rmm_slab_error(s->layer->rmm, -EUCLEAN, r);
}

/* A live object's, which was wiped: if it lies behind the object, nobody but an
 * overrun has written there since. Put right and told. */
static int check_wiped(const struct rmm_kmem_cache *s,
		       struct rmm_slab_report *r)
{
	const uintptr_t *word = (const uintptr_t *)(r->object + s->offset);

	if (s->offset < s->inuse || !*word)
		return 0;
	rmm_wipe_freepointer(s, r->slab, r->object);
	r->what = "free pointer overwritten: overrun";
	return rmm_slab_error(s->layer->rmm, -EUCLEAN, r);
}

/** rmm_check_object() - check_object(): are the bytes of an object, @live or
 *  free, as they were left? -EUCLEAN: no */
int rmm_check_object(const struct rmm_kmem_cache *s, struct rmm_slab *slab,
		     uintptr_t object, bool live, const char *verb)
{
	struct rmm_slab_report r = {slab, object, verb, NULL};
	int err;

	if (!s->backed)
		return 0;
	err = check_red_zones(s, &r, live);
	if (!err && !live)
		err = check_poison(s, &r);
	if (!err)
		err = check_padding(s, &r);
	if (!err)
		err = live ? check_wiped(s, &r) : check_freepointer(s, &r);
	return err;
}

/** rmm_check_slab_pad() - slab_pad_check(): the waste behind the last object */
int rmm_check_slab_pad(const struct rmm_kmem_cache *s, struct rmm_slab *slab)
{
	size_t bytes = (size_t)1 << (slab->order + s->layer->page_shift);
	unsigned int objects = rmm_slab_word(slab).objects;
	size_t used = (size_t)objects * s->size;
	const struct rmm_slab_report r = {
		slab, rmm_index_to_obj(s, slab, objects - 1), "check", NULL};
	const struct zone_bytes z = {slab->base - s->red_left_pad + used,
				     bytes - used, POISON_INUSE,
				     "write behind the slab's last object"};

	if (!s->backed || !(s->flags & RMM_SLAB_POISON))
		return 0;
	return check_bytes(&r, &z);
}
