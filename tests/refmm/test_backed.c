/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Backed mode under torture: programs whose memory is refmm's (see world.h), one
 * on each simulated CPU. Structures that hold the same keys must agree at every
 * look, letters go from CPU to CPU, and at the end nothing may be left.
 */
#include <pthread.h>
#include <stdlib.h>

#include "world.h"

enum { STEPS = 30000, CHECK_EVERY = 997, CPUS = 4 };

static void check_all(struct world *w)
{
	const struct skip *s = w->head->next[0];
	uint64_t keys = 0, others = 0;
	uint32_t n = 0;

	for (const struct entry *e = w->oldest; e; e = e->newer, n++) {
		check_entry(w, e);
		expect(w, *place(w, e->key) == e, "the table lost an entry");
		expect(w, e->newer ? e->newer->older == e : w->newest == e, "the list is torn");
		keys += mix(e->key);
	}
	expect(w, n == w->n, "the list lost an entry");
	for (; s; s = s->next[0]) {
		expect(w, s->sum == mix(s->key + s->levels), "a skip list's node has changed");
		expect(w, !s->next[0] || s->next[0]->key > s->key, "the skip list is unsorted");
		others += mix(s->key);
	}
	expect(w, keys == others, "table and skip list hold different keys");
	check_ledger(w);
	for (uint32_t i = 0; i < w->depth; i++)
		expect(w, w->stack[i] == mix(i), "the stack has changed");
}

static void step(struct world *w, int i)
{
	uint64_t key = draw(w, KEYS);
	struct entry *e = *place(w, key);

	if (!e) {
		table_add(w, key);
		skip_add(w, key);
	} else if (draw(w, 3)) {
		check_entry(w, e);
		table_edit(w, e);
	} else {
		table_remove(w, key);
		skip_remove(w, key);
	}
	stack_step(w, i / 3000 % 2 == 0);
	letter_step(w);
	for (int n = 0; n < 3; n++)
		ledger_step(w);
	if (i % CHECK_EVERY == 0)
		check_all(w);
}

static void *live(void *arg)
{
	struct world *w = arg;

	w->buckets = 8;
	w->bucket = rmm_kcalloc(w->rmm, w->cpu, w->buckets, sizeof(*w->bucket), KERNEL);
	w->head = new_skip(w, 0, LEVELS);
	for (int i = 0; i < STEPS && !w->broken; i++)
		step(w, i);
	check_all(w);
	for (uint64_t key = 0; key < KEYS; key++)
		if (*place(w, key)) {
			table_remove(w, key);
			skip_remove(w, key);
		}
	put_bytes(w, w->head);
	put_bytes(w, w->bucket);
	put_bytes(w, w->stack);
	expect(w, rmm_vfree(w->rmm, w->cpu, w->ledger) == 0, "vfree refused the ledger");
	return NULL;
}

static struct rmm *backed(unsigned int cpus, const struct rmm_slab_config *slab)
{
	struct machine m;
	struct rmm *rmm;

	machine_init(&m, 64); /* 128 MiB of address space */
	m.config.backed = m.config.remappable = true;
	m.config.nr_cpus = cpus;
	m.config.threads = cpus > 1;
	rmm = kmalloc_boot(&m, slab);
	if (rmm_vmalloc_init(rmm, NULL))
		fail_msg("%s", rmm_last_error(rmm));
	return rmm;
}

static struct rmm_kmem_cache *entry_cache(struct rmm *rmm)
{
	const struct rmm_kmem_cache_args args = {
		.name = "entry", .size = sizeof(struct entry), .ctor = construct};
	struct rmm_kmem_cache *s = rmm_kmem_cache_create(rmm, &args);

	assert_non_null(s);
	return s;
}

/* Empty the mailboxes; then nothing may be left, and all invariants hold. */
static void end_of(struct rmm *rmm, struct world *w, unsigned int worlds)
{
	struct rmm_vmalloc_stat vm;

	for (unsigned int i = 0; i < MAILBOXES; i++) {
		check_letter(&w[0], mailbox[i]);
		mailbox[i] = NULL;
	}
	for (unsigned int i = 0; i < worlds; i++)
		if (w[i].broken)
			fail_msg("CPU %u: %s; %s", i, w[i].broken, rmm_last_error(rmm));
	assert_int_equal(live_objects(rmm), 0);
	rmm_vmalloc_stat(rmm, &vm);
	assert_int_equal(vm.areas + vm.nr_pages, 0);
	assert_true(vm.alloc > 50 * worlds);
	check(rmm);
	assert_int_equal(rmm_kmem_cache_destroy(rmm, 0, w[0].entries), 0);
	check_destroy(rmm);
}

static void run_alone(const struct rmm_slab_config *slab)
{
	static struct world w;
	struct rmm *rmm = backed(1, slab);

	w = (struct world){.rmm = rmm, .entries = entry_cache(rmm), .random = 1};
	live(&w);
	end_of(rmm, &w, 1);
}

static void test_backed_structures_keep_their_content(void **state)
{
	(void)state;
	run_alone(NULL);
}

/* With red zones and poison around, every free and allocation is examined. */
static void test_backed_structures_leave_red_zones_alone(void **state)
{
	struct rmm_slab_config c;

	(void)state;
	rmm_slab_config_init(&c);
	c.debug = RMM_SLAB_DEBUG_FLAGS;
	run_alone(&c);
}

static void test_backed_structures_live_on_random_freelists(void **state)
{
	struct rmm_slab_config c;

	(void)state;
	rmm_slab_config_init(&c);
	c.freelist_random = true;
	c.kmalloc_minalign = 64;
	c.kmalloc_account = true;
	run_alone(&c);
}

static void test_backed_structures_live_on_sheaves(void **state)
{
	struct rmm_slab_config c;

	(void)state;
	rmm_slab_config_init(&c);
	c.sheaves = RMM_SHEAVES_ALL;
	run_alone(&c);
}

static void run_threads(const struct rmm_slab_config *slab)
{
	static struct world w[CPUS];
	struct rmm *rmm = backed(CPUS, slab);
	struct rmm_kmem_cache *s = entry_cache(rmm);
	pthread_t thread[CPUS];

	for (unsigned int i = 0; i < CPUS; i++) {
		w[i] = (struct world){.rmm = rmm, .entries = s, .cpu = i, .random = i};
		assert_int_equal(pthread_create(&thread[i], NULL, live, &w[i]), 0);
	}
	for (unsigned int i = 0; i < CPUS; i++)
		pthread_join(thread[i], NULL);
	end_of(rmm, w, CPUS);
}

static void test_backed_threads_share_letters_across_cpus(void **state)
{
	(void)state;
	run_threads(NULL);
}

static void test_backed_threads_share_letters_on_sheaves(void **state)
{
	struct rmm_slab_config c;

	(void)state;
	rmm_slab_config_init(&c);
	c.sheaves = RMM_SHEAVES_ALL;
	run_threads(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_backed_structures_keep_their_content),
		cmocka_unit_test(test_backed_structures_leave_red_zones_alone),
		cmocka_unit_test(test_backed_structures_live_on_random_freelists),
		cmocka_unit_test(test_backed_structures_live_on_sheaves),
		cmocka_unit_test(test_backed_threads_share_letters_across_cpus),
		cmocka_unit_test(test_backed_threads_share_letters_on_sheaves),
	};

	return RUN(tests);
}
