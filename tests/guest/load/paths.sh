#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# paths.sh - the ways by which pages come and go, each at least once: bulk allocations
# (stacks of processes), page cache, splits, compaction.
for i in 1 2 3 4; do sh -c "seq 1 400 >/dev/null" & done
wait
dd if=/dev/zero of=/tmp/a bs=1M count=20 2>/dev/null
dd if=/dev/zero of=/tmp/b bs=1M count=20 2>/dev/null
rm /tmp/a
echo 1 >/sys/kernel/debug/split_huge_pages
echo 1 >/proc/sys/vm/compact_memory
rm /tmp/b
