/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "percpu_machine.h"

/* Numbers of kernels' boot messages: "pcpu-alloc: s185560 r0 d31528 u1048576
 * alloc=1*2097152", and the like for other CPU counts by the same rule */
/* NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): in the message's order */
static const struct layout {
	unsigned int cpus, nodes;
	size_t fixed, reserved, atom;
	enum rmm_percpu_first first;
	size_t dyn, unit, alloc;
	unsigned int units;
} layouts[] = {
	{2, 1, 185560, 0, 2 << 20, RMM_PERCPU_EMBED, 31528, 1 << 20, 2 << 20, 2},
	{4, 1, 185560, 0, 2 << 20, RMM_PERCPU_EMBED, 31528, 512 << 10, 2 << 20, 4},
	{1, 1, 185560, 0, 2 << 20, RMM_PERCPU_EMBED, 31528, 2 << 20, 2 << 20, 1},
	{8, 1, 185560, 0, 2 << 20, RMM_PERCPU_EMBED, 31528, 256 << 10, 2 << 20, 8},
	{64, 1, 185560, 8192, 2 << 20, RMM_PERCPU_EMBED, 31528, 256 << 10, 2 << 20, 64},
	/* 6 CPUs: 8 units, as 2 over is no more than a third */
	{6, 1, 185560, 0, 2 << 20, RMM_PERCPU_EMBED, 31528, 256 << 10, 2 << 20, 8},
	/* 5 CPUs: 8 units would be 3 too many, 4 twice as well; 3 pieces of 2 */
	{5, 1, 185560, 0, 2 << 20, RMM_PERCPU_EMBED, 31528, 1 << 20, 2 << 20, 6},
	/* 3 CPUs on each of 2 nodes: 4 units each, 2 of 8 are nobody's */
	{6, 2, 185560, 0, 2 << 20, RMM_PERCPU_EMBED, 31528, 512 << 10, 2 << 20, 8},
	{2, 1, 185560, 0, 2 << 20, RMM_PERCPU_PAGE, 31528, 217088, 217088, 2},
	{2, 1, 100, 0, 4096, RMM_PERCPU_EMBED, 32668, 32768, 32768, 2},
};

static struct rmm *lay_out(const struct layout *l)
{
	static uint8_t node[RMM_MAX_CPUS];
	struct rmm_percpu_config c;
	struct machine m;

	machine_init(&m, 8);
	m.config.nr_cpus = l->cpus;
	for (unsigned int i = 0; i < l->cpus; i++)
		node[i] = (uint8_t)(i % l->nodes);
	m.config.cpu_node = node;
	rmm_percpu_config_init(&c);
	c.static_size = l->fixed;
	c.reserved_size = l->reserved;
	c.atom_size = l->atom;
	c.first = l->first;
	return percpu_boot(&m, &c);
}

static void test_percpu_layout_unit_sizes_follow_the_kernels_rule(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(layouts) / sizeof(*layouts); i++) {
		struct rmm *rmm = lay_out(&layouts[i]);
		struct rmm_percpu_info info;

		assert_int_equal(rmm_percpu_info(rmm, &info), 0);
		assert_int_equal(info.dyn_size, layouts[i].dyn);
		assert_int_equal(info.unit_size, layouts[i].unit);
		assert_int_equal(info.alloc_size, layouts[i].alloc);
		assert_int_equal(info.nr_units, layouts[i].units);
		check_destroy(rmm);
	}
}

static void test_percpu_layout_nodes_do_not_share_pieces(void **state)
{
	struct rmm *rmm = lay_out(&layouts[7]);
	const int *unit = rmm_pcpu_of(rmm)->unit_map;
	const int wanted[] = {0, 4, 1, 5, 2, 6};

	(void)state;
	for (int cpu = 0; cpu < 6; cpu++)
		assert_int_equal(unit[cpu], wanted[cpu]);
	check_destroy(rmm);
}

static void test_percpu_layout_slots_are_those_of_the_unit_size(void **state)
{
	const struct {
		int size, slot;
	} cases[] = {{1, 1},	   {4, 1},  {31, 2},	{15, 1},     {32, 3},
		     {63, 3},	   {64, 4}, {4096, 10}, {32768, 13}, {(1 << 20) - 4, 17},
		     {1 << 20, 20}};
	struct rmm *rmm = lay_out(&layouts[0]);
	struct rmm_percpu_info info;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(rmm_percpu_size_to_slot(rmm, cases[i].size), cases[i].slot);
	rmm_percpu_info(rmm, &info);
	assert_int_equal(info.sidelined_slot, 19);
	assert_int_equal(info.free_slot, 20);
	assert_int_equal(info.to_depopulate_slot, 21);
	assert_int_equal(info.nr_slots, 22);
	check_destroy(rmm);
}

static void expect_refused(void (*edit)(struct rmm_percpu_config *), const char *why)
{
	struct rmm_percpu_config c;
	struct machine m;
	struct rmm *rmm;

	machine_init(&m, 8);
	rmm = machine_boot(&m);
	percpu_config(&c);
	edit(&c);
	assert_int_equal(rmm_percpu_init(rmm, &c), -EINVAL);
	assert_non_null(strstr(rmm_last_error(rmm), why));
	check_destroy(rmm);
}

static void no_static(struct rmm_percpu_config *c)
{
	c->static_size = 0;
}

static void odd_reserved(struct rmm_percpu_config *c)
{
	c->reserved_size = 6;
}

static void odd_atom(struct rmm_percpu_config *c)
{
	c->atom_size = 12288;
}

static void small_unit(struct rmm_percpu_config *c)
{
	c->unit_size = 28 << 10;
}

static void tight_unit(struct rmm_percpu_config *c)
{
	c->static_size = UNIT - DYNAMIC + 4096;
}

static void odd_unit(struct rmm_percpu_config *c)
{
	c->unit_size = UNIT + 4;
}

static void odd_dynamic(struct rmm_percpu_config *c)
{
	c->dyn_size = DYNAMIC + 4;
}

static void small_dynamic(struct rmm_percpu_config *c)
{
	c->dyn_size = RMM_PCPU_EARLY - 4;
}

static void many_cpus(struct rmm_percpu_config *c)
{
	c->nr_cpus = 5;
}

static void test_percpu_layout_wrong_settings_are_refused(void **state)
{
	(void)state;
	expect_refused(no_static, "static_size is 0");
	expect_refused(odd_reserved, "multiple of 4");
	expect_refused(odd_atom, "power of two");
	expect_refused(small_unit, "unit_size is below");
	expect_refused(tight_unit, "unit_size is below");
	expect_refused(odd_unit, "multiple of a page");
	expect_refused(small_dynamic, "dyn_size is below 20 KiB");
	expect_refused(odd_dynamic, "end inside a page");
	expect_refused(many_cpus, "more CPUs");
}

static void test_percpu_layout_second_setup_is_refused(void **state)
{
	struct rmm *rmm = percpu_machine(false);

	(void)state;
	assert_int_equal(rmm_percpu_init(rmm, NULL), -EBUSY);
	check_destroy(rmm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_percpu_layout_unit_sizes_follow_the_kernels_rule),
		cmocka_unit_test(test_percpu_layout_nodes_do_not_share_pieces),
		cmocka_unit_test(test_percpu_layout_slots_are_those_of_the_unit_size),
		cmocka_unit_test(test_percpu_layout_wrong_settings_are_refused),
		cmocka_unit_test(test_percpu_layout_second_setup_is_refused),
	};

	return RUN(tests);
}
