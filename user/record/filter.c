// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* filter.c - what to record of; the programs decide (bpf/filter.bpf.h). */
#include "filter.h"

#include <common/procfs.h>
#include <common/units.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <trace/kinds.h>
#include <unistd.h>

const char *filter_name(enum filter_key key)
{
	static const char *const names[] = {
		[FILTER_PID] = "pid",	     [FILTER_COMM] = "comm",   [FILTER_CGROUP] = "cgroup",
		[FILTER_CACHE] = "cache",    [FILTER_ORDER] = "order", [FILTER_SIZE] = "size",
		[FILTER_SITE] = "call-site",
	};

	return names[key];
}

static int add_pid(struct kml_filter *k, const char *text)
{
	char *rest;
	unsigned long pid = strtoul(text, &rest, 10);

	if (rest == text || *rest || !pid || pid > INT32_MAX)
		return -EINVAL;
	if (k->pids == KML_FILTER_PIDS)
		return -E2BIG;
	k->pid[k->pids++] = (uint32_t)pid;
	k->by_task = 1;
	return 0;
}

static int add_comm(struct kml_filter *k, const char *text)
{
	/* The kernel keeps 15 bytes of a name. */
	if (!*text || strlen(text) >= sizeof(k->comm))
		return -EINVAL;
	if (k->by_comm)
		return -E2BIG;
	memcpy(k->comm, text, strlen(text));
	k->by_comm = k->by_task = 1;
	return 0;
}

/* Names in a path; 0: none, or "." or ".." among them. */
static uint32_t path_depth(const char *text)
{
	uint32_t depth = 0;

	for (size_t n; *text; text += n) {
		text += strspn(text, "/");
		n = strcspn(text, "/");
		if ((n == 1 && text[0] == '.') || (n == 2 && !strncmp(text, "..", 2)))
			return 0;
		depth += n > 0;
	}
	return depth;
}

/* The cgroup @text below @root. Return: 0, or -errno, -ENOTDIR too. */
static int find_cgroup(struct kml_filter *k, const char *root, const char *text)
{
	char path[4096];
	struct stat st;

	/* A root of version 2 says what it controls. */
	snprintf(path, sizeof(path), "%s/cgroup.controllers", root);
	if (access(path, F_OK))
		return -ENOENT;
	if (!strncmp(text, root, strlen(root)) && text[strlen(root)] == '/')
		text += strlen(root);
	if (snprintf(path, sizeof(path), "%s/%s", root, text) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	if (stat(path, &st))
		return -errno;
	if (!S_ISDIR(st.st_mode))
		return -ENOTDIR;
	k->cgroup_level = path_depth(text);
	k->cgroup_id = st.st_ino;
	return k->cgroup_level ? 0 : -EINVAL;
}

/* The directory's inode number is the cgroup's; its depth is that of its path. */
static int add_cgroup(struct kml_filter *k, const char *text)
{
	int err;

	if (k->cgroup_level)
		return -E2BIG;
	if (!path_depth(text))
		return -EINVAL;
	err = find_cgroup(k, "/sys/fs/cgroup/unified", text);
	if (err == -ENOENT)
		err = find_cgroup(k, "/sys/fs/cgroup", text);
	k->by_task |= !err;
	return err;
}

static int add_cache(struct kml_filter *k, const char *text)
{
	size_t n = strlen(text);

	if (!n || n >= sizeof(k->cache))
		return -EINVAL;
	if (k->by_cache)
		return -E2BIG;
	memcpy(k->cache, text, n);
	/* The name's end must agree too, unless a star leaves it open. */
	k->cache_bytes = (uint32_t)(text[n - 1] == '*' ? n - 1 : n + 1);
	k->by_cache = k->by_slot = 1;
	return 0;
}

static int parse_end(const char *text, uint32_t *out)
{
	uint64_t n;

	if (units_bytes(text, &n) || n > UINT32_MAX)
		return -EINVAL;
	*out = (uint32_t)n;
	return 0;
}

/* "3", "3-", "-3" or "3-5" */
static int parse_range(const char *text, uint32_t *least, uint32_t *most)
{
	char from[32];
	const char *dash = strchr(text, '-');
	int err = 0;

	*least = 0;
	*most = UINT32_MAX;
	if (!dash) {
		err = parse_end(text, least);
		*most = *least;
		return err;
	}
	if (!text[1] || (size_t)(dash - text) >= sizeof(from))
		return -EINVAL;
	memcpy(from, text, (size_t)(dash - text));
	from[dash - text] = '\0';
	if (*from)
		err = parse_end(from, least);
	if (!err && dash[1])
		err = parse_end(dash + 1, most);
	return err ? err : *least <= *most ? 0 : -EINVAL;
}

static int add_order(struct kml_filter *k, const char *text)
{
	int err;

	if (k->by_order)
		return -E2BIG;
	err = parse_range(text, &k->order_min, &k->order_max);
	if (!err && k->order_min >= PROC_ORDERS)
		err = -EINVAL;
	k->by_order = k->by_slot = 1;
	return err;
}

static int add_size(struct kml_filter *k, const char *text)
{
	if (k->by_size)
		return -E2BIG;
	k->by_size = k->by_slot = 1;
	return parse_range(text, &k->size_min, &k->size_max);
}

static int add_site(struct filters *f, const char *text)
{
	if (f->kernel.sites == KML_FILTER_SITES)
		return -E2BIG;
	f->site[f->kernel.sites++] = text;
	f->kernel.by_slot = 1;
	return 0;
}

static int add(struct filters *f, enum filter_key key, const char *text)
{
	struct kml_filter *k = &f->kernel;

	switch (key) {
	case FILTER_PID:
		return add_pid(k, text);
	case FILTER_COMM:
		return add_comm(k, text);
	case FILTER_CGROUP:
		return add_cgroup(k, text);
	case FILTER_CACHE:
		return add_cache(k, text);
	case FILTER_ORDER:
		return add_order(k, text);
	case FILTER_SIZE:
		return add_size(k, text);
	default:
		return add_site(f, text);
	}
}

int filters_add(struct filters *f, enum filter_key key, const char *text)
{
	int err = f->words < FILTER_WORDS_MAX ? add(f, key, text) : -E2BIG;

	if (err)
		return err;
	f->word[f->words].key = key;
	f->word[f->words++].text = text;
	f->kernel.on = 1;
	return 0;
}

const char *filters_conflict(const struct filters *f, unsigned int families)
{
	const struct kml_filter *k = &f->kernel;
	bool objects = k->by_cache || k->by_size || k->sites;

	if (k->by_order && objects)
		return "--order is of pages, --cache, --size and --call-site are of objects: "
		       "nothing would be recorded";
	if (k->by_order && !(families & FAMILY_PAGE))
		return "--order is of pages: add page to --probe";
	if (objects && !(families & (FAMILY_SLAB | FAMILY_PERCPU)))
		return "--cache, --size and --call-site are of objects: add slab to --probe";
	return NULL;
}

const char *filters_resolve(struct filters *f, const struct symbols *symbols)
{
	for (uint32_t i = 0; i < f->kernel.sites; i++) {
		uint64_t from, to;

		if (!symbols || symbols_range(symbols, f->site[i], &from, &to))
			return f->site[i];
		f->kernel.site[i].from = from;
		f->kernel.site[i].to = to;
	}
	return NULL;
}

void filters_sample(const struct rings *r, unsigned int shift)
{
	for (unsigned int cpu = 0; cpu < r->cpus; cpu++)
		__atomic_store_n(&ring_of(r, cpu)->sample_mask, (1ull << shift) - 1,
				 __ATOMIC_RELAXED);
}
