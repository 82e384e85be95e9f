/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * world.h - real data structures in refmm's memory: a world has
 *
 *   a hash table     entries from a cache with a constructor, texts and the
 *                    bucket array from kmalloc; grows and shrinks
 *   a list           through the same entries, oldest first
 *   a skip list      nodes of many sizes, from kmalloc
 *   a stack          one array that krealloc resizes, up to blocks of pages
 *   a ledger         an array from vmalloc, page after page of single pages,
 *                    that grows into a new one when it is full
 *   letters          from kmalloc, or vmalloc if long, freed by whoever gets them
 *
 * Whatever is touched is checked by its own checksum; world.broken says what
 * went wrong first.
 */
#ifndef KMEMLAB_TESTS_WORLD_H
#define KMEMLAB_TESTS_WORLD_H

#include "kmalloc.h"

enum {
	KEYS = 700,
	LEVELS = 12,
	MAILBOXES = 64,
	MAGIC = 0x5eed,
};

struct entry {
	struct entry *older, *newer; /* NULL when nobody has it: see construct() */
	struct entry *chain;
	uint64_t key;
	unsigned char *text;
	uint32_t length, sum, magic;
};

struct skip {
	uint64_t key, sum;
	unsigned int levels;
	struct skip *next[]; /* [levels] */
};

struct world {
	struct rmm *rmm;
	struct rmm_kmem_cache *entries;
	unsigned int cpu;
	uint32_t random;
	const char *broken; /* what went wrong first */
	struct entry **bucket;
	uint32_t buckets, n;
	struct entry *oldest, *newest;
	struct skip *head;
	uint64_t *stack;
	uint32_t depth, room;
	uint64_t *ledger; /* vmalloc; the rest of it is zero */
	uint32_t lines, pages;
};

/* Texts that one thread has made and another checks and frees */
static unsigned char *mailbox[MAILBOXES];

HELPER uint32_t draw(struct world *w, uint32_t n)
{
	w->random = w->random * 1664525u + 1013904223u;
	return (uint32_t)((uint64_t)w->random * n >> 32);
}

HELPER void expect(struct world *w, bool fine, const char *what)
{
	if (!fine && !w->broken)
		w->broken = what;
}

HELPER uint64_t mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	return z ^ (z >> 31);
}

/* FNV-1a */
HELPER uint32_t checksum(const unsigned char *p, size_t n)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 16777619u;
	return h;
}

HELPER void *get_bytes(struct world *w, size_t n)
{
	void *p = rmm_kmalloc(w->rmm, w->cpu, n, KERNEL);

	expect(w, p != NULL, "kmalloc found no memory");
	return p;
}

HELPER void put_bytes(struct world *w, void *p)
{
	expect(w, rmm_kfree(w->rmm, w->cpu, p) == 0, "kfree refused an object");
}

/* ---- Entries: what a constructor has set must be so whenever one is got --- */

HELPER void construct(void *object)
{
	struct entry *e = object;

	memset(e, 0, sizeof(*e));
	e->magic = MAGIC;
}

HELPER void fill_text(struct world *w, struct entry *e)
{
	uint32_t seed = draw(w, 1u << 31);

	for (uint32_t i = 0; i < e->length; i++)
		e->text[i] = (unsigned char)(seed >> (i % 24));
	e->sum = checksum(e->text, e->length);
}

HELPER uint32_t some_length(struct world *w)
{
	return 1 + draw(w, draw(w, 40) ? 250 : 20000);
}

HELPER struct entry *new_entry(struct world *w, uint64_t key)
{
	struct entry *e = rmm_kmem_cache_alloc(w->rmm, w->cpu, w->entries, KERNEL);

	expect(w, e != NULL, "a cache found no memory");
	if (!e)
		return NULL;
	expect(w, e->magic == MAGIC && !e->older && !e->newer && !e->chain && !e->text,
	       "an object is not as constructed");
	e->key = key;
	e->length = some_length(w);
	e->text = get_bytes(w, e->length);
	fill_text(w, e);
	return e;
}

HELPER void check_entry(struct world *w, const struct entry *e)
{
	expect(w, e->magic == MAGIC, "an entry lost its constructed field");
	expect(w, checksum(e->text, e->length) == e->sum, "a text has changed");
	expect(w, rmm_ksize(w->rmm, e->text) >= e->length, "a slot is too small for its text");
}

/* To be given back as it was constructed */
HELPER void delete_entry(struct world *w, struct entry *e)
{
	unsigned char *text = e->text;

	check_entry(w, e);
	construct(e);
	expect(w, rmm_kmem_cache_free(w->rmm, w->cpu, w->entries, e) == 0,
	       "a cache refused its object");
	put_bytes(w, text);
}

/* ---- Hash table and list --------------------------------------------------- */

HELPER struct entry **place(const struct world *w, uint64_t key)
{
	struct entry **at = &w->bucket[mix(key) % w->buckets];

	while (*at && (*at)->key != key)
		at = &(*at)->chain;
	return at;
}

HELPER void resize_table(struct world *w, uint32_t buckets)
{
	struct entry **old = w->bucket;

	w->bucket = rmm_kcalloc(w->rmm, w->cpu, buckets, sizeof(*w->bucket), KERNEL);
	w->buckets = buckets;
	for (uint32_t i = 0; i < buckets; i++)
		expect(w, w->bucket[i] == NULL, "kcalloc memory is not zero");
	for (struct entry *e = w->oldest; e; e = e->newer) {
		struct entry **at;

		e->chain = NULL;
		at = place(w, e->key);
		*at = e;
	}
	put_bytes(w, old);
}

HELPER void list_in(struct world *w, struct entry *e)
{
	e->older = w->newest;
	*(w->newest ? &w->newest->newer : &w->oldest) = e;
	w->newest = e;
}

HELPER void list_out(struct world *w, struct entry *e)
{
	*(e->older ? &e->older->newer : &w->oldest) = e->newer;
	*(e->newer ? &e->newer->older : &w->newest) = e->older;
	e->older = e->newer = NULL;
}

HELPER void table_add(struct world *w, uint64_t key)
{
	struct entry *e = new_entry(w, key);

	if (!e)
		return;
	*place(w, key) = e;
	list_in(w, e);
	if (++w->n > w->buckets)
		resize_table(w, w->buckets * 2);
}

HELPER void table_remove(struct world *w, uint64_t key)
{
	struct entry **at = place(w, key), *e = *at;

	*at = e->chain;
	list_out(w, e);
	delete_entry(w, e);
	if (--w->n < w->buckets / 4)
		resize_table(w, w->buckets / 2);
}

/* A text grows or shrinks; what both lengths hold stays. */
HELPER void table_edit(struct world *w, struct entry *e)
{
	uint32_t length = some_length(w), both = length < e->length ? length : e->length;
	uint32_t sum = checksum(e->text, both);
	unsigned char *text = rmm_krealloc(w->rmm, w->cpu, e->text, length, KERNEL);

	expect(w, text != NULL, "krealloc found no memory");
	if (!text)
		return;
	expect(w, checksum(text, both) == sum, "krealloc lost content");
	e->text = text;
	e->length = length;
	fill_text(w, e);
}

/* ---- Skip list -------------------------------------------------------------- */

HELPER struct skip *new_skip(struct world *w, uint64_t key, unsigned int levels)
{
	struct skip *s = get_bytes(w, sizeof(*s) + levels * sizeof(s->next[0]));

	s->key = key;
	s->sum = mix(key + levels);
	s->levels = levels;
	memset(s->next, 0, levels * sizeof(s->next[0]));
	return s;
}

/* @before[level]: the last node in front of @key */
HELPER void skip_find(const struct world *w, uint64_t key, struct skip **before)
{
	struct skip *s = w->head;

	for (unsigned int l = LEVELS; l-- > 0;) {
		while (s->next[l] && s->next[l]->key < key)
			s = s->next[l];
		before[l] = s;
	}
}

HELPER void skip_add(struct world *w, uint64_t key)
{
	unsigned int levels = 1;
	struct skip *before[LEVELS], *s;

	while (levels < LEVELS && draw(w, 2))
		levels++;
	skip_find(w, key, before);
	s = new_skip(w, key, levels);
	for (unsigned int l = 0; l < levels; l++) {
		s->next[l] = before[l]->next[l];
		before[l]->next[l] = s;
	}
}

HELPER void skip_remove(struct world *w, uint64_t key)
{
	struct skip *before[LEVELS], *s;

	skip_find(w, key, before);
	s = before[0]->next[0];
	expect(w, s && s->key == key, "the skip list lost a key");
	if (!s || s->key != key)
		return;
	expect(w, s->sum == mix(key + s->levels), "a skip list's node has changed");
	for (unsigned int l = 0; l < s->levels; l++)
		before[l]->next[l] = s->next[l];
	put_bytes(w, s);
}

/* ---- Ledger: what has been written stays, what has not is zero ------------- */

HELPER void ledger_grow(struct world *w)
{
	uint32_t pages = w->pages >= 64 ? 1 : w->pages + 1;
	uint64_t *p = rmm_vzalloc(w->rmm, w->cpu, pages * (size_t)4096);

	expect(w, p != NULL, "vzalloc found no memory");
	if (!p)
		return;
	if (pages == 1)
		w->lines = 0;
	if (w->lines)
		memcpy(p, w->ledger, w->lines * sizeof(*p));
	expect(w, rmm_vfree(w->rmm, w->cpu, w->ledger) == 0, "vfree refused the ledger");
	w->ledger = p;
	w->pages = pages;
}

HELPER void ledger_step(struct world *w)
{
	if (w->lines == w->pages * 512)
		ledger_grow(w);
	if (!w->ledger)
		return;
	expect(w, w->ledger[w->lines] == 0, "the ledger's rest is not zero");
	w->ledger[w->lines] = mix(w->lines);
	w->lines++;
}

HELPER void check_ledger(struct world *w)
{
	for (uint32_t i = 0; i < w->pages * 512; i++)
		expect(w, w->ledger[i] == (i < w->lines ? mix(i) : 0), "the ledger has changed");
}

/* ---- Stack and mailboxes ---------------------------------------------------- */

HELPER void stack_resize(struct world *w, uint32_t room)
{
	uint64_t *p = rmm_krealloc(w->rmm, w->cpu, w->stack, room * sizeof(*p), KERNEL);

	expect(w, p != NULL, "krealloc found no memory");
	if (!p)
		return;
	w->stack = p;
	w->room = room;
}

/* Pushes more than it pops until it is full, then the other way round */
HELPER void stack_step(struct world *w, bool up)
{
	for (uint32_t i = draw(w, 40); i > 0; i--) {
		if (up && w->depth == w->room)
			stack_resize(w, w->room + w->room / 2 + 1);
		if (up)
			w->stack[w->depth] = mix(w->depth), w->depth++;
		else if (w->depth && w->depth--)
			expect(w, w->stack[w->depth] == mix(w->depth), "the stack has changed");
	}
}

HELPER void check_letter(struct world *w, unsigned char *p)
{
	uint32_t head[2];

	if (!p)
		return;
	memcpy(head, p, sizeof(head));
	expect(w, checksum(p + sizeof(head), head[1]) == head[0], "a letter has changed");
	expect(w, rmm_kvfree(w->rmm, w->cpu, p) == 0, "kvfree refused a letter");
}

/* Long ones from vmalloc, or from whatever kvmalloc finds */
HELPER unsigned char *get_letter(struct world *w, size_t n)
{
	unsigned char *p;

	if (n <= 4096)
		return get_bytes(w, n);
	p = w->cpu % 2 ? rmm_vzalloc(w->rmm, w->cpu, n) : rmm_kvmalloc(w->rmm, w->cpu, n, KERNEL);
	expect(w, p != NULL, "vmalloc found no memory");
	return p;
}

/* The first word is the sum of what follows, the second says how long that is. */
HELPER void letter_step(struct world *w)
{
	uint32_t head[2] = {0, some_length(w)};
	unsigned char *p = get_letter(w, head[1] + sizeof(head));

	if (!p)
		return;
	memset(p + sizeof(head), (int)draw(w, 256), head[1]);
	head[0] = checksum(p + sizeof(head), head[1]);
	memcpy(p, head, sizeof(head));
	check_letter(w, __atomic_exchange_n(&mailbox[draw(w, MAILBOXES)], p, __ATOMIC_ACQ_REL));
}

#endif
