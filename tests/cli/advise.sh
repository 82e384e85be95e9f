#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# advise.sh - advice and lifetimes agree with what the other commands count.
. tests/support/lib.sh
sample=reports/samples/mix.kmt

"$KMEMLAB" advise --json "$sample" >"$SCRATCH/advice" 2>"$SCRATCH/err"
same "advise: status" 0 $?
same "advise: all that it says is complete" "true" "$(field "$SCRATCH/advice" \
	'd.advice.every(a => a.topic && a.what && /[0-9]/.test(a.evidence) && a.check &&
		["low", "medium", "high"].includes(a.sure))')"
check "advise: says how settings were judged" "$(cat "$SCRATCH/advice")" \
	grep -q 'were tried by replay' "$SCRATCH/advice"
"$KMEMLAB" advise --no-replay "$sample" >"$SCRATCH/text" 2>/dev/null
same "advise: call sites alone, as many" "$(field "$SCRATCH/advice" \
	'd.advice.filter(a => !["setting", "compact", "group"].includes(a.topic)).length')" "$(grep -c '^ *why:' "$SCRATCH/text")"
# A host of 464 MB cannot keep a gigabyte free, and kvmalloc() is no advice to itself.
"$KMEMLAB" advise --json reports/samples/pressure.kmt >"$SCRATCH/pressure" 2>"$SCRATCH/err"
kb=$("$KMEMLAB" info --json reports/samples/pressure.kmt 2>/dev/null >"$SCRATCH/info"
	field "$SCRATCH/info" 'd.header?.host?.mem_total_kb ?? d.host.mem_total_kb')
same "advise: settings fit the host's memory" "true" "$(field "$SCRATCH/pressure" \
	"(s => s.every(a => Number(a.what.split('=')[1]) * 20 <= $kb))(d.advice.filter(a =>
		a.what.startsWith('vm.min_free_kbytes=')))")"
same "advise: a setting is advised once" "true" "$(field "$SCRATCH/pressure" \
	'(s => s.length > 2 && new Set(s).size === s.length)(d.advice.filter(a => a.topic === "setting")
		.map(a => a.what.split("=")[0]))')"
same "advise: a count has no decimals" "true" "$(field "$SCRATCH/pressure" \
	'd.advice.filter(a => /failed allocations: \d+ instead of \d+ in .* by \d+$/.test(a.evidence)).length > 2')"
same "advise: what was tried is named" "true" "$(field "$SCRATCH/pressure" \
	'd.advice.filter(a => a.topic === "setting").every(a => d.settings_judged.includes(a.what)) &&
		/^Settings: (\d+) were tried/.exec(d.settings_judged)[1] == d.settings_judged.match(/=/g).length')"
same "advise: none to the allocator itself" "0" "$(field "$SCRATCH/pressure" \
	'd.advice.filter(a => /^(__)?kv?malloc/.test(a.what)).length')"

# The result of a replay has the same; that of settings only if it is asked for.
"$KMEMLAB" replay --advise -o "$SCRATCH/result" "$sample" 2>/dev/null
same "advise: a replay's is the same" "$(field "$SCRATCH/advice" 'd')" "$(field "$SCRATCH/result" 'd.advice')"
"$KMEMLAB" replay -f -o "$SCRATCH/result" "$sample" 2>/dev/null
same "advise: settings are tried only if it is wanted" '""' \
	"$(field "$SCRATCH/result" 'JSON.stringify(d.advice.settings_judged)')"
same "advise: and the rest is there" "$(field "$SCRATCH/advice" \
	'd.advice.filter(a => a.topic !== "setting").length')" "$(field "$SCRATCH/result" 'd.advice.advice.length')"
"$KMEMLAB" advise - <"$sample" >/dev/null 2>&1
same "advise: standard input" 2 $?
"$KMEMLAB" advise README.md >/dev/null 2>&1
same "advise: not a trace" 1 $?

# GFP_ATOMIC by ftrace's flags: one site could have slept, one was under a lock once, one expects a failure.
for i in $(seq 150); do
	for site in "sleeps ..... GFP_ATOMIC" "locked ...$((i == 70)). GFP_ATOMIC" \
		"prepared ..... GFP_ATOMIC|__GFP_NOWARN"; do
		# shellcheck disable=SC2086 # three words
		set -- $site
		echo "a-7 [001] $2 1.$((100000 + i)): kmalloc: call_site=$1+0x1/0x2 ptr=$1$i bytes_req=8 bytes_alloc=8 gfp_flags=$3 node=-1"
	done
done | sed 's/ptr=sleeps/ptr=a0/; s/ptr=locked/ptr=b0/; s/ptr=prepared/ptr=c0/' |
	"$KMEMLAB" import -f -o "$SCRATCH/atomic.kmt" - 2>/dev/null
"$KMEMLAB" advise --no-replay --json "$SCRATCH/atomic.kmt" >"$SCRATCH/atomic" 2>/dev/null
same "advise: GFP_ATOMIC that may sleep, and no other" "sleeps+0x1: GFP_KERNEL instead of GFP_ATOMIC" \
	"$(field "$SCRATCH/atomic" 'd.advice.filter(a => a.topic === "context").map(a => a.what).join()')"

"$KMEMLAB" stat --by lifetime --json "$sample" >"$SCRATCH/lives"
"$KMEMLAB" stat --by site --json --top 0 "$sample" >"$SCRATCH/sites"
same "lifetime: as many freed as by call site" "$(field "$SCRATCH/sites" \
	'd.site.reduce((a, r) => a + r.freed, 0)')" "$(field "$SCRATCH/lives" \
	'd.lifetime.filter(r => !r.allocated_by.startsWith("pages of")).reduce((a, r) => a + r.freed, 0)')"
same "lifetime: as many bytes held" "$(field "$SCRATCH/sites" \
	'd.site.reduce((a, r) => a + r.live_bytes, 0)')" "$(field "$SCRATCH/lives" \
	'd.lifetime.filter(r => !r.allocated_by.startsWith("pages of")).reduce((a, r) => a + r.live_bytes, 0)')"
same "lifetime: quantiles are in order" "true" "$(field "$SCRATCH/lives" \
	'd.lifetime.every(r => r.freed > 0 ? r.p50_ns <= r.p90_ns && r.p90_ns <= r.p99_ns : !("p99_ns" in r))')"
"$KMEMLAB" stat --by lifetime --sort holes "$sample" >/dev/null 2>&1
same "lifetime: cannot be sorted by what it lacks" 2 $?
