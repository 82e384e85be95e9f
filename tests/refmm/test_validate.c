/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Every kind of damage is found and named: refmm/validate.c. */
#include "machine.h"

/* Movable machine with 0..7 in use, then 2 and 5 freed; 3 on a per-CPU list */
static struct rmm *busy(void)
{
	struct machine m;
	struct rmm *rmm;

	machine_init(&m, 4);
	rmm = machine_new(&m);
	for (rmm_pfn p = 0; p < 8; p++) {
		if (p == 3)
			rmm_load_pcp(rmm, 0, p, 0, RMM_MOVABLE);
		else if (p == 2 || p == 5)
			rmm_load_free(rmm, p, 0, RMM_MOVABLE);
		else
			rmm_load_allocated(rmm, p, 0, RMM_MOVABLE);
	}
	rmm_load_free(rmm, 16, 4, RMM_MOVABLE);
	rmm_setup_done(rmm);
	check(rmm);
	return rmm;
}

static void damage_link(struct rmm *r)
{
	r->memmap[5].prev = 7;
}
static void damage_count(struct rmm *r)
{
	r->zone[0].free_area[0].free_list[RMM_MOVABLE].count++;
}
static void damage_state(struct rmm *r)
{
	r->memmap[5].state = RMM_PG_ALLOCATED;
}
static void damage_order(struct rmm *r)
{
	r->memmap[16].order = 5;
}
static void damage_type(struct rmm *r)
{
	r->memmap[16].migratetype = RMM_UNMOVABLE;
}
static void damage_overlap(struct rmm *r)
{
	r->memmap[20].state = RMM_PG_ALLOCATED;
}
static void damage_lost(struct rmm *r)
{
	r->memmap[0].state = RMM_PG_RESERVED;
}
static void damage_merge(struct rmm *r)
{
	struct rmm_zone *z = &r->zone[0];

	rmm_add_to_free_list(z, 4, 0, RMM_MOVABLE, true);
	rmm_account_freepages(z, 1, RMM_MOVABLE);
}
static void damage_free(struct rmm *r)
{
	r->zone[0].nr_free--;
}
static void damage_seen(struct rmm *r)
{
	r->zone[0].nr_free_seen++;
}
static void damage_pcp_count(struct rmm *r)
{
	r->zone[0].pcp[0].count = 2;
}
static void damage_pcp_cpu(struct rmm *r)
{
	r->memmap[3]._count = -1 - 1;
}
static void damage_pcp_bound(struct rmm *r)
{
	r->zone[0].pcp[0].high_max = r->zone[0].pcp[0].loaded = -1000000;
}
static void damage_block(struct rmm *r)
{
	r->blocks[0].migratetype = RMM_RECLAIMABLE;
}
static void damage_highatomic(struct rmm *r)
{
	r->zone[0].nr_free_highatomic = 1;
}
static void damage_references(struct rmm *r)
{
	r->memmap[16]._count = 0;
}
static void damage_stray(struct rmm *r)
{
	r->memmap[4].state = RMM_PG_PCP;
	r->memmap[4]._count = -1;
}

static void test_validate_damage_is_found_and_named(void **state)
{
	static const struct {
		void (*damage)(struct rmm *r);
		const char *says;
	} cases[] = {
		{damage_link, "pfn 5 links back to 7, not 2"},
		{damage_count, "2 members, count says 3"},
		{damage_state, "pfn 5: state 3, order 0 on a list of state 1, order 0"},
		{damage_order, "pfn 16: state 1, order 5 on a list of state 1, order 4"},
		{damage_type, "pfn 16: type 0 on a list of type 1"},
		{damage_overlap, "pfn 20 is a head in the block of pfn 16, order 4"},
		{damage_lost, "23 pages in blocks, 24 given"},
		{damage_merge, "free buddies pfn 4 and 5 of order 0 are not merged"},
		{damage_free, "18 pages on free lists, counter says 17"},
		{damage_seen, "watermarks see 19 pages, not the 18 that CPUs have told"},
		{damage_pcp_count, "1 pages on per-CPU lists, count says 2"},
		{damage_pcp_cpu, "pfn 3: of CPU 1, on a list of CPU 0"},
		{damage_pcp_bound, "1 pages on per-CPU lists, at most"},
		{damage_block, "in a pageblock of type 2"},
		{damage_highatomic, "0 highatomic pages free, counters say 0 and 1"},
		{damage_references, "pfn 16: state 1, but _count is 0"},
		{damage_stray, "2 per-CPU blocks, but 3 and 1 on lists"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct rmm *rmm = busy();
		char msg[256] = "";

		cases[i].damage(rmm);
		assert_int_equal(rmm_validate(rmm, msg, sizeof(msg)), -EUCLEAN);
		if (!strstr(msg, cases[i].says))
			fail_msg("case %zu says '%s', not '%s'", i, msg, cases[i].says);
		rmm_destroy(rmm);
	}
}

static void test_validate_without_room_for_a_message_works(void **state)
{
	struct rmm *rmm = busy();

	(void)state;
	assert_int_equal(rmm_validate(rmm, NULL, 0), 0);
	damage_free(rmm);
	assert_int_equal(rmm_validate(rmm, NULL, 0), -EUCLEAN);
	rmm_destroy(rmm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_validate_damage_is_found_and_named),
		cmocka_unit_test(test_validate_without_room_for_a_message_works),
	};

	return RUN(tests);
}
