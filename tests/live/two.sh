#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# two.sh - two recorders at once neither disturb nor starve each other: both
# accounts add up, both cover, and both saw the same process work.
. tests/support/lib.sh
needs_recording two_recorders_end_well

A=$SCRATCH/a.kmt B=$SCRATCH/b.kmt
"$KMEMLAB" record -q -o "$A" 2>"$SCRATCH/a.words" &
a=$!
"$KMEMLAB" record -q -o "$B" 2>"$SCRATCH/b.words" &
b=$!
until_recording $a "$A" && until_recording $b "$B"
{ links_of $a && links_of $b; } >"$SCRATCH/links"
churn 300
kill -TERM $a $b
wait $a
status_a=$?
wait $b
status_b=$?
check two_recorders_first_ends_well "exit status $status_a" done_or_lost $status_a
check two_recorders_second_ends_well "exit status $status_b" done_or_lost $status_b

for side in a b; do
	"$KMEMLAB" info --json "$SCRATCH/$side.kmt" >"$SCRATCH/$side.json"
	same "two_recorders_identity_$side" true "$(identity "$SCRATCH/$side.json")"
	seen=$(events_of_process "$SCRATCH/$side.kmt" mm_page_alloc comm tail)
	check "two_recorders_${side}_saw_the_process" "$seen events of it" at_least 20 "$seen"
done
check two_recorders_attach_each_their_own "fewer than 10 links" \
	at_least 10 "$(sort -u "$SCRATCH/links" | wc -l)"
same two_recorders_leave_nothing_attached 0 "$(still_attached "$SCRATCH/links")"
exit 0
