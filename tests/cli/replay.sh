#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# replay.sh - the replay command's file: whole or not there, and nothing that is
# no file replaced; what a result says of itself.
. tests/support/lib.sh
trace=tests/fuzz/corpus-fuzz_trace/seed2.trace
sample=reports/samples/compile.kmt
out=$SCRATCH/r.json

# replay WANTED WORDS ARGUMENT... - the status, and words on stderr
replay() {
	local want=$1 words=$2 got
	shift 2
	"$KMEMLAB" replay "$@" >"$SCRATCH/out" 2>"$SCRATCH/err"
	got=$?
	[ "$got" = "$want" ] && grep -qF -- "$words" "$SCRATCH/err"
}

# What a full disk does: the write fails part of the way.
too_large() {
	(trap '' XFSZ && ulimit -f 8 && replay 1 "cannot write" "$sample" -o "$out")
}

check "replay: no zoneinfo" "status or words" replay 1 "no zoneinfo" "$trace" -o "$out"
check "replay: full disk" "status or words: $(cat "$SCRATCH/err")" too_large
same "replay: full disk leaves nothing" "" "$(find "$SCRATCH" -name 'r.json*')"
check "replay: writes a result" "status or words" replay 0 "reference: " "$sample" -o "$out"
same "replay: result is as public as any file" "$(touch "$SCRATCH/any" && stat -c %a "$SCRATCH/any")" \
	"$(stat -c %a "$out")"
check "replay: refuses to overwrite" "status or words" replay 1 "use -f" "$sample" -o "$out"
mkfifo "$SCRATCH/pipe"
timeout 60 cat "$SCRATCH/pipe" >"$SCRATCH/piped" &
check "replay: writes to a pipe" "status or words" replay 0 "reference: " -f "$sample" -o "$SCRATCH/pipe"
wait
check "replay: the pipe stays one" "replaced" test -p "$SCRATCH/pipe"
same "replay: what came through it" "kmemlab-result/1" "$(field "$SCRATCH/piped" d.schema)"

same "replay: measures are counted once" "true" "$(field "$out" \
	'd.fidelity.grade.includes("in " + d.fidelity.measures_won + " of " +
		d.fidelity.measures_total + " measures") && d.fidelity.measures_total === 5')"
"$KMEMLAB" report "$out" -F text >"$SCRATCH/text" 2>/dev/null
same "replay: the report says as many" 1 "$(tr -s ' \n' ' ' <"$SCRATCH/text" |
	grep -c "as good or better on $(field "$out" d.fidelity.measures_won) of 5 measures")"
same "replay: speed is of page events" "true" "$(field "$out" \
	'(k => d.runs.every(r => r.speed.events === Object.entries(k).filter(([n]) =>
		/^(mm_page|task_newtask)/.test(n)).reduce((a, [, n]) => a + n, 0)))(d.trace.events_by_kind)')"

# runs ARGUMENT... - names of a replay's runs
runs() {
	"$KMEMLAB" replay "$@" reports/samples/mix.kmt 2>/dev/null >"$SCRATCH/runs"
	field "$SCRATCH/runs" 'd.runs.map(r => r.name).join(" ")'
}
same "replay: variations are beside what they vary" "observed reference a b what-if" \
	"$(runs -p a:pcp.high=64 -p b:kernel=6.1 --set mobility=off)"
same "replay: only what is named of the two" "reference a" "$(runs -p reference -p a:pcp.high=64)"

# A file's name is any bytes; the result is UTF-8, and complete.
odd=$SCRATCH/m$(printf '\377')x.kmt
cp reports/samples/mix.kmt "$odd"
"$KMEMLAB" replay -p observed "$odd" 2>/dev/null >"$SCRATCH/odd"
same "replay: a trace whose name is not UTF-8" "m\357\277\275x.kmt true" \
	"$(field "$SCRATCH/odd" 'd.trace.file + " " + d.command.includes("m\ufffdx.kmt")' |
		sed 's/\xef\xbf\xbd/\\357\\277\\275/')"
