/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * percpu_hints.c - what is known of a chunk's free areas without looking.
 *
 * Scanning the bitmap of a chunk for each request would be slow. So each block
 * (the bits of one page), and the chunk as a whole, remember:
 *
 *      block  |....####......##..........####...|    . free  # allocated
 *              left     scan     contig       right
 *
 *      contig_hint  the largest free area, as far as is known
 *      scan_hint    a large one before it: a larger request may begin behind
 *                   it; or, as large as contig_hint, one behind that
 *      left_free    free bits at the beginning   } areas across blocks are
 *      right_free   free bits at the end         } sums of these
 *      first_free   nothing is free before it
 *
 * Hints err on one side only. A block is rescanned when an allocation breaks
 * its contig_hint; the chunk, when one breaks the chunk's, or when a free makes
 * a block empty or crosses blocks. In between
 *
 *      contig_hint <= largest free area
 *      first_free  <= first free bit           (chunk: equal)
 *      scan_hint > 0 and scan_hint_start > contig_hint_start
 *              implies scan_hint = contig_hint
 *
 * and a hole that alignment leaves may be missing from them until something is
 * freed beside it: so a chunk can hold free bytes and have contig_hint 0.
 *
 * Locking: state->lock.
 *
 * Modelled: pcpu_block_update, pcpu_block_update_scan, pcpu_chunk_refresh_hint,
 * pcpu_block_refresh_hint, pcpu_block_update_hint_alloc and _free, with all
 * that they do not notice, as where an allocation goes depends on it. (6.12,
 * mm/percpu.c; not in LKD3)
 */
#include "percpu_chunk.h"

/** rmm_pcpu_init_md_blocks() - everything is free */
void rmm_pcpu_init_md_blocks(struct rmm_pcpu *p, struct rmm_pcpu_chunk *c)
{
	int bits = rmm_pcpu_map_bits(p, c);

	c->chunk_md = (struct rmm_pcpu_md){
		.contig_hint = bits,
		.left_free = bits,
		.right_free = bits,
		.nr_bits = bits,
	};
	for (int i = 0; i < c->nr_pages; i++)
		c->md_blocks[i] = (struct rmm_pcpu_md){
			.contig_hint = p->block_bits,
			.left_free = p->block_bits,
			.right_free = p->block_bits,
			.nr_bits = p->block_bits,
		};
}

/* Of two areas of one size, is the one at @a aligned better than that at @b? */
static bool better_aligned(int a, int b)
{
	return b && (!a || __builtin_ctz((unsigned int)a) >
				   __builtin_ctz((unsigned int)b));
}

/* An area larger than contig_hint: that becomes the scan_hint if it lies before
 * and is the larger of the two. */
static void update_larger(struct rmm_pcpu_md *md, int start, int bits)
{
	bool behind = start > md->contig_hint_start;

	if (behind && md->contig_hint > md->scan_hint) {
		md->scan_hint_start = md->contig_hint_start;
		md->scan_hint = md->contig_hint;
	} else if (!behind || start < md->scan_hint_start) {
		/* Behind, they were equal: none may stay after the largest. */
		md->scan_hint = 0;
	}
	md->contig_hint_start = start;
	md->contig_hint = bits;
}

/* An area as large as contig_hint: the better aligned one keeps that name. */
static void update_equal(struct rmm_pcpu_md *md, int start, int bits)
{
	if (better_aligned(start, md->contig_hint_start)) {
		md->contig_hint_start = start;
		if (start < md->scan_hint_start &&
		    md->contig_hint > md->scan_hint)
			md->scan_hint = 0;
	} else if (start > md->scan_hint_start ||
		   md->contig_hint > md->scan_hint) {
		md->scan_hint_start = start;
		md->scan_hint = bits;
	}
}

/** rmm_pcpu_block_update() - pcpu_block_update(): [@start, @end) is free, and
 *  what lies beside it is not */
void rmm_pcpu_block_update(struct rmm_pcpu_md *md, int start, int end)
{
	int bits = end - start;

	if (start < md->first_free)
		md->first_free = start;
	if (start == 0)
		md->left_free = bits;
	if (end == md->nr_bits)
		md->right_free = bits;

	if (bits > md->contig_hint) {
		update_larger(md, start, bits);
	} else if (bits == md->contig_hint) {
		update_equal(md, start, bits);
	} else if (start < md->contig_hint_start &&
		   (bits > md->scan_hint ||
		    (bits == md->scan_hint && start > md->scan_hint_start))) {
		md->scan_hint_start = start;
		md->scan_hint = bits;
	}
}

/** rmm_pcpu_block_update_scan() - pcpu_block_update_scan(): a search came by a
 *  free area that was too small; it may begin before @start, where alignment
 *  made the search begin */
void rmm_pcpu_block_update_scan(struct rmm_pcpu *p, struct rmm_pcpu_chunk *c,
				int start, int bits)
{
	int index = start / p->block_bits, base = index * p->block_bits;
	int last;

	if (start - base + bits > p->block_bits)
		return;
	last = rmm_find_last_bit(c->alloc_map, base, start);
	rmm_pcpu_block_update(&c->md_blocks[index],
			      last < 0 ? 0 : last + 1 - base,
			      start - base + bits);
}

/* pcpu_next_md_free_region(): the next free area, joined over blocks, that
 * begins at *@start or behind; *@bits is its size. *@start reaches the map's
 * end when there is none. */
static void next_md_free_region(struct rmm_pcpu *p, struct rmm_pcpu_chunk *c,
				int *start, int *bits)
{
	int i = *start / p->block_bits, from = *start % p->block_bits;

	*bits = 0;
	for (; i < c->nr_pages; i++) {
		const struct rmm_pcpu_md *md = &c->md_blocks[i];

		if (*bits) { /* it goes on from the block before */
			*bits += md->left_free;
			if (md->left_free == p->block_bits)
				continue;
			return;
		}
		/* The largest, unless it was seen or reaches into the next */
		*bits = md->contig_hint;
		if (*bits && md->contig_hint_start >= from &&
		    *bits + md->contig_hint_start < p->block_bits) {
			*start = i * p->block_bits + md->contig_hint_start;
			return;
		}
		from = 0;
		*bits = md->right_free;
		*start = (i + 1) * p->block_bits - md->right_free;
	}
}

/* pcpu_chunk_refresh_hint(): the chunk's hints out of its blocks'. Not @full:
 * an allocation broke contig_hint; then nothing before scan_hint is larger. */
static void refresh_chunk(struct rmm_pcpu *p, struct rmm_pcpu_chunk *c,
			  bool full)
{
	struct rmm_pcpu_md *md = &c->chunk_md;
	int start = md->first_free, bits;

	if (!full && md->scan_hint) {
		start = md->scan_hint_start + md->scan_hint;
		md->contig_hint_start = md->scan_hint_start;
		md->contig_hint = md->scan_hint;
		md->scan_hint = 0;
	} else {
		md->contig_hint = 0;
	}
	next_md_free_region(p, c, &start, &bits);
	while (start < rmm_pcpu_map_bits(p, c)) {
		rmm_pcpu_block_update(md, start, start + bits);
		start += bits + 1;
		next_md_free_region(p, c, &start, &bits);
	}
}

/* pcpu_block_refresh_hint(): the same for a block, out of the bitmap */
static void refresh_block(struct rmm_pcpu *p, struct rmm_pcpu_chunk *c, int i)
{
	struct rmm_pcpu_md *md = &c->md_blocks[i];
	int base = i * p->block_bits, end = base + p->block_bits;
	int start = base + md->first_free;

	if (md->scan_hint) {
		start = base + md->scan_hint_start + md->scan_hint;
		md->contig_hint_start = md->scan_hint_start;
		md->contig_hint = md->scan_hint;
		md->scan_hint = 0;
	} else {
		md->contig_hint = 0;
	}
	md->right_free = 0;
	while ((start = rmm_find_next_zero_bit(c->alloc_map, end, start)) <
	       end) {
		int stop = rmm_find_next_bit(c->alloc_map, end, start);

		rmm_pcpu_block_update(md, start - base, stop - base);
		start = stop;
	}
}

/* pcpu_region_overlap() with the area of @bits from @hint on */
static bool overlaps(int hint, int bits, int start, int end)
{
	return hint < end && start < hint + bits;
}

/* The block in which an allocation begins, at @start; it may end in a later one
 * (then @end is over a block's bits). */
static void hint_alloc_first(struct rmm_pcpu *p, struct rmm_pcpu_chunk *c,
			     int index, int start, int end)
{
	struct rmm_pcpu_md *md = &c->md_blocks[index];
	int base = index * p->block_bits;

	if (start == md->first_free)
		md->first_free = rmm_find_next_zero_bit(c->alloc_map,
							base + p->block_bits,
							base + end) -
				 base;
	if (overlaps(md->scan_hint_start, md->scan_hint, start, end))
		md->scan_hint = 0;
	if (overlaps(md->contig_hint_start, md->contig_hint, start, end)) {
		if (!start)
			md->left_free = 0;
		refresh_block(p, c, index);
		return;
	}
	if (start < md->left_free)
		md->left_free = start;
	if (end > p->block_bits)
		md->right_free = 0;
	else if (p->block_bits - end < md->right_free)
		md->right_free = p->block_bits - end;
}

/* The block in which it ends, at @end, having begun in an earlier one */
static void hint_alloc_last(struct rmm_pcpu *p, struct rmm_pcpu_chunk *c,
			    int index, int end)
{
	struct rmm_pcpu_md *md = &c->md_blocks[index];
	int base = index * p->block_bits;

	md->first_free =
		rmm_find_next_zero_bit(c->alloc_map, base + p->block_bits,
				       base + end) -
		base;
	if (end > md->scan_hint_start)
		md->scan_hint = 0;
	md->left_free = 0;
	if (end > md->contig_hint_start)
		refresh_block(p, c, index);
	else if (p->block_bits - end < md->right_free)
		md->right_free = p->block_bits - end;
}

/* A block of which nothing is left; first_free stays, as nobody asks */
static void fill_block(struct rmm_pcpu_md *md)
{
	md->scan_hint = 0;
	md->contig_hint = 0;
	md->left_free = 0;
	md->right_free = 0;
}

static bool is_empty(const struct rmm_pcpu *p, const struct rmm_pcpu_md *md)
{
	return md->contig_hint == p->block_bits;
}

/** rmm_pcpu_block_update_hint_alloc() - pcpu_block_update_hint_alloc(): @bits
 *  from @start on have just been allocated, and are set in the map */
void rmm_pcpu_block_update_hint_alloc(struct rmm_pcpu *p,
				      struct rmm_pcpu_chunk *c, int start,
				      int bits)
{
	struct rmm_pcpu_md *md = &c->chunk_md;
	int first = start / p->block_bits;
	int last = (start + bits - 1) / p->block_bits;
	int end = (start + bits - 1) % p->block_bits + 1;
	int filled = is_empty(p, &c->md_blocks[first]);

	hint_alloc_first(p, c, first, start % p->block_bits,
			 start % p->block_bits + bits);
	if (first != last) {
		filled += is_empty(p, &c->md_blocks[last]);
		filled += last - first - 1;
		for (int i = first + 1; i < last; i++)
			fill_block(&c->md_blocks[i]);
		if (end == p->block_bits) {
			c->md_blocks[last].first_free = end;
			fill_block(&c->md_blocks[last]);
		} else {
			hint_alloc_last(p, c, last, end);
		}
	}
	/* Pages not populated are counted too: populating adds them again. */
	rmm_pcpu_update_empty_pages(p, c, -filled);

	if (overlaps(md->scan_hint_start, md->scan_hint, start, start + bits))
		md->scan_hint = 0;
	if (overlaps(md->contig_hint_start, md->contig_hint, start,
		     start + bits))
		refresh_chunk(p, c, false);
}

static void empty_block(struct rmm_pcpu *p, struct rmm_pcpu_md *md)
{
	*md = (struct rmm_pcpu_md){
		.scan_hint_start = md->scan_hint_start,
		.contig_hint = p->block_bits,
		.left_free = p->block_bits,
		.right_free = p->block_bits,
		.nr_bits = p->block_bits,
	};
}

/* Where the free area begins that @start (from @base) is in now: inside its
 * block only */
static int free_begin(const struct rmm_pcpu_chunk *c,
		      const struct rmm_pcpu_md *md, int base, int start)
{
	if (start == md->contig_hint_start + md->contig_hint)
		return md->contig_hint_start;
	start = rmm_find_last_bit(c->alloc_map, base, base + start);
	return start < 0 ? 0 : start + 1 - base;
}

/* And where it ends */
static int free_end(const struct rmm_pcpu *p, const struct rmm_pcpu_chunk *c,
		    const struct rmm_pcpu_md *md, int base, int end)
{
	if (end == md->contig_hint_start)
		return md->contig_hint_start + md->contig_hint;
	return rmm_find_next_bit(c->alloc_map, base + p->block_bits,
				 base + end) -
	       base;
}

/** rmm_pcpu_block_update_hint_free() - pcpu_block_update_hint_free(): @bits
 *  from @start on have just been freed, and are clear in the map */
void rmm_pcpu_block_update_hint_free(struct rmm_pcpu *p,
				     struct rmm_pcpu_chunk *c, int start,
				     int bits)
{
	int first = start / p->block_bits;
	int last = (start + bits - 1) / p->block_bits;
	struct rmm_pcpu_md *head = &c->md_blocks[first];
	struct rmm_pcpu_md *tail = &c->md_blocks[last];
	int from = free_begin(c, head, first * p->block_bits,
			      start % p->block_bits);
	int to = free_end(p, c, tail, last * p->block_bits,
			  (start + bits - 1) % p->block_bits + 1);
	int stop = first == last ? to : p->block_bits;
	int emptied = from == 0 && stop == p->block_bits;

	rmm_pcpu_block_update(head, from, stop);
	if (first != last) {
		emptied += to == p->block_bits;
		emptied += last - first - 1;
		rmm_pcpu_block_update(tail, 0, to);
		for (int i = first + 1; i < last; i++)
			empty_block(p, &c->md_blocks[i]);
	}
	rmm_pcpu_update_empty_pages(p, c, emptied);

	/* Otherwise the kernel tells the chunk where the area begins in the
	 * chunk, but where it ends in its block. So only block 0's count, and
	 * contig_hint stays too small until the next refresh. */
	if (first != last || to - from >= p->block_bits)
		refresh_chunk(p, c, true);
	else
		rmm_pcpu_block_update(&c->chunk_md,
				      first * p->block_bits + from, to);
}
