/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * reference.h - refmm, set up like the recorded host, fed the same requests.
 *
 * Every allocation and free of the trace (CPU, gfp, order, moment) is made in
 * the reference, which chooses its own place. `to` says where: by the traced
 * frame of a live block's first page, the reference's frame.
 */
#ifndef KMEMLAB_REFERENCE_H
#define KMEMLAB_REFERENCE_H

#include <stdint.h>

#include <kmemlab/refmm.h>

#include "replay/gfp.h"
#include "replay/host.h"
#include "replay/start.h"

struct trace_event;

/* What does not match, in blocks unless it says pages. */
struct reference_counts {
	uint64_t events;
	uint64_t load_refused;	 /* start blocks that refmm would not take */
	uint64_t alloc_failed;	 /* the kernel had one, the reference has none */
	uint64_t alloc_of_live;	 /* an unseen free came before: made up for */
	uint64_t free_of_failed; /* nothing to free: its allocation failed here */
	uint64_t free_unknown;	 /* its allocation was not seen */
	uint64_t free_refused;	 /* refmm says no: a defect */
	uint64_t split_live;	 /* came back in parts */
	uint64_t joined_live;	 /* came back whole, known in parts */
	uint64_t kernel_failed;	 /* refused by the kernel: not asked for here */
	uint64_t unusable;	 /* class lost, frame outside all zones */
	uint64_t grown_pages;	 /* reserved before, freed by the kernel */
	uint64_t grown_early;	 /* of them, because the reference ran out first */
};

struct reference {
	struct rmm *rmm;
	struct rmm_config config;
	struct rmm_zone_config zones[HOST_ZONES_MAX];
	uint8_t *cpu_node;
	struct gfp_map gfp;
	uint32_t *to; /* by traced pfn */
	uint64_t nr_pfns;
	uint64_t t_ns;			    /* the start state's; earlier events are in it */
	uint64_t next_refresh_ns;	    /* vmstat's once-a-second work */
	uint64_t kswapd_ns[HOST_ZONES_MAX]; /* when kswapd will be done; 0: not woken */
	uint64_t kswapd_next_ns;	    /* the earliest of them; 0: none */
	uint64_t now_ns;
	const struct kmt_class *const *classes;
	uint32_t nr_classes;
	unsigned int nr_cpus;
	const struct start *start; /* for what the zones grow by */
	size_t next_growth;
	struct reference_counts counts;
};

/**
 * reference_configure() - the host's own settings
 * @f: zeroed; config may be changed between this and reference_start()
 * Return: 0 or -errno.
 */
int reference_configure(struct reference *f, const struct host *h, const struct start *s,
			struct trace_reader *r);

/**
 * reference_start() - create, load the start state
 * @error: 256 bytes for one line
 */
int reference_start(struct reference *f, const struct start *s, const struct host *h, char *error);
void reference_destroy(struct reference *f);

/** reference_feed() - make @n events' requests */
void reference_feed(struct reference *f, const struct trace_event *e, long n);

#endif
