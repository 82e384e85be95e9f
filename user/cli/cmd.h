/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * cmd.h - sub-commands: one typed block in main.c's table, one cmd_NAME.c.
 *
 * A command gets argv[0] = "kmemlab NAME" and returns an enum exit_code.
 */
#ifndef KMEMLAB_CMD_H
#define KMEMLAB_CMD_H

#include <argp.h>
#include <stddef.h>

struct cmd {
	const char *name;
	const char *summary; /* one line, no capital, no full stop */
	int (*run)(int argc, char **argv);
};

int cmd_info(int argc, char **argv);
int cmd_stat(int argc, char **argv);
int cmd_dump(int argc, char **argv);
int cmd_record(int argc, char **argv);
int cmd_replay(int argc, char **argv);
int cmd_sweep(int argc, char **argv);
int cmd_compare(int argc, char **argv);
int cmd_export(int argc, char **argv);
int cmd_advise(int argc, char **argv);
int cmd_import(int argc, char **argv);
int cmd_pages(int argc, char **argv);
int cmd_top(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_doctor(int argc, char **argv);

/** cmd_find() - command by name, or NULL */
const struct cmd *cmd_find(const struct cmd *table, const char *name);

/* The option that asks for all there is to say; --help is what fits a screen. */
#define CMD_MANUAL "--help-manual"

/** cmd_print_help() - the list of commands, on stdout */
int cmd_print_help(const struct cmd *table);

/** cmd_unknown() - one line on stderr with the nearest name; EXIT_USAGE */
int cmd_unknown(const struct cmd *table, const char *name);

/**
 * cmd_parse() - argp_parse() with one-line errors that name the nearest option
 * @argp: the command's options; --help and --usage are added
 * @flags: ARGP_IN_ORDER where the rest is somebody else's command line, or 0
 *
 * argp runs silent: a parser reports with cmd_usage(), not with argp_error().
 * Positional arguments no parser takes are an error.
 *
 * Return: -1 to go on, otherwise the status to return at once (0 after --help,
 * EXIT_USAGE after an error that has been printed).
 */
int cmd_parse(const struct argp *argp, int argc, char **argv, unsigned int flags, void *input);

/**
 * cmd_usage() - say what is wrong with the command line
 * Return: the error for the argp parser to return.
 */
error_t cmd_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
