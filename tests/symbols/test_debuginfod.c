/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_debuginfod.c - debug information from a debuginfod server, asked for by build id
 * and nothing else. The server is node, which gives this program for its build id
 * (GET /buildid/ID/debuginfo) and has nothing else; or, where DEBUGINFOD_URLS is set,
 * somebody else's that has this program (elfutils' `debuginfod -F DIR`).
 */
#include "../support/test.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <link.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "symbols/lines.h"

static const char serve[] =
	"require('http').createServer((q, a) => {"
	"  if (q.url === '/buildid/' + process.argv[1] + '/debuginfo')"
	"    a.end(require('fs').readFileSync(process.argv[2]));"
	"  else { a.statusCode = 404; a.end(); }"
	"}).listen(0, '127.0.0.1', function () { console.log(this.address().port); });";

struct server {
	pid_t pid; /* 0: somebody else's */
	char build_id[64], cache[64];
};

/* The note of this program's own build id, in hex. */
static int own_build_id(struct dl_phdr_info *info, size_t size, void *to)
{
	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		const char *at = (const char *)(info->dlpi_addr + p->p_vaddr),
			   *end = at + p->p_memsz;

		while (p->p_type == PT_NOTE && at + sizeof(ElfW(Nhdr)) <= end) {
			const ElfW(Nhdr) *note = (const void *)at;
			const unsigned char *id =
				(const void *)(at + sizeof(*note) + ((note->n_namesz + 3u) & ~3u));

			if (note->n_type == NT_GNU_BUILD_ID)
				for (unsigned int b = 0; b < note->n_descsz && b < 31; b++)
					sprintf((char *)to + (size_t)2 * b, "%02x", id[b]);
			at = (const char *)id + ((note->n_descsz + 3u) & ~3u);
		}
	}
	return 1; /* the program itself comes first */
}

/* Return: its port, or 0 */
static int start_node(struct server *s)
{
	char program[4096] = "";
	int out[2], port = 0;
	FILE *words;

	/* /proc/self/exe would be node's. */
	if (readlink("/proc/self/exe", program, sizeof(program) - 1) < 0)
		return 0;
	if (pipe(out))
		return 0;
	s->pid = fork();
	if (!s->pid) {
		dup2(out[1], 1);
		close(out[0]);
		execlp("node", "node", "-e", serve, s->build_id, program, (char *)NULL);
		_exit(127);
	}
	close(out[1]);
	words = fdopen(out[0], "r");
	if (!words || fscanf(words, "%d", &port) != 1)
		port = 0;
	if (words)
		fclose(words);
	return port;
}

static int set_up(void **state)
{
	static struct server s;
	char url[64];
	void *client = dlopen("libdebuginfod.so.1", RTLD_NOW);

	if (!client)
		return 0; /* *state: NULL */
	dlclose(client);
	dl_iterate_phdr(own_build_id, s.build_id);
	snprintf(s.cache, sizeof(s.cache), "/tmp/kmemlab-debuginfod-XXXXXX");
	if (!*s.build_id || !mkdtemp(s.cache))
		return -1;
	setenv("DEBUGINFOD_CACHE_PATH", s.cache, 1);
	if (!getenv("DEBUGINFOD_URLS")) {
		int port = start_node(&s);

		if (!port)
			return rmdir(s.cache);
		snprintf(url, sizeof(url), "http://127.0.0.1:%d", port);
		setenv("DEBUGINFOD_URLS", url, 1);
	}
	*state = &s;
	return 0;
}

static int tear_down(void **state)
{
	struct server *s = *state;
	char command[128];

	if (!s)
		return 0;
	if (s->pid) {
		kill(s->pid, SIGKILL);
		waitpid(s->pid, NULL, 0);
	}
	snprintf(command, sizeof(command), "rm -rf '%s'", s->cache);
	return system(command) ? -1 : 0;
}

static void *returns_to;

__attribute__((noinline)) static int note(void)
{
	returns_to = __builtin_return_address(0);
	return 1;
}

static void test_debuginfod_kernel_is_found_by_build_id_alone(void **state)
{
	const struct server *s = *state;
	const struct lines_kernel kernel = {.release = "0.0-no-such",
					    .build_id = s ? s->build_id : ""};
	struct lines *l;
	char error[256] = "", site[128], want[64];
	const char *got;
	int line;

	if (!s)
		skip();
	l = lines_open(&kernel, NULL, error);
	if (!l)
		fail_msg("%s", error);
	line = __LINE__ + 1;
	assert_int_equal(note(), 1);
	snprintf(site, sizeof(site), "%s+0x%zx", __func__,
		 (size_t)((char *)returns_to -
			  (char *)&test_debuginfod_kernel_is_found_by_build_id_alone));
	got = lines_find(l, site);
	assert_non_null(got);
	snprintf(want, sizeof(want), "test_debuginfod.c:%d", line);
	assert_non_null(strstr(got, want));
	lines_close(l);
}

static void test_debuginfod_that_has_it_not_is_an_error(void **state)
{
	const struct lines_kernel other = {.release = "0.0-no-such",
					   .build_id = "00112233445566778899aabbccddeeff00112233"};
	char error[256] = "";

	if (!*state)
		skip();
	assert_null(lines_open(&other, NULL, error));
	assert_int_equal(errno, ENOENT);
	assert_non_null(strstr(error, "DEBUGINFOD_URLS"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_debuginfod_kernel_is_found_by_build_id_alone),
		cmocka_unit_test(test_debuginfod_that_has_it_not_is_an_error),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
