/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * bench_refmm.c - the page side of the reference allocator, beside the memory
 * allocators that programs use.
 *
 * Prints "name value unit ratio"; a ratio is that figure over refmm's for the
 * same work. The peers get malloc(4096 << order) and free: the same sizes. They
 * write into the memory they manage, refmm into its metadata only. glibc's is
 * measured by this program run anew with the argument "malloc", the others by
 * that under LD_PRELOAD. Each figure is the best of several rounds but the first,
 * in CPU time, refmm's on a machine of its own. What they do is in page_work.h.
 * LLFREE is the path of a program that does the same with LLFree (llfree.c), which
 * is left out without.
 *
 *   setup_1tib		  a host of 1 TiB, until all of it is free
 *   metadata		  address space per page of it
 *   target_...	  what that figure shall not exceed; a ratio of 1.00 or more
 *			  is met. In ns: what LLFree took on an earlier machine
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <kmemlab/refmm.h>

#include "page_work.h"
#include "peer.h"

static struct rmm *rmm; /* NULL: measure malloc */

/* @pages as one zone, and two small ones below if there are enough */
static struct rmm *machine(uint32_t pages, unsigned int cpus)
{
	const uint32_t dma = 4096, dma32 = 1 << 20;
	struct rmm_zone_config zone[3] = {
		{.type = RMM_ZONE_DMA, .spanned = dma},
		{.type = RMM_ZONE_DMA32, .start_pfn = dma, .spanned = dma32 - dma},
		{.type = RMM_ZONE_NORMAL, .start_pfn = dma32, .spanned = pages - dma32},
	};
	bool large = pages > dma32;
	struct rmm_config c;
	struct rmm *r;

	if (!large)
		zone[0] = (struct rmm_zone_config){.type = RMM_ZONE_NORMAL, .spanned = pages};
	rmm_config_init(&c);
	c.zones = zone;
	c.nr_zones = large ? 3 : 1;
	c.nr_cpus = cpus;
	if (!large)
		c.min_free_kbytes = 0;
	for (unsigned int i = 0; i < c.nr_zones; i++)
		zone[i].present = zone[i].managed = zone[i].spanned;
	r = rmm_create(&c, NULL);
	for (unsigned int i = 0; r && i < c.nr_zones; i++)
		if (rmm_free_reserved(r, zone[i].start_pfn, zone[i].spanned))
			exit(1);
	if (!r || rmm_setup_done(r))
		exit(1);
	return r;
}

static void *get(unsigned int order)
{
	void *p;

	if (rmm)
		return rmm_alloc_pages(rmm, 0, RMM_GFP_HIGHUSER_MOVABLE, order);
	p = malloc(4096ul << order);
	__asm__ volatile("" ::"r"(p) : "memory"); /* or it is optimised away */
	return p;
}

static void put(void *p, unsigned int order)
{
	if (rmm)
		rmm_free_pages(rmm, 0, p, order);
	else
		free(p);
}

static void get_bulk(void **pages)
{
	size_t n = 0;

	while (rmm && n < BULK)
		n = rmm_alloc_pages_bulk(rmm, 0, RMM_GFP_KERNEL, BULK, (struct rmm_page **)pages);
	for (; n < BULK; n++)
		pages[n] = get(0);
}

/* *@ns: of @work on a new machine; returns whether that is in disorder then */
static int measure_refmm(double (*work)(void), double *ns)
{
	char msg[256];
	int err;

	rmm = machine(PAGES, 1);
	*ns = best(work);
	err = rmm_validate(rmm, msg, sizeof(msg));
	if (err)
		fprintf(stderr, "bench_refmm: %s\n", msg);
	rmm_destroy(rmm);
	rmm = NULL;
	return err;
}

/* The child: what malloc is, here. @library: must be loaded. */
static int measure_malloc(const char *library)
{
	if (*library && !dlopen(library, RTLD_LAZY | RTLD_NOLOAD))
		return 3;
	for (int i = 0; i < BENCHES; i++)
		if (benches[i].peer && (!benches[i].large || enough_memory()))
			printf("%d %.2f\n", i, best(benches[i].work));
	return 0;
}

/* @libraries: the names it may have; NULL ends */
static void print_peer(const char *name, const char *const *libraries, const double *ours)
{
	double ns[BENCHES] = {0};
	int at = 0;

	while (libraries[at] && !run_peer(libraries[at], ns, BENCHES))
		at++;
	if (!libraries[at]) {
		printf("skip %s - %s is not installed (make deps)\n", name, libraries[0]);
		return;
	}
	for (int i = 0; i < BENCHES; i++)
		if (ns[i] > 0)
			printf("%s_malloc4096_%s %.1f ns/op %.2f\n", name, benches[i].name, ns[i],
			       ns[i] / ours[i]);
		else if (benches[i].peer)
			printf("skip %s_%s - under %d GiB of memory are free\n", name,
			       benches[i].name, PEER_GIB);
	fflush(stdout);
}

/* LLFree's, at the same pages; 1 if its program fails */
static int print_llfree(const double *ours)
{
	const char *program = getenv("LLFREE");
	double ns[BENCHES] = {0};
	char command[512];

	if (!program)
		return 0;
	snprintf(command, sizeof(command), "exec '%s'", program);
	if (!read_peer(command, ns, BENCHES)) {
		fprintf(stderr, "bench_refmm: '%s' failed\n", program);
		return 1;
	}
	for (int i = 0; i < BENCHES; i++)
		if (ns[i] > 0)
			printf("llfree_%s %.1f ns/op %.2f\n", benches[i].name, ns[i],
			       ns[i] / ours[i]);
	return 0;
}

static void print_with_target(const char *name, double value, const char *unit, double target)
{
	printf("refmm_%s %.2f %s 1.00\n", name, value, unit);
	if (target > 0)
		printf("target_%s %.2f %s %.2f\n", name, target, unit, target / value);
}

static void print_fill(const char *what, const double *ours)
{
	double full = 0, least = 1;
	char name[64];

	for (int i = 0; i < BENCHES; i++) {
		snprintf(name, sizeof(name), "%s_90", what);
		if (!strcmp(benches[i].name, name))
			full = ours[i];
		snprintf(name, sizeof(name), "%s_empty", what);
		if (!strcmp(benches[i].name, name))
			least = ours[i];
	}
	snprintf(name, sizeof(name), "%s_90_over_empty", what);
	print_with_target(name, full / least, "times", 4);
}

/* In a process of its own, to see how large that gets */
static int bench_setup(void)
{
	const uint32_t pages = 1u << 28;
	double start, space;
	struct rusage usage;
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		space = address_space();
		start = now_ns();
		rmm = machine(pages, 64);
		print_with_target("setup_1tib_time", (now_ns() - start) / 1e9, "s", 10);
		print_with_target("metadata", (address_space() - space) / pages, "B/page", 16);
		fflush(stdout);
		_exit(rmm_nr_free_pages(rmm) != pages);
	}
	if (pid < 0 || wait4(pid, &status, 0, &usage) < 0 || status)
		return 1;
	print_with_target("setup_1tib_rss", (double)usage.ru_maxrss / (1 << 20), "GiB", 5);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name, *libraries[3];
	} peers[] = {
		{"glibc", {""}},
		{"mimalloc", {"libmimalloc.so.2", "libmimalloc.so.3"}},
		{"jemalloc", {"libjemalloc.so.2"}},
		{"tcmalloc", {"libtcmalloc_minimal.so.4"}},
	};
	double ours[BENCHES];
	int err = 0;

	if (argc > 2 && !strcmp(argv[1], "malloc"))
		return measure_malloc(argv[2]);
	for (int i = 0; i < BENCHES; i++) {
		err |= measure_refmm(benches[i].work, &ours[i]);
		print_with_target(benches[i].name, ours[i], "ns/op", benches[i].target);
	}
	print_fill("churn", ours);
	print_fill("replace", ours);
	err |= bench_setup();
	fflush(stdout);
	for (size_t i = 0; i < sizeof(peers) / sizeof(*peers); i++)
		print_peer(peers[i].name, peers[i].libraries, ours);
	err |= print_llfree(ours);
	return err ? 1 : 0;
}
