#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# rotate.sh - each file of a rotated recording can be read and replayed alone, and
# together they are the whole.
. tests/support/lib.sh
needs_recording rotate_ends_well rotate_keeps_the_newest

work() { # seconds
	timeout "$1" sh -c 'while :; do tail -c 20M /dev/zero >/dev/null; ls -lR /usr/include >/dev/null; done'
}

# blocks FILE - the numbers of its first and its last block
blocks() {
	node -e 'const fs = require("fs"), b = fs.readFileSync(process.argv[1]);
		let at = 0, seq = [];
		while (at + 96 <= b.length) {
			seq.push(b.readBigUInt64LE(at + 24));
			at += 96 + b.readUInt32LE(at + 16);
		}
		console.log(seq[0] + " " + seq[seq.length - 1]);' "$1"
}

T=$SCRATCH/t.kmt
export -f work
"$KMEMLAB" record --rotate 1m -o "$T" -- bash -c 'work 6' 2>"$SCRATCH/words"
status=$?
check rotate_ends_well "exit status $status: $(tail -n 1 "$SCRATCH/words")" done_or_lost $status
check rotate_makes_files "fewer than 2" at_least 2 "$(ls "$T".0* | wc -l)"
same rotate_leaves_no_other_file "" "$(ls "$SCRATCH" | grep -v '^t.kmt.0\|^words\|^doctor')"

next=0 sum=0 contiguous=yes
for file in "$T".0*; do
	n=${file##*.}
	"$KMEMLAB" info --json "$file" >"$SCRATCH/info.json"
	same "rotate_file_${n}_identity" true "$(identity "$SCRATCH/info.json")"
	same "rotate_file_${n}_is_undamaged" 0 "$(field "$SCRATCH/info.json" \
		'd.damage.bad_blocks + d.damage.missing_blocks + d.damage.undefined_classes +
			(d.damage.unfinished ? 1 : 0)')"
	same "rotate_file_${n}_holds_what_it_says" \
		"$(field "$SCRATCH/info.json" d.accounting.recorded)" \
		"$(field "$SCRATCH/info.json" 'd.events_total - d.events.task')"
	same "rotate_file_${n}_knows_its_number" "$((10#$n))" "$(field "$SCRATCH/info.json" d.part)"
	sum=$((sum + $(field "$SCRATCH/info.json" d.accounting.fired)))
	read -r first last < <(blocks "$file")
	[ "$first" = "$next" ] || contiguous="no: file $n begins with block $first, not $next"
	next=$((last + 1))
done
same rotate_blocks_are_numbered_on yes "$contiguous"
# The last file's account knows the whole.
same rotate_files_add_up_to_the_recording \
	"$(field "$SCRATCH/info.json" d.recording_totals.fired)" "$sum"
"$KMEMLAB" replay -o "$SCRATCH/result.json" "$T.0002" 2>"$SCRATCH/words"
same rotate_second_file_can_be_replayed 0 $?

# Of many files the newest stay, and a signal begins one too.
T=$SCRATCH/k.kmt
"$KMEMLAB" record -q --rotate 100m,keep=2 -o "$T" 2>"$SCRATCH/words" &
pid=$!
until_recording $pid "$T.0001"
for next in 0002 0003 0004 0005; do
	kill -USR1 $pid
	until_recording $pid "$T.$next"
	sleep 0.5
done
kill -INT $pid 2>/dev/null
kill -TERM $pid
wait $pid
same rotate_keeps_the_newest "k.kmt.0003 k.kmt.0004 k.kmt.0005" \
	"$(cd "$SCRATCH" && echo k.kmt.0*)"
"$KMEMLAB" info "$T.0004" >/dev/null 2>&1
same rotate_file_begun_by_a_signal_is_complete 0 $?

# Not when the recording has come to a number that is taken, perhaps days later.
touch "$SCRATCH/taken.kmt.0007"
"$KMEMLAB" record --rotate 1m -d 1s -o "$SCRATCH/taken.kmt" 2>"$SCRATCH/words"
same rotate_over_an_earlier_recording_exits_1 1 $?
check rotate_over_an_earlier_recording_names_it "$(cat "$SCRATCH/words")" \
	grep -q "taken.kmt.0007'.*-f" "$SCRATCH/words"
same rotate_over_an_earlier_recording_leaves_it_alone "taken.kmt.0007" \
	"$(cd "$SCRATCH" && echo taken.kmt*)"

for arguments in "--rotate 1" "--rotate 1m,keep=x" "--rotate 1m,keep=4294967297" "--rotate 1m --ring 3s" "--rotate 1m -o -"; do
	# shellcheck disable=SC2086
	"$KMEMLAB" record $arguments -d 1s >/dev/null 2>"$SCRATCH/words"
	same "rotate_refuses_${arguments// /_}" 2 $?
done
exit 0
