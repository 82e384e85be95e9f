/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * broken_backend.c - a plug-in with one defect, chosen by -DDEFECT=n: the caller
 * must notice. Otherwise it hands out frames of the last zone in order, singly.
 */
#include <stdio.h>
#include <stdlib.h>

#include <kmemlab/backend.h>

enum { NONE, OLD_ABI, NO_FREE, BAD_NAME, NO_START, TWICE, UNALIGNED, OUTSIDE, REFUSES, MISCOUNTS };

#ifndef DEFECT
#define DEFECT NONE
#endif

struct broken {
	const struct kml_machine *m;
	unsigned char *free;
	uint64_t next;
};

static void *init(const struct kml_machine *m, char *error, size_t size)
{
	struct broken *b = DEFECT == NO_START ? NULL : calloc(1, sizeof(*b));

	snprintf(error, size, "no reason");
	if (!b)
		return NULL;
	b->m = m;
	b->free = calloc(m->nr_pfns + 1024, 1);
	return b;
}

static int load(void *self, uint64_t pfn, uint32_t order, int is_free)
{
	struct broken *b = self;

	for (uint64_t i = 0; i < 1ull << order; i++)
		b->free[pfn + i] = is_free != 0;
	return 0;
}

static uint64_t alloc(void *self, const struct kml_request *r)
{
	struct broken *b = self;
	const struct kml_zone *z = &b->m->zones[b->m->nr_zones - 1];
	uint64_t end = z->start_pfn + z->spanned;

	if (r->order || z->type > r->highest_zone)
		return KML_NO_PFN;
	if (b->next < z->start_pfn)
		b->next = z->start_pfn;
	while (b->next < end && !b->free[b->next])
		b->next++;
	if (DEFECT == OUTSIDE)
		return b->m->nr_pfns + 5;
	if (b->next == end)
		return KML_NO_PFN;
	if (DEFECT != TWICE)
		b->free[b->next] = 0;
	return b->next;
}

static uint64_t alloc_unaligned(void *self, const struct kml_request *r)
{
	(void)self;
	return r->order ? 1 : KML_NO_PFN;
}

static int give_back(void *self, uint32_t cpu, uint64_t pfn, uint32_t order)
{
	(void)cpu;
	return DEFECT == REFUSES ? -1 : load(self, pfn, order, 1);
}

static uint64_t count(void *self, uint32_t zone, uint64_t *blocks)
{
	struct broken *b = self;
	const struct kml_zone *z = &b->m->zones[zone];

	for (uint64_t i = z->start_pfn; i < z->start_pfn + z->spanned; i++)
		blocks[0] += b->free[i];
	return DEFECT == MISCOUNTS;
}

static void destroy(void *self)
{
	free(((struct broken *)self)->free);
	free(self);
}

const struct kml_backend *kmemlab_backend(void)
{
	static const struct kml_backend backend = {
		.abi = DEFECT == OLD_ABI ? KML_BACKEND_ABI - 1 : KML_BACKEND_ABI,
		.size = sizeof(backend),
		.name = DEFECT == BAD_NAME ? "two words" : "broken",
		.init = init,
		.load = load,
		.alloc = DEFECT == UNALIGNED ? alloc_unaligned : alloc,
		.free = DEFECT == NO_FREE ? NULL : give_back,
		.count = count,
		.destroy = destroy,
	};

	return &backend;
}
