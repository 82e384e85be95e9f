/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * grid.h - all combinations of settings: --grid A=1,2 --grid B=x,y,z are 6.
 */
#ifndef KMEMLAB_SWEEP_GRID_H
#define KMEMLAB_SWEEP_GRID_H

#include <stddef.h>

enum { GRID_AXES = 16, GRID_VALUES = 64, GRID_CELLS_MAX = 100000 };

struct grid_axis {
	char *name;
	char *assignment[GRID_VALUES]; /* "NAME=VALUE" */
	size_t values;
};

/* Axes are sorted by name, so that the order of options does not matter. */
struct grid {
	struct grid_axis axis[GRID_AXES];
	size_t axes;
};

/** grid_add() - "NAME=VALUE,VALUE..."; every value is tried
 *  @error: 512 bytes for one line. Return: 0, -EINVAL, -ENOMEM */
int grid_add(struct grid *g, const char *text, char *error);
void grid_free(struct grid *g);

/** grid_cells() - how many combinations; 0: more than GRID_CELLS_MAX */
size_t grid_cells(const struct grid *g);

/** grid_cell() - combination @i, one assignment an axis, into @out[GRID_AXES] */
void grid_cell(const struct grid *g, size_t i, const char **out);

#endif
