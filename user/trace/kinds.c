/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* kinds.c - names, families and what the address column holds. */
#include "trace/kinds.h"

#include <stddef.h>
#include <string.h>

#include "trace/trace_reader.h"

/* The kinds of a family, by what their address is. */
#define PAGES(n)                                                                                   \
	{                                                                                          \
		.name = (n), .family = FAMILY_PAGE, .address = ADDRESS_PFN                         \
	}
#define OBJECTS(n)                                                                                 \
	{                                                                                          \
		.name = (n), .family = FAMILY_SLAB, .address = ADDRESS_OBJECT                      \
	}
#define PERCPU(n)                                                                                  \
	{                                                                                          \
		.name = (n), .family = FAMILY_PERCPU, .address = ADDRESS_PERCPU                    \
	}
#define VMALLOC(n)                                                                                 \
	{                                                                                          \
		.name = (n), .family = FAMILY_VMALLOC, .address = ADDRESS_VMALLOC                  \
	}
#define PRESSURE(n)                                                                                \
	{                                                                                          \
		.name = (n), .family = FAMILY_PRESSURE                                             \
	}
#define COUNTED(n, of)                                                                             \
	{                                                                                          \
		.name = (n), .family = FAMILY_PRESSURE, .address = ADDRESS_NUMBER, .number = (of)  \
	}
#define FREES_OF(kind_address_, n, f)                                                              \
	{                                                                                          \
		.name = (n), .family = (f), .address = (kind_address_), .frees = true              \
	}

static const struct kind_info infos[KMT_KINDS] = {
	[KMT_PAGE_ALLOC] = PAGES("mm_page_alloc"),
	[KMT_PAGE_FREE] = FREES_OF(ADDRESS_PFN, "mm_page_free", FAMILY_PAGE),
	[KMT_ZONE_LOCKED] = PAGES("mm_page_alloc_zone_locked"),
	[KMT_EXTFRAG] = PAGES("mm_page_alloc_extfrag"),
	[KMT_PCPU_DRAIN] = PAGES("mm_page_pcpu_drain"),
	[KMT_KMALLOC] = OBJECTS("kmalloc"),
	[KMT_KFREE] = FREES_OF(ADDRESS_OBJECT, "kfree", FAMILY_SLAB),
	[KMT_CACHE_ALLOC] = OBJECTS("kmem_cache_alloc"),
	[KMT_CACHE_FREE] = FREES_OF(ADDRESS_OBJECT, "kmem_cache_free", FAMILY_SLAB),
	[KMT_STACK_PAGE] = PAGES("task_newtask"),
	[KMT_TASK] = {.name = "task"},
	[KMT_BULK_PAGE] = PAGES("alloc_pages_bulk"),
	[KMT_PAGE_SPLIT] = PAGES("page_split"),
	[KMT_MIGRATE_FROM] = PAGES("migrate_from"),
	[KMT_MIGRATE_TO] = PAGES("migrate_to"),
	[KMT_PAGE_ISOLATE] = PAGES("isolate_free_page"),
	[KMT_CONTIG_ALLOC] = PAGES("alloc_contig_range"),
	[KMT_MIGRATE_PTE] = PAGES("remove_migration_pte"),
	[KMT_PAGE_KEEP] = PAGES("compaction_free"),
	[KMT_CACHE_BULK_ALLOC] = OBJECTS("kmem_cache_alloc_bulk"),
	[KMT_CACHE_BULK_FREE] = FREES_OF(ADDRESS_OBJECT, "kmem_cache_free_bulk", FAMILY_SLAB),
	[KMT_CACHE_CREATE] = OBJECTS("kmem_cache_create"),
	[KMT_CACHE_DESTROY] = OBJECTS("kmem_cache_destroy"),
	[KMT_PERCPU_ALLOC] = PERCPU("percpu_alloc_percpu"),
	[KMT_PERCPU_FREE] = PERCPU("percpu_free_percpu"),
	[KMT_VMALLOC_ALLOC] = VMALLOC("alloc_vmap_area"),
	[KMT_VMALLOC_FREE] = VMALLOC("free_vmap_area_noflush"),
	[KMT_PERCPU_FAIL] = {.name = "percpu_alloc_percpu_fail", .family = FAMILY_PERCPU},
	[KMT_PERCPU_CREATE] = PERCPU("percpu_create_chunk"),
	[KMT_PERCPU_DESTROY] = PERCPU("percpu_destroy_chunk"),
	[KMT_VMALLOC_PURGE] = {.name = "purge_vmap_area_lazy",
			       .family = FAMILY_VMALLOC,
			       .address = ADDRESS_NUMBER,
			       .number = "areas"},
	[KMT_RECLAIM_BEGIN] = PRESSURE("mm_vmscan_direct_reclaim_begin"),
	[KMT_RECLAIM_END] = COUNTED("mm_vmscan_direct_reclaim_end", "reclaimed"),
	[KMT_MEMCG_RECLAIM_BEGIN] = PRESSURE("mm_vmscan_memcg_reclaim_begin"),
	[KMT_MEMCG_RECLAIM_END] = COUNTED("mm_vmscan_memcg_reclaim_end", "reclaimed"),
	[KMT_NODE_RECLAIM_BEGIN] = PRESSURE("mm_vmscan_node_reclaim_begin"),
	[KMT_NODE_RECLAIM_END] = COUNTED("mm_vmscan_node_reclaim_end", "reclaimed"),
	[KMT_COMPACT_BEGIN] = COUNTED("mm_compaction_begin", "zone_pfn"),
	[KMT_COMPACT_END] = COUNTED("mm_compaction_end", "zone_pfn"),
	[KMT_KSWAPD_WAKE] = PRESSURE("mm_vmscan_kswapd_wake"),
	[KMT_KSWAPD_SLEEP] = PRESSURE("mm_vmscan_kswapd_sleep"),
	[KMT_WAKEUP_KSWAPD] = PRESSURE("mm_vmscan_wakeup_kswapd"),
	[KMT_KCOMPACTD_WAKE] = PRESSURE("mm_compaction_kcompactd_wake"),
	[KMT_KCOMPACTD_SLEEP] = PRESSURE("mm_compaction_kcompactd_sleep"),
	[KMT_WAKEUP_KCOMPACTD] = PRESSURE("mm_compaction_wakeup_kcompactd"),
	[KMT_THROTTLED] = COUNTED("mm_vmscan_throttled", "delayed_us"),
	[KMT_MIGRATE_PAGES] = COUNTED("mm_migrate_pages", "migrated"),
	[KMT_OOM_VICTIM] = PRESSURE("mark_victim"),
};

static const struct {
	unsigned int family;
	const char *name;
} families[] = {
	{FAMILY_PAGE, "page"},	   {FAMILY_SLAB, "slab"},	{FAMILY_PRESSURE, "pressure"},
	{FAMILY_PERCPU, "percpu"}, {FAMILY_VMALLOC, "vmalloc"}, {FAMILY_LATENCY, "latency"},
	{FAMILY_STACKS, "stacks"}, {FAMILY_ALL, "all"},
};

enum { FAMILIES = sizeof(families) / sizeof(families[0]) };

bool kind_exists(unsigned int kind)
{
	return kind < KMT_KINDS && infos[kind].name;
}

const struct kind_info *kind_info(unsigned int kind)
{
	static const struct kind_info unknown = {.name = "unknown"};

	return kind_exists(kind) ? &infos[kind] : &unknown;
}

const char *trace_kind_name(unsigned int kind)
{
	return kind_info(kind)->name;
}

bool kind_has_stack(unsigned int kind)
{
	switch (kind) {
	case KMT_PAGE_ALLOC:
	case KMT_EXTFRAG:
	case KMT_KMALLOC:
	case KMT_CACHE_ALLOC:
	case KMT_STACK_PAGE:
	case KMT_BULK_PAGE:
	case KMT_CONTIG_ALLOC:
	case KMT_CACHE_BULK_ALLOC:
	case KMT_PERCPU_ALLOC:
	case KMT_VMALLOC_ALLOC:
	case KMT_RECLAIM_BEGIN:
	case KMT_MEMCG_RECLAIM_BEGIN:
	case KMT_NODE_RECLAIM_BEGIN:
	case KMT_COMPACT_BEGIN:
		return true;
	default:
		return false;
	}
}

const char *family_name(unsigned int family)
{
	for (int i = 0; i < FAMILIES; i++)
		if (families[i].family == family)
			return families[i].name;
	return NULL;
}

unsigned int family_find(const char *name)
{
	for (int i = 0; i < FAMILIES; i++)
		if (!strcmp(families[i].name, name))
			return families[i].family;
	return 0;
}
