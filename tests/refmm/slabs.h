/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * slabs.h - small machines with a slab layer, for its tests.
 *
 * One zone of pageblocks, without or with memory behind the pages; the slab
 * configuration as the test wants it.
 */
#ifndef KMEMLAB_TESTS_SLABS_H
#define KMEMLAB_TESTS_SLABS_H

#include "machine.h"

#include "../../refmm/slab_parts.h"

#define PAGE 4096u

struct slabs {
	struct machine m;
	struct rmm_slab_config config;
};

HELPER void slabs_init(struct slabs *w, unsigned int blocks, bool backed)
{
	machine_init(&w->m, blocks);
	w->m.config.backed = backed;
	rmm_slab_config_init(&w->config);
}

HELPER struct rmm *slabs_boot(const struct slabs *w)
{
	struct rmm *rmm = machine_boot(&w->m);

	if (rmm_kmem_cache_init(rmm, &w->config))
		fail_msg("%s", rmm_last_error(rmm));
	return rmm;
}

/* A machine of 4 pageblocks and the defaults */
HELPER struct rmm *slabs(bool backed)
{
	struct slabs w;

	slabs_init(&w, 4, backed);
	return slabs_boot(&w);
}

HELPER struct rmm_kmem_cache *cache_of(struct rmm *rmm, const char *name, unsigned int size,
				       unsigned int flags)
{
	struct rmm_kmem_cache_args args = {.name = name, .size = size, .flags = flags};
	struct rmm_kmem_cache *s = rmm_kmem_cache_create(rmm, &args);

	if (!s)
		fail_msg("%s", rmm_last_error(rmm));
	return s;
}

HELPER void *take(struct rmm *rmm, struct rmm_kmem_cache *s)
{
	return rmm_kmem_cache_alloc(rmm, 0, s, RMM_GFP_KERNEL);
}

HELPER void give(struct rmm *rmm, struct rmm_kmem_cache *s, void *object)
{
	if (rmm_kmem_cache_free(rmm, 0, s, object))
		fail_msg("%s", rmm_last_error(rmm));
}

HELPER struct rmm_kmem_cache_info info_of(const struct rmm *rmm, const struct rmm_kmem_cache *s)
{
	struct rmm_kmem_cache_info info;

	rmm_kmem_cache_info(rmm, s, &info);
	return info;
}

HELPER struct rmm_slab_stat counts_of(const struct rmm *rmm, const struct rmm_kmem_cache *s)
{
	struct rmm_slab_stat stat;

	rmm_slab_stat(rmm, s, &stat);
	return stat;
}

#endif
