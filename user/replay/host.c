/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* host.c - zones from zoneinfo, the rest from the trace's header. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "replay/host.h"
#include "trace/trace_io.h"

enum {
	DEFAULT_PAGEBLOCK_ORDER = 9,
	DEFAULT_MAX_ORDER = 10,
	PAGEBLOCK_ORDER_MAX = 14,
	PCP_TYPES = 3,
	/* What the kernel never exceeds; sums of them fit in 32 bits. */
	PCP_BATCH_MAX = 4096,
	PCP_PAGES_MAX = 1 << 27,
	/* How far zones may reach: holes, and memory that does not begin at 0. */
	SPAN_FACTOR = 4,
	SPAN_SPARSE_FACTOR = 64,
	SPAN_HOLE_PAGES = 1 << 20,
};

unsigned int host_zone_find(const struct host *h, unsigned int node, const char *name)
{
	for (unsigned int i = 0; i < h->nr_zones; i++)
		if (h->zones[i].node == node && !strcmp(h->zones[i].name, name))
			return i;
	return HOST_ZONE_NONE;
}

int host_sysctl(struct trace_reader *r, const char *name, int64_t *value)
{
	struct trace_text t;
	int err = trace_reader_find_text(r, name, KMT_PHASE_START, &t);
	char *end;

	if (err)
		return err;
	*value = strtoll(t.text, &end, 10);
	err = end == t.text ? -EINVAL : 0;
	trace_text_free(&t);
	return err;
}

static uint8_t zone_type(const char *name)
{
	static const char *const names[HOST_ZONE_TYPES] = {"DMA", "DMA32", "Normal", "HighMem",
							   "Movable"};

	for (unsigned int i = 0; i < HOST_ZONE_TYPES; i++)
		if (!strcmp(name, names[i]))
			return (uint8_t)i;
	return 2;
}

static uint64_t at_most(uint64_t n, uint64_t most)
{
	return n < most ? n : most;
}

static void copy_zone(struct host_zone *to, const struct proc_zone *from)
{
	const uint64_t wmark[HOST_WMARKS] = {from->min, from->low, from->high, from->promo};

	memset(to, 0, sizeof(*to));
	memcpy(to->name, from->name, sizeof(to->name));
	to->node = (uint8_t)from->node;
	to->type = zone_type(from->name);
	to->start_pfn = from->start_pfn;
	to->spanned = from->spanned;
	to->present = from->present;
	to->managed = from->managed;
	memcpy(to->wmark, wmark, sizeof(wmark));
	for (unsigned int i = 0; i < from->protections && i < HOST_ZONE_TYPES; i++)
		to->protection[i] = from->protection[i];
	for (unsigned int i = 0; i < from->pcps; i++) {
		const struct proc_pcp *p = &from->pcp[i];

		if (p->batch > to->pcp_batch)
			to->pcp_batch = p->batch;
		if (p->high_min > to->pcp_high_min)
			to->pcp_high_min = p->high_min;
		if (p->high_max > to->pcp_high_max)
			to->pcp_high_max = p->high_max;
	}
	to->pcp_batch = at_most(to->pcp_batch, PCP_BATCH_MAX);
	to->pcp_high_min = at_most(to->pcp_high_min, PCP_PAGES_MAX);
	to->pcp_high_max = at_most(to->pcp_high_max, PCP_PAGES_MAX);
	to->pcp_start = at_most(proc_zone_pcp_pages(from), to->present);
}

static int take_zones(struct host *h, const struct proc_zoneinfo *info)
{
	for (size_t i = 0; i < info->n; i++) {
		const struct proc_zone *z = &info->zones[i];

		/* As /proc/buddyinfo: populated zones only. */
		if (!z->present || !z->spanned)
			continue;
		if (h->nr_zones == HOST_ZONES_MAX || z->node > UINT8_MAX ||
		    z->spanned > UINT32_MAX || z->start_pfn > UINT32_MAX - z->spanned ||
		    z->present > z->spanned || z->managed > z->present ||
		    host_zone_find(h, z->node, z->name) != HOST_ZONE_NONE)
			return -EBADMSG;
		copy_zone(&h->zones[h->nr_zones++], z);
		if (z->start_pfn + z->spanned > h->nr_pfns)
			h->nr_pfns = z->start_pfn + z->spanned;
		if (z->pcps > h->cpus)
			h->cpus = z->pcps;
	}
	return h->nr_zones ? 0 : -EBADMSG;
}

/* Pages on each CPU's lists; CPUs are those with lists or with events. */
static int take_pcp(struct host *h, const struct proc_zoneinfo *info, unsigned int event_cpus)
{
	if (event_cpus > h->cpus)
		h->cpus = event_cpus;
	if (!h->cpus)
		h->cpus = 1;
	for (size_t i = 0; i < info->n; i++) {
		const struct proc_zone *from = &info->zones[i];
		unsigned int z = host_zone_find(h, from->node, from->name);

		if (z == HOST_ZONE_NONE)
			continue;
		h->zones[z].pcp_cpu = calloc(h->cpus, sizeof(*h->zones[z].pcp_cpu));
		h->zones[z].pcp_high = calloc(h->cpus, sizeof(*h->zones[z].pcp_high));
		if (!h->zones[z].pcp_cpu || !h->zones[z].pcp_high)
			return -ENOMEM;
		for (unsigned int c = 0; c < from->pcps; c++)
			if (from->pcp[c].cpu < h->cpus) {
				h->zones[z].pcp_cpu[from->pcp[c].cpu] =
					(uint32_t)at_most(from->pcp[c].count, PCP_PAGES_MAX);
				h->zones[z].pcp_high[from->pcp[c].cpu] =
					(uint32_t)at_most(from->pcp[c].high, PCP_PAGES_MAX);
			}
	}
	return 0;
}

static int load_zones(struct host *h, struct trace_reader *r, char *error)
{
	struct proc_zoneinfo info;
	struct trace_text t;
	int err = trace_reader_find_text(r, "zoneinfo", KMT_PHASE_START, &t);

	if (err) {
		snprintf(error, 256,
			 "the trace holds no zoneinfo of its start: imported, or cut off; record "
			 "again");
		return err == -ENOENT ? -ENODATA : err;
	}
	err = proc_zoneinfo_parse(t.text, &info);
	if (err && err != -ENOMEM)
		err = -EBADMSG;
	h->start_ns = t.time_ns;
	trace_text_free(&t);
	if (!err) {
		err = take_zones(h, &info);
		if (!err)
			err = take_pcp(h, &info, trace_reader_cpus(r));
		proc_zoneinfo_free(&info);
	}
	if (err)
		snprintf(error, 256, "the trace's zoneinfo tells no usable zones: %s",
			 err == -EBADMSG ? "damaged or made up" : strerror(-err));
	return err;
}

static void take_end(struct host *h, const char *text)
{
	struct proc_zoneinfo info;

	if (proc_zoneinfo_parse(text, &info))
		return;
	h->end_known = true;
	for (size_t i = 0; i < info.n; i++) {
		unsigned int z = host_zone_find(h, info.zones[i].node, info.zones[i].name);

		if (z == HOST_ZONE_NONE)
			continue;
		h->zones[z].pcp_end = proc_zone_pcp_pages(&info.zones[i]);
		h->zones[z].managed_end = info.zones[i].managed;
	}
	proc_zoneinfo_free(&info);
}

/* The last zoneinfo: the end's, or, of a recorder that was killed, a sample. */
static void load_end(struct host *h, struct trace_reader *r)
{
	for (size_t i = trace_reader_texts(r); i-- > 0;) {
		struct trace_text t;
		bool found;

		if (trace_reader_text(r, i, &t))
			continue;
		found = !strcmp(t.name, "zoneinfo") && !(t.flags & KMT_PHASE_START);
		if (found)
			take_end(h, t.text);
		trace_text_free(&t);
		if (found)
			return;
	}
}

static unsigned int header_number(const struct host *h, const char *name, unsigned int otherwise,
				  unsigned int max)
{
	json_t *v = json_object_get(h->header, name);

	if (!json_is_integer(v) || json_integer_value(v) < 1 || json_integer_value(v) > max)
		return otherwise;
	return (unsigned int)json_integer_value(v);
}

/* Blocks of pageblock_order are on per-CPU lists if a refill or drain shows one. */
static bool thp_on_pcp(const struct host *h, struct trace_reader *r)
{
	for (uint32_t i = 0; i < trace_reader_classes(r); i++) {
		const struct kmt_class *c = trace_reader_class(r, i);

		if (!c || c->order != h->pageblock_order)
			continue;
		if (c->kind == KMT_PCPU_DRAIN || (c->kind == KMT_ZONE_LOCKED && c->percpu_refill))
			return true;
		if (c->kind == KMT_ZONE_LOCKED && c->migratetype < PCP_TYPES)
			return false;
	}
	return true;
}

bool host_release_from(const struct host *h, int major, int minor)
{
	const char *release =
		json_string_value(json_object_get(json_object_get(h->header, "host"), "release"));
	int have_major = 0, have_minor = 0;

	if (!release || sscanf(release, "%d.%d", &have_major, &have_minor) != 2)
		return true;
	return have_major > major || (have_major == major && have_minor >= minor);
}

/*
 * Lists tune their high mark between two bounds since 6.7, but zoneinfo shows the
 * bounds only later, and before that the mark alone: they are computed then.
 */
static void load_pcp_bounds(struct host *h)
{
	for (unsigned int i = 0; i < h->nr_zones; i++)
		h->pcp_auto |= h->zones[i].pcp_high_min != h->zones[i].pcp_high_max;
	if (h->pcp_auto || !host_release_from(h, 6, 7))
		return;
	h->pcp_auto = true;
	for (unsigned int i = 0; i < h->nr_zones; i++)
		h->zones[i].pcp_high_min = h->zones[i].pcp_high_max = 0;
}

static void load_header(struct host *h, struct trace_reader *r)
{
	h->header = json_loads(trace_reader_header(r), 0, NULL);
	h->pageblock_order =
		header_number(h, "pageblock_order", DEFAULT_PAGEBLOCK_ORDER, PAGEBLOCK_ORDER_MAX);
	h->max_order = header_number(h, "max_order", DEFAULT_MAX_ORDER, HOST_ORDERS - 2);
	load_pcp_bounds(h);
	h->thp_pcp = thp_on_pcp(h, r);
}

/* Pages of all memory: the zones', or what the header says if that is less. */
static uint64_t memory_pages(const struct host *h)
{
	const json_t *host = json_object_get(h->header, "host");
	json_int_t kb = json_integer_value(json_object_get(host, "mem_total_kb"));
	uint64_t pages = 0;

	for (unsigned int i = 0; i < h->nr_zones; i++)
		pages += h->zones[i].present;
	/* A page is a KiB or more; and the kernel's own memory is not in the total. */
	return kb > 0 ? at_most(pages, (uint64_t)kb) : pages;
}

int host_check_span(const struct host *h, uint64_t pages_end, char *error)
{
	uint64_t memory = memory_pages(h), most = memory * SPAN_FACTOR + SPAN_HOLE_PAGES;

	if (pages_end > most)
		most = at_most(pages_end, memory * SPAN_SPARSE_FACTOR + SPAN_HOLE_PAGES);
	if (h->nr_pfns <= most)
		return 0;
	snprintf(error, 256,
		 "its zoneinfo tells zones up to frame %llu for %llu pages of memory: damaged or "
		 "made up",
		 (unsigned long long)h->nr_pfns, (unsigned long long)memory);
	return -EBADMSG;
}

int host_load(struct host *h, struct trace_reader *r, char *error)
{
	int err;

	memset(h, 0, sizeof(*h));
	err = load_zones(h, r, error);
	if (err) {
		host_destroy(h);
		return err;
	}
	load_header(h, r);
	load_end(h, r);
	return 0;
}

void host_destroy(struct host *h)
{
	for (unsigned int i = 0; i < h->nr_zones; i++) {
		free(h->zones[i].pcp_cpu);
		free(h->zones[i].pcp_high);
	}
	json_decref(h->header);
	memset(h, 0, sizeof(*h));
}
