/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * llfree.c - LLFree, the page allocator without locks, at what bench_refmm lets
 * refmm do. It is no package; bench.sh compiles this with its sources where
 * LLFREE_DIR says they are (a checkout of luhsra/llfree-c).
 *
 * Prints "index ns" for each of page_work.h's benchmarks.
 */
#include <llfree.h>
#include <llfree_inner.h>
#include <llfree_platform.h>

#include <stdlib.h>

#include "page_work.h"

static llfree_t llfree;

static llfree_request_t request(unsigned int order)
{
	return llfree_movable_request(1, (uint8_t)order, 0, true);
}

/* Frame numbers begin with 0; NULL is no page */
static void *get(unsigned int order)
{
	llfree_result_t r = llfree_get(&llfree, frame_id_none(), request(order));

	return llfree_is_ok(r) ? (void *)(uintptr_t)(r.frame.value + 1) : NULL;
}

static void put(void *p, unsigned int order)
{
	llfree_result_t r = llfree_put(&llfree, frame_id((uintptr_t)p - 1), request(order));

	if (!llfree_is_ok(r))
		exit(1);
}

static void get_bulk(void **pages)
{
	for (int i = 0; i < BULK; i++)
		pages[i] = get(0);
}

/* Its sources leave to their user where metadata lie. */
static uint8_t *room(size_t bytes)
{
	void *p = NULL;

	if (posix_memalign(&p, LLFREE_CACHE_SIZE, bytes ? bytes : LLFREE_CACHE_SIZE))
		exit(1);
	return p;
}

int main(void)
{
	llfree_classing_t classing = llfree_classing_movable(1);
	llfree_meta_size_t size = llfree_metadata_size(&classing, PAGES);
	llfree_meta_t meta = {
		.local = room(size.local),
		.trees = room(size.trees),
		.lower = room(size.lower),
	};

	if (!llfree_is_ok(llfree_init(&llfree, PAGES, LLFREE_INIT_FREE, meta, &classing)))
		return 1;
	for (int i = 0; i < BENCHES; i++)
		printf("%d %.2f\n", i, best(benches[i].work));
	return 0;
}
