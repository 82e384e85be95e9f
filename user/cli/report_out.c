/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* report_out.c - see report_out.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "cli/report_out.h"
#include "common/log.h"
#include "common/out.h"

enum { COLUMNS_MIN = 80, COLUMNS_MAX = 100 };

static size_t terminal_columns(void)
{
	struct winsize w = {0};

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) || w.ws_col < COLUMNS_MIN)
		return COLUMNS_MIN;
	return w.ws_col < COLUMNS_MAX ? w.ws_col : COLUMNS_MAX;
}

static int deliver(const char *path, const struct report_buf *b, bool force)
{
	if (!strcmp(path, "-")) {
		out_bytes(b->data, b->len);
		return EXIT_DONE;
	}
	int err = report_write(path, b->data, b->len, force);
	if (err == -EEXIST)
		log_error("cannot write '%s': it exists; use -f to replace it", path);
	else if (err)
		log_error("cannot write '%s': %s", path, strerror(-err));
	else
		log_info("wrote %s (%.1f KiB)", path, (double)b->len / 1024);
	return err ? EXIT_FAILED : EXIT_DONE;
}

static int render_json(const struct report_doc *d, struct report_buf *b)
{
	json_t *doc = report_json(d);
	char *text = doc ? json_dumps(doc, JSON_INDENT(1)) : NULL;

	json_decref(doc);
	buf_puts(b, text ? text : "");
	buf_puts(b, "\n");
	free(text);
	return text ? 0 : -ENOMEM;
}

static int render(const struct report_input *in, enum report_format format, struct report_buf *b)
{
	struct report_doc d;
	int err = report_build(&d, in);

	if (!err && format == REPORT_HTML)
		err = report_html(b, &d, in);
	else if (!err && format == REPORT_TEXT)
		report_text(b, &d, terminal_columns());
	else if (!err && format == REPORT_MARKDOWN)
		report_markdown(b, &d);
	else if (!err)
		err = render_json(&d, b);
	pool_free(&d.pool);
	return err ? err : b->failed ? -ENOMEM : 0;
}

int report_out(const struct report_input *in, enum report_format format, const char *path,
	       bool force)
{
	struct report_buf b = {0};
	int err = render(in, format, &b);
	int status = EXIT_FAILED;

	if (err == -EFBIG)
		log_error(
			"cannot make the page: its tables alone exceed %d MiB; give fewer results",
			REPORT_HTML_MAX_BYTES >> 20);
	else if (err)
		log_error("cannot make the report: %s", strerror(-err));
	else
		status = deliver(path, &b, force);
	buf_free(&b);
	return status;
}

void report_tell_apart(struct report_result *results, size_t n)
{
	for (size_t i = 1; i < n; i++)
		for (size_t k = 0; k < i; k++) {
			char *label = NULL;
			if (strcmp(results[i].label, results[k].label))
				continue;
			if (asprintf(&label, "%s (%zu)", results[i].label, i + 1) < 0)
				return;
			free(results[i].label);
			results[i].label = label;
		}
}
