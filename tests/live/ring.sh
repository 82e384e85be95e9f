#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# ring.sh - the flight recorder: a window at the end, at a signal, at a condition;
# each is a trace with an exact start.
. tests/support/lib.sh
needs_recording ring_ends_well ring_window_is_as_long_as_asked

T=$SCRATCH/t.kmt

# sound NAME FILE - it is whole, adds up, and has one snapshot before its events
sound() {
	"$KMEMLAB" info --json "$2" >"$SCRATCH/$1.json" 2>/dev/null
	same "ring_$1_can_be_read" 0 $?
	same "ring_$1_identity" true "$(identity "$SCRATCH/$1.json")"
	same "ring_$1_holds_what_it_says" \
		"$(field "$SCRATCH/$1.json" d.accounting.recorded)" \
		"$(field "$SCRATCH/$1.json" 'd.events_total - d.events.task')"
	same "ring_$1_is_undamaged" 0 "$(field "$SCRATCH/$1.json" \
		'd.damage.bad_blocks + d.damage.missing_blocks + d.damage.undefined_classes +
			(d.damage.unfinished ? 1 : 0)')"
	same "ring_$1_has_an_exact_start" 0 "$(field "$SCRATCH/$1.json" d.window.evicted_events)"
}

env --default-signal=INT "$KMEMLAB" record -q --ring 2s -o "$T" 2>"$SCRATCH/words" &
pid=$!
sleep 4
churn 100
sleep 1
kill -USR1 $pid
until_recording $pid "$T.0001"
sleep 4
churn 100
sleep 3
churn 100
kill -INT $pid
wait $pid
check ring_ends_well "exit status $?: $(tail -n 1 "$SCRATCH/words")" done_or_lost $?
sound signal "$T.0001"
same ring_signal_is_told SIGUSR1 "$(field "$SCRATCH/signal.json" d.window.written_because)"
sound end "$T"
check ring_window_is_as_long_as_asked "shorter than 2 s" \
	at_least 2000 "$(field "$SCRATCH/end.json" 'Math.round(d.duration_ns / 1e6)')"
seen=$(events_of_process "$T" mm_page_alloc comm tail)
check ring_window_has_the_newest_work "$seen events" at_least 20 "$seen"
"$KMEMLAB" replay -o "$SCRATCH/result.json" "$T" 2>"$SCRATCH/words"
same ring_window_can_be_replayed 0 $?

# More than fits: the oldest events go, and the trace says so.
T=$SCRATCH/small.kmt
"$KMEMLAB" record -q --ring 1m,1m -d 6s -o "$T" -- \
	sh -c 'while :; do ls -lR /usr/include >/dev/null; tail -c 20M /dev/zero >/dev/null; done' 2>"$SCRATCH/words"
"$KMEMLAB" info --json "$T" >"$SCRATCH/small.json"
same ring_small_identity true "$(identity "$SCRATCH/small.json")"
same ring_small_tells_what_went true "$(field "$SCRATCH/small.json" \
	'd.window.evicted_events === d.accounting.lost_write &&
		(d.window.evicted_events === 0 || d.window.unknown_at_start.startsWith("what"))')"

# Written by a condition, without a signal.
T=$SCRATCH/on.kmt
echo kept >"$T.0001" # an earlier recording's
"$KMEMLAB" record --ring 2s --on 'alloc-fail:order>=3' --on 'unusable[10]>0' --on 'stall>5s' \
	-d 5s -o "$T" 2>"$SCRATCH/words"
check ring_condition_writes "$(cat "$SCRATCH/words")" test -s "$T.0002"
same ring_condition_leaves_an_earlier_window kept "$(cat "$T.0001")"
sound condition "$T.0002"
same ring_condition_is_told 'unusable[10]>0' \
	"$(field "$SCRATCH/condition.json" d.window.written_because)"

# A window that cannot be written is told by the exit status, and recording goes on.
mkdir "$SCRATCH/gone"
env --default-signal=INT "$KMEMLAB" record -q --ring 2s -o "$SCRATCH/gone/t.kmt" 2>"$SCRATCH/words" &
pid=$!
until_recording $pid "$SCRATCH/gone/t.kmt.partial"
sleep 1
mkdir "$SCRATCH/gone/t.kmt.0001"
kill -USR1 $pid
sleep 2
kill -INT $pid
wait $pid
same ring_window_that_cannot_be_written_exits_1 1 $?
check ring_window_that_cannot_be_written_is_named "$(cat "$SCRATCH/words")" \
	grep -q "cannot create .*t.kmt.0001'.*goes on" "$SCRATCH/words"
"$KMEMLAB" info "$SCRATCH/gone/t.kmt" >/dev/null 2>&1
same ring_window_that_cannot_be_written_leaves_the_last 0 $?

for arguments in "--ring x" "--ring 2s,1k" "--on stall>1s" "--ring 2s --on later" "--ring 2s -o -" \
	"--ring 2s -m 1g"; do
	# shellcheck disable=SC2086
	"$KMEMLAB" record $arguments -d 1s >/dev/null 2>"$SCRATCH/words"
	same "ring_refuses_${arguments// /_}" 2 $?
done
exit 0
