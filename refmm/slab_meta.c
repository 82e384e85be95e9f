/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * slab_meta.c - memory for what the slab layer itself must keep: caches, their
 * CPUs and nodes, links of slabs without memory, sheaves.
 *
 * The kernel takes it from its own caches. Here simulated memory may not be
 * there to be written to, and libc's malloc() must not be asked, as it may be
 * built on this very layer (then it would call itself). So mappings are cut
 * into pieces whose sizes are powers of two; a piece that comes back waits on
 * its size's list.
 *
 *   mapping  | header | 64 | 64 | 256     | 128  |    not yet cut   |
 *            ^ chunks                             ^ at              ^ end
 *
 * A piece of over 64 KiB is a mapping of its own, and goes when it is freed.
 *
 *   used = bytes of pieces that somebody has
 *
 * Locking: meta->lock, the innermost.
 *
 * Omitted: giving mappings of small pieces back before the machine dies.
 */
#include <sys/mman.h>
#include <string.h>

#include "slab_parts.h"

enum {
	MIN_SHIFT = 6,
	MAX_SHIFT = 16,
	CHUNK_BYTES = 1 << 18,
};

struct chunk {
	struct chunk *next, *prev;
	size_t bytes;
	char pad[40];
};
_Static_assert(sizeof(struct chunk) == 64, "what follows begins a cache line");

struct piece {
	struct piece *next;
};

struct rmm_slab_meta {
	struct chunk *chunks;
	char *at, *end;
	struct piece *free[MAX_SHIFT + 1];
	size_t used;
	uint8_t lock;
};

/* Size of the piece that serves a request, as a power of two */
static unsigned int shift_of(size_t bytes)
{
	unsigned int shift = MIN_SHIFT;

	while ((size_t)1 << shift < bytes)
		shift++;
	return shift;
}

/* A new mapping; what it is for begins behind its header. NULL: no memory */
static void *map_chunk(struct rmm_slab_meta *m, size_t bytes)
{
	struct chunk *c =
		mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (c == MAP_FAILED)
		return NULL;
	c->bytes = bytes;
	c->next = m->chunks;
	if (c->next)
		c->next->prev = c;
	m->chunks = c;
	return c + 1;
}

static void unmap_chunk(struct rmm_slab_meta *m, struct chunk *c)
{
	if (c->prev)
		c->prev->next = c->next;
	else
		m->chunks = c->next;
	if (c->next)
		c->next->prev = c->prev;
	munmap(c, c->bytes);
}

/* A piece of 2^@shift bytes, zeroed */
static void *cut(struct rmm_slab_meta *m, unsigned int shift)
{
	size_t bytes = (size_t)1 << shift;
	struct piece *p = m->free[shift];
	char *fresh;

	if (p) {
		m->free[shift] = p->next;
		memset(p, 0, bytes);
		return p;
	}
	if ((size_t)(m->end - m->at) < bytes) {
		fresh = map_chunk(m, CHUNK_BYTES);
		if (!fresh)
			return NULL;
		m->at = fresh;
		m->end = fresh + CHUNK_BYTES - sizeof(struct chunk);
	}
	p = (struct piece *)(void *)m->at;
	m->at += bytes;
	return p;
}

/** rmm_slab_meta_alloc() - @bytes of zeros at a cache line; NULL: none */
void *rmm_slab_meta_alloc(struct rmm_slab_layer *l, size_t bytes)
{
	struct rmm_slab_meta *m = l->meta;
	void *p;

	if (rmm_should_fail(l->rmm, RMM_FAULT_SLAB, 0, 0))
		return NULL;
	rmm_lock(l->rmm, &m->lock);
	if (bytes > (size_t)1 << MAX_SHIFT)
		p = map_chunk(m, bytes + sizeof(struct chunk));
	else
		p = cut(m, shift_of(bytes));
	if (p)
		m->used += bytes;
	rmm_unlock(l->rmm, &m->lock);
	return p;
}

/** rmm_slab_meta_free() - @bytes as they were asked for; NULL is fine */
void rmm_slab_meta_free(struct rmm_slab_layer *l, void *p, size_t bytes)
{
	struct rmm_slab_meta *m = l->meta;
	struct piece *piece = p;
	unsigned int shift;

	if (!p)
		return;
	rmm_lock(l->rmm, &m->lock);
	m->used -= bytes;
	if (bytes > (size_t)1 << MAX_SHIFT) {
		unmap_chunk(m, (struct chunk *)p - 1);
	} else {
		shift = shift_of(bytes);
		piece->next = m->free[shift];
		m->free[shift] = piece;
	}
	rmm_unlock(l->rmm, &m->lock);
}

/** rmm_slab_meta_used() - bytes that are in use */
size_t rmm_slab_meta_used(const struct rmm_slab_layer *l)
{
	return l->meta->used;
}

/** rmm_slab_meta_create() - NULL: no memory */
struct rmm_slab_meta *rmm_slab_meta_create(void)
{
	struct rmm_slab_meta *m = mmap(NULL, sizeof(*m), PROT_READ | PROT_WRITE,
				       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return m == MAP_FAILED ? NULL : m;
}

/** rmm_slab_meta_destroy() - and with it all that was ever asked for */
void rmm_slab_meta_destroy(struct rmm_slab_meta *m)
{
	while (m->chunks)
		unmap_chunk(m, m->chunks);
	munmap(m, sizeof(*m));
}
