/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* prediction.c - see prediction.h. */
#include <string.h>

#include "common/log.h"
#include "compare/prediction.h"

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

json_t *prediction_base(const json_t *root, const json_t *run)
{
	const char *base = text_of(json_object_get(run, "modelled_reclaim"), "base");
	json_t *one;
	size_t i;

	json_array_foreach (json_object_get(root, "runs"), i, one) {
		const char *name = text_of(one, "name");

		if (name && !strcmp(name, base ? base : "reference"))
			return one;
	}
	return NULL;
}

const char *prediction_refused(const json_t *run, const char *what)
{
	const json_t *one;
	size_t i;

	json_array_foreach (json_object_get(run, "not_predicted"), i, one) {
		const char *of = text_of(one, "what"), *why = text_of(one, "why");

		if (of && why && !strcmp(of, what))
			return why;
	}
	return NULL;
}

void warn_unless_prediction(const char *what, const json_t *run)
{
	const char *why = prediction_refused(run, "all");

	const json_t *settings = json_object_get(run, "settings");
	const char *text = json_string_value(settings);

	if (why && (text ? *text != '\0' : json_object_size(settings) > 0))
		log_warn("'%s': no prediction: %s", what, why);
}
