/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cmd_doctor.c - kmemlab doctor: what this host permits, and how to get more. */
#include <bpf/libbpf.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>

#include "cli/cmd.h"
#include "common/log.h"
#include "common/out.h"
#include "doctor/doctor.h"
#include "record/refusal.h"

enum { INDENT = 2 }; /* of what follows a line of advice */

static const struct argp_option options[] = {
	{"json", 'j', NULL, 0, "Print JSON (schema kmemlab-doctor/1)", 0},
	{0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	bool *json = state->input;

	(void)arg;
	if (key != 'j')
		return ARGP_ERR_UNKNOWN;
	*json = true;
	return 0;
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.doc = "Try everything that recording needs and say what works.\v"
	       "Exit status: 0 this process can record, 3 it lacks permission, 4 the kernel "
	       "lacks what recording needs. Nothing on the host is changed.",
};

static const char *state_name(enum doctor_state state)
{
	static const char *const names[] = {[DOCTOR_YES] = "yes",
					    [DOCTOR_NO] = "no",
					    [DOCTOR_MOUNT] = "mount",
					    [DOCTOR_PART] = "part"};

	return names[state];
}

static const char *verdict_name(int verdict)
{
	switch (verdict) {
	case EXIT_DONE:
		return "possible";
	case EXIT_PERMISSION:
		return "permission";
	default:
		return "kernel";
	}
}

static const char *verdict_words(int verdict)
{
	switch (verdict) {
	case EXIT_DONE:
		return "This process can record this host.";
	case EXIT_PERMISSION:
		return "This process lacks permission to record: run as root.";
	default:
		return "This host lacks what recording needs, see above; traces from elsewhere "
		       "can be replayed here.";
	}
}

static int print_table(const struct doctor_finding *found)
{
	static const struct out_column columns[] = {
		{"what", "what", OUT_STRING},
		{"state", "state", OUT_STRING},
		{"detail", "detail", OUT_STRING},
	};
	struct out_table *t = out_table_new("checks", columns, 3);
	int err = 0;

	if (!t)
		return -1;
	for (size_t i = 0; i < doctor_check_count && !err; i++) {
		const union out_value row[] = {{.s = doctor_checks[i].what},
					       {.s = state_name(found[i].state)},
					       {.s = found[i].detail}};

		err = out_table_row(t, row);
	}
	if (!err)
		err = out_table_print(t, OUT_TEXT);
	out_table_free(t);
	return err;
}

/* "HEAD: TEXT", later lines of it indented. */
static void print_item(const char *head, const char *text)
{
	char words[2048];

	snprintf(words, sizeof(words), "%s: %s", head, text);
	out_wrapped(INDENT, words);
	out_text("\n");
}

/* All that permission alone withholds goes into one list. */
static void print_denied(const struct doctor_finding *found)
{
	char list[1024] = "";
	size_t at = 0;

	for (size_t i = 0; i < doctor_check_count && at < sizeof(list); i++)
		if (found[i].denied)
			at += (size_t)snprintf(list + at, sizeof(list) - at, "%s%s", at ? ", " : "",
					       doctor_checks[i].what);
	if (!at)
		return;
	out_text("\n");
	print_item("refused for want of permission", list);
	out_text("%*s", INDENT, "");
	print_item("to have them", DOCTOR_PRIVILEGE);
}

/* What is not there is worth two lines each: the loss and the remedy. */
static void print_advice(const struct doctor_finding *found)
{
	for (size_t i = 0; i < doctor_check_count; i++) {
		const char *todo = doctor_todo(i, &found[i]);
		char head[64];

		if (!todo || found[i].denied)
			continue;
		snprintf(head, sizeof(head), "without %s", doctor_checks[i].what);
		out_text("\n");
		print_item(head, doctor_checks[i].without);
		out_text("%*s", INDENT, "");
		print_item("to have it", todo);
	}
	print_denied(found);
}

static json_t *check_json(size_t i, const struct doctor_finding *f)
{
	const char *todo = doctor_todo(i, f);
	json_t *o = json_pack("{s:s, s:s, s:b, s:s}", "what", doctor_checks[i].what, "state",
			      state_name(f->state), "required", doctor_checks[i].required, "detail",
			      f->detail);

	if (o && todo) {
		json_object_set_new(o, "errno", json_integer(f->error));
		json_object_set_new(o, "without", json_string(doctor_checks[i].without));
		json_object_set_new(o, "todo", json_string(todo));
	}
	return o;
}

static int print_json(const struct doctor_finding *found, int verdict)
{
	json_t *checks = json_array();
	json_t *doc;

	for (size_t i = 0; i < doctor_check_count; i++)
		json_array_append_new(checks, check_json(i, &found[i]));
	doc = json_pack("{s:s, s:s, s:i, s:o}", "schema", "kmemlab-doctor/1", "recording",
			verdict_name(verdict), "exit", verdict, "checks", checks);
	return doc ? out_json(doc) : -1;
}

int cmd_doctor(int argc, char **argv)
{
	struct doctor_finding *found;
	bool json = false;
	int verdict, err;
	int status = cmd_parse(&argp, argc, argv, 0, &json);

	if (status >= 0)
		return status;
	found = calloc(doctor_check_count, sizeof(*found));
	if (!found) {
		log_error("cannot examine this host: out of memory");
		return EXIT_FAILED;
	}
	refusal_keep();
	doctor_run(found);
	verdict = doctor_verdict(found);
	if (json) {
		err = print_json(found, verdict);
	} else {
		err = print_table(found);
		print_advice(found);
		out_text("\n%s\n", verdict_words(verdict));
	}
	free(found);
	if (err)
		log_error("cannot print the findings: out of memory");
	return err ? EXIT_FAILED : verdict;
}
