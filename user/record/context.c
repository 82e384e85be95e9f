/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * context.c - where a CPU's preempt_count lies, seen from its runqueue.
 *
 *   6.1, 6.15 on   per-CPU variables __preempt_count and cpu_number
 *   6.2 to 6.14    members of the per-CPU variable pcpu_hot
 */
#include "context.h"

#include <bpf/btf.h>
#include <linux/btf.h>
#include <string.h>
#include <sys/utsname.h>

enum {
	ENOUGH_REQUESTS = 16,
	DEPTH_BITS = 0xff,		  /* of preempt_count: preemption switched off */
	DIRECT_RECLAIM_UNTIL_6_9 = 0x400, /* by a macro; an enum since */
};

/* Offset of a per-CPU variable in its section, and its type; -1: there is none. */
static long long variable(const struct btf *btf, const char *name, const struct btf_type **type)
{
	int id = btf__find_by_name_kind(btf, ".data..percpu", BTF_KIND_DATASEC);
	const struct btf_type *section = id > 0 ? btf__type_by_id(btf, (__u32)id) : NULL;

	for (__u32 i = 0; section && i < btf_vlen(section); i++) {
		const struct btf_var_secinfo *v = &btf_var_secinfos(section)[i];
		const struct btf_type *var = btf__type_by_id(btf, v->type);

		if (strcmp(btf__name_by_offset(btf, var->name_off), name) != 0)
			continue;
		*type = btf__type_by_id(btf, var->type);
		return v->offset;
	}
	return -1;
}

static const struct btf_member *member_at(const struct btf_type *type, __u32 i)
{
	return &btf_members(type)[i];
}

/* Bytes from the begin of @type to @name, which may lie in unnamed members; -1: not there. */
static long long member(const struct btf *btf, const struct btf_type *type, const char *name,
			int depth)
{
	for (__u32 i = 0; btf_is_composite(type) && depth < 4 && i < btf_vlen(type); i++) {
		const struct btf_member *m = member_at(type, i);
		const char *own = btf__name_by_offset(btf, m->name_off);
		long long at = btf_member_bit_offset(type, i) / 8, below;

		if (!strcmp(own, name))
			return at;
		if (*own)
			continue;
		below = member(btf, btf__type_by_id(btf, m->type), name, depth + 1);
		if (below >= 0)
			return at + below;
	}
	return -1;
}

/* @variable of its own, or @of pcpu_hot. */
static long long place(const struct btf *btf, const char *name, const char *of)
{
	const struct btf_type *type;
	long long at = variable(btf, name, &type), within;

	if (at >= 0)
		return at;
	at = variable(btf, "pcpu_hot", &type);
	within = at >= 0 ? member(btf, type, of, 0) : -1;
	return within >= 0 ? at + within : -1;
}

static __u32 direct_reclaim(const struct btf *btf)
{
	for (__u32 id = 1; id < btf__type_cnt(btf); id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);

		for (int i = 0; btf_is_enum(t) && i < btf_vlen(t); i++)
			if (!strcmp(btf__name_by_offset(btf, btf_enum(t)[i].name_off),
				    "___GFP_DIRECT_RECLAIM_BIT"))
				return 1u << btf_enum(t)[i].val;
	}
	return DIRECT_RECLAIM_UNTIL_6_9;
}

const char *context_find(struct kml_context *c, const struct btf *btf)
{
	const struct btf_type *type;
	struct utsname u;
	long long rq = variable(btf, "runqueues", &type);
	long long count = place(btf, "__preempt_count", "preempt_count");
	long long cpu = place(btf, "cpu_number", "cpu_number");

	memset(c, 0, sizeof(*c));
	if (!uname(&u) && strstr(u.version, "PREEMPT_RT"))
		return "with PREEMPT_RT spinlocks may sleep: nothing could be concluded for other "
		       "kernels";
	if (rq < 0 || count < 0 || cpu < 0)
		return "the kernel's type information (BTF) does not tell where preempt_count is";
	c->to_count = count - rq;
	c->to_cpu = cpu - rq;
	c->direct_reclaim = direct_reclaim(btf);
	c->known = 1;
	return NULL;
}

const char *context_doubt(const struct kml_context *c, unsigned int seen, unsigned int unlike)
{
	if (seen < ENOUGH_REQUESTS)
		return "preempt_count was not found where type information puts it";
	if (unlike)
		return "preempt_count is not the same in all requests that may block";
	if (!(c->count & DEPTH_BITS))
		return "this kernel does not count where preemption is switched off "
		       "(CONFIG_PREEMPT_COUNT), so spinlocks cannot be told";
	return NULL;
}
