/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * growth.c - who allocates and does not free. Caches whose slabs are Reclaimable pages are
 * the kernel's to take back: their growth is no leak. What one command grows by as many
 * objects is one thing with several parts.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "advise/sites.h"
#include "common/out.h"

enum {
	GROWER_LIVE = 1000,
	ALIKE_PERCENT = 20, /* by which numbers of a group's objects may differ */
	NAMES_BYTES = 200,
};

int rule_growth(const struct site *s, const struct site_facts *f)
{
	int64_t growth = *s->cache ? f->cache_growth(f->ctx, s->cache) : INT64_MIN;
	struct grower *h;

	if (s->life.live < GROWER_LIVE || s->life.freed * 10 > s->life.live ||
	    growth == INT64_MIN || growth * 2 < (int64_t)s->life.live)
		return 0;
	if (f->growers->n == f->growers->room) {
		size_t room = f->growers->room ? f->growers->room * 2 : 16;

		h = reallocarray(f->growers->at, room, sizeof(*h));
		if (!h)
			return -ENOMEM;
		f->growers->at = h;
		f->growers->room = room;
	}
	h = &f->growers->at[f->growers->n++];
	*h = (struct grower){
		.live = s->life.live,
		.freed = s->life.freed,
		.bytes = s->life.live * s->most_alloc,
		.oldest_ns = s->life.oldest_ns,
		.growth = growth,
		.reclaimable = s->reclaimable > s->other_pages,
	};
	snprintf(h->name, sizeof(h->name), "%s", s->name);
	snprintf(h->cache, sizeof(h->cache), "%s", s->cache);
	snprintf(h->comm, sizeof(h->comm), "%s", s->comm ? s->comm : "");
	return 0;
}

void growers_free(struct growers *h)
{
	free(h->at);
	memset(h, 0, sizeof(*h));
}

static bool alike(const struct grower *a, const struct grower *b)
{
	uint64_t more = a->live > b->live ? a->live : b->live;
	uint64_t less = a->live > b->live ? b->live : a->live;

	return *a->comm && !strcmp(a->comm, b->comm) && less * 100 >= more * (100 - ALIKE_PERCENT);
}

/* An inode's parts in other caches go when it goes. */
static void find_followers(struct growers *g)
{
	for (size_t i = 0; i < g->n; i++)
		for (size_t k = 0; k < g->n && !g->at[i].reclaimable; k++)
			g->at[i].follows |= g->at[k].reclaimable && alike(&g->at[i], &g->at[k]);
}

static bool kernel_takes(const struct grower *h)
{
	return h->reclaimable || h->follows;
}

/* What the kernel takes back first; then by command, and the most objects first. */
static int by_group(const void *x, const void *y)
{
	const struct grower *a = x, *b = y;
	int comm = strcmp(a->comm, b->comm);

	if (kernel_takes(a) != kernel_takes(b))
		return kernel_takes(a) ? -1 : 1;
	if (a->follows != b->follows)
		return a->follows ? 1 : -1;
	if (comm && !kernel_takes(a))
		return comm;
	if (a->live != b->live)
		return a->live > b->live ? -1 : 1;
	return strcmp(a->name, b->name);
}

static bool same_group(const struct grower *first, const struct grower *h)
{
	if (kernel_takes(first) || kernel_takes(h))
		return kernel_takes(first) == kernel_takes(h);
	return alike(first, h);
}

/* What they have in sum, and the names of their caches, each once. */
static struct grower sum_of(const struct grower *h, size_t n, char *caches)
{
	struct grower sum = h[0];
	bool cut = false;
	size_t at = 0;

	*caches = '\0';
	sum.live = sum.freed = sum.bytes = 0;
	sum.growth = 0;
	for (size_t i = 0; i < n; i++) {
		bool again = false;

		sum.live += h[i].live;
		sum.freed += h[i].freed;
		sum.bytes += h[i].bytes;
		if (h[i].oldest_ns < sum.oldest_ns)
			sum.oldest_ns = h[i].oldest_ns;
		for (size_t k = 0; k < i && !again; k++)
			again = !strcmp(h[k].cache, h[i].cache);
		if (again)
			continue;
		sum.growth += h[i].growth;
		if (cut || at + strlen(h[i].cache) + sizeof(", , ...") > NAMES_BYTES) {
			snprintf(caches + at, NAMES_BYTES - at, ", ...");
			cut = true;
			continue;
		}
		at += (size_t)snprintf(caches + at, NAMES_BYTES - at, "%s%s", at ? ", " : "",
				       h[i].cache);
	}
	return sum;
}

static const char *of_slabs(const struct grower *first, const struct grower *last)
{
	if (!first->reclaimable)
		return "";
	return last->follows ? "; slabs of the first are Reclaimable pages, and the rest grows "
			       "with them"
			     : "; their slabs are Reclaimable pages";
}

static void say(struct advice *a, const struct grower *h, size_t n, const struct site_facts *f)
{
	char caches[NAMES_BYTES], held[16], more[40] = "";
	struct grower sum = sum_of(h, n, caches);

	a->sure = ADVICE_LOW;
	a->weight = (double)sum.bytes;
	if (n > 1)
		snprintf(more, sizeof(more), " and %zu more", n - 1);
	if (sum.reclaimable)
		snprintf(a->what, sizeof(a->what), "reclaimable cache growth, no leak: %s", caches);
	else
		snprintf(a->what, sizeof(a->what), "%.120s%s: find out who should free these",
			 sum.name, more);
	snprintf(a->evidence, sizeof(a->evidence),
		 "%" PRIu64 " objects (%s) allocated and %" PRIu64
		 " freed in %.0f s%s%s, the oldest "
		 "%.0f s ago; /proc/slabinfo has %" PRId64 " more in %s%s",
		 sum.live + sum.freed, out_human_bytes(sum.bytes, held), sum.freed, f->seconds,
		 *sum.comm ? ", most by " : "", sum.comm, (double)(f->end_ns - sum.oldest_ns) / 1e9,
		 sum.growth, caches, of_slabs(h, &h[n - 1]));
	snprintf(a->check, sizeof(a->check),
		 sum.reclaimable ? "'echo 3 >/proc/sys/vm/drop_caches', or memory pressure: they "
				   "fall in /proc/slabinfo; how soon is vm.vfs_cache_pressure's to "
				   "say for dentries and inodes"
				 : "record longer: a cache that fills levels off, a leak does not");
}

int growers_advise(struct advices *all, struct growers *h, const struct site_facts *f)
{
	find_followers(h);
	if (h->n)
		qsort(h->at, h->n, sizeof(*h->at), by_group);
	for (size_t i = 0, n; i < h->n; i += n) {
		struct advice *a = advices_add(all);

		if (!a)
			return -ENOMEM;
		for (n = 1; i + n < h->n && same_group(&h->at[i], &h->at[i + n]); n++)
			;
		a->topic = h->at[i].reclaimable ? "growth" : "holder";
		say(a, &h->at[i], n, f);
	}
	return 0;
}
