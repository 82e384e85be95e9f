/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * prop_percpu.c - the per-CPU allocator against a byte for every four bytes.
 *
 * The oracle knows only which bytes of which chunk are in use. What is allocated
 * must be aligned, inside its chunk, in nobody's use, and found again by its
 * name; what is refused to a request that may wait must not be there in one
 * piece of a page more; all invariants hold; two machines do the same.
 */
#include "prop.h"

#include "../refmm/percpu_machine.h"

enum {
	AREAS = 8,
	UNITS = UNIT / RMM_PCPU_MIN_ALLOC,
	LIVE_MAX = 4000,
	PROP_CHECK_EVERY = 32,
};

enum code {
	ALLOC,
	ALLOC_SMALL,
	ALLOC_LARGE,
	ALLOC_ATOMIC,
	FREE,
	FREE_MORE,
	FREE_ALL,
	BAD_FREE,
	BALANCE,
	FAULT,
	CODES
};

static const char *const names[] = {
	"alloc", "alloc-small", "alloc-large", "alloc-atomic", "free",
	"free",	 "free-all",	"bad-free",    "balance",      "fault",
};

struct live {
	rmm_percpu ptr;
	unsigned int area;
	int off, size;
};

struct world {
	struct rmm *rmm;
	uint8_t used[AREAS + 1][UNITS]; /* the last: reserved */
	struct live live[LIVE_MAX];
	size_t n;
	bool faults;
	uint64_t hash;
	char *msg;
};

static bool broken(struct world *w, const char *what, unsigned int area, int off)
{
	snprintf(w->msg, 512, "%s (chunk %u, offset %d)", what, area, off);
	return false;
}

static void start(struct world *w, uint64_t seed, char *msg)
{
	uint64_t number = prop_config(seed), knobs = prop_random(&number);
	struct rmm_percpu_config c;
	struct machine m;

	memset(w, 0, sizeof(*w));
	w->msg = msg;
	machine_init(&m, knobs & 1 ? 1 : 4); /* one pageblock is too little at times */
	m.config.nr_cpus = 2;
	percpu_config(&c);
	c.max_chunks = AREAS;
	c.static_size = 1 + knobs % 6000;
	c.reserved_size = knobs & 2 ? (knobs >> 26) % 2000 * 4 : 0;
	c.dyn_size = (size_t)7 * 4096 - (c.static_size + c.reserved_size) % 4096;
	w->rmm = percpu_boot(&m, &c);
}

/* Bits of @c, in the oracle's counting, that are a chunk's own */
static bool inside(const struct rmm_pcpu *p, unsigned int area, int off, int size)
{
	const struct rmm_pcpu_chunk *c = p->areas[area];

	return off >= c->start_offset && off + size <= c->nr_pages * p->page_size - c->end_offset;
}

static bool take(struct world *w, rmm_percpu ptr, size_t size, size_t align)
{
	struct rmm_pcpu *p = rmm_pcpu_of(w->rmm);
	unsigned int area = 0;
	int off = rmm_percpu_where(w->rmm, ptr, &area);
	struct live l = {ptr, area, off, (int)(size + 3) / 4 * 4};

	w->hash = w->hash * 31 + ptr;
	if (off < 0 || area >= AREAS || !inside(p, area, off, l.size))
		return broken(w, "allocated outside of a chunk", area, off);
	if ((size_t)off % align || off % 4)
		return broken(w, "allocated without alignment", area, off);
	for (int i = off / 4; i < (off + l.size) / 4; i++) {
		if (w->used[area][i])
			return broken(w, "allocated what is in use", area, i * 4);
		w->used[area][i] = 1;
	}
	w->live[w->n++] = l;
	return true;
}

static bool do_alloc(struct world *w, const struct op *op, size_t most, unsigned int gfp)
{
	size_t size = 1 + op->a % most, align = (size_t)1 << (op->b % 16 ? op->b % 5 : op->b % 13);
	rmm_percpu ptr;

	if (w->n == LIVE_MAX)
		return true;
	ptr = rmm___alloc_percpu_gfp(w->rmm, op->b >> 8 & 1, size, align, gfp);
	if (ptr)
		return take(w, ptr, size, align);
	w->hash = w->hash * 31 + 1;
	if (!w->faults && (gfp & RMM_GFP_DIRECT_RECLAIM) &&
	    percpu_stats(w->rmm).nr_chunks < AREAS && rmm_nr_free_pages(w->rmm) > 300)
		return broken(w, "failed though there is memory and room", 0, 0);
	return true;
}

static bool free_nth(struct world *w, size_t n, unsigned int cpu)
{
	struct live l = w->live[n];

	w->live[n] = w->live[--w->n];
	memset(&w->used[l.area][l.off / 4], 0, (size_t)l.size / 4);
	if (rmm_free_percpu(w->rmm, cpu, l.ptr))
		return broken(w, rmm_last_error(w->rmm), l.area, l.off);
	return true;
}

static bool do_bad_free(struct world *w, const struct op *op)
{
	rmm_percpu ptr = op->a % (AREAS * 2 * UNIT) + 4096;

	for (size_t i = 0; i < w->n; i++)
		if (w->live[i].ptr == ptr)
			return true;
	if (rmm_free_percpu(w->rmm, 0, ptr) != -EINVAL)
		return broken(w, "a wrong free was not refused", 0, (int)ptr);
	return true;
}

static bool do_free_all(struct world *w, const struct op *op)
{
	if (op->b % 256)
		return true;
	while (w->n)
		if (!free_nth(w, op->a % w->n, 0))
			return false;
	return true;
}

static bool do_fault(struct world *w, const struct op *op)
{
	const struct rmm_fault fault = {
		.points = RMM_FAULT_ALLOC,
		.nth = op->b % 20,
		.probability = op->b >> 8 & 1 ? 50000 : 0,
		.seed = op->a,
	};

	w->faults = (op->b >> 9) % 8 == 0;
	rmm_set_fault(w->rmm, w->faults ? &fault : NULL);
	return true;
}

static bool perform(struct world *w, const struct op *op)
{
	switch ((enum code)op->code) {
	case ALLOC:
		return do_alloc(w, op, 512, RMM_GFP_KERNEL);
	case ALLOC_SMALL:
		return do_alloc(w, op, 32, RMM_GFP_KERNEL);
	case ALLOC_LARGE:
		return do_alloc(w, op, op->b % 4 ? 4096 : 32768, RMM_GFP_KERNEL);
	case ALLOC_ATOMIC:
		return do_alloc(w, op, 3000, RMM_GFP_ATOMIC);
	case FREE:
	case FREE_MORE:
		return w->n ? free_nth(w, op->a % w->n, op->b & 1) : true;
	case FREE_ALL:
		return do_free_all(w, op);
	case BAD_FREE:
		return do_bad_free(w, op);
	case BALANCE:
		if (op->b % 4 == 0 || rmm_percpu_balance_needed(w->rmm))
			rmm_percpu_balance(w->rmm, op->a & 1);
		return true;
	case FAULT:
		return do_fault(w, op);
	case CODES:
		break;
	}
	return false;
}

/* All invariants hold, and the maps are the oracle's */
static bool agree(struct world *w)
{
	struct rmm_pcpu *p = rmm_pcpu_of(w->rmm);
	char msg[256];

	if (rmm_validate(w->rmm, msg, sizeof(msg)))
		return broken(w, msg, 0, 0);
	for (unsigned int a = 0; a < AREAS; a++) {
		const struct rmm_pcpu_chunk *c = p->areas[a];
		int from = c ? c->start_offset / 4 : 0;
		int end = c ? (c->nr_pages * p->page_size - c->end_offset) / 4 : 0;

		for (int i = from; i < end; i++)
			if (rmm_test_bit(c->alloc_map, i) != w->used[a][i])
				return broken(w, "map and oracle differ", a, i * 4);
	}
	return true;
}

static bool run_oracle(const struct op *ops, size_t n, uint64_t seed, bool careful, char *msg)
{
	static struct world w;
	bool ok = true;

	start(&w, seed, msg);
	for (size_t i = 0; ok && i < n; i++)
		ok = perform(&w, &ops[i]) && (!(careful || i % PROP_CHECK_EVERY == 0) || agree(&w));
	ok = ok && agree(&w);
	rmm_destroy(w.rmm);
	return ok;
}

static bool run_twice(const struct op *ops, size_t n, uint64_t seed, bool careful, char *msg)
{
	static struct world w[2];

	(void)careful;
	for (int i = 0; i < 2; i++) {
		start(&w[i], seed, msg);
		for (size_t k = 0; k < n; k++)
			perform(&w[i], &ops[k]);
		rmm_destroy(w[i].rmm);
	}
	return w[0].hash == w[1].hash || broken(&w[0], "the second run differs", 0, 0);
}

static void test_percpu_random_operations_agree_with_oracle(void **state)
{
	const struct property p = {"percpu", names, CODES, 2000, run_oracle, 0};

	(void)state;
	prop_check(&p);
}

static void test_percpu_same_operations_give_same_offsets(void **state)
{
	const struct property p = {"determinism", names, CODES, 2000, run_twice, PROP_TWICE};

	(void)state;
	prop_check(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_percpu_random_operations_agree_with_oracle),
		cmocka_unit_test(test_percpu_same_operations_give_same_offsets),
	};

	return cmocka_run_group_tests_name("prop_percpu", tests, NULL, NULL);
}
