/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ring.c - a per-CPU list grows. See ring.h.
 *
 * Most lists of most machines are never used, so a ring has no slots at first.
 * It doubles, and keeps what it has: how long lists get is the business of
 * pcp_tune.c, and what was once needed will be again.
 *
 * Locking: pcp->lock is held.
 *
 * Modelled: nothing; the kernel's lists need no memory of their own.
 */
#include <stdlib.h>

#include "layers.h"

enum { LEAST_ROOM = 64 }; /* a batch, on most zones */

/**
 * rmm_ring_grow() - make @room slots, or more
 *
 * Return: false if there is no memory for them; nothing has changed then.
 */
bool rmm_ring_grow(struct rmm *rmm, struct rmm_ring *r, uint32_t room)
{
	struct rmm_ring larger = {.room = LEAST_ROOM};

	if (rmm_should_fail(rmm, RMM_FAULT_PCP_GROW, 0, 0) || room > 1u << 31)
		return false;
	while (larger.room < room)
		larger.room *= 2;
	larger.slot = malloc(larger.room * sizeof(*larger.slot));
	if (!larger.slot)
		return false;
	for (uint32_t i = 0; i < rmm_ring_count(r); i++)
		rmm_ring_add_tail(&larger, rmm_ring_at(r, i));
	free(r->slot);
	*r = larger;
	return true;
}
