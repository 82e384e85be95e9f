/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The order of nodes: refmm/zonelist.c. */
#include "machine.h"

/* Nodes of @nr, in the order in which node @node tries them: "0 1 2" */
static const char *order(const struct rmm *rmm, unsigned int node)
{
	const struct rmm_zonelist *list = &rmm->zonelist[node];
	static char text[64];
	size_t at = 0;

	text[0] = '\0';
	for (unsigned int i = 0; i < list->nr; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%u", i ? " " : "",
				       list->zone[i]->node);
	return text;
}

/* Four nodes of a pageblock each; @memory: which have some; CPUs on @cpu_node */
static struct rmm *nodes(const uint8_t *distance, const uint8_t *cpu_node, unsigned int cpus,
			 unsigned int memory)
{
	struct machine m;

	machine_init(&m, 0);
	for (uint8_t n = 0; n < 4; n++)
		if (memory >> n & 1)
			machine_zone(&m, n, RMM_ZONE_NORMAL, n * BLOCK, BLOCK);
	m.config.nr_nodes = 4;
	m.config.node_distance = distance;
	m.config.cpu_node = cpu_node;
	m.config.nr_cpus = cpus;
	return machine_boot(&m);
}

static const uint8_t everywhere[4] = {0, 1, 2, 3};

static void test_zonelist_orders_nodes_by_distance(void **state)
{
	/* A ring of four: neighbours 20, across 30 */
	static const uint8_t ring[16] = {10, 20, 30, 20, 20, 10, 20, 30,
					 30, 20, 10, 20, 20, 30, 20, 10};
	/* Two boards of two nodes */
	static const uint8_t boards[16] = {10, 12, 40, 40, 12, 10, 40, 40,
					   40, 40, 10, 12, 40, 40, 12, 10};
	static const struct {
		const uint8_t *distance;
		const char *order[4];
	} cases[] = {
		{NULL, {"0 1 2 3", "1 2 3 0", "2 3 0 1", "3 0 1 2"}},
		{ring, {"0 1 3 2", "1 2 0 3", "2 3 1 0", "3 0 2 1"}},
		/* The far board is entered at one node, and then at the other. */
		{boards, {"0 1 2 3", "1 0 3 2", "2 3 0 1", "3 2 1 0"}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct rmm *rmm = nodes(cases[i].distance, everywhere, 4, 15);

		for (unsigned int n = 0; n < 4; n++)
			assert_string_equal(order(rmm, n), cases[i].order[n]);
		check_destroy(rmm);
	}
}

static void test_zonelist_prefers_nodes_without_cpus(void **state)
{
	static const uint8_t cpu_node[2] = {0, 1};
	struct rmm *rmm = nodes(NULL, cpu_node, 2, 15);

	(void)state;
	assert_string_equal(order(rmm, 0), "0 2 3 1");
	assert_string_equal(order(rmm, 1), "1 3 2 0"); /* 2 has been first already */
	check_destroy(rmm);
}

static void test_zonelist_node_without_memory_uses_others(void **state)
{
	struct rmm *rmm = nodes(NULL, everywhere, 4, 15 & ~2);
	struct rmm_page *page;

	(void)state;
	assert_string_equal(order(rmm, 1), "3 2 0"); /* 2 is node 0's next already */
	assert_string_equal(order(rmm, 0), "0 2 3");
	page = rmm_alloc_pages(rmm, 1, RMM_GFP_KERNEL, 0);
	assert_in_range(rmm_page_to_pfn(rmm, page), 3 * BLOCK, 4 * BLOCK - 1);
	/* Also where the CPU's list of another node's zone holds one */
	assert_int_equal(rmm_free_page(rmm, 1, page), 0);
	assert_int_equal(rmm_pcp_count(rmm, 3, 1) + rmm_pcp_count(rmm, 2, 1), 1);
	assert_null(rmm_alloc_pages(rmm, 1, RMM_GFP_KERNEL | RMM_GFP_THISNODE, 0));
	assert_ptr_equal(rmm_alloc_pages(rmm, 1, RMM_GFP_KERNEL, 0), page);
	check_destroy(rmm);
}

static void test_zonelist_requests_follow_the_order(void **state)
{
	static const uint8_t far[16] = {10, 40, 40, 20, 40, 10, 20, 40,
					40, 20, 10, 40, 20, 40, 40, 10};
	struct rmm *rmm = nodes(far, everywhere, 4, 15);
	rmm_pfn p = 0, last = 0;
	unsigned int seen[4] = {0}, n = 0;

	(void)state;
	while ((p = get(rmm, RMM_GFP_KERNEL | RMM_GFP_MEMALLOC, 5)) != RMM_NO_PFN) {
		if (p / BLOCK != last / BLOCK)
			seen[++n] = p / BLOCK;
		last = p;
	}
	assert_int_equal(n, 3);
	assert_int_equal(seen[1], 3);
	assert_int_equal(seen[2], 1);
	assert_int_equal(seen[3], 2);
	check_destroy(rmm);
}

static void test_zonelist_bad_nodes_are_refused(void **state)
{
	static const uint8_t table[1] = {10};
	struct machine m;
	char error[256];

	(void)state;
	machine_init(&m, 1);
	m.config.node_distance = table;
	assert_null(rmm_create(&m.config, error));
	assert_non_null(strstr(error, "missing for node_distance"));
	m.config.nr_nodes = 1;
	m.zone[0].node = 1;
	assert_null(rmm_create(&m.config, error));
	assert_non_null(strstr(error, "beyond nr_nodes"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zonelist_orders_nodes_by_distance),
		cmocka_unit_test(test_zonelist_prefers_nodes_without_cpus),
		cmocka_unit_test(test_zonelist_node_without_memory_uses_others),
		cmocka_unit_test(test_zonelist_requests_follow_the_order),
		cmocka_unit_test(test_zonelist_bad_nodes_are_refused),
	};

	return RUN(tests);
}
