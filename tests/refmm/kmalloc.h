/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* kmalloc.h - machines with kmalloc for refmm's tests. */
#ifndef KMEMLAB_TESTS_KMALLOC_H
#define KMEMLAB_TESTS_KMALLOC_H

#include "machine.h"

#include "../../refmm/kmalloc.h"

#define KERNEL RMM_GFP_KERNEL

/* Booted, with caches; @slab NULL: the defaults */
HELPER struct rmm *kmalloc_boot(const struct machine *m, const struct rmm_slab_config *slab)
{
	struct rmm *rmm = machine_boot(m);

	if (rmm_kmem_cache_init(rmm, slab))
		fail_msg("%s", rmm_last_error(rmm));
	return rmm;
}

/* 16 MiB; @backed: with memory behind it */
HELPER struct rmm *kmalloc_machine(bool backed)
{
	struct machine m;

	machine_init(&m, 8);
	m.config.backed = backed;
	return kmalloc_boot(&m, NULL);
}

HELPER const char *cache_name(const struct rmm *rmm, const struct rmm_kmem_cache *s)
{
	struct rmm_kmem_cache_info info;

	assert_non_null(s);
	rmm_kmem_cache_info(rmm, s, &info);
	return info.name;
}

/* The last error must say @words. */
HELPER void says(const struct rmm *rmm, const char *words)
{
	if (!strstr(rmm_last_error(rmm), words))
		fail_msg("'%s' does not say '%s'", rmm_last_error(rmm), words);
}

/* All live objects of all caches */
HELPER uint64_t live_objects(const struct rmm *rmm)
{
	struct rmm_kmem_cache_info info;
	struct rmm_kmem_cache *s = NULL;
	uint64_t n = 0;

	while ((s = rmm_kmem_cache_next(rmm, s)) != NULL) {
		rmm_kmem_cache_info(rmm, s, &info);
		n += info.objects;
	}
	return n;
}

#endif
