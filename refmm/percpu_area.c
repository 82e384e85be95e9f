/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * percpu_area.c - find, take and give back an area of a chunk.
 *
 * Two steps. First the hints say from where on it is worth looking:
 *
 *      chunk's contig_hint too small? --> no
 *      block: fits its contig_hint?   --> from first_free (or behind scan_hint)
 *      blocks: right_free + whole + left_free? --> from right_free
 *
 * then the bitmap is searched from there, over one block at most: first fit,
 * in the hope to fill a hole before contig_hint is broken. It may come to
 * nothing where alignment is in the way; then the chunk is passed over.
 *
 *      alloc_map  |..111111..11....|     1: allocated
 *      bound_map  |..1...1.1.1.....|     1: one begins here, or the last ended
 *
 * Sizes are nowhere but in bound_map: an allocation goes on to the next bound.
 * Freeing leaves bounds behind; allocating clears those inside.
 *
 *      free_bytes = 4 * clear bits of alloc_map
 *
 * Locking: state->lock.
 *
 * Modelled: pcpu_check_block_hint, pcpu_next_hint, pcpu_next_fit_region,
 * pcpu_is_populated, pcpu_find_block_fit, pcpu_find_zero_area, pcpu_alloc_area,
 * pcpu_free_area. (6.12, mm/percpu.c; not in LKD3)
 */
#include "percpu_chunk.h"

/* @align is a power of two. */
static int align_up(int x, int align)
{
	return (x + align - 1) & -align;
}

/* pcpu_check_block_hint() */
static bool fits_hint(const struct rmm_pcpu_md *md, int bits, int align)
{
	int skip =
		align_up(md->contig_hint_start, align) - md->contig_hint_start;

	return skip + bits <= md->contig_hint;
}

/** rmm_pcpu_next_hint() - pcpu_next_hint(): where to begin; all before the end
 *  of scan_hint is too small for more than that */
int rmm_pcpu_next_hint(const struct rmm_pcpu_md *md, int bits)
{
	if (md->scan_hint && md->contig_hint_start > md->scan_hint_start &&
	    bits > md->scan_hint)
		return md->scan_hint_start + md->scan_hint;
	return md->first_free;
}

/* What next_fit_region() looks for, and has found: [start, start + bits) holds
 * room for it */
struct fit {
	int want, align;
	int start, bits;
};

/* Is there room inside a block, from bit @from of it on? */
static bool fits_inside(struct rmm_pcpu *p, const struct rmm_pcpu_md *md, int i,
			int from, struct fit *f)
{
	int begin;

	if (!md->contig_hint || md->contig_hint_start < from ||
	    !fits_hint(md, f->want, f->align))
		return false;
	begin = rmm_pcpu_next_hint(md, f->want);
	f->bits = align_up(md->contig_hint_start, f->align) - begin + f->want;
	f->start = i * p->block_bits + begin;
	return true;
}

/* pcpu_next_fit_region(): the next region at f->start or behind that holds room
 * by the hints; the end of the map if there is none */
static void next_fit_region(struct rmm_pcpu *p, struct rmm_pcpu_chunk *c,
			    struct fit *f)
{
	int i = f->start / p->block_bits, from = f->start % p->block_bits;

	f->bits = 0;
	for (; i < c->nr_pages; i++) {
		const struct rmm_pcpu_md *md = &c->md_blocks[i];

		if (f->bits) { /* from the block before into this one */
			f->bits += md->left_free;
			if (f->bits >= f->want)
				return;
			if (md->left_free == p->block_bits)
				continue;
		}
		if (fits_inside(p, md, i, from, f))
			return;
		from = 0;
		f->start = align_up(p->block_bits - md->right_free, f->align);
		f->bits = p->block_bits - f->start;
		f->start += i * p->block_bits;
		if (f->bits >= f->want)
			return;
	}
	f->start = rmm_pcpu_map_bits(p, c);
}

/* pcpu_is_populated(): all pages that @f touches; if not, *@next is where the
 * next populated one begins */
static bool is_populated(const struct rmm_pcpu *p,
			 const struct rmm_pcpu_chunk *c, const struct fit *f,
			 int *next)
{
	int end = (f->start + f->bits + p->block_bits - 1) / p->block_bits;
	int hole = rmm_find_next_zero_bit(c->populated, end,
					  f->start / p->block_bits);

	if (hole >= end)
		return true;
	*next = rmm_find_next_bit(c->populated, end, hole + 1) * p->block_bits;
	return false;
}

/** rmm_pcpu_find_block_fit() - pcpu_find_block_fit(): bit from which on @bits
 *  may be found, -1 if nowhere; @pop_only: in populated pages */
int rmm_pcpu_find_block_fit(struct rmm_pcpu *p, struct rmm_pcpu_chunk *c,
			    int bits, int align, bool pop_only)
{
	struct fit f = {.want = bits, .align = align};
	int end = rmm_pcpu_map_bits(p, c), next = 0;

	if (!fits_hint(&c->chunk_md, bits, align))
		return -1;
	f.start = rmm_pcpu_next_hint(&c->chunk_md, bits);
	next_fit_region(p, c, &f);
	while (f.start < end && pop_only && !is_populated(p, c, &f, &next)) {
		f.start = next;
		next_fit_region(p, c, &f);
	}
	return f.start < end ? f.start : -1;
}

/* The largest free area that a search came by, or the best aligned of these */
struct skipped {
	int start, bits;
};

static void note_skipped(struct skipped *s, int start, int bits)
{
	bool better = bits == s->bits && s->start &&
		      (!start || __builtin_ctz((unsigned int)start) >
					 __builtin_ctz((unsigned int)s->start));

	if (bits > s->bits || better)
		*s = (struct skipped){start, bits};
}

/* pcpu_find_zero_area(): @bits clear in [@start, @end), aligned; -1 if none */
static int find_zero_area(const struct rmm_pcpu_chunk *c, const struct fit *f,
			  int end, struct skipped *skipped)
{
	int start = f->start;

	for (;;) {
		int at = align_up(
			rmm_find_next_zero_bit(c->alloc_map, end, start),
			f->align);
		int used;

		if (at + f->want > end)
			return -1;
		used = rmm_find_next_bit(c->alloc_map, at + f->want, at);
		if (used >= at + f->want)
			return at;
		note_skipped(skipped, at, used - at);
		start = used + 1;
	}
}

/* Both maps, for an allocation of @bits at @at */
static void mark_allocated(struct rmm_pcpu_chunk *c, int at, int bits)
{
	rmm_bitmap_set(c->alloc_map, at, bits);
	rmm_set_bit(c->bound_map, at);
	rmm_bitmap_clear(c->bound_map, at + 1, bits - 1);
	rmm_set_bit(c->bound_map, at + bits);
	c->free_bytes -= bits << RMM_PCPU_SHIFT;
}

/** rmm_pcpu_alloc_area() - pcpu_alloc_area(): take @bits, searching from
 *  @start on; offset in bytes, or -1 */
int rmm_pcpu_alloc_area(struct rmm_pcpu *p, struct rmm_pcpu_chunk *c, int bits,
			int align, int start)
{
	const struct fit f = {.want = bits, .align = align, .start = start};
	int map_bits = rmm_pcpu_map_bits(p, c);
	int end = start + bits + p->block_bits;
	int oslot = rmm_pcpu_chunk_slot(p, c), at;
	struct skipped skipped = {0, 0};

	if (end > map_bits)
		end = map_bits;
	at = find_zero_area(c, &f, end, &skipped);
	if (at < 0)
		return -1;
	if (skipped.bits)
		rmm_pcpu_block_update_scan(p, c, skipped.start, skipped.bits);
	mark_allocated(c, at, bits);
	if (at == c->chunk_md.first_free)
		c->chunk_md.first_free = rmm_find_next_zero_bit(
			c->alloc_map, map_bits, at + bits);
	rmm_pcpu_block_update_hint_alloc(p, c, at, bits);
	rmm_pcpu_chunk_relocate(p, c, oslot);
	return at << RMM_PCPU_SHIFT;
}

/** rmm_pcpu_free_area() - pcpu_free_area(): what begins at byte @off; returns
 *  its bytes */
int rmm_pcpu_free_area(struct rmm_pcpu *p, struct rmm_pcpu_chunk *c, int off)
{
	int at = off >> RMM_PCPU_SHIFT, oslot = rmm_pcpu_chunk_slot(p, c);
	int bits = rmm_find_next_bit(c->bound_map, rmm_pcpu_map_bits(p, c),
				     at + 1) -
		   at;

	p->stat.nr_dealloc++;
	p->stat.nr_cur_alloc--;
	c->nr_alloc--;
	rmm_bitmap_clear(c->alloc_map, at, bits);
	c->free_bytes += bits << RMM_PCPU_SHIFT;
	if (at < c->chunk_md.first_free)
		c->chunk_md.first_free = at;
	rmm_pcpu_block_update_hint_free(p, c, at, bits);
	rmm_pcpu_chunk_relocate(p, c, oslot);
	return bits << RMM_PCPU_SHIFT;
}
