/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* areas_world.h - a replay of areas that begins with what a trace says of the start. */
#ifndef KMEMLAB_TEST_AREAS_WORLD_H
#define KMEMLAB_TEST_AREAS_WORLD_H

#include "../support/test.h"
#include "machine.h"

#include "replay/areas.h"

static struct areas a;
static const struct kmt_class *const *areas_classes;

static inline void areas_begin(const struct host *h, struct trace_reader *r,
			       const struct kmt_class *const *by_id, uint32_t classes)
{
	areas_classes = by_id;
	assert_int_equal(areas_init(&a, h, by_id, classes), 0);
	assert_int_equal(areas_read(&a, r), 0);
	trace_reader_close(r);
}

/* An event of class @id. */
static inline void happens(uint64_t ns, uint32_t id, uint64_t address)
{
	const struct trace_event e = {
		.class_id = id, .kind = areas_classes[id]->kind, .address = address, .time_ns = ns};

	assert_int_equal(areas_feed(&a, &e, 1), 0);
	assert_false(a.broken);
}

static inline void finish(void)
{
	char broken[256];

	assert_int_equal(areas_finish(&a), 0);
	if (a.rmm && rmm_validate(a.rmm, broken, sizeof(broken)))
		fail_msg("%s", broken);
	areas_destroy(&a);
}

#endif
