/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* view.c - open a trace, say what is wrong with it, close it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/view.h"
#include "common/log.h"
#include "symbols/lines.h"

static int open_status(int err)
{
	switch (err) {
	case EACCES:
	case EPERM:
		return EXIT_PERMISSION;
	case EBADMSG:
		return EXIT_DAMAGED;
	default:
		return EXIT_FAILED;
	}
}

static json_t *parse(const struct view *v, const char *what, const char *text)
{
	json_error_t error;
	json_t *doc = text ? json_loads(text, 0, &error) : NULL;

	if (text && !json_is_object(doc)) {
		log_warn("'%s': its %s is not a JSON object; ignored", v->name, what);
		json_decref(doc);
		doc = NULL;
	}
	return doc;
}

int view_open(struct view *v, const char *path)
{
	char error[256];

	memset(v, 0, sizeof(*v));
	v->name = strcmp(path, "-") ? path : "standard input";
	v->reader = trace_reader_open(path, error);
	if (!v->reader) {
		int err = errno;

		log_error("%s", error);
		return open_status(err);
	}
	v->header = parse(v, "header", trace_reader_header(v->reader));
	if (!v->header)
		v->header = json_object();
	v->account = parse(v, "accounting", trace_reader_account(v->reader));
	return -1;
}

int view_open_lines(struct view *v, const char *path)
{
	const json_t *host = json_object_get(v->header, "host");
	const struct lines_kernel kernel = {
		.release = json_string_value(json_object_get(host, "release")),
		.build_id = json_string_value(json_object_get(host, "build_id")),
	};
	char error[256];

	v->lines = lines_open(&kernel, path, error);
	if (v->lines)
		return -1;
	log_error("'%s': %s", v->name, error);
	return EXIT_FAILED;
}

char *view_stack(const struct view *v, uint32_t id, char *text, size_t size)
{
	const uint32_t *frame;
	uint32_t n = trace_reader_stack(v->reader, id, &frame);
	size_t used = 0;

	*text = '\0';
	for (uint32_t i = 0; i < n && used < size; i++) {
		const char *name = trace_reader_string(v->reader, frame[i]);

		used += (size_t)snprintf(text + used, size - used, "%s%s", i ? " < " : "",
					 *name ? name : "?");
	}
	return text;
}

struct damage_word {
	uint64_t n;
	const char *what;
};

static void join(char *text, size_t size, const char *format, uint64_t n, const char *what)
{
	size_t used = strlen(text);

	if (used)
		used += (size_t)snprintf(text + used, size - used, ", ");
	snprintf(text + used, size - used, format, (unsigned long long)n, what);
}

int view_close(struct view *v, int status)
{
	struct trace_damage d;
	char text[512] = "";

	lines_close(v->lines);
	trace_reader_damage(v->reader, &d);
	const struct damage_word words[] = {
		{d.bad_blocks, "bad blocks"},
		{d.missing_blocks, "missing blocks"},
		{d.skipped_bytes, "bytes skipped"},
		{d.undefined_classes, "events without their class"},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (words[i].n)
			join(text, sizeof(text), "%llu %s", words[i].n, words[i].what);
	if (d.torn)
		join(text, sizeof(text), "%.0llu%s", 0, "cut off inside a block");
	if (d.unfinished)
		join(text, sizeof(text), "%.0llu%s", 0, "no end (the recorder was killed?)");
	if (*text) {
		log_error("'%s' is damaged: %s; intact parts were used", v->name, text);
		status = status == EXIT_DONE ? EXIT_DAMAGED : status;
	}
	json_decref(v->header);
	json_decref(v->account);
	trace_reader_close(v->reader);
	return status;
}

int view_read_failed(const struct view *v, long err)
{
	log_error("cannot read '%s': %s", v->name, strerror((int)-err));
	return EXIT_FAILED;
}

const char *view_type(const struct view *v, unsigned int type)
{
	static char numbers[16][16]; /* of each type one, so that two names can be in use */
	char *number = numbers[type % 16];
	const char *name =
		json_string_value(json_array_get(json_object_get(v->header, "migratetypes"), type));

	if (name)
		return name;
	snprintf(number, sizeof(*numbers), "type %u", type);
	return number;
}

json_t *view_damage(const struct view *v)
{
	struct trace_damage d;

	trace_reader_damage(v->reader, &d);
	return json_pack("{s:I, s:I, s:I, s:I, s:b, s:b}", "bad_blocks", (json_int_t)d.bad_blocks,
			 "skipped_bytes", (json_int_t)d.skipped_bytes, "missing_blocks",
			 (json_int_t)d.missing_blocks, "undefined_classes",
			 (json_int_t)d.undefined_classes, "torn", d.torn, "unfinished",
			 d.unfinished);
}

error_t view_path(const char **path, const char *arg)
{
	if (*path)
		return cmd_usage("one trace at a time: '%s' and '%s' given", *path, arg);
	*path = arg;
	return 0;
}
