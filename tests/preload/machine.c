/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * machine.c - make the machine at the first allocation, check it at exit.
 *
 * The first call may come from ld.so, before libc has its environment: until
 * then meta.c serves. So it does for the thread that is making the machine, as
 * pthread_atfork() and the like allocate.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "preload.h"

enum { CPUS_PER_REAL = 4, CPUS_MOST = 64, MINALIGN = 16 };

struct machine machine;

static struct lock start_lock;
static __thread bool starting;
static bool failed;

static void say(int fd, const char *text)
{
	if (write(fd, text, strlen(text)) < 0)
		return; /* nobody to tell */
}

/** die() - as glibc does on a pointer that is none of its own */
void die(const char *what, const void *pointer, const char *why)
{
	char line[512];

	snprintf(line, sizeof(line), "librmm-malloc: cannot %s %p: %s\n", what, pointer, why);
	say(STDERR_FILENO, line);
	abort();
}

static uint64_t setting(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);
	char *end;
	uint64_t n;

	if (!text)
		return otherwise;
	n = strtoull(text, &end, 10);
	if (*end == 'K')
		n <<= 10;
	if (*end == 'M')
		n <<= 20;
	if (*end == 'G')
		n <<= 30;
	return n ? n : otherwise;
}

static unsigned int count_cpus(void)
{
	long real = sysconf(_SC_NPROCESSORS_ONLN);
	uint64_t n = setting("RMM_MALLOC_CPUS", (uint64_t)(real > 0 ? real : 1) * CPUS_PER_REAL);

	return n < CPUS_MOST ? (unsigned int)n : CPUS_MOST;
}

/* Address space for @bytes, aligned to the largest block, so that a block's
 * place in the machine says how it is aligned here */
static void *map_arena(size_t bytes, size_t align)
{
	uintptr_t map = (uintptr_t)mmap(NULL, bytes + align, PROT_READ | PROT_WRITE,
					MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return map == (uintptr_t)MAP_FAILED ? NULL : (void *)((map + align - 1) & ~(align - 1));
}

static struct rmm *boot(const struct rmm_config *c)
{
	struct rmm_slab_config slab;
	struct rmm *rmm = rmm_create(c, NULL);

	if (!rmm)
		return NULL;
	rmm_slab_config_init(&slab);
	slab.kmalloc_minalign = MINALIGN; /* what malloc() promises */
	if (rmm_free_reserved(rmm, 0, c->zones[0].spanned) || rmm_setup_done(rmm) ||
	    rmm_kmem_cache_init(rmm, &slab)) {
		rmm_destroy(rmm);
		return NULL;
	}
	return rmm;
}

static struct rmm *make(void)
{
	struct rmm_zone_config zone = {.type = RMM_ZONE_NORMAL};
	struct rmm_config c;

	rmm_config_init(&c);
	machine.block_max = (size_t)PAGE << c.max_order;
	zone.spanned = (uint32_t)(setting("RMM_MALLOC_BYTES", (uint64_t)4 << 30) / PAGE);
	zone.present = zone.managed = zone.spanned;
	machine.nr_cpus = c.nr_cpus = count_cpus();
	machine.arena_bytes = (size_t)zone.spanned * PAGE;
	c.zones = &zone;
	c.nr_zones = 1;
	c.threads = true;
	c.backed = true;
	/* What rmm_config.arena asks for: whole blocks, and one more */
	c.arena = map_arena(machine.arena_bytes + 2 * machine.block_max, machine.block_max);
	if (!c.arena)
		return NULL;
	machine.arena = (uintptr_t)c.arena;
	return boot(&c);
}

static void before_fork(void)
{
	lock_take(&start_lock);
	cpu_lock_all();
	lock_take(&big_lock);
	lock_take(&meta_lock);
}

static void after_fork(void)
{
	lock_give(&meta_lock);
	lock_give(&big_lock);
	cpu_unlock_all();
	lock_give(&start_lock);
}

static void after_fork_in_child(void)
{
	cpu_after_fork();
	after_fork();
}

/** machine_start() - see machine_ready() */
bool machine_start(void)
{
	struct rmm *rmm;

	if (starting || !environ || failed)
		return false;
	lock_take(&start_lock);
	rmm = machine.rmm;
	if (!rmm && !failed) {
		starting = true;
		rmm = make();
		cpu_init();
		failed = !rmm || pthread_atfork(before_fork, after_fork, after_fork_in_child);
		starting = false;
		if (failed)
			say(STDERR_FILENO, "librmm-malloc: cannot make a machine of "
					   "RMM_MALLOC_BYTES; is there address space?\n");
		else
			__atomic_store_n(&machine.rmm, rmm, __ATOMIC_RELEASE);
	}
	lock_give(&start_lock);
	return !failed;
}

/* Live objects and slabs of all caches */
static void count(struct rmm_kmem_cache_info *sum)
{
	struct rmm_kmem_cache *s = NULL;

	memset(sum, 0, sizeof(*sum));
	while ((s = rmm_kmem_cache_next(machine.rmm, s)) != NULL) {
		struct rmm_kmem_cache_info info;

		rmm_kmem_cache_info(machine.rmm, s, &info);
		sum->objects += info.objects;
		sum->slabs += info.slabs;
	}
}

/** machine_check() - RMM_MALLOC_CHECK's line, about all the program did */
__attribute__((destructor)) void machine_check(void)
{
	const char *where = getenv("RMM_MALLOC_CHECK");
	struct rmm_kmem_cache_info sum;
	struct rmm_stat stat;
	char msg[256], line[512];
	int err, fd;

	if (!machine.rmm || !where || !*where)
		return;
	cpu_lock_all();
	err = rmm_validate(machine.rmm, msg, sizeof(msg));
	rmm_stat(machine.rmm, &stat);
	count(&sum);
	cpu_unlock_all();
	snprintf(line, sizeof(line),
		 "librmm-malloc: pid %d: %s%s; %llu objects in %llu slabs live, %llu pages "
		 "allocated\n",
		 (int)getpid(), err ? "BROKEN: " : "valid", err ? msg : "",
		 (unsigned long long)sum.objects, (unsigned long long)sum.slabs,
		 (unsigned long long)stat.alloc_pages);
	fd = *where == '/' ? open(where, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)
			   : STDERR_FILENO;
	if (fd < 0)
		fd = STDERR_FILENO;
	say(fd, line);
	if (fd != STDERR_FILENO)
		close(fd);
}
