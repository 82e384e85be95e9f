/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* nearest.c - optimal string alignment distance, three rows at a time. */
#include <string.h>

#include "common/nearest.h"

enum { WORD_MAX = 31 };

static unsigned int min(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

unsigned int nearest_distance(const char *a, const char *b)
{
	unsigned int rows[3][WORD_MAX + 1];
	unsigned int na = (unsigned int)strnlen(a, WORD_MAX);
	unsigned int nb = (unsigned int)strnlen(b, WORD_MAX);

	for (unsigned int j = 0; j <= nb; j++)
		rows[0][j] = j;
	for (unsigned int i = 1; i <= na; i++) {
		unsigned int *now = rows[i % 3], *last = rows[(i + 2) % 3];
		unsigned int *before = rows[(i + 1) % 3];

		now[0] = i;
		for (unsigned int j = 1; j <= nb; j++) {
			now[j] = min(last[j], now[j - 1]) + 1;
			now[j] = min(now[j], last[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				now[j] = min(now[j], before[j - 2] + 1);
		}
	}
	return rows[na % 3][nb];
}

void nearest_offer(struct nearest *n, const char *candidate)
{
	unsigned int d = nearest_distance(n->word, candidate);
	size_t typed = strlen(n->word);

	/* What was typed may also be the start of the word. */
	if (typed >= 3 && !strncmp(n->word, candidate, typed))
		d = 1;
	if (!n->best || d < n->distance) {
		n->best = candidate;
		n->distance = d;
	}
}

const char *nearest_name(const struct nearest *n)
{
	if (!n->best)
		return NULL;
	return n->distance <= 1 + strlen(n->best) / 4 ? n->best : NULL;
}
