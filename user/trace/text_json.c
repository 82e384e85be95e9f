/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* text_json.c - see text_json.h. */
#include "trace/text_json.h"
#include "trace/trace_reader.h"

json_t *trace_reader_json(struct trace_reader *r, const char *name, uint16_t phase)
{
	struct trace_text t;
	json_t *doc;

	if (trace_reader_find_text(r, name, phase, &t))
		return NULL;
	doc = json_loadb(t.text, t.bytes, 0, NULL);
	trace_text_free(&t);
	return doc;
}
