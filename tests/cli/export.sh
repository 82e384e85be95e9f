#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# export.sh - what other tools are given is what the trace holds; DuckDB reads Parquet.
. tests/support/lib.sh
sample=reports/samples/mix.kmt
out=$SCRATCH/out

export_as() { # format argument...
	local format=$1
	shift
	"$KMEMLAB" export -F "$format" -f -o "$out.$format" "$@" "$sample" 2>"$SCRATCH/err"
}

for format in csv jsonl parquet perfetto folded speedscope; do
	check "export: $format" "$(cat "$SCRATCH/err" 2>/dev/null)" export_as "$format"
done
"$KMEMLAB" info --json "$sample" >"$SCRATCH/info"
"$KMEMLAB" stat --json --top 0 "$sample" >"$SCRATCH/stat"
rows=$(field "$SCRATCH/info" 'd.events_total - d.events.task')
same "export: a CSV line an event" "$rows" "$(($(wc -l <"$out.csv") - 1))"
same "export: a JSON line an event" "$rows" "$(wc -l <"$out.jsonl")"
"$KMEMLAB" dump --json "$sample" | grep -v '"kind":"task"' | sed -n '1p;1000p;$p' >"$SCRATCH/dump"
sed -n '1p;1000p;$p' "$out.jsonl" >"$SCRATCH/some"
same "export: the events that dump prints" "true" "$(node -e 'const fs = require("fs");
	const read = f => fs.readFileSync(f, "utf8").trim().split("\n").map(JSON.parse);
	const a = read(process.argv[1]), b = read(process.argv[2]);
	console.log(a.length === 3 && a.every((x, i) => x.time_ns === b[i].time_ns && x.cpu === b[i].cpu &&
		x.kind === b[i].event && ["pfn", "phys", "order", "call_site", "cache", "bytes_alloc"].every(
			k => x[k] === b[i][k])))' "$SCRATCH/dump" "$SCRATCH/some")"

# Every event's every field, by dump's names for them.
"$KMEMLAB" dump --json reports/samples/pressure.kmt | grep -v '"kind":"task"' >"$SCRATCH/dump"
"$KMEMLAB" export -F jsonl -f -o "$SCRATCH/all.jsonl" reports/samples/pressure.kmt 2>/dev/null
same "export: all fields of all kinds that dump prints" "true" "$(node -e 'const fs = require("fs");
	const read = f => fs.readFileSync(f, "utf8").trim().split("\n").map(JSON.parse);
	const is = { kind: "event", new_order: "fallback_order", align_order: "order", zone: "detail", sync: "detail",
		result: "detail", reason: "detail", percpu_refill: "detail", reclaimed: "number", migrated: "number",
		zone_pfn: "number", areas: "number", delayed_us: "number", vmalloc_page: "number", align: "number" };
	const row = e => Object.entries(e).flatMap(([k, v]) => k === "null" || k === "atomic" || k === "offset" ? [] :
		k === "align" && e.kind === "percpu_alloc_percpu" ? [["order", Math.log2(v)]] :
		k === "reserved" ? [["detail", v + 2 * e.atomic]] : k === "chunk" ? [["number", v * 2 ** 32 + e.offset]] :
		[[is[k] || k, v]]);
	const a = read(process.argv[1]), b = read(process.argv[2]), kinds = new Set();
	const wrong = a.find((e, i) => (kinds.add(e.kind), row(e).some(([k, v]) => b[i][k] !== v)) ||
		Object.keys(b[i]).filter(k => k !== "pid" && k !== "comm").length !== row(e).length);
	console.log(a.length === b.length && kinds.size > 20 && !wrong || JSON.stringify(wrong));
	' "$SCRATCH/dump" "$SCRATCH/all.jsonl")"

allocated() { # weight - the sum over all folded stacks
	export_as folded --weight "$1" && awk '{ n += $NF } END { printf "%.0f\n", n }' "$out.folded"
}
same "export: folded bytes are stat's" "$(field "$SCRATCH/stat" \
	'd.command.reduce((a, r) => a + r.bytes_alloc, 0) + d.order.reduce((a, r) => a + r.pages * 4096, 0)')" \
	"$(allocated bytes)"
same "export: folded live bytes are stat's" "$(field "$SCRATCH/stat" \
	'd.command.reduce((a, r) => a + r.live_bytes + r.live_pages * 4096, 0)')" "$(allocated live)"
same "export: speedscope's weights are the folded ones" "$(allocated bytes)" \
	"$(field "$out.speedscope" 'd.profiles[0].weights.reduce((a, b) => a + b, 0)')"
same "export: Perfetto gets every CPU and reading" "true" "$(field "$out.perfetto" \
	'(e => e.filter(x => x.name === "thread_name").length === 2 && e.some(x => x.ph === "X" && x.dur > 0) &&
		e.filter(x => x.name === "free MiB by order").length > 5)(d.traceEvents)')"
same "export: Perfetto's live bytes are stat's in the end" \
	"$(field "$SCRATCH/stat" 'd.command.reduce((a, r) => a + r.live_bytes, 0)')" "$(field "$out.perfetto" \
		'd.traceEvents.filter(x => x.name === "object bytes allocated").at(-1).args.bytes')"

check "export: refuses to overwrite" "it did" bash -c \
	'! "$KMEMLAB" export -F csv -o "$0" "$1" 2>/dev/null' "$out.csv" "$sample"
"$KMEMLAB" export -F xml "$sample" >/dev/null 2>&1
same "export: unknown format" 2 $?
"$KMEMLAB" export -F csv "$sample" >/dev/full 2>"$SCRATCH/err"
same "export: full disk, status" 1 $?
check "export: full disk, words" "$(cat "$SCRATCH/err")" grep -q "cannot write" "$SCRATCH/err"

# SIGXFSZ ignored, a file that reaches its limit is a write that fails.
rm -f "$out.cut"
(trap '' XFSZ; ulimit -f 16; "$KMEMLAB" export -F csv -o "$out.cut" "$sample") 2>"$SCRATCH/err"
same "export: no room for the file, status" 1 $?
check "export: nothing of it is left" "$(ls "$out".cut* 2>&1)" test ! -e "$out.cut" -a ! -e "$out.cut.partial"

# By exact version, without a lock file: npm ci wants every platform's binaries listed.
work=$BUILD/tests/cli/duckdb
mkdir -p "$work"
cmp -s tests/cli/duckdb/package.json "$work/installed.json" ||
	{ cp tests/cli/duckdb/package.json "$work/" &&
		npm install --prefix "$work" --no-package-lock --ignore-scripts --no-audit --no-fund \
			--loglevel=error >"$work/npm.log" 2>&1 </dev/null &&
		cp tests/cli/duckdb/package.json "$work/installed.json"; }
if ! cmp -s tests/cli/duckdb/package.json "$work/installed.json"; then
	skip "export: DuckDB reads Parquet" "npm cannot fetch @duckdb/node-api: $(head -1 "$work/npm.log")"
	exit 0
fi
MODULES=$work node tests/cli/duckdb/query.mjs "$out.parquet" "$out.csv" >"$SCRATCH/duck" 2>"$SCRATCH/err"
same "export: DuckDB finds every event in Parquet" "$rows" "$(field "$SCRATCH/duck" d.rows)"
same "export: and the same values as in CSV" "0 0" "$(field "$SCRATCH/duck" 'd.missing + " " + d.extra')"
