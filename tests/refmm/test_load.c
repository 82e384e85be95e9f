/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Creating machines and loading snapshots: refmm/create.c, load.c, stat.c. */
#include "machine.h"

#define PAGES_MSG "a zone has more pages than it spans, or manages more than are present"
#define ENUM_MSG  "fallback, mobility or pcp_mode has an unknown value"
#define PCP_MSG	  "a pcp_batch is over 2^25, or a pcp_high over 2^30"

static void test_create_bad_settings_are_refused(void **state)
{
	struct machine m;
	char error[256];

	(void)state;
#define REFUSED(edit, says)                                                                        \
	do {                                                                                       \
		machine_init(&m, 2);                                                               \
		edit;                                                                              \
		assert_null(rmm_create(&m.config, error));                                         \
		assert_int_equal(errno, EINVAL);                                                   \
		assert_string_equal(error, "cannot set up memory: " says);                         \
	} while (0)
	REFUSED(m.config.nr_cpus = 0, "nr_cpus is not in 1..8192");
	REFUSED(m.config.max_order = 16, "max_order is over 15");
	REFUSED(m.config.pageblock_order = 11, "pageblock_order is not in 0..max_order");
	REFUSED(m.config.nr_zones = 0, "there are no zones, or over 255");
	REFUSED(m.zone[0].type = 5, "a zone has an unknown type");
	REFUSED(m.zone[0].node = 64, "a zone has a node over 63");
	REFUSED(m.zone[0].managed = 5000, PAGES_MSG);
	REFUSED(m.zone[0].present = 100, PAGES_MSG);
	REFUSED(m.config.fallback = 77, ENUM_MSG);
	REFUSED(m.config.mobility = 3, ENUM_MSG);
	REFUSED(m.config.pcp_mode = 2, ENUM_MSG);
	REFUSED(m.config.pcp_batch = 1u << 31, PCP_MSG);
	REFUSED(m.config.pcp_high = 1u << 31, PCP_MSG);
	REFUSED(m.zone[0].pcp_batch = (1u << 25) + 1, PCP_MSG);
	REFUSED(m.zone[0].pcp_high_max = UINT32_MAX, PCP_MSG);
	REFUSED(machine_zone(&m, 0, RMM_ZONE_DMA, 1024, 512),
		"a node's zones are not in order of address");
	REFUSED(machine_zone(&m, 0, RMM_ZONE_NORMAL, 1024, 512), "a node has two zones of a type");
	REFUSED(m.zone[0].start_pfn = UINT32_MAX - 100, "a zone ends beyond frame 2^32 - 2^16");
	REFUSED(machine_zone(&m, 0, RMM_ZONE_MOVABLE, 1000, 512),
		"zones 0 and 1 share the pageblock of pfn 512");
#undef REFUSED
}

/* Node 1 between node 0's NORMAL and MOVABLE, and an empty zone anywhere */
static void test_create_accepts_nodes_in_turn(void **state)
{
	struct machine m;

	(void)state;
	machine_init(&m, 2);
	machine_zone(&m, 1, RMM_ZONE_NORMAL, 2 * BLOCK, 2 * BLOCK);
	machine_zone(&m, 0, RMM_ZONE_MOVABLE, 4 * BLOCK, 2 * BLOCK);
	machine_zone(&m, 0, RMM_ZONE_DMA, 8 * BLOCK, 0);
	check_destroy(machine_boot(&m));
}

static void test_load_order_of_calls_is_order_of_lists(void **state)
{
	struct machine m;
	struct rmm *rmm;

	(void)state;
	machine_init(&m, 4);
	rmm = machine_new(&m);
	assert_int_equal(rmm_load_free(rmm, 40, 2, RMM_MOVABLE), 0);
	assert_int_equal(rmm_load_free(rmm, 8, 2, RMM_MOVABLE), 0);
	assert_int_equal(rmm_load_free(rmm, 100, 2, RMM_MOVABLE), 0);
	assert_int_equal(rmm_load_pcp(rmm, 0, 201, 0, RMM_MOVABLE), 0);
	assert_int_equal(rmm_load_pcp(rmm, 0, 200, 0, RMM_MOVABLE), 0);
	rmm_setup_done(rmm);
	assert_string_equal(free_list(rmm, 2, RMM_MOVABLE), "40 8 100");
	assert_int_equal(get(rmm, RMM_GFP_HIGHUSER_MOVABLE, 0), 201);
	assert_int_equal(get(rmm, RMM_GFP_HIGHUSER_MOVABLE, 0), 200);
	assert_int_equal(get(rmm, RMM_GFP_HIGHUSER_MOVABLE, 0), 40);
	check_destroy(rmm);
}

static void test_load_conflicts_are_refused(void **state)
{
	struct machine m;
	struct rmm *rmm;

	(void)state;
	machine_init(&m, 4);
	rmm = machine_new(&m);
	assert_int_equal(rmm_load_allocated(rmm, 16, 3, RMM_MOVABLE), 0);
	assert_int_equal(rmm_load_free(rmm, 20, 0, RMM_MOVABLE), -EBUSY);
	assert_int_equal(rmm_load_free(rmm, 16, 3, RMM_MOVABLE), -EBUSY);
	assert_int_equal(rmm_load_free(rmm, 0, 5, RMM_MOVABLE), -EBUSY); /* 16 lies in it */
	assert_int_equal(rmm_load_free(rmm, 18, 2, RMM_MOVABLE), -EINVAL);
	assert_int_equal(rmm_load_free(rmm, 0, 11, RMM_MOVABLE), -EINVAL);
	assert_int_equal(rmm_load_free(rmm, 0, 0, 6), -EINVAL);
	assert_int_equal(rmm_load_free(rmm, 4 * BLOCK, 0, 0), -ERANGE);
	assert_int_equal(rmm_load_allocated(rmm, 0, 20, 0), -ERANGE);
	assert_int_equal(rmm_load_pcp(rmm, 0, 0, 4, 0), -ENOSPC);
	assert_int_equal(rmm_load_pcp(rmm, 1, 0, 0, 0), -ENOSPC);
	assert_int_equal(rmm_load_pcp(rmm, 0, 0, 0, RMM_CMA), -ENOSPC);
	rmm_setup_done(rmm);
	assert_int_equal(rmm_load_free(rmm, 0, 0, 0), -EPERM);
	assert_int_equal(rmm_setup_done(rmm), -EPERM);
	assert_int_equal(rmm->zone[0].nr_given, 8); /* the refused left no trace */
	check_destroy(rmm);
}

static void test_load_torn_snapshot_is_accepted_and_noted(void **state)
{
	struct machine m;
	struct rmm *rmm;

	(void)state;
	machine_init(&m, 4);
	rmm = machine_new(&m);
	rmm_load_free(rmm, 0, 3, RMM_MOVABLE);
	rmm_load_free(rmm, 8, 3, RMM_MOVABLE);
	rmm_load_free(rmm, 512, 3, RMM_UNMOVABLE); /* in a movable pageblock */
	rmm_setup_done(rmm);
	assert_int_equal(rmm->zone[0].loose, RMM_LOOSE_MERGE | RMM_LOOSE_TYPE);
	check_destroy(rmm);
}

static void test_load_highatomic_pageblocks_count_as_reserved(void **state)
{
	struct machine m;
	struct rmm *rmm;
	struct rmm_zone_info info;

	(void)state;
	machine_init(&m, 4);
	rmm = machine_new(&m);
	rmm_set_pageblock_migratetype(rmm, 512, RMM_HIGHATOMIC);
	rmm_load_free(rmm, 512, 8, RMM_HIGHATOMIC);
	rmm_setup_done(rmm);
	rmm_zone_info(rmm, 0, &info);
	assert_int_equal(info.highatomic_pages, 512);
	assert_int_equal(rmm->zone[0].nr_free_highatomic, 256);
	check_destroy(rmm);
}

static void test_load_huge_sparse_machine_costs_little(void **state)
{
	struct machine m;
	struct rmm *rmm;

	(void)state;
	machine_init(&m, 0);
	machine_zone(&m, 0, RMM_ZONE_NORMAL, 1u << 20, 1u << 28); /* 1 TiB */
	rmm = machine_new(&m);
	assert_int_equal(rmm_free_reserved(rmm, 1u << 28, 1u << 20), 0);
	rmm_setup_done(rmm);
	assert_int_equal(get(rmm, RMM_GFP_KERNEL, 9), 1u << 28);
	rmm_destroy(rmm);
}

/* Deferred struct page initialisation gives memory while the machine runs. */
static void test_load_free_reserved_after_setup_grows_the_zone(void **state)
{
	struct machine m;
	struct rmm *rmm;

	(void)state;
	machine_init(&m, 4);
	rmm = machine_new(&m);
	rmm_setup_done(rmm);
	assert_int_equal(rmm_load_free(rmm, 0, 9, RMM_MOVABLE), -EPERM);
	assert_int_equal(rmm_free_reserved(rmm, 0, 1024), 0);
	assert_int_equal(rmm_nr_free_pages(rmm), 1024);
	assert_int_equal(rmm_free_reserved(rmm, 512, 512), -EBUSY);
	check_destroy(rmm);
}

/* Order 0: 3 free, order 2: 2, order 4: 1 */
static void test_load_free_reserved_beyond_the_end_is_refused(void **state)
{
	struct machine m;
	struct rmm *rmm;

	(void)state;
	machine_init(&m, 4);
	rmm = machine_new(&m);
	assert_int_equal(rmm_free_reserved(rmm, 1000, UINT64_MAX - 500), -ERANGE);
	assert_int_equal(rmm_free_reserved(rmm, UINT32_MAX, 1), -ERANGE);
	assert_non_null(strstr(rmm_last_error(rmm), "beyond the last zone"));
	assert_int_equal(rmm_nr_free_pages(rmm), 0);
	check_destroy(rmm);
}

static void test_stat_indices_tell_lack_from_fragmentation(void **state)
{
	struct machine m;
	struct rmm *rmm;
	uint64_t free = 3 + 8 + 16, blocks = 6;

	(void)state;
	machine_init(&m, 4);
	rmm = machine_new(&m);
	for (rmm_pfn p = 0; p < 6; p += 2)
		rmm_load_free(rmm, p, 0, RMM_MOVABLE);
	rmm_load_free(rmm, 64, 2, RMM_MOVABLE);
	rmm_load_free(rmm, 128, 2, RMM_UNMOVABLE);
	rmm_load_free(rmm, 256, 4, RMM_MOVABLE);
	assert_int_equal(rmm_nr_free(rmm, 0, 2, -1), 2);
	assert_int_equal(rmm_nr_free(rmm, 0, 2, RMM_UNMOVABLE), 1);
	assert_int_equal(rmm_nr_free_pages(rmm), free);
	assert_int_equal(rmm_unusable_index(rmm, 0, 0), 0);
	assert_int_equal(rmm_unusable_index(rmm, 0, 2), 3 * 1000 / free);
	assert_int_equal(rmm_unusable_index(rmm, 0, 4), 11 * 1000 / free);
	assert_int_equal(rmm_unusable_index(rmm, 0, 5), 1000);
	assert_int_equal(rmm_extfrag_index(rmm, 0, 4), -1000);
	assert_int_equal(rmm_extfrag_index(rmm, 0, 5), 1000 - (1000 + free * 1000 / 32) / blocks);
	rmm_destroy(rmm);
}

static void test_stat_empty_zone_has_defined_indices(void **state)
{
	struct machine m;
	struct rmm *rmm;

	(void)state;
	machine_init(&m, 4);
	rmm = machine_new(&m);
	assert_int_equal(rmm_unusable_index(rmm, 0, 3), 1000);
	assert_int_equal(rmm_extfrag_index(rmm, 0, 3), 0);
	assert_int_equal(rmm_nr_free(rmm, 1, 0, -1), 0);
	assert_int_equal(rmm_nr_free(rmm, 0, 99, -1), 0);
	assert_int_equal(rmm_nr_zones(rmm), 1);
	rmm_destroy(rmm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_create_bad_settings_are_refused),
		cmocka_unit_test(test_create_accepts_nodes_in_turn),
		cmocka_unit_test(test_load_order_of_calls_is_order_of_lists),
		cmocka_unit_test(test_load_conflicts_are_refused),
		cmocka_unit_test(test_load_torn_snapshot_is_accepted_and_noted),
		cmocka_unit_test(test_load_highatomic_pageblocks_count_as_reserved),
		cmocka_unit_test(test_load_free_reserved_after_setup_grows_the_zone),
		cmocka_unit_test(test_load_free_reserved_beyond_the_end_is_refused),
		cmocka_unit_test(test_load_huge_sparse_machine_costs_little),
		cmocka_unit_test(test_stat_indices_tell_lack_from_fragmentation),
		cmocka_unit_test(test_stat_empty_zone_has_defined_indices),
	};

	return RUN(tests);
}
