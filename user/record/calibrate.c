// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * calibrate.c - where struct pages and the direct map begin.
 *
 *   vmemmap     = struct page address - frame number * sizeof(struct page)
 *   page_offset = large kmalloc's address - frame number * page size
 *
 * calibrate.bpf.c sees struct pages and objects while this process allocates.
 * Frame numbers come from the classic tracepoint where tracefs is there, else
 * from this process's own page map. Neither side is in step with the other
 * (page tables, interrupts), so a base counts only if nearly every frame has a
 * page at the place that the base predicts, and if it is aligned as the kernel
 * aligns it.
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
#include "context.h"
#include "refusal.h"

enum {
	FRAMES = 64, /* pages that this process touches */
	PAGES = 256, /* that calibrate.bpf.c stores */
	ENOUGH = 8,
	LARGE_IOVS = 1024, /* their copy in the kernel is a 16 KiB kmalloc */
	PAGE_BYTES = 4096,
};

/* x86-64 randomises both bases in steps of a page-directory entry. */
#define BASE_ALIGN (1ull << 30)

/* Present and frame number, Documentation/admin-guide/mm/pagemap.rst. */
#define PAGEMAP_PRESENT (1ull << 63)
#define PAGEMAP_FRAME	((1ull << 55) - 1)

/* What lies under [m, m + FRAMES pages); none where the kernel will not say. */
static unsigned int own_frames(const char *m, __u64 *frame)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	unsigned int n = 0;

	for (int i = 0; fd >= 0 && i < FRAMES; i++) {
		off_t at = (off_t)((uintptr_t)m / PAGE_BYTES + (unsigned int)i) * 8;
		uint64_t entry;

		if (pread(fd, &entry, sizeof(entry), at) == sizeof(entry) &&
		    entry & PAGEMAP_PRESENT && entry & PAGEMAP_FRAME)
			frame[n++] = entry & PAGEMAP_FRAME;
	}
	if (fd >= 0)
		close(fd);
	return n;
}

/* Make the kernel allocate pages to this process; frames as it may know them. */
static int touch_pages(__u64 *frame, unsigned int *frames)
{
	const size_t bytes = (size_t)FRAMES * PAGE_BYTES;
	char *m = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (m == MAP_FAILED)
		return -errno;
	madvise(m, bytes, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < bytes; i += PAGE_BYTES)
		m[i] = 1;
	*frames = own_frames(m, frame);
	munmap(m, bytes);
	return 0;
}

/* Make the kernel take large kmallocs. */
static int copy_iovecs(void)
{
	static const struct iovec empty[LARGE_IOVS];
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	int err = fd < 0 ? -errno : 0;

	for (int i = 0; !err && i < FRAMES; i++)
		if (writev(fd, empty, LARGE_IOVS) < 0)
			err = -errno;
	if (fd >= 0)
		close(fd);
	return err;
}

struct set {
	const __u64 *v;
	unsigned int n;
};

static bool has(const struct set *s, uint64_t v)
{
	for (unsigned int i = 0; i < s->n; i++)
		if (s->v[i] == v)
			return true;
	return false;
}

/* Does nearly every frame have an address at base + frame * unit? */
static bool agrees(const struct set *address, const struct set *frame, uint64_t unit, uint64_t base)
{
	unsigned int agree = 0;

	for (unsigned int i = 0; i < frame->n; i++)
		agree += has(address, base + frame->v[i] * unit);
	return agree * 10 >= frame->n * 9;
}

static int find_base(const struct set *address, const struct set *frame, uint64_t unit,
		     uint64_t *base)
{
	if (frame->n < ENOUGH)
		return -ENOTSUP;
	for (unsigned int i = 0; i < frame->n; i++) {
		for (unsigned int j = 0; j < address->n; j++) {
			*base = address->v[j] - frame->v[i] * unit;
			if (*base % BASE_ALIGN == 0 && agrees(address, frame, unit, *base))
				return 0;
		}
	}
	return -ENOTSUP;
}

/* What the kernel tells of its types. */
static void read_types(struct kernel_bases *bases)
{
	struct btf *btf = btf__load_vmlinux_btf();
	const struct btf_type *type;
	int id;

	if (!btf)
		return;
	id = btf__find_by_name_kind(btf, "page", BTF_KIND_STRUCT);
	type = id > 0 ? btf__type_by_id(btf, (uint32_t)id) : NULL;
	if (type)
		bases->page_struct_bytes = type->size;
	bases->no_context = context_find(&bases->context, btf);
	btf__free(btf);
}

/* What the counts are where nothing forbids to sleep. */
static void settle_context(struct kernel_bases *bases, const struct calibrate__bss *seen)
{
	if (!bases->context.known)
		return;
	bases->context.count = seen->blocking.count;
	bases->context.rcu = seen->blocking.rcu;
	bases->no_context =
		context_doubt(&bases->context, seen->blocking.seen, seen->blocking.unlike);
	bases->context.known = !bases->no_context;
}

static int solve(const struct calibrate__bss *seen, const struct set *frames,
		 struct kernel_bases *bases, char *error)
{
	const struct set pages = {seen->page, seen->pages}, objects = {seen->object, seen->objects};
	__u64 frame[FRAMES];
	const struct set object_frames = {frame, seen->objects};

	if (!frames->n) {
		snprintf(error, 256,
			 "cannot learn frame numbers: tracefs is not readable, and "
			 "/proc/self/pagemap hides them without CAP_SYS_ADMIN");
		return -EPERM;
	}
	if (find_base(&pages, frames, bases->page_struct_bytes, &bases->vmemmap)) {
		snprintf(error, 256, "cannot find vmemmap: %u pages and %u frames do not agree",
			 pages.n, frames->n);
		return -ENOTSUP;
	}
	for (unsigned int i = 0; i < objects.n; i++)
		frame[i] = (seen->object_page[i] - bases->vmemmap) / bases->page_struct_bytes;
	if (find_base(&objects, &object_frames, PAGE_BYTES, &bases->page_offset)) {
		snprintf(error, 256, "cannot find the direct map: %u kmalloc events do not agree",
			 objects.n);
		return -ENOTSUP;
	}
	return 0;
}

static int attach(struct calibrate *skel, char *error)
{
	skel->links.see_page = bpf_program__attach(skel->progs.see_page);
	skel->links.see_object = bpf_program__attach(skel->progs.see_object);
	if (skel->links.see_page && skel->links.see_object) {
		/* Needs tracefs, and can be done without. */
		skel->links.see_frame = bpf_program__attach(skel->progs.see_frame);
		return 0;
	}
	snprintf(error, 256, "cannot attach to kmem:mm_page_alloc: %s", strerror(errno));
	return -errno;
}

static int watch(struct calibrate *skel, struct kernel_bases *bases, char *error)
{
	__u64 own[FRAMES];
	struct set frames = {own, 0};
	int err;

	skel->bss->tgid = (uint32_t)getpid();
	err = touch_pages(own, &frames.n);
	if (!err)
		err = copy_iovecs();
	calibrate__detach(skel);
	if (err) {
		snprintf(error, 256, "cannot make test allocations: %s", strerror(-err));
		return err;
	}
	if (skel->bss->frames)
		frames = (struct set){skel->bss->frame, skel->bss->frames};
	settle_context(bases, skel->bss);
	return solve(skel->bss, &frames, bases, error);
}

int calibrate(struct kernel_bases *bases, char *error)
{
	struct calibrate *skel;
	int err;

	refusal_keep();
	read_types(bases);
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
	skel->rodata->context = bases->context;
	err = calibrate__load(skel);
	if (err)
		snprintf(error, 256, "cannot attach to kmem:mm_page_alloc: %s", refusal_words(err));
	err = err ? err : attach(skel, error);
	err = err ? err : watch(skel, bases, error);
	calibrate__destroy(skel);
	return err == -EACCES ? -EPERM : err;
}
