/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * plugin.h - an allocator of somebody else's (kmemlab/backend.h), fed the same
 * requests as the reference, and checked at every step.
 */
#ifndef KMEMLAB_REPLAY_PLUGIN_H
#define KMEMLAB_REPLAY_PLUGIN_H

#include <kmemlab/backend.h>

#include "replay/host.h"
#include "replay/requests.h"
#include "replay/start.h"

enum { PLUGIN_ERROR_BYTES = 256, PLUGIN_COUNTERS = 32 };

struct plugin {
	const struct kml_backend *backend;
	void *library; /* of dlopen(); NULL: the backend is our own */
	void *self;
	struct kml_machine machine;
	struct kml_zone zones[HOST_ZONES_MAX];
	struct gfp_map gfp;
	struct requests requests;
	uint64_t *taken;		/* bit per frame: in use or reserved */
	uint64_t free[HOST_ZONES_MAX];	/* pages, by what was loaded, given, taken back */
	char error[PLUGIN_ERROR_BYTES]; /* the first thing it did wrong; "": nothing */
};

/** plugin_load() - open @file ("FILE" or "FILE:OPTIONS")
 *  @error: 512 bytes. Return: 0, -EINVAL, -ENOENT, -EPROTO (another ABI) */
int plugin_load(struct plugin *p, const char *file, char *error);
/** plugin_use() - take @backend, which needs no loading */
int plugin_use(struct plugin *p, const struct kml_backend *backend, const char *options,
	       char *error);
/** plugin_start() - set up like the host, with the start state
 *  @error: 512 bytes. Return: 0 or -errno; -EPROTO: it misbehaved */
int plugin_start(struct plugin *p, const struct host *h, const struct start *s, char *error);
void plugin_destroy(struct plugin *p);

/** plugin_feed() - @n events; nothing any more once @error is set */
void plugin_feed(struct plugin *p, const struct trace_event *e, long n);
/** plugin_count() - free blocks of @zone; returns its cached free pages. What does
 *  not add up sets @error */
uint64_t plugin_count(struct plugin *p, unsigned int zone, uint64_t blocks[HOST_ORDERS]);

#endif
