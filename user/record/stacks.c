// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * stacks.c - kernel stacks to entries of the trace's dictionary.
 *
 * A stack begins with what took it (the program, the tracepoint's or the hook's own
 * functions), which is dropped. Of the rest each frame becomes "symbol+0xoffset";
 * frames without a name stay as such, so that no depth is hidden.
 */
#include "stacks.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "record.h"

enum {
	FIRST_SLOTS = 1024,
	NAME_BYTES = 256,
};

struct known {
	uint64_t number; /* of the rings; 0: empty */
	uint32_t id;	 /* of the trace */
};

struct stacks {
	struct trace_writer *writer;
	const struct symbols *symbols;
	struct known *slot; /* open addressing */
	size_t slots, n;
	struct stacks_seen seen;
};

struct stacks *stacks_new(struct trace_writer *w, const struct symbols *symbols)
{
	struct stacks *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->writer = w;
	s->symbols = symbols;
	s->slots = FIRST_SLOTS;
	s->slot = calloc(s->slots, sizeof(*s->slot));
	if (s->slot)
		return s;
	free(s);
	return NULL;
}

void stacks_free(struct stacks *s)
{
	if (s)
		free(s->slot);
	free(s);
}

/* Where @number is, or the empty place where it belongs. */
static struct known *place(const struct stacks *s, uint64_t number)
{
	size_t i = number >> 1;

	while (s->slot[i & (s->slots - 1)].number && s->slot[i & (s->slots - 1)].number != number)
		i++;
	return &s->slot[i & (s->slots - 1)];
}

static int grow(struct stacks *s)
{
	struct known *old = s->slot, *bigger = calloc(s->slots * 2, sizeof(*bigger));
	size_t n = s->slots;

	if (!bigger)
		return -ENOMEM;
	s->slot = bigger;
	s->slots *= 2;
	for (size_t i = 0; i < n; i++)
		if (old[i].number)
			*place(s, old[i].number) = old[i];
	free(old);
	return 0;
}

static bool begins(const char *name, const char *with)
{
	return !strncmp(name, with, strlen(with));
}

/* Does what tracing itself calls end here? */
static bool is_tracing(const char *name)
{
	return begins(name, "bpf_trace_run") || begins(name, "__bpf_trace_") ||
	       begins(name, "__traceiter_") || begins(name, "bpf_get_stack") ||
	       begins(name, "kprobe_") || begins(name, "kretprobe_") ||
	       begins(name, "arch_rethook_") || begins(name, "rethook_") ||
	       begins(name, "ftrace_") || begins(name, "trace_call_bpf");
}

/*
 * Names of @n addresses into @string. Programs and trampolines are no functions of
 * the kernel: their frames have no name, or that of the module in front of them.
 * Return: the first frame that is not tracing's own.
 */
static size_t name_frames(struct stacks *s, const uint64_t *address, size_t n, uint32_t *string)
{
	size_t first = 0;

	for (size_t i = 0; i < n; i++) {
		char name[NAME_BYTES];
		bool own;

		symbols_name(s->symbols, address[i], name, sizeof(name));
		own = is_tracing(name) || !*name || strchr(name, '[');
		if (own && i == first)
			first = i + 1;
		string[i] = trace_writer_string(s->writer, name);
	}
	return first;
}

int stacks_add(struct stacks *s, const uint64_t *word)
{
	size_t n = word[1] < KML_STACK_FRAMES ? word[1] : KML_STACK_FRAMES, first;
	uint32_t string[KML_STACK_FRAMES], id;
	struct known *at = place(s, word[0]);

	if (!word[0] || at->number)
		return 0;
	if (s->n >= s->slots / 2) {
		if (grow(s))
			return -ENOMEM;
		at = place(s, word[0]);
	}
	first = name_frames(s, word + 2, n, string);
	id = trace_writer_stack(s->writer, string + first, n - first);
	*at = (struct known){word[0], id};
	s->n++;
	s->seen.cut += n == KML_STACK_FRAMES;
	s->seen.left_out += !id && n > first;
	if (id > s->seen.distinct)
		s->seen.distinct = id;
	return 0;
}

uint32_t stacks_find(const struct stacks *s, uint64_t number)
{
	return number ? place(s, number)->id : 0;
}

void stacks_seen(const struct stacks *s, struct stacks_seen *seen)
{
	*seen = s->seen;
}
