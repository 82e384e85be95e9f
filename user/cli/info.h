/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* info.h - the text form of what kmemlab info says. */
#ifndef KMEMLAB_INFO_H
#define KMEMLAB_INFO_H

struct json_t;

/** info_print() - the document of 'info --json' as text for people */
void info_print(struct json_t *doc);

#endif
