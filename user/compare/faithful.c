/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* faithful.c - see faithful.h. */
#include <string.h>

#include "common/log.h"
#include "compare/faithful.h"

void warn_unless_faithful(const char *what, const json_t *grade)
{
	const char *text = json_string_value(grade);

	if (!text)
		log_warn("'%s': how faithful the reference is there is not known; replay with "
			 "observed and reference",
			 what);
	else if (strncmp(text, "good", 4) != 0)
		log_warn("'%s': nothing is to be concluded about policies: the reference is %s",
			 what, text);
}
