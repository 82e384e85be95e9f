#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# compare.sh - runs side by side: the figures are the result's, gates gate.
. tests/support/lib.sh
one=$SCRATCH/one.json two=$SCRATCH/two.json
"$KMEMLAB" replay reports/samples/compile.kmt -p small:pcp.high=64 -o "$one" 2>/dev/null
"$KMEMLAB" replay reports/samples/mix.kmt -o "$two" 2>/dev/null
cp "$two" "$SCRATCH/again.json"

# status WANTED ARGUMENT...
status() {
	local want=$1
	shift
	"$KMEMLAB" compare "$@" >"$SCRATCH/out" 2>"$SCRATCH/err"
	[ $? = "$want" ]
}

check "compare: one result" "$(cat "$SCRATCH/err" 2>/dev/null)" status 0 "$one"
check "compare: the reference is the base" "$(head -1 "$SCRATCH/out")" \
	grep -Eq '^measure +unit +reference +observed +change +small +change$' "$SCRATCH/out"
check "compare: JSON" "status" status 0 -F json "$one"
same "compare: figures are the result's" "$(field "$one" \
	'(u => (u.reduce((a, b) => a + b, 0) / u.length / 10).toFixed(6))(d.runs[2].unusable["9"])')" \
	"$(field "$SCRATCH/out" \
		'd.figures.find(f => f.group === "small" && f.measure === "unusable[9]").median.toFixed(6)')"
same "compare: policy's lists were small" "true" "$(field "$SCRATCH/out" \
	'(v => v("small") > v("reference"))(g => d.figures.find(f => f.group === g && f.measure === "zone_lock").median)')"
same "compare: differences have a sample for each of the base's" "true" "$(field "$SCRATCH/out" \
	'd.differences.length === 2 && d.differences.every(x => x.series.length === 4 &&
		x.series.every(s => s.value.length === x.time_ns.length))')"
same "compare: and their end is that of the figures" "true" "$(field "$SCRATCH/out" \
	'd.differences.every(x => Math.abs(x.series[3].end - d.figures.find(f => f.group === x.group &&
		f.measure === "unusable_end[9]").change) < 1e-6)')"
check "compare: runs that do not differ" "$(cat "$SCRATCH/err")" \
	status 0 -F json one="$one" same="$one"
same "compare: differ most at no time" "true" "$(field "$SCRATCH/out" \
	'd.differences[0].series.every(s => s.largest === 0 && s.largest_at_ns === null)')"
node -e 'const fs = require("fs"), d = JSON.parse(fs.readFileSync(process.argv[1]));
	const index = d.runs[0].unusable["9"];
	index[0] += 3; // of 1000, of hundreds of samples
	fs.writeFileSync(process.argv[2], JSON.stringify(d));' "$one" "$SCRATCH/little.json"
check "compare: a little" "$(cat "$SCRATCH/err")" status 0 -m 'unusable[9]' one="$one" "$SCRATCH/little.json"
check "compare: a small change is no 0.0" "$(head -2 "$SCRATCH/out")" grep -q '+0\.00[0-9] points' "$SCRATCH/out"
check "compare: one measure" "status" status 0 -m zone_lock "$one"
same "compare: has no differences over time" 0 "$(grep -c 'over time ' "$SCRATCH/out")"
check "compare: two groups" "$(cat "$SCRATCH/err")" status 0 -F csv before="$one" after="$two,$SCRATCH/again.json"
same "compare: repetitions are counted" '"after",unusable[9],%,2' \
	"$(grep '^"after",unusable\[9\]' "$SCRATCH/out" | cut -d, -f1-4)"
check "compare: Markdown" "status" status 0 -F md "$one"
check "compare: Markdown has a rule" "$(head -2 "$SCRATCH/out")" grep -q '^|---|---|' "$SCRATCH/out"
cd "$SCRATCH" || exit 1
check "compare: page" "$(cat "$SCRATCH/err")" status 0 -F html before="$one" after="$two"
check "compare: page is whole, and has its name" "no </html>" grep -q '</html>' compare.html
check "compare: page is called after both" "title" grep -q '<title>after against before' compare.html
check "compare: page is not overwritten" "status" status 1 -F html "$one"
check "compare: and says how" "$(cat "$SCRATCH/err")" grep -q "use -f" "$SCRATCH/err"
check "compare: page overwritten with -f" "status" status 0 -F html -f "$one"
check "compare: page to standard output" "status" status 0 -F html -o - --base after before="$one" after="$two"
check "compare: against the base" "title" grep -q '<title>before against after' "$SCRATCH/out"
check "compare: page and gate" "status" status 6 -f -F html --fail-if 'zone_lock>+1' "$one"
check "compare: output of a table" "status" status 2 -o x.txt "$one"
check "compare: unknown format" "status" status 2 -F pdf "$one"
check "compare: unknown format gets the list" "$(cat "$SCRATCH/err")" grep -q "json, csv, html" "$SCRATCH/err"
cd - >/dev/null || exit 1
check "compare: gate met" "status" status 6 --fail-if 'zone_lock>+1' "$one"
check "compare: gate says by what" "$(cat "$SCRATCH/err")" grep -q "'small': zone_lock above 1: it is" "$SCRATCH/err"
check "compare: gate not met" "$(cat "$SCRATCH/err")" status 0 --fail-if 'failed>+0' "$one"
check "compare: gate on what no group has" "status" status 1 --fail-if 'slow_path>0' one="$one" two="$two"
check "compare: and says so" "$(cat "$SCRATCH/err")" grep -q "cannot judge the condition on slow_path" "$SCRATCH/err"
check "compare: gate met beside one that cannot be" "status" \
	status 6 --fail-if 'slow_path>0' --fail-if 'free>1' one="$one" two="$two"
check "compare: unknown measure" "status" status 2 --fail-if 'zonelock>1' "$one"
check "compare: unknown base" "status" status 2 --base nobody "$one"
check "compare: no such run" "status" status 1 --run nobody "$one" "$two"
check "compare: and says so" "$(cat "$SCRATCH/err")" grep -q "has no run 'nobody'" "$SCRATCH/err"
check "compare: no result" "status" status 1 README.md
check "compare: nothing given" "status" status 2
check "compare: list" "status" status 0 --list

for lacking in "a=" "=$one" "$one," ",$one" "a=,$one" "$one,,$two" ""; do
	check "compare: '${lacking//$SCRATCH\//}'" "status" status 2 "$lacking" b="$two"
	check "compare: and says what it lacks" "$(cat "$SCRATCH/err")" grep -q "lacks a name or a file" "$SCRATCH/err"
done

# Results of equal names are two groups; one result is not two repetitions.
mkdir "$SCRATCH/h1" "$SCRATCH/h2"
cp "$one" "$SCRATCH/h1/result.json"
cp "$two" "$SCRATCH/h2/result.json"
check "compare: equal file names" "$(cat "$SCRATCH/err")" \
	status 0 -F json "$SCRATCH/h1/result.json" "$SCRATCH/h2/result.json"
same "compare: are two groups of a run each" "2 1" "$(field "$SCRATCH/out" \
	'(f => new Set(f.map(x => x.group)).size + " " + f[0].runs)(d.figures)')"
for twice in "$one,$one" "a=$one,$SCRATCH/h1/../one.json" "a=$one a=$one"; do
	# shellcheck disable=SC2086 # two arguments
	check "compare: one result twice" "$(cat "$SCRATCH/err")" status 1 $twice "$two"
	check "compare: and says so" "$(cat "$SCRATCH/err")" grep -q "is given twice for" "$SCRATCH/err"
done
check "compare: one result as three groups without names" "status" status 1 "$two" "$two" "$two"
check "compare: and says what to do" "$(cat "$SCRATCH/err")" grep -q "as NAME=FILE" "$SCRATCH/err"

# Names of any bytes.
cp "$one" "$SCRATCH/h\"$(printf '\377').json"
check "compare: a name with a quote that is not UTF-8" "$(cat "$SCRATCH/err")" \
	status 0 -F json "$SCRATCH/h\"$(printf '\377').json" "$two"
same "compare: is UTF-8 in JSON" "true" "$(field "$SCRATCH/out" 'd.base === "h\"\ufffd.json"')"
"$KMEMLAB" compare -F csv 'a"b'="$one" "$two" >"$SCRATCH/out" 2>/dev/null
check "compare: quotes are doubled in CSV" "$(head -2 "$SCRATCH/out")" grep -q '^"a""b",' "$SCRATCH/out"

# Counts of traces of different durations.
node -e 'const fs = require("fs"), d = JSON.parse(fs.readFileSync(process.argv[1]));
	for (const by of [1.04, 1.06]) {
		const e = structuredClone(d);
		e.trace.duration_ns = Math.round(by * d.trace.duration_ns);
		fs.writeFileSync(process.argv[2] + by + ".json", JSON.stringify(e));
	}' "$one" "$SCRATCH/longer"
check "compare: durations that differ by 4 %" "$(cat "$SCRATCH/err")" status 0 "$one" "$SCRATCH/longer1.04.json"
same "compare: are no matter" 0 "$(grep -c 'traces took' "$SCRATCH/err")"
check "compare: durations that differ by 6 %" "status" status 0 "$one" "$SCRATCH/longer1.06.json"
check "compare: are told" "$(cat "$SCRATCH/err")" grep -q "the traces took from" "$SCRATCH/err"

# Reclaim is a model where watermarks are others: its base is the model, and that is said.
"$KMEMLAB" replay reports/samples/pressure.kmt --set vm.watermark_scale_factor=1000 -f -o "$one" 2>"$SCRATCH/err"
check "compare: replay says what the model did" "$(cat "$SCRATCH/err")" \
	grep -Eq '^kmemlab: what-if: a model reclaimed [0-9]+ pages, the recorded kernel [1-9][0-9]*$' "$SCRATCH/err"
check "compare: a model beside none" "status" status 0 "$one"
check "compare: and says so" "$(cat "$SCRATCH/err")" grep -q "'what-if': reclaim is a model there" "$SCRATCH/err"
check "compare: model beside model" "status" status 0 --base reclaim-model "$one"
same "compare: and says nothing" 0 "$(grep -c "'what-if': reclaim is a model" "$SCRATCH/err")"
