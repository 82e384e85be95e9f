/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* options.c - see options.h. */
#include <string.h>

#include "cli/cmd.h"
#include "cli/options.h"
#include "compare/measure.h"

error_t option_format(const char *name, const char *more, enum out_format *format)
{
	static const char *const known[] = {
		[OUT_TEXT] = "text", [OUT_JSON] = "json", [OUT_CSV] = "csv", [OUT_MARKDOWN] = "md"};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (!strcmp(name, known[i])) {
			*format = (enum out_format)i;
			return 0;
		}
	return cmd_usage("unknown format '%s'; use text, md, json, csv%s", name, more);
}

error_t option_measure(const char *name, size_t *measure)
{
	*measure = measure_find(name, strlen(name));
	return *measure < MEASURES
		       ? 0
		       : cmd_usage("unknown measure '%s'; 'kmemlab compare --list' shows all",
				   name);
}

error_t option_add_measure(const char *name, unsigned int *wanted)
{
	size_t i;
	error_t err = option_measure(name, &i);

	if (!err)
		*wanted |= 1u << i;
	return err;
}
