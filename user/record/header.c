// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* header.c - the HEADER block: what the host is and how it was recorded. */
#include "record.h"

#include <bpf/btf.h>
#include <dirent.h>
#include <elf.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <time.h>
#include <trace/kinds.h>
#include <unistd.h>

#include "files.h"
#include "filter.h"

struct missing {
	json_t *list;
};

struct missing *missing_new(void)
{
	struct missing *m = calloc(1, sizeof(*m));

	if (m)
		m->list = json_array();
	return m;
}

void missing_add(struct missing *m, const char *what, const char *why)
{
	json_array_append_new(m->list, json_pack("{s:s, s:s}", "what", what, "why", why));
}

void missing_free(struct missing *m)
{
	if (m)
		json_decref(m->list);
	free(m);
}

/* Of the running kernel: the GNU note of that type in /sys/kernel/notes, as hex. */
static json_t *build_id(void)
{
	size_t bytes = 0;
	unsigned char *notes = (unsigned char *)file_text("/sys/kernel/notes", &bytes);
	char text[2 * 64 + 1] = "";
	Elf64_Nhdr n;

	for (size_t at = 0; notes && at + sizeof(n) <= bytes;) {
		size_t name = at + sizeof(n), desc;

		memcpy(&n, notes + at, sizeof(n));
		desc = name + ((n.n_namesz + 3ul) & ~3ul);
		at = desc + ((n.n_descsz + 3ul) & ~3ul);
		if (at > bytes || n.n_type != NT_GNU_BUILD_ID || n.n_namesz != 4 ||
		    memcmp(notes + name, "GNU", 4) != 0 || n.n_descsz > 64)
			continue;
		for (size_t i = 0; i < n.n_descsz; i++)
			snprintf(text + 2 * i, 3, "%02x", notes[desc + i]);
		break;
	}
	free(notes);
	return *text ? json_string(text) : json_null();
}

/* The node that @cpu is on: sysfs has a link of its name there. null: not told */
static json_t *node_of(unsigned int cpu)
{
	char path[64];
	unsigned int node;
	struct dirent *e;
	json_t *found = NULL;
	DIR *dir;

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u", cpu);
	dir = opendir(path);
	while (dir && !found && (e = readdir(dir)))
		if (sscanf(e->d_name, "node%u", &node) == 1)
			found = json_integer(node);
	if (dir)
		closedir(dir);
	return found ? found : json_null();
}

static json_t *cpu_nodes(unsigned int cpus)
{
	json_t *list = json_array();

	for (unsigned int cpu = 0; cpu < cpus; cpu++)
		json_array_append_new(list, node_of(cpu));
	return list;
}

static json_t *host(unsigned int cpus)
{
	struct utsname u;
	struct sysinfo s;
	json_t *doc;

	uname(&u);
	sysinfo(&s);
	doc = json_pack("{s:s, s:s, s:o, s:s, s:i, s:i, s:i, s:I}", "release", u.release, "version",
			u.version, "build_id", build_id(), "machine", u.machine, "cpus_possible",
			(int)sysconf(_SC_NPROCESSORS_CONF), "cpus_online",
			(int)sysconf(_SC_NPROCESSORS_ONLN), "page_size", (int)sysconf(_SC_PAGESIZE),
			"mem_total_kb", (json_int_t)s.totalram * s.mem_unit / 1024);
	/* Without nodes in sysfs there is one, and nothing to say. */
	if (doc && !access("/sys/devices/system/node/node0", F_OK))
		json_object_set_new(doc, "cpu_node", cpu_nodes(cpus));
	return doc;
}

static json_t *clocks(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return json_pack("{s:I, s:I}", "start_boottime_ns", (json_int_t)boottime_ns(),
			 "start_realtime_ns",
			 (json_int_t)t.tv_sec * 1000000000 + (json_int_t)t.tv_nsec);
}

/* The enum of the kernel that has a member @member. */
static const struct btf_type *enum_with(const struct btf *btf, const char *member)
{
	for (uint32_t id = 1; id < btf__type_cnt(btf); id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);

		if (!btf_is_enum(t) || !btf_vlen(t))
			continue;
		for (int i = 0; i < btf_vlen(t); i++)
			if (!strcmp(btf__name_by_offset(btf, btf_enum(t)[i].name_off), member))
				return t;
	}
	return NULL;
}

/* Linux 6.1 to 6.9 define gfp bits by macro, with these values and no others. */
static json_t *gfp_bits_by_table(void)
{
	static const char *const names[] = {
		"DMA",
		"HIGHMEM",
		"DMA32",
		"MOVABLE",
		"RECLAIMABLE",
		"HIGH",
		"IO",
		"FS",
		"ZERO",
		"ATOMIC",
		"DIRECT_RECLAIM",
		"KSWAPD_RECLAIM",
		"WRITE",
		"NOWARN",
		"RETRY_MAYFAIL",
		"NOFAIL",
		"NORETRY",
		"MEMALLOC",
		"COMP",
		"NOMEMALLOC",
		"HARDWALL",
		"THISNODE",
		"ACCOUNT",
		"ZEROTAGS",
	};
	json_t *bits = json_object();
	char name[40];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(name, sizeof(name), "__GFP_%s", names[i]);
		json_object_set_new(bits, name, json_integer(1ll << i));
	}
	return bits;
}

/* Since 6.10 they are an enum, ___GFP_<name>_BIT, that BTF shows. */
static json_t *gfp_bits(const struct btf *btf)
{
	const struct btf_type *t = enum_with(btf, "___GFP_DMA_BIT");
	json_t *bits;

	if (!t)
		return gfp_bits_by_table();
	bits = json_object();
	for (int i = 0; i < btf_vlen(t); i++) {
		const struct btf_enum *e = &btf_enum(t)[i];
		char name[64];
		size_t n;

		snprintf(name, sizeof(name), "%s", btf__name_by_offset(btf, e->name_off) + 1);
		n = strlen(name);
		if (n < 4 || strcmp(name + n - 4, "_BIT") || !strcmp(name, "__GFP_LAST_BIT"))
			continue;
		name[n - 4] = '\0';
		json_object_set_new(bits, name, json_integer(1ll << e->val));
	}
	return bits;
}

/* Words of the pagetypeinfo line that begins with "Number of blocks type". */
static json_t *migratetypes(const char *pagetypeinfo)
{
	static const char title[] = "Number of blocks type";
	json_t *names = json_array();
	const char *line = pagetypeinfo ? strstr(pagetypeinfo, title) : NULL;
	char copy[256];
	char *rest = copy;

	if (!line)
		return names;
	snprintf(copy, sizeof(copy), "%.*s", (int)strcspn(line, "\n"), line);
	rest += sizeof(title) - 1;
	for (char *word; (word = strsep(&rest, " "));)
		if (*word)
			json_array_append_new(names, json_string(word));
	return names;
}

static int pageblock_order(const char *pagetypeinfo)
{
	const char *line = pagetypeinfo ? strstr(pagetypeinfo, "Page block order:") : NULL;

	return line ? atoi(line + strlen("Page block order:")) : 9;
}

unsigned int kernel_pageblock_order(void)
{
	char *types = file_text("/proc/pagetypeinfo", NULL);
	int order = pageblock_order(types);

	free(types);
	return (unsigned int)order;
}

/* buddyinfo has a column for every order, after "Node 0, zone Name". */
static int max_order(void)
{
	char *text = file_text("/proc/buddyinfo", NULL);
	char *rest = text;
	int words = 0;

	if (!text)
		return 10;
	text[strcspn(text, "\n")] = '\0';
	for (char *word; (word = strsep(&rest, " "));)
		words += *word != '\0';
	free(text);
	return words > 4 ? words - 5 : 10;
}

static json_t *probe_list(const struct probes *p, struct missing *missing)
{
	json_t *list = json_array();

	for (unsigned int k = 0; k < KMT_KINDS; k++) {
		const char *why = probes_why_missing(p, k), *how = probes_how(p, k);
		char what[64];

		if (how)
			json_array_append_new(list, json_pack("{s:s, s:s, s:s*}", "name",
							      trace_kind_name(k), "how", how,
							      "function", probes_where(p, k)));
		if (!why || probes_is_hook(p, k))
			continue;
		snprintf(what, sizeof(what), "tracepoint %s", trace_kind_name(k));
		missing_add(missing, what, why);
	}
	return list;
}

static json_t *family_list(unsigned int families)
{
	json_t *list = json_array();

	for (unsigned int f = 1; f <= FAMILY_STACKS; f <<= 1)
		if (families & f)
			json_array_append_new(list, json_string(family_name(f)));
	return list;
}

static json_t *command(char *const *argv)
{
	json_t *list = json_array();

	for (; argv && *argv; argv++) {
		json_t *word = json_string(*argv);

		json_array_append_new(list, word ? word : json_string("?"));
	}
	return list;
}

/* What stays unseen for want of a hook: said in every trace. */
static void known_holes(struct missing *m, const struct probes *p)
{
	const struct probe_hole *hole;
	char why[256];

	for (size_t i = 0; (hole = probes_hole(p, i)); i++) {
		const char *reason = probes_why_missing(p, hole->kind);

		if (!reason)
			continue;
		snprintf(why, sizeof(why), "%s (%s)", hole->effect, reason);
		missing_add(m, hole->what, why);
	}
}

/* The options that leave allocations out, as given. */
static json_t *filter_words(const struct filters *f)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < f->words; i++)
		json_array_append_new(
			list, json_pack("{s:s}", filter_name(f->word[i].key), f->word[i].text));
	return list;
}

char *header_json(const struct probes *p, const struct kernel_bases *bases,
		  const struct record_options *opt, struct missing *missing)
{
	struct btf *btf = btf__load_vmlinux_btf();
	char *types = file_text("/proc/pagetypeinfo", NULL);
	json_t *doc, *probes = probe_list(p, missing);
	char *text;

	known_holes(missing, p);
	if (bases->no_context)
		missing_add(missing, "where requests that may not block came from",
			    bases->no_context);
	texts_missing(missing);
	doc = json_pack(
		"{s:s, s:o, s:o, s:i, s:i, s:i, s:o, s:o, s:o, s:o, s:O, s:{s:I, s:I, s:I}, s:o, "
		"s:i}",
		"kmemlab", KMEMLAB_VERSION, "host", host(probes_rings(p)->cpus), "clock", clocks(),
		"struct_page_bytes", (int)bases->page_struct_bytes, "pageblock_order",
		pageblock_order(types), "max_order", max_order(), "migratetypes",
		migratetypes(types), "gfp_bits", btf ? gfp_bits(btf) : gfp_bits_by_table(),
		"probes", probes, "families", family_list(opt->families), "missing", missing->list,
		"settings", "ring_bytes_per_cpu", (json_int_t)opt->ring_bytes, "sample_ns",
		(json_int_t)opt->sample_ns, "duration_ns", (json_int_t)opt->duration_ns, "command",
		command(opt->command), "recorder_pid", (int)getpid());
	if (doc && opt->filters->words)
		json_object_set_new(doc, "filters", filter_words(opt->filters));
	if (doc && opt->max_overhead > 0)
		json_object_set_new(doc, "max_overhead", json_real(opt->max_overhead));
	text = doc ? json_dumps(doc, JSON_COMPACT) : NULL;
	json_decref(doc);
	free(types);
	btf__free(btf);
	return text;
}
