// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * calibrate.c - where struct pages and the direct map begin.
 *
 *   vmemmap     = struct page address - frame number * sizeof(struct page)
 *   page_offset = large kmalloc's address - frame number * page size
 *
 * Both sides of each equation are seen by calibrate.bpf.c while this process
 * makes allocations of its own. An interrupt may slip in events of its own, so
 * a base counts only if almost all pairs agree on it and it is aligned as the
 * kernel aligns it.
 */
#include "record.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "calibrate.skel.h"

enum {
	PAGES = 64,	   /* pairs that calibrate.bpf.c stores */
	LARGE_IOVS = 1024, /* their copy in the kernel is a 16 KiB kmalloc */
	PAGE_BYTES = 4096,
};

/* x86-64 randomises both bases in steps of a page-directory entry. */
#define BASE_ALIGN (1ull << 30)

/* Make the kernel allocate pages, then take large kmallocs, in this process. */
static int provoke(void)
{
	static const struct iovec empty[LARGE_IOVS];
	char *m = mmap(NULL, (size_t)PAGES * PAGE_BYTES, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	int err = 0;

	if (m == MAP_FAILED || fd < 0)
		err = -errno;
	for (int i = 0; !err && i < PAGES; i++)
		m[(size_t)i * PAGE_BYTES] = 1;
	for (int i = 0; !err && i < PAGES; i++)
		if (writev(fd, empty, LARGE_IOVS) < 0)
			err = -errno;
	if (m != MAP_FAILED)
		munmap(m, (size_t)PAGES * PAGE_BYTES);
	if (fd >= 0)
		close(fd);
	return err;
}

/* The base that at least nine of ten pairs (a[i] - b[i] * unit) agree on. */
static int common_base(const __u64 *a, const __u64 *b, unsigned int n, uint64_t unit,
		       uint64_t *base)
{
	for (unsigned int i = 0; i < n; i++) {
		unsigned int agree = 0;

		*base = a[i] - b[i] * unit;
		for (unsigned int j = 0; j < n; j++)
			agree += a[j] - b[j] * unit == *base;
		if (agree * 10 >= n * 9 && *base % BASE_ALIGN == 0)
			return 0;
	}
	return -ENOTSUP;
}

static uint32_t page_struct_bytes(void)
{
	struct btf *btf = btf__load_vmlinux_btf();
	const struct btf_type *type;
	uint32_t bytes = 0;
	int id;

	if (!btf)
		return 0;
	id = btf__find_by_name_kind(btf, "page", BTF_KIND_STRUCT);
	type = id > 0 ? btf__type_by_id(btf, (uint32_t)id) : NULL;
	if (type)
		bytes = type->size;
	btf__free(btf);
	return bytes;
}

static int solve(const struct calibrate__bss *seen, struct kernel_bases *bases, char *error)
{
	unsigned int pairs = seen->pages < seen->frames ? seen->pages : seen->frames;
	__u64 frame[PAGES];

	if (common_base(seen->page, seen->frame, pairs, bases->page_struct_bytes,
			&bases->vmemmap)) {
		snprintf(error, 256, "cannot find vmemmap: %u page events do not agree", pairs);
		return -ENOTSUP;
	}
	for (unsigned int i = 0; i < seen->objects; i++)
		frame[i] = (seen->object_page[i] - bases->vmemmap) / bases->page_struct_bytes;
	if (common_base(seen->object, frame, seen->objects, PAGE_BYTES, &bases->page_offset)) {
		snprintf(error, 256, "cannot find the direct map: %u kmalloc events do not agree",
			 seen->objects);
		return -ENOTSUP;
	}
	return 0;
}

int calibrate(struct kernel_bases *bases, char *error)
{
	const char *what = "cannot attach to kmem:mm_page_alloc";
	struct calibrate *skel;
	int err;

	libbpf_set_print(NULL); /* what matters of its words is said in ours */
	bases->page_struct_bytes = page_struct_bytes();
	if (!bases->page_struct_bytes) {
		snprintf(error, 256,
			 "cannot read kernel type information (BTF) at "
			 "/sys/kernel/btf/vmlinux: %s; see 'kmemlab doctor'",
			 strerror(errno));
		return errno == EPERM || errno == EACCES ? -EPERM : -ENOTSUP;
	}
	skel = calibrate__open();
	if (!skel)
		return -errno;
	err = calibrate__load(skel);
	if (!err) {
		err = calibrate__attach(skel);
		what = err == -EACCES ? "cannot read tracefs' kmem:mm_page_alloc" : what;
	}
	if (err)
		snprintf(error, 256, "%s: %s", what, strerror(-err));
	if (!err) {
		skel->bss->tgid = (uint32_t)getpid();
		err = provoke();
		calibrate__detach(skel);
		err = err ? err : solve(skel->bss, bases, error);
	}
	calibrate__destroy(skel);
	return err == -EACCES ? -EPERM : err;
}
