/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* rmm_validate() must name what is wrong with caches and slabs. Objects of 256
 * bytes, 16 to a slab: one slab is CPU 0's, one on its list, one on the node's. */
#include "slabs.h"

struct scene {
	struct rmm *rmm;
	struct rmm_kmem_cache *s;
	struct rmm_slab *cpu, *partial, *node;
	void *live;
};

static void set_up(struct scene *c, enum rmm_sheaves sheaves)
{
	struct slabs w;
	void *o[80];

	slabs_init(&w, 2, false);
	w.config.sheaves = sheaves;
	c->rmm = slabs_boot(&w);
	c->s = cache_of(c->rmm, "foo", 256, 0);
	for (int i = 0; i < 80; i++)
		o[i] = take(c->rmm, c->s);
	if (sheaves == RMM_SHEAVES_OFF) {
		for (int i = 0; i < 4; i++)
			give(c->rmm, c->s, o[i]);
		rmm_flush_cpu_slab(c->s, 0, 0);
		give(c->rmm, c->s, o[16]);
		take(c->rmm, c->s);
		take(c->rmm, c->s);
		give(c->rmm, c->s, o[32]);
		give(c->rmm, c->s, o[48]);
		c->node = c->s->node[0].partial.first;
	} else {
		for (int i = 0; i < 80; i++)
			give(c->rmm, c->s, o[i]);
		o[70] = take(c->rmm, c->s);
	}
	c->cpu = c->s->cpu[0].slab;
	c->partial = c->s->cpu[0].partial;
	c->live = o[70];
	check(c->rmm);
}

static void set_word(struct rmm_slab *slab, int inuse, unsigned int frozen)
{
	struct rmm_slab_word word = rmm_slab_word(slab);

	word.inuse = (uint16_t)(word.inuse + inuse);
	word.frozen ^= frozen & 1;
	slab->word = word.word;
}

static void break_inuse(struct scene *c)
{
	set_word(c->partial, 1, 0);
}

static void break_frozen(struct scene *c)
{
	set_word(c->cpu, 0, 1);
}

static void break_partial_frozen(struct scene *c)
{
	set_word(c->partial, 0, 1);
}

static void break_slabs(struct scene *c)
{
	c->partial->slabs++;
}

static void break_where(struct scene *c)
{
	c->partial->where = RMM_SLAB_NOWHERE;
}

static void break_node_count(struct scene *c)
{
	c->s->node[0].nr_slabs++;
}

static void break_objects_count(struct scene *c)
{
	c->s->node[0].total_objects--;
}

static void break_pages_count(struct scene *c)
{
	c->s->pages++;
}

static void break_lost_slab(struct scene *c)
{
	c->s->cpu[0].partial = c->partial->next;
}

static void break_lost_object(struct scene *c)
{
	uintptr_t o = c->s->cpu[0].freelist;

	c->s->cpu[0].freelist = rmm_get_freepointer(c->s, c->cpu, o);
}

static void break_live_on_list(struct scene *c)
{
	rmm_wipe_freepointer(c->s, c->cpu, c->s->cpu[0].freelist);
}

static void break_two_places(struct scene *c)
{
	struct rmm_slab_word word = rmm_slab_word(c->cpu);

	word.freelist = (uint16_t)rmm_obj_to_index(c->s, c->cpu, c->s->cpu[0].freelist);
	c->cpu->word = word.word;
}

static void break_page(struct scene *c)
{
	c->rmm->memmap[c->partial - rmm_slab_layer(c->rmm)->slabs].private = 0;
	c->partial->order = 1;
}

static void break_page_flag(struct scene *c)
{
	c->rmm->memmap[c->partial - rmm_slab_layer(c->rmm)->slabs].flags = 0;
}

static void break_free_but_not_listed(struct scene *c)
{
	struct rmm_slab *slab = rmm_virt_to_slab(rmm_slab_layer(c->rmm), (uintptr_t)c->live);

	rmm_set_freepointer(c->s, slab, (uintptr_t)c->live, 0);
}

static void break_sheaf_size(struct scene *c)
{
	c->s->cpu[0].main->size = c->s->sheaf_capacity + 1;
}

static void break_sheaf_object(struct scene *c)
{
	c->s->cpu[0].main->objects[0] = c->live;
}

static void break_sheaf_twice(struct scene *c)
{
	c->s->cpu[0].main->objects[0] = c->s->cpu[0].main->objects[1];
	c->s->cpu[0].main->size--;
}

static void break_barn_count(struct scene *c)
{
	c->s->node[0].nr_full++;
}

static void test_validate_names_what_is_broken(void **state)
{
	static const struct {
		const char *name;
		enum rmm_sheaves sheaves;
		void (*damage)(struct scene *c);
		const char *says;
	} cases[] = {
		{"inuse", RMM_SHEAVES_OFF, break_inuse, "in use"},
		{"frozen", RMM_SHEAVES_OFF, break_frozen, "not frozen"},
		{"partial frozen", RMM_SHEAVES_OFF, break_partial_frozen, "frozen"},
		{"slabs", RMM_SHEAVES_OFF, break_slabs, "as number"},
		{"where", RMM_SHEAVES_OFF, break_where, "state 0"},
		{"nr_slabs", RMM_SHEAVES_OFF, break_node_count, "counters say"},
		{"total_objects", RMM_SHEAVES_OFF, break_objects_count, "counters say"},
		{"pages", RMM_SHEAVES_OFF, break_pages_count, "pages"},
		{"lost slab", RMM_SHEAVES_OFF, break_lost_slab, "on lists"},
		{"lost object", RMM_SHEAVES_OFF, break_lost_object, "of them found"},
		{"live on list", RMM_SHEAVES_OFF, break_live_on_list, "is live"},
		{"two places", RMM_SHEAVES_OFF, break_two_places, "in use"},
		{"page", RMM_SHEAVES_OFF, break_page, "in a page of"},
		{"page flag", RMM_SHEAVES_OFF, break_page_flag, "page side would free"},
		{"stray", RMM_SHEAVES_OFF, break_free_but_not_listed, "of them found"},
		{"sheaf size", RMM_SHEAVES_ALL, break_sheaf_size, "a sheaf holds"},
		{"sheaf object", RMM_SHEAVES_ALL, break_sheaf_object, "is live"},
		{"sheaf twice", RMM_SHEAVES_ALL, break_sheaf_twice, "twice"},
		{"barn", RMM_SHEAVES_ALL, break_barn_count, "full sheaves"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct scene c;
		char msg[256] = "";

		set_up(&c, cases[i].sheaves);
		cases[i].damage(&c);
		if (rmm_validate(c.rmm, msg, sizeof(msg)) != -EUCLEAN ||
		    !strstr(msg, cases[i].says))
			fail_msg("%s: says '%s'", cases[i].name, msg);
		rmm_destroy(c.rmm);
	}
}

static void test_validate_list_damage_is_found(void **state)
{
	struct scene c;
	char msg[256];

	(void)state;
	set_up(&c, RMM_SHEAVES_OFF);
	rmm_flush_cpu_slab(c.s, 0, 0);
	check(c.rmm);
	c.node = c.s->node[0].partial.first;
	assert_non_null(c.node->next);
	c.node->next->prev = NULL;
	assert_int_equal(rmm_validate(c.rmm, msg, sizeof(msg)), -EUCLEAN);
	c.node->next->prev = c.node;
	c.s->node[0].partial.count++;
	assert_int_equal(rmm_validate(c.rmm, msg, sizeof(msg)), -EUCLEAN);
	c.s->node[0].partial.count--;
	check_destroy(c.rmm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_validate_names_what_is_broken),
		cmocka_unit_test(test_validate_list_damage_is_found),
	};

	return RUN(tests);
}
