/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The addresses that a real kernel chose, against refmm's choice. The file is
 * what tests/live/vmalloc.sh records; one of a 6.18 kernel is bundled, and
 * KML_VMALLOC_TRACE names another. Lines, addresses from the window's start:
 *
 *   cpus N   busy FROM TO   lazy FROM TO		when the trace begins
 *   alloc CPU ADDRESS SIZE ALIGN   free ADDRESS LAZY MAX   purge AREAS
 *
 * Two things the file cannot tell: which node's pool an area of before the
 * trace goes to, and the order of events on two CPUs at once. So refmm is told
 * where the area really was when it chose another, and that is counted. A purge
 * is traced when it is over: if it found fewer areas than are lazy here, the
 * last ones were freed while it ran, and stay for the next.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "vm.h"

#define DEFAULT_FILE "tests/data/vmalloc-6.18.txt"

/* What kernels have done with freed areas */
static const struct variant {
	const char *name;
	bool pools, drops_small;
} variants[] = {
	{"pools that keep few areas", true, false}, /* 6.16 */
	{"pools that drop few areas", true, true},  /* 6.9 to 6.15 */
	{"no pools", false, false},		    /* before */
};

enum { RECENT = 64 };

struct host {
	uintptr_t recent[RECENT]; /* addresses freed last, a ring */
	const struct variant *variant;
	struct rmm *rmm;
	struct rmm_vmalloc *v;
	uintptr_t last_lazy;
	unsigned int lazy_node;
	uint64_t lazy_max, first_lazy;
	/* How the kernel's choice compares */
	unsigned int same_pool, same_tree, other_pool, other_tree, impossible;
	unsigned int frees, same_lazy, purges, same_purge;
	unsigned int unknown_frees;
};

static void boot(struct host *h, unsigned int cpus)
{
	struct rmm_vmalloc_config c;
	struct machine m;

	machine_init(&m, 1);
	m.config.nr_cpus = cpus;
	rmm_vmalloc_config_init(&c);
	c.manual_purge = true;
	c.pools = h->variant->pools;
	c.pool_drops_small = h->variant->drops_small;
	h->rmm = vm_boot(&m, &c);
	h->v = rmm_vmalloc_of(h->rmm);
}

/* Take just [@from, @to) out of the free tree; false: it is not all free */
static bool carve(struct host *h, uintptr_t from, uintptr_t to)
{
	const struct rmm_vmap_want want = {
		.size = to - from, .align = PAGE, .start = from, .end = to};

	return rmm___alloc_vmap_area(&h->v->free, PAGE, &want) == from;
}

static struct rmm_vmap_area *area_new(uintptr_t from, uintptr_t to, unsigned int node)
{
	struct rmm_vmap_area *va = calloc(1, sizeof(*va));

	assert_non_null(va);
	va->start = from;
	va->end = to;
	va->node = (uint8_t)(node + 1);
	return va;
}

static void use(struct host *h, struct rmm_vmap_area *va)
{
	struct rmm_vm_struct *vm = calloc(1, sizeof(*vm));

	assert_non_null(vm);
	vm->address = va->start;
	vm->size = va->end - va->start;
	vm->flags = RMM_VM_NO_GUARD; /* there are no pages here */
	vm->nr_mapped = vm->size / PAGE;
	va->vm = vm;
	assert_true(rmm_vmap_insert(&rmm_addr_to_node(h->v, va->start)->busy, va));
}

/* Each node's lazy areas are in address order: a step back begins the next. */
static void load(struct host *h, bool lazy, uintptr_t from, uintptr_t to)
{
	struct rmm_vmap_area *va;

	if (from < VM_START || to > h->v->end || !carve(h, from, to))
		return;
	if (lazy && from < h->last_lazy && h->lazy_node + 1 < h->v->nr_nodes)
		h->lazy_node++;
	va = area_new(from, to, lazy ? h->lazy_node : 0);
	if (!lazy) {
		use(h, va);
		return;
	}
	h->last_lazy = from;
	h->v->lazy_nr += (to - from) / PAGE;
	assert_true(rmm_vmap_insert(&h->v->node[h->lazy_node].lazy, va));
}

/* The area at @at out of whichever pool it is in; NULL: none */
static struct rmm_vmap_area *unpool(struct host *h, uintptr_t at, uintptr_t size)
{
	size_t class = size / PAGE - 1;

	for (unsigned int i = 0; class < RMM_VMAP_POOLS && i < h->v->nr_nodes; i++) {
		struct rmm_vmap_pool *p = &h->v->node[i].pool[class];

		for (struct rmm_vmap_area *va = p->first; va; va = va->next) {
			if (va->start != at)
				continue;
			*(va->prev ? &va->prev->next : &p->first) = va->next;
			*(va->next ? &va->next->prev : &p->last) = va->prev;
			p->len--;
			return va;
		}
	}
	return NULL;
}

/* refmm chose @va instead of what the kernel chose: it is put back. */
static void give_back(struct host *h, struct rmm_vmap_area *va, bool pool)
{
	struct rmm_vmap_pool *p =
		pool ? &h->v->node[va->node - 1].pool[(va->end - va->start) / PAGE - 1] : NULL;

	free(va->vm);
	va->vm = NULL;
	if (!pool) {
		rmm_merge_or_add_vmap_area(&h->v->free, va);
		return;
	}
	va->prev = NULL;
	va->next = p->first;
	*(p->first ? &p->first->prev : &p->last) = va;
	p->first = va;
	p->len++;
}

/* Where the kernel's choice really was; it is in use afterwards. */
static void follow(struct host *h, unsigned int cpu, uintptr_t at, uintptr_t size)
{
	struct rmm_vmap_area *va = unpool(h, at, size);

	if (va) {
		h->other_pool++;
	} else if (carve(h, at, at + size)) {
		va = area_new(at, at + size, 0);
		h->other_tree++;
	} else {
		h->impossible++;
		return;
	}
	va->node = (uint8_t)(cpu % h->v->nr_nodes + 1);
	use(h, va);
}

static void alloc(struct host *h, unsigned int cpu, uintptr_t at, const uintptr_t size_align[2])
{
	struct rmm_vm_struct *vm = calloc(1, sizeof(*vm));
	const struct rmm_vmap_want want = {.size = size_align[0],
					   .align = size_align[1],
					   .start = h->v->start,
					   .end = h->v->end,
					   .gfp = RMM_GFP_KERNEL,
					   .cpu = cpu};
	uint64_t hits = h->v->stat.pool_hit;
	struct rmm_vmap_area *va;
	bool pool;

	assert_non_null(vm);
	va = rmm_alloc_vmap_area(h->rmm, &want, vm);
	assert_non_null(va);
	vm->flags = RMM_VM_NO_GUARD;
	vm->nr_mapped = vm->size / PAGE;
	pool = h->v->stat.pool_hit > hits;
	if (va->start == at) {
		h->same_pool += pool;
		h->same_tree += !pool;
		return;
	}
	assert_int_equal(rmm_claim_vmap_area(h->rmm, va->start, RMM_CLAIM_VFREE, &va), 0);
	give_back(h, va, pool);
	follow(h, cpu, at, size_align[0]);
}

static void vfree(struct host *h, uintptr_t at, uint64_t lazy, uint64_t max)
{
	struct rmm_vmap_area *va;

	h->lazy_max = max;
	if (rmm_claim_vmap_area(h->rmm, at, RMM_CLAIM_VFREE, &va)) {
		h->unknown_frees++;
		return;
	}
	free(va->vm);
	rmm_free_vmap_area_noflush(h->rmm, 0, va);
	h->recent[h->frees % RECENT] = at;
	h->frees++;
	h->same_lazy += h->v->lazy_nr == lazy;
}

/* The lazy area at @at, no longer lazy; NULL: there is none */
static struct rmm_vmap_area *unlazy(struct host *h, uintptr_t at)
{
	for (unsigned int i = 0; i < h->v->nr_nodes; i++) {
		struct rmm_vmap_area *va = rmm_vmap_find(&h->v->node[i].lazy, at);

		if (!va || va->start != at)
			continue;
		rmm_vmap_erase(&h->v->node[i].lazy, va);
		h->v->lazy_nr -= (va->end - va->start) / PAGE;
		return va;
	}
	return NULL;
}

static void purge(struct host *h, uint64_t areas)
{
	struct rmm_vmap_area *late[RECENT] = {NULL};
	uint64_t lazy = vm_stats(h->rmm).lazy_areas, n = 0;

	for (; lazy > areas && n < RECENT && n < h->frees; lazy--, n++)
		late[n] = unlazy(h, h->recent[(h->frees - 1 - n) % RECENT]);
	h->purges++;
	h->same_purge += rmm_drain_vmap_work(h->rmm, 0) == areas && n == 0;
	for (uint64_t i = 0; i < n; i++)
		if (late[i])
			rmm_free_vmap_area_noflush(h->rmm, 0, late[i]);
}

static void line(struct host *h, const char *text)
{
	uint64_t a, b, c, d;

	if (sscanf(text, "cpus %" SCNu64, &a) == 1)
		boot(h, (unsigned int)a);
	else if (!h->v)
		fail_msg("'%s' before 'cpus'", text);
	else if (sscanf(text, "busy %" SCNu64 " %" SCNu64, &a, &b) == 2)
		load(h, false, VM_START + a, VM_START + b);
	else if (sscanf(text, "lazy %" SCNu64 " %" SCNu64, &a, &b) == 2)
		load(h, true, VM_START + a, VM_START + b);
	else if (sscanf(text, "alloc %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64, &a, &b, &c,
			&d) == 4)
		alloc(h, (unsigned int)a, VM_START + b, (uintptr_t[]){c, d});
	else if (sscanf(text, "free %" SCNu64 " %" SCNu64 " %" SCNu64, &a, &b, &c) == 3)
		vfree(h, VM_START + a, b, c);
	else if (sscanf(text, "purge %" SCNu64, &a) == 1)
		purge(h, a);
}

static unsigned int same(const struct host *h)
{
	return h->same_pool + h->same_tree;
}

static unsigned int all(const struct host *h)
{
	return same(h) + h->other_pool + h->other_tree + h->impossible;
}

/* All of the file, by the rules of @variant */
static struct host replay(const struct variant *variant)
{
	const char *name = getenv("KML_VMALLOC_TRACE");
	FILE *f = fopen(name ? name : DEFAULT_FILE, "r");
	struct host h = {.variant = variant};
	char text[256];

	assert_non_null(f);
	while (fgets(text, sizeof(text), f))
		line(&h, text);
	fclose(f);
	assert_non_null(h.rmm);
	check(h.rmm);
	print_message("host, %s: %u of %u addresses the same (%u from a pool, %u from the tree); "
		      "others: %u in another pool, %u in the tree, %u neither; lazy pages the same "
		      "in %u of %u frees, areas in %u of %u purges\n",
		      variant->name, same(&h), all(&h), h.same_pool, h.same_tree, h.other_pool,
		      h.other_tree, h.impossible, h.same_lazy, h.frees, h.same_purge, h.purges);
	return h;
}

static void test_vmalloc_host_kernel_chose_the_same_addresses(void **state)
{
	unsigned int best = 0, most = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(variants) / sizeof(*variants); i++) {
		struct host h = replay(&variants[i]);

		unsigned int n = all(&h) ? all(&h) : 1;

		assert_true(n > 100);
		assert_int_equal(h.lazy_max, vm_stats(h.rmm).lazy_max);
		if (same(&h) * 1000 / n > best) {
			best = same(&h) * 1000 / n;
			most = (unsigned int)i;
		}
		rmm_destroy(h.rmm);
	}
	print_message("host: %u per mille of the addresses by the rules of %s\n", best,
		      variants[most].name);
	assert_true(best >= 950);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vmalloc_host_kernel_chose_the_same_addresses),
	};

	return RUN(tests);
}
