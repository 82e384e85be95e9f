/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test.h - the only file that includes cmocka, which needs these four first. */
#ifndef KMEMLAB_TEST_H
#define KMEMLAB_TEST_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#endif
