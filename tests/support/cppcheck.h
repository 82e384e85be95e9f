/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * cppcheck.h - macros of system headers, which cppcheck does not read and would
 * take for functions. check.sh includes it before every file; nobody else does.
 */
#ifndef KMEMLAB_CPPCHECK_H
#define KMEMLAB_CPPCHECK_H

#define LIBBPF_OPTS(type, name, ...)	    struct type name = {__VA_ARGS__}
#define json_array_foreach(array, i, value) for (i = 0; (value = json_array_get(array, i)); i++)
#define json_object_foreach(object, k, value)                                                      \
	for (k = ""; (value = json_object_get(object, k)); k++)
#define json_object_foreach_safe(object, n, k, value)                                              \
	for (n = 0, k = ""; (value = json_object_get(object, k)); k++)

#endif
