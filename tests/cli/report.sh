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
check "report: unknown format" "status or words" report 2 "use html, text, md or json" "$small" --format pdf
check "report: no result" "status or words" report 2 "kmemlab replay"
check "report: missing file" "status or words" report 1 "cannot open '/nonexistent'" /nonexistent
check "report: not JSON" "status or words" report 1 "not JSON" "$0"
echo '{"schema":"kmemlab-result/9"}' >"$SCRATCH/new.json"
check "report: newer schema" "status or words" report 1 "this kmemlab reads" "$SCRATCH/new.json"
check "report: unwritable place" "status or words" report 1 "cannot write" "$small" -o /nonexistent/r.html

report 0 "" "$small" --format text
same "report: text starts with its name" "kmemlab report: result-small" "$(head -n 1 "$SCRATCH/out")"
report 0 "" "$small" --format md
same "report: Markdown starts with its name" "# kmemlab report: result-small" "$(head -n 1 "$SCRATCH/out")"
report 0 "" "$small" --format json
same "report: JSON has three sentences" 3 \
	"$(field "$SCRATCH/out" 'd.verdicts[0].sentences.length')"
last=$(field "$small" 'd.kernel_samples.time_ns.at(-1) / 1e9')
same "report: the last reading of buddyinfo is told by its time" "buddyinfo, $last s" \
	"$(field "$SCRATCH/out" 'd.sections.find((s) => s.id === "free").tables
		.flatMap((t) => t.columns).find((c) => c.name.startsWith("buddyinfo")).name
		.replace(/[\d.]+/, (n) => +n)')"
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

# A real trace under pressure: what each form says of it is the same.
"$KMEMLAB" replay --reproducible -o "$SCRATCH/pressure.json" reports/samples/pressure.kmt 2>"$SCRATCH/err" ||
	not_ok "report: pressure is replayed" "$(tail -n 1 "$SCRATCH/err")"
result=$SCRATCH/pressure.json
same "replay: fallbacks by command are those of the observed run" true "$(field "$result" '(() => {
	const sum = (list, key) => list.reduce((n, x) => n + x[key], 0);
	const mine = d.culprits.fallbacks.by_command;
	return d.fallbacks.length > 0 && ["events", "claimed", "stolen"].every((key) =>
		sum(mine, key) === sum(d.fallbacks, key));
})()')"
same "replay: every reclaim is a stall" true \
	"$(field "$result" 'd.trace.events_by_kind.mm_vmscan_direct_reclaim_end ===
		d.stalls.by_kind.find(k => k.kind === "reclaim").count')"
same "replay: stalls by order and by command add up" true "$(field "$result" '(() => {
	const sum = (list) => list.reduce((n, x) => n + x.total_ns, 0);
	return sum(d.stalls.by_kind) > 0 && sum(d.stalls.by_kind) === sum(d.stalls.by_order) &&
		sum(d.stalls.by_kind) === sum(d.stalls.by_command);
})()')"
same "replay: survival falls from 1 and is never over 40 points" true \
	"$(field "$result" 'd.lifetimes.rows.length > 40 && d.lifetimes.rows.every(r =>
		r.survival.length <= 40 && (r.freed > 0) === (r.survival.length > 0) &&
		r.survival.every((p, i, s) => i ? p[1] <= s[i - 1][1] && p[0] > s[i - 1][0] : p[1] === 1))')"
same "replay: lifetimes are those of stat" "$("$KMEMLAB" stat --by lifetime --top 3 --json \
	reports/samples/pressure.kmt 2>/dev/null >"$SCRATCH/stat"
	field "$SCRATCH/stat" '(d.rows ?? d.lifetime ?? d).slice(0, 3).map(r => [r.allocated_by, r.freed, r.p90_ns, r.live_bytes])')" \
	"$(field "$result" 'd.lifetimes.rows.slice(0, 3).map(r => [r.name, r.freed, r.p90_ns, r.live_bytes])')"
same "replay: latency of pages counts what its histogram holds" true \
	"$(field "$result" 'd.latency.rows.some(r => r.what === "pages" && r.order === 0) &&
		d.latency.rows.every(r => r.calls === r.histogram.reduce((n, b) => n + b[1], 0))')"
report 0 "" "$result" --format json
cp "$SCRATCH/out" "$SCRATCH/pressure-report.json"
same "report: the sections are there" true "$(field "$SCRATCH/pressure-report.json" \
	'["stalls", "culprits", "lifetimes", "latency", "measures"].every(id =>
		d.sections.find(s => s.id === id).tables.length > 0)')"
longest=$(field "$SCRATCH/pressure-report.json" \
	'd.verdicts[0].sentences[1].figures.find(f => f.name === "longest stall").value')
same "report: the verdict's longest stall is in its table" "$longest" "$(field \
	"$SCRATCH/pressure-report.json" 'd.sections.find(s => s.id === "stalls").tables.find(t =>
		t.caption === "The longest stalls").rows[0][4]')"
report 0 "" "$result" --format text
cp "$SCRATCH/out" "$SCRATCH/pressure.txt"
report 0 wrote "$result" -f -o "$SCRATCH/pressure.html"
# shellcheck disable=SC2016
for command in $(field "$SCRATCH/pressure-report.json" 'd.sections.find(s => s.id === "stalls").tables
	.find(t => t.caption === "Stalls by command").rows.map(r => r[0]).join(" ")'); do
	check "report: $command's stalls are in text and page" "not in both" eval \
		'grep -q "^  $command  *reclaim" "$SCRATCH/pressure.txt" &&
		 grep -q "<td>$command</td><td>reclaim</td>" "$SCRATCH/pressure.html"'
done
