/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_verdict.c - the sentences, from the sample result changed case by case. */
#include "../support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/verdict.h"
#include "fixture.h"

enum { CHANGES_MAX = 7 };

struct verdict_case {
	const char *name;
	int sentence; /* 0 memory, 1 causes, 2 model */
	struct {
		const char *path, *value;
	} change[CHANGES_MAX];
	const char *has, *has_not; /* of the sentence, or NULL */
};

#define WHAT_IF "{\"name\":\"defrag\",\"policy\":\"reference\",\"unusable\":{\"9\":[300,250]}}"
#define MODELLED                                                                                   \
	"{\"name\":\"defrag\",\"modelled_reclaim\":{\"base\":\"model\"},\"unusable\":{\"9\":[250]" \
	"}}"
#define MODELLED_BASE "{\"name\":\"model\",\"modelled_reclaim\":{},\"unusable\":{\"9\":[400]}}"
#define NO_PREDICTION "{\"name\":\"defrag\",\"not_predicted\":[{\"what\":\"all\",\"why\":\"w\"}]}"
#define STALLS                                                                                     \
	"{\"by_kind\":[{\"kind\":\"reclaim\",\"count\":4,\"total_ns\":6000000},"                   \
	"{\"kind\":\"compaction\",\"count\":3,\"total_ns\":500000}],"                              \
	"\"marks\":{\"counts\":{\"failure\":12,\"oom\":1}},"                                       \
	"\"longest\":[{\"duration_ns\":2500000,\"comm\":\"postgres\"}]}"
#define ASKED_FOR                                                                                  \
	"{\"by_kind\":[{\"kind\":\"compaction\",\"count\":2,\"total_ns\":1200000},"                \
	"{\"kind\":\"compaction_asked_for\",\"count\":3}],\"longest\":["                           \
	"{\"kind\":\"compaction_asked_for\",\"duration_ns\":20000000,\"comm\":\"sh\"},"            \
	"{\"kind\":\"compaction\",\"duration_ns\":1000000,\"comm\":\"cc1\"}]}"
#define LOSSES                                                                                     \
	{"trust.accounting.fired", "2471998"},                                                     \
	{                                                                                          \
		"trust.accounting.lost_ring", "10"                                                 \
	}

static const struct verdict_case cases[] = {
	{"free memory and order 9", 0, {{0}}, "fell from 4.40 GiB to 2.37 GiB", "INCOMPLETE"},
	{"rising index", 0, {{0}}, "order-9 request rose from 20.1 % to 69.5 %", NULL},
	{"order 9 unknown: the next order", 0, {{"runs.0.unusable.9", NULL}}, "order-4", "order-9"},
	{"no index at all", 0, {{"runs.0.unusable", NULL}}, "fragmentation is not known", NULL},
	{"steady", 0, {{"runs.0.unusable", "{\"9\":[500,504]}"}}, "stayed at 50.4 %", NULL},
	{"falling index", 0, {{"runs.0.unusable", "{\"9\":[600,100]}"}}, "fell from 60.0 %", NULL},
	{"no observed run", 0, {{"runs.0", NULL}}, "no observed run", "fell"},
	{"fallbacks", 1, {{0}}, "most often unmovable into movable (173, 75.9 %), 41", NULL},
	{"one kind of fallback",
	 1,
	 {{"fallbacks", "[{\"from\":\"A\",\"to\":\"B\",\"events\":2,\"claimed\":1}]"}},
	 "2 allocations fell back into another migrate type's pageblocks, all of them A into B, 1 "
	 "of them converting the block",
	 "most often"},
	{"one fallback",
	 1,
	 {{"fallbacks", "[{\"from\":\"A\",\"to\":\"B\",\"events\":1,\"claimed\":1}]"},
	  {"culprits", "{\"fallbacks\":{\"by_command\":[{\"comm\":\"cc1\",\"pageblocks\":1}]}}"}},
	 "1 allocation fell back into another migrate type's pageblock, A into B, converting it, "
	 "for cc1;",
	 "took from"},
	{"no fallbacks", 1, {{"fallbacks", "[]"}}, "No allocation fell back", "most often"},
	{"not recorded", 1, {{"fallbacks", NULL}}, "were not recorded", "No allocation"},
	{"not observed",
	 1,
	 {{"fallbacks", NULL}, {"runs.0", NULL}},
	 "not known without an observed run",
	 "recorded"},
	{"call site", 1, {{0}}, "ext4_alloc_inode+0x2f holds most (14.7 MiB)", NULL},
	{"no call site", 1, {{"call_sites", "[]"}}, "converting the block.", "holds most"},
	{"stalls",
	 1,
	 {{"stalls", STALLS}},
	 "; tasks stalled 7 times, 6.50 ms in all, 2.50 ms at most, in postgres; 12 "
	 "allocations failed; 1 task was killed for want of memory; of the slab",
	 "took from"},
	{"compaction asked for is no stall",
	 1,
	 {{"stalls", ASKED_FOR}},
	 "; tasks stalled 2 times, 1.20 ms in all, 1.00 ms at most, in cc1; of the slab",
	 "in sh"},
	{"no stall", 1, {{"stalls", "{\"by_kind\":[],\"longest\":[]}"}}, "holds most", "stalled"},
	{"taker",
	 1,
	 {{"culprits", "{\"fallbacks\":{\"by_command\":[{\"comm\":\"cc1\",\"pageblocks\":12}]}}"}},
	 "converting the block; cc1 took from most pageblocks (12); of",
	 "stalled"},
	{"taker without a name",
	 1,
	 {{"culprits", "{\"fallbacks\":{\"by_command\":[{\"pageblocks\":12}]}}"}},
	 "holds most",
	 "took from"},
	{"model holds", 2, {{0}}, "is closer to the kernel's end state", "no conclusion"},
	{"no reference", 2, {{"runs.1", NULL}}, "No reference was replayed", "closer"},
	{"no fidelity", 2, {{"fidelity", NULL}}, "proves nothing", "closer"},
	{"no baseline", 2, {{"fidelity.runs.2", NULL}}, "proves nothing", "closer"},
	{"worse than baseline",
	 2,
	 {{"fidelity.runs.1.emd", "9.0"}},
	 "not clearly closer",
	 "; with"},
	{"too many events missing",
	 2,
	 {{"fidelity.missing_percent", "1.1"}},
	 "is closer to the kernel's end state than \"nothing changed\": as good or better on 5 of "
	 "5 "
	 "measures, earth mover's distance 0.177 against 2.720; but 1.1 % of the kernel's events "
	 "were not seen; draw no conclusion from it.",
	 "; with"},
	{"events that do not add up",
	 2,
	 {{"fidelity.observed_holds", "false"}},
	 "do not add up to the kernel's state",
	 "; with"},
	{"counted by the replay",
	 2,
	 {{"fidelity.measures_won", "3"}},
	 "as good or better on 3 of 5 measures",
	 NULL},
	{"hardly better", 2, {{"fidelity.runs.1.emd", "2.5"}}, "not clearly closer", "; with"},
	{"all claimed", 1, {{"fallbacks.0.claimed", "999"}}, "each converting the block", NULL},
	{"worst in all",
	 2,
	 {{"fidelity.runs.1.emd", "9"}, {"fidelity.measures_won", "0"}},
	 "is no closer",
	 "; with"},
	{"what-if, model holds", 2, {{"runs.2", WHAT_IF}}, "; with defrag, 25.0 %", "nothing is"},
	{"what-if, its settings",
	 2,
	 {{"runs.2", "{\"name\":\"defrag\",\"settings\":{\"k\":1},\"unusable\":{\"9\":[1]}}"}},
	 "; with k=1, 0.1 % of",
	 NULL},
	{"what-if, within the model's error",
	 2,
	 {{"runs.2", WHAT_IF}, {"runs.1.unusable.9", "[300,255]"}},
	 "within the model's error",
	 "; with"},
	{"what-if, held against its own base",
	 2,
	 {{"runs.2", MODELLED}, {"runs.0", MODELLED_BASE}},
	 "; with defrag, 25.0 % of free memory ends too scattered for an order-9 request instead "
	 "of 40.0 %",
	 NULL},
	{"what-if, no prediction",
	 2,
	 {{"runs.2", NO_PREDICTION}},
	 "no what-if run is a prediction",
	 "; with defrag"},
	{"what-if, model unproven",
	 2,
	 {{"runs.2", WHAT_IF}, {"fidelity.runs.1.emd", "9.0"}},
	 "nothing is concluded from the what-if run",
	 "with defrag"},
	{"what-if, no fidelity",
	 2,
	 {{"runs.2", WHAT_IF}, {"fidelity", NULL}},
	 "nor do the what-if runs",
	 "with defrag"},
	{"loss, memory", 0, {LOSSES}, "INCOMPLETE (10 events, 0.0004 %): in 30.0 s", NULL},
	{"loss, causes", 1, {LOSSES}, "INCOMPLETE (10 events", NULL},
	{"loss, model", 2, {LOSSES}, "INCOMPLETE (10 events", NULL},
	{"unaccounted",
	 2,
	 {{"trust.accounting.recorded", "1"}},
	 "INCOMPLETE (1184232 events una",
	 NULL},
	{"said incomplete",
	 0,
	 {{"trust.complete", "false"}, {"trust.verdict", "\"INCOMPLETE (7 events, 1 %)\""}},
	 "INCOMPLETE (7 events, 1 %): in",
	 NULL},
	{"damaged", 1, {{"trust.damage.torn", "true"}}, "INCOMPLETE (the trace is damaged)", NULL},
	{"no trust", 1, {{"trust", NULL}}, "TRUST UNKNOWN: 228 allocations", NULL},
};

static void run_case(const struct verdict_case *c)
{
	json_t *root = fixture();
	struct report_pool pool = {0};
	struct report_facts f;
	struct doc_verdict v = {0};

	assert_non_null(root);
	if (c->change[0].value && strstr(c->change[0].value, "defrag"))
		json_array_append_new(json_object_get(root, "runs"), json_null());
	for (int i = 0; i < CHANGES_MAX && c->change[i].path; i++)
		assert_int_equal(fixture_set(root, c->change[i].path, c->change[i].value), 0);
	report_facts(&f, root);
	report_verdict(&v, &f, &pool);
	const char *text = v.sentences[c->sentence].text;
	bool good = (!c->has || strstr(text, c->has)) && (!c->has_not || !strstr(text, c->has_not));
	if (!good)
		print_error("%s: %s\n", c->name, text);
	assert_true(good);
	pool_free(&pool);
	json_decref(root);
}

static void test_verdict_cases_say_what_data_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		run_case(&cases[i]);
}

static void test_verdict_incomplete_is_said_in_every_sentence(void **state)
{
	json_t *root = fixture();
	struct report_pool pool = {0};
	struct report_facts f;
	struct doc_verdict v = {0};

	(void)state;
	assert_int_equal(fixture_set(root, "trust.accounting.lost_recursion", "1"), 0);
	report_facts(&f, root);
	report_verdict(&v, &f, &pool);
	assert_false(v.complete);
	for (int i = 0; i < DOC_SENTENCES; i++)
		assert_memory_equal(v.sentences[i].text, "INCOMPLETE (1 events", 20);
	pool_free(&pool);
	json_decref(root);
}

static void test_verdict_every_sentence_has_figures(void **state)
{
	json_t *root = fixture();
	struct report_pool pool = {0};
	struct report_facts f;
	struct doc_verdict v = {0};

	(void)state;
	report_facts(&f, root);
	report_verdict(&v, &f, &pool);
	assert_true(v.complete);
	for (int i = 0; i < DOC_SENTENCES; i++)
		assert_true(v.sentences[i].n_figures >= 3);
	pool_free(&pool);
	json_decref(root);
}

static void test_verdict_of_causes_leaves_out_no_figure(void **state)
{
	static const char *const keys[] = {"fallbacks", "claimed",	 "stolen",   "stalls",
					   "stalled",	"longest-stall", "failures", "oom-kills",
					   "pinned",	"site-held"};
	json_t *root = fixture();
	struct report_pool pool = {0};
	struct report_facts f;
	struct doc_verdict v = {0};

	(void)state;
	assert_int_equal(fixture_set(root, "stalls", STALLS), 0);
	assert_int_equal(fixture_set(root, "culprits", "{\"pinned\":{\"pageblocks\":2}}"), 0);
	report_facts(&f, root);
	report_verdict(&v, &f, &pool);
	assert_int_equal(v.sentences[1].n_figures, sizeof(keys) / sizeof(*keys));
	for (size_t i = 0; i < v.sentences[1].n_figures; i++)
		assert_string_equal(v.sentences[1].figures[i].key, keys[i]);
	pool_free(&pool);
	json_decref(root);
}

static void test_verdict_is_not_good_where_requests_wait_or_fail(void **state)
{
	static const struct {
		const char *stalls, *tag;
	} tags[] = {
		{"{\"by_kind\":[]}", "no mixing"},
		{"{\"by_kind\":[{\"kind\":\"reclaim\",\"count\":1}]}", "tasks wait"},
		{STALLS, "allocations fail"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(tags) / sizeof(*tags); i++) {
		json_t *root = fixture();
		struct report_pool pool = {0};
		struct report_facts f;
		struct doc_verdict v = {0};

		assert_int_equal(fixture_set(root, "fallbacks", "[]"), 0);
		assert_int_equal(fixture_set(root, "stalls", tags[i].stalls), 0);
		report_facts(&f, root);
		report_verdict(&v, &f, &pool);
		assert_string_equal(v.sentences[1].tag, tags[i].tag);
		assert_int_equal(v.sentences[1].tone, i ? TONE_CAUTION : TONE_GOOD);
		pool_free(&pool);
		json_decref(root);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdict_cases_say_what_data_says),
		cmocka_unit_test(test_verdict_incomplete_is_said_in_every_sentence),
		cmocka_unit_test(test_verdict_every_sentence_has_figures),
		cmocka_unit_test(test_verdict_of_causes_leaves_out_no_figure),
		cmocka_unit_test(test_verdict_is_not_good_where_requests_wait_or_fail),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
