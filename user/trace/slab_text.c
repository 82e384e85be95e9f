/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* slab_text.c - see slab_text.h. */
#include "trace/slab_text.h"

bool trace_slabinfo(struct trace_reader *r, uint16_t phase, struct proc_slabinfo *out,
		    uint64_t *time_ns)
{
	struct trace_text t;
	int err;

	*out = (struct proc_slabinfo){0};
	if (trace_reader_find_text(r, "slabinfo", phase, &t))
		return false;
	err = proc_slabinfo_parse(t.text, out);
	if (err)
		*out = (struct proc_slabinfo){0};
	if (!err && time_ns)
		*time_ns = t.time_ns;
	trace_text_free(&t);
	return !err;
}
