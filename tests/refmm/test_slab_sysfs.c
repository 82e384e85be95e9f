/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Sizes and orders as real kernels have them: for every cache of a table made by
 * tests/data/slab.sh, slab_size, align, order, objs_per_slab, cpu_partial and
 * min_partial from what the cache was created with. The tables of tests/data,
 * and the running host where it shows /sys/kernel/slab.
 */
#include <stdlib.h>
#include <unistd.h>

#include "slabs.h"

enum { FIELDS = 18, LINE = 2048 };

enum field {
	OBJECT_SIZE,
	SLAB_SIZE,
	ALIGN,
	ORDER,
	OBJS_PER_SLAB,
	CPU_PARTIAL,
	MIN_PARTIAL,
	SANITY_CHECKS,
	RED_ZONE,
	POISON,
	STORE_USER,
	HWCACHE_ALIGN,
	RECLAIM_ACCOUNT,
	DESTROY_BY_RCU,
	CACHE_DMA,
	USERSIZE,
	SHEAF_CAPACITY,
	CTOR,
};

struct row {
	char name[LINE]; /* "a,b,c": a cache and its aliases */
	unsigned int v[FIELDS];
};

struct table {
	char release[64];
	unsigned int cpus, page;
	char booted[64];	  /* parameters of the slab layer */
	unsigned int rows, known; /* known: differences with a reason */
	unsigned int debug;	  /* flags of all caches; 0: each has its own */
};

/*
 * What a cache was created with that sysfs does not show: the free pointer's
 * place, which these give in spite of RCU (struct kmem_cache_args,
 * use_freeptr_offset). SLAB_TYPESAFE_BY_RCU moves it behind the object else.
 */
static const struct {
	const char *name;
	unsigned int offset;
} freeptr[] = {
	{"filp", 0},
	{"vm_area_struct", 0},
};

static bool named(const struct row *r, const char *name)
{
	size_t n = strlen(name);

	return !strncmp(r->name, name, n) && (!r->name[n] || r->name[n] == ',');
}

static void ctor(void *object)
{
	(void)object;
}

static struct rmm_kmem_cache_args args_of(const struct row *r)
{
	static const struct {
		enum field field;
		unsigned int flag;
	} flags[] = {
		{SANITY_CHECKS, RMM_SLAB_CONSISTENCY_CHECKS},
		{RED_ZONE, RMM_SLAB_RED_ZONE},
		{POISON, RMM_SLAB_POISON},
		{STORE_USER, RMM_SLAB_STORE_USER},
		{HWCACHE_ALIGN, RMM_SLAB_HWCACHE_ALIGN},
		{RECLAIM_ACCOUNT, RMM_SLAB_RECLAIM_ACCOUNT},
		{DESTROY_BY_RCU, RMM_SLAB_TYPESAFE_BY_RCU},
		{CACHE_DMA, RMM_SLAB_CACHE_DMA},
	};
	struct rmm_kmem_cache_args args = {
		.name = r->name,
		.size = r->v[OBJECT_SIZE],
		.align = r->v[ALIGN],
		.flags = RMM_SLAB_NO_MERGE,
		.usersize = r->v[USERSIZE],
		.sheaf_capacity = r->v[SHEAF_CAPACITY],
		.ctor = r->v[CTOR] ? ctor : NULL,
	};

	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++)
		args.flags |= r->v[flags[i].field] ? flags[i].flag : 0;
	if (strstr(r->name, "kmalloc-"))
		args.flags |= RMM_SLAB_KMALLOC;
	for (size_t i = 0; i < sizeof(freeptr) / sizeof(*freeptr); i++)
		if (named(r, freeptr[i].name) && r->v[DESTROY_BY_RCU]) {
			args.use_freeptr_offset = true;
			args.freeptr_offset = freeptr[i].offset;
		}
	return args;
}

/* Compare a cache with the kernel's; returns how many fields differ */
static unsigned int compare(const struct row *r, const struct rmm_kmem_cache_info *i)
{
	const struct {
		const char *name;
		unsigned int kernel, here;
	} pairs[] = {
		{"slab_size", r->v[SLAB_SIZE], i->size},
		{"align", r->v[ALIGN], i->align},
		{"order", r->v[ORDER], i->order},
		{"objs_per_slab", r->v[OBJS_PER_SLAB], i->objs_per_slab},
		{"cpu_partial", r->v[CPU_PARTIAL], i->cpu_partial},
		{"min_partial", r->v[MIN_PARTIAL], i->min_partial},
		{"sheaf_capacity", r->v[SHEAF_CAPACITY], i->sheaf_capacity},
	};
	unsigned int differ = 0;

	for (size_t k = 0; k < sizeof(pairs) / sizeof(*pairs); k++) {
		if (pairs[k].kernel == pairs[k].here)
			continue;
		print_error("%.60s: %s is %u in the kernel, %u here\n", r->name, pairs[k].name,
			    pairs[k].kernel, pairs[k].here);
		differ++;
	}
	return differ;
}

static struct rmm *boot(const struct table *t)
{
	struct slabs w;

	slabs_init(&w, 4, false);
	w.config.debug = t->debug;
	w.config.kmalloc_align_61 = !strncmp(t->release, "6.1.", 4);
	w.config.nr_cpus = t->cpus;
	w.config.sheaves = RMM_SHEAVES_CHOSEN;
	w.config.order_61 = !strncmp(t->release, "6.1.", 4);
	sscanf(t->booted, "sl%*1[au]b_max_order=%u", &w.config.max_order);
	sscanf(t->booted, "sl%*1[au]b_min_order=%u", &w.config.min_order);
	sscanf(t->booted, "sl%*1[au]b_min_objects=%u", &w.config.min_objects);
	return slabs_boot(&w);
}

static bool parse(char *line, struct row *r)
{
	char *save = NULL, *word = strtok_r(line, " \n", &save);

	if (!word || !strcmp(word, "name"))
		return false;
	snprintf(r->name, sizeof(r->name), "%s", word);
	for (int i = 0; i < FIELDS; i++) {
		word = strtok_r(NULL, " \n", &save);
		assert_non_null(word);
		r->v[i] = (unsigned int)strtoul(word, NULL, 10);
	}
	return true;
}

/* Every row of a table; returns how many fields differ */
static unsigned int check_table(FILE *f, struct table *t)
{
	static char line[LINE];
	static struct row r;
	struct rmm *rmm = NULL;
	unsigned int differ = 0;

	while (fgets(line, sizeof(line), f)) {
		struct rmm_kmem_cache_args args;
		struct rmm_kmem_cache_info info;

		if (sscanf(line, "# %63s cpus %u page %u %63[^\n]", t->release, &t->cpus, &t->page,
			   t->booted) >= 3) {
			rmm = boot(t);
			continue;
		}
		if (!parse(line, &r))
			continue;
		assert_non_null(rmm);
		args = args_of(&r);
		rmm_kmem_cache_info(rmm, rmm_kmem_cache_create(rmm, &args), &info);
		differ += compare(&r, &info);
		t->rows++;
	}
	if (rmm)
		check_destroy(rmm);
	return differ;
}

/* The kmalloc caches of a table that check_table() has read, and those that
 * rmm_kmem_cache_init() makes of size, kind and debug flags alone; returns how many
 * fields differ */
static unsigned int check_kmalloc(FILE *f, struct table *t)
{
	static char line[LINE];
	static struct row r;
	struct rmm *rmm = NULL;
	unsigned int differ = 0, rows = 0;

	rewind(f);
	while (fgets(line, sizeof(line), f)) {
		struct rmm_kmem_cache_info info;
		struct rmm_kmem_cache *s;

		if (line[0] == '#' || !parse(line, &r) || !strstr(r.name, "kmalloc-"))
			continue;
		if (!rmm) {
			t->debug = args_of(&r).flags & RMM_SLAB_DEBUG_FLAGS;
			rmm = boot(t);
		}
		s = rmm_kmem_cache_find(rmm, r.name);
		if (!s)
			fail_msg("%s: no such cache here", r.name);
		rmm_kmem_cache_info(rmm, s, &info);
		differ += compare(&r, &info);
		rows++;
	}
	assert_true(rows >= 4 * 13);
	check_destroy(rmm);
	print_message("%u kmalloc caches, %u fields differ\n", rows, differ);
	return differ;
}

static void test_sysfs_bundled_tables_equal_what_is_computed(void **state)
{
	static const char *const files[] = {
		"tests/data/slab-6.1.txt",	  "tests/data/slab-6.12.txt",
		"tests/data/slab-6.12-debug.txt", "tests/data/slab-6.1-8cpus.txt",
		"tests/data/slab-6.1-debug.txt",  "tests/data/slab-6.12-8cpus.txt",
		"tests/data/slab-6.1-order0.txt", "tests/data/slab-6.12-order0.txt",
		"tests/data/slab-6.1-64.txt",	  "tests/data/slab-6.12-64.txt",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		struct table t = {0};
		FILE *f = fopen(files[i], "r");
		unsigned int differ;

		assert_non_null(f);
		differ = check_table(f, &t);
		differ += check_kmalloc(f, &t);
		fclose(f);
		print_message("%s: %s, %u caches, %u fields differ\n", files[i], t.release, t.rows,
			      differ);
		assert_true(t.rows > 100);
		assert_int_equal(differ, 0);
	}
}

static void test_sysfs_running_host_equals_what_is_computed(void **state)
{
	struct table t = {0};
	unsigned int differ;
	FILE *f;

	(void)state;
	if (access("/sys/kernel/slab/kmalloc-64/order", R_OK))
		skip();
	f = popen("bash tests/data/slab.sh", "r");
	assert_non_null(f);
	differ = check_table(f, &t);
	assert_int_equal(pclose(f), 0);
	print_message("%s: %u caches, %u fields differ\n", t.release, t.rows, differ);
	assert_true(t.rows > 50);
	assert_int_equal(differ, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sysfs_bundled_tables_equal_what_is_computed),
		cmocka_unit_test(test_sysfs_running_host_equals_what_is_computed),
	};

	return RUN(tests);
}
