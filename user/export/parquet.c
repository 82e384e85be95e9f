/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * parquet.c - rows as an Apache Parquet file.
 *
 *   "PAR1" | row group | row group | ... | FileMetaData | its length, 4 bytes | "PAR1"
 *   row group := column chunk per column
 *   column chunk := [dictionary page] data page, each a PageHeader and zstd bytes
 *
 * Columns are flat; those that an event need not have are optional: a bit a row says
 * whether there is a value (the definition level), and the values follow without gaps.
 * Numbers are stored plainly, strings as numbers into a dictionary, bit-packed.
 * (Apache Parquet format 2.10, parquet.thrift)
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>
#include <zstd.h>

#include "export/export.h"
#include "export/thrift.h"

enum {
	GROUP_ROWS = 1 << 18,
	DICT_SLOTS = 1 << 16, /* strings of a column in a group: at most half of it */
	ZSTD_LEVEL = 3,
};

/* Numbers of parquet.thrift. */
enum {
	TYPE_INT32 = 1,
	TYPE_INT64 = 2,
	TYPE_BYTE_ARRAY = 6,
	CONVERTED_UTF8 = 0,
	CONVERTED_UINT_64 = 14,
	ENCODING_PLAIN = 0,
	ENCODING_RLE = 3,
	ENCODING_RLE_DICTIONARY = 8,
	CODEC_ZSTD = 6,
	PAGE_DATA = 0,
	PAGE_DICTIONARY = 2,
};

/* A column of the group at hand. */
struct column {
	uint64_t *u; /* values, without gaps */
	int32_t *i;
	uint32_t *index; /* strings: into the dictionary */
	size_t values;
	uint8_t *level; /* by row: is there a value? NULL: always */
	uint32_t *slot; /* hash table of the dictionary: number + 1 */
	struct report_buf dictionary;
	uint32_t *starts; /* where each string begins in it */
	uint32_t strings;
};

/* What the footer says of a column chunk. */
struct chunk {
	int64_t dictionary_at, data_at; /* offsets in the file; 0: no dictionary */
	int64_t stored, raw;
};

struct group {
	int64_t rows;
	struct chunk chunk[ROW_COLUMNS];
};

struct parquet {
	FILE *out;
	int64_t at; /* bytes written */
	struct column column[ROW_COLUMNS];
	size_t rows; /* of the group at hand */
	struct group *groups;
	size_t nr_groups;
	struct report_buf raw, packed;
};

static int put(struct parquet *p, const void *data, size_t bytes)
{
	p->at += (int64_t)bytes;
	return fwrite(data, 1, bytes, p->out) == bytes ? 0 : -EIO;
}

/* ---- Pages ---------------------------------------------------------------- */

/* A DictionaryPageHeader or a DataPageHeader: how many values, how encoded. */
static void put_values(struct thrift *page, int page_type, size_t values, int encoding)
{
	struct thrift t = {.out = page->out};

	thrift_field(page, page_type == PAGE_DATA ? 5 : 7, THRIFT_STRUCT);
	thrift_i32(&t, 1, (int64_t)values);
	thrift_i32(&t, 2, encoding);
	if (page_type == PAGE_DATA) {
		thrift_i32(&t, 3, ENCODING_RLE);
		thrift_i32(&t, 4, ENCODING_RLE);
	}
	thrift_end(&t);
}

/* Write p->raw as a page; adds its sizes to @c. */
static int put_page(struct parquet *p, struct chunk *c, int type, size_t values, int encoding)
{
	struct report_buf header = {0};
	struct thrift t = {.out = &header};
	size_t room = ZSTD_compressBound(p->raw.len), stored;
	int err;

	p->packed.len = 0;
	while (p->packed.room < room && !p->packed.failed)
		buf_add(&p->packed, p->raw.data, p->raw.len < 4096 ? 4096 : p->raw.len);
	if (p->raw.failed || p->packed.failed)
		return -ENOMEM;
	stored = ZSTD_compress(p->packed.data, p->packed.room, p->raw.data, p->raw.len, ZSTD_LEVEL);
	if (ZSTD_isError(stored))
		return -ENOMEM;
	thrift_i32(&t, 1, type);
	thrift_i32(&t, 2, (int64_t)p->raw.len);
	thrift_i32(&t, 3, (int64_t)stored);
	put_values(&t, type, values, encoding);
	thrift_end(&t);
	c->raw += (int64_t)(header.len + p->raw.len);
	c->stored += (int64_t)(header.len + stored);
	err = header.failed ? -ENOMEM : put(p, header.data, header.len);
	buf_free(&header);
	return err ? err : put(p, p->packed.data, stored);
}

static unsigned int bits_for(uint32_t values)
{
	return values > 1 ? 32 - (unsigned int)__builtin_clz(values - 1) : 1;
}

/* One bit-packed run: values in groups of eight, low bits first. */
static void pack_indices(struct report_buf *b, const uint32_t *v, size_t n, unsigned int bits)
{
	size_t groups = (n + 7) / 8;
	uint64_t word = 0;
	unsigned int have = 0;

	thrift_byte(b, bits);
	thrift_varint(b, groups << 1 | 1);
	for (size_t i = 0; i < groups * 8; i++) {
		word |= (uint64_t)(i < n ? v[i] : 0) << have;
		for (have += bits; have >= 8; have -= 8, word >>= 8)
			thrift_byte(b, word);
	}
}

/* Definition levels: their length, then one bit-packed run of a bit a row. */
static void put_levels(struct report_buf *b, const struct column *col, size_t rows)
{
	struct report_buf run = {0};
	uint32_t length;

	thrift_varint(&run, ((rows + 7) / 8) << 1 | 1);
	for (size_t i = 0; i < rows; i += 8) {
		unsigned int byte = 0;

		for (size_t k = i; k < i + 8 && k < rows; k++)
			byte |= (unsigned int)col->level[k] << (k - i);
		thrift_byte(&run, byte);
	}
	length = (uint32_t)run.len;
	buf_add(b, &length, sizeof(length));
	buf_add(b, run.data, run.len);
	b->failed |= run.failed;
	buf_free(&run);
}

static int put_dictionary(struct parquet *p, struct column *col, struct chunk *c)
{
	c->dictionary_at = p->at;
	p->raw.len = 0;
	buf_add(&p->raw, col->dictionary.data, col->dictionary.len);
	return put_page(p, c, PAGE_DICTIONARY, col->strings, ENCODING_PLAIN);
}

static int put_column(struct parquet *p, unsigned int i, struct chunk *c)
{
	struct column *col = &p->column[i];
	enum row_type type = row_fields[i].type;
	int err = type == ROW_STRING ? put_dictionary(p, col, c) : 0;

	if (err)
		return err;
	c->data_at = p->at;
	p->raw.len = 0;
	if (col->level)
		put_levels(&p->raw, col, p->rows);
	if (type == ROW_U64)
		buf_add(&p->raw, col->u, col->values * sizeof(*col->u));
	else if (type == ROW_I32)
		buf_add(&p->raw, col->i, col->values * sizeof(*col->i));
	else
		pack_indices(&p->raw, col->index, col->values, bits_for(col->strings));
	return put_page(p, c, PAGE_DATA, p->rows,
			type == ROW_STRING ? ENCODING_RLE_DICTIONARY : ENCODING_PLAIN);
}

static int end_group(struct parquet *p)
{
	struct group *more, *g;
	int err = 0;

	if (!p->rows)
		return 0;
	more = realloc(p->groups, (p->nr_groups + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	p->groups = more;
	g = &more[p->nr_groups++];
	*g = (struct group){.rows = (int64_t)p->rows};
	for (unsigned int i = 0; i < ROW_COLUMNS && !err; i++) {
		struct column *col = &p->column[i];

		err = put_column(p, i, &g->chunk[i]);
		col->strings = 0;
		col->values = 0;
		col->dictionary.len = 0;
		if (col->slot)
			memset(col->slot, 0, DICT_SLOTS * sizeof(*col->slot));
	}
	p->rows = 0;
	return err;
}

/* ---- Rows ----------------------------------------------------------------- */

/* Number of @s in the column's dictionary; UINT32_MAX: it is full. */
static uint32_t number_of(struct column *col, const char *s)
{
	uint32_t length = (uint32_t)strlen(s);
	uint64_t at = XXH3_64bits(s, length) % DICT_SLOTS;

	for (; col->slot[at]; at = (at + 1) % DICT_SLOTS) {
		const char *have = col->dictionary.data + col->starts[col->slot[at] - 1];

		if (!memcmp(have, &length, sizeof(length)) &&
		    !memcmp(have + sizeof(length), s, length))
			return col->slot[at] - 1;
	}
	if (col->strings == DICT_SLOTS / 2)
		return UINT32_MAX;
	col->starts[col->strings] = (uint32_t)col->dictionary.len;
	buf_add(&col->dictionary, &length, sizeof(length));
	buf_add(&col->dictionary, s, length);
	col->slot[at] = ++col->strings;
	return col->strings - 1;
}

/* false: a dictionary is full, the group must end first. */
static bool number_strings(struct parquet *p, const struct row *row, uint32_t *number)
{
	for (unsigned int i = 0; i < ROW_COLUMNS; i++) {
		if (row_fields[i].type != ROW_STRING || !row_has(row, i))
			continue;
		number[i] = number_of(&p->column[i], row->at[i].s);
		if (number[i] == UINT32_MAX)
			return false;
	}
	return true;
}

static void take_row(struct parquet *p, const struct row *row, const uint32_t *number)
{
	for (unsigned int i = 0; i < ROW_COLUMNS; i++) {
		struct column *col = &p->column[i];

		if (col->level)
			col->level[p->rows] = row_has(row, i);
		if (!row_has(row, i))
			continue;
		if (row_fields[i].type == ROW_U64)
			col->u[col->values++] = row->at[i].u;
		else if (row_fields[i].type == ROW_I32)
			col->i[col->values++] = row->at[i].i;
		else
			col->index[col->values++] = number[i];
	}
	p->rows++;
}

static int row(void *ctx, const struct row *values)
{
	struct parquet *p = ctx;
	uint32_t number[ROW_COLUMNS] = {0};
	int err = 0;

	if (!number_strings(p, values, number)) {
		err = end_group(p);
		number_strings(p, values, number);
	}
	if (!err)
		take_row(p, values, number);
	return !err && p->rows == GROUP_ROWS ? end_group(p) : err;
}

static bool is_optional(unsigned int column)
{
	return column > ROW_EVENT;
}

static bool init_column(struct column *col, unsigned int i)
{
	if (is_optional(i)) {
		col->level = malloc(GROUP_ROWS);
		if (!col->level)
			return false;
	}
	if (row_fields[i].type == ROW_U64) {
		col->u = malloc(GROUP_ROWS * sizeof(*col->u));
		return col->u;
	}
	if (row_fields[i].type == ROW_I32) {
		col->i = malloc(GROUP_ROWS * sizeof(*col->i));
		return col->i;
	}
	col->index = malloc(GROUP_ROWS * sizeof(*col->index));
	col->slot = calloc(DICT_SLOTS, sizeof(*col->slot));
	col->starts = malloc(DICT_SLOTS / 2 * sizeof(*col->starts));
	return col->index && col->slot && col->starts;
}

static void free_column(struct column *col)
{
	free(col->u);
	free(col->i);
	free(col->index);
	free(col->slot);
	free(col->starts);
	free(col->level);
	buf_free(&col->dictionary);
}

static int begin(void *ctx)
{
	struct parquet *p = ctx;

	for (unsigned int i = 0; i < ROW_COLUMNS; i++)
		if (!init_column(&p->column[i], i))
			return -ENOMEM;
	return put(p, "PAR1", 4);
}

/* ---- Footer --------------------------------------------------------------- */

static int physical_type(unsigned int i)
{
	static const int types[] = {
		[ROW_U64] = TYPE_INT64, [ROW_I32] = TYPE_INT32, [ROW_STRING] = TYPE_BYTE_ARRAY};

	return types[row_fields[i].type];
}

static void put_schema(struct thrift *file)
{
	thrift_list(file, 2, THRIFT_STRUCT, ROW_COLUMNS + 1);
	struct thrift root = {.out = file->out};

	thrift_string(&root, 4, "events");
	thrift_i32(&root, 5, ROW_COLUMNS);
	thrift_end(&root);
	for (unsigned int i = 0; i < ROW_COLUMNS; i++) {
		struct thrift t = {.out = file->out};

		thrift_i32(&t, 1, physical_type(i));
		thrift_i32(&t, 3, is_optional(i)); /* REQUIRED or OPTIONAL */
		thrift_string(&t, 4, row_fields[i].name);
		if (row_fields[i].type != ROW_I32)
			thrift_i32(&t, 6,
				   row_fields[i].type == ROW_STRING ? CONVERTED_UTF8
								    : CONVERTED_UINT_64);
		thrift_end(&t);
	}
}

static void put_chunk(struct report_buf *out, unsigned int i, const struct group *g)
{
	const struct chunk *c = &g->chunk[i];
	struct thrift t = {.out = out}, meta = {.out = out};

	thrift_i64(&t, 2, c->dictionary_at ? c->dictionary_at : c->data_at);
	thrift_field(&t, 3, THRIFT_STRUCT);
	thrift_i32(&meta, 1, physical_type(i));
	thrift_list(&meta, 2, THRIFT_I32, c->dictionary_at ? 3 : 2);
	thrift_number(out, ENCODING_PLAIN);
	thrift_number(out, ENCODING_RLE);
	if (c->dictionary_at)
		thrift_number(out, ENCODING_RLE_DICTIONARY);
	thrift_list(&meta, 3, THRIFT_BINARY, 1);
	thrift_text(out, row_fields[i].name);
	thrift_i32(&meta, 4, CODEC_ZSTD);
	thrift_i64(&meta, 5, g->rows);
	thrift_i64(&meta, 6, c->raw);
	thrift_i64(&meta, 7, c->stored);
	thrift_i64(&meta, 9, c->data_at);
	if (c->dictionary_at)
		thrift_i64(&meta, 11, c->dictionary_at);
	thrift_end(&meta);
	thrift_end(&t);
}

static void put_groups(struct thrift *file, const struct parquet *p)
{
	thrift_list(file, 4, THRIFT_STRUCT, p->nr_groups);
	for (size_t i = 0; i < p->nr_groups; i++) {
		const struct group *g = &p->groups[i];
		struct thrift t = {.out = file->out};
		int64_t bytes = 0;

		thrift_list(&t, 1, THRIFT_STRUCT, ROW_COLUMNS);
		for (unsigned int c = 0; c < ROW_COLUMNS; c++) {
			put_chunk(file->out, c, g);
			bytes += g->chunk[c].raw;
		}
		thrift_i64(&t, 2, bytes);
		thrift_i64(&t, 3, g->rows);
		thrift_end(&t);
	}
}

static int end(void *ctx)
{
	struct parquet *p = ctx;
	struct report_buf footer = {0};
	struct thrift t = {.out = &footer};
	int64_t rows = 0;
	uint32_t length;
	int err = end_group(p);

	for (size_t i = 0; i < p->nr_groups; i++)
		rows += p->groups[i].rows;
	thrift_i32(&t, 1, 2);
	put_schema(&t);
	thrift_i64(&t, 3, rows);
	put_groups(&t, p);
	thrift_string(&t, 6, "kmemlab " KMEMLAB_VERSION);
	thrift_end(&t);
	length = (uint32_t)footer.len;
	if (!err)
		err = footer.failed ? -ENOMEM : put(p, footer.data, footer.len);
	if (!err)
		err = put(p, &length, sizeof(length));
	buf_free(&footer);
	return err ? err : put(p, "PAR1", 4);
}

int export_parquet(const struct view *v, FILE *out)
{
	static const struct row_writer w = {begin, row, end};
	struct parquet *p = calloc(1, sizeof(*p));
	int err = -ENOMEM;

	if (!p)
		return err;
	p->out = out;
	err = export_rows(v, &w, p);
	for (unsigned int i = 0; i < ROW_COLUMNS; i++)
		free_column(&p->column[i]);
	free(p->groups);
	buf_free(&p->raw);
	buf_free(&p->packed);
	free(p);
	if (!err && (fflush(out) || ferror(out)))
		err = -EIO;
	return err;
}
