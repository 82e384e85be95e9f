/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * machine.h - small machines for refmm's tests.
 *
 * Most tests use one NORMAL zone of a few pageblocks of 512 pages from frame 0,
 * with min_free_kbytes 0, so that watermarks stay out of the way.
 */
#ifndef KMEMLAB_TESTS_MACHINE_H
#define KMEMLAB_TESTS_MACHINE_H

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../support/test.h"

#include "../../refmm/compact.h"

#define HELPER __attribute__((unused)) static
#define BLOCK  512u

/* A configuration with one zone of @blocks pageblocks; edit, then machine_new() */
struct machine {
	struct rmm_config config;
	struct rmm_zone_config zone[4];
};

HELPER void machine_zone(struct machine *m, uint8_t node, uint8_t type, rmm_pfn start,
			 uint32_t pages)
{
	m->zone[m->config.nr_zones++] = (struct rmm_zone_config){
		.node = node,
		.type = type,
		.start_pfn = start,
		.spanned = pages,
		.present = pages,
		.managed = pages,
	};
}

HELPER void machine_init(struct machine *m, unsigned int blocks)
{
	memset(m, 0, sizeof(*m));
	rmm_config_init(&m->config);
	m->config.min_free_kbytes = 0;
	m->config.zones = m->zone;
	if (blocks)
		machine_zone(m, 0, RMM_ZONE_NORMAL, 0, blocks * BLOCK);
}

HELPER struct rmm *machine_new(const struct machine *m)
{
	char error[256] = "";
	struct rmm *rmm = rmm_create(&m->config, error);

	if (!rmm)
		print_error("%s\n", error);
	assert_non_null(rmm);
	return rmm;
}

/* All memory of all zones free and movable, as after boot */
HELPER struct rmm *machine_boot(const struct machine *m)
{
	struct rmm *rmm = machine_new(m);

	for (unsigned int i = 0; i < m->config.nr_zones; i++)
		assert_int_equal(rmm_free_reserved(rmm, m->zone[i].start_pfn, m->zone[i].spanned),
				 0);
	assert_int_equal(rmm_setup_done(rmm), 0);
	return rmm;
}

/* One zone of @blocks pageblocks; @pcp: with per-CPU lists */
HELPER struct rmm *machine(unsigned int blocks, bool pcp)
{
	struct machine m;

	machine_init(&m, blocks);
	m.config.pcp = pcp;
	return machine_boot(&m);
}

HELPER void check(const struct rmm *rmm)
{
	char msg[256];

	if (rmm_validate(rmm, msg, sizeof(msg)))
		fail_msg("%s", msg);
}

HELPER void check_destroy(struct rmm *rmm)
{
	check(rmm);
	rmm_destroy(rmm);
}

/* Allocate on CPU 0; RMM_NO_PFN if there is none */
HELPER rmm_pfn get(struct rmm *rmm, unsigned int gfp, unsigned int order)
{
	struct rmm_page *page = rmm_alloc_pages(rmm, 0, gfp, order);

	return page ? rmm_page_to_pfn(rmm, page) : RMM_NO_PFN;
}

HELPER void put(struct rmm *rmm, rmm_pfn pfn, unsigned int order)
{
	if (rmm_free_pages(rmm, 0, &rmm->memmap[pfn], order))
		fail_msg("%s", rmm_last_error(rmm));
}

/* A list's members as text: "8 4 12" */
HELPER const char *members(const struct rmm *rmm, const struct rmm_list *list)
{
	static char text[512];
	size_t at = 0;

	text[0] = '\0';
	for (rmm_pfn p = list->first; p != RMM_NIL && at < sizeof(text); p = rmm->memmap[p].next)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%u", at ? " " : "", p);
	return text;
}

HELPER const char *free_list(const struct rmm *rmm, unsigned int order, int mt)
{
	return members(rmm, &rmm->zone[0].free_area[order].free_list[mt]);
}

HELPER struct rmm_stat stats(const struct rmm *rmm)
{
	struct rmm_stat s;

	rmm_stat(rmm, &s);
	return s;
}

#define RUN(tests) cmocka_run_group_tests_name(__FILE__, tests, NULL, NULL)

#endif
