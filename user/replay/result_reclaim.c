/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* result_reclaim.c - what the model of reclaim did, and what a run does not predict. */
#include "replay/result.h"

/* Shares beyond which a run is no prediction, in 1/1000. */
enum { BELOW_MARKS_MOST = 1, CACHE_DIFFERS_MOST = 20 };

/* Pages taken that the recorded kernel still has at the end. */
static uint64_t cache_less(const struct reference *f)
{
	return f->reclaim.counts.early - f->requests.counts.free_of_reclaimed;
}

/* Pages still there that the recorded kernel has reclaimed. */
static uint64_t cache_more(const struct reference *f)
{
	return f->reclaim.counts.deferred - f->reclaim.counts.late;
}

static uint64_t cache_pages(const struct reference *f)
{
	uint64_t pages = 0;

	for (unsigned int i = 0; i < f->reclaim.nodes; i++)
		pages += f->reclaim.lru.pages[i];
	return pages;
}

json_t *result_modelled_reclaim(const struct replay *p, const struct run *run)
{
	const struct reference *f = run->reference;
	const struct reclaim *m = &f->reclaim;
	const struct {
		const char *name;
		uint64_t n;
	} counts[] = {
		{"kswapd_wakes", m->counts.wakes},    {"kswapd_pages", m->counts.kswapd},
		{"direct_pages", m->counts.direct},   {"kernel_pages", f->fates->reclaimed_pages},
		{"reclaimed_early", m->counts.early}, {"reclaim_deferred", m->counts.deferred},
		{"cache_pages", cache_pages(f)},      {"cache_less", cache_less(f)},
		{"cache_more", cache_more(f)},	      {"nothing_left", m->counts.gave_up},
		{"ns_per_page", m->ns_per_page},
	};
	json_t *o = json_object();

	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++)
		json_object_set_new(o, counts[i].name, json_integer((json_int_t)counts[i].n));
	if (p->control != run)
		json_object_set_new(o, "base", json_string(p->control->name));
	json_object_set_new(o, "lru_gen", json_boolean(m->lru_gen));
	return o;
}

static void not_predicted(json_t *list, const char *what, const char *why)
{
	json_array_append_new(list, json_pack("{s:s, s:s}", "what", what, "why", why));
}

json_t *result_not_predicted(const struct run *run)
{
	const struct reference *f = run->reference;
	const struct requests_counts *c = &f->requests.counts;
	json_t *list = json_array();
	uint64_t differs;

	if (c->alloc_below_marks * 1000 > c->events * BELOW_MARKS_MOST)
		not_predicted(list, "all",
			      "many requests were served below the watermarks, where the kernel "
			      "would have reclaimed, waited or killed");
	if (run->slabs)
		not_predicted(list, "pages for slabs",
			      "settings of the slab layer are followed by the replay of objects; "
			      "that of pages has the requests of the recorded slabs");
	if (!f->models_reclaim)
		return list;
	if (f->reclaim.counts.gave_up)
		not_predicted(list, "all",
			      "reclaim found nothing left to take: the kernel would have swapped, "
			      "waited or killed");
	differs = cache_less(f) + cache_more(f);
	if (differs * 1000 > (cache_pages(f) + cache_less(f)) * CACHE_DIFFERS_MOST)
		not_predicted(list, "counts.pcp_refill_pages",
			      "the page cache is of another size than recorded, and what would "
			      "have been read again more or less often is not modelled");
	return list;
}
