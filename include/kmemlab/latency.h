/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * latency.h - histograms of the time inside allocation functions, as the BPF
 * programs keep them. In memory only; the trace has them as JSON (trace.h).
 *
 * Buckets are log-linear: four to each power of two of nanoseconds, so a value
 * is known to a quarter. Bucket 4 (e - 1) + s holds [(4 + s) 2^(e-2), (5 + s)
 * 2^(e-2)) for e >= 2; the first four hold 0 to 3 ns.
 */
#ifndef KMEMLAB_LATENCY_H
#define KMEMLAB_LATENCY_H

#include <kmemlab/event.h>

enum kml_latency {
	KML_LATENCY_PAGES = 0,	 /* class: order */
	KML_LATENCY_KMALLOC = 1, /* class: log2 of the size, rounded up */
	KML_LATENCY_CACHE = 2,	 /* class: the same, of the object */
	KML_LATENCY_WHATS = 3,
	KML_LATENCY_CLASSES = 32,
	KML_LATENCY_BUCKETS = 128,  /* up to 4 s; longer ones in the last */
	KML_LATENCY_PENDING = 4096, /* calls that may be under way at a time */
	KML_LATENCY_SAMPLES = 8192,
	KML_LATENCY_SAMPLE_EVERY = 256, /* calls of a CPU and bucket */
};

/* Of one CPU, one what and one class. */
struct kml_latency_cell {
	kml_u64 calls, sum_ns, max_ns;
	kml_u64 bucket[KML_LATENCY_BUCKETS];
};

/* A call under way. */
struct kml_latency_call {
	kml_u64 frame, start_ns;
};

/* One call that was. Of each class, bucket and CPU the first call and then one
 * in KML_LATENCY_SAMPLE_EVERY are candidates, so that the rare slow ones are
 * among them; all candidates have the same chance to be kept, whenever they
 * came. */
struct kml_latency_sample {
	kml_u64 time_ns, ns; /* time at its end */
	kml_u32 what, class_;
};

static inline kml_u64 kml_latency_floor(kml_u32 bucket)
{
	return bucket < 4 ? bucket
			  : (kml_u64)(4 + bucket % 4) << (bucket / 4 - 1);
}

#endif
