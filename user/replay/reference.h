/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * reference.h - refmm, set up like the recorded host, fed the same requests.
 *
 * Every allocation and free of the trace (CPU, gfp, order, moment) is made in
 * the reference (requests.h), and so is what the kernel does in the background.
 */
#ifndef KMEMLAB_REFERENCE_H
#define KMEMLAB_REFERENCE_H

#include <stdint.h>

#include <kmemlab/refmm.h>

#include "replay/fates.h"
#include "replay/gfp.h"
#include "replay/host.h"
#include "replay/kswapd.h"
#include "replay/reclaim.h"
#include "replay/requests.h"
#include "replay/slabs.h"
#include "replay/start.h"

struct trace_event;

struct reference {
	struct rmm *rmm;
	struct rmm_config config;
	struct rmm_zone_config zones[HOST_ZONES_MAX];
	uint8_t *cpu_node;
	unsigned int cpu; /* of the request at hand */
	struct gfp_map gfp;
	struct requests requests;
	uint64_t next_refresh_ns; /* vmstat's once-a-second work */
	uint64_t next_drain_ns;	  /* for want of pages: not before */
	uint64_t next_tuning_ns;  /* lists' tuning was read in the kernel; UINT64_MAX: all taken */
	struct kswapd kswapd;
	bool models_reclaim;	       /* else the recorded kernel's */
	const struct fates *fates;     /* with models_reclaim */
	struct slabs_knobs slab_knobs; /* not used by the pages' replay */
	struct reclaim reclaim;
	uint64_t move_tries;   /* a number for each page that compaction wanted to move */
	unsigned int stay_ppm; /* of a million of them that stay */
	int compact_zone;      /* that kcompactd, of whichever node, works on; -1: none */
	uint8_t compact_order;
	unsigned int compact_moved; /* blocks, by the kernel's */
	const struct start *start;  /* for what the zones grow by */
	size_t next_growth;
};

/**
 * reference_configure() - the host's own settings
 * @f: zeroed; config and models_reclaim may be changed between this and
 *     reference_start()
 * Return: 0 or -errno.
 */
int reference_configure(struct reference *f, const struct host *h, const struct start *s,
			struct trace_reader *r);

/**
 * reference_start() - create, load the start state
 * @error: 256 bytes for one line
 */
int reference_start(struct reference *f, const struct start *s, const struct host *h, char *error);
/** reference_load_cache() - with models_reclaim, after reference_start(): the pages of
 *  files in the start snapshot may be reclaimed
 *  @fates: kept. Return: 0 or -errno */
int reference_load_cache(struct reference *f, const struct fates *fates,
			 const struct snapshot *snap, struct trace_reader *r);
void reference_destroy(struct reference *f);

/** reference_feed() - make @n events' requests */
void reference_feed(struct reference *f, const struct trace_event *e, long n);

#endif
