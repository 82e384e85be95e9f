/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* grid.c - see grid.h. The last axis turns fastest. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kmemlab/refmm.h>

#include "replay/knobs.h"
#include "sweep/grid.h"

/* Where an axis of that name is, or belongs. */
static size_t place(const struct grid *g, const char *name)
{
	size_t i = 0;

	while (i < g->axes && strcmp(g->axis[i].name, name) < 0)
		i++;
	return i;
}

static int add_value(struct grid_axis *a, const char *value, char *error)
{
	char *assignment;

	if (a->values == GRID_VALUES) {
		snprintf(error, 512, "setting '%s' has more than %d values", a->name, GRID_VALUES);
		return -EINVAL;
	}
	if (asprintf(&assignment, "%s=%s", a->name, value) < 0)
		return -ENOMEM;
	a->assignment[a->values++] = assignment;
	for (size_t i = 0; i + 1 < a->values; i++)
		if (!strcmp(a->assignment[i], assignment)) {
			snprintf(error, 512, "setting '%s' is given twice", assignment);
			return -EINVAL;
		}
	return knob_check(assignment, error);
}

static void free_axis(struct grid_axis *a)
{
	free(a->name);
	for (size_t i = 0; i < a->values; i++)
		free(a->assignment[i]);
}

static int fill_axis(struct grid_axis *a, char *list, char *error)
{
	int err = 0;

	for (char *value; (value = strsep(&list, ",")) && !err;)
		err = add_value(a, value, error);
	return err;
}

int grid_add(struct grid *g, const char *text, char *error)
{
	struct grid_axis axis = {.name = strdup(text)};
	char *list = axis.name ? strchr(axis.name, '=') : NULL;
	size_t at;
	int err;

	if (!list) {
		snprintf(error, 512, "cannot use '%.60s': write SETTING=VALUE,VALUE", text);
		free(axis.name);
		return axis.name ? -EINVAL : -ENOMEM;
	}
	*list++ = '\0';
	at = place(g, axis.name);
	if (g->axes == GRID_AXES || (at < g->axes && !strcmp(g->axis[at].name, axis.name))) {
		snprintf(error, 512,
			 g->axes == GRID_AXES ? "at most %d settings can vary"
					      : "a setting can vary in one --grid only",
			 GRID_AXES);
		err = -EINVAL;
	} else {
		err = fill_axis(&axis, list, error);
	}
	if (err) {
		free_axis(&axis);
		return err;
	}
	memmove(&g->axis[at + 1], &g->axis[at], (g->axes - at) * sizeof(axis));
	g->axis[at] = axis;
	g->axes++;
	return 0;
}

void grid_free(struct grid *g)
{
	for (size_t i = 0; i < g->axes; i++)
		free_axis(&g->axis[i]);
	g->axes = 0;
}

size_t grid_cells(const struct grid *g)
{
	size_t n = 1;

	for (size_t i = 0; i < g->axes; i++) {
		n *= g->axis[i].values;
		if (n > GRID_CELLS_MAX)
			return 0;
	}
	return n;
}

void grid_cell(const struct grid *g, size_t i, const char **out)
{
	for (size_t a = g->axes; a-- > 0;) {
		out[a] = g->axis[a].assignment[i % g->axis[a].values];
		i /= g->axis[a].values;
	}
}
