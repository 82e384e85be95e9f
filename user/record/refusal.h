/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* refusal.h - why a kernel did not load a BPF program, in one line. */
#ifndef KMEMLAB_RECORD_REFUSAL_H
#define KMEMLAB_RECORD_REFUSAL_H

/**
 * refusal_keep() - from here on libbpf prints nothing; what it says of a program that
 * the kernel refused is kept for refusal_words(). Again has no effect but to forget.
 */
void refusal_keep(void);

/**
 * refusal_words() - what to say of a load that failed with @err, a negative errno
 *
 * The program and the verifier's last word on it where one was refused since
 * refusal_keep(), otherwise strerror(-@err). Valid until the next call of either.
 */
const char *refusal_words(int err);

#endif
