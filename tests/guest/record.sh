#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# record.sh WORKLOAD [ARGUMENTS] - in the guest: record one workload to /out/trace.kmt,
# with the time inside the allocation functions.
# Lost events (7) are in the trace's own account, so they do not fail the run.
kmemlab record -q -p page,slab,pressure,latency -o /out/trace.kmt -- "$@"
status=$?
[ $status = 7 ] || [ $status = 0 ]
