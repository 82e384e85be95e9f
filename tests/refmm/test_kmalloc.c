/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * kmalloc's caches and size classes: refmm/kmalloc_caches.c, kmalloc.h. What is
 * right is read from a kernel: /proc/slabinfo of a 6.18, kept in tests/data, and
 * /sys/kernel/slab of the machine that runs the test.
 */
#include <dirent.h>
#include <stdlib.h>

#include "kmalloc.h"

enum { MOST = 128 };

struct class
{
	char name[64];
	unsigned int size;
};

/* Classes of one type, or all of them, as the kernel has them */
struct classes {
	struct class at[MOST];
	unsigned int n;
};

static void add(struct classes *c, const char *name, unsigned int size)
{
	assert_true(c->n < MOST);
	snprintf(c->at[c->n].name, sizeof(c->at[c->n].name), "%.60s", name);
	c->at[c->n++].size = size;
}

/* Oldest first; slabinfo lists the newest first */
static void read_slabinfo(struct classes *c)
{
	FILE *f = fopen("tests/data/proc-6.18/slabinfo.txt", "r");
	char line[512], name[64];
	unsigned int size;

	assert_non_null(f);
	c->n = 0;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%63s %*u %*u %u", name, &size) == 2 && strstr(name, "kmalloc-"))
			add(c, name, size);
	fclose(f);
	for (unsigned int i = 0; i < c->n / 2; i++) {
		struct class other = c->at[i];

		c->at[i] = c->at[c->n - 1 - i];
		c->at[c->n - 1 - i] = other;
	}
}

/* The running kernel's; empty where they cannot be read */
static void read_sysfs(struct classes *c)
{
	DIR *dir = opendir("/sys/kernel/slab");
	const struct dirent *entry;

	c->n = 0;
	while (dir && (entry = readdir(dir)) != NULL) {
		char path[512];
		unsigned int size;
		FILE *f;

		if (!strstr(entry->d_name, "kmalloc-") || strstr(entry->d_name, "-rnd-"))
			continue;
		snprintf(path, sizeof(path), "/sys/kernel/slab/%s/object_size", entry->d_name);
		f = fopen(path, "r");
		if (f && fscanf(f, "%u", &size) == 1)
			add(c, entry->d_name, size);
		if (f)
			fclose(f);
	}
	if (dir)
		closedir(dir);
}

/* The smallest of those called @prefix and digits that holds @size */
static const struct class *smallest(const struct classes *c, const char *prefix, size_t size)
{
	const struct class *best = NULL;
	size_t length = strlen(prefix);

	for (unsigned int i = 0; i < c->n; i++) {
		const struct class *a = &c->at[i];

		if (!strncmp(a->name, prefix, length) && strchr("0123456789", a->name[length]) &&
		    a->size >= size && (!best || a->size < best->size))
			best = a;
	}
	return best;
}

static const struct {
	const char *prefix;
	unsigned int gfp;
} types[] = {
	{"kmalloc-", KERNEL},
	{"kmalloc-rcl-", KERNEL | RMM_GFP_RECLAIMABLE},
	{"dma-kmalloc-", KERNEL | RMM_GFP_DMA},
	{"kmalloc-cg-", KERNEL | RMM_GFP_ACCOUNT},
	/* Priorities: DMA, RECLAIMABLE, ACCOUNT */
	{"dma-kmalloc-", KERNEL | RMM_GFP_DMA | RMM_GFP_RECLAIMABLE | RMM_GFP_ACCOUNT},
	{"kmalloc-rcl-", RMM_GFP_ATOMIC | RMM_GFP_RECLAIMABLE | RMM_GFP_ACCOUNT},
	{"kmalloc-", RMM_GFP_ATOMIC | RMM_GFP_ZERO},
};

enum { TYPES = sizeof(types) / sizeof(*types) };

/* Every size that a class may serve, of every type, and one more */
static void check_every_size(const struct rmm *rmm, const struct classes *kernel)
{
	for (int t = 0; t < TYPES; t++)
		for (size_t size = 0; size <= 8193; size++) {
			const struct class *want = smallest(kernel, types[t].prefix, size);
			struct rmm_kmem_cache *s = rmm_kmalloc_slab(rmm, size, types[t].gfp);

			if (!size || !want) {
				assert_null(s);
				continue;
			}
			assert_string_equal(cache_name(rmm, s), want->name);
			assert_int_equal(rmm_kmalloc_size_roundup(rmm, size), want->size);
		}
}

static void test_kmalloc_every_size_has_the_class_of_slabinfo(void **state)
{
	struct rmm *rmm = kmalloc_machine(false);
	struct classes kernel;

	(void)state;
	read_slabinfo(&kernel);
	assert_int_equal(kernel.n, 4 * 13);
	check_every_size(rmm, &kernel);
	check_destroy(rmm);
}

static void test_kmalloc_every_size_has_the_class_of_this_host(void **state)
{
	struct classes kernel;
	struct rmm *rmm;

	(void)state;
	read_sysfs(&kernel);
	if (!smallest(&kernel, "kmalloc-8", 8) || !smallest(&kernel, "kmalloc-cg-", 8) ||
	    !smallest(&kernel, "dma-kmalloc-", 8))
		skip(); /* no SLUB with its directory, or other types */
	rmm = kmalloc_machine(false);
	check_every_size(rmm, &kernel);
	check_destroy(rmm);
}

static void test_kmalloc_caches_are_created_in_the_kernels_order(void **state)
{
	struct rmm *rmm = kmalloc_machine(false);
	struct rmm_kmem_cache *s = rmm_kmem_cache_next(rmm, NULL);
	struct rmm_kmem_cache_info info;
	struct classes kernel;

	(void)state;
	read_slabinfo(&kernel);
	for (unsigned int i = 0; i < kernel.n; i++) {
		rmm_kmem_cache_info(rmm, s, &info);
		assert_string_equal(info.name, kernel.at[i].name);
		assert_int_equal(info.object_size, kernel.at[i].size);
		assert_int_equal(info.size, kernel.at[i].size);
		s = rmm_kmem_cache_next(rmm, s);
	}
	assert_null(s);
	check_destroy(rmm);
}

static void test_kmalloc_roundup_of_more_is_whole_blocks(void **state)
{
	static const struct {
		size_t size, roundup;
	} cases[] = {
		{0, 0},
		{8193, 16384},
		{16384, 16384},
		{16385, 32768},
		{100000, 131072},
		{4u << 20, 4u << 20},
		{(4u << 20) + 1, (4u << 20) + 1}, /* not to be had: itself */
		{SIZE_MAX, SIZE_MAX},
	};
	struct rmm *rmm = kmalloc_machine(false);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(rmm_kmalloc_size_roundup(rmm, cases[i].size), cases[i].roundup);
	check_destroy(rmm);
}

static void test_kmalloc_minalign_leaves_classes_out(void **state)
{
	static const struct {
		unsigned int minalign, of1, of65, of129;
	} cases[] = {
		{8, 8, 96, 192},    {16, 16, 96, 192},	  {32, 32, 96, 192},
		{64, 64, 128, 192}, {128, 128, 128, 256}, {256, 256, 256, 256},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct rmm_slab_config c;
		struct machine m;
		struct rmm *rmm;

		machine_init(&m, 8);
		rmm_slab_config_init(&c);
		c.kmalloc_minalign = cases[i].minalign;
		rmm = kmalloc_boot(&m, &c);
		assert_int_equal(rmm_kmalloc_size_roundup(rmm, 1), cases[i].of1);
		assert_int_equal(rmm_kmalloc_size_roundup(rmm, 65), cases[i].of65);
		assert_int_equal(rmm_kmalloc_size_roundup(rmm, 129), cases[i].of129);
		assert_int_equal((uintptr_t)rmm_kmalloc(rmm, 0, 1, KERNEL) % cases[i].minalign, 0);
		rmm_destroy(rmm);
	}
}

/* With every minalign a size that the compiler knows gets the slot that it gets
 * at run time. */
static void test_kmalloc_known_size_has_the_same_class(void **state)
{
	(void)state;
	for (unsigned int minalign = 8; minalign <= 256; minalign *= 2) {
		struct rmm_slab_config c;
		struct machine m;
		struct rmm *rmm;

		machine_init(&m, 64);
		m.config.backed = true;
		rmm_slab_config_init(&c);
		c.kmalloc_minalign = minalign;
		rmm = kmalloc_boot(&m, &c);
		/* An empty list would send a wrong class the long way, which is right. */
		for (size_t size = 8; size <= RMM_KMALLOC_MAX_CACHE_BYTES; size += 8)
			rmm_kfree(rmm, 0, rmm__kmalloc(rmm, 0, size, KERNEL));
		for (size_t size = 1; size <= RMM_KMALLOC_MAX_CACHE_BYTES; size++) {
			void *p = rmm__kmalloc(rmm, 0, size, KERNEL), *again;

			assert_int_equal(rmm_kfree(rmm, 0, p), 0);
			again = rmm__kmalloc_cache(rmm, 0, size, KERNEL, rmm_kmalloc_index(size));
			assert_ptr_equal(again, p);
			assert_int_equal(rmm_ksize(rmm, p), rmm_kmalloc_size_roundup(rmm, size));
			assert_int_equal(rmm_kfree(rmm, 0, p), 0);
		}
		assert_ptr_equal(rmm_kmalloc(rmm, 0, 0, KERNEL), RMM_ZERO_SIZE_PTR);
		check_destroy(rmm);
	}
}

static void test_kmalloc_minalign_out_of_range_is_refused(void **state)
{
	static const unsigned int bad[] = {0, 1, 4, 24, 512};
	struct rmm *rmm = machine(8, true);
	struct rmm_slab_config c;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		rmm_slab_config_init(&c);
		c.kmalloc_minalign = bad[i];
		assert_int_equal(rmm_kmem_cache_init(rmm, &c), -EINVAL);
		says(rmm, "kmalloc_minalign");
	}
	assert_int_equal(rmm_kmem_cache_init(rmm, NULL), 0); /* nothing is left behind */
	check_destroy(rmm);
}

/* Natural alignment: to the largest power of two that divides the size */
static void check_aligned(unsigned int debug)
{
	struct rmm_slab_config c;
	struct machine m;
	struct rmm *rmm;

	machine_init(&m, 32);
	m.config.backed = true;
	rmm_slab_config_init(&c);
	c.debug = debug;
	rmm = kmalloc_boot(&m, &c);
	for (size_t size = 1; size <= 65536; size += size / 8 + 1) {
		size_t slot = rmm_kmalloc_size_roundup(rmm, size);

		for (int i = 0; i < 5; i++)
			assert_int_equal((uintptr_t)rmm_kmalloc(rmm, 0, size, KERNEL) &
						 ((slot & -slot) - 1),
					 0);
	}
	check_destroy(rmm);
}

static void test_kmalloc_slots_are_aligned_as_their_size(void **state)
{
	(void)state;
	check_aligned(0);
	check_aligned(RMM_SLAB_DEBUG_FLAGS);
	check_aligned(RMM_SLAB_STORE_USER);
}

static void test_kmalloc_type_decides_zone_and_mobility(void **state)
{
	static const struct {
		unsigned int gfp, zone;
		int type;
	} cases[] = {
		{KERNEL, 1, RMM_UNMOVABLE},
		{KERNEL | RMM_GFP_RECLAIMABLE, 1, RMM_RECLAIMABLE},
		{KERNEL | RMM_GFP_ACCOUNT, 1, RMM_UNMOVABLE},
		{KERNEL | RMM_GFP_DMA, 0, RMM_UNMOVABLE},
	};
	struct machine m;
	struct rmm *rmm;

	(void)state;
	machine_init(&m, 0);
	machine_zone(&m, 0, RMM_ZONE_DMA, 0, 2 * BLOCK);
	machine_zone(&m, 0, RMM_ZONE_NORMAL, 2 * BLOCK, 8 * BLOCK);
	m.config.backed = true; /* so that there is a quick way to go wrong */
	rmm = kmalloc_boot(&m, NULL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		for (size_t size = 8; size < 100000; size *= 5) {
			void *p = rmm_kmalloc(rmm, 0, size, cases[i].gfp);
			struct rmm_page *page = rmm_virt_to_page(rmm, (uintptr_t)p);
			struct rmm_page_info info;

			rmm_page_info(rmm, rmm_page_to_pfn(rmm, page), &info);
			assert_int_equal(info.zone, cases[i].zone);
			assert_int_equal(info.migratetype, cases[i].type);
			assert_int_equal(rmm_kfree(rmm, 0, p), 0);
		}
	check_destroy(rmm);
}

static void test_kmalloc_node_is_kept_to(void **state)
{
	struct machine m;
	struct rmm *rmm;

	(void)state;
	machine_init(&m, 0);
	machine_zone(&m, 0, RMM_ZONE_NORMAL, 0, 8 * BLOCK);
	machine_zone(&m, 1, RMM_ZONE_NORMAL, 8 * BLOCK, 8 * BLOCK);
	rmm = kmalloc_boot(&m, NULL);
	for (int i = 0; i < 200; i++)
		for (size_t size = 64; size < 40000; size *= 8) {
			void *p = rmm_kmalloc_node(rmm, 0, size, KERNEL, i % 2);
			struct rmm_page *page = rmm_virt_to_page(rmm, (uintptr_t)p);

			assert_int_equal(rmm_page_to_pfn(rmm, page) / (8 * BLOCK), i % 2);
		}
	assert_ptr_equal(rmm_kmalloc_node(rmm, 0, 0, KERNEL, 1), RMM_ZERO_SIZE_PTR);
	assert_non_null(rmm_kmalloc_node(rmm, 0, 8, KERNEL, -1));
	check_destroy(rmm);
}

/* Whatever step of it fails: words, no leak, and another attempt goes well */
static void test_kmalloc_caches_any_step_may_fail(void **state)
{
	struct rmm *rmm = machine(8, true);
	uint64_t n = 0;
	int err;

	(void)state;
	do {
		rmm_set_fault(rmm, &(struct rmm_fault){.points = RMM_FAULT_SLAB, .nth = ++n});
		err = rmm_kmem_cache_init(rmm, NULL);
		assert_true(err == 0 || err == -ENOMEM);
		if (err)
			says(rmm, "out of memory");
	} while (err);
	assert_true(n > 50); /* one for each cache, at least */
	rmm_set_fault(rmm, NULL);
	assert_non_null(rmm_kmalloc(rmm, 0, 100, KERNEL));
	check_destroy(rmm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kmalloc_every_size_has_the_class_of_slabinfo),
		cmocka_unit_test(test_kmalloc_every_size_has_the_class_of_this_host),
		cmocka_unit_test(test_kmalloc_caches_are_created_in_the_kernels_order),
		cmocka_unit_test(test_kmalloc_roundup_of_more_is_whole_blocks),
		cmocka_unit_test(test_kmalloc_minalign_leaves_classes_out),
		cmocka_unit_test(test_kmalloc_known_size_has_the_same_class),
		cmocka_unit_test(test_kmalloc_minalign_out_of_range_is_refused),
		cmocka_unit_test(test_kmalloc_slots_are_aligned_as_their_size),
		cmocka_unit_test(test_kmalloc_type_decides_zone_and_mobility),
		cmocka_unit_test(test_kmalloc_node_is_kept_to),
		cmocka_unit_test(test_kmalloc_caches_any_step_may_fail),
	};

	return RUN(tests);
}
