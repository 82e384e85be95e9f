#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# compile.sh [ROUNDS] - GCC's own compiler over preprocessed sources of this
# project, two at a time: run.sh puts both into /files.
for round in $(seq "${1:-1}"); do
	ls /files/*.i | xargs -P 2 -n 1 sh -c '/files/cc1 -quiet -O2 -std=gnu11 "$0" -o "$(basename "$0" .i)".s'
done
