// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * run.c - one run of `kmemlab top`.
 *
 *   open:  symbols, load, attach, measure the programs, take the terminal
 *   then:  privileges and system calls are given up; readings until told to stop
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"
#include "common/out.h"
#include "record/record.h"
#include "record/sandbox.h"
#include "top/top.h"

#define NS_PER_S 1000000000ull

enum {
	FIRST_NS = 500000000, /* until a screen shows something */
};

struct run {
	const struct top_options *options;
	struct symbols *symbols;
	struct top_screen *screen; /* NULL: batch */
	struct top_reading reading;
};

static volatile sig_atomic_t stop_signal;

static void on_signal(int sig)
{
	stop_signal = sig;
}

/* Not restarted, so that a signal ends every wait. */
static void catch_signals(void)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
	struct sigaction a = {.sa_handler = on_signal};

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &a, NULL);
}

static void name_site(const void *symbols, uint64_t address, char *buf, size_t size)
{
	symbols_name(symbols, address, buf, size);
}

/* ---- Open ----------------------------------------------------------------- */

static int open_kernel(struct run *run)
{
	struct top_reading *r = &run->reading;
	char error[256];
	int err;

	boottime_settle();
	r->kernel = top_kernel_open(run->options->sample_shift, error);
	if (!r->kernel)
		return record_refused(-errno, error);
	run->symbols = symbols_load();
	if (!run->symbols)
		log_warn("cannot read /proc/kallsyms: %s; call sites have no names",
			 strerror(errno));
	r->rows = top_rows_new(top_kernel_cpus(r->kernel), name_site, run->symbols);
	if (!r->rows)
		return record_refused(-ENOMEM, "cannot start: no memory");
	r->one_in = 1u << run->options->sample_shift;
	err = top_kernel_attach(r->kernel, error);
	if (err)
		return record_refused(err, error);
	r->run_ns = top_kernel_run_ns(r->kernel);
	return EXIT_DONE;
}

static int open_screen(struct run *run)
{
	char error[256];

	if (run->options->batch)
		return EXIT_DONE;
	run->screen = top_screen_open(run->options, error);
	if (run->screen)
		return EXIT_DONE;
	log_error("%s", error);
	return EXIT_FAILED;
}

static void give_up(const struct run *run)
{
	const struct sandbox_needs needs = {.terminal = run->screen != NULL};
	char error[256];

	if (sandbox_enter(&needs, error) && !run->screen)
		log_warn("%s", error);
}

/* ---- Readings ------------------------------------------------------------- */

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static void print_line(void *context, enum top_style style, const char *text)
{
	size_t n = strlen(text);

	(void)context;
	(void)style;
	while (n && text[n - 1] == ' ')
		n--;
	out_text("%.*s\n", (int)n, text);
}

static int print(const struct run *run)
{
	const struct top_options *o = run->options;
	const struct top_pen pen = {print_line, NULL, 0};
	long rows;

	if (o->json)
		return top_print_json(&run->reading, o);
	top_lines_head(&run->reading, &o->view, &pen);
	rows = top_lines_table(&run->reading, &o->view, 0, o->top, &pen);
	if (rows > (long)o->top && o->top)
		out_text("... and %ld more (--top 0 shows all)\n", rows - (long)o->top);
	out_text("\n");
	return rows < 0 ? (int)rows : 0;
}

static int show(const struct run *run)
{
	int err = run->screen ? top_screen_draw(run->screen, &run->reading) : print(run);

	out_flush();
	return err;
}

/* Wait until @until, and answer keys. Return: 1 a signal or a key says stop, 0, -errno */
static int wait_until(struct run *run, uint64_t until)
{
	uint64_t now;
	int key, err;

	while (!stop_signal && (now = now_ns()) < until) {
		struct timespec nap = {(time_t)((until - now) / NS_PER_S),
				       (long)((until - now) % NS_PER_S)};

		if (!run->screen) {
			nanosleep(&nap, NULL);
			continue;
		}
		/* A millisecond more: the wait is rounded down. */
		key = top_screen_wait(run->screen, until - now + 1000000);
		if (key < 0)
			return 1;
		err = key ? top_screen_draw(run->screen, &run->reading) : 0;
		if (err)
			return err;
	}
	return stop_signal || out_failed();
}

static uint64_t interval_of(const struct run *run, bool first)
{
	uint64_t ns = run->screen ? top_screen_interval(run->screen) : run->options->interval_ns;

	return first && run->screen && ns > FIRST_NS ? FIRST_NS : ns;
}

static int loop(struct run *run)
{
	unsigned long n = 0;
	uint64_t last;
	int err = top_reading_begin(&run->reading);

	while (!err && (!run->options->count || n < run->options->count)) {
		last = now_ns();
		err = wait_until(run, last + interval_of(run, !n));
		if (err || (run->screen && top_screen_frozen(run->screen)))
			continue;
		err = top_reading_take(&run->reading);
		err = err ? err : show(run);
		n++;
	}
	return err < 0 ? err : 0;
}

static int run_all(struct run *run)
{
	int status = open_kernel(run), err;

	status = status ? status : open_screen(run);
	if (status)
		return status;
	catch_signals();
	give_up(run);
	err = loop(run);
	top_screen_close(run->screen);
	run->screen = NULL;
	if (!err)
		return EXIT_DONE;
	log_error("cannot read the kernel's counts: %s", strerror(-err));
	return EXIT_FAILED;
}

int top_run(const struct top_options *o)
{
	struct run run = {.options = o};
	int status = run_all(&run);

	top_screen_close(run.screen);
	top_rows_free(run.reading.rows);
	symbols_free(run.symbols);
	top_kernel_close(run.reading.kernel);
	return status;
}
