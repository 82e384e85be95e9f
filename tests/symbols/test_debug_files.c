/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which file has a module's debug information. */
#include "../support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "symbols/debug_files.h"

static void make_file(const char *root, const char *name, char *path, size_t size)
{
	FILE *f;

	snprintf(path, size, "%s/%s", root, name);
	for (char *slash = path + strlen(root); (slash = strchr(slash + 1, '/'));) {
		*slash = '\0';
		mkdir(path, 0700);
		*slash = '/';
	}
	f = fopen(path, "we");
	assert_non_null(f);
	fclose(f);
}

static void expect(const char *root, const char *release, const char *want)
{
	char *found = debug_file_module(root, release, "some_module");

	assert_int_equal(found != NULL, want != NULL);
	if (want)
		assert_string_equal(found, want);
	free(found);
}

static void test_debug_files_module_of_another_kernel_is_not_taken(void **state)
{
	char root[] = "/tmp/kmemlab-test-XXXXXX", other[256], flat[256], command[300];

	(void)state;
	assert_non_null(mkdtemp(root));
	make_file(root, "deep/lib/modules/6.1.0/kernel/some-module.ko", other, sizeof(other));
	expect(root, "6.12.0", NULL);
	expect(root, "6.1", NULL);
	expect(root, "6.1.0", other);
	unlink(other);
	make_file(root, "some-module.ko.debug", flat, sizeof(flat)); /* of whatever kernel */
	expect(root, "6.12.0", flat);
	snprintf(command, sizeof(command), "rm -r %s", root);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_debug_files_module_of_another_kernel_is_not_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
