/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_crafted.c - traces that no recorder writes, through replay, info and
 * stat: each ends in time, with the status it should, and steers no terminal.
 */
#include "../support/small_host.h"
#include "../support/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "common/log.h"
#include "common/out.h"
#include "trace/trace_io.h"

enum { SECONDS = 20, EVENTS = 3000, PAGES = SMALL_HOST_PAGES };

#define SECOND_ZONE                                                                                \
	"start_pfn: 0\nNode 0, zone   Normal\n  pages free 1\n        spanned  8\n"                \
	"        present  8\n        managed  8\n  pagesets\n  start_pfn: "

struct crafted {
	const char *name;
	const char *from, *to;	      /* replaced in SMALL_HOST_ZONE */
	const char *header, *account; /* instead of the usual */
	uint64_t address;	      /* of these */
	struct kmt_class class;	      /* of more events, if it is not all zero */
	uint64_t first_pfn;	      /* of more pages, if there are any */
	struct trace_page_run more;
	int replay, info, stat; /* exit status */
};

static const struct crafted cases[] = {
	{"nothing odd", .replay = 0},
	{"zone beyond all memory", "spanned  8192", "spanned  4294000000", .replay = 5},
	{"zone that wraps", "start_pfn:  ", "start_pfn: 18446744073709551000", .replay = 5},
	{"zone told twice", "start_pfn: ", SECOND_ZONE, .replay = 5},
	{"more managed than there is", "managed  8192", "managed  99999999999", .replay = 5},
	{"no zone", "Node 0, zone", "Nothing", .replay = 5},
	{"endless batch", "batch: 16", "batch: 2000000000", .replay = 0},
	{"endless list", "count: 2", "count: 4294967295", .replay = 0},
	{"endless mark", "high_max: 400", "high_max: 4294967295", .replay = 0},
	{"order 63", .class = {KMT_PAGE_FREE, .order = 63}, .replay = 5, .info = 5, .stat = 5},
	{"order 18", .class = {KMT_PAGE_FREE, .order = 18}, .replay = 0},
	{"fallback order 63", .class = {KMT_EXTFRAG, .fallback_order = 63}, .replay = 5, .info = 5,
	 .stat = 5},
	{"refused pages", .address = KMT_NO_PAGE, .class = {KMT_PAGE_ALLOC, .gfp = 1}, .replay = 0},
	{"refused objects", .address = KMT_NO_PAGE, .class = {KMT_KMALLOC}, .replay = 0},
	{"free of the last per-CPU address", .address = UINT64_MAX, .class = {KMT_PERCPU_FREE}},
	{"free of the last area", .address = UINT64_MAX, .class = {KMT_VMALLOC_FREE}},
	{"areas at the last address", .address = UINT64_MAX,
	 .class = {KMT_VMALLOC_ALLOC, .bytes_alloc = 2}},
	{"objects at the last address", .address = UINT64_MAX, .class = {KMT_KMALLOC}},
	{"type 255", .class = {KMT_PAGE_ALLOC, .migratetype = 255}, .replay = 5, .info = 5,
	 .stat = 5},
	{"kswapd of node -2", .class = {KMT_KSWAPD_WAKE, .node = -2}, .replay = 5, .info = 5,
	 .stat = 5},
	{"a cache without a possible name", .class = {KMT_KMALLOC, .cache = UINT32_MAX},
	 .replay = 5, .info = 5, .stat = 5},
	{"kswapd of any node", .class = {KMT_KSWAPD_WAKE, .node = -1}},
	{"pages that wrap", .first_pfn = UINT64_MAX - 3, .more = {KMT_PG_FREE, 10, 100},
	 .replay = 5},
	{"pages without end", .first_pfn = 8192, .more = {KMT_PG_FREE, 14, 1ull << 50},
	 .replay = 5},
	{"free pages out of line", .first_pfn = 8195, .more = {KMT_PG_FREE, 4, 1}, .replay = 0},
	{"orders that contradict", .header = "{\"pageblock_order\":14,\"max_order\":1}",
	 .replay = 5},
	{"large header",
	 .header = "{\"struct_page_bytes\":1152921504606846976,\"host\":{\"page_size\":4096,"
		   "\"mem_total_kb\":4611686018427387904,\"cpu_node\":[999999]}}",
	 .replay = 0},
	{"large accounts",
	 .account = "{\"totals\":{\"fired\":9223372036854775807,\"filtered\":-9223372036854775807,"
		    "\"lost_ring\":9223372036854775807,\"lost_recursion\":9223372036854775807,"
		    "\"lost_write\":9223372036854775807}}",
	 .replay = 0},
	{"a terminal's orders",
	 .header = "{\"kmemlab\":\"\\u001b[31m\",\"command\":[\"\\u009b31m\",3],\"missing\":"
		   "[{\"what\":\"\\r\",\"why\":\"\\u0007\"}],\"host\":{\"release\":\"\\u001b\"}}",
	 .account = "{\"totals\":{\"\\u001b[2J\":1}}", .replay = 0},
};

static void add_text(struct trace_writer *w, const struct crafted *c)
{
	const char *at = c->from ? strstr(SMALL_HOST_ZONE, c->from) : NULL;
	char text[2048];

	assert_true(at || !c->from);
	if (at)
		snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - SMALL_HOST_ZONE),
			 SMALL_HOST_ZONE, c->to, at + strlen(c->from));
	else
		snprintf(text, sizeof(text), "%s", SMALL_HOST_ZONE);
	assert_int_equal(
		trace_writer_text(w, KMT_PHASE_START, 1000, "zoneinfo", text, strlen(text)), 0);
}

static void add_events(struct trace_writer *w, const struct crafted *c)
{
	static const struct kmt_class usual[] = {{.kind = KMT_PAGE_ALLOC, .gfp = 0xcc0},
						 {.kind = KMT_PAGE_FREE}};
	static const struct kmt_class none;
	uint64_t now = 2000;

	for (uint32_t i = 0; i < EVENTS; i++) {
		uint32_t id = trace_writer_class(w, &usual[i % 2]);

		assert_int_equal(trace_writer_event(w, 0, id, now++, i / 2), 0);
		if (!memcmp(&c->class, &none, sizeof(none)))
			continue;
		id = trace_writer_class(w, &c->class);
		assert_int_equal(trace_writer_event(w, 0, id, now++, c->address), 0);
	}
	assert_int_equal(trace_writer_round(w, now), 0);
}

static void make_trace(const struct crafted *c, const char *path)
{
	static const struct trace_page_run runs[] = {{KMT_PG_FILE, 0, PAGES / 2},
						     {KMT_PG_FREE, 10, PAGES / 2 >> 10}};
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	struct trace_writer *w = trace_writer_new(fd, 1);
	const uint16_t start = KMT_PHASE_START;

	assert_non_null(w);
	assert_int_equal(trace_writer_header(w, c->header ? c->header : SMALL_HOST_HEADER), 0);
	add_text(w, c);
	assert_int_equal(trace_writer_pages(w, start, 1000, 1100, 0, runs, 2), 0);
	if (c->more.blocks)
		assert_int_equal(
			trace_writer_pages(w, start, 1000, 1100, c->first_pfn, &c->more, 1), 0);
	add_events(w, c);
	assert_int_equal(trace_writer_account(w, c->account ? c->account : "{\"totals\":{}}"), 0);
	assert_int_equal(trace_writer_end(w), 0);
	trace_writer_free(w);
	close(fd);
}

typedef int command_fn(int argc, char **argv);

static void limit_memory(void)
{
#ifndef __SANITIZE_ADDRESS__
	const struct rlimit most = {1ull << 30, 1ull << 30};

	setrlimit(RLIMIT_AS, &most);
#endif
}

/* The status of a command in a process of its own; what it prints goes to @output. */
static int run(command_fn *command, const char *name, char *path, const char *output)
{
	char *argv[] = {(char *)name, path, NULL};
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		if (!freopen(output, "w", stdout) || dup2(fileno(stdout), STDERR_FILENO) < 0)
			_exit(99);
		alarm(SECONDS);
		limit_memory();
		status = command(2, argv);
		exit(out_close() ? 98 : status);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void expect_no_control_bytes(const char *output)
{
	FILE *f = fopen(output, "re");
	int c, before = 0;

	assert_non_null(f);
	for (; (c = getc(f)) != EOF; before = c) {
		assert_true(c >= 0x20 || c == '\n');
		assert_int_not_equal(c, 0x7f);
		assert_false(before == 0xc2 && c >= 0x80 && c < 0xa0);
	}
	fclose(f);
}

static void test_crafted_trace_ends_in_time_with_its_status(void **state)
{
	static const char *const names[] = {"kmemlab replay", "kmemlab info", "kmemlab stat"};
	static command_fn *const commands[] = {cmd_replay, cmd_info, cmd_stat};
	char directory[] = "/tmp/kmemlab-test-XXXXXX", path[64], output[64];

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/t.kmt", directory);
	snprintf(output, sizeof(output), "%s/out", directory);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const int want[] = {cases[i].replay, cases[i].info, cases[i].stat};

		make_trace(&cases[i], path);
		for (size_t k = 0; k < 3; k++) {
			int got = run(commands[k], names[k], path, output);

			if (got != want[k])
				print_message("%s: %s\n", names[k], cases[i].name);
			assert_int_equal(got, want[k]);
			expect_no_control_bytes(output);
		}
	}
	unlink(path);
	unlink(output);
	rmdir(directory);
}

static size_t lines_with(const char *output, const char *words)
{
	FILE *f = fopen(output, "re");
	char line[512];
	size_t n = 0;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		n += strstr(line, words) != NULL;
	fclose(f);
	return n;
}

static void test_crafted_refused_allocation_is_dumped_as_failed(void **state)
{
	const struct crafted refused = {.address = KMT_NO_PAGE,
					.class = {KMT_PAGE_ALLOC, .gfp = 1}};
	char directory[] = "/tmp/kmemlab-test-XXXXXX", path[64], output[64];

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/t.kmt", directory);
	snprintf(output, sizeof(output), "%s/out", directory);
	make_trace(&refused, path);
	assert_int_equal(run(cmd_dump, "kmemlab dump", path, output), 0);
	assert_int_equal(lines_with(output, " failed="), EVENTS);
	assert_int_equal(lines_with(output, " pfn="), EVENTS);
	unlink(path);
	unlink(output);
	rmdir(directory);
}

static int stat_lifetimes(int argc, char **argv)
{
	char *args[] = {argv[0],	 (char *)"--by", (char *)"lifetime",
			(char *)"--csv", argv[1],	 NULL};

	return cmd_stat(argc + 3, args);
}

static void test_crafted_pages_in_bulk_have_a_name_and_bytes(void **state)
{
	const struct crafted bulk = {.address = 7000, .class = {KMT_BULK_PAGE}};
	char directory[] = "/tmp/kmemlab-test-XXXXXX", path[64], output[64];

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/t.kmt", directory);
	snprintf(output, sizeof(output), "%s/out", directory);
	make_trace(&bulk, path);
	assert_int_equal(run(stat_lifetimes, "kmemlab stat", path, output), 0);
	assert_int_equal(lines_with(output, "pages in bulk,0,"), 1);
	assert_int_equal(lines_with(output, ",1,4096,"), 1);
	assert_int_equal(lines_with(output, "(unknown)"), 0);
	unlink(path);
	unlink(output);
	rmdir(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_crafted_trace_ends_in_time_with_its_status),
		cmocka_unit_test(test_crafted_refused_allocation_is_dumped_as_failed),
		cmocka_unit_test(test_crafted_pages_in_bulk_have_a_name_and_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
