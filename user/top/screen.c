// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* screen.c - `kmemlab top` on a terminal, and its keys. */
#include <curses.h>
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "top/top.h"

enum {
	KEY_ESCAPE = 27,
	KEY_RUBOUT = 127,
	ESCAPE_MS = 25, /* in which the rest of a key's sequence comes */
	PAGE = 10,	/* rows that a page key goes */
	INTERVAL_MIN_NS = 100000000,
	FOOT = 1,      /* lines below the table */
	TABLE_MIN = 6, /* lines, before the head is cut */
	PAIR_HEAD = 1,
	PAIR_WARN = 2,
};

#define INTERVAL_MAX_NS 600000000000ull

struct top_screen {
	SCREEN *terminal;
	const struct top_options *options;
	struct top_view view;
	uint64_t interval_ns;
	size_t first; /* row at the top of the table */
	size_t rows;  /* there were */
	unsigned int orders;
	bool frozen, help, typing, colours, quit;
	int y, y_end; /* where the next line goes, and where none does */
};

/* ---- Open and close ------------------------------------------------------- */

struct top_screen *top_screen_open(const struct top_options *o, char *error)
{
	const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");
	struct top_screen *s = calloc(1, sizeof(*s));

	if (!s) {
		snprintf(error, 256, "cannot start: no memory");
		return NULL;
	}
	s->options = o;
	s->view = o->view;
	s->interval_ns = o->interval_ns;
	s->orders = 1;
	setlocale(LC_CTYPE, "");
	s->terminal = newterm(NULL, stdout, stdin);
	if (!s->terminal) {
		snprintf(error, 256,
			 "cannot draw on terminal '%s': nothing is known of it; use --batch",
			 term ? term : "");
		free(s);
		return NULL;
	}
	s->colours = has_colors() && !(no_color && *no_color) && start_color() == OK &&
		     use_default_colors() == OK;
	if (s->colours) {
		init_pair(PAIR_HEAD, COLOR_CYAN, -1);
		init_pair(PAIR_WARN, COLOR_YELLOW, -1);
	}
	cbreak();
	noecho();
	keypad(stdscr, TRUE);
	set_escdelay(ESCAPE_MS);
	curs_set(0);
	return s;
}

void top_screen_close(struct top_screen *s)
{
	if (!s)
		return;
	endwin();
	delscreen(s->terminal);
	free(s);
}

bool top_screen_frozen(const struct top_screen *s)
{
	return s->frozen;
}

uint64_t top_screen_interval(const struct top_screen *s)
{
	return s->interval_ns;
}

/* ---- Drawing -------------------------------------------------------------- */

static attr_t look(const struct top_screen *s, enum top_style style)
{
	switch (style) {
	case TOP_TITLE:
		return A_BOLD;
	case TOP_HEAD:
		return A_REVERSE;
	case TOP_WARN:
		return s->colours ? COLOR_PAIR(PAIR_WARN) : A_BOLD;
	default:
		return A_NORMAL;
	}
}

static void draw_line(void *context, enum top_style style, const char *text)
{
	struct top_screen *s = context;

	if (s->y >= s->y_end)
		return;
	attrset(look(s, style));
	mvaddnstr(s->y, 0, text, COLS);
	if (style == TOP_HEAD)
		for (int x = (int)strlen(text); x < COLS; x++)
			mvaddch(s->y, x, ' ');
	attrset(A_NORMAL);
	s->y++;
}

static void draw_help(struct top_screen *s)
{
	static const char *const text[] = {
		"Keys",
		"  g, Tab   the next table: cache, site, command, pages (by command), order",
		"  1 .. 7   sort by given/s, allocs/s, waste/s, live, growth/s, slabs, name",
		"  s        sort by the next column     r  the other way round",
		"  /        show names that contain ... Esc  show all again",
		"  f, space hold the figures            + -  read more often, less often",
		"  o        the trend of the next order",
		"  arrows, Page Up, Page Down, Home     move through the table",
		"  h        this help                   q  quit",
		"",
		"given/s   bytes allocated, with what the cache rounds up",
		"waste     given and not asked for",
		"live      allocated since the start, not freed: an estimate from some lives;",
		"          ~ marks one that rests on fewer than 16",
		"slabs     memory of the cache's slabs, +-slabs its change (/proc/slabinfo)",
		"unusable  share of free memory in blocks too small for the order",
		"cost      the programs' runs times what a run took in the first moments",
		"holes     what the figures lack; rows of sources without a place in the",
		"          kernel's tables are summed up as (no place)",
	};

	for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++)
		draw_line(s, i ? TOP_PLAIN : TOP_TITLE, text[i]);
}

static void draw_foot(const struct top_screen *s)
{
	char text[256];

	if (s->typing)
		snprintf(text, sizeof(text), "filter: %s_   (Enter: done, Esc: all)",
			 s->view.filter);
	else
		snprintf(text, sizeof(text),
			 "%s%s%s%s%zu rows  g table  1-7 sort  / filter  f %s  "
			 "h help  q quit",
			 s->frozen ? "FROZEN  " : "", *s->view.filter ? "filter: " : "",
			 s->view.filter, *s->view.filter ? "  " : "", s->rows,
			 s->frozen ? "go on" : "freeze");
	attrset(s->colours ? COLOR_PAIR(PAIR_HEAD) : A_NORMAL);
	mvaddnstr(LINES - 1, 0, text, COLS);
	attrset(A_NORMAL);
}

int top_screen_draw(struct top_screen *s, const struct top_reading *r)
{
	const struct top_pen pen = {draw_line, s, (unsigned int)COLS};
	long rows;

	erase();
	s->orders = r->host.now.orders ? r->host.now.orders : 1;
	s->y = 0;
	s->y_end = LINES - FOOT;
	if (s->help) {
		draw_help(s);
	} else {
		s->y_end = LINES - FOOT - TABLE_MIN;
		top_lines_head(r, &s->view, &pen);
		s->y_end = LINES - FOOT;
		rows = top_lines_table(r, &s->view, s->first,
				       s->options->top ? s->options->top : (size_t)LINES, &pen);
		if (rows < 0)
			return (int)rows;
		s->rows = (size_t)rows;
	}
	draw_foot(s);
	refresh();
	return 0;
}

/* ---- Keys ----------------------------------------------------------------- */

static void move_to(struct top_screen *s, long row)
{
	long last = (long)s->rows - 1;

	row = row > last ? last : row;
	s->first = row < 0 ? 0 : (size_t)row;
}

static void turn_group(struct top_screen *s, unsigned int step)
{
	s->view.group = (enum top_group)((s->view.group + step) % TOP_GROUPS);
	if (!top_has_column(s->view.group, s->view.sort))
		s->view.sort = TOP_BY_RATE;
	s->first = 0;
}

static void sort_by(struct top_screen *s, enum top_column column)
{
	if (top_has_column(s->view.group, column))
		s->view.sort = column;
	s->first = 0;
}

static void sort_by_next(struct top_screen *s)
{
	do
		s->view.sort = (enum top_column)((s->view.sort + 1) % TOP_COLUMNS);
	while (!top_has_column(s->view.group, s->view.sort));
	s->first = 0;
}

static void type(struct top_screen *s, int key)
{
	size_t n = strlen(s->view.filter);

	if (key == '\n' || key == '\r' || key == KEY_ENTER || key == KEY_ESCAPE)
		s->typing = false;
	if (key == KEY_ESCAPE)
		s->view.filter[0] = '\0';
	if ((key == KEY_BACKSPACE || key == KEY_RUBOUT || key == '\b') && n)
		s->view.filter[n - 1] = '\0';
	if (key >= ' ' && key < KEY_RUBOUT && n + 1 < TOP_FILTER_BYTES) {
		s->view.filter[n] = (char)key;
		s->view.filter[n + 1] = '\0';
	}
	s->first = 0;
}

static void scroll_by(struct top_screen *s, int key)
{
	long at = (long)s->first;

	if (key == KEY_UP)
		move_to(s, at - 1);
	else if (key == KEY_DOWN)
		move_to(s, at + 1);
	else if (key == KEY_PPAGE)
		move_to(s, at - PAGE);
	else if (key == KEY_NPAGE)
		move_to(s, at + PAGE);
	else if (key == KEY_HOME)
		move_to(s, 0);
}

static void press(struct top_screen *s, int key)
{
	switch (key) {
	case 'q':
		s->quit = true;
		break;
	case 'h':
	case '?':
		s->help = !s->help;
		break;
	case 'g':
	case '\t':
		turn_group(s, 1);
		break;
	case 'G':
		turn_group(s, TOP_GROUPS - 1);
		break;
	case '1' ... '7':
		sort_by(s, (enum top_column)(key - '1'));
		break;
	case 's':
		sort_by_next(s);
		break;
	case 'r':
		s->view.reverse = !s->view.reverse;
		break;
	case '/':
		s->typing = true;
		break;
	case KEY_ESCAPE:
		s->view.filter[0] = '\0';
		s->help = false;
		break;
	case 'o':
		s->view.trend_order = (s->view.trend_order + 1) % s->orders;
		break;
	case 'f':
	case ' ':
		s->frozen = !s->frozen;
		break;
	case '+':
		if (s->interval_ns / 2 >= INTERVAL_MIN_NS)
			s->interval_ns /= 2;
		break;
	case '-':
		if (s->interval_ns * 2 <= INTERVAL_MAX_NS)
			s->interval_ns *= 2;
		break;
	default:
		scroll_by(s, key);
	}
}

int top_screen_wait(struct top_screen *s, uint64_t ns)
{
	int key;

	timeout((int)(ns / 1000000));
	key = getch();
	if (key == ERR)
		return 0;
	if (s->typing)
		type(s, key);
	else
		press(s, key);
	return s->quit ? -1 : 1;
}
