/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * sort.c - qsort() for refmm that takes no memory: glibc's calls malloc(), and
 * rmm_validate() sorts while all CPUs' locks are held. A heap sort, in place.
 */
#include <stddef.h>

typedef int (*compare)(const void *a, const void *b);

void __wrap_qsort(void *base, size_t n, size_t size, compare cmp);

static void swap(char *a, char *b, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		char c = a[i];

		a[i] = b[i];
		b[i] = c;
	}
}

/* Let the element at @i sink below larger ones, among the first @n. */
static void sink(char *base, size_t i, size_t n, size_t size, compare cmp)
{
	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= n)
			return;
		if (child + 1 < n && cmp(base + child * size, base + (child + 1) * size) < 0)
			child++;
		if (cmp(base + i * size, base + child * size) >= 0)
			return;
		swap(base + i * size, base + child * size, size);
		i = child;
	}
}

void __wrap_qsort(void *base, size_t n, size_t size, compare cmp)
{
	for (size_t i = n / 2; i > 0; i--)
		sink(base, i - 1, n, size, cmp);
	for (size_t last = n; last > 1; last--) {
		swap(base, (char *)base + (last - 1) * size, size);
		sink(base, 0, last - 1, size, cmp);
	}
}
