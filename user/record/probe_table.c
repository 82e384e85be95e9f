// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* probe_table.c - the table, and functions' names as kernels changed them. */
#include "probe_table.h"

#include <bpf/btf.h>
#include <stdint.h>
#include <string.h>

#include "files.h"

#define NAMES(...)    ((const char *const[]){__VA_ARGS__, NULL})
#define AT_ENTRY(...) .functions = NAMES(__VA_ARGS__)
#define AT_EXIT(...)  .functions = NAMES(__VA_ARGS__), .at_exit = true

const struct probe probe_table[] = {
	/* Allocation profiling (6.10) put _noprof behind many names. */
	{.kind = KMT_BULK_PAGE,
	 .program = "bulk_pages",
	 AT_EXIT("alloc_pages_bulk_noprof", "__alloc_pages_bulk")},
	/* Every split passes here: split_page(), huge pages, exact sizes. Since 6.15
	 * (memcg folio accounting) those of folios have a function of their own. */
	{.kind = KMT_PAGE_SPLIT,
	 .program = "page_split",
	 AT_ENTRY("folio_split_memcg_refs", "split_page_memcg")},
	{.kind = KMT_MIGRATE_FROM,
	 .program = "migrated",
	 AT_ENTRY("folio_migrate_flags"),
	 .second = KMT_MIGRATE_TO},
	{.kind = KMT_PAGE_ISOLATE, .program = "isolated", AT_EXIT("__isolate_free_page")},
	{.kind = KMT_PAGE_KEEP, .program = "kept", AT_EXIT("compaction_free")},
	{.kind = KMT_CONTIG_ALLOC,
	 .program = "contig",
	 AT_EXIT("alloc_contig_range_noprof", "alloc_contig_range")},
	{.kind = KMT_CACHE_BULK_ALLOC,
	 .program = "cache_bulk_alloc",
	 AT_EXIT("kmem_cache_alloc_bulk_noprof", "kmem_cache_alloc_bulk")},
	{.kind = KMT_CACHE_BULK_FREE,
	 .program = "cache_bulk_free",
	 AT_ENTRY("kmem_cache_free_bulk")},
	{.kind = KMT_CACHE_CREATE,
	 .program = "cache_create",
	 AT_EXIT("__kmem_cache_create_args", "kmem_cache_create")},
	{.kind = KMT_CACHE_DESTROY, .program = "cache_destroy", AT_ENTRY("kmem_cache_destroy")},

	{.kind = KMT_PAGE_ALLOC, .program = "page_alloc"},
	{.kind = KMT_PAGE_FREE, .program = "page_free"},
	{.kind = KMT_ZONE_LOCKED, .program = "zone_locked"},
	{.kind = KMT_EXTFRAG, .program = "extfrag"},
	{.kind = KMT_PCPU_DRAIN, .program = "pcpu_drain"},
	{.kind = KMT_KMALLOC, .program = "kmalloc"},
	{.kind = KMT_KFREE, .program = "kfree"},
	{.kind = KMT_CACHE_ALLOC, .program = "cache_alloc"},
	{.kind = KMT_CACHE_FREE, .program = "cache_free"},
	{.kind = KMT_STACK_PAGE, .program = "stack_pages", .unless = KMT_BULK_PAGE},
	{.kind = KMT_MIGRATE_PTE, .program = "migrate_pte", .unless = KMT_MIGRATE_FROM},

	{.kind = KMT_PERCPU_ALLOC, .program = "percpu_alloc"},
	{.kind = KMT_PERCPU_FREE, .program = "percpu_free"},
	{.kind = KMT_PERCPU_FAIL, .program = "percpu_fail"},
	{.kind = KMT_PERCPU_CREATE, .program = "percpu_create"},
	{.kind = KMT_PERCPU_DESTROY, .program = "percpu_destroy"},

	/* vmalloc's tracepoints came with 6.3; before, its functions. */
	{.kind = KMT_VMALLOC_ALLOC, .program = "vmalloc_alloc"},
	{.kind = KMT_VMALLOC_FREE, .program = "vmalloc_free"},
	{.kind = KMT_VMALLOC_PURGE, .program = "vmalloc_purge"},
	{.kind = KMT_VMALLOC_ALLOC, .program = "area_alloc", AT_EXIT("alloc_vmap_area")},
	{.kind = KMT_VMALLOC_FREE, .program = "area_free", AT_ENTRY("free_vmap_area_noflush")},

	{.kind = KMT_RECLAIM_BEGIN, .program = "reclaim_begin"},
	{.kind = KMT_RECLAIM_END, .program = "reclaim_end"},
	{.kind = KMT_MEMCG_RECLAIM_BEGIN, .program = "memcg_begin"},
	{.kind = KMT_MEMCG_RECLAIM_END, .program = "memcg_end"},
	{.kind = KMT_NODE_RECLAIM_BEGIN, .program = "node_begin"},
	{.kind = KMT_NODE_RECLAIM_END, .program = "node_end"},
	{.kind = KMT_COMPACT_BEGIN, .program = "compact_begin"},
	{.kind = KMT_COMPACT_END, .program = "compact_end"},
	{.kind = KMT_KSWAPD_WAKE, .program = "kswapd_wake"},
	{.kind = KMT_KSWAPD_SLEEP, .program = "kswapd_sleep"},
	{.kind = KMT_WAKEUP_KSWAPD, .program = "wakeup_kswapd"},
	{.kind = KMT_KCOMPACTD_WAKE, .program = "kcompactd_wake"},
	{.kind = KMT_KCOMPACTD_SLEEP, .program = "kcompactd_sleep"},
	{.kind = KMT_WAKEUP_KCOMPACTD, .program = "wakeup_kcompactd"},
	{.kind = KMT_THROTTLED, .program = "throttled"},
	{.kind = KMT_MIGRATE_PAGES, .program = "migrate_pages"},
	{.kind = KMT_OOM_VICTIM, .program = "oom_victim"},
};

const size_t probe_table_n = sizeof(probe_table) / sizeof(probe_table[0]);
_Static_assert(sizeof(probe_table) / sizeof(probe_table[0]) <= PROBES_MAX, "table fits");

const char *probe_function(const struct btf *btf, const char *const *names)
{
	for (; btf && *names; names++)
		if (btf__find_by_name_kind(btf, *names, BTF_KIND_FUNC) > 0)
			return *names;
	return NULL;
}

bool probe_by_tracepoint(size_t i)
{
	for (size_t k = 0; k < probe_table_n; k++)
		if (probe_table[k].kind == probe_table[i].kind && !probe_table[k].functions)
			return true;
	return false;
}

static const struct btf_type *prototype(const struct btf *btf, const char *name)
{
	int id = btf ? btf__find_by_name_kind(btf, name, BTF_KIND_FUNC) : -1;
	const struct btf_type *f = id > 0 ? btf__type_by_id(btf, (uint32_t)id) : NULL;

	return f ? btf__type_by_id(btf, f->type) : NULL;
}

unsigned int probe_parameters(const struct btf *btf, const char *name)
{
	const struct btf_type *proto = name ? prototype(btf, name) : NULL;

	return proto ? btf_vlen(proto) : 0;
}

/* Both fentry and kprobes at a function's start then wait for calls in vain. */
const char *probe_functions_silent(void)
{
	return file_reads_zero("/proc/sys/kernel/ftrace_enabled")
		       ? "functions call no program while kernel.ftrace_enabled is 0"
		       : NULL;
}

bool probe_split_in_parts(const struct btf *btf)
{
	const struct btf_type *proto = prototype(btf, "split_page_memcg");

	return proto && btf_vlen(proto) == 2 &&
	       !strcmp(btf__name_by_offset(btf, btf_params(proto)[1].name_off), "nr");
}
