/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * template.c - the built page, linked in. PAGE_PATH is what reports/page/build.sh
 * wrote: HTML, style and scripts, with @@TITLE@@, @@BODY@@ and @@RESULT@@ once each.
 */
#include "report/report.h"

__asm__(".section .rodata\n"
	".global report_page_start\n"
	"report_page_start:\n"
	".incbin \"" PAGE_PATH "\"\n"
	".global report_page_end\n"
	"report_page_end:\n"
	".byte 0\n"
	".previous\n");

extern const char report_page_start[];
extern const char report_page_end[];

const char *report_template(size_t *bytes)
{
	*bytes = (size_t)(report_page_end - report_page_start);
	return report_page_start;
}
