// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * overhead.c - see overhead.h.
 *
 * Too much: as many halvings at once as the excess asks for. Far too little, for
 * a while: one doubling. The gap between the two keeps the rate from swinging: a
 * doubling at a third of the limit leads to two thirds of it at most.
 */
#include "overhead.h"

enum {
	CALM_STEPS = 5,
	CALM_PART = 3, /* of the limit: calm is a third of it or less */
};

static int set_shift(struct overhead *o, unsigned int shift)
{
	if (shift > OVERHEAD_SHIFT_MAX)
		shift = OVERHEAD_SHIFT_MAX;
	o->calm = 0;
	if (shift == o->shift)
		return 0;
	o->shift = shift;
	if (o->changes < OVERHEAD_CHANGES_MAX)
		o->change[o->changes] = (struct overhead_change){o->time_ns, shift};
	o->changes++;
	return 1;
}

int overhead_step(struct overhead *o, uint64_t now_ns, uint64_t own_ns)
{
	uint64_t elapsed = now_ns - o->time_ns, own = own_ns - o->own_ns;
	unsigned int shift = o->shift;
	int first = !o->time_ns;

	o->time_ns = now_ns;
	o->own_ns = own_ns;
	if (first || !elapsed || !o->limit)
		return 0;
	o->share = (double)own / ((double)elapsed * o->cpus);
	if (o->share > o->limit) {
		double share = o->share;

		while (share > o->limit) {
			share /= 2;
			shift++;
		}
		return set_shift(o, shift);
	}
	o->calm = o->share * CALM_PART < o->limit ? o->calm + 1 : 0;
	return o->calm >= CALM_STEPS && shift ? set_shift(o, shift - 1) : 0;
}
