/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cmd.c - what all sub-commands share: the list, option parsing, hints. */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cmd.h"
#include "common/log.h"
#include "common/nearest.h"
#include "common/out.h"

enum { KEY_HELP = '?', KEY_USAGE = 0x1000, KEY_MANUAL, REPORTED = ECANCELED };

const struct cmd *cmd_find(const struct cmd *table, const char *name)
{
	for (; table->name; table++)
		if (!strcmp(table->name, name))
			return table;
	return NULL;
}

int cmd_print_help(const struct cmd *table)
{
	out_text("Usage: kmemlab COMMAND [OPTION...]\n"
		 "Record what the kernel's memory allocators do, replay it, compare.\n\n");
	for (; table->name; table++)
		out_text("  %-10s%s\n", table->name, table->summary);
	out_text("\n'kmemlab help COMMAND' tells more; 'kmemlab --version' the version.\n"
		 "Exit status: 0 done, 1 failed, 2 usage, 3 permission, 4 the kernel lacks it,\n"
		 "5 trace damaged, 6 a --fail-if condition is met, 7 done but events were lost.\n");
	return EXIT_DONE;
}

int cmd_unknown(const struct cmd *table, const char *name)
{
	struct nearest near = {.word = name};

	nearest_offer(&near, "help");
	for (; table->name; table++)
		nearest_offer(&near, table->name);
	if (nearest_name(&near))
		log_error("unknown command '%s'; did you mean '%s'? (see 'kmemlab help')", name,
			  nearest_name(&near));
	else
		log_error("unknown command '%s'; see 'kmemlab help'", name);
	return EXIT_USAGE;
}

error_t cmd_usage(const char *format, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	log_error("%s", text);
	return REPORTED;
}

/* What the wrapping parser carries; the command's own input goes to its child. */
struct parse {
	const struct argp *argp;
	struct argp *top;
	void *input;
	char *name;
	int bad;   /* index of the argument that stopped argp, 0 if none */
	bool help; /* asked for and printed */
};

/*
 * What fits a screen: of the text below the options the examples alone, where there are
 * any. The whole is `kmemlab help NAME` and the manual page made from it.
 */
static char *brief(const char *doc, const char *command)
{
	const char *name = strrchr(command, ' '), *below = strchr(doc, '\v');
	const char *examples = below ? strstr(below, "Examples:") : NULL;
	const char *end = examples ? strstr(examples, "\n\n") : NULL;
	int lines = examples ? (int)(end ? end - examples : (long)strlen(examples)) : 0;
	char *text;

	if (!examples)
		return strdup(doc);
	return asprintf(&text, "%.*s\v%.*s\n\n'kmemlab help %s' tells more.", (int)(below - doc),
			doc, lines, examples, name ? name + 1 : command) < 0
		       ? NULL
		       : text;
}

static void print_help(struct parse *p, const struct argp_state *state, int key)
{
	const unsigned int what = key == KEY_USAGE
					  ? ARGP_HELP_USAGE
					  : ARGP_HELP_STD_HELP & ~(unsigned int)ARGP_HELP_EXIT_OK;
	char *text = key == KEY_HELP ? brief(p->top->doc, p->name) : NULL;

	if (text)
		p->top->doc = text;
	if (key == KEY_HELP)
		setenv("ARGP_HELP_FMT", "no-dup-args-note", 0);
	out_flush();
	argp_help(state->root_argp, stdout, what, p->name);
	p->top->doc = p->argp->doc;
	free(text);
	p->help = true;
}

static error_t parse_common(int key, char *arg, struct argp_state *state)
{
	struct parse *p = state->input;

	(void)arg;
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = p->input;
		return 0;
	case KEY_HELP:
	case KEY_MANUAL:
	case KEY_USAGE:
		print_help(p, state, key);
		return REPORTED;
	case ARGP_KEY_ERROR:
		p->bad = state->next;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option *option_of(const struct argp *argp, const char *name, size_t length)
{
	for (const struct argp_option *o = argp->options; o && (o->name || o->key || o->doc); o++)
		if (o->name && strlen(o->name) == length && !strncmp(o->name, name, length))
			return o;
	return NULL;
}

static void report_long(const struct parse *p, const char *option)
{
	size_t length = strcspn(option + 2, "=");
	const struct argp_option *known = option_of(p->argp, option + 2, length);
	struct nearest near = {0};
	char word[64];

	snprintf(word, sizeof(word), "%.*s", (int)length, option + 2);
	near.word = word;
	if (known) {
		log_error("option '--%s' %s; see '%s --help'", word,
			  known->arg ? "needs a value" : "takes no value", p->name);
		return;
	}
	for (const struct argp_option *o = p->argp->options; o && (o->name || o->key || o->doc);
	     o++)
		if (o->name)
			nearest_offer(&near, o->name);
	if (nearest_name(&near))
		log_error("unknown option '--%s'; did you mean '--%s'? (see '%s --help')", word,
			  nearest_name(&near), p->name);
	else
		log_error("unknown option '--%s'; see '%s --help'", word, p->name);
}

static void report(const struct parse *p, int argc, char **argv)
{
	int i = p->bad > 0 && p->bad <= argc ? p->bad - 1 : argc - 1;

	/* getopt does not step past a cluster of short options it gives up in. */
	if (argv[i][0] != '-' && i + 1 < argc)
		i++;
	if (!strncmp(argv[i], "--", 2) && argv[i][2])
		report_long(p, argv[i]);
	else if (argv[i][0] == '-')
		log_error("unknown option or missing value: '%s'; see '%s --help'", argv[i],
			  p->name);
	else
		log_error("cannot use '%s' here; see '%s --help'", argv[i], p->name);
}

int cmd_parse(const struct argp *argp, int argc, char **argv, unsigned int flags, void *input)
{
	static const struct argp_option common[] = {
		{"help", KEY_HELP, NULL, 0, "Print this help", -1},
		{"usage", KEY_USAGE, NULL, 0, "Print a short usage line", -1},
		{CMD_MANUAL + 2, KEY_MANUAL, NULL, OPTION_HIDDEN, NULL, -1},
		{0},
	};
	struct argp_child child[] = {{argp, 0, NULL, 0}, {0}};
	struct argp top = {common, parse_common, argp->args_doc, argp->doc, child, NULL, NULL};
	struct parse p = {argp, &top, input, argv[0], 0, false};
	struct argp own = *argp;
	int rest = 0;
	error_t err;

	own.args_doc = own.doc = NULL; /* the wrapper shows them */
	child[0].argp = &own;
	err = argp_parse(&top, argc, argv, ARGP_SILENT | flags, &rest, &p);
	if (p.help)
		return EXIT_DONE;
	if (err == REPORTED)
		return EXIT_USAGE;
	if (err) {
		report(&p, argc, argv);
		return EXIT_USAGE;
	}
	if (rest < argc) {
		log_error("unexpected argument '%s'; see '%s --help'", argv[rest], p.name);
		return EXIT_USAGE;
	}
	return -1;
}
