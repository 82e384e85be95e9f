/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* nearest.h - the name that was probably meant. */
#ifndef KMEMLAB_NEAREST_H
#define KMEMLAB_NEAREST_H

/**
 * nearest_distance() - edits between two words
 *
 * Insertions, deletions, replacements and swaps of neighbours each count 1.
 * Words are compared up to their first 31 bytes.
 */
unsigned int nearest_distance(const char *a, const char *b);

/* The best of the candidates offered so far; zero it but for `word`. */
struct nearest {
	const char *word;
	const char *best;
	unsigned int distance;
};

/** nearest_offer() - consider @candidate */
void nearest_offer(struct nearest *n, const char *candidate);

/** nearest_name() - the best candidate, or NULL if none is near enough */
const char *nearest_name(const struct nearest *n);

#endif
