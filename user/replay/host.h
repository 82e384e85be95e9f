/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * host.h - the recorded machine's memory: zones, sizes, settings.
 */
#ifndef KMEMLAB_REPLAY_HOST_H
#define KMEMLAB_REPLAY_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "common/procfs.h"

struct trace_reader;
struct json_t;

enum host_limits {
	HOST_ZONES_MAX = 255,
	HOST_ORDERS = 16,
	HOST_WMARKS = 4,
	HOST_ZONE_TYPES = 5,
	HOST_ZONE_NONE = 255,
};

/* A populated zone; the index is that of /proc/buddyinfo. Pages, frames. */
struct host_zone {
	char name[PROC_NAME_BYTES];
	uint8_t node, type; /* type: as enum rmm_zone_type */
	uint64_t start_pfn, spanned, present, managed;
	uint64_t wmark[HOST_WMARKS]; /* min, low, high, promo */
	uint64_t protection[HOST_ZONE_TYPES];
	uint32_t pcp_batch, pcp_high_min, pcp_high_max; /* bounds of 0: not shown */
	uint64_t pcp_start; /* pages on per-CPU lists in the start snapshot */
	uint32_t *pcp_cpu;  /* the same by CPU, host.cpus of them */
	uint32_t *pcp_high; /* each CPU's mark at the start */
	uint64_t pcp_end, managed_end;
};

struct host {
	struct host_zone zones[HOST_ZONES_MAX];
	unsigned int nr_zones;
	unsigned int pageblock_order, max_order; /* max_order inclusive */
	unsigned int cpus;
	uint64_t nr_pfns;      /* one past the last zone's last frame */
	bool thp_pcp;	       /* blocks of pageblock_order go to per-CPU lists */
	bool pcp_auto;	       /* the high mark moves between two bounds (6.7+) */
	bool end_known;	       /* there is a zoneinfo later than the start's */
	uint64_t start_ns;     /* when the start's zoneinfo was read */
	struct json_t *header; /* the trace's HEADER, parsed */
};

/**
 * host_load() - from HEADER and the start (and end) zoneinfo
 * @error: 256 bytes for one line that says what is missing
 * Return: 0 or -errno.
 */
int host_load(struct host *h, struct trace_reader *r, char *error);
void host_destroy(struct host *h);

/**
 * host_check_span() - may the zones reach as far as zoneinfo says? All tables of a
 * replay are as large as that
 * @pages_end: where the start snapshot's pages end
 * @error: 256 bytes for one line
 * Return: 0 or -EBADMSG.
 */
int host_check_span(const struct host *h, uint64_t pages_end, char *error);

/** host_zone_find() - by node and name; HOST_ZONE_NONE */
unsigned int host_zone_find(const struct host *h, unsigned int node, const char *name);

/** host_release_from() - is the kernel at least that? For what shows in no other way */
bool host_release_from(const struct host *h, int major, int minor);

/** host_sysctl() - number in TEXT @name of the start snapshot; -ENOENT */
int host_sysctl(struct trace_reader *r, const char *name, int64_t *value);

#endif
