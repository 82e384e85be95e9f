/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* line.c - see line.h. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "import/line.h"

#define NS_PER_S 1000000000ull

/* ---- The head ------------------------------------------------------------- */

/* "[001]" between blanks; NULL: there is none. */
static const char *find_cpu(const char *text, uint32_t *cpu)
{
	for (const char *at = text; (at = strchr(at, '[')); at++) {
		char *end;
		unsigned long n = strtoul(at + 1, &end, 10);

		if (end > at + 1 && *end == ']' && at > text && at[-1] == ' ' && end[1] == ' ' &&
		    n < KMT_CPU_MAX) {
			*cpu = (uint32_t)n;
			return at;
		}
	}
	return NULL;
}

/* "COMM-PID", "COMM-PID (TGID)", "COMM PID", "COMM PID/TID" in front of the CPU. */
static bool parse_task(struct line *l, const char *text, const char *end)
{
	const char *digits;

	while (end > text && end[-1] == ' ')
		end--;
	if (end > text && end[-1] == ')') {
		while (end > text && *end != '(')
			end--;
		l->tgid = (uint32_t)strtoul(end + 1, NULL, 10); /* "(-----)": not known */
		while (end > text && end[-1] == ' ')
			end--;
	}
	digits = end;
	while (digits > text && digits[-1] >= '0' && digits[-1] <= '9')
		digits--;
	if (digits == end || digits == text)
		return false;
	l->pid = (uint32_t)strtoul(digits, NULL, 10);
	if (digits[-1] == '/') { /* PID/TID: the thread is what runs */
		for (digits--; digits > text && digits[-1] >= '0' && digits[-1] <= '9';)
			digits--;
		l->tgid = (uint32_t)strtoul(digits, NULL, 10);
	}
	if (!l->tgid)
		l->tgid = l->pid;
	while (text < digits && *text == ' ')
		text++;
	if (digits > text)
		digits--; /* the blank or the dash */
	while (digits > text && digits[-1] == ' ')
		digits--;
	snprintf(l->comm, sizeof(l->comm), "%.*s", (int)(digits - text), text);
	return true;
}

/* "18194.415987:", with any number of digits; NULL: it is none. */
static const char *parse_time(const char *at, uint64_t *time_ns)
{
	uint64_t fraction = 0, unit = NS_PER_S;
	char *end;

	if (*at < '0' || *at > '9')
		return NULL;
	*time_ns = strtoull(at, &end, 10) * NS_PER_S;
	if (*end != '.')
		return NULL;
	for (end++; *end >= '0' && *end <= '9'; end++) {
		unit /= 10;
		fraction += unit * (uint64_t)(*end - '0');
	}
	*time_ns += fraction;
	return *end == ':' ? end + 1 : NULL;
}

static const char *skip_blanks(const char *at)
{
	return at + strspn(at, " ");
}

/* ---- Fields --------------------------------------------------------------- */

/* Behind "NAME=" of a field; NULL: there is no such field. */
static const char *field(const char *text, const char *name)
{
	size_t n = strlen(name);

	for (const char *at = text; (at = strstr(at, name)); at += n)
		if ((at == text || at[-1] == ' ') && at[n] == '=')
			return at + n + 1;
	return NULL;
}

static bool number(const char *text, const char *name, uint64_t *v)
{
	const char *at = field(text, name);
	char *end;

	if (!at)
		return false;
	*v = strtoull(at, &end, 0);
	return end > at;
}

static void name_of(const char *text, const char *name, char *out)
{
	const char *at = field(text, name);

	*out = '\0';
	if (at)
		snprintf(out, LINE_NAME_BYTES, "%.*s", (int)strcspn(at, " "), at);
}

/* "ffffffff8123abcd", "0xffffffff8123abcd": a place that the tracer had no symbol for. Without
 * 0x it may be a symbol, if it is short. */
static bool is_address(const char *site, uint64_t *address)
{
	bool prefixed = !strncmp(site, "0x", 2);
	size_t digits;

	site += prefixed ? 2 : 0;
	digits = strspn(site, "0123456789abcdefABCDEF");
	*address = strtoull(site, NULL, 16);
	return digits && !site[digits] && (prefixed || digits >= 8);
}

/* "symbol+0xoffset[/0xsize][ [module]]" as trace.h has it, without the size. */
static void call_site(struct line *l, const char *text)
{
	const char *at = field(text, "call_site"), *end;
	size_t n;

	name_of(text, "call_site", l->call_site);
	if (is_address(l->call_site, &l->site_address)) {
		l->call_site[0] = '\0';
		return;
	}
	l->site_address = 0;
	n = strcspn(l->call_site, "/");
	l->call_site[n] = '\0';
	if (!at)
		return;
	at += strcspn(at, " ");
	end = !strncmp(at, " [", 2) ? strchr(at, ']') : NULL;
	if (end)
		snprintf(l->call_site + n, sizeof(l->call_site) - n, "%.*s", (int)(end - at + 1),
			 at);
}

static bool parse_order(struct line *l, const char *text, const char *name, uint8_t *order)
{
	uint64_t v;

	(void)l;
	if (!number(text, name, &v) || v > 31)
		return false;
	*order = (uint8_t)v;
	return true;
}

static bool parse_type(const char *text, const char *name, uint8_t *type)
{
	uint64_t v;

	if (!number(text, name, &v) || v > 15)
		return false;
	*type = (uint8_t)v;
	return true;
}

static void parse_gfp(struct line *l, const char *text)
{
	const char *at = field(text, "gfp_flags");

	if (at)
		l->class.gfp = gfp_parse(at, &l->unknown_gfp);
}

/* "pfn=0x15bfe8"; before 5.18 decimal. An allocation that failed has 0 or none. */
static bool parse_pfn(struct line *l, const char *text)
{
	return number(text, "pfn", &l->address) && l->address < KMT_OPAQUE;
}

static bool page_alloc(struct line *l, const char *text)
{
	parse_gfp(l, text);
	l->failed = !parse_pfn(l, text) || !l->address || strstr(text, "page=(null)");
	return parse_order(l, text, "order", &l->class.order) &&
	       parse_type(text, "migratetype", &l->class.migratetype);
}

static bool page_free(struct line *l, const char *text)
{
	return parse_pfn(l, text) && parse_order(l, text, "order", &l->class.order);
}

static bool zone_locked(struct line *l, const char *text)
{
	uint64_t refill = 0;

	number(text, "percpu_refill", &refill);
	l->class.percpu_refill = refill != 0;
	return page_free(l, text) && parse_type(text, "migratetype", &l->class.migratetype);
}

static bool drain(struct line *l, const char *text)
{
	return page_free(l, text) && parse_type(text, "migratetype", &l->class.migratetype);
}

static bool extfrag(struct line *l, const char *text)
{
	return parse_pfn(l, text) && parse_order(l, text, "alloc_order", &l->class.order) &&
	       parse_order(l, text, "fallback_order", &l->class.fallback_order) &&
	       parse_type(text, "alloc_migratetype", &l->class.migratetype) &&
	       parse_type(text, "fallback_migratetype", &l->class.fallback_type);
}

/* Pointers are printed as numbers without 0x, real or hashed; what matters is that equal
 * ones are equal. */
static bool parse_pointer(struct line *l, const char *text)
{
	const char *at = field(text, "ptr");
	char *end;

	if (!at)
		return false;
	if (!strncmp(at, "(null)", 6) || !strncmp(at, "(nil)", 5)) {
		l->failed = true;
		return true;
	}
	l->address = strtoull(at, &end, 16);
	l->failed = !l->address;
	return end > at;
}

static bool object_alloc(struct line *l, const char *text)
{
	const char *node = field(text, "node");
	uint64_t req, alloc;

	call_site(l, text);
	name_of(text, "name", l->cache);
	parse_gfp(l, text);
	if (!number(text, "bytes_req", &req) || !number(text, "bytes_alloc", &alloc))
		return false;
	l->class.bytes_req = (uint32_t)req;
	l->class.bytes_alloc = (uint32_t)alloc;
	l->class.node = node ? (int16_t)strtol(node, NULL, 10) : -1;
	/* kmalloc's event names no cache; up to 8 KiB its size does. */
	if (l->class.kind == KMT_KMALLOC && !*l->cache && alloc <= 8192)
		snprintf(l->cache, sizeof(l->cache), "kmalloc-%" PRIu64, alloc);
	return parse_pointer(l, text);
}

static bool object_free(struct line *l, const char *text)
{
	call_site(l, text);
	name_of(text, "name", l->cache);
	return parse_pointer(l, text);
}

static const struct {
	const char *name;
	uint8_t kind;
	bool (*parse)(struct line *l, const char *text);
} events[] = {
	{"mm_page_alloc", KMT_PAGE_ALLOC, page_alloc},
	{"mm_page_free", KMT_PAGE_FREE, page_free},
	{"mm_page_alloc_zone_locked", KMT_ZONE_LOCKED, zone_locked},
	{"mm_page_alloc_extfrag", KMT_EXTFRAG, extfrag},
	{"mm_page_pcpu_drain", KMT_PCPU_DRAIN, drain},
	{"kmalloc", KMT_KMALLOC, object_alloc},
	{"kmalloc_node", KMT_KMALLOC, object_alloc}, /* until 6.0 */
	{"kfree", KMT_KFREE, object_free},
	{"kmem_cache_alloc", KMT_CACHE_ALLOC, object_alloc},
	{"kmem_cache_alloc_node", KMT_CACHE_ALLOC, object_alloc},
	{"kmem_cache_free", KMT_CACHE_FREE, object_free},
};

/* "kmem:NAME: fields" or "NAME: fields" */
static void parse_event(struct line *l, const char *at)
{
	const char *colon;

	at = skip_blanks(at);
	if (!strncmp(at, "kmem:", 5))
		at += 5;
	colon = strchr(at, ':');
	for (size_t i = 0; colon && i < sizeof(events) / sizeof(*events); i++) {
		if (strlen(events[i].name) != (size_t)(colon - at) ||
		    strncmp(events[i].name, at, (size_t)(colon - at)) != 0)
			continue;
		l->class.kind = events[i].kind;
		l->what = events[i].parse(l, skip_blanks(colon + 1)) ? LINE_EVENT : LINE_INVALID;
		return;
	}
}

/* Do @words, with a number in place of '#', stand at @text's beginning? */
static bool reads(const char *text, const char *words, uint64_t *number)
{
	for (; *words; words++) {
		char *end = (char *)(uintptr_t)text + 1;

		if (*words == '#' && *text >= '0' && *text <= '9')
			*number = strtoull(text, &end, 10);
		else if (*words != *text)
			return false;
		text = end;
	}
	return true;
}

/*
 * What tracers say of losses; without a number nobody knows how many:
 *
 *   ftrace                           CPU:1 [LOST 123 EVENTS], CPU:1 [LOST EVENTS]
 *   trace-cmd                        CPU:1 [123 EVENTS DROPPED], CPU:1 [EVENTS DROPPED]
 *   perf script                      LOST 123 events!
 *   perf script --show-lost-events   COMM PID [CPU] TIME: PERF_RECORD_LOST lost 123
 */
static bool parse_lost(struct line *l, const char *text)
{
	static const struct {
		const char *begin, *words;
		bool counted;
	} forms[] = {
		{"CPU:", "CPU:# [LOST # EVENTS]", true},
		{"CPU:", "CPU:# [LOST EVENTS]", false},
		{"CPU:", "CPU:# [# EVENTS DROPPED]", true},
		{"CPU:", "CPU:# [EVENTS DROPPED]", false},
		{"LOST ", "LOST # events", true},
		{"LOST ", "LOST # EVENTS", true},
		{"PERF_RECORD_LOST ", "PERF_RECORD_LOST lost #", true},
	};

	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		const char *at = strstr(text, forms[i].begin);
		uint64_t lost = 0;

		if (!at || !reads(at, forms[i].words, &lost))
			continue;
		l->what = LINE_LOST;
		l->lost_uncounted = !forms[i].counted;
		l->lost = forms[i].counted ? lost : 1;
		return true;
	}
	return false;
}

/* Of objects, as where recorded: kinds.h. */
static void take_context(struct line *l, uint8_t context)
{
	bool object = l->class.kind == KMT_KMALLOC || l->class.kind == KMT_CACHE_ALLOC;

	if (l->what == LINE_EVENT && object && !l->unknown_gfp && !gfp_may_block(l->class.gfp))
		l->class.context = context;
}

void line_parse(struct line *l, const char *text)
{
	uint8_t context = KMT_CONTEXT_UNKNOWN;
	const char *bracket, *at;

	memset(l, 0, sizeof(*l));
	l->what = LINE_OTHER;
	if (*text == '#' || parse_lost(l, text))
		return;
	bracket = find_cpu(text, &l->cpu);
	if (!bracket || !parse_task(l, text, bracket))
		return;
	at = skip_blanks(strchr(bracket, ']') + 1);
	/* ftrace's flags ("d..1.") stand between the CPU and the time. */
	if (*at < '0' || *at > '9' || !parse_time(at, &l->time_ns)) {
		context = flags_context(at, l->pid);
		at = skip_blanks(at + strcspn(at, " "));
	}
	at = parse_time(at, &l->time_ns);
	if (!at)
		return;
	parse_event(l, at);
	take_context(l, context);
}
