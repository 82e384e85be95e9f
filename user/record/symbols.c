// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * symbols.c - kernel text addresses to names, from /proc/kallsyms.
 *
 * Addresses stay in this process: what leaves is "symbol+0xoffset".
 */
#include "record.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FUNCTION_MAX_BYTES = 1 << 20 }; /* none is as long */

struct symbol {
	uint64_t address;
	uint32_t name; /* offset into text */
};

struct symbols {
	struct symbol *symbol; /* by address */
	size_t n, room;
	char *text; /* names, each with its NUL */
	size_t bytes, text_room;
};

static int grow(void **array, size_t *room, size_t need, size_t unit)
{
	size_t want = *room ? *room * 2 : 1 << 16;
	void *bigger;

	if (need <= *room)
		return 0;
	bigger = realloc(*array, want * unit);
	if (!bigger)
		return -ENOMEM;
	*array = bigger;
	*room = want;
	return 0;
}

static int add(struct symbols *s, uint64_t address, const char *name)
{
	size_t bytes = strlen(name) + 1;

	if (grow((void **)&s->symbol, &s->room, s->n + 1, sizeof(*s->symbol)) ||
	    grow((void **)&s->text, &s->text_room, s->bytes + bytes, 1))
		return -ENOMEM;
	assert(s->symbol && s->text);
	s->symbol[s->n].address = address;
	s->symbol[s->n++].name = (uint32_t)s->bytes;
	memcpy(s->text + s->bytes, name, bytes);
	s->bytes += bytes;
	return 0;
}

/* "address type name[\t[module]]"; only text, and only if addresses show. */
static int add_line(struct symbols *s, char *line)
{
	char *rest;
	uint64_t address = strtoull(line, &rest, 16);
	char *tab;

	if (!address || rest[0] != ' ' || !rest[1] || !strchr("tTwW", rest[1]) || rest[2] != ' ')
		return 0;
	rest += 3;
	rest[strcspn(rest, "\n")] = '\0';
	tab = strchr(rest, '\t');
	if (tab)
		*tab = ' ';
	return add(s, address, rest);
}

static int by_address(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	return (x->address > y->address) - (x->address < y->address);
}

struct symbols *symbols_load(void)
{
	FILE *f = fopen("/proc/kallsyms", "re");
	struct symbols *s = calloc(1, sizeof(*s));
	char line[1024];
	int err = f && s ? 0 : -errno;

	while (f && s && !err && fgets(line, sizeof(line), f))
		err = add_line(s, line);
	if (f)
		fclose(f);
	if (s && !err && !s->n)
		err = -EPERM; /* all addresses are hidden */
	if (s && !err) {
		qsort(s->symbol, s->n, sizeof(*s->symbol), by_address);
		return s;
	}
	symbols_free(s);
	errno = -err;
	return NULL;
}

void symbols_name(const struct symbols *s, uint64_t address, char *buf, size_t size)
{
	size_t low = 0, high = s ? s->n : 0;
	const char *name, *module;

	buf[0] = '\0';
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (s->symbol[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	/* Code made at run time (BPF trampolines) lies far behind the last symbol. */
	if (!low || address - s->symbol[low - 1].address > FUNCTION_MAX_BYTES)
		return;
	name = s->text + s->symbol[low - 1].name;
	module = strchr(name, ' ');
	snprintf(buf, size, "%.*s+0x%llx%s", module ? (int)(module - name) : (int)strlen(name),
		 name, (unsigned long long)(address - s->symbol[low - 1].address),
		 module ? module : "");
}

/* By name alone: names repeat, and the first in memory is taken. */
int symbols_range(const struct symbols *s, const char *name, uint64_t *from, uint64_t *to)
{
	for (size_t i = 0; i < s->n; i++) {
		const char *text = s->text + s->symbol[i].name;
		size_t n = strcspn(text, " ");

		if (strlen(name) != n || memcmp(text, name, n))
			continue;
		*from = s->symbol[i].address;
		while (i < s->n && s->symbol[i].address == *from)
			i++;
		*to = i < s->n ? s->symbol[i].address : UINT64_MAX;
		return 0;
	}
	return -ENOENT;
}

void symbols_free(struct symbols *s)
{
	if (!s)
		return;
	free(s->symbol);
	free(s->text);
	free(s);
}
