/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* debug_files.h - where a kernel's debug information lies. */
#ifndef KMEMLAB_SYMBOLS_DEBUG_FILES_H
#define KMEMLAB_SYMBOLS_DEBUG_FILES_H

/**
 * debug_file_kernel() - a vmlinux
 * @path: that file, or a directory to look in; NULL: the usual ones, then debuginfod
 * @build_id: lower-case hex or NULL
 * Return: its path, to be freed; NULL: there is none.
 */
char *debug_file_kernel(const char *path, const char *release, const char *build_id);

/** debug_file_module() - the same for a module, by the name that /proc/modules has. Below @path it
 *  may lie anywhere but in the folder of another release (lib/modules/RELEASE) */
char *debug_file_module(const char *path, const char *release, const char *module);

#endif
