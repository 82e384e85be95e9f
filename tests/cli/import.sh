#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# import.sh - text of perf script and ftrace (tests/data), as a trace: what the text holds,
# counted by grep, and nothing else.
. tests/support/lib.sh
T=$SCRATCH/t.kmt

# imported FILE EVENT - as many as lines that name the event
imported() {
	local file=$1 name=$2 tp
	"$KMEMLAB" import -f -o "$T" "$file" 2>"$SCRATCH/err"
	same "import: $name, status" 0 $?
	"$KMEMLAB" info --json "$T" >"$SCRATCH/info"
	for tp in mm_page_alloc mm_page_free kmalloc kmem_cache_alloc kmem_cache_free; do
		same "import: $name, $tp" "$(grep -cE "[ :]$tp: " "$file")" \
			"$(field "$SCRATCH/info" "d.events['$tp'] || 0")"
	done
	# kfree(NULL) does nothing, and is left out.
	same "import: $name, kfree" "$(grep -E '[ :]kfree: ' "$file" | grep -vcE 'ptr=\((nil|null)\)')" \
		"$(field "$SCRATCH/info" 'd.events.kfree || 0')"
	same "import: $name, kfree(NULL) is accounted for" \
		"true $(grep -E '[ :]kfree: ' "$file" | grep -cE 'ptr=\((nil|null)\)')" \
		"$(identity "$SCRATCH/info") $(field "$SCRATCH/info" d.accounting.filtered)"
	same "import: $name, verdict" "COMPLETE as far as the other tracer tells" \
		"$(field "$SCRATCH/info" d.verdict)"
}

"$KMEMLAB" import -f -o "$T" tests 2>"$SCRATCH/err"
same "import: a directory, status" 1 $?
check "import: a directory is called one" "$(cat "$SCRATCH/err")" grep -q "'tests': Is a directory" "$SCRATCH/err"

imported tests/data/perf-script-6.18.txt perf
"$KMEMLAB" stat --by cache --json --top 0 "$T" >"$SCRATCH/stat"
same "import: perf, allocations of a cache" \
	"$(grep -c 'kmem_cache_alloc: .*name=vm_area_struct ' tests/data/perf-script-6.18.txt)" \
	"$(field "$SCRATCH/stat" '(d.cache.find(r => r.cache === "vm_area_struct") || {}).allocs')"
same "import: perf, nothing of an address is left" "" \
	"$("$KMEMLAB" dump "$T" | grep -oE 'ptr=|0x[0-9a-f]{9,}' | head -1)"
check "import: perf, says what it passed over" "$(cat "$SCRATCH/err")" \
	grep -q "passed over: [1-9][0-9]* of kfree(NULL), " "$SCRATCH/err"
"$KMEMLAB" advise "$T" >"$SCRATCH/advice" 2>"$SCRATCH/err"
same "import: perf, call sites are judged" 0 $?
check "import: perf, and settings are not" "$(tail -n 1 "$SCRATCH/advice")" \
	grep -q "^settings were not judged: the trace holds no zoneinfo" "$SCRATCH/advice"
imported tests/data/ftrace-6.18.txt ftrace
same "import: ftrace, times are the text's" \
	"$(grep -v '^#' tests/data/ftrace-6.18.txt | grep -E ': (mm_page|k)' | sed -n '1s/.* \([0-9]*\)\.\([0-9]*\): .*/\1\2000/p')" \
	"$(field "$SCRATCH/info" d.first_event_ns)"

"$KMEMLAB" import -f -o "$T" - <tests/data/ftrace-6.18.txt 2>/dev/null
same "import: standard input" 0 $?
"$KMEMLAB" import -o "$T" tests/data/ftrace-6.18.txt 2>"$SCRATCH/err"
same "import: refuses to overwrite" 1 $?
rm -f "$T"
"$KMEMLAB" import -o "$T" README.md 2>"$SCRATCH/err"
same "import: no events, status" 1 $?
check "import: no events, words" "$(cat "$SCRATCH/err")" grep -q "holds no events" "$SCRATCH/err"
same "import: no events, no file" "" "$(find "$SCRATCH" -name 't.kmt*')"
{ cat tests/data/ftrace-6.18.txt && echo 'CPU:1 [LOST 7 EVENTS]'; } >"$SCRATCH/lost.txt"
"$KMEMLAB" import -o "$T" "$SCRATCH/lost.txt" 2>/dev/null
same "import: losses give status 7" 7 $?
check "import: and make the trace incomplete" "$("$KMEMLAB" info "$T" | grep verdict)" \
	sh -c '"$0" info "$1" | grep -q "verdict *INCOMPLETE (7 events"' "$KMEMLAB" "$T"
same "import: what was lost is in the accounts" "true" "$(identity <("$KMEMLAB" info --json "$T"))"
same "import: all of it" 7 "$("$KMEMLAB" info --json "$T" | grep -oE '"lost_ring": *[0-9]+' | grep -oE '[0-9]+$')"
for words in 'CPU:1 [9 EVENTS DROPPED]' 'CPU:1 [EVENTS DROPPED]' 'CPU:1 [LOST EVENTS]' \
	'x 82 [000] 5.000007: PERF_RECORD_LOST lost 17'; do
	{ cat tests/data/ftrace-6.18.txt && echo "$words"; } >"$SCRATCH/lost.txt"
	"$KMEMLAB" import -f -o "$SCRATCH/lost.kmt" "$SCRATCH/lost.txt" 2>"$SCRATCH/err"
	same "import: '$words', status" 7 $?
	check "import: '$words', verdict" "$("$KMEMLAB" info "$SCRATCH/lost.kmt" | grep verdict)" \
		sh -c '"$0" info "$1" | grep -q "verdict *INCOMPLETE"' "$KMEMLAB" "$SCRATCH/lost.kmt"
done
"$KMEMLAB" replay "$T" >/dev/null 2>"$SCRATCH/err"
same "import: cannot be replayed" 1 $?

# Commands are any bytes; what is told of them is UTF-8.
printf 'caf\303\251 7 [000] 1.0: kmem:mm_page_free: pfn=0x1 order=0
kw\344 8 [000] 1.1: kmem:mm_page_free: pfn=0x2 order=0
' >"$SCRATCH/utf8.txt"
"$KMEMLAB" import -f -o "$T" "$SCRATCH/utf8.txt" 2>/dev/null
for format in jsonl csv parquet; do
	"$KMEMLAB" export -F $format -f -o "$SCRATCH/utf8.$format" "$T" 2>/dev/null
	same "import: commands in $format are UTF-8" "1 1" \
		"$(for name in $'caf\303\251' $'kw\357\277\275'; do
			LC_ALL=C grep -acF "$name" "$SCRATCH/utf8.$format"
		done | xargs)"
done
"$KMEMLAB" stat --by command --json "$T" 2>/dev/null >"$SCRATCH/utf8"
check "import: no command is left out of stat --json" "$(cat "$SCRATCH/utf8")" \
	bash -c '! grep -q "not UTF-8" "$0"' "$SCRATCH/utf8"

# An exec: the same thread goes on under another name.
pfn=0
for comm in bash ls ls; do
	echo "$comm 500 [000] 1.0: kmem:mm_page_alloc: pfn=0x$((++pfn)) order=0 migratetype=0 gfp_flags=GFP_KERNEL"
done >"$SCRATCH/exec.txt"
"$KMEMLAB" import -f -o "$T" "$SCRATCH/exec.txt" 2>/dev/null
same "import: the name after an exec is the new one" '"comm":"bash" "comm":"ls"' \
	"$("$KMEMLAB" dump --json "$T" | grep -o '"comm":"[a-z]*"' | xargs -d '\n')"

# Call sites without a symbol are addresses of the kernel's text: numbers stand for them.
for site in ffffffff8123abcd 0xffffffffc0123456 ffffffff8123abcd 'f+0x1/0x2 [m]'; do
	echo "a 1 [000] 1.0: kmem:kmalloc: call_site=$site ptr=0x10 bytes_req=8 bytes_alloc=8 gfp_flags=GFP_KERNEL node=-1"
done >"$SCRATCH/sites.txt"
"$KMEMLAB" import -f -o "$T" "$SCRATCH/sites.txt" 2>/dev/null
same "import: no address of the kernel's text is in the trace" "site-1 site-2 site-1 f+0x1 [m]" \
	"$("$KMEMLAB" dump --json "$T" | grep -o '"call_site":"[^"]*"' | cut -d'"' -f4 | xargs)"
