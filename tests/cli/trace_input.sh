#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# trace_input.sh - what info, stat and dump do with bad input: the exit status,
# one line on stderr, and intact parts used. KMEMLAB and SCRATCH are given.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/lib.sh

GOOD=tests/fuzz/corpus-fuzz_trace/seed2.trace
EVENTS=54
failed=0

# expect NAME STATUS WORDS ARGUMENT... - status, and one stderr line with WORDS
expect() {
	local name=$1 status=$2 words=$3 got lines
	shift 3
	"$KMEMLAB" "$@" >"$SCRATCH/out" 2>"$SCRATCH/err" </dev/null
	got=$?
	lines=$(wc -l <"$SCRATCH/err")
	if [ "$got" != "$status" ]; then
		not_ok "$name" "exit status $got, not $status: $(cat "$SCRATCH/err")"
	elif [ "$lines" != "$([ -n "$words" ] && echo 1 || echo 0)" ]; then
		not_ok "$name" "$lines lines on stderr: $(cat "$SCRATCH/err")"
	elif ! grep -qF -- "$words" "$SCRATCH/err" && [ -n "$words" ]; then
		not_ok "$name" "no '$words' in: $(cat "$SCRATCH/err")"
	else
		ok "$name"
		return
	fi
	failed=1
}

# equal NAME WANTED GOT - as same, and remembered
equal() {
	same "$@"
	[ "$2" = "$3" ] || failed=1
}

usage() {
	expect no_command 2 "no command given"
	expect unknown_command 2 "did you mean 'info'" inof
	expect unknown_command_far 2 "see 'kmemlab help'" xyzzy
	for command in info stat dump; do
		expect "${command}_help" 0 "" "$command" --help
		grep -q '^Examples:' "$SCRATCH/out" || { not_ok "${command}_examples" "none"; failed=1; }
		expect "${command}_no_trace" 2 "no trace given" "$command"
		expect "${command}_two_traces" 2 "one trace at a time" "$command" a b
		expect "${command}_option" 2 "did you mean '--json'" "$command" --jsno "$GOOD"
		expect "${command}_letter" 2 "'-Z'" "$command" -Z "$GOOD"
	done
	expect stat_table 2 "did you mean 'cache'" stat --by cahce "$GOOD"
	expect stat_column 2 "did you mean 'live_bytes'" stat --sort live_byte "$GOOD"
	expect stat_top 2 "--top wants a number" stat --top many "$GOOD"
	expect stat_csv_all 2 "choose it with --by" stat --csv "$GOOD"
	expect stat_value 2 "needs a value" stat "$GOOD" --top
	expect dump_kind 2 "did you mean 'kfree'" dump --kind kfre "$GOOD"
	expect dump_cpu 2 "--cpu wants a list" dump --cpu 3-1 "$GOOD"
	expect dump_time 2 "--from wants a time" dump --from yesterday "$GOOD"
}

foreign() {
	: >"$SCRATCH/empty.kmt"
	head -c 3000 /bin/sh >"$SCRATCH/foreign.kmt"
	printf 'KMT1 and then nothing' >"$SCRATCH/stub.kmt"
	for command in info stat dump; do
		expect "${command}_missing_file" 1 "No such file" "$command" "$SCRATCH/none.kmt"
		expect "${command}_directory" 1 "Is a directory" "$command" "$SCRATCH"
		expect "${command}_empty" 1 "is empty" "$command" "$SCRATCH/empty.kmt"
		expect "${command}_foreign" 1 "not a kmemlab trace" "$command" "$SCRATCH/foreign.kmt"
		expect "${command}_stub" 5 "no intact header" "$command" "$SCRATCH/stub.kmt"
	done
}

# Flip the lowest bit of the byte at OFFSET.
flip() { # file offset
	local byte
	byte=$(od -An -tu1 -j "$2" -N 1 "$1")
	# shellcheck disable=SC2059 # the octal escape is the format
	printf "\\$(printf %03o $((byte ^ 1)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

damaged() {
	local bytes
	bytes=$(stat -c %s "$GOOD")
	head -c $((bytes - 150)) "$GOOD" >"$SCRATCH/torn.kmt"
	cp "$GOOD" "$SCRATCH/flipped.kmt"
	flip "$SCRATCH/flipped.kmt" $((bytes / 2))
	for command in info stat dump; do
		expect "${command}_torn" 5 "cut off inside a block" "$command" "$SCRATCH/torn.kmt"
		expect "${command}_flipped" 5 "is damaged" "$command" "$SCRATCH/flipped.kmt"
	done
	expect flipped_json 5 "is damaged" info --json "$SCRATCH/flipped.kmt"
	equal flipped_counted true "$(field "$SCRATCH/out" \
		'd.damage.bad_blocks + d.damage.missing_blocks > 0 && d.verdict != "COMPLETE"')"
	expect torn_json 5 "is damaged" info --json "$SCRATCH/torn.kmt"
	equal torn_says_so true "$(field "$SCRATCH/out" 'd.damage.torn && d.damage.unfinished')"
	equal torn_keeps_events $EVENTS "$(field "$SCRATCH/out" 'd.events_total')"
}

intact() {
	expect info_good 0 "" info "$GOOD"
	expect info_json 0 "" info --json "$GOOD"
	equal info_total $EVENTS "$(field "$SCRATCH/out" 'd.events_total')"
	equal info_sum $EVENTS "$(field "$SCRATCH/out" 'Object.values(d.events).reduce((a, b) => a + b)')"
	equal info_sizes true "$(field "$SCRATCH/out" '((a, b) => Math.abs(a - d.event_bytes / d.events_total) +
		Math.abs(b - d.bytes / d.events_total) < 0.01)(d.event_bytes_per_event, d.bytes_per_event)')"
	expect stat_json 0 "" stat --json "$GOOD"
	equal stat_sum $EVENTS "$(field "$SCRATCH/out" 'd.kind.reduce((a, r) => a + r.events, 0)')"
	equal stat_live "$(field "$SCRATCH/out" 'd.order.reduce((a, r) => a + r.live_pages, 0)')" \
		"$(field "$SCRATCH/out" 'd.type.reduce((a, r) => a + r.live_pages, 0)')"
	equal stat_gfp_sum true "$(field "$SCRATCH/out" '(sum => sum("gfp") === sum("order") + sum("cache"))(
		t => d[t].reduce((a, r) => a + r.allocs, 0))')"
	equal stat_fit_sum true "$(field "$SCRATCH/out" '(sum => sum("fit") === sum("size"))(
		t => d[t].reduce((a, r) => a + r.allocs, 0))')"
	expect stat_csv 0 "" stat --csv --by order "$GOOD"
	equal stat_csv_head "order,allocs,frees,pages,live_pages" "$(head -1 "$SCRATCH/out")"
	for table in kind order type fallback gfp context cache site size command fit lifetime leak cpu; do
		expect "stat_$table" 0 "" stat --json --by $table "$GOOD"
		equal "stat_${table}_alone" true "$(field "$SCRATCH/out" "Array.isArray(d.$table)")"
		expect "stat_${table}_is_listed" 0 "" help stat
		check "stat_${table}_is_listed_in_help" "it is not" grep -q "\b$table\b" "$SCRATCH/out"
	done
	expect stat_leak_csv 0 "" stat --csv --by leak --sort oldest_age_ns "$GOOD"
	equal stat_leak_head "allocated_by,live,live_bytes,growth_bytes_per_second,quarters_grown,kept_percent,ended_unseen,median_age_ns,oldest_age_ns" \
		"$(head -1 "$SCRATCH/out")"
	expect stat_cpu_rows 0 "" stat --csv --by cpu --sort objects --top 1 "$GOOD"
	equal stat_cpu_is_cut 2 "$(wc -l <"$SCRATCH/out")"
	expect stat_no_such_table 2 "there are kind, order, type" stat --by xyzzy "$GOOD"
	expect stat_no_such_column 2 "'order' has order, allocs, frees, pages, live_pages" \
		stat --by order --sort xyzzy "$GOOD"
	expect stat_column_of_no_such_table 2 "no column 'oldest_age_ns'" stat --sort oldest_age_ns "$GOOD"
	expect stat_top 0 "" stat --csv --by kind --top 2 "$GOOD"
	equal stat_top_rows 3 "$(wc -l <"$SCRATCH/out")"
	# Each table says of itself how many rows it leaves out.
	expect stat_cut 0 "" stat --top 1 "$GOOD"
	equal stat_cut_rows "$("$KMEMLAB" stat --json "$GOOD" 2>/dev/null | node -e '
		const d = JSON.parse(require("fs").readFileSync(0));
		for (const [name, rows] of Object.entries(d))
			if (Array.isArray(rows) && rows.length > 1) console.log(name, rows.length - 1);' | sort)" \
		"$(sed -n 's/^\.\.\. and \([0-9]*\) more (--by \([a-z]*\) .*/\2 \1/p' "$SCRATCH/out" | sort)"
	expect dump_text 0 "" dump "$GOOD"
	equal dump_lines $EVENTS "$(grep -vc '^#' "$SCRATCH/out")"
	expect dump_json 0 "" dump --json "$GOOD"
	equal dump_json_lines $EVENTS "$(node -e 'let n = 0, last = 0;
		for (const l of require("fs").readFileSync(process.argv[1], "utf8").trim().split("\n")) {
			const e = JSON.parse(l);
			if (e.time_ns >= last) n++;
			last = e.time_ns;
		}
		console.log(n)' "$SCRATCH/out")"
	equal dump_filter "$("$KMEMLAB" dump "$GOOD" | grep -c '\[001\] kfree ')" \
		"$("$KMEMLAB" dump --kind kfree --cpu 1 "$GOOD" | grep -vc '^#')"
	equal dump_window "$("$KMEMLAB" dump "$GOOD" | awk '!/^#/ && $1 >= 0.000002 && $1 <= 0.000009' | wc -l)" \
		"$("$KMEMLAB" dump --from 2us --to 9us "$GOOD" | grep -vc '^#')"
}

streams() {
	local status
	equal stdin "$("$KMEMLAB" info --json "$GOOD" | grep -v '"file"')" \
		"$("$KMEMLAB" info --json - <"$GOOD" | grep -v '"file"')"
	# shellcheck disable=SC2002
	equal pipe $EVENTS "$(cat "$GOOD" | "$KMEMLAB" dump - | grep -vc '^#')"
	"$KMEMLAB" dump "$GOOD" 2>"$SCRATCH/err" | :
	status=${PIPESTATUS[0]}
	equal closed_pipe "0 0" "$status $(wc -l <"$SCRATCH/err")"
	"$KMEMLAB" stat "$GOOD" >/dev/full 2>"$SCRATCH/err"
	equal full_device "1 1" "$? $(grep -c 'No space left' "$SCRATCH/err")"
}

usage
foreign
damaged
intact
streams
exit "$failed"
