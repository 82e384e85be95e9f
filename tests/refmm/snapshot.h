/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * snapshot.h - the whole state of a small machine, to compare with later: each
 * frame's word, each pageblock's type, the counters, and the order of all lists.
 */
#ifndef KMEMLAB_TESTS_SNAPSHOT_H
#define KMEMLAB_TESTS_SNAPSHOT_H

#include "machine.h"

enum { SNAPSHOT_FRAMES = 16384 };

struct snapshot {
	uint64_t word[SNAPSHOT_FRAMES];
	struct rmm_pageblock block[SNAPSHOT_FRAMES];
	uint64_t lists; /* hash of all members in their order */
	int64_t free, free_cma, free_highatomic;
	uint64_t pcp;
};

HELPER uint64_t snapshot_list(const struct rmm *rmm, const struct rmm_list *list, uint64_t hash)
{
	for (rmm_pfn p = list->first; p != RMM_NIL; p = rmm->memmap[p].next)
		hash = hash * 1000003 + p + 1;
	return hash * 31 + list->count;
}

HELPER uint64_t snapshot_ring(const struct rmm_ring *list, uint64_t hash)
{
	for (uint32_t i = 0; i < rmm_ring_count(list); i++)
		hash = hash * 1000003 + rmm_ring_at(list, i) + 1;
	return hash * 31 + rmm_ring_count(list);
}

/* Zone 0's */
HELPER void snapshot(struct snapshot *s, const struct rmm *rmm)
{
	const struct rmm_zone *z = &rmm->zone[0];

	assert_true(rmm->end_pfn <= SNAPSHOT_FRAMES);
	memset(s, 0, sizeof(*s));
	/* What a tail says means nothing. */
	for (rmm_pfn p = 0; p < rmm->end_pfn; p++)
		if (rmm->memmap[p].state != RMM_PG_RESERVED)
			s->word[p] = rmm->memmap[p].word;
	memcpy(s->block, rmm->blocks, rmm->nr_blocks * sizeof(*s->block));
	for (unsigned int o = 0; o <= z->max_order; o++)
		for (int mt = 0; mt < RMM_MIGRATE_TYPES; mt++)
			s->lists = snapshot_list(rmm, &z->free_area[o].free_list[mt], s->lists);
	for (unsigned int c = 0; c < rmm->config.nr_cpus; c++) {
		for (int l = 0; l < RMM_PCP_LISTS; l++)
			s->lists = snapshot_ring(&z->pcp[c].lists[l], s->lists);
		s->pcp += (uint64_t)z->pcp[c].count;
	}
	s->free = z->nr_free;
	s->free_cma = z->nr_free_cma;
	s->free_highatomic = z->nr_free_highatomic;
}

/* The same frames, types and counters; not the order of lists */
HELPER void snapshot_compare_frames(const struct snapshot *before, const struct rmm *rmm)
{
	static struct snapshot now;

	snapshot(&now, rmm);
	for (rmm_pfn p = 0; p < rmm->end_pfn; p++)
		if (now.word[p] != before->word[p])
			fail_msg("pfn %u: word 0x%llx, was 0x%llx", p,
				 (unsigned long long)now.word[p],
				 (unsigned long long)before->word[p]);
	for (unsigned int b = 0; b < rmm->nr_blocks; b++)
		if (now.block[b].migratetype != before->block[b].migratetype)
			fail_msg("pageblock %u: type %u, was %u", b, now.block[b].migratetype,
				 before->block[b].migratetype);
	assert_int_equal(now.free, before->free);
	assert_int_equal(now.free_cma, before->free_cma);
	assert_int_equal(now.free_highatomic, before->free_highatomic);
	assert_int_equal(now.pcp, before->pcp);
}

HELPER void snapshot_compare(const struct snapshot *before, const struct rmm *rmm)
{
	static struct snapshot now;

	snapshot_compare_frames(before, rmm);
	snapshot(&now, rmm);
	assert_int_equal(now.lists, before->lists);
}

#endif
