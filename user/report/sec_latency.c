/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sec_latency.c - time inside the allocation functions, and how long things live. */
#include <math.h>
#include <string.h>

#include "report/sections.h"

/* Of the kernel's calls or a run's: how many, and how long they took. */
static void put_times(struct doc_cell *c, const json_t *v)
{
	static const char *const names[] = {"calls",  "mean_ns", "p50_ns",
					    "p99_ns", "p999_ns", "max_ns"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		c[i].value = jnum(v, names[i]);
}

static void table_latency(struct report_doc *d, struct doc_section *s,
			  const struct report_input *in)
{
	static const struct doc_column columns[] = {
		RESULT_COLUMN,
		{"function", UNIT_TEXT, "pages, kmalloc of any size, or a cache's objects"},
		{"order", UNIT_COUNT, "of pages"},
		{"up to", UNIT_BYTES, "size of objects: the largest of the class"},
		{"calls", UNIT_COUNT, NULL},
		{"mean", UNIT_NS, NULL},
		{"median", UNIT_NS, "upper end of a bucket, up to a quarter too much"},
		{"99 %", UNIT_NS, "likewise"},
		{"99.9 %", UNIT_NS, "likewise"},
		{"longest", UNIT_NS, NULL},
	};
	struct rows r =
		rows_begin(d, in, "Kernel: time inside the allocation functions", COLUMNS(columns));
	size_t k;
	json_t *v;

	for (size_t i = 0; i < in->n; i++)
		json_array_foreach (jpath(in->results[i].root, "latency.rows"), k, v) {
			struct doc_cell *c = rows_add(&r, i);

			c[0].text = copy_text(d, jstr(v, "what", NULL));
			c[1].value = jnum(v, "order");
			c[2].value = jnum(v, "bytes");
			put_times(c + 3, v);
		}
	rows_end(&r, s);
}

/* Requests of the runs' own allocators, in user space. */
static bool table_own_times(struct report_doc *d, struct doc_section *s,
			    const struct report_input *in)
{
	static const struct doc_column columns[] = {
		RESULT_COLUMN,
		{"run", UNIT_TEXT, NULL},
		{"order", UNIT_COUNT, "of pages"},
		{"requests", UNIT_COUNT, NULL},
		{"timed", UNIT_COUNT, "of these: one in 16, the first of each order among them"},
		{"mean", UNIT_NS, NULL},
		{"median", UNIT_NS, "upper end of a bucket, up to a quarter too much"},
		{"99 %", UNIT_NS, "likewise"},
		{"99.9 %", UNIT_NS, "likewise"},
		{"longest", UNIT_NS, "of those timed"},
	};
	struct rows r = rows_begin(d, in, "Reference: time a request for pages took in user space",
				   COLUMNS(columns));
	size_t k, n;
	json_t *run, *v;

	for (size_t i = 0; i < in->n; i++)
		json_array_foreach (json_object_get(in->results[i].root, "runs"), k, run)
			json_array_foreach (jpath(run, "latency.rows"), n, v) {
				struct doc_cell *c = rows_add(&r, i);

				c[0].text = run_title(d, &(struct report_input){.n = 1}, 0, run);
				c[1].value = jnum(v, "order");
				c[2].value = jnum(v, "of_calls");
				put_times(c + 3, v);
			}
	return rows_end(&r, s);
}

/* By the path that served the request: the kernel's, and those runs' that tell it. */
static void row_path_time(const struct rows *r, size_t i, const char *whose, const json_t *v)
{
	struct doc_cell *c = rows_add(r, i);
	static const char *const names[] = {"p50_ns", "p99_ns", "p999_ns", "max_ns"};

	c[0].text = copy_text(r->d, whose);
	c[1].text = copy_text(r->d, jstr(v, "path", NULL));
	c[2].value = jnum(v, "order");
	c[3].value = jnum(v, "calls");
	c[4].value = jnum(v, "kept");
	for (size_t k = 0; k < sizeof(names) / sizeof(*names); k++)
		c[5 + k].value = jnum(v, names[k]);
}

static void table_path_times(struct report_doc *d, struct doc_section *s,
			     const struct report_input *in)
{
	static const struct doc_column columns[] = {
		RESULT_COLUMN,
		{"whose", UNIT_TEXT, "the kernel's function, or a run in user space"},
		{"path", UNIT_TEXT,
		 "hit: a page of this CPU's list; refill; buddy lists; slow: it waited for direct "
		 "reclaim or compaction, or took the reference's slow path; unclear: several CPUs "
		 "had pages of that order in its time"},
		{"order", UNIT_COUNT, "of pages"},
		{"calls", UNIT_COUNT, "the kernel's: estimated by those that were kept"},
		{"kept", UNIT_COUNT, "calls of the kernel by which the path is known"},
		{"median", UNIT_NS, "upper end of a bucket, up to a quarter too much"},
		{"99 %", UNIT_NS, "likewise"},
		{"99.9 %", UNIT_NS, "likewise"},
		{"longest", UNIT_NS, "of those kept, or timed"},
	};
	struct rows r =
		rows_begin(d, in, "By path: the kernel's time and the runs'", COLUMNS(columns));
	size_t k, n;
	json_t *run, *v;

	for (size_t i = 0; i < in->n; i++) {
		const json_t *root = in->results[i].root;

		json_array_foreach (jpath(root, "latency.paths"), k, v)
			row_path_time(&r, i, "kernel", v);
		json_array_foreach (json_object_get(root, "runs"), k, run)
			json_array_foreach (jpath(run, "latency.paths"), n, v)
				row_path_time(&r, i, jstr(run, "name", "?"), v);
	}
	rows_end(&r, s);
}

static double or_zero(double v)
{
	return isnan(v) ? 0 : v;
}

/* Where requests were served, by the kernel (from its events) and by the runs. */
static void row_paths(const struct rows *r, size_t i, json_t *run)
{
	const json_t *counts = json_object_get(run, "counts");
	double hit = jnum(counts, "pcp_hit");
	double refill = or_zero(jnum(counts, "pcp_refill"));
	double direct = or_zero(jnum(counts, "buddy_alloc"));
	double all = hit + refill + direct;
	struct doc_cell *c;

	if (!(all > 0))
		return;
	c = rows_add(r, i);
	c[0].text = run_title(r->d, &(struct report_input){.n = 1}, 0, run);
	c[1].value = all;
	c[2].value = 100 * hit / all;
	c[3].value = 100 * refill / all;
	c[4].value = 100 * direct / all;
	c[5].value = jnum(counts, "slow_path");
	c[6].value = jnum(counts, "failed");
	c[7].value = jnum(counts, "zone_lock");
}

static void table_paths(struct report_doc *d, struct doc_section *s, const struct report_input *in)
{
	static const struct doc_column columns[] = {
		RESULT_COLUMN,
		{"run", UNIT_TEXT, NULL},
		{"requests", UNIT_COUNT, "hits, refills and allocations from the buddy lists"},
		{"per-CPU hit", UNIT_PERCENT, "took a page of this CPU's list: the fast path"},
		{"refill", UNIT_PERCENT, "filled the list first, under the zone's lock"},
		{"buddy lists", UNIT_PERCENT, "too large for the lists: under the zone's lock"},
		{"slow path", UNIT_COUNT, "the first walk over the zones did not serve it"},
		{"failed", UNIT_COUNT, NULL},
		{"zone lock", UNIT_COUNT, "times it was taken, for frees too"},
	};
	struct rows r = rows_begin(d, in, "Which path served the requests", COLUMNS(columns));
	size_t k;
	json_t *run;

	for (size_t i = 0; i < in->n; i++)
		json_array_foreach (json_object_get(in->results[i].root, "runs"), k, run)
			row_paths(&r, i, run);
	rows_end(&r, s);
}

void section_latency(struct report_doc *d, const struct report_input *in)
{
	struct doc_section *s = doc_section(d, "latency", "Latency");
	bool known = false;

	for (size_t i = 0; i < in->n; i++) {
		const json_t *rows = jpath(in->results[i].root, "latency.rows");
		double missed = jnum(jpath(in->results[i].root, "latency"), "missed");

		if (!json_array_size(rows))
			section_missing(
				d, s, in, i,
				"Kernel latency: not recorded; record with --probe latency where "
				"fentry is allowed (see 'kmemlab doctor'). What tasks waited "
				"in reclaim and compaction is under Stalls.");
		known = known || json_array_size(rows);
		if (missed > 0)
			doc_remark(d, s,
				   pool_printf(&d->pool, "%sCalls that were not timed: %.0f.",
					       result_prefix(d, in, i), missed));
	}
	table_latency(d, s, in);
	known = table_own_times(d, s, in) || known;
	table_path_times(d, s, in);
	table_paths(d, s, in);
	if (!known)
		return;
	s->chart = "latency";
	s->lead =
		"The kernel's calls are timed from entry to return, the probe's own cost and "
		"interrupts included. The reference's are timed in user space on the machine that "
		"replayed, without contention or interrupts: they compare runs with one another, "
		"and fast paths with slow ones, but do not predict the kernel's. Which path a call "
		"of "
		"the kernel took is known of those that were kept, which stand for the others of "
		"their length. The counts of the paths that served the requests, of both, compare "
		"one to one.";
}

static void row_lifetime(const struct rows *r, size_t i, const json_t *v)
{
	struct doc_cell *c = rows_add(r, i);

	c[0].text = copy_text(r->d, jstr(v, "name", NULL));
	c[1].value = jnum(v, "freed");
	c[2].value = 100 * jnum(v, "freed_on_another_cpu") / jnum(v, "freed");
	c[3].value = jnum(v, "p50_ns");
	c[4].value = jnum(v, "p90_ns");
	c[5].value = jnum(v, "p99_ns");
	c[6].value = jnum(v, "live");
	c[7].value = jnum(v, "oldest_age_ns");
	c[8].value = jnum(v, "live_bytes");
}

void section_lifetimes(struct report_doc *d, const struct report_input *in)
{
	static const struct doc_column columns[] = {
		RESULT_COLUMN,
		{"allocated by", UNIT_TEXT, "call site; pages by order and migrate type"},
		{"freed", UNIT_COUNT, "lives that ended in the recording"},
		{"elsewhere", UNIT_PERCENT, "of these, freed on another CPU"},
		{"median", UNIT_NS, "of ended lives"},
		{"90 %", UNIT_NS, "of ended lives"},
		{"99 %", UNIT_NS, "of ended lives"},
		{"live", UNIT_COUNT, "at the end: their lives are longer than was seen"},
		{"oldest", UNIT_NS, "age of the oldest that is live"},
		{"live bytes", UNIT_BYTES, NULL},
	};
	struct doc_section *s = doc_section(d, "lifetimes", "Lifetimes");
	struct rows r = rows_begin(d, in, "Lifetimes, most live bytes first", COLUMNS(columns));
	size_t k;
	json_t *v;

	for (size_t i = 0; i < in->n; i++) {
		const json_t *list = jpath(in->results[i].root, "lifetimes.rows");

		if (!json_array_size(list))
			section_missing(d, s, in, i,
					"Lifetimes: not in the result; replay the trace again with "
					"this version.");
		json_array_foreach (list, k, v)
			row_lifetime(&r, i, v);
	}
	r.t->bars = true;
	if (!rows_end(&r, s))
		return;
	s->chart = "lifetimes";
	s->lead = "How long what was allocated lived. What was still live at the end enters no "
		  "quantile; the curves count it as at risk up to its age.";
	doc_note(d, s, "How the curves are made",
		 "Kaplan and Meier's estimate: at each time the share that lives longer is the "
		 "product over all earlier times of 1 - ended / at risk. Where a curve ends above "
		 "0 %, the rest was still live when the recording ended.");
}
