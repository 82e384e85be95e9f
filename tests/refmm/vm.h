/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* vm.h - machines with vmalloc for refmm's tests; 8 MiB a 4 pageblocks. */
#ifndef KMEMLAB_TESTS_VM_H
#define KMEMLAB_TESTS_VM_H

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "machine.h"

#include "../../refmm/vmalloc.h"

enum { PAGE = 4096 };
#define VM_START ((uintptr_t)0xffffc90000000000)

/* @m with memory behind its pages, that can show up elsewhere */
HELPER void vm_backed(struct machine *m)
{
	m->config.backed = true;
	m->config.remappable = true;
}

HELPER struct rmm *vm_boot(const struct machine *m, const struct rmm_vmalloc_config *c)
{
	struct rmm *rmm = machine_boot(m);

	if (rmm_vmalloc_init(rmm, c))
		fail_msg("%s", rmm_last_error(rmm));
	return rmm;
}

/* One zone, one CPU, defaults */
HELPER struct rmm *vm_machine(unsigned int blocks, bool backed)
{
	struct machine m;

	machine_init(&m, blocks);
	if (backed)
		vm_backed(&m);
	return vm_boot(&m, NULL);
}

HELPER struct rmm_vmalloc_stat vm_stats(const struct rmm *rmm)
{
	struct rmm_vmalloc_stat s;

	rmm_vmalloc_stat(rmm, &s);
	return s;
}

HELPER void vm_free(struct rmm *rmm, void *address)
{
	if (rmm_vfree(rmm, 0, address))
		fail_msg("%s", rmm_last_error(rmm));
}

/* Does the last error say so? */
HELPER void says(const struct rmm *rmm, const char *text)
{
	if (!strstr(rmm_last_error(rmm), text))
		fail_msg("'%s' does not say '%s'", rmm_last_error(rmm), text);
}

HELPER uint64_t free_pages(struct rmm *rmm)
{
	for (unsigned int cpu = 0; cpu < rmm->config.nr_cpus; cpu++)
		rmm_drain_pages(rmm, cpu);
	return rmm_nr_free_pages(rmm);
}

/* Does one access to @address, by a child, end in SIGSEGV? */
HELPER bool faults(const volatile char *address)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		signal(SIGSEGV, SIG_DFL); /* not a sanitizer's */
		(void)*address;
		_exit(0);
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV;
}

#endif
