/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * prediction.h - what a what-if run may be taken for.
 *
 * A run that models reclaim differs from the reference by its settings and by the model:
 * what the settings change is told by a run of the model with the recorded ones.
 */
#ifndef KMEMLAB_COMPARE_PREDICTION_H
#define KMEMLAB_COMPARE_PREDICTION_H

#include <jansson.h>

/** prediction_base() - the run of a result that @run is to be held against: the one that
 *  has the same model of reclaim, else the reference; NULL: it has none */
json_t *prediction_base(const json_t *root, const json_t *run);

/** prediction_refused() - why @what of a run ("all", or a field) is no prediction; NULL: it
 *  is one */
const char *prediction_refused(const json_t *run, const char *what);

/** warn_unless_prediction() - say on stderr if a run with settings predicts nothing
 *  @what: the run, or its settings, for the reader */
void warn_unless_prediction(const char *what, const json_t *run);

#endif
