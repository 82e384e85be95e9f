#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# families.sh - pressure, per-CPU memory, vmalloc and migration: the events of one
# process, counted by kmemlab and by ftrace in tracefs instances of our own.
#
# The process causes them itself: it writes a file larger than its memory cgroup
# (reclaim), has memory compacted (migration), forks (vmalloc'd stacks) and becomes
# a program in a new network namespace (per-CPU counters).
. tests/support/lib.sh
EVENTS="vmscan/mm_vmscan_memcg_reclaim_begin vmscan/mm_vmscan_memcg_reclaim_end
	compaction/mm_compaction_begin compaction/mm_compaction_end migrate/mm_migrate_pages
	migrate/remove_migration_pte vmalloc/alloc_vmap_area percpu/percpu_alloc_percpu"
NAMES=$(for event in $EVENTS; do echo "families_agree_on_${event##*/}"; done)
# shellcheck disable=SC2086
needs_recording $NAMES

INSTANCES=/sys/kernel/tracing/instances
PREFIX=$INSTANCES/kmemlab-families-$$
T=$SCRATCH/t.kmt
GROUP=
if ! mkdir "$PREFIX-probe" 2>/dev/null; then
	for name in $NAMES; do skip "$name" "cannot make an instance in $INSTANCES"; done
	exit 0
fi
rmdir "$PREFIX-probe"
trap 'rmdir "$PREFIX"-* $GROUP 2>/dev/null' EXIT

# A memory cgroup of 16 MiB: version 1 or 2.
for limit in /sys/fs/cgroup/memory/kmemlab-$$/memory.limit_in_bytes \
	/sys/fs/cgroup/kmemlab-$$/memory.max; do
	mkdir "${limit%/*}" 2>/dev/null || continue
	GROUP=${limit%/*}
	echo 16M >"$limit" 2>/dev/null && break
	rmdir "$GROUP"
	GROUP=
done

on() { # event pid
	mkdir "$PREFIX-${1##*/}"
	echo 64 >"$PREFIX-${1##*/}/buffer_size_kb"
	echo "common_pid == $2" >"$PREFIX-${1##*/}/events/$1/filter"
	echo 1 >"$PREFIX-${1##*/}/events/$1/enable"
}
off() {
	echo 0 >"$PREFIX-${1##*/}/events/$1/enable"
}
counted() {
	cat "$PREFIX-${1##*/}"/per_cpu/cpu*/stats |
		awk -F': ' '/^(entries|overrun|commit overrun|dropped events)/ { n += $2 }
			END { print n + 0 }'
}

mkfifo "$SCRATCH/go"
# All by the shell itself, in one process.
# shellcheck disable=SC2016
bash -c 'read -r _ <"$0/go"
	[ -z "$1" ] || echo $$ >"$1/cgroup.procs"
	for i in $(seq 400); do printf "%131072s" x; done >"$0/file"
	echo 1 >/proc/sys/vm/compact_memory
	for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do : & done
	wait
	[ -z "$1" ] || echo $$ >"${1%/*}/cgroup.procs"
	exec unshare -n true' "$SCRATCH" "$GROUP" 2>"$SCRATCH/worker.log" &
worker=$!
"$KMEMLAB" record -q --probe all -o "$T" 2>"$SCRATCH/words" &
recorder=$!
until_recording $recorder "$T"
for event in $EVENTS; do on "$event" $worker; done
echo go >"$SCRATCH/go"
wait $worker
sleep 0.2
for event in $EVENTS; do off "$event"; done
kill -TERM $recorder
wait $recorder

# seen KIND - events of the worker, from one dump
kinds=$(for event in $EVENTS; do printf '%s,' "${event##*/}"; done)task
"$KMEMLAB" dump --json --kind "$kinds" "$T" >"$SCRATCH/dump" 2>/dev/null
seen() {
	awk -v kind="\"kind\":\"$1\"" -v who="\"pid\":$worker," '
		match($0, /"cpu":[0-9]+/) { cpu = substr($0, RSTART, RLENGTH) }
		/"kind":"task"/ { on[cpu] = index($0, who) > 0; next }
		on[cpu] && index($0, kind) { n++ }
		END { print n + 0 }' "$SCRATCH/dump"
}

"$KMEMLAB" info --json "$T" >"$SCRATCH/info.json"
for event in $EVENTS; do
	kind=${event##*/}
	name=families_agree_on_$kind
	wanted=$(counted "$event")
	seen=$(seen "$kind")
	missed=$(field "$SCRATCH/info.json" "d.recursion.find(r => r.kind === '$kind').misses")
	if [ "$wanted" = 0 ] && [ "$seen" = 0 ]; then
		skip "$name" "this host did not do it"
		continue
	fi
	check "$name" \
		"ftrace counted $wanted, the trace holds $seen, lost to recursion at most $missed" \
		test "$seen" -le "$wanted" -a "$((seen + missed))" -ge "$wanted" -a "$seen" -gt 0
done

# Every stall ends; the recording may begin or end inside one of another task's.
same families_stalls_of_the_process_end \
	"$(seen mm_vmscan_memcg_reclaim_begin)" "$(seen mm_vmscan_memcg_reclaim_end)"
same families_accounting_adds_up true "$(identity "$SCRATCH/info.json")"
same families_are_in_the_trace '["page","slab","pressure","percpu","vmalloc","latency"]' \
	"$(field "$SCRATCH/info.json" d.families)"

# What is not chosen is not recorded; what is not there is refused.
"$KMEMLAB" record -q -f --probe percpu -d 300ms -o "$T" 2>"$SCRATCH/words"
"$KMEMLAB" info --json "$T" >"$SCRATCH/info.json"
same families_only_what_is_chosen percpu "$(field "$SCRATCH/info.json" \
	'[...new Set(d.probes.map(p => p.name.split("_")[0]))].join()')"
"$KMEMLAB" record --probe page,pages -o "$T" >"$SCRATCH/words" 2>&1
same families_unknown_name_is_usage 2 $?
"$KMEMLAB" record -q -f --attach none -d 300ms -o "$T" 2>/dev/null
"$KMEMLAB" info --json "$T" >"$SCRATCH/info.json"
same families_unhooked_says_why "true raw_tp" "$(field "$SCRATCH/info.json" \
	'[d.missing.find(m => m.what === "alloc_pages_bulk").why.endsWith("(--attach none)"),
		...new Set(d.probes.map(p => p.how))].join(" ")')"
"$KMEMLAB" record --attach kprobes -o "$T" >"$SCRATCH/hooked" 2>&1
same families_unknown_attachment_is_usage 2 $?
check families_unknown_attachment_is_answered_with_the_list "$(cat "$SCRATCH/hooked")" \
	grep -q "fentry, kprobe and none" "$SCRATCH/hooked"
check families_unknown_name_is_answered_with_the_list "$(cat "$SCRATCH/words")" \
	grep -q "page, slab, pressure, percpu, vmalloc, latency, all, and stacks" "$SCRATCH/words"
exit 0
