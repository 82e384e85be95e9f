/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* knobs.c - one table of settings. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kmemlab/refmm.h>

#include "common/nearest.h"
#include "replay/knobs.h"
#include "replay/slabs.h"

enum knob_type {
	KNOB_NUMBER,
	KNOB_SWITCH,
	KNOB_FALLBACK,
	KNOB_PCP_MODE,
	KNOB_KERNEL,
	KNOB_RECLAIM,
};

struct knob {
	const char *name;
	enum knob_type type;
	int64_t min, max;
	void (*set)(struct knob_config *k, int64_t value);
};

/* The host's own value leaves its watermarks as they are: those were computed when less
 * memory was managed, and some pages more or less change when kswapd is woken. */
static void set_min_free(struct knob_config *k, int64_t v)
{
	if (k->pages->min_free_kbytes == v)
		return;
	k->pages->min_free_kbytes = v;
	k->pages->given_watermarks = false;
	k->pages->compute_pcp_high = true; /* from the low watermark */
}

static void set_scale(struct knob_config *k, int64_t v)
{
	if (k->pages->watermark_scale_factor == (unsigned int)v)
		return;
	k->pages->watermark_scale_factor = (unsigned int)v;
	k->pages->given_watermarks = false;
	k->pages->compute_pcp_high = true;
}

static void set_boost(struct knob_config *k, int64_t v)
{
	k->pages->watermark_boost_factor = (unsigned int)v;
}

static void set_defrag(struct knob_config *k, int64_t v)
{
	k->pages->defrag_mode = v != 0;
}

static void set_fallback(struct knob_config *k, int64_t v)
{
	k->pages->fallback = (enum rmm_fallback)v;
}

static void set_pageblock_order(struct knob_config *k, int64_t v)
{
	k->pages->pageblock_order = (unsigned int)v;
}

static void set_mobility(struct knob_config *k, int64_t v)
{
	k->pages->mobility = v != 0;
}

static void set_pcp(struct knob_config *k, int64_t v)
{
	k->pages->pcp = v != 0;
}

static void set_pcp_mode(struct knob_config *k, int64_t v)
{
	k->pages->pcp_mode = (enum rmm_pcp_mode)v;
	k->pages->compute_pcp_high = true;
}

static void set_pcp_high(struct knob_config *k, int64_t v)
{
	k->pages->pcp_high = (uint32_t)v;
}

static void set_pcp_batch(struct knob_config *k, int64_t v)
{
	k->pages->pcp_batch = (uint32_t)v;
}

static void set_pcp_fraction(struct knob_config *k, int64_t v)
{
	k->pages->pcp_high_fraction = (unsigned int)v;
	k->pages->compute_pcp_high = true;
}

static void set_shuffle(struct knob_config *k, int64_t v)
{
	k->pages->shuffle = v != 0;
}

static void set_proactiveness(struct knob_config *k, int64_t v)
{
	k->pages->compaction_proactiveness = (unsigned int)v;
}

static void set_extfrag(struct knob_config *k, int64_t v)
{
	k->pages->extfrag_threshold = (int)v;
}

static void set_slab_min_order(struct knob_config *k, int64_t v)
{
	k->slabs->min_order = (uint32_t)v + 1;
}

static void set_slab_max_order(struct knob_config *k, int64_t v)
{
	k->slabs->max_order = (uint32_t)v + 1;
}

static void set_slab_min_objects(struct knob_config *k, int64_t v)
{
	k->slabs->min_objects = (uint32_t)v + 1;
}

static void set_slab_cpu_partial(struct knob_config *k, int64_t v)
{
	k->slabs->cpu_partial = (uint32_t)v + 1;
}

static void set_sheaf_capacity(struct knob_config *k, int64_t v)
{
	k->slabs->sheaf_capacity = (uint32_t)v + 1;
}

static void set_reclaim(struct knob_config *k, int64_t v)
{
	k->reclaim = (enum knob_reclaim)v;
}

/* Numbers side by side shall not give sequences that lie side by side. */
static void set_compact_seed(struct knob_config *k, int64_t v)
{
	k->compact_seed = (uint64_t)v * UINT64_C(0x9e3779b97f4a7c15);
}

/* What makes a kernel's page allocator that kernel's. */
static void set_kernel(struct knob_config *k, int64_t version)
{
	struct rmm_config *c = k->pages;

	c->fallback = version < 612 ? RMM_FALLBACK_STEAL : RMM_FALLBACK_CLAIM;
	c->pcp_mode = version < 607 ? RMM_PCP_FIXED : RMM_PCP_AUTO;
	c->pcp_thp_lists = version < 607 ? 1 : 2;
	c->pcp_free_high_patient = version >= 616;
	c->isolate_bit = version >= 618;
	c->compute_pcp_high = true;
}

static const struct knob knobs[] = {
	{"vm.min_free_kbytes", KNOB_NUMBER, 0, INT64_C(1) << 32, set_min_free},
	{"vm.watermark_scale_factor", KNOB_NUMBER, 1, 3000, set_scale},
	{"vm.watermark_boost_factor", KNOB_NUMBER, 0, 1000000, set_boost},
	{"vm.defrag_mode", KNOB_SWITCH, 0, 1, set_defrag},
	{"vm.percpu_pagelist_high_fraction", KNOB_NUMBER, 0, 1 << 20, set_pcp_fraction},
	{"vm.compaction_proactiveness", KNOB_NUMBER, 0, 100, set_proactiveness},
	{"vm.extfrag_threshold", KNOB_NUMBER, 0, 1000, set_extfrag},
	{"compact.seed", KNOB_NUMBER, 0, INT64_C(1) << 32, set_compact_seed},
	{"page_alloc.shuffle", KNOB_SWITCH, 0, 1, set_shuffle},
	{"kernel", KNOB_KERNEL, 0, 0, set_kernel},
	{"fallback", KNOB_FALLBACK, 0, 0, set_fallback},
	{"pageblock_order", KNOB_NUMBER, 1, 10, set_pageblock_order},
	{"mobility", KNOB_SWITCH, 0, 1, set_mobility},
	{"pcp", KNOB_SWITCH, 0, 1, set_pcp},
	{"pcp.mode", KNOB_PCP_MODE, 0, 0, set_pcp_mode},
	{"pcp.high", KNOB_NUMBER, 1, 1 << 24, set_pcp_high},
	{"pcp.batch", KNOB_NUMBER, 1, 1 << 16, set_pcp_batch},
	{"reclaim", KNOB_RECLAIM, 0, 0, set_reclaim},
	{"slab.min_order", KNOB_NUMBER, 0, 10, set_slab_min_order},
	{"slab.max_order", KNOB_NUMBER, 0, 10, set_slab_max_order},
	{"slab.min_objects", KNOB_NUMBER, 0, 32767, set_slab_min_objects},
	{"slab.cpu_partial", KNOB_SWITCH, 0, 1, set_slab_cpu_partial},
	{"sheaf.capacity", KNOB_NUMBER, 0, 1024, set_sheaf_capacity},
};
enum { KNOBS = sizeof(knobs) / sizeof(*knobs) };

/* Words that a type takes, and what they stand for. */
static const struct {
	enum knob_type type;
	const char *word;
	int64_t value;
} words[] = {
	{KNOB_SWITCH, "on", 1},
	{KNOB_SWITCH, "1", 1},
	{KNOB_SWITCH, "off", 0},
	{KNOB_SWITCH, "0", 0},
	{KNOB_FALLBACK, "claim", RMM_FALLBACK_CLAIM},
	{KNOB_FALLBACK, "steal", RMM_FALLBACK_STEAL},
	{KNOB_PCP_MODE, "auto", RMM_PCP_AUTO},
	{KNOB_PCP_MODE, "fixed", RMM_PCP_FIXED},
	{KNOB_RECLAIM, "recorded", KNOB_RECLAIM_RECORDED},
	{KNOB_RECLAIM, "model", KNOB_RECLAIM_MODEL},
	{KNOB_KERNEL, "6.1", 601},
	{KNOB_KERNEL, "6.12", 612},
	{KNOB_KERNEL, "6.18", 618},
	{KNOB_KERNEL, "7.2", 702},
};

char *knob_list(char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < KNOBS && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%s", i ? ", " : "",
					 knobs[i].name);
	return text;
}

static int unknown(const char *name, char *error)
{
	struct nearest near = {.word = name};
	char list[400];

	for (size_t i = 0; i < KNOBS; i++)
		nearest_offer(&near, knobs[i].name);
	if (nearest_name(&near))
		snprintf(error, 512, "unknown setting '%.60s'; did you mean '%s'? known are: %s",
			 name, nearest_name(&near), knob_list(list, sizeof(list)));
	else
		snprintf(error, 512, "unknown setting '%.60s'; known are: %s", name,
			 knob_list(list, sizeof(list)));
	return -EINVAL;
}

static int parse_word(const struct knob *k, const char *text, int64_t *value, char *error)
{
	char list[64] = "";

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (words[i].type != k->type)
			continue;
		if (!strcmp(words[i].word, text)) {
			*value = words[i].value;
			return 0;
		}
		snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s",
			 *list ? ", " : "", words[i].word);
	}
	snprintf(error, 512, "cannot set %s to '%.60s': takes one of %s", k->name, text, list);
	return -EINVAL;
}

static int parse_value(const struct knob *k, const char *text, int64_t *value, char *error)
{
	char *end;

	if (k->type != KNOB_NUMBER)
		return parse_word(k, text, value, error);
	errno = 0;
	*value = strtoll(text, &end, 10);
	if (!errno && end != text && !*end && *value >= k->min && *value <= k->max)
		return 0;
	snprintf(error, 512,
		 "cannot set %s to '%.60s': takes a number from %" PRId64 " to %" PRId64, k->name,
		 text, k->min, k->max);
	return -EINVAL;
}

static void note(json_t *settings, const struct knob *k, const char *text, int64_t value)
{
	if (settings)
		json_object_set_new(settings, k->name,
				    k->type == KNOB_NUMBER ? json_integer(value)
							   : json_string(text));
}

int knob_set(struct knob_config *config, const char *assignment, json_t *settings, char *error)
{
	size_t length = strcspn(assignment, "=");
	char name[64];
	int64_t value;

	snprintf(name, sizeof(name), "%.*s", (int)length, assignment);
	if (!assignment[length]) {
		snprintf(error, 512, "cannot use setting '%.60s': write NAME=VALUE", assignment);
		return -EINVAL;
	}
	for (size_t i = 0; i < KNOBS; i++) {
		const char *text = assignment + length + 1;

		if (strcmp(knobs[i].name, name) != 0)
			continue;
		if (parse_value(&knobs[i], text, &value, error))
			return -EINVAL;
		knobs[i].set(config, value);
		note(settings, &knobs[i], text, value);
		return 0;
	}
	return unknown(name, error);
}

int knob_check(const char *assignment, char *error)
{
	struct rmm_config pages;
	struct slabs_knobs slabs = {0};
	struct knob_config scratch = {.pages = &pages, .slabs = &slabs};

	rmm_config_init(&pages);
	return knob_set(&scratch, assignment, NULL, error);
}
