#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# edges.sh - commands that cannot run, ends at odd moments, losses that coverage
# must know of.
. tests/support/lib.sh
needs_recording duration_begins_when_the_command_runs

T=$SCRATCH/t.kmt

# The start snapshot takes as long as it takes; the command gets its time after it.
words=$("$KMEMLAB" record -q -f -d 500ms -o "$T" -- sh -c 'echo one; sleep .1; echo two' 2>&1)
same duration_begins_when_the_command_runs "one two" "$(echo $words)"

printf '#!/nonexistent\n' >"$SCRATCH/script"
chmod +x "$SCRATCH/script"
rm -f "$T"
"$KMEMLAB" record -o "$T" -- "$SCRATCH/script" 2>"$SCRATCH/words"
same missing_interpreter_exits_1 1 $?
check missing_interpreter_is_named "$(cat "$SCRATCH/words")" grep -q interpreter "$SCRATCH/words"
check missing_interpreter_leaves_no_file "it does" test ! -e "$T"

"$KMEMLAB" record -o "$T" -- "$SCRATCH" 2>"$SCRATCH/words"
same directory_as_command_exits_1 1 $?
"$KMEMLAB" record -o "$SCRATCH" -d 1s 2>"$SCRATCH/words"
same directory_as_output_exits_1 1 $?
check directory_as_output_is_said "$(cat "$SCRATCH/words")" \
	grep -q "is a directory" "$SCRATCH/words"

# Ctrl-C while the command is still held back.
for delay in 0.2 0.3 0.4; do
	rm -f "$T"
	setsid env --default-signal=INT "$KMEMLAB" record -q -o "$T" -- sleep 20 2>/dev/null &
	pid=$!
	sleep $delay
	kill -INT -$pid
	wait $pid
	[ -e "$T" ] || continue # not even begun
	"$KMEMLAB" info "$T" >/dev/null 2>&1
	same "interrupted_after_${delay}_is_complete" 0 $?
done

# Where this process is shown another time, the trace has the kernel's.
if unshare -T --boottime 86400 true 2>/dev/null; then
	unshare -T --boottime 86400 --fork "$KMEMLAB" record -q -f -d 500ms -o "$T"
	"$KMEMLAB" info --json "$T" >"$SCRATCH/info.json"
	check time_namespace_is_seen_through "$(field "$SCRATCH/info.json" d.first_event_ns)" test \
		"$(field "$SCRATCH/info.json" "d.first_event_ns < 1e9 * $(cut -d' ' -f1 /proc/uptime)")" = true
	check time_namespace_costs_no_coverage "$(field "$SCRATCH/info.json" 'd.coverage')" \
		at_least 90 "$(field "$SCRATCH/info.json" \
			'Math.round(100 * d.coverage.pages_alloc_seen / d.coverage.pages_alloc_vmstat)')"
else
	skip time_namespace_is_seen_through "no time namespaces here"
fi

# Each CPU's node is in the header, as sysfs has it.
if [ -e /sys/devices/system/node/node0 ]; then
	"$KMEMLAB" record -q -f -d 200ms -o "$T"
	"$KMEMLAB" info --json "$T" >"$SCRATCH/info.json"
	same cpu_nodes_are_recorded "$(for cpu in /sys/devices/system/cpu/cpu[0-9]*; do
		echo "${cpu##*cpu} $(cd "$cpu" && echo node*)"; done | sort -n | sed 's/.*node//' | paste -sd,)" \
		"$(field "$SCRATCH/info.json" 'd.host.cpu_node.join(",")')"
fi

# Nothing of it is in a file, so nothing of it is covered.
"$KMEMLAB" record -d 500ms -o - 2>"$SCRATCH/words" | head -c 100 >/dev/null
check lost_events_are_not_covered "$(grep coverage "$SCRATCH/words")" \
	grep -q 'coverage: 0.00 %' "$SCRATCH/words"
exit 0
