/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * thrift.h - write structures in Thrift's compact protocol, which Parquet's headers use:
 *
 *   struct  field* 0
 *   field   byte(delta of the field's number << 4 | type), value
 *   i32,i64 zigzag varint      binary  varint(length), bytes
 *   list    byte(min(n, 15) << 4 | type of members), varint(n) if n >= 15, members
 */
#ifndef KMEMLAB_EXPORT_THRIFT_H
#define KMEMLAB_EXPORT_THRIFT_H

#include <stdint.h>
#include <string.h>

#include "report/buf.h"
#include "trace/varint.h"

enum thrift_type {
	THRIFT_I32 = 5,
	THRIFT_I64 = 6,
	THRIFT_BINARY = 8,
	THRIFT_LIST = 9,
	THRIFT_STRUCT = 12,
};

/* A structure being written: the number of its last field. */
struct thrift {
	struct report_buf *out;
	int last;
};

static inline void thrift_byte(struct report_buf *b, uint64_t v)
{
	unsigned char byte = (unsigned char)v;

	buf_add(b, &byte, 1);
}

static inline void thrift_varint(struct report_buf *b, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		thrift_byte(b, v | 0x80);
	thrift_byte(b, v);
}

static inline void thrift_number(struct report_buf *b, int64_t v)
{
	thrift_varint(b, zigzag(v));
}

static inline void thrift_text(struct report_buf *b, const char *s)
{
	thrift_varint(b, strlen(s));
	buf_puts(b, s);
}

/** thrift_field() - field @number follows; all are less than 16 apart */
static inline void thrift_field(struct thrift *t, int number, enum thrift_type type)
{
	thrift_byte(t->out, (uint64_t)(number - t->last) << 4 | type);
	t->last = number;
}

static inline void thrift_i32(struct thrift *t, int number, int64_t v)
{
	thrift_field(t, number, THRIFT_I32);
	thrift_number(t->out, v);
}

static inline void thrift_i64(struct thrift *t, int number, int64_t v)
{
	thrift_field(t, number, THRIFT_I64);
	thrift_number(t->out, v);
}

static inline void thrift_string(struct thrift *t, int number, const char *s)
{
	thrift_field(t, number, THRIFT_BINARY);
	thrift_text(t->out, s);
}

static inline void thrift_list(struct thrift *t, int number, enum thrift_type type, size_t n)
{
	thrift_field(t, number, THRIFT_LIST);
	thrift_byte(t->out, (n < 15 ? n : 15) << 4 | type);
	if (n >= 15)
		thrift_varint(t->out, n);
}

static inline void thrift_end(struct thrift *t)
{
	thrift_byte(t->out, 0);
}

#endif
