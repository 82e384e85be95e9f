# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Stock kernels in virtual machines: what each permits, a recording of each that
# holds what the kernel counted, and a replay as close as the kernel itself is.
. tests/support/lib.sh

# guest KERNEL OPTIONS... - run.sh, quietly; its words go to $SCRATCH/KERNEL.log
guest() {
	local kernel=$1
	shift
	tests/guest/run.sh -q -k "$kernel" -t 120 -o "$SCRATCH/$kernel" "$@" \
		>"$SCRATCH/$kernel.log" 2>&1
}

# Every timed reading of buddyinfo; an event lost to recursion may cost a few pages.
observed_exact() { # result
	field "$1" '(w => w.readings > 0 && w.worst_free_pages <= 16)(d.trust.witness)'
}

# coverage.sh asks for equality; here the guest is as busy as the machine below it.
share() { # info-json seen counted
	field "$1" "Math.abs(d.coverage.$2 / d.coverage.$3 - 1) < 0.02"
}

check_kernel() { # kernel options
	local kernel=$1 dir=$SCRATCH/$1 result=$SCRATCH/$1.json info=$SCRATCH/$1.info
	shift
	guest "$kernel" "$@"
	case $? in
	0) ok "guest_${kernel}_workload_recorded" ;;
	4) skip "guest_$kernel" "$(tail -n 1 "$SCRATCH/$kernel.log")" && return ;;
	*) not_ok "guest_${kernel}_workload_recorded" "$(tail -n 1 "$SCRATCH/$kernel.log")" && return ;;
	esac
	"$KMEMLAB" info --json "$dir/trace.kmt" >"$info"
	same "guest_${kernel}_accounting_adds_up" true "$(identity "$info")"
	same "guest_${kernel}_allocated_pages_all_seen" true \
		"$(share "$info" pages_alloc_seen pages_alloc_vmstat)"
	same "guest_${kernel}_freed_pages_all_seen" true \
		"$(share "$info" pages_free_seen pages_free_vmstat)"
	"$KMEMLAB" replay -o "$result" "$dir/trace.kmt" 2>/dev/null
	same "guest_${kernel}_observed_equals_buddyinfo_always" true "$(observed_exact "$result")"
	same "guest_${kernel}_reference_refuses_nothing" 0 \
		"$(field "$result" 'd.runs[1].unmatched.alloc_failed || 0')"
	same "guest_${kernel}_reference_free_pages_within_percent" true \
		"$(field "$result" 'Math.abs(d.fidelity.runs.find(r => r.name === "reference").free_pages_error) < 0.01')"
	same "guest_${kernel}_final_files_brought_back" 3 "$(cat "$dir"/final/{zoneinfo,slabinfo,vmstat}.txt |
		grep -cE '^(Node 0, zone +DMA32|kmalloc-64 .*|pgfault .*)$')"
}

# The live view: loads there, and sees what the kernel counts. On one CPU: with two, QEMU's
# emulation now and then runs into the breakpoint by which the kernel changes code that
# another CPU executes ("Oops: int3"), as attaching under load makes it do.
check_top() { # kernel
	local dir=$SCRATCH/top-$1
	# shellcheck disable=SC2016
	tests/guest/run.sh -q -k "$1" -t 120 -c 1 -m 512M -o "$dir" -- 'forks 5000 >/dev/null &
		kmemlab top --json -n 1 -i 2s >/out/top.json; s=$?; kill $!; exit $s' >"$SCRATCH/top.log" 2>&1
	same "guest_${1}_top_runs" 0 $?
	cp "$dir/top.json" "$SCRATCH/top.json"
	same "guest_${1}_top_sees_vmstats_pages" true "$(field "$SCRATCH/top.json" \
		'd.pages.allocated > 100 && Math.abs(d.pages.allocated / d.pages.vmstat_allocated - 1) < 0.05')"
	same "guest_${1}_top_misses_no_tracepoint" '[]' "$(field "$SCRATCH/top.json" d.missing)"
}

# A guest that hangs is killed, and its last lines are shown.
check_hang() {
	local status
	KMEMLAB=$KMEMLAB tests/guest/run.sh -t 25 -o "$SCRATCH/hang" -- 'echo waiting; sleep 1000' \
		>"$SCRATCH/hang.log" 2>&1
	status=$?
	same guest_that_hangs_is_killed 124 $status
	check guest_that_hangs_shows_its_last_lines "$(cat "$SCRATCH/hang.log")" \
		grep -q waiting "$SCRATCH/hang.log"
}

# A guest that the emulation ends is booted again, and not for ever.
check_emulation_fault() {
	local status
	GUEST_BOOTS=2 tests/guest/run.sh -c 1 -m 512M -o "$SCRATCH/fault" -- \
		'echo "Oops: int3" >/dev/console; poweroff -f' >"$SCRATCH/fault.log" 2>&1
	status=$?
	same guest_ended_by_emulation_is_booted_again 1 "$(grep -c 'booting again' "$SCRATCH/fault.log")"
	same guest_ended_by_emulation_fails_in_the_end 1 $status
	check guest_ended_by_emulation_is_told "$(cat "$SCRATCH/fault.log")" \
		grep -q "2 boots ended by the emulation's fault" "$SCRATCH/fault.log"
}

if [ -e "$BUILD/tests/guest/load/forks" ]; then
	check_kernel 6.12 -c 2 -m 2G -w dentries -- 8000
	check_kernel 6.1 -c 2 -n 2 -m 1G -w sockets -- 1500
	for kernel in 6.1 6.12; do
		[ -e "$SCRATCH/$kernel/status" ] && check_top $kernel
	done
	[ -e "$SCRATCH/6.12/status" ] && { check_hang; check_emulation_fault; }
	same guest_commands_exit_status_is_its_own 7 \
		"$(guest 6.12 -c 1 -m 512M -- 'exit 7'; echo $?)"
else
	skip guest "no workloads; 'make guest' builds them"
fi
exit 0
