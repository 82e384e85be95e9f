#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# sweep.sh - a grid over two traces: shared, stopped and resumed, the same bytes.
. tests/support/lib.sh
traces="reports/samples/compile.kmt reports/samples/mix.kmt"
grid=(--grid pcp.high=64,1024,100000 --grid vm.watermark_boost_factor=0,15000 --grid kernel=6.1,6.12)
all=$SCRATCH/all one=$SCRATCH/one two=$SCRATCH/two

# shellcheck disable=SC2086
sweep() {
	"$KMEMLAB" sweep "$@" $traces 2>"$SCRATCH/err"
}

sweep -o "$all" "${grid[@]}" -F jsonl >"$SCRATCH/all.jsonl"
same "sweep: status" 0 $?
same "sweep: a line for each combination, trace and reference" 26 "$(wc -l <"$SCRATCH/all.jsonl")"
sweep -o "$one" "${grid[@]}" --shard 1/2 -j 1 -F jsonl >/dev/null
sweep -o "$two" "${grid[@]}" --shard 2/2 -j 2 -F jsonl >/dev/null
"$KMEMLAB" sweep --merge "$two" "$one" -F jsonl >"$SCRATCH/shards.jsonl" 2>/dev/null
check "sweep: shards merged are the same bytes" "they differ" cmp "$SCRATCH/all.jsonl" "$SCRATCH/shards.jsonl"
check "sweep: each shard did a part" "$(ls "$one" "$two")" test "$(ls "$one" | wc -l)" = 2 -a "$(ls "$two" | wc -l)" = 2
rm "$(find "$all" -name '*.jsonl' | sort | head -1)"
sweep -o "$all" "${grid[@]}" -F jsonl >"$SCRATCH/resumed.jsonl"
check "sweep: only what is missing is done again" "$(cat "$SCRATCH/err")" \
	grep -q '1 jobs done, 3 were done before, 0 failed' "$SCRATCH/err"
check "sweep: resumed is the same bytes" "they differ" cmp "$SCRATCH/all.jsonl" "$SCRATCH/resumed.jsonl"

"$KMEMLAB" sweep --merge "$all" -F json >"$SCRATCH/table" 2>/dev/null
same "sweep: the reference changes nothing" "0 0" "$(field "$SCRATCH/table" \
	'(c => c.zone_lock.min + " " + c.zone_lock.max)(d.ranked.find(r => r.settings === "").changes)')"
"$KMEMLAB" replay reports/samples/mix.kmt -p observed -p reference \
	-p x:kernel=6.1,pcp.high=64,vm.watermark_boost_factor=0 -o "$SCRATCH/r.json" 2>/dev/null
"$KMEMLAB" sweep --merge "$all" -F csv >"$SCRATCH/table.csv" 2>/dev/null
same "sweep: CSV has the numbers of JSON" true "$(node -e 'const fs = require("fs");
	const [csv, json] = process.argv.slice(1).map((f) => fs.readFileSync(f, "utf8"));
	const [head, ...rows] = csv.trim().split("\n");
	const want = JSON.parse(json).ranked.flatMap((r) => Object.entries(r.changes).map(([m, c]) =>
		[r.settings, m, c.traces, c.median, c.min, c.max].join()));
	const got = rows.map((r) => r.replaceAll("\"", "").split(","))
		.map(([s, m, unit, ...v]) => [s, m, ...v.map(Number)].join());
	console.log(head === "settings,measure,unit,traces,median,min,max" && want.length > 20 &&
		JSON.stringify([...want].sort()) === JSON.stringify([...got].sort()) || [want[0], got[0]].join(" ; "))' \
	"$SCRATCH/table.csv" "$SCRATCH/table")"
"$KMEMLAB" sweep --merge "$all" >"$SCRATCH/table.txt" 2>/dev/null
check "sweep: the text says units and what is shown" "$(head -n 1 "$SCRATCH/table.txt")" eval \
	'grep -q "unusable.9., points .*large, MiB" "$SCRATCH/table.txt" &&
	 grep -q "^change from the reference .*best unusable.9. first" "$SCRATCH/table.txt"'
"$KMEMLAB" compare "$SCRATCH/r.json" -F json >"$SCRATCH/c.json" 2>/dev/null
same "sweep: a cell is what a replay gives" "$(field "$SCRATCH/c.json" \
	'd.figures.find(f => f.group === "x" && f.measure === "zone_lock").median')" \
	"$(grep '"trace":"mix.kmt"' "$SCRATCH/all.jsonl" |
		grep '"settings":"kernel=6.1 pcp.high=64 vm.watermark_boost_factor=0"' |
		sed 's/.*"zone_lock":\([0-9]*\).*/\1/')"
# Of a kernel that reclaimed: a cell with a model of it is held against the model itself.
"$KMEMLAB" sweep -o "$SCRATCH/marks" --grid vm.watermark_scale_factor=10,1000 --grid slab.max_order=0 \
	-F jsonl reports/samples/pressure.kmt >"$SCRATCH/marks.jsonl" 2>/dev/null
"$KMEMLAB" sweep --merge "$SCRATCH/marks" -F json >"$SCRATCH/marks.json" 2>/dev/null
same "sweep: a modelled cell has its own base" "1 true" "$(grep -c '"base_figures"' "$SCRATCH/marks.jsonl") $(
	field "$SCRATCH/marks.json" '(line => Math.abs(d.ranked.find(r => r.settings === line.settings).changes.free.median -
		(line.figures.free - line.base_figures.free)) < 0.001)(JSON.parse(require("fs").readFileSync(
		"'"$SCRATCH/marks.jsonl"'", "utf8").split("\n").find(l => l.includes("base_figures"))))')"
same "sweep: settings of slabs change their pages" true "$(field "$SCRATCH/marks.json" \
	'd.ranked.filter(r => r.settings).every(r => r.changes.slab_pages.median !== 0)')"
sweep -o "$all" --grid pcp.hihg=1 >/dev/null
same "sweep: unknown setting" 2 $?
sweep -o "$all" --grid pcp.high=1,1 >/dev/null
same "sweep: value twice" 2 $?
sweep "${grid[@]}" >/dev/null
same "sweep: no directory" 2 $?
"$KMEMLAB" sweep -o "$SCRATCH/bad" --grid pcp.high=64 README.md >/dev/null 2>&1
same "sweep: not a trace" 1 $?

# Cut off in the middle: what is intact is replayed, and nothing is concluded from it.
head -c 1000000 reports/samples/mix.kmt >"$SCRATCH/torn.kmt"
"$KMEMLAB" sweep -o "$SCRATCH/torn" --grid pcp.high=64 "$SCRATCH/torn.kmt" >"$SCRATCH/out" 2>"$SCRATCH/err"
same "sweep: damaged trace" 5 $?
check "sweep: its intact part is ranked" "$(cat "$SCRATCH/out")" grep -q '^pcp.high=64' "$SCRATCH/out"
check "sweep: and not believed" "$(cat "$SCRATCH/err")" \
	grep -q "warning: 'torn.kmt': nothing is to be concluded about policies" "$SCRATCH/err"
head -c 100 reports/samples/mix.kmt >"$SCRATCH/stump.kmt"
"$KMEMLAB" sweep -o "$SCRATCH/stump" --grid pcp.high=64 "$SCRATCH/stump.kmt" >/dev/null 2>"$SCRATCH/err"
same "sweep: useless trace" 1 $?

# Not all combinations on all traces: said, and marked.
mkdir "$SCRATCH/part"
for f in "$all"/*.jsonl; do
	grep -v '"settings":"".*"trace":"mix.kmt"' "$f" >"$SCRATCH/part/${f##*/}"
done
"$KMEMLAB" sweep --merge "$SCRATCH/part" >"$SCRATCH/out" 2>"$SCRATCH/err"
check "sweep: a missing reference is told" "$(cat "$SCRATCH/err")" \
	grep -q "no line has the reference on 'mix.kmt'" "$SCRATCH/err"
for f in "$all"/*.jsonl; do
	grep -v '"settings":"kernel=6.1 pcp.high=64 .*"trace":"mix.kmt"' "$f" >"$SCRATCH/part/${f##*/}"
done
"$KMEMLAB" sweep --merge "$SCRATCH/part" >"$SCRATCH/out" 2>"$SCRATCH/err"
same "sweep: combinations on fewer traces are marked" 2 \
	"$(grep -c '^kernel=6.1 pcp.high=64 .*(1 of 2 traces)' "$SCRATCH/out")"
same "sweep: and no others" 2 "$(grep -c 'of 2 traces' "$SCRATCH/out")"
check "sweep: and told" "$(cat "$SCRATCH/err")" grep -q "2 of 13 combinations are ranked by fewer" "$SCRATCH/err"

# A trace under two names is one; -m chooses in JSON too.
mkdir "$SCRATCH/twice"
for f in "$all"/*.jsonl; do
	cp "$f" "$SCRATCH/twice/"
	sed 's/"trace":"mix.kmt"/"trace":"copy.kmt"/' "$f" >"$SCRATCH/twice/copy-${f##*/}"
done
"$KMEMLAB" sweep --merge "$SCRATCH/twice" -m zone_lock -F json >"$SCRATCH/table" 2>/dev/null
same "sweep: a trace under two names counts once" 2 \
	"$(field "$SCRATCH/table" 'd.ranked.find(r => r.settings === "").changes.zone_lock.traces')"
same "sweep: -m chooses what JSON has" zone_lock \
	"$(field "$SCRATCH/table" '[...new Set(d.ranked.flatMap(r => Object.keys(r.changes)))].join()')"
