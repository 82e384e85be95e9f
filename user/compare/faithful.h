/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* faithful.h - a policy is believed as far as the reference is faithful. */
#ifndef KMEMLAB_COMPARE_FAITHFUL_H
#define KMEMLAB_COMPARE_FAITHFUL_H

#include <jansson.h>

/**
 * warn_unless_faithful() - say on stderr why nothing can be concluded from @what
 * @grade: a result's fidelity.grade; NULL: it has none
 */
void warn_unless_faithful(const char *what, const json_t *grade);

#endif
