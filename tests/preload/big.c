/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * big.c - what is too large for the machine's largest block: a mapping each.
 *
 * Mappings are found by the address given out, in a hash table whose entries
 * are metadata. An address that is not in it was never given: free() ends the
 * program then, as glibc's does.
 */
#include <string.h>
#include <sys/mman.h>

#include "preload.h"

enum { BUCKETS = 1024 };

struct big {
	struct big *next;
	char *p; /* what the program has */
	char *map;
	size_t map_bytes;
};

static struct big *table[BUCKETS];
struct lock big_lock;

static struct big **bucket(const void *p)
{
	return &table[((uintptr_t)p / PAGE * 0x9e3779b97f4a7c15ull) >> 54];
}

static size_t usable(const struct big *b)
{
	return (size_t)(b->map + b->map_bytes - b->p);
}

static void insert(struct big *b)
{
	struct big **list = bucket(b->p);

	lock_take(&big_lock);
	b->next = *list;
	*list = b;
	lock_give(&big_lock);
}

/* NULL: no such mapping */
static struct big *take_out(const void *p)
{
	struct big **at, *b;

	lock_take(&big_lock);
	for (at = bucket(p); *at && (*at)->p != p; at = &(*at)->next)
		;
	b = *at;
	if (b)
		*at = b->next;
	lock_give(&big_lock);
	return b;
}

/** big_alloc() - zeroed; @align a power of two; NULL: none */
void *big_alloc(size_t size, size_t align)
{
	size_t bytes = (size + PAGE - 1) & ~(size_t)(PAGE - 1);
	size_t room = align > PAGE ? align : 0;
	struct big *b;
	char *map;

	if (bytes < size || bytes + room < bytes)
		return NULL;
	b = meta_alloc(sizeof(*b), sizeof(*b));
	if (!b)
		return NULL;
	map = mmap(NULL, bytes + room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED) {
		meta_free(b);
		return NULL;
	}
	*b = (struct big){.map = map, .map_bytes = bytes + room, .p = map};
	if (room)
		b->p = (char *)(((uintptr_t)map + align - 1) & ~(align - 1));
	insert(b);
	return b->p;
}

void big_free(void *p)
{
	struct big *b = take_out(p);

	if (!b) {
		die("free", p, "never allocated, or freed before");
		return;
	}
	munmap(b->map, b->map_bytes);
	meta_free(b);
}

/** big_realloc() - moves page table entries, not bytes; NULL: as it was */
void *big_realloc(void *p, size_t size)
{
	struct big *b = take_out(p);
	size_t front, bytes;
	char *map;

	if (!b) {
		die("realloc", p, "never allocated, or freed before");
		return NULL;
	}
	front = (size_t)(b->p - b->map);
	bytes = (front + size + PAGE - 1) & ~(size_t)(PAGE - 1);
	map = bytes < size ? MAP_FAILED : mremap(b->map, b->map_bytes, bytes, MREMAP_MAYMOVE);
	if (map != MAP_FAILED) {
		b->map = map;
		b->map_bytes = bytes;
		b->p = map + front;
	}
	p = map == MAP_FAILED ? NULL : b->p;
	insert(b);
	return p;
}

size_t big_size(void *p)
{
	struct big *b;
	size_t bytes = 0;

	lock_take(&big_lock);
	for (b = *bucket(p); b && b->p != p; b = b->next)
		;
	if (b)
		bytes = usable(b);
	lock_give(&big_lock);
	if (!b)
		die("measure", p, "never allocated, or freed before");
	return bytes;
}
