// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * texts.c - the kernel's own account of its allocators, kept as it was printed,
 * so that whoever reads a trace can check it against what we did not write.
 */
#include "record.h"

#include <common/procfs.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"

struct text_file {
	const char *path;
	const char *name;
	bool sampled; /* by the timer too, not only at start and end */
};

static const struct text_file text_files[] = {
	{"/proc/buddyinfo", "buddyinfo", true},
	{"/proc/vmstat", "vmstat", true},
	{"/sys/kernel/debug/extfrag/unusable_index", "extfrag/unusable_index", true},
	{"/sys/kernel/debug/extfrag/extfrag_index", "extfrag/extfrag_index", true},
	{"/proc/zoneinfo", "zoneinfo", true},
	{"/proc/pagetypeinfo", "pagetypeinfo", false},
	{"/proc/slabinfo", "slabinfo", false},
	{"/proc/meminfo", "meminfo", false},
};

/* What not every kernel has; its absence is none of a file. */
static const struct text_file optional_files[] = {
	{"/sys/kernel/mm/lru_gen/enabled", "kernel/mm/lru_gen/enabled", false},
	{PERCPU_STATS, "percpu_stats", false},
	{"/sys/module/page_alloc/parameters/shuffle", "module/page_alloc/parameters/shuffle",
	 false},
};

static int record_file(struct trace_writer *w, uint16_t phase, const char *path, const char *name)
{
	size_t bytes;
	char *text = file_text(path, &bytes);
	int err;

	if (!text)
		return -errno;
	err = trace_writer_text(w, phase, boottime_ns(), name, text, bytes);
	free(text);
	return err;
}

/* Every readable sysctl of the memory manager; some are write-only. */
static void record_sysctls(struct trace_writer *w, uint16_t phase)
{
	DIR *dir = opendir("/proc/sys/vm");
	struct dirent *e;

	while (dir && (e = readdir(dir))) {
		char path[300], name[300];

		/* Reading stat_refresh makes every CPU work. */
		if (e->d_name[0] == '.' || !strcmp(e->d_name, "stat_refresh"))
			continue;
		snprintf(path, sizeof(path), "/proc/sys/vm/%s", e->d_name);
		snprintf(name, sizeof(name), "sys/vm/%s", e->d_name);
		record_file(w, phase, path, name);
	}
	if (dir)
		closedir(dir);
}

static void check_readable(const char *path, struct missing *missing)
{
	int err = file_refused(path);

	if (err)
		missing_add(missing, path, strerror(-err));
}

void texts_missing(struct missing *missing)
{
	for (size_t i = 0; i < sizeof(text_files) / sizeof(text_files[0]); i++)
		check_readable(text_files[i].path, missing);
	check_readable("/proc/kpageflags", missing);
}

void record_texts(struct trace_writer *w, uint16_t phase)
{
	for (size_t i = 0; i < sizeof(text_files) / sizeof(text_files[0]); i++)
		if (phase || text_files[i].sampled)
			record_file(w, phase, text_files[i].path, text_files[i].name);
	for (size_t i = 0; phase && i < sizeof(optional_files) / sizeof(optional_files[0]); i++)
		record_file(w, phase, optional_files[i].path, optional_files[i].name);
	if (phase)
		record_sysctls(w, phase);
}

int record_json(struct trace_writer *w, uint16_t phase, const char *name, const json_t *doc)
{
	char *text = doc ? json_dumps(doc, JSON_COMPACT) : NULL;
	int err = text ? trace_writer_text(w, phase, boottime_ns(), name, text, strlen(text))
		       : -ENOMEM;

	free(text);
	return err;
}

/*
 * The file stays open, and so the kernel keeps its buffer: a reading allocates no
 * pages, which would count themselves.
 */
int vmstat_pages(uint64_t *allocated, uint64_t *freed)
{
	static char text[1 << 16];
	static int fd = -1;
	size_t bytes = 0;
	ssize_t n = 1;
	int err;

	if (fd < 0)
		fd = open("/proc/vmstat", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	while (n > 0 && bytes + 1 < sizeof(text)) {
		n = pread(fd, text + bytes, sizeof(text) - 1 - bytes, (off_t)bytes);
		bytes += n > 0 ? (size_t)n : 0;
	}
	if (n < 0)
		return -errno;
	text[bytes] = '\0';
	err = proc_vmstat(text, "pgfree", freed);
	if (!err)
		*allocated = proc_vmstat_sum(text, "pgalloc_");
	return err;
}
