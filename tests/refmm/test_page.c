/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Frames and blocks: refmm/page.c and the lists of refmm/page.h. */
#include "machine.h"

/* Zone of 8 pageblocks; order 3 in use at 8, order 1 free at 16, order 0 at 18 */
static struct rmm *loaded(void)
{
	struct machine m;
	struct rmm *rmm;

	machine_init(&m, 8);
	rmm = machine_new(&m);
	assert_int_equal(rmm_load_allocated(rmm, 8, 3, RMM_UNMOVABLE), 0);
	assert_int_equal(rmm_load_free(rmm, 16, 1, RMM_MOVABLE), 0);
	assert_int_equal(rmm_load_allocated(rmm, 18, 0, RMM_MOVABLE), 0);
	return rmm;
}

static void test_page_info_any_frame_names_its_block(void **state)
{
	static const struct {
		rmm_pfn pfn, head;
		unsigned int order;
		enum rmm_page_state state;
	} cases[] = {
		{7, 7, 0, RMM_PG_RESERVED},   {8, 8, 3, RMM_PG_ALLOCATED},
		{9, 8, 3, RMM_PG_TAIL},	      {13, 8, 3, RMM_PG_TAIL},
		{15, 8, 3, RMM_PG_TAIL},      {16, 16, 1, RMM_PG_BUDDY},
		{17, 16, 1, RMM_PG_TAIL},     {18, 18, 0, RMM_PG_ALLOCATED},
		{19, 19, 0, RMM_PG_RESERVED},
	};
	struct rmm *rmm = loaded();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct rmm_page_info info;

		assert_int_equal(rmm_page_info(rmm, cases[i].pfn, &info), 0);
		assert_int_equal(info.state, cases[i].state);
		assert_int_equal(info.head, cases[i].head);
		assert_int_equal(info.order, cases[i].order);
	}
	rmm_destroy(rmm);
}

static void test_page_info_outside_zones_fails(void **state)
{
	struct rmm *rmm = loaded();
	struct rmm_page_info info;

	(void)state;
	assert_int_equal(rmm_page_info(rmm, 8 * BLOCK, &info), -ERANGE);
	assert_int_equal(rmm_page_info(rmm, RMM_NO_PFN, &info), -ERANGE);
	assert_int_equal(rmm_pfn_zone(rmm, 8 * BLOCK), -1);
	assert_null(rmm_pfn_to_page(rmm, 8 * BLOCK));
	assert_non_null(rmm_pfn_to_page(rmm, 8 * BLOCK - 1));
	rmm_destroy(rmm);
}

static void test_page_list_add_and_del_keep_order(void **state)
{
	struct rmm_page map[8] = {0};
	struct rmm_list list;
	struct rmm rmm = {.memmap = map};

	(void)state;
	rmm_list_init(&list);
	rmm_list_add(map, &list, 3);
	rmm_list_add(map, &list, 5);
	rmm_list_add_tail(map, &list, 1);
	rmm_list_add_tail(map, &list, 7);
	assert_string_equal(members(&rmm, &list), "5 3 1 7");
	rmm_list_del(map, &list, 1);
	rmm_list_del(map, &list, 7);
	assert_int_equal(list.last, 3);
	rmm_list_del_first(map, &list);
	assert_string_equal(members(&rmm, &list), "3");
	assert_int_equal(map[3].prev, RMM_NIL);
	rmm_list_del_first(map, &list);
	assert_int_equal(list.first, RMM_NIL);
	assert_int_equal(list.last, RMM_NIL);
	assert_int_equal(list.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_page_info_any_frame_names_its_block),
		cmocka_unit_test(test_page_info_outside_zones_fails),
		cmocka_unit_test(test_page_list_add_and_del_keep_order),
	};

	return RUN(tests);
}
