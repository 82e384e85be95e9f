/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* reader.c - open a trace, hand out what is known of it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trace/kinds.h"
#include "trace/reader_impl.h"

enum { ERROR_BYTES = 256, COPY_BYTES = 1 << 16 };

/* ---- Opening ----------------------------------------------------------- */

static int copy_all(int from, int to)
{
	char data[COPY_BYTES];

	for (;;) {
		ssize_t n = read(from, data, sizeof(data));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		for (ssize_t done = 0; done < n;) {
			ssize_t put = write(to, data + done, (size_t)(n - done));

			if (put < 0 && errno != EINTR)
				return -errno;
			done += put > 0 ? put : 0;
		}
	}
}

/* What cannot be read at an offset goes to a file that can. Takes @fd. */
static int spool(int fd)
{
	const char *dir = getenv("TMPDIR");
	char path[4096];
	int to, err;

	snprintf(path, sizeof(path), "%s/kmemlab-XXXXXX", dir && *dir ? dir : "/tmp");
	to = mkostemp(path, O_CLOEXEC);
	err = to < 0 ? -errno : 0;
	if (!err) {
		unlink(path);
		err = copy_all(fd, to);
	}
	close(fd);
	if (err && to >= 0)
		close(to);
	return err ? err : to;
}

static int open_input(const char *path)
{
	struct stat st;
	int fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC)
				   : fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);

	if (fd < 0)
		return -errno;
	if (!fstat(fd, &st) && S_ISDIR(st.st_mode)) {
		close(fd);
		return -EISDIR;
	}
	return lseek(fd, 0, SEEK_CUR) < 0 ? spool(fd) : fd;
}

static int say(char *error, int err, const char *name)
{
	const char *why;

	switch (err) {
	case -ENODATA:
		why = "is empty";
		break;
	case -ENOMSG:
		why = "is not a kmemlab trace (it does not start with KMT1)";
		break;
	case -EMEDIUMTYPE:
		why = "is JSON, no kmemlab trace; a replay's result is for 'kmemlab report' or "
		      "'compare'";
		break;
	case -EBADMSG:
		why = "has no intact header block, so nothing in it can be read; record anew";
		break;
	case -EPROTO:
		why = "is of a newer format version; use a newer kmemlab";
		break;
	default:
		snprintf(error, ERROR_BYTES, "cannot read '%.160s': %s", name, strerror(-err));
		return err;
	}
	snprintf(error, ERROR_BYTES, "'%.160s' %s", name, why);
	return err;
}

static int check_start(const struct trace_reader *r)
{
	uint32_t magic = 0;
	long n = block_pread(r->fd, &magic, sizeof(magic), 0);

	if (n < 0)
		return (int)n;
	if (n == 0)
		return -ENODATA;
	if (r->next_seq)
		return -EBADMSG;
	if ((magic & 0xff) == '{')
		return -EMEDIUMTYPE;
	return magic == KMT_MAGIC || n < (long)sizeof(magic) ? -EBADMSG : -ENOMSG;
}

static int open_reader(struct trace_reader *r)
{
	off_t bytes = lseek(r->fd, 0, SEEK_END);
	int err;

	if (bytes < 0)
		return -errno;
	r->bytes = (uint64_t)bytes;
	r->unpacker = block_unpacker_new();
	if (!r->unpacker)
		return -ENOMEM;
	err = scan_file(r);
	if (err)
		return err;
	return r->header ? 0 : check_start(r);
}

struct trace_reader *trace_reader_open_fd(int fd, const char *name, char *error)
{
	struct trace_reader *r = calloc(1, sizeof(*r));
	int err = -ENOMEM;

	if (r) {
		r->fd = fd;
		err = open_reader(r);
	} else {
		close(fd);
	}
	if (err) {
		say(error, err, name);
		trace_reader_close(r);
		errno = err == -ENODATA || err == -EMEDIUMTYPE ? ENOMSG : -err;
		return NULL;
	}
	return r;
}

struct trace_reader *trace_reader_open(const char *path, char *error)
{
	const char *name = strcmp(path, "-") ? path : "standard input";
	int fd = open_input(path);

	if (fd < 0) {
		say(error, fd, name);
		errno = -fd;
		return NULL;
	}
	return trace_reader_open_fd(fd, name, error);
}

static void free_chains(struct trace_reader *r)
{
	for (unsigned int cpu = 0; cpu < r->cpus; cpu++)
		free(r->chain[cpu].block);
	free(r->chain);
}

void trace_reader_close(struct trace_reader *r)
{
	if (!r)
		return;
	merge_free(r);
	free_chains(r);
	dictionary_free(&r->dictionary);
	free(r->texts.at);
	free(r->pages.at);
	free(r->header);
	free(r->account);
	block_unpacker_free(r->unpacker);
	close(r->fd);
	free(r);
}

int reader_payload(struct trace_reader *r, const struct kmt_block *head, uint64_t offset,
		   uint8_t **raw)
{
	uint8_t *data = malloc((size_t)head->raw_bytes + 1);
	int err;

	if (!data)
		return -ENOMEM;
	err = block_unpack(r->unpacker, r->fd, offset, head, data);
	if (err) {
		free(data);
		return err;
	}
	data[head->raw_bytes] = 0;
	*raw = data;
	return 0;
}

/* ---- What is known ----------------------------------------------------- */

const char *trace_reader_header(const struct trace_reader *r)
{
	return r->header;
}

const char *trace_reader_account(const struct trace_reader *r)
{
	return r->account;
}

const struct kmt_class *trace_reader_class(const struct trace_reader *r, uint32_t id)
{
	const struct dictionary *d = &r->dictionary;

	return id < d->classes_n && d->class[id].kind < KMT_KINDS ? &d->class[id] : NULL;
}

uint32_t trace_reader_classes(const struct trace_reader *r)
{
	return r->dictionary.classes_n;
}

const char *trace_reader_string(const struct trace_reader *r, uint32_t id)
{
	const struct dictionary *d = &r->dictionary;

	return id < d->strings_n && d->string[id] ? d->string[id] : "";
}

uint32_t trace_reader_stacks(const struct trace_reader *r)
{
	return r->dictionary.stacks_n;
}

uint32_t trace_reader_stack(const struct trace_reader *r, uint32_t id, const uint32_t **frames)
{
	const struct dictionary *d = &r->dictionary;

	if (id >= d->stacks_n)
		return 0;
	*frames = d->frame + d->stack[id].first;
	return d->stack[id].n;
}

const char *trace_context_name(const struct kmt_class *c)
{
	static const char *const names[KMT_CONTEXTS] = {
		[KMT_CONTEXT_UNKNOWN] = "",	   [KMT_CONTEXT_MAY_SLEEP] = "may-sleep",
		[KMT_CONTEXT_ATOMIC] = "atomic",   [KMT_CONTEXT_SOFTIRQ] = "softirq",
		[KMT_CONTEXT_HARDIRQ] = "hardirq", [KMT_CONTEXT_PREEMPTIBLE] = "preemptible",
	};

	if (c->kind != KMT_KMALLOC && c->kind != KMT_CACHE_ALLOC)
		return "";
	return c->context < KMT_CONTEXTS ? names[c->context] : "";
}

uint32_t trace_class_stack(const struct kmt_class *c)
{
	return kind_has_stack(c->kind) ? c->stack : 0;
}

unsigned int trace_reader_cpus(const struct trace_reader *r)
{
	return r->cpus;
}

void trace_reader_damage(const struct trace_reader *r, struct trace_damage *out)
{
	*out = r->damage;
	out->undefined_classes = r->merge.undefined;
}

void trace_reader_sizes(const struct trace_reader *r, uint64_t *file, uint64_t *events,
			uint64_t *event_count)
{
	*file = r->bytes;
	*events = r->event_bytes;
	*event_count = r->events;
}

void trace_reader_times(const struct trace_reader *r, uint64_t *first, uint64_t *last)
{
	*first = r->events ? r->first_ns : 0;
	*last = r->events ? r->last_ns : 0;
}

void trace_reader_lost(const struct trace_reader *r, uint64_t *ring, uint64_t *recursion,
		       uint64_t *write)
{
	*ring = r->lost_ring;
	*recursion = r->lost_recursion;
	*write = r->lost_write;
}
