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

# Nothing of it is in a file, so nothing of it is covered.
"$KMEMLAB" record -d 500ms -o - 2>"$SCRATCH/words" | head -c 100 >/dev/null
check lost_events_are_not_covered "$(grep coverage "$SCRATCH/words")" \
	grep -q 'coverage: 0.00 %' "$SCRATCH/words"
exit 0
