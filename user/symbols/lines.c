/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * lines.c - see lines.h; elfutils does the reading.
 *
 * A call site is the address that the call returns to, so the line is that of the
 * byte before. Of frames the innermost comes first, as in
 *
 *   mm/util.c:63 (inlined by kstrdup_const mm/util.c:88)
 */
#ifndef KMEMLAB_STATIC
#include "symbols/lines.h"

#include <dwarf.h>
#include <elfutils/libdwfl.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "symbols/debug_files.h"

enum { FRAME_BYTES = 512, TEXT_BYTES = 2048, TREE_TRIES = 4096 };

struct function {
	const char *name; /* in the ELF file */
	uint64_t address, size;
};

/* An object with debug information: vmlinux, or a module. */
struct object {
	struct object *next;
	char name[64]; /* "" for vmlinux */
	Dwfl *dwfl;
	Dwfl_Module *module;	   /* NULL: there is none */
	struct function *function; /* by name */
	size_t n;
};

struct found {
	struct found *next;
	char *site, *text; /* text: NULL: not known */
};

struct lines {
	struct lines_kernel kernel;
	char *path, *release;
	char tree[256]; /* what file names begin with, up to the kernel's top directory */
	struct object *objects;
	struct found *found;
};

static int by_name(const void *a, const void *b)
{
	const struct function *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : (x->address > y->address) - (x->address < y->address);
}

/* ---- Objects ----------------------------------------------------------- */

static int load_functions(struct object *o)
{
	int n = dwfl_module_getsymtab(o->module);

	o->function = n > 0 ? calloc((size_t)n, sizeof(*o->function)) : NULL;
	if (!o->function)
		return n > 0 ? -ENOMEM : -ENOENT;
	for (int i = 1; i < n; i++) {
		GElf_Sym sym;
		GElf_Addr address;
		const char *name =
			dwfl_module_getsym_info(o->module, i, &sym, &address, NULL, NULL, NULL);

		if (name && GELF_ST_TYPE(sym.st_info) == STT_FUNC && sym.st_shndx != SHN_UNDEF)
			o->function[o->n++] = (struct function){name, address, sym.st_size};
	}
	qsort(o->function, o->n, sizeof(*o->function), by_name);
	return 0;
}

static int open_object(struct object *o, const char *path)
{
	static char *no_path; /* elfutils' own default */
	static const Dwfl_Callbacks callbacks = {
		.find_elf = dwfl_build_id_find_elf,
		.find_debuginfo = dwfl_standard_find_debuginfo,
		.section_address = dwfl_offline_section_address,
		.debuginfo_path = &no_path,
	};

	o->dwfl = dwfl_begin(&callbacks);
	if (!o->dwfl)
		return -ENOMEM;
	o->module = dwfl_report_offline(o->dwfl, *o->name ? o->name : "kernel", path, -1);
	dwfl_report_end(o->dwfl, NULL, NULL);
	return o->module ? load_functions(o) : -EBADMSG;
}

static void free_object(struct object *o)
{
	if (o->dwfl)
		dwfl_end(o->dwfl);
	free(o->function);
	free(o);
}

/* What its build id says; without one on either side there is nothing to compare. */
static bool is_other_kernel(const struct object *o, const char *want)
{
	const unsigned char *bits;
	GElf_Addr at;
	int n = dwfl_module_build_id(o->module, &bits, &at);
	char text[129] = "";

	for (int i = 0; i < n && i < 64; i++)
		snprintf(text + 2 * i, 3, "%02x", bits[i]);
	return want && n > 0 && strcmp(text, want) != 0;
}

/* Where init/main.c is told to be is the tree that the kernel was built from. */
static void find_tree(struct lines *l, Dwfl_Module *module)
{
	static const char anchor[] = "/init/main.c";
	Dwarf_Die *unit = NULL;
	Dwarf_Addr bias;

	for (int i = 0; i < TREE_TRIES && (unit = dwfl_module_nextcu(module, unit, &bias)); i++) {
		const char *name = dwarf_diename(unit);
		size_t bytes = name ? strlen(name) : 0, tail = sizeof(anchor) - 1;

		if (bytes > tail && !strcmp(name + bytes - tail, anchor)) {
			snprintf(l->tree, sizeof(l->tree), "%.*s/", (int)(bytes - tail), name);
			return;
		}
	}
}

static struct object *object_of(struct lines *l, const char *name)
{
	struct object *o = l->objects;
	char *path;

	while (o && strcmp(o->name, name) != 0)
		o = o->next;
	if (o)
		return o;
	o = calloc(1, sizeof(*o));
	if (!o)
		return NULL;
	snprintf(o->name, sizeof(o->name), "%s", name);
	path = debug_file_module(l->path, l->release, name);
	if (path && open_object(o, path))
		o->module = NULL;
	free(path);
	o->next = l->objects;
	l->objects = o;
	return o;
}

static int open_kernel(struct lines *l, char *error)
{
	struct object *o = calloc(1, sizeof(*o));
	char *path = debug_file_kernel(l->path, l->release, l->kernel.build_id);
	int err = !o ? -ENOMEM : path ? open_object(o, path) : -ENOENT;

	if (err == -ENOENT)
		snprintf(error, 256,
			 "no debug information of Linux %s: none in %s; install the kernel's "
			 "debug package or name a vmlinux with --debug-info",
			 *l->release ? l->release : "(unknown release)",
			 l->path ? l->path : "/usr/lib/debug, /lib/modules or DEBUGINFOD_URLS");
	else if (err)
		snprintf(error, 256, "cannot read debug information from '%s': %s", path,
			 err == -ENOMEM ? "no memory" : dwfl_errmsg(-1));
	if (!err && is_other_kernel(o, l->kernel.build_id)) {
		snprintf(error, 256, "'%s' is of another kernel: its build id is not %s", path,
			 l->kernel.build_id);
		err = -EINVAL;
	}
	free(path);
	if (err) {
		if (o)
			free_object(o);
		return err;
	}
	find_tree(l, o->module);
	l->objects = o;
	return 0;
}

struct lines *lines_open(const struct lines_kernel *kernel, const char *path, char *error)
{
	struct lines *l = calloc(1, sizeof(*l));
	int err = -ENOMEM;

	if (!l)
		return NULL;
	l->kernel = *kernel;
	l->release = strdup(kernel->release ? kernel->release : "");
	l->path = path ? strdup(path) : NULL;
	snprintf(error, 256, "no memory");
	if (l->release && (l->path || !path))
		err = open_kernel(l, error);
	l->kernel.build_id = NULL; /* the caller's */
	if (!err)
		return l;
	lines_close(l);
	errno = -err;
	return NULL;
}

void lines_close(struct lines *l)
{
	if (!l)
		return;
	for (struct object *o = l->objects, *next; o; o = next) {
		next = o->next;
		free_object(o);
	}
	for (struct found *f = l->found, *next; f; f = next) {
		next = f->next;
		free(f->site);
		free(f->text);
		free(f);
	}
	free(l->path);
	free(l->release);
	free(l);
}

/* ---- Lines ------------------------------------------------------------- */

static const char *in_tree(const struct lines *l, const char *file)
{
	size_t bytes = strlen(l->tree);

	if (bytes && !strncmp(file, l->tree, bytes))
		return file + bytes;
	return !strncmp(file, "./", 2) ? file + 2 : file;
}

static int number_of(Dwarf_Die *die, unsigned int attribute, Dwarf_Word *value)
{
	Dwarf_Attribute a;

	return dwarf_formudata(dwarf_attr(die, attribute, &a), value);
}

/* Who called what was inlined as scope[@i], and from where. */
static void add_caller(const struct lines *l, Dwarf_Die *scope, int i, int n, char *text)
{
	size_t used = strlen(text);
	const char *name = NULL, *file = NULL;
	Dwarf_Word number, line;
	Dwarf_Files *files;

	if (number_of(&scope[i], DW_AT_call_file, &number) ||
	    number_of(&scope[i], DW_AT_call_line, &line))
		return;
	if (!dwarf_getsrcfiles(&scope[n - 1], &files, NULL))
		file = dwarf_filesrc(files, number, NULL, NULL);
	for (int outer = i + 1; outer < n && !name; outer++) {
		int tag = dwarf_tag(&scope[outer]);

		if (tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine)
			name = dwarf_diename(&scope[outer]);
	}
	if (file && used + FRAME_BYTES < TEXT_BYTES)
		snprintf(text + used, FRAME_BYTES, " (inlined by %s %s:%u)", name ? name : "?",
			 in_tree(l, file), (unsigned int)line);
}

static void add_callers(const struct lines *l, Dwfl_Module *module, Dwarf_Addr address, char *text)
{
	Dwarf_Addr bias;
	Dwarf_Die *unit = dwfl_module_addrdie(module, address, &bias), *scope = NULL, inner;
	int n = unit ? dwarf_getscopes(unit, address - bias, &scope) : 0;
	bool found = n > 0 && dwarf_offdie(dwfl_module_getdwarf(module, &bias),
					   dwarf_dieoffset(&scope[0]), &inner);

	free(scope);
	scope = NULL;
	/* From the inside out as written in the function, not as first defined. */
	n = found ? dwarf_getscopes_die(&inner, &scope) : 0;
	for (int i = 0; i + 1 < n; i++)
		if (dwarf_tag(&scope[i]) == DW_TAG_inlined_subroutine)
			add_caller(l, scope, i, n, text);
	free(scope);
}

static char *describe(const struct lines *l, Dwfl_Module *module, Dwarf_Addr address)
{
	Dwfl_Line *at = dwfl_module_getsrc(module, address);
	char text[TEXT_BYTES];
	const char *file;
	int line;

	file = at ? dwfl_lineinfo(at, NULL, &line, NULL, NULL, NULL) : NULL;
	if (!file)
		return NULL;
	snprintf(text, FRAME_BYTES, "%s:%d", in_tree(l, file), line);
	add_callers(l, module, address, text);
	return strdup(text);
}

/* The function of that name that reaches as far; NULL: none, or more than one. */
static const struct function *find_function(const struct object *o, const char *name,
					    uint64_t offset)
{
	const struct function *only = NULL;
	size_t low = 0, high = o->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(o->function[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < o->n && !strcmp(o->function[low].name, name); low++) {
		const struct function *f = &o->function[low];

		/* One that ends with a call returns to the byte behind it. */
		if (offset > f->size || (only && only->address == f->address))
			continue;
		if (only)
			return NULL;
		only = f;
	}
	return only;
}

static char *resolve(struct lines *l, const char *site)
{
	char symbol[FRAME_BYTES], module[64] = "";
	unsigned long long offset;
	const struct function *f;
	struct object *o;

	if (sscanf(site, "%511[^+]+0x%llx [%63[^]]]", symbol, &offset, module) < 2)
		return NULL;
	o = object_of(l, module);
	f = o && o->module ? find_function(o, symbol, offset) : NULL;
	return f ? describe(l, o->module, f->address + offset - (offset > 0)) : NULL;
}

const char *lines_find(struct lines *l, const char *site)
{
	struct found *f = l->found;

	while (f && strcmp(f->site, site) != 0)
		f = f->next;
	if (f)
		return f->text;
	f = calloc(1, sizeof(*f));
	if (!f)
		return NULL;
	f->site = strdup(site);
	if (!f->site) {
		free(f);
		return NULL;
	}
	f->text = resolve(l, site);
	f->next = l->found;
	l->found = f;
	return f->text;
}

#endif
