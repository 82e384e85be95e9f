/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * meta.c - memory for refmm's own metadata, and for whoever allocates while the
 * machine is being made.
 *
 *      | unused | size | block, aligned to 64 | unused | size | block | ... end
 *                ^ 64 bytes in front                         <- bump ->
 *
 * One reserved range, cut from the front; freed blocks wait on a list per power
 * of two. It never shrinks: refmm's metadata are few and long-lived.
 *
 * The linker's --wrap sends refmm's calls here (see preload.h).
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "preload.h"

enum { LINE = 64, CLASSES = 48 };

#define META_BYTES ((size_t)16 << 30) /* of address space */

struct free_block {
	struct free_block *next;
};

static struct {
	char *begin, *at, *end;
	struct free_block *free[CLASSES];
} meta;

struct lock meta_lock;

/* The smallest power of two that holds @size */
static unsigned int class_of(size_t size)
{
	return size <= LINE ? 6 : 64 - (unsigned int)__builtin_clzll(size - 1);
}

static size_t *size_of(void *p)
{
	return (size_t *)((char *)p - LINE);
}

static bool reserve(void)
{
	char *map;

	if (meta.begin)
		return true;
	map = mmap(NULL, META_BYTES, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (map == MAP_FAILED)
		return false;
	meta.at = map;
	meta.end = map + META_BYTES;
	__atomic_store_n(&meta.begin, map, __ATOMIC_RELEASE);
	return true;
}

static void *cut(size_t bytes, size_t align)
{
	uintptr_t p = ((uintptr_t)meta.at + LINE + align - 1) & ~(align - 1);

	if (p + bytes > (uintptr_t)meta.end)
		return NULL;
	meta.at = (char *)p + bytes;
	*size_of((void *)p) = bytes;
	return (void *)p;
}

/** meta_alloc() - @align: a power of two. Not cleared. NULL: none left */
void *meta_alloc(size_t size, size_t align)
{
	unsigned int class = class_of(size);
	struct free_block *block;
	void *p = NULL;

	if (class >= CLASSES || align >= META_BYTES)
		return NULL;
	lock_take(&meta_lock);
	block = meta.free[class];
	if (block && align <= LINE) {
		meta.free[class] = block->next;
		p = block;
	} else if (reserve()) {
		p = cut((size_t)1 << class, align < LINE ? LINE : align);
	}
	lock_give(&meta_lock);
	return p;
}

void meta_free(void *p)
{
	struct free_block *block = p;
	unsigned int class = class_of(*size_of(p));

	lock_take(&meta_lock);
	block->next = meta.free[class];
	meta.free[class] = block;
	lock_give(&meta_lock);
}

size_t meta_size(const void *p)
{
	return *size_of((void *)(uintptr_t)p);
}

bool meta_owns(const void *p)
{
	uintptr_t begin = (uintptr_t)__atomic_load_n(&meta.begin, __ATOMIC_ACQUIRE);

	return begin && (uintptr_t)p - begin < META_BYTES;
}

/* ---- What refmm calls ---------------------------------------------------- */

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_aligned_alloc(size_t align, size_t size);
void *__wrap_realloc(void *p, size_t size);
void __wrap_free(void *p);

void *__wrap_malloc(size_t size)
{
	return meta_alloc(size, LINE);
}

void *__wrap_calloc(size_t n, size_t size)
{
	size_t bytes;
	void *p;

	if (__builtin_mul_overflow(n, size, &bytes))
		return NULL;
	p = meta_alloc(bytes, LINE);
	return p ? memset(p, 0, bytes) : NULL;
}

void *__wrap_aligned_alloc(size_t align, size_t size)
{
	return meta_alloc(size, align);
}

void *__wrap_realloc(void *p, size_t size)
{
	void *new;

	if (p && size <= meta_size(p))
		return p;
	new = meta_alloc(size, LINE);
	if (new &&p) {
		memcpy(new, p, meta_size(p));
		meta_free(p);
	}
	return new;
}

void __wrap_free(void *p)
{
	if (p)
		meta_free(p);
}
