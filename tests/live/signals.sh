#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# signals.sh - Ctrl-C and SIGTERM leave a complete file; kill -9 leaves a
# readable one; none leaves anything attached to the kernel.
. tests/support/lib.sh
needs_recording int_leaves_a_complete_file kill_leaves_a_readable_file

# ended SIGNAL FILE - record until SIGNAL comes; prints the exit status.
# A job in the background of a script ignores SIGINT, so env restores it.
ended() {
	local pid
	env --default-signal=INT "$KMEMLAB" record -q -o "$2" 2>"$SCRATCH/words" &
	pid=$!
	until_recording $pid "$2" || echo "not recording" >&2
	links_of $pid >"$SCRATCH/links"
	churn 100
	sleep 0.5
	kill -s "$1" $pid
	wait $pid
	echo $?
}

events() { # file
	"$KMEMLAB" info --json "$1" >"$SCRATCH/info.json" 2>/dev/null
	echo $?
}

for signal in INT TERM; do
	T=$SCRATCH/$signal.kmt
	status=$(ended $signal "$T" 2>&1)
	check "${signal,,}_ends_the_recording_well" "exit status $status" done_or_lost "$status"
	same "${signal,,}_leaves_a_complete_file" 0 "$(events "$T")"
	check "${signal,,}_had_something_to_detach" "fewer than 5 links" \
		at_least 5 "$(wc -l <"$SCRATCH/links")"
	same "${signal,,}_leaves_nothing_attached" 0 "$(still_attached "$SCRATCH/links")"
done

T=$SCRATCH/kill.kmt
status=$(ended KILL "$T" 2>/dev/null)
same kill_ends_the_recorder 137 "$status"
check kill_leaves_no_file_that_looks_complete "it does" test ! -e "$T"
status=$(events "$T.partial")
check kill_leaves_a_readable_file "info exits with $status" \
	test "$status" = 0 -o "$status" = 5
check kill_leaves_events_in_the_file "fewer than 1000 events" \
	at_least 1000 "$(field "$SCRATCH/info.json" d.events_total)"
check kill_had_something_to_detach "fewer than 5 links" \
	at_least 5 "$(wc -l <"$SCRATCH/links")"
same kill_leaves_nothing_attached 0 "$(still_attached "$SCRATCH/links")"

# The first Ctrl-C waits for a command that will not end; the second for nothing.
# shellcheck disable=SC2016
T=$SCRATCH/twice.kmt
env --default-signal=INT "$KMEMLAB" record -q -o "$T" -- \
	sh -c 'trap "" INT TERM; echo >"$0"; sleep 5' "$SCRATCH/deaf" 2>/dev/null &
pid=$!
until_recording $pid "$T"
until_recording $pid "$SCRATCH/deaf"
links_of $pid >"$SCRATCH/links"
kill -INT $pid
sleep 0.2
check first_int_waits_for_the_command "it did not wait" kill -0 $pid
kill -INT $pid 2>/dev/null
timeout 1 tail -s 0.05 --pid=$pid -f /dev/null
same second_int_ends_it_at_once 0 $?
wait $pid
same second_int_ends_it_by_the_signal 130 $?
same second_int_leaves_nothing_attached 0 "$(still_attached "$SCRATCH/links")"

# The recording's end is the end of what its command started.
SLEEP=9$$ # seconds; a number that no other process has on its command line
"$KMEMLAB" record -q -o "$SCRATCH/tree.kmt" -d 1s -- sh -c "sh -c 'sleep $SLEEP; :'; :" >/dev/null 2>&1
sleep 0.5
# shellcheck disable=SC2126
same duration_ends_the_commands_children 0 \
	"$(grep -lsa '^sleep' /proc/[0-9]*/cmdline | xargs -r grep -lsa "$SLEEP" | wc -l)"
exit 0
