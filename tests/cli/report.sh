#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# report.sh - the report command's files, formats, messages and exit codes.
. tests/support/lib.sh
small=tests/data/result-small.json
out=$SCRATCH/r.html

report() { # wanted status, words on stderr, arguments...
	local want=$1 words=$2
	shift 2
	"$KMEMLAB" report "$@" >"$SCRATCH/out" 2>"$SCRATCH/err"
	local got=$?
	[ "$got" = "$want" ] && grep -qF -- "$words" "$SCRATCH/err"
}

check "report: writes a page" "see above" report 0 "wrote $out" "$small" -o "$out"
check "report: the page is whole" "no </html>" grep -q '</html>' "$out"
same "report: page stays off stdout" 0 "$(wc -c <"$SCRATCH/out")"
check "report: refuses to overwrite" "status or words" report 1 "use -f" "$small" -o "$out"
check "report: -f overwrites" "status" report 0 wrote "$small" -o "$out" -f
check "report: unknown option" "status or words" report 2 "did you mean '--format'" "$small" --fromat text
check "report: unknown format" "status or words" report 2 "use html, text or json" "$small" --format pdf
check "report: no result" "status or words" report 2 "kmemlab replay"
check "report: missing file" "status or words" report 1 "cannot open '/nonexistent'" /nonexistent
check "report: not JSON" "status or words" report 1 "not JSON" "$0"
echo '{"schema":"kmemlab-result/9"}' >"$SCRATCH/new.json"
check "report: newer schema" "status or words" report 1 "this kmemlab reads" "$SCRATCH/new.json"
check "report: unwritable place" "status or words" report 1 "cannot write" "$small" -o /nonexistent/r.html

report 0 "" "$small" --format text
same "report: text starts with its name" "kmemlab report: result-small" "$(head -n 1 "$SCRATCH/out")"
report 0 "" "$small" --format json
same "report: JSON has three sentences" 3 \
	"$(field "$SCRATCH/out" 'd.verdicts[0].sentences.length')"
"$KMEMLAB" report - --format json <"$small" >"$SCRATCH/out" 2>/dev/null
same "report: reads standard input" "standard input" "$(field "$SCRATCH/out" 'd.title')"
report 0 "" "$small" "$small" --format json
same "report: equal names are told apart" '["result-small","result-small (2)"]' \
	"$(field "$SCRATCH/out" 'd.verdicts.map(v => v.result)')"
"$KMEMLAB" report "$small" -o - >"$SCRATCH/page" 2>/dev/null
check "report: -o - is stdout" "differs from the file" cmp -s "$SCRATCH/page" "$out"
check "report: a trace" "status or words" report 1 "it is a trace, not a result" \
	tests/fuzz/corpus-fuzz_trace/seed2.trace
mkfifo "$SCRATCH/pipe"
cat "$SCRATCH/pipe" >/dev/null &
check "report: writes to a pipe" "status" report 0 wrote "$small" -f -o "$SCRATCH/pipe"
wait
check "report: the pipe stays one" "replaced" test -p "$SCRATCH/pipe"
