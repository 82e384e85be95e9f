/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * zonelist.c - in which order a node's requests try zones and other nodes.
 *
 * The zones of the own node from the highest downward, then those of the
 * nearest other node, and so on:
 *
 *   node 0: [N0 Movable] N0 Normal, N0 DMA32, N0 DMA | N1 Movable, N1 Normal
 *           ^ skipped by a GFP_KERNEL request
 *
 * The next node is the one not taken yet with memory and the least
 *
 *   (distance + (n < node) + (1 if it has CPUs)) * 64 + load(n)
 *
 * so of equally near ones the next by number, rather one without CPUs, and not
 * always the same: the first of each distance gets some load, and the next node
 * whose list is built takes another.
 *
 *       0 --10-- 1        node 0 (distances 10 21 31 31): 0 1 2 3
 *       |        |
 *       3 ------ 2        node 3 (31 31 21 10): 3 2 0 1
 *
 * Locking: none; built once.
 *
 * Modelled: find_next_best_node, build_zonelists, build_zonerefs_node,
 * alloc_flags_nofragment, local_memory_node by the first zone of a list.
 * Omitted: cpusets, node masks, memory hotplug. (6.12, mm/page_alloc.c; LKD3
 * ch. 12 "Zones")
 */
#include "alloc.h"

enum { LOCAL_DISTANCE = 10, REMOTE_DISTANCE = 20, PENALTY_WITH_CPUS = 1 };

struct order {
	const struct rmm *rmm;
	unsigned int load[RMM_MAX_NODES]; /* node_load */
	bool has_memory[RMM_MAX_NODES], has_cpus[RMM_MAX_NODES];
	bool used[RMM_MAX_NODES]; /* in the list being built */
};

/* node_distance() */
static unsigned int distance(const struct rmm *rmm, unsigned int from,
			     unsigned int to)
{
	const struct rmm_config *c = &rmm->config;

	if (c->node_distance)
		return c->node_distance[from * c->nr_nodes + to];
	return from == to ? LOCAL_DISTANCE : REMOTE_DISTANCE;
}

/* find_next_best_node(): -1 if all are in the list */
static int find_next_best_node(struct order *o, unsigned int node)
{
	unsigned int least = UINT32_MAX;
	int best = -1;

	if (!o->used[node] && o->has_memory[node]) {
		o->used[node] = true;
		return (int)node;
	}
	for (unsigned int n = 0; n < o->rmm->nr_nodes; n++) {
		unsigned int val = distance(o->rmm, node, n) + (n < node);

		if (o->used[n] || !o->has_memory[n])
			continue;
		if (o->has_cpus[n])
			val += PENALTY_WITH_CPUS;
		val = val * RMM_MAX_NODES + o->load[n];
		if (val < least) {
			least = val;
			best = (int)n;
		}
	}
	if (best >= 0)
		o->used[best] = true;
	return best;
}

/*
 * alloc_flags_nofragment(): shall the first walk avoid mixing types, if it
 * prefers zone @z? Only between NORMAL and DMA32: other zones below are too
 * small to help. On one node DMA32 is taken to hold memory if NORMAL does.
 */
static bool avoids_mixing(const struct rmm *rmm, const struct rmm_zone *z)
{
	if (rmm->config.defrag_mode)
		return true;
	if (z->type != RMM_ZONE_NORMAL || !rmm->has_dma32)
		return false;
	if (rmm->nr_nodes == 1)
		return true;
	for (unsigned int i = 0; i < rmm->nr_zones; i++) {
		const struct rmm_zone *below = &rmm->zone[i];

		if (below->node == z->node && below->type == RMM_ZONE_DMA32 &&
		    below->present)
			return true;
	}
	return false;
}

/* build_zonerefs_node(): append the populated zones of @node */
static void add_node(const struct rmm *rmm, struct rmm_zonelist *list,
		     unsigned int node)
{
	for (int type = RMM_ZONE_TYPES - 1; type >= 0; type--)
		for (unsigned int i = 0; i < rmm->nr_zones; i++)
			if (rmm->zone[i].node == node &&
			    rmm->zone[i].type == type && rmm->zone[i].present)
				list->zone[list->nr++] = &rmm->zone[i];
}

/* For each CPU and highest zone type, the first zone to try, if it is one of
 * the CPU's own node: another node's is no good with THISNODE, and the quick
 * way does not look at that. */
static void set_preferred(struct rmm *rmm)
{
	for (unsigned int i = 0; i < rmm->config.nr_cpus; i++) {
		struct rmm_cpu *cpu = &rmm->cpu[i];
		const struct rmm_zonelist *list = &rmm->zonelist[cpu->node];

		for (unsigned int t = 0; t < RMM_ZONE_TYPES; t++)
			if (list->first[t] < list->nr_local)
				cpu->preferred[t] = list->zone[list->first[t]];
	}
}

/* build_zonelists() for one node */
static void build_zonelist(struct rmm *rmm, struct order *o, unsigned int node)
{
	struct rmm_zonelist *list = &rmm->zonelist[node];
	unsigned int before = node;
	int next;

	for (unsigned int n = 0; n < RMM_MAX_NODES; n++)
		o->used[n] = false;
	list->nr = list->nr_local = 0;
	while ((next = find_next_best_node(o, node)) >= 0) {
		unsigned int n = (unsigned int)next;

		if (distance(rmm, node, n) != distance(rmm, node, before))
			o->load[n]++;
		before = n;
		add_node(rmm, list, n);
		if (n == node)
			list->nr_local = list->nr;
	}
	for (unsigned int t = 0; t < RMM_ZONE_TYPES; t++) {
		unsigned int first = 0;

		while (first < list->nr && list->zone[first]->type > t)
			first++;
		list->first[t] = (uint8_t)first;
	}
}

/** rmm_build_zonelists() - build_all_zonelists() */
void rmm_build_zonelists(struct rmm *rmm)
{
	struct order o = {.rmm = rmm};

	for (unsigned int i = 0; i < rmm->nr_zones; i++) {
		rmm->zone[i].nofragment = avoids_mixing(rmm, &rmm->zone[i]);
		if (rmm->zone[i].present)
			o.has_memory[rmm->zone[i].node] = true;
	}
	for (unsigned int i = 0; i < rmm->config.nr_cpus; i++)
		o.has_cpus[rmm->cpu[i].node] = true;
	for (unsigned int node = 0; node < rmm->nr_nodes; node++)
		build_zonelist(rmm, &o, node);
	set_preferred(rmm);
}
