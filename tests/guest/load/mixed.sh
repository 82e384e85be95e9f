#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# mixed.sh [ROUNDS] - the other workloads side by side, with a seed for each round.
for round in $(seq "${1:-4}"); do
	forks 12 "$round" &
	pagecache 40 "$round" &
	thp 40 "$round" &
	sockets 1500 "$round" &
	dentries 8000 "$round" &
	wait
done
