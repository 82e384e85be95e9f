/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * culprits.c - what a replay's end state suggests: pages that deny pageblocks to large
 * requests, and whether they could lie elsewhere. Limits are named here.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "advise/advise.h"
#include "common/out.h"

enum {
	GROUP_BLOCKS = 8,    /* movable pageblocks with unmovable pages of one owner */
	COMPACT_BLOCKS = 16, /* pageblocks that are nearly free */
	COMPACT_MOVABLE_PERCENT = 80,
};

static int64_t whole(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

/* What compaction can move elsewhere. */
static bool is_movable(const json_t *owner)
{
	const char *kind = json_string_value(json_object_get(owner, "kind"));

	return kind && (!strcmp(kind, "anonymous") || !strcmp(kind, "file"));
}

/* Nearly free pageblocks, and what is in them could go. */
static int rule_compact(struct advices *all, const json_t *pinned, int64_t page_bytes)
{
	int64_t blocks = whole(pinned, "pageblocks"), movable = 0, pages = 0;
	char bytes[16];
	struct advice *a;
	json_t *owner;
	size_t i;

	json_array_foreach (json_object_get(pinned, "owners"), i, owner) {
		if (json_is_true(json_object_get(owner, "on_cpu_list")))
			continue;
		pages += whole(owner, "pages");
		movable += is_movable(owner) ? whole(owner, "pages") : 0;
	}
	if (blocks < COMPACT_BLOCKS || !pages || movable * 100 < pages * COMPACT_MOVABLE_PERCENT)
		return 0;
	a = advices_add(all);
	if (!a)
		return -ENOMEM;
	a->topic = "compact";
	a->sure = ADVICE_MEDIUM;
	a->weight = (double)(whole(pinned, "free_pages") * page_bytes);
	snprintf(a->what, sizeof(a->what),
		 "compact memory: vm.compaction_proactiveness, or vm.compact_memory when idle");
	snprintf(a->evidence, sizeof(a->evidence),
		 "%" PRId64 " pageblocks are at least %" PRId64 " %% free, with %s between them, "
		 "yet none is whole; %.0f %% of the %" PRId64
		 " pages in use there are anonymous or of files, which can move",
		 blocks, whole(pinned, "free_percent"),
		 out_human_bytes((uint64_t)(whole(pinned, "free_pages") * page_bytes), bytes),
		 100.0 * (double)movable / (double)pages, pages);
	snprintf(a->check, sizeof(a->check),
		 "record again after 'echo 1 >/proc/sys/vm/compact_memory' and 'kmemlab compare' "
		 "both: unusable_end[9] should fall; in a replay kcompactd works when the recorded "
		 "one did");
	return 0;
}

/* Unmovable pages of one owner, here and there among movable ones. */
static int rule_group(struct advices *all, const json_t *owner, double recorded_ns)
{
	const char *comm = json_string_value(json_object_get(owner, "comm"));
	int64_t blocks = whole(owner, "pageblocks"), alone = whole(owner, "alone");
	int64_t oldest_ns = whole(owner, "oldest_age_ns");
	struct advice *a;
	char ns[16];

	if (!comm || blocks < GROUP_BLOCKS || json_is_true(json_object_get(owner, "on_cpu_list")))
		return 0;
	a = advices_add(all);
	if (!a)
		return -ENOMEM;
	a->topic = "group";
	a->sure = alone * 2 >= blocks && (double)oldest_ns * 4 >= recorded_ns ? ADVICE_MEDIUM
									      : ADVICE_LOW;
	a->weight = (double)blocks;
	snprintf(a->what, sizeof(a->what),
		 "%.64s: keep its unmovable pages together (vm.defrag_mode=on from 6.15, or more "
		 "vm.min_free_kbytes)",
		 comm);
	snprintf(a->evidence, sizeof(a->evidence),
		 "%" PRId64 " %.32s pages of it lie in %" PRId64 " movable pageblocks, %" PRId64
		 " of them otherwise without unmovable pages; the "
		 "oldest is %s old",
		 whole(owner, "pages"), json_string_value(json_object_get(owner, "kind")), blocks,
		 alone, out_human_ns((uint64_t)oldest_ns, ns));
	snprintf(a->check, sizeof(a->check),
		 "kmemlab replay --set vm.defrag_mode=on ..., and --set vm.min_free_kbytes=...: "
		 "fewer fallbacks in 'kmemlab compare'");
	return 0;
}

int advise_culprits(struct advices *all, const json_t *result)
{
	const json_t *culprits = json_object_get(result, "culprits");
	const json_t *pinned = json_object_get(culprits, "pinned"), *mixed;
	int64_t page_bytes = whole(json_object_get(result, "host"), "page_bytes");
	double recorded_ns = (double)whole(json_object_get(result, "trace"), "duration_ns");
	json_t *owner;
	size_t i;
	int err = 0;

	if (pinned)
		err = rule_compact(all, pinned, page_bytes > 0 ? page_bytes : 4096);
	mixed = json_object_get(culprits, "unmovable_in_movable");
	json_array_foreach (json_object_get(mixed, "owners"), i, owner)
		if (!err)
			err = rule_group(all, owner, recorded_ns);
	return err;
}
