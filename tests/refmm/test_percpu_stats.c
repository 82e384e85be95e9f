/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What debugfs percpu_stats of a kernel says, and refmm's formulas. A file of a
 * 6.18 kernel is in tests/data; KML_PERCPU_STATS names another, of this host.
 *
 * Of each chunk a layout is made up that has the printed properties; put into
 * refmm, it must be printed as the kernel printed its own.
 */
#include <stdlib.h>
#include <unistd.h>

#include "percpu_machine.h"

enum { CHUNKS = 64, SIZES = 100000 };

struct printed {
	long unit_size, static_size, reserved_size, dyn_size, atom_size, alloc_size;
	long nr_alloc, nr_dealloc, nr_cur_alloc, nr_chunks, empty_pop_pages;
	struct rmm_percpu_chunk_stat chunk[CHUNKS];
	unsigned int n;
};

/* Fields of a chunk by name; the first section's and the second's likewise */
static int *chunk_field(struct rmm_percpu_chunk_stat *c, const char *name)
{
	const struct {
		const char *name;
		int *to;
	} fields[] = {
		{"nr_alloc", &c->nr_alloc},	      {"empty_pop_pages", &c->empty_pop_pages},
		{"first_bit", &c->first_bit},	      {"free_bytes", &c->free_bytes},
		{"contig_bytes", &c->contig_bytes},   {"sum_frag", &c->sum_frag},
		{"max_frag", &c->max_frag},	      {"cur_min_alloc", &c->cur_min_alloc},
		{"cur_med_alloc", &c->cur_med_alloc}, {"cur_max_alloc", &c->cur_max_alloc},
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		if (strcmp(fields[i].name, name) == 0)
			return fields[i].to;
	return NULL;
}

static long *global_field(struct printed *p, const char *name)
{
	const struct {
		const char *name;
		long *to;
	} fields[] = {
		{"unit_size", &p->unit_size},
		{"static_size", &p->static_size},
		{"dyn_size", &p->dyn_size},
		{"reserved_size", &p->reserved_size},
		{"atom_size", &p->atom_size},
		{"alloc_size", &p->alloc_size},
		{"nr_alloc", &p->nr_alloc},
		{"nr_dealloc", &p->nr_dealloc},
		{"nr_chunks", &p->nr_chunks},
		{"nr_cur_alloc", &p->nr_cur_alloc},
		{"empty_pop_pages", &p->empty_pop_pages},
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		if (strcmp(fields[i].name, name) == 0)
			return fields[i].to;
	return NULL;
}

static void parse_line(struct printed *p, const char *line)
{
	char name[32];
	long value;

	if (strncmp(line, "Chunk", 5) == 0) {
		assert_true(p->n < CHUNKS);
		p->chunk[p->n++] = (struct rmm_percpu_chunk_stat){
			.first = strstr(line, "First") != NULL,
			.reserved = strstr(line, "Reserved") != NULL,
			.sidelined = strstr(line, "sidelined") != NULL,
			.to_depopulate = strstr(line, "to_depopulate") != NULL,
		};
	} else if (sscanf(line, " %31[a-z_] : %ld", name, &value) == 2) {
		if (!p->n && global_field(p, name))
			*global_field(p, name) = value;
		if (p->n && chunk_field(&p->chunk[p->n - 1], name))
			*chunk_field(&p->chunk[p->n - 1], name) = (int)value;
	}
}

static const struct printed *kernel(void)
{
	static struct printed p;
	const char *path = getenv("KML_PERCPU_STATS");
	char line[128];
	FILE *f;

	if (p.n)
		return &p;
	f = fopen(path ? path : "tests/data/percpu_stats-6.18.txt", "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		parse_line(&p, line);
	fclose(f);
	assert_true(p.n > 0 && p.unit_size > 0);
	return &p;
}

/* A machine whose first chunk is as the kernel's; @given: with its unit size */
static struct rmm *like(const struct printed *k, size_t dyn, bool given)
{
	struct rmm_percpu_config c;
	struct machine m;
	long cpus = getenv("KML_PERCPU_STATS") ? sysconf(_SC_NPROCESSORS_CONF) : 2;

	machine_init(&m, 16);
	m.config.nr_cpus = (unsigned int)cpus;
	rmm_percpu_config_init(&c);
	c.static_size = (size_t)k->static_size;
	c.reserved_size = (size_t)k->reserved_size;
	c.dyn_size = given ? (size_t)k->dyn_size : dyn;
	c.atom_size = (size_t)k->atom_size;
	c.unit_size = given ? (size_t)k->unit_size : 0;
	return percpu_boot(&m, &c);
}

/* PERCPU_DYNAMIC_RESERVE is 28 KiB; more with randomised kmalloc caches */
static void test_percpu_stats_unit_size_is_computed_as_printed(void **state)
{
	const struct printed *k = kernel();
	bool found = false;

	(void)state;
	if (access("/sys/devices/system/node/node1", F_OK) == 0 && getenv("KML_PERCPU_STATS"))
		skip(); /* which CPU is on which node is not in the file */
	for (unsigned int shift = 10; !found && shift <= 13; shift++) {
		struct rmm *rmm = like(k, (size_t)28 << shift, false);
		struct rmm_percpu_info i;

		assert_int_equal(rmm_percpu_info(rmm, &i), 0);
		found = i.unit_size == (size_t)k->unit_size && i.dyn_size == (size_t)k->dyn_size &&
			i.alloc_size == (size_t)k->alloc_size;
		check_destroy(rmm);
	}
	assert_true(found);
}

static int largest(const struct rmm_percpu_chunk_stat *c)
{
	int tail = c->free_bytes - c->sum_frag;

	return tail > c->max_frag ? tail : c->max_frag;
}

static void test_percpu_stats_sums_and_bounds_hold(void **state)
{
	const struct printed *k = kernel();
	long allocs = 0, empty = 0, chunks = 0;

	(void)state;
	for (unsigned int i = 0; i < k->n; i++) {
		const struct rmm_percpu_chunk_stat *c = &k->chunk[i];

		assert_true(c->sum_frag >= c->max_frag);
		assert_true(c->free_bytes >= c->sum_frag);
		assert_true(c->contig_bytes <= largest(c));
		assert_int_equal(c->free_bytes % RMM_PCPU_MIN_ALLOC, 0);
		allocs += c->nr_alloc;
		chunks += !c->reserved;
		if (!c->reserved && !c->sidelined && !c->to_depopulate)
			empty += c->empty_pop_pages;
	}
	assert_int_equal(allocs, k->nr_cur_alloc);
	assert_int_equal(k->nr_alloc - k->nr_dealloc, k->nr_cur_alloc);
	assert_int_equal(chunks, k->nr_chunks);
	assert_int_equal(empty, k->empty_pop_pages);
}

/* Slots come in order; one of slot 1 or 2 may stand in 0, after a failure. */
static void test_percpu_stats_chunks_come_in_order_of_slots(void **state)
{
	const struct printed *k = kernel();
	struct rmm *rmm = like(k, 0, true);
	struct rmm_pcpu *p = rmm_pcpu_of(rmm);
	int before = 0;

	(void)state;
	for (unsigned int i = 0; i < k->n; i++) {
		struct rmm_pcpu_chunk c = {.free_bytes = k->chunk[i].free_bytes};
		int slot;

		c.chunk_md.contig_hint = k->chunk[i].contig_bytes >> RMM_PCPU_SHIFT;
		slot = rmm_pcpu_chunk_slot(p, &c);
		if (k->chunk[i].sidelined)
			slot = p->info.sidelined_slot;
		if (k->chunk[i].to_depopulate)
			slot = p->info.to_depopulate_slot;
		if (k->chunk[i].reserved)
			continue;
		if (slot < before && before >= RMM_PCPU_SLOT_FAIL)
			fail_msg("chunk %u: slot %d comes after %d", i, slot, before);
		before = slot;
	}
	check_destroy(rmm);
}

/* @n sizes with the printed smallest, median and largest, and sum @sum; false if
 * there are none such */
static bool make_up_sizes(const struct rmm_percpu_chunk_stat *c, int sum, int *size)
{
	int n = c->nr_alloc, mid = (n - 1) / 2;

	for (int i = 0; i < n; i++) {
		size[i] = i < mid ? c->cur_min_alloc : c->cur_med_alloc;
		if (i == 0)
			size[i] = c->cur_min_alloc;
		if (i == n - 1)
			size[i] = c->cur_max_alloc;
		sum -= size[i];
	}
	for (int i = n - 2; i > 0 && sum > 0; i--) {
		int most = i > mid ? c->cur_max_alloc : c->cur_med_alloc;
		int more = most - size[i] < sum ? most - size[i] : sum;

		if (i == mid)
			continue;
		size[i] += more;
		sum -= more;
	}
	return sum == 0;
}

static void place(struct rmm_pcpu *p, struct rmm_pcpu_chunk *c, int *at, int *size)
{
	int off = rmm_pcpu_alloc_area(p, c, *size >> RMM_PCPU_SHIFT, 1, *at >> RMM_PCPU_SHIFT);

	assert_int_equal(off, *at);
	c->nr_alloc++;
	p->stat.nr_alloc++;
	p->stat.nr_cur_alloc++;
	*at += *size;
	*size = 0;
}

/* Without gap up to first_bit, the largest first; then holes between the rest */
static bool lay_out(struct rmm_pcpu *p, struct rmm_pcpu_chunk *c,
		    const struct rmm_percpu_chunk_stat *k, int *size)
{
	int at = c->start_offset, left = k->sum_frag;

	for (int i = k->nr_alloc - 1; i >= 0; i--)
		if (size[i] <= k->first_bit * 4 - at)
			place(p, c, &at, &size[i]);
	if (at != k->first_bit * 4)
		return false;
	for (int i = 0; i < k->nr_alloc; i++) {
		int hole = left < k->max_frag ? left : k->max_frag;

		if (!size[i])
			continue;
		at += hole;
		left -= hole;
		place(p, c, &at, &size[i]);
	}
	return left == 0;
}

/* The chunk in refmm that stands for chunk @k */
static struct rmm_pcpu_chunk *stand_in(struct rmm_pcpu *p, const struct rmm_percpu_chunk_stat *k)
{
	struct rmm_pcpu_chunk *c;

	if (k->reserved || k->first)
		return k->first ? p->first_chunk : p->reserved_chunk;
	c = rmm_pcpu_create_chunk(p);
	assert_non_null(c);
	rmm_pcpu_chunk_relocate(p, c, -1);
	assert_int_equal(rmm_pcpu_populate_chunk(p, c, 0, 0, c->nr_pages, RMM_GFP_KERNEL), 0);
	rmm_pcpu_chunk_populated(p, c, 0, c->nr_pages);
	return c;
}

static void compare(const struct rmm *rmm, const struct rmm_pcpu_chunk *c,
		    const struct rmm_percpu_chunk_stat *k)
{
	struct rmm_percpu_chunk_stat r = {0};
	unsigned int n = 0;

	do
		assert_int_equal(rmm_percpu_chunk_stat(rmm, n++, &r), 0);
	while (r.first != k->first || r.reserved != k->reserved || r.nr_alloc != c->nr_alloc);
	assert_int_equal(r.nr_alloc, k->nr_alloc);
	assert_int_equal(r.first_bit, k->first_bit);
	assert_int_equal(r.free_bytes, k->free_bytes);
	assert_int_equal(r.sum_frag, k->sum_frag);
	assert_int_equal(r.max_frag, k->max_frag);
	assert_int_equal(r.cur_min_alloc, k->cur_min_alloc);
	assert_int_equal(r.cur_med_alloc, k->cur_med_alloc);
	assert_int_equal(r.cur_max_alloc, k->cur_max_alloc);
	if (k->contig_bytes == largest(k))
		assert_int_equal(r.contig_bytes, k->contig_bytes);
}

static bool rebuild(const struct printed *k, const struct rmm_percpu_chunk_stat *printed)
{
	static int size[SIZES];
	struct rmm *rmm = like(k, 0, true);
	struct rmm_pcpu *p = rmm_pcpu_of(rmm);
	struct rmm_pcpu_chunk *c = stand_in(p, printed);
	bool done = printed->nr_alloc > 0 && printed->nr_alloc < SIZES &&
		    make_up_sizes(printed, c->free_bytes - printed->free_bytes, size) &&
		    lay_out(p, c, printed, size);

	if (done) {
		compare(rmm, c, printed);
		check(rmm);
	}
	rmm_destroy(rmm);
	return done;
}

static void test_percpu_stats_chunk_made_up_is_printed_alike(void **state)
{
	const struct printed *k = kernel();
	unsigned int rebuilt = 0, empty = 0;

	(void)state;
	for (unsigned int i = 0; i < k->n; i++) {
		rebuilt += rebuild(k, &k->chunk[i]);
		empty += k->chunk[i].nr_alloc == 0;
	}
	print_message("%u of %u chunks with allocations rebuilt\n", rebuilt, k->n - empty);
	if (getenv("KML_PERCPU_STATS"))
		assert_true(rebuilt > 0);
	else
		assert_int_equal(rebuilt, k->n - empty);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_percpu_stats_unit_size_is_computed_as_printed),
		cmocka_unit_test(test_percpu_stats_sums_and_bounds_hold),
		cmocka_unit_test(test_percpu_stats_chunks_come_in_order_of_slots),
		cmocka_unit_test(test_percpu_stats_chunk_made_up_is_printed_alike),
	};

	return RUN(tests);
}
