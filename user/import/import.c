/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* import.c - lines to events of a trace. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "common/utf8.h"
#include "import/import.h"
#include "import/line.h"
#include "metrics/live.h"
#include "trace/trace_io.h"

enum { CPUS_MAX = 1024, ROUND_EVENTS = 1 << 15 };

struct importer {
	struct trace_writer *w;
	struct import_counts *counts;
	struct live pointers; /* as printed -> a number of this trace's own */
	uint32_t next_pointer;
	struct live sites; /* the same of call sites without a symbol */
	uint32_t next_site;
	uint64_t last_ns, since_round;
	uint32_t running[CPUS_MAX]; /* class of the last TASK, plus 1 */
};

static int write_header(struct importer *im, const char *from)
{
	static const char *const missing[][2] = {
		{"snapshots", "imported from text: it cannot be replayed"},
		{"addresses of objects", "imported from text: numbers stand for them"},
		{"names of call sites", "imported from text: site-N where it has an address alone"},
		{"caches of kmalloc", "imported from text: named by size"},
		{"accounting", "imported from text: what the other tracer lost it may not say"},
	};
	json_t *list = json_array();
	char *name = utf8_copy(from);
	json_t *doc = json_pack("{s:s, s:s?, s:[s,s,s,s,s,s], s:o}", "kmemlab", KMEMLAB_VERSION,
				"imported_from", name, "migratetypes", "Unmovable", "Movable",
				"Reclaimable", "HighAtomic", "CMA", "Isolate", "missing", list);
	char *text;
	int err;

	for (size_t i = 0; i < sizeof(missing) / sizeof(*missing); i++)
		json_array_append_new(
			list, json_pack("{s:s, s:s}", "what", missing[i][0], "why", missing[i][1]));
	text = doc ? json_dumps(doc, JSON_COMPACT) : NULL;
	err = text ? trace_writer_header(im->w, text) : -ENOMEM;
	free(text);
	free(name);
	json_decref(doc);
	return err;
}

static int end_round(struct importer *im)
{
	im->since_round = 0;
	return trace_writer_round(im->w, im->last_ns);
}

static int put(struct importer *im, const struct line *l, const struct kmt_class *c,
	       uint64_t address)
{
	uint32_t id = trace_writer_class(im->w, c);
	int err;

	if (id == UINT32_MAX)
		return -ENOMEM;
	err = trace_writer_event(im->w, l->cpu, id, im->last_ns, address);
	if (err == -EAGAIN) {
		err = end_round(im);
		if (!err)
			err = trace_writer_event(im->w, l->cpu, id, im->last_ns, address);
	}
	return err;
}

static int switch_task(struct importer *im, const struct line *l)
{
	const struct kmt_class task = {
		.kind = KMT_TASK,
		.comm = trace_writer_string(im->w, l->comm),
		.pid = l->pid,
		.tgid = l->tgid,
	};
	uint32_t id = trace_writer_class(im->w, &task);

	/* An exec changes the name alone. */
	if (id != UINT32_MAX && im->running[l->cpu] == id + 1)
		return 0;
	im->running[l->cpu] = id + 1;
	return put(im, l, &task, 0);
}

static bool is_object(unsigned int kind)
{
	return kind >= KMT_KMALLOC && kind <= KMT_CACHE_FREE;
}

/* Printed addresses may be the kernel's own: none of them goes into the file. */
static int address_of(struct importer *im, const struct line *l, uint64_t *address)
{
	uint32_t id, old;

	*address = l->failed ? KMT_NO_PAGE : l->address;
	if (l->failed || !is_object(l->class.kind))
		return 0;
	id = live_take(&im->pointers, l->address);
	if (id == LIVE_NONE)
		id = im->next_pointer++;
	*address = KMT_OPAQUE | (id + 1ull);
	/* A freed address is forgotten: given out again it is another object. */
	if (l->class.kind == KMT_KFREE || l->class.kind == KMT_CACHE_FREE)
		return 0;
	return live_put(&im->pointers, l->address, id, &old);
}

/* So may call sites without a symbol. */
static int name_site(struct importer *im, struct line *l)
{
	uint32_t id, old;

	if (!l->site_address)
		return 0;
	id = live_take(&im->sites, l->site_address);
	if (id == LIVE_NONE)
		id = im->next_site++;
	snprintf(l->call_site, sizeof(l->call_site), "site-%" PRIu32, id + 1);
	return live_put(&im->sites, l->site_address, id, &old);
}

/* kfree(NULL) does nothing. */
static bool is_nothing(const struct line *l)
{
	return l->failed && (l->class.kind == KMT_KFREE || l->class.kind == KMT_CACHE_FREE);
}

static int take_event(struct importer *im, struct line *l)
{
	uint64_t address;
	int err = name_site(im, l);

	if (err)
		return err;
	if (l->cpu >= CPUS_MAX) {
		im->counts->other++;
		return 0;
	}
	if (is_nothing(l)) {
		im->counts->nothing++;
		return 0;
	}
	im->counts->unordered += l->time_ns < im->last_ns;
	im->counts->unknown_gfp += l->unknown_gfp;
	if (l->time_ns > im->last_ns)
		im->last_ns = l->time_ns;
	l->class.call_site = trace_writer_string(im->w, l->call_site);
	l->class.cache = trace_writer_string(im->w, l->cache);
	err = switch_task(im, l);
	if (!err)
		err = address_of(im, l, &address);
	if (!err)
		err = put(im, l, &l->class, address);
	im->counts->events += !err;
	return err || ++im->since_round < ROUND_EVENTS ? err : end_round(im);
}

static int take_line(struct importer *im, const char *text)
{
	struct line l;

	line_parse(&l, text);
	switch (l.what) {
	case LINE_EVENT:
		return take_event(im, &l);
	case LINE_LOST:
		im->counts->lost += l.lost;
		im->counts->lost_uncounted += l.lost_uncounted;
		trace_writer_lost(im->w, im->counts->lost, 0);
		break;
	case LINE_INVALID:
		im->counts->invalid++;
		break;
	case LINE_OTHER:
		im->counts->other++;
		break;
	}
	return 0;
}

static int read_lines(struct importer *im, FILE *in)
{
	char *text = NULL;
	size_t room = 0;
	int err = 0;

	errno = 0;
	while (!err && getline(&text, &room, in) > 0) {
		text[strcspn(text, "\r\n")] = '\0';
		err = take_line(im, text);
	}
	if (!err && ferror(in))
		err = errno ? -errno : -EIO;
	free(text);
	return err;
}

static int finish(struct importer *im)
{
	const struct import_counts *c = im->counts;
	int err = end_round(im);
	json_t *doc =
		json_pack("{s:{s:I, s:I, s:I, s:I, s:i, s:i}}", "totals", "fired",
			  (json_int_t)c->events + (json_int_t)c->nothing + (json_int_t)c->lost,
			  "recorded", (json_int_t)c->events, "filtered", (json_int_t)c->nothing,
			  "lost_ring", (json_int_t)c->lost, "lost_recursion", 0, "lost_write", 0);
	char *text = doc ? json_dumps(doc, JSON_COMPACT) : NULL;

	if (!err)
		err = text ? trace_writer_account(im->w, text) : -ENOMEM;
	free(text);
	json_decref(doc);
	return err ? err : trace_writer_end(im->w);
}

int import_text(FILE *in, int fd, const char *from, struct import_counts *counts)
{
	struct importer *im = calloc(1, sizeof(*im));
	int err = -ENOMEM;

	memset(counts, 0, sizeof(*counts));
	if (im && !live_init(&im->pointers) && !live_init(&im->sites)) {
		im->counts = counts;
		im->w = trace_writer_new(fd, CPUS_MAX);
		err = im->w ? write_header(im, from) : -errno;
		if (!err)
			err = read_lines(im, in);
		if (!err && !counts->events)
			err = -ENODATA;
		if (!err)
			err = finish(im);
		trace_writer_free(im->w);
	}
	if (im) {
		live_destroy(&im->pointers);
		live_destroy(&im->sites);
	}
	free(im);
	return err;
}
