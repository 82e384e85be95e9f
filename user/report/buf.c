/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* buf.c - see buf.h */
#include "report/buf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool buf_reserve(struct report_buf *b, size_t more)
{
	if (b->failed)
		return false;
	if (b->room - b->len > more)
		return true;
	size_t room = b->room ? b->room : 4096;
	while (room - b->len <= more && room < SIZE_MAX / 4)
		room *= 2;
	char *data = room - b->len > more ? realloc(b->data, room) : NULL;
	if (!data) {
		b->failed = true;
		return false;
	}
	b->data = data;
	b->room = room;
	return true;
}

void buf_add(struct report_buf *b, const void *data, size_t len)
{
	if (!buf_reserve(b, len))
		return;
	memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
}

void buf_puts(struct report_buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_printf(struct report_buf *b, const char *format, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, format);
	int len = vasprintf(&text, format, ap);
	va_end(ap);
	if (len < 0) {
		b->failed = true;
		return;
	}
	buf_add(b, text, (size_t)len);
	free(text);
}

static const char *html_entity(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

void buf_html(struct report_buf *b, const char *s)
{
	for (; *s; s++) {
		const char *entity = html_entity(*s);
		if (entity)
			buf_puts(b, entity);
		else
			buf_add(b, s, 1);
	}
}

void buf_ascii(struct report_buf *b, const char *s)
{
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;
		if ((c & 0xc0) == 0x80)
			continue; /* one '?' per UTF-8 character, not per byte */
		buf_add(b, c >= 0x20 && c < 0x7f ? s : "?", 1);
	}
}

void buf_script_json(struct report_buf *b, const char *json)
{
	for (;;) {
		size_t plain = strcspn(json, "<");
		buf_add(b, json, plain);
		json += plain;
		if (!*json)
			return;
		buf_puts(b, "\\u003c");
		json++;
	}
}

void buf_free(struct report_buf *b)
{
	free(b->data);
	*b = (struct report_buf){0};
}

struct pool_chunk {
	struct pool_chunk *next;
	max_align_t data[];
};

void *pool_alloc(struct report_pool *p, size_t bytes)
{
	struct pool_chunk *c = calloc(1, sizeof(*c) + bytes);
	if (!c) {
		p->failed = true;
		return NULL;
	}
	c->next = p->chunks;
	p->chunks = c;
	return c->data;
}

const char *pool_printf(struct report_pool *p, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	int len = vsnprintf(NULL, 0, format, ap);
	va_end(ap);
	char *text = len < 0 ? NULL : pool_alloc(p, (size_t)len + 1);
	if (!text) {
		p->failed = true;
		return "";
	}
	va_start(ap, format);
	vsnprintf(text, (size_t)len + 1, format, ap);
	va_end(ap);
	return text;
}

void pool_free(struct report_pool *p)
{
	while (p->chunks) {
		struct pool_chunk *next = p->chunks->next;
		free(p->chunks);
		p->chunks = next;
	}
	p->failed = false;
}
