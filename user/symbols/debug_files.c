/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* debug_files.c - see debug_files.h. */
#ifndef KMEMLAB_STATIC
#include "symbols/debug_files.h"

#include <dlfcn.h>
#include <fts.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 4096 };

static bool is_file(const char *path)
{
	struct stat s;

	return !stat(path, &s) && S_ISREG(s.st_mode) && !access(path, R_OK);
}

/* The places that distributions use, below @root. */
static char *kernel_below(const char *root, const char *release, const char *build_id)
{
	static const char *const place[] = {
		"usr/lib/debug/boot/vmlinux-%s",
		"usr/lib/debug/lib/modules/%s/vmlinux",
		"usr/lib/debug/boot/vmlinux-%s.debug",
		"lib/modules/%s/build/vmlinux",
		"lib/modules/%s/vmlinux",
		"boot/vmlinux-%s",
		"vmlinux-%s",
	};
	char path[PATH_BYTES], name[PATH_BYTES];

	for (size_t i = 0; *release && i < sizeof(place) / sizeof(place[0]); i++) {
		const char *at = strstr(place[i], "%s");

		snprintf(name, sizeof(name), "%.*s%s%s", (int)(at - place[i]), place[i], release,
			 at + 2);
		if (snprintf(path, sizeof(path), "%s/%s", root, name) < (int)sizeof(path) &&
		    is_file(path))
			return strdup(path);
	}
	if (build_id && strlen(build_id) > 2) {
		snprintf(path, sizeof(path), "%s/usr/lib/debug/.build-id/%.2s/%s.debug", root,
			 build_id, build_id + 2);
		if (is_file(path))
			return strdup(path);
	}
	snprintf(path, sizeof(path), "%s/vmlinux", root);
	return is_file(path) ? strdup(path) : NULL;
}

/* elfutils' client, which is not on every machine. It answers with a file in its cache. */
static char *kernel_from_server(const char *build_id)
{
	void *so = build_id && getenv("DEBUGINFOD_URLS") ? dlopen("libdebuginfod.so.1", RTLD_NOW)
							 : NULL;
	void *(*begin)(void) = so ? (void *(*)(void))dlsym(so, "debuginfod_begin") : NULL;
	void (*end)(void *) = so ? (void (*)(void *))dlsym(so, "debuginfod_end") : NULL;
	int (*find)(void *, const unsigned char *, int, char **) =
		so ? (int (*)(void *, const unsigned char *, int, char **))dlsym(
			     so, "debuginfod_find_debuginfo")
		   : NULL;
	void *client = begin && end && find ? begin() : NULL;
	char *path = NULL;
	int fd;

	if (!client)
		return NULL;
	/* A length of 0: the build id is text. */
	fd = find(client, (const unsigned char *)build_id, 0, &path);
	if (fd >= 0)
		close(fd);
	else
		path = NULL;
	end(client);
	return path;
}

char *debug_file_kernel(const char *path, const char *release, const char *build_id)
{
	char *found;

	if (path)
		return is_file(path) ? strdup(path) : kernel_below(path, release, build_id);
	found = kernel_below("", release, build_id);
	return found ? found : kernel_from_server(build_id);
}

/* Is @file that module, stripped or not? Names have '-' where /proc/modules has '_'. */
static bool is_module(const char *file, const char *module)
{
	size_t n = strlen(module);

	for (size_t i = 0; i < n; i++)
		if (file[i] != module[i] && !(file[i] == '-' && module[i] == '_'))
			return false;
	return !strcmp(file + n, ".ko") || !strcmp(file + n, ".ko.debug");
}

/* Does @path lie in the folder of another kernel's modules? */
static bool is_of_another(const char *path, const char *release)
{
	static const char folder[] = "/lib/modules/";
	const char *at = strstr(path, folder);
	size_t n = strlen(release);

	if (!at || !n)
		return false;
	at += strlen(folder);
	return strncmp(at, release, n) != 0 || at[n] != '/';
}

static char *search(char *root, const char *release, const char *module)
{
	char *const roots[] = {root, NULL};
	FTS *tree = is_file(root) ? NULL : fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	char *found = NULL;

	for (FTSENT *e; tree && !found && (e = fts_read(tree));)
		if (e->fts_info == FTS_F && is_module(e->fts_name, module) &&
		    !is_of_another(e->fts_path, release))
			found = strdup(e->fts_path);
	if (tree)
		fts_close(tree);
	return found;
}

char *debug_file_module(const char *path, const char *release, const char *module)
{
	static const char *const place[] = {"usr/lib/debug/lib/modules", "lib/modules"};
	char root[PATH_BYTES];
	char *found = NULL;

	if (!*module || strchr(module, '/'))
		return NULL;
	for (size_t i = 0; !found && *release && i < sizeof(place) / sizeof(place[0]); i++)
		if (snprintf(root, sizeof(root), "%s/%s/%s", path ? path : "", place[i], release) <
		    (int)sizeof(root))
			found = search(root, release, module);
	if (!found && path && snprintf(root, sizeof(root), "%s", path) < (int)sizeof(root))
		found = search(root, release, module);
	return found;
}

#endif
