// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* addresses.c - the kernel's addresses as a trace has them; see addresses.h. */
#include "addresses.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <trace/kinds.h>

enum {
	PAGE_SHIFT = 12,
	PAGE_STRUCT_SHIFT = 6, /* of the usual 64 bytes */
	OBJECT_SHIFT = 3,
};

int addresses_init(struct addresses *a, const struct kernel_bases *bases)
{
	uint64_t frames = bases->direct_map_bytes >> PAGE_SHIFT;
	ssize_t got;

	*a = (struct addresses){.bases = *bases};
	a->pages = (struct region){.base = bases->vmemmap, .shift = PAGE_STRUCT_SHIFT};
	if (bases->page_struct_bytes == 1u << PAGE_STRUCT_SHIFT)
		a->pages.bytes = frames << PAGE_STRUCT_SHIFT;
	a->objects = (struct region){.base = bases->page_offset,
				     .bytes = bases->direct_map_bytes,
				     .shift = OBJECT_SHIFT};
	got = getrandom(&a->opaque_key, sizeof(a->opaque_key), 0);
	if (got < 0)
		return -errno;
	return got == sizeof(a->opaque_key) ? 0 : -EIO;
}

void addresses_free(struct addresses *a)
{
	free(a->chunk);
}

/* A number that stands for @address in this trace and tells nothing else. */
static uint64_t opaque(const struct addresses *a, uint64_t address)
{
	uint64_t x = address ^ a->opaque_key;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	x ^= x >> 31;
	return KMT_OPAQUE | (x & (KMT_OPAQUE - 1)) | 1;
}

static uint64_t page_address(const struct addresses *a, uint64_t page)
{
	uint64_t offset = page - a->bases.vmemmap;

	if (!page)
		return KMT_NO_PAGE;
	offset /= a->bases.page_struct_bytes;
	return offset < a->bases.direct_map_bytes >> PAGE_SHIFT ? offset : opaque(a, page);
}

static uint64_t object_address(const struct addresses *a, uint64_t object)
{
	uint64_t offset = object - a->bases.page_offset;

	if (!object)
		return KMT_NO_PAGE;
	return offset < a->bases.direct_map_bytes ? offset >> OBJECT_SHIFT : opaque(a, object);
}

/* Chunks are numbered from 1 in order of appearance. */
static uint64_t percpu_address(struct addresses *a, uint64_t area)
{
	uint64_t base = area >> KML_PERCPU_SHIFT, offset = area & ((1ull << KML_PERCPU_SHIFT) - 1);
	size_t i = 0;

	while (i < a->chunks && a->chunk[i] != base)
		i++;
	if (i == a->chunks) {
		uint64_t *more = reallocarray(a->chunk, a->chunks + 1, sizeof(*more));

		if (!more)
			return opaque(a, area);
		a->chunk = more;
		a->chunk[a->chunks++] = base;
	}
	return (i + 1) << 32 | offset;
}

uint64_t addresses_percpu_chunk(struct addresses *a, uint64_t base)
{
	uint64_t page = base >> PAGE_SHIFT & ((1ull << (64 - KML_PERCPU_SHIFT)) - 1);

	return percpu_address(a, page << KML_PERCPU_SHIFT) >> 32;
}

uint64_t addresses_vmalloc(const struct addresses *a, uint64_t start, uint64_t address)
{
	if (!address)
		return KMT_NO_PAGE;
	if (!start || address < start || address >= a->bases.vmemmap)
		return opaque(a, address);
	return (address - start) >> PAGE_SHIFT;
}

uint64_t addresses_of(struct addresses *a, uint64_t vmalloc_start, unsigned int kind, uint64_t word)
{
	if (kind < KML_KMALLOC)
		return page_address(a, word);
	if (kind < KML_STACK_PAGE)
		return object_address(a, word);
	switch (kind_info(kind)->address) {
	case ADDRESS_PFN:
		return page_address(a, word);
	case ADDRESS_OBJECT:
		return kind == KMT_CACHE_CREATE || kind == KMT_CACHE_DESTROY
			       ? opaque(a, word)
			       : object_address(a, word);
	case ADDRESS_PERCPU:
		return percpu_address(a, word);
	case ADDRESS_VMALLOC:
		return addresses_vmalloc(a, vmalloc_start, word);
	default:
		return word & (KMT_OPAQUE - 1);
	}
}
