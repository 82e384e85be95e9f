/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Watermarks, reserves and per-CPU limits against what kernels printed: this
 * host's, and those of stock Debian kernels (6.1.192, 6.12.117) that QEMU booted
 * with nothing but a shell, which printed its sysctls and nodes as lines with #
 * and then /proc/zoneinfo; tests/README.md says how to make one.
 *
 * From the sizes, the nodes of the CPUs and the sysctls everything else must
 * come out, to the page. The guest of 512 MiB has written to
 * watermark_scale_factor before, what it was already: so small a machine runs no
 * khugepaged, which would have set its marks again after boot had freed the last
 * pages; and those of an earlier size cannot come out of a later one.
 */
#include <stdlib.h>

#include "machine.h"

enum { ZONES = 32, CPUS = 256 };

struct zone {
	unsigned int node, type;
	unsigned long start, spanned, present, managed, boost, mark[4], protect[5];
	unsigned long batch, high_min, high_max; /* 0: not printed */
	unsigned long least, most;		 /* high marks of the CPUs */
};

struct host {
	struct zone zone[ZONES];
	unsigned int nr, cpus;
	char release[64];
	unsigned long min_free_kbytes, scale_factor, high_fraction, ratio[3];
	bool thp;
	uint8_t cpu_node[CPUS];
};

static int zone_type(const char *name)
{
	static const struct {
		const char *name;
		int type;
	} types[] = {
		{"DMA", RMM_ZONE_DMA},
		{"DMA32", RMM_ZONE_DMA32},
		{"Normal", RMM_ZONE_NORMAL},
		{"Movable", RMM_ZONE_MOVABLE},
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (!strcmp(types[i].name, name))
			return types[i].type;
	return RMM_ZONE_TYPES; /* Device has no pages of ours */
}

/* "0-2,5" are CPUs of @node */
static void parse_cpus(struct host *h, const char *list, unsigned int node)
{
	unsigned int first, last;
	int n;

	while (sscanf(list, "%u%n", &first, &n) == 1) {
		list += n;
		last = first;
		if (sscanf(list, "-%u%n", &last, &n) == 1)
			list += n;
		for (unsigned int i = first; i <= last && i < CPUS; i++)
			h->cpu_node[i] = (uint8_t)node;
		if (last >= h->cpus)
			h->cpus = last + 1;
		list += *list == ',';
	}
}

/* A line of settings: "/proc/sys/vm/min_free_kbytes: 67584" */
static void parse_setting(struct host *h, const char *line)
{
	char cpus[64];
	unsigned int node;

	sscanf(line, "%63[0-9.a-z+-]", h->release);
	sscanf(line, "/proc/sys/vm/min_free_kbytes: %lu", &h->min_free_kbytes);
	sscanf(line, "/proc/sys/vm/watermark_scale_factor: %lu", &h->scale_factor);
	sscanf(line, "/proc/sys/vm/percpu_pagelist_high_fraction: %lu", &h->high_fraction);
	sscanf(line, "/proc/sys/vm/lowmem_reserve_ratio: %lu %lu %lu", &h->ratio[0], &h->ratio[1],
	       &h->ratio[2]);
	if (strstr(line, "transparent_hugepage/enabled: "))
		h->thp = !strstr(line, "[never]");
	if (sscanf(line, "/sys/devices/system/node/node%u cpus %63[0-9,-]", &node, cpus) == 2)
		parse_cpus(h, cpus, node);
}

/* A line of a zone's section */
static void parse_line(struct zone *z, const char *line)
{
	static const struct {
		const char *format;
		size_t at;
	} keys[] = {
		{" boost %lu", offsetof(struct zone, boost)},
		{" min %lu", offsetof(struct zone, mark[0])},
		{" low %lu", offsetof(struct zone, mark[1])},
		{" high %lu", offsetof(struct zone, mark[2])},
		{" promo %lu", offsetof(struct zone, mark[3])},
		{" spanned %lu", offsetof(struct zone, spanned)},
		{" present %lu", offsetof(struct zone, present)},
		{" managed %lu", offsetof(struct zone, managed)},
		{" start_pfn: %lu", offsetof(struct zone, start)},
		{" batch: %lu", offsetof(struct zone, batch)},
		{" high_min: %lu", offsetof(struct zone, high_min)},
		{" high_max: %lu", offsetof(struct zone, high_max)},
	};
	unsigned long *p = z->protect, high;

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (sscanf(line, keys[i].format, (unsigned long *)((char *)z + keys[i].at)) == 1)
			return;
	if (sscanf(line, " high: %lu", &high) == 1) {
		z->least = !z->least || high < z->least ? high : z->least;
		z->most = high > z->most ? high : z->most;
	}
	sscanf(line, " protection: (%lu, %lu, %lu, %lu, %lu)", p, p + 1, p + 2, p + 3, p + 4);
}

/* The populated zones, and the settings if the text has them */
static void parse(struct host *h, const char *path)
{
	FILE *f = fopen(path, "r");
	struct zone z = {.type = RMM_ZONE_TYPES};
	char line[256], name[16];
	unsigned int node;

	assert_non_null(f);
	for (bool more = true; more;) {
		more = fgets(line, sizeof(line), f);
		if (more && line[0] == '#')
			parse_setting(h, line + 2);
		else if (more && sscanf(line, "Node %u, zone %15s", &node, name) != 2)
			parse_line(&z, line);
		if (more && strncmp(line, "Node", 4))
			continue;
		if (z.present && z.type < RMM_ZONE_TYPES && h->nr < ZONES)
			h->zone[h->nr++] = z;
		z = (struct zone){.node = node, .type = (unsigned int)zone_type(name)};
	}
	fclose(f);
}

static bool is_61(const struct host *h)
{
	return !strncmp(h->release, "6.1.", 4);
}

/* The machine of these sizes and settings. @kbytes: -1 for the kernel's choice */
static struct rmm *build(const struct host *h, int64_t kbytes)
{
	struct rmm_zone_config zones[ZONES] = {0};
	char error[256] = "";
	struct rmm_config c;
	struct rmm *rmm;

	rmm_config_init(&c);
	c.zones = zones;
	c.nr_zones = h->nr;
	c.nr_cpus = h->cpus;
	c.cpu_node = h->cpu_node;
	c.min_free_kbytes = kbytes;
	c.thp = h->thp;
	c.watermark_scale_factor = (uint32_t)h->scale_factor;
	c.pcp_high_fraction = (uint32_t)h->high_fraction;
	c.pcp_mode = is_61(h) ? RMM_PCP_FIXED : RMM_PCP_AUTO;
	for (int i = 0; i < 3; i++)
		c.lowmem_reserve_ratio[i] = (uint32_t)h->ratio[i];
	for (unsigned int i = 0; i < h->nr; i++)
		zones[i] = (struct rmm_zone_config){
			.node = (uint8_t)h->zone[i].node,
			.type = (uint8_t)h->zone[i].type,
			.start_pfn = (rmm_pfn)h->zone[i].start,
			.spanned = (uint32_t)h->zone[i].spanned,
			.present = (uint32_t)h->zone[i].present,
			.managed = (uint32_t)h->zone[i].managed,
		};
	rmm = rmm_create(&c, error);
	if (!rmm)
		fail_msg("%s", error);
	assert_int_equal(rmm_setup_done(rmm), 0);
	return rmm;
}

/* One number; counts what differs, so that a run shows all */
static int differs(const char *what, const struct zone *z, unsigned long ours,
		   unsigned long kernels)
{
	if (ours == kernels)
		return 0;
	print_error("node %u, zone type %u: %s is %lu, the kernel's %lu\n", z->node, z->type, what,
		    ours, kernels);
	return 1;
}

static int compare_pcp(const struct host *h, const struct zone *z, const struct rmm_zone_info *info)
{
	int bad = differs("batch", z, info->pcp_batch, z->batch);

	if (z->high_min)
		bad += differs("high_min", z, info->pcp_high_min, z->high_min);
	if (z->high_max)
		bad += differs("high_max", z, info->pcp_high_max, z->high_max);
	if (is_61(h)) {
		bad += differs("least high", z, info->pcp_high_min, z->least);
		bad += differs("largest high", z, info->pcp_high_min, z->most);
	}
	/* Otherwise it is tuned, and 0 on a CPU that never used its lists. */
	return bad + differs("high over high_max", z, z->most > info->pcp_high_max, 0);
}

static int compare(const struct host *h, const struct rmm *rmm, unsigned int i)
{
	static const char *const marks[] = {"min", "low", "high", "promo"};
	static const unsigned int types[] = {RMM_ZONE_DMA, RMM_ZONE_DMA32, RMM_ZONE_NORMAL,
					     RMM_ZONE_MOVABLE};
	const struct zone *z = &h->zone[i];
	struct rmm_zone_info info;
	int bad = 0;

	assert_int_equal(rmm_zone_info(rmm, i, &info), 0);
	for (int k = 0; k < (z->mark[3] ? 4 : 3); k++) /* 6.1 does not print promo */
		bad += differs(marks[k], z, info.wmark[k], z->mark[k] - z->boost);
	for (int k = 0; k < 4; k++)
		bad += differs("protection", z, (unsigned long)info.lowmem_reserve[types[k]],
			       z->protect[k]);
	return bad + compare_pcp(h, z, &info);
}

static void compare_host(const struct host *h, const char *path)
{
	struct rmm *rmm = build(h, (int64_t)h->min_free_kbytes);
	int bad = 0;

	assert_true(h->nr > 0);
	for (unsigned int i = 0; i < h->nr; i++)
		bad += compare(h, rmm, i);
	rmm_destroy(rmm);
	if (bad)
		fail_msg("%s: %d numbers differ", path, bad);
}

static void test_zoneinfo_of_stock_kernels_comes_out(void **state)
{
	static const char *const texts[] = {
		"tests/data/zoneinfo-6.1-1cpu-512m.txt",  "tests/data/zoneinfo-6.1-4cpu-4g.txt",
		"tests/data/zoneinfo-6.12-2cpu-2g.txt",	  "tests/data/zoneinfo-6.12-2nodes-3g.txt",
		"tests/data/zoneinfo-6.12-2nodes-6g.txt",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct host h = {0};

		parse(&h, texts[i]);
		compare_host(&h, texts[i]);
	}
}

/* min_free_kbytes too, where khugepaged chose it */
static void test_zoneinfo_min_free_kbytes_of_stock_kernels_comes_out(void **state)
{
	static const char *const texts[] = {
		"tests/data/zoneinfo-6.1-4cpu-4g.txt",
		"tests/data/zoneinfo-6.12-2cpu-2g.txt",
		"tests/data/zoneinfo-6.12-2nodes-3g.txt",
		"tests/data/zoneinfo-6.12-2nodes-6g.txt",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct host h = {0};
		struct rmm *rmm;

		parse(&h, texts[i]);
		rmm = build(&h, -1);
		assert_int_equal(rmm->min_free_kbytes, h.min_free_kbytes);
		rmm_destroy(rmm);
	}
}

/* One line of a file as a setting; false if there is none */
static bool read_setting(struct host *h, const char *path)
{
	FILE *f = fopen(path, "r");
	char text[128] = "", line[256];
	bool got = f && fgets(text, sizeof(text), f);

	if (f)
		fclose(f);
	snprintf(line, sizeof(line), "%s: %s", path, text);
	parse_setting(h, line);
	return got;
}

static void read_nodes(struct host *h)
{
	for (unsigned int node = 0; node < RMM_MAX_NODES; node++) {
		char path[64], list[64] = "";
		FILE *f;

		snprintf(path, sizeof(path), "/sys/devices/system/node/node%u/cpulist", node);
		f = fopen(path, "r");
		if (f && fgets(list, sizeof(list), f))
			parse_cpus(h, list, node);
		if (f)
			fclose(f);
	}
	if (!h->cpus) /* built without NUMA */
		parse_cpus(h, "0", 0);
}

static void test_zoneinfo_of_this_host_comes_out(void **state)
{
	struct host h = {0}, again = {0};
	FILE *f = fopen("/proc/sys/kernel/osrelease", "r");
	int tries = 0;

	(void)state;
	if (!f || !fgets(h.release, sizeof(h.release), f)) {
		print_message("skip: no /proc here\n");
		skip();
	}
	fclose(f);
	if (!read_setting(&h, "/proc/sys/vm/min_free_kbytes") ||
	    !read_setting(&h, "/proc/sys/vm/watermark_scale_factor") ||
	    !read_setting(&h, "/proc/sys/vm/percpu_pagelist_high_fraction") ||
	    !read_setting(&h, "/proc/sys/vm/lowmem_reserve_ratio")) {
		print_message("skip: the sysctls under /proc/sys/vm cannot be read\n");
		skip();
	}
	read_setting(&h, "/sys/kernel/mm/transparent_hugepage/enabled");
	read_nodes(&h);
	do { /* a zone may grow while it is read */
		h.nr = again.nr = 0;
		parse(&h, "/proc/zoneinfo");
		parse(&again, "/proc/zoneinfo");
	} while (h.zone[h.nr - 1].managed != again.zone[again.nr - 1].managed && tries++ < 100);
	compare_host(&h, "/proc/zoneinfo");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zoneinfo_of_stock_kernels_comes_out),
		cmocka_unit_test(test_zoneinfo_min_free_kbytes_of_stock_kernels_comes_out),
		cmocka_unit_test(test_zoneinfo_of_this_host_comes_out),
	};

	return RUN(tests);
}
