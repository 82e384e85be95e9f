/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* peer.h - other allocators' figures, from processes of their own: lines "index value". */
#ifndef KMEMLAB_BENCH_PEER_H
#define KMEMLAB_BENCH_PEER_H

#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

/* What @command, a shell's, prints of @n figures; false if it fails */
static inline bool read_peer(const char *command, double *figures, int n)
{
	FILE *child = popen(command, "r");
	int i;
	double value;

	if (!child)
		return false;
	while (fscanf(child, "%d %lf", &i, &value) == 2)
		if (i >= 0 && i < n)
			figures[i] = value;
	return pclose(child) == 0;
}

/* What this program prints if @library, preloaded, is its malloc; "": as it is. False if it is
 * not installed */
static inline bool run_peer(const char *library, double *figures, int n)
{
	char command[768], self[256];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (length < 0)
		return false;
	self[length] = '\0';
	snprintf(command, sizeof(command), "LD_PRELOAD=%s exec '%s' malloc '%s' 2>/dev/null",
		 library, self, library);
	return read_peer(command, figures, n);
}

#endif
