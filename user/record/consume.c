// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * consume.c - from the rings to the trace writer.
 *
 *   cell: lap ok?  --no--> not committed yet: stop here until the next call
 *     | definition -> define.c
 *     | event      -> class of its slot, full time, address without secrets
 *
 * A round's watermark is the smallest time up to which some ring was read. The
 * programs read the clock after they reserve, so a ring that was empty after
 * time T holds nothing older than T later on.
 */
#include "consume.h"

#include <errno.h>
#include <stdlib.h>
#include <trace/kinds.h>
#include <unistd.h>

#include "addresses.h"

enum {
	ROUND_NS = 250000000, /* longest time that events wait for their round */
	AHEAD_NS = 1000000000,
	PAGE_SHIFT = 12,
	AHEAD_BYTES = 1024, /* of cells, on their way from another CPU's cache */
};

/* One CPU's ring, as far as it has been read. */
struct reading {
	uint64_t time_ns; /* of the last event */
	uint64_t allocated_pfn, freed_pfn;
	unsigned int freed_order; /* of the last page freed */
	bool new_task;
	bool has_task; /* one was told */
	bool own;      /* and it is this process */
};

struct consumer {
	const struct rings *rings;
	struct trace_writer *writer;
	struct definitions *definitions;
	struct addresses addresses;
	uint64_t frames; /* of the direct map */
	uint64_t (*clock_ns)(void);
	uint64_t round_start_ns;
	int round_err;	     /* of a block that could not be written in the round that is open */
	uint64_t latest_ns;  /* that an event of the ring at hand can have */
	uint64_t covered[2]; /* pages allocated, freed: while covered, and written */
	uint64_t pending[2]; /* the same, of the round that is open */
	uint8_t *live;	     /* a bit per frame: seen allocated as a single page */
	uint64_t cover_from_ns, cover_to_ns;
	uint32_t own_tgid;
	uint64_t own; /* events that this process caused */
	struct event_watch watch;
	struct reading cpu[];
};

struct consumer *consumer_new(const struct rings *r, struct trace_writer *w, struct definitions *d,
			      const struct kernel_bases *bases, uint64_t (*clock_ns)(void))
{
	unsigned int cpus = r->cpus;
	struct consumer *c = calloc(1, sizeof(*c) + cpus * sizeof(c->cpu[0]));

	if (!c)
		return NULL;
	c->rings = r;
	c->writer = w;
	c->definitions = d;
	c->frames = bases->direct_map_bytes >> PAGE_SHIFT;
	c->clock_ns = clock_ns;
	c->own_tgid = (uint32_t)getpid();
	c->round_start_ns = c->clock_ns();
	for (unsigned int i = 0; i < cpus; i++)
		c->cpu[i].time_ns = c->round_start_ns;
	c->live = calloc(1, c->frames / 8 + 1);
	if (c->live && !addresses_init(&c->addresses, bases))
		return c;
	consumer_free(c);
	return NULL;
}

void consumer_free(struct consumer *c)
{
	if (c) {
		free(c->live);
		addresses_free(&c->addresses);
	}
	free(c);
}

void consumer_pages(const struct consumer *c, uint64_t *allocated, uint64_t *freed)
{
	*allocated = c->covered[0];
	*freed = c->covered[1];
}

void consumer_cover(struct consumer *c, uint64_t from_ns)
{
	c->cover_from_ns = from_ns;
	c->cover_to_ns = UINT64_MAX;
	for (int i = 0; i < 2; i++)
		c->covered[i] = c->pending[i] = 0;
}

void consumer_restate(struct consumer *c)
{
	for (unsigned int cpu = 0; cpu < c->rings->cpus; cpu++)
		c->cpu[cpu].new_task = c->cpu[cpu].has_task;
}

void consumer_watch(struct consumer *c, const struct event_watch *watch)
{
	c->watch = *watch;
}

uint64_t consumer_own_events(const struct consumer *c)
{
	return c->own;
}

void consumer_stop_cover(struct consumer *c, uint64_t to_ns)
{
	c->cover_to_ns = to_ns;
}

uint64_t consumer_vmalloc_page(const struct consumer *c, uint64_t address)
{
	return addresses_vmalloc(&c->addresses, definitions_vmalloc_start(c->definitions), address);
}

uint64_t consumer_percpu_chunk(struct consumer *c, uint64_t base)
{
	return addresses_percpu_chunk(&c->addresses, base);
}

/* Count pages for the coverage, if @time is in its window. */
static void cover(struct consumer *c, bool freed, uint64_t time, uint64_t pages)
{
	if (time >= c->cover_from_ns && time < c->cover_to_ns)
		c->pending[freed] += pages;
}

/* Is @pfn a page that an event showed allocated by itself, and none freed since? */
static bool known_live(const struct consumer *c, uint64_t pfn)
{
	return pfn < c->frames && c->live[pfn / 8] >> pfn % 8 & 1;
}

/*
 * A stack's page counts as allocated unless it is known to be: the kernel keeps a
 * few stacks for reuse, and may take one from the ordinary allocator.
 */
static void see_page(struct consumer *c, unsigned int kind, uint64_t time, uint64_t pfn,
		     unsigned int order)
{
	uint8_t bit = (uint8_t)(1u << pfn % 8);
	uint8_t *known;

	if (pfn >= c->frames)
		return;
	known = &c->live[pfn / 8];
	if (kind != KML_STACK_PAGE || !known_live(c, pfn))
		cover(c, kind == KML_PAGE_FREE, time, 1ull << order);
	if (kind == KML_PAGE_FREE)
		*known &= (uint8_t)~bit;
	else if (!order)
		*known |= bit;
}

/*
 * A bulk allocation that finds no page on the lists turns to the ordinary allocator
 * for one, which tells of it: the CPU's last, then, and still allocated. (Freed since,
 * it is the first on the list, and the next that a bulk allocation takes.)
 */
static void see_bulk_page(struct consumer *c, unsigned int cpu, uint64_t time, uint64_t pfn)
{
	if (pfn != c->cpu[cpu].allocated_pfn || !known_live(c, pfn))
		cover(c, false, time, 1);
}

/* Of a page that compaction keeps: of its free's order, if the kernel has just told of one. */
static uint32_t keep_class(const struct consumer *c, const struct reading *s, uint64_t pfn)
{
	const struct kmt_class class = {
		.kind = KMT_PAGE_KEEP,
		.order = s->freed_pfn == pfn ? (uint8_t)s->freed_order : 0,
	};

	return trace_writer_class(c->writer, &class);
}

/* It was not freed, then: vmstat does not count it. */
static void see_kept_page(struct consumer *c, unsigned int cpu, uint64_t time, uint64_t pfn)
{
	struct reading *s = &c->cpu[cpu];

	if (s->freed_pfn != pfn)
		return;
	cover(c, true, time, -(1ull << s->freed_order));
	s->freed_pfn = KMT_NO_PAGE;
}

struct seen {
	uint64_t time_ns, pfn;
	unsigned int order;
};

/* What an event of @kind tells of pages allocated and freed. */
static void see(struct consumer *c, unsigned int cpu, unsigned int kind, const struct seen *s)
{
	switch (kind) {
	case KML_PAGE_ALLOC:
		c->cpu[cpu].allocated_pfn = s->pfn;
		break;
	case KML_PAGE_FREE:
		c->cpu[cpu].freed_pfn = s->pfn;
		c->cpu[cpu].freed_order = s->order;
		break;
	case KML_STACK_PAGE:
		break;
	case KMT_BULK_PAGE:
		see_bulk_page(c, cpu, s->time_ns, s->pfn);
		return;
	case KMT_PAGE_KEEP:
		see_kept_page(c, cpu, s->time_ns, s->pfn);
		return;
	default:
		return;
	}
	see_page(c, kind, s->time_ns, s->pfn, s->order);
}

/*
 * The full time whose low 42 bits are @low: the last that is not after @latest, which
 * no event in a ring can be (event.h has the argument).
 * Never before the CPU's @last: an interrupt's event may stand before the one that
 * it interrupted.
 */
static inline uint64_t full_time(uint64_t last, uint64_t latest, uint64_t low)
{
	uint64_t age = ((latest - low) << KML_TIME_SHIFT) >> KML_TIME_SHIFT;

	return latest - age > last && age < latest ? latest - age : last;
}

/* Failed allocations, and what tells of pressure, are worth a look at once. */
static void watch(const struct consumer *c, unsigned int cpu, unsigned int kind,
		  const struct slot *slot, uint64_t time)
{
	const struct seen_event e = {
		.kind = kind,
		.order = slot->order,
		.time_ns = time,
		.task = definitions_task(c->definitions, cpu),
	};

	if (c->watch.see)
		c->watch.see(c->watch.context, &e);
}

static int take_event(struct consumer *c, unsigned int cpu, const struct slot *slots,
		      const struct kml_cell *cell)
{
	unsigned int kind = cell->word0 >> KML_KIND_SHIFT & (KML_KINDS - 1);
	const struct slot *slot =
		&slots[kml_slot_base(kind) + (cell->word0 >> KML_SLOT_SHIFT & (KML_SLOTS - 1))];
	uint64_t time = full_time(c->cpu[cpu].time_ns, c->latest_ns, cell->word0 >> KML_TIME_SHIFT);
	uint64_t address = addresses_of(&c->addresses, definitions_vmalloc_start(c->definitions),
					kind, cell->word1);
	uint32_t class_id = slot->class_id;
	int err = 0;

	if (c->cpu[cpu].new_task) {
		err = trace_writer_event(c->writer, cpu, definitions_task(c->definitions, cpu),
					 time, 0);
		if (err)
			return err;
		c->cpu[cpu].new_task = false;
	}
	if (kind == KMT_PAGE_KEEP)
		class_id = keep_class(c, &c->cpu[cpu], address);
	err = trace_writer_event(c->writer, cpu, class_id, time, address);
	if (err)
		return err;
	c->cpu[cpu].time_ns = time;
	c->own += c->cpu[cpu].own;
	if (address == KMT_NO_PAGE || kind >= KMT_RECLAIM_BEGIN)
		watch(c, cpu, kind, slot, time);
	see(c, cpu, kind, &(struct seen){time, address, slot->order});
	return 0;
}

static int take_cell(struct consumer *c, unsigned int cpu, const struct slot *slots,
		     const struct kml_cell *cell)
{
	int got;

	if (!(cell->word0 & KML_DEF_BIT))
		return take_event(c, cpu, slots, cell);
	got = define_word(c->definitions, cpu, cell);
	if (got > 0) {
		c->cpu[cpu].new_task = c->cpu[cpu].has_task = true;
		c->cpu[cpu].own = definitions_tgid(c->definitions, cpu) == c->own_tgid;
	}
	return got < 0 ? got : 0;
}

/* What a run of events comes to. */
struct run {
	uint64_t time_ns;
	uint64_t pages[2]; /* allocated, freed */
	uint64_t allocated_pfn, freed_pfn;
	unsigned int freed_order;
};

/* The same as see(), of a frame in the direct map. */
static inline void see_in_run(struct run *run, uint8_t *live, unsigned int kind, uint64_t pfn,
			      unsigned int order)
{
	uint8_t *known = &live[pfn / 8], bit = (uint8_t)(1u << pfn % 8);

	if (kind == KML_PAGE_FREE) {
		run->pages[1] += 1ull << order;
		*known &= (uint8_t)~bit;
		run->freed_pfn = pfn;
		run->freed_order = order;
	} else {
		run->pages[0] += 1ull << order;
		*known |= (uint8_t)(order ? 0 : bit);
		run->allocated_pfn = pfn;
	}
}

/* Are all events of @s from now on in the window of the coverage, or is there none? */
static bool evenly_covered(const struct consumer *c, const struct reading *s)
{
	return !c->cover_to_ns || (s->time_ns >= c->cover_from_ns && c->cover_to_ns == UINT64_MAX);
}

static void end_run(struct consumer *c, struct reading *s, const struct run *run, size_t events)
{
	s->time_ns = run->time_ns;
	s->allocated_pfn = run->allocated_pfn;
	s->freed_pfn = run->freed_pfn;
	s->freed_order = run->freed_order;
	c->own += s->own ? events : 0;
	for (int i = 0; i < 2 && c->cover_to_ns; i++)
		c->pending[i] += run->pages[i];
}

/*
 * The cells from @pos to @head as far as they are what nearly all of a recording
 * consists of: pages and objects in the direct map, by a task that was told, while
 * the coverage's window neither begins nor ends. All that the loop uses is its own,
 * so that no store can change it. Return: the position of the first cell that is something else, or
 * not committed, or has no room: take_cell() has it.
 */
static uint64_t take_run(struct consumer *c, unsigned int cpu, const struct slot *slots,
			 uint64_t pos, uint64_t head)
{
	struct reading *s = &c->cpu[cpu];
	struct trace_lane *lane = trace_writer_lane(c->writer, cpu);
	struct run run = {s->time_ns, {0, 0}, s->allocated_pfn, s->freed_pfn, s->freed_order};
	const struct region region[2] = {c->addresses.pages, c->addresses.objects};
	const struct kml_cell *cell = ring_of(c->rings, cpu)->cell;
	const uint64_t ring_mask = c->rings->cell_bytes - 1, latest = c->latest_ns;
	const unsigned int shift = (unsigned int)__builtin_ctzll(c->rings->cell_bytes);
	struct trace_raw *next = lane->next, *const limit = lane->limit;
	uint8_t *const live = c->live;

	if (s->new_task || !evenly_covered(c, s))
		return pos;
	if (run.time_ns < lane->last_ns)
		run.time_ns = lane->last_ns;
	for (; pos < head && next < limit; pos += KML_CELL_BYTES) {
		const struct kml_cell *at = &cell[(pos & ring_mask) / KML_CELL_BYTES];
		uint64_t word0 = __atomic_load_n(&at->word0, __ATOMIC_ACQUIRE);
		unsigned int kind = word0 >> KML_KIND_SHIFT & (KML_KINDS - 1);
		const struct region *in = &region[kind >= KML_KMALLOC];
		uint64_t offset = at->word1 - in->base;
		const struct slot *slot;

		__builtin_prefetch(&cell[((pos + AHEAD_BYTES) & ring_mask) / KML_CELL_BYTES]);
		if ((word0 & (KML_LAP_MASK | KML_DEF_BIT)) != (((pos >> shift) + 1) & KML_LAP_MASK))
			break;
		if (kind > KML_CACHE_FREE || offset >= in->bytes)
			break;
		slot = &slots[kind << KML_SLOT_BITS | (word0 >> KML_SLOT_SHIFT & (KML_SLOTS - 1))];
		run.time_ns = full_time(run.time_ns, latest, word0 >> KML_TIME_SHIFT);
		offset >>= in->shift;
		*next++ = (struct trace_raw){run.time_ns, offset, slot->class_id, 0};
		if (kind <= KML_PAGE_FREE)
			see_in_run(&run, live, kind, offset, slot->order);
	}
	end_run(c, s, &run, (size_t)(next - lane->next));
	trace_lane_extend(lane, next);
	return pos;
}

/* One cell, with a block written where there is no room for it. */
static int take_or_flush(struct consumer *c, unsigned int cpu, const struct slot *slots,
			 const struct kml_cell *cell)
{
	int err = take_cell(c, cpu, slots, cell), failed;

	if (err != -EAGAIN)
		return err;
	failed = trace_writer_flush(c->writer, cpu);
	c->round_err = c->round_err ? c->round_err : failed;
	return take_cell(c, cpu, slots, cell);
}

/*
 * Empty one ring. *watermark sinks to the time before which all is read. @err:
 * -EAGAIN if there is no memory for more. Returns how full the ring was, in percent, 0 only
 * if it was empty.
 */
static int drain(struct consumer *c, unsigned int cpu, uint64_t *watermark, int *err)
{
	struct kml_ring *r = ring_of(c->rings, cpu);
	const struct slot *slots = definitions_slots(c->definitions, cpu);
	unsigned int shift = (unsigned int)__builtin_ctzll(c->rings->cell_bytes);
	uint64_t now = c->clock_ns();
	uint64_t head = __atomic_load_n(&r->head, __ATOMIC_ACQUIRE);
	uint64_t pos = r->tail;
	int fill = (int)(((head - pos) * 100 + c->rings->cell_bytes - 1) / c->rings->cell_bytes);

	c->latest_ns = now + AHEAD_NS;
	while ((pos = take_run(c, cpu, slots, pos, head)) < head) {
		const struct kml_cell *cell =
			&r->cell[(pos & (c->rings->cell_bytes - 1)) / KML_CELL_BYTES];
		uint64_t word0 = __atomic_load_n(&cell->word0, __ATOMIC_ACQUIRE);

		if ((word0 & KML_LAP_MASK) != (((pos >> shift) + 1) & KML_LAP_MASK))
			break;
		*err = take_or_flush(c, cpu, slots, cell);
		if (*err)
			break;
		pos += KML_CELL_BYTES;
	}
	r->tail = pos;
	__atomic_store_n(&r->limit, ring_limit(c->rings, pos), __ATOMIC_RELEASE);
	if (pos < head)
		now = c->cpu[cpu].time_ns;
	if (now < *watermark)
		*watermark = now;
	return fill;
}

int consume(struct consumer *c, bool flush)
{
	uint64_t watermark = UINT64_MAX;
	int fill = 0, err = 0;

	for (unsigned int cpu = 0; cpu < c->rings->cpus; cpu++) {
		int full, full_err = 0;

		full = drain(c, cpu, &watermark, &full_err);
		fill = full > fill ? full : fill;
		if (full_err)
			err = full_err;
	}
	if (err && err != -EAGAIN)
		return err;
	if (err != -EAGAIN && !c->round_err && !flush &&
	    c->clock_ns() - c->round_start_ns < ROUND_NS)
		return fill;
	c->round_start_ns = c->clock_ns();
	err = trace_writer_round(c->writer, watermark);
	err = c->round_err ? c->round_err : err;
	c->round_err = 0;
	/* Coverage is of what is in the file. */
	for (int i = 0; i < 2; i++) {
		c->covered[i] += err ? 0 : c->pending[i];
		c->pending[i] = 0;
	}
	return err ? err : fill;
}
