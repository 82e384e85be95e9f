/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* lock.c - what to do when a lock is held: sleep in the kernel until it is given. */
#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "preload.h"

/* syscall() sets errno; malloc and free must not when they succeed. */
static void futex(struct lock *lock, int operation, int value)
{
	int saved = errno;

	syscall(SYS_futex, &lock->word, operation | FUTEX_PRIVATE_FLAG, value, NULL, NULL, 0);
	errno = saved;
}

/** lock_take_slow() - leaves 2 behind, so that the giver wakes the next one */
void lock_take_slow(struct lock *lock)
{
	while (__atomic_exchange_n(&lock->word, 2, __ATOMIC_ACQUIRE) != 0)
		futex(lock, FUTEX_WAIT, 2);
}

void lock_wake(struct lock *lock)
{
	futex(lock, FUTEX_WAKE, 1);
}
