#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# triggers.sh - the conditions of --on, met for real: a cgroup that is too small
# makes its tasks reclaim, and then lets allocations fail.
. tests/support/lib.sh
NAMES="trigger_stall_writes_the_window trigger_alloc_fail_writes_the_window"
# shellcheck disable=SC2086
needs_recording $NAMES

# A memory controller of version 1: only that one lets allocations fail rather than
# have tasks killed.
root=$(awk '$3 == "cgroup" && $4 ~ /(^|,)memory(,|$)/ { print $2; exit }' /proc/mounts)
group=$root/kmemlab-test-$$
if [ -z "$root" ] || ! mkdir "$group" 2>/dev/null; then
	for name in $NAMES; do
		skip "$name" "no cgroup of version 1 with a memory limit can be made here"
	done
	exit 0
fi
echo 16M >"$group/memory.limit_in_bytes"

# inside SCRIPT - run it in the cgroup, in the background; $member is its pid
inside() {
	bash -c 'echo $$ >"$1/cgroup.procs"; cd "$2"; eval "$3"' bash "$group" "$SCRATCH" "$1" \
		>/dev/null 2>&1 &
	member=$!
}

# leave - end whatever is in the cgroup
leave() {
	local pid
	echo 0 >"$group/memory.oom_control"
	for pid in $(cat "$group/cgroup.procs"); do kill -KILL "$pid" 2>/dev/null; done
	wait $member 2>/dev/null
}

# fires NAME CONDITION SCRIPT PATTERN - recording while SCRIPT runs writes one window or
# more; PATTERN is in a dump of what the condition is about
fires() {
	local t=$SCRATCH/$1.kmt pid i
	env --default-signal=INT "$KMEMLAB" record -q --ring 2s --on "$2" -o "$t" 2>"$SCRATCH/words" &
	pid=$!
	until_recording $pid "$t"
	sleep 2
	inside "$3"
	for i in $(seq 100); do [ -e "$t.0001" ] && break; sleep 0.1; done
	kill -INT $pid
	wait $pid
	check "trigger_$1_ends_well" "exit status $?: $(cat "$SCRATCH/words")" done_or_lost $?
	leave
	if [ ! -s "$t.0001" ] && ! "$KMEMLAB" dump --json "$t" | grep -q "$4"; then
		skip "trigger_$1_writes_the_window" "the kernel did not come to it here"
		return 1
	fi
	check "trigger_$1_writes_the_window" "$(cat "$SCRATCH/words")" test -s "$t.0001"
	"$KMEMLAB" info --json "$t.0001" >"$SCRATCH/info.json"
	same "trigger_$1_is_told" "$2" "$(field "$SCRATCH/info.json" d.window.written_because)"
	same "trigger_$1_identity" true "$(identity "$SCRATCH/info.json")"
	"$KMEMLAB" dump --json "$t.0001" >"$SCRATCH/dump"
	check "trigger_$1_is_in_the_window" "no $4" grep -q "$4" "$SCRATCH/dump"
}

# Files read through a cache that holds a tenth of them.
fires stall 'stall>1us' 'while :; do find /usr/lib /usr/bin -type f -size +1M -exec cat {} +; done' \
	mm_vmscan_memcg_reclaim_begin

# Pipes' pages are charged to the cgroup, and nothing of it can be reclaimed.
# One process that forks none, as those would wait for memory at their first step.
echo 1 >"$group/memory.oom_control"
(cd "$SCRATCH" && mkfifo $(seq -f 'pipe%g' 400))
# shellcheck disable=SC2016
fires alloc_fail 'alloc-fail' 'for f in pipe*; do
		exec {fd}<>"$f"
		printf "%65536s" full >&$fd
	done' '"kind":"mm_page_alloc".*"failed":1'

for i in 1 2 3 4 5; do rmdir "$group" 2>/dev/null && break; sleep 0.2; done
exit 0
