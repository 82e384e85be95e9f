#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# stacks.sh - `record --probe stacks`: every allocation has its kernel stack. The
# tracepoints of objects name their caller themselves: it is a frame of the stack.
. tests/support/lib.sh
needs_recording stacks_hold_the_call_site

T=$SCRATCH/t.kmt
"$KMEMLAB" record --probe page,slab,pressure,stacks -d 2s -o "$T" -- sh -c \
	'while :; do tail -c 20M /dev/zero >/dev/null; ls -lR /usr/include >/dev/null; done' \
	2>"$SCRATCH/words"
"$KMEMLAB" info --json "$T" >"$SCRATCH/info.json"
same stacks_accounting_adds_up true "$(identity "$SCRATCH/info.json")"
check stacks_are_told_in_the_summary "$(cat "$SCRATCH/words")" grep -q 'stacks: [1-9]' "$SCRATCH/words"
check stacks_are_many "$(field "$SCRATCH/info.json" d.stacks)" \
	at_least 50 "$(field "$SCRATCH/info.json" d.stacks.distinct)"

# Allocations without a stack, and objects whose call site is no frame of theirs.
"$KMEMLAB" dump --json --kind mm_page_alloc,kmalloc,kmem_cache_alloc "$T" >"$SCRATCH/dump"
awk '{ n++ }
	!match($0, /"stack":"[^"]+"/) { none++; next }
	{ stack = substr($0, RSTART, RLENGTH) " < " }
	match($0, /"call_site":"[^"]+"/) {
		site = substr($0, RSTART + 13, RLENGTH - 14)
		objects++
		if (!index(stack, site)) { other++; if (other < 4) print site, stack >"/dev/stderr" }
	}
	END { print n + 0, none + 0, objects + 0, other + 0 }' "$SCRATCH/dump" >"$SCRATCH/counts" 2>"$SCRATCH/other"
read -r n none objects other <"$SCRATCH/counts"
check stacks_were_recorded "$n allocations, $objects of objects" at_least 10000 "$objects"
same stacks_are_complete "$(field "$SCRATCH/info.json" d.stacks.failed)" "$none"
check stacks_hold_the_call_site "$other of $objects do not: $(cat "$SCRATCH/other")" \
	test $((other * 1000)) -le "$objects"
same stacks_end_where_the_kernel_is_entered 0 "$(grep -c '"kind":"mm_page_alloc".*exc_page_fault' "$SCRATCH/dump" |
	awk -v all="$(grep '"kind":"mm_page_alloc".*handle_mm_fault' "$SCRATCH/dump" | grep -vc __get_user_pages)" \
		'{ print ($1 < all * 0.9) }')"
check stacks_do_not_begin_with_the_tracer "they do" \
	test "$(grep -c '"stack":"\(bpf_\|__traceiter\|__bpf\|?\)' "$SCRATCH/dump")" = 0

# What is made of them agrees with what is made without.
"$KMEMLAB" stat --json "$T" >"$SCRATCH/stat.json"
same stacks_table_sums_up "$(field "$SCRATCH/stat.json" 'd.cache.reduce((n, r) => n + r.allocs, 0) +
	d.order.reduce((n, r) => n + r.allocs, 0)')" \
	"$(field "$SCRATCH/stat.json" 'd.stack.reduce((n, r) => n + r.allocs, 0)')"
for format in folded speedscope; do
	"$KMEMLAB" export -F $format -f -o "$SCRATCH/$format" "$T" 2>/dev/null
done
check stacks_are_in_folded_lines "$(head -n 3 "$SCRATCH/folded")" \
	grep -q ';entry_SYSCALL_64_after_hwframe;do_syscall_64;.*;names_cache ' "$SCRATCH/folded"
same stacks_folded_bytes_are_stats "$(field "$SCRATCH/stat.json" \
	'd.command.reduce((n, r) => n + r.bytes_alloc, 0) + d.order.reduce((n, r) => n + r.pages * 4096, 0)')" \
	"$(awk '{ n += $NF } END { printf "%.0f\n", n }' "$SCRATCH/folded")"
check stacks_are_in_speedscope "they are not" at_least 5 "$(field "$SCRATCH/speedscope" \
	'Math.max(...d.profiles[0].samples.map(s => s.length))')"

# Perfetto's has those of what a task waits for: here, one that has memory compacted.
"$KMEMLAB" record -q -f --probe pressure,stacks -o "$T" -- sh -c \
	'echo 1 >/proc/sys/vm/compact_memory' 2>/dev/null
"$KMEMLAB" export -F perfetto -f -o "$SCRATCH/perfetto" "$T" 2>/dev/null
check stacks_are_in_perfetto "$(grep -m 1 mm_compaction_begin "$SCRATCH/perfetto")" \
	grep -q 'mm_compaction_begin.*"stack":".*compact.* < .*vfs_write' "$SCRATCH/perfetto"

# Each file of a rotation tells its own; what is not asked for is not there.
"$KMEMLAB" record -q --probe slab,stacks --rotate 1m,keep=2 -d 3s -o "$SCRATCH/r.kmt" -- sh -c \
	'while :; do ls -lR /usr/include >/dev/null; done' 2>/dev/null
last=$(find "$SCRATCH" -name 'r.kmt.*' | sort | tail -n 1)
"$KMEMLAB" dump --kind kmalloc,kmem_cache_alloc "$last" >"$SCRATCH/dump" 2>/dev/null
check stacks_are_in_a_later_file "$last" at_least 100 "$(grep -c ' stack=.* < ' "$SCRATCH/dump")"
"$KMEMLAB" record -q -f --probe all -d 300ms -o "$T" 2>/dev/null
same stacks_only_where_asked_for 0 "$("$KMEMLAB" dump "$T" 2>/dev/null | grep -c ' stack=')"
"$KMEMLAB" record -q -f --probe stacks -d 300ms -o "$T" 2>"$SCRATCH/words"
same stacks_alone_are_usage 2 $?
check stacks_alone_are_explained "$(cat "$SCRATCH/words")" grep -q 'stacks alone' "$SCRATCH/words"
exit 0
