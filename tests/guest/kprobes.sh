#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# kprobes.sh - functions are watched by kprobes where fentry is refused. In stock
# kernels, which permit both:
#   - told to use kprobes, the recorder sees every page: what vmstat counted, and the
#     kinds of events that only functions show;
#   - where BPF programs are interpreted the kernel refuses fentry by itself: kprobes
#     stand in, but for those that need to call back; the trace names each hole;
#   - where functions call no program, although the kernel lets one attach
#     (ftrace_enabled = 0), this is found out and said.
. tests/support/lib.sh
KERNELS="6.1 6.12"
RUNS=2

# One CPU: emulation may run into an instruction that another CPU is patching.
# shellcheck disable=SC2016
WORK='
record() { # name options...
	name=$1
	shift
	kmemlab record -f --probe all "$@" -o /tmp/t.kmt -- sh -c "areas 20; paths" 2>/out/$name.words
	kmemlab info --json /tmp/t.kmt >/out/$name.json
	sleep 1
}
for i in $(seq RUNS); do record kprobe$i --attach kprobe; done
echo 0 >/proc/sys/net/core/bpf_jit_enable
record interpreted
echo 1 >/proc/sys/net/core/bpf_jit_enable
echo 0 >/proc/sys/kernel/ftrace_enabled
record silent
kmemlab doctor --json >/out/silent-doctor.json
echo 1 >/proc/sys/kernel/ftrace_enabled
kmemlab doctor --json >/out/doctor.json
true'

# of NAME EXPRESSION - over d, the recording's info, and how(EVENT): by what it was seen
of() {
	field "$out/$1.json" "
		const how = name => (d.probes.find(p => p.name === name) || {}).how;
		const hole = words => (d.missing.find(m => m.what.startsWith(words)) || {}).why;
		$2"
}

# Runs that lost nothing of pages are equal to vmstat, but for 6.1's frees (coverage.sh).
exact() {
	local i runs=0 lost off
	for ((i = 1; i <= RUNS; i++)); do
		lost=$(of kprobe$i 'd.accounting.lost_ring + d.accounting.lost_write + d.recursion.filter(r =>
			["mm_page_alloc", "mm_page_free", "alloc_pages_bulk"].includes(r.kind))
			.reduce((n, r) => n + r.misses, 0)')
		[ "$lost" = 0 ] || continue
		runs=$((runs + 1))
		off=$(of kprobe$i '(c => Math.abs(c.pages_alloc_seen - c.pages_alloc_vmstat) + Math.max(
			c.pages_free_vmstat - c.pages_free_seen,
			"'"$kernel"'" === "6.1" ? 0 : c.pages_free_seen - c.pages_free_vmstat))(d.coverage)')
		same "${name}_see_every_page_$i" 0 "$off"
	done
	check "${name}_have_a_run_without_loss" "none of $RUNS" at_least 1 $runs
}

for kernel in $KERNELS; do
	name=kprobes_${kernel/./_}
	out=$SCRATCH/$kernel
	tests/guest/run.sh -q -c 1 -k "$kernel" -m 1G -o "$out" -- "${WORK/RUNS/$RUNS}" \
		>"$SCRATCH/words" 2>&1
	status=$?
	if [ $status = 4 ]; then
		skip "$name" "$(tail -n 1 "$SCRATCH/words")"
		continue
	fi
	same "${name}_guest_ends_well" 0 $status

	exact
	same "${name}_are_what_was_used" "kprobe kretprobe kprobe kretprobe" "$(of kprobe1 \
		'["page_split", "alloc_pages_bulk", "kmem_cache_free_bulk", "kmem_cache_alloc_bulk"].map(how).join(" ")')"
	check "${name}_are_told_in_the_summary" "$(cat "$out/kprobe1.words")" \
		grep -q 'come by kprobes, not fentry' "$out/kprobe1.words"
	same "${name}_miss_no_call" undefined "$(of kprobe1 d.missed_calls)"
	for kind in alloc_pages_bulk page_split migrate_from isolate_free_page kmem_cache_alloc_bulk; do
		check "${name}_see_$kind" "no such event" at_least 1 "$(
			for ((i = 1; i <= RUNS; i++)); do of kprobe$i "d.events.$kind || 0"; done |
				awk '{ n += $1 } END { print n }')"
	done
	same "${name}_leave_latency_to_fentry" "measured by fentry alone" "$(of kprobe1 'hole("latency")')"

	same "${name}_stand_in_for_fentry" "kprobe kprobe kretprobe" \
		"$(of interpreted '["page_split", "migrate_to", "isolate_free_page"].map(how).join(" ")')"
	check "${name}_stand_in_and_see" "no migration" \
		at_least 1 "$(of interpreted '(d.events.migrate_from || 0) + (d.events.page_split || 0)')"
	same "${name}_that_call_back_are_named" true "$(of interpreted \
		'["alloc_pages_bulk", "kmem_cache_alloc_bulk", "kmem_cache_free_bulk"].every(n => how(n) === undefined &&
			/programs are interpreted/.test(hole(n)))')"
	same "${name}_interpreted_accounting_adds_up" true "$(identity "$out/interpreted.json")"

	same "${name}_silence_is_told" true "$(of silent '["alloc_pages_bulk", "migration", "latency"].every(
		n => /ftrace_enabled is 0/.test(hole(n))) && how("page_split") === undefined')"
	same "${name}_silence_has_tracepoints_stand_in" raw_tp "$(of silent 'how("task_newtask")')"
	same "${name}_doctor_hears_silence" "no no no" "$(field "$out/silent-doctor.json" \
		'["fentry", "fexit", "kprobe"].map(w => d.checks.find(c => c.what === w).state).join(" ")')"
	same "${name}_doctor_finds_them" "yes yes yes" "$(field "$out/doctor.json" \
		'["fentry", "fexit", "kprobe"].map(w => d.checks.find(c => c.what === w).state).join(" ")')"
done
exit 0
