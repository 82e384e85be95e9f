/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* fixture.h - the sample result, and ways to change it for a case. */
#ifndef KMEMLAB_TEST_REPORT_FIXTURE_H
#define KMEMLAB_TEST_REPORT_FIXTURE_H

#include <jansson.h>

#define FIXTURE_PATH "tests/data/result-small.json"

/* A fresh copy of the sample result; tests run at the top of the tree. */
static inline json_t *fixture(void)
{
	return json_load_file(FIXTURE_PATH, 0, NULL);
}

/*
 * Walk @root along "a.b.0.c" and replace what is there by the JSON @value, or
 * remove it where @value is NULL. Return: 0, or -1 if there is no such place.
 */
static inline int fixture_set(json_t *root, const char *path, const char *value)
{
	char key[64];
	json_t *at = root;

	for (;;) {
		size_t n = strcspn(path, ".");
		snprintf(key, sizeof(key), "%.*s", (int)n, path);
		if (!path[n])
			break;
		at = json_is_array(at) ? json_array_get(at, strtoul(key, NULL, 10))
				       : json_object_get(at, key);
		path += n + 1;
	}
	json_t *v = value ? json_loads(value, JSON_DECODE_ANY, NULL) : NULL;
	if (json_is_array(at))
		return v ? json_array_set_new(at, strtoul(key, NULL, 10), v)
			 : json_array_remove(at, strtoul(key, NULL, 10));
	return v ? json_object_set_new(at, key, v) : json_object_del(at, key);
}

#endif
