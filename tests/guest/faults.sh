#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# faults.sh - what hosts do to a recorder and what a test must not do to this one:
# in stock kernels the wall clock steps by an hour and back, and CPUs go offline and
# come back, while kmemlab records. Its account adds up, its times do not step.
# tests/live/faults.sh does the rest.
. tests/support/lib.sh
KERNELS="6.1 6.12"

# shellcheck disable=SC2016
WORK='
work() {
	dd if=/dev/zero of=/tmp/a bs=1M count=10 2>/dev/null
	rm /tmp/a
}
recording() { # name
	kmemlab record -q -o /out/$1.kmt 2>/out/$1.words &
	recorder=$!
	while [ ! -s /out/$1.kmt.partial ]; do sleep 0.1; done
	sleep 0.5
	work
}
ended() { # name
	kill -TERM $recorder
	wait $recorder
	echo $? >/out/$1.status
}

recording clock
date -s "@$(($(date +%s) + 3600))" >/out/stepped && work && sleep 0.3
date -s "@$(($(date +%s) - 7200))" >>/out/stepped && work && sleep 0.3
ended clock

cpu=/sys/devices/system/cpu/cpu1/online
recording hotplug
for round in 1 2; do
	echo 0 >$cpu && cat $cpu >>/out/cpu1
	work
	echo 1 >$cpu && cat $cpu >>/out/cpu1
	taskset 2 dd if=/dev/zero of=/tmp/b bs=1M count=10 2>/dev/null
	rm /tmp/b
done
ended hotplug
true'

# true_to NAME - a finished trace of this kernel: added up, undamaged, its verdict true
true_to() {
	"$KMEMLAB" info --json "$out/$1.kmt" >"$SCRATCH/info.json" 2>/dev/null
	check "${name}_$1_ends_well" "exit status $(cat "$out/$1.status"): $(cat "$out/$1.words")" \
		done_or_lost "$(cat "$out/$1.status")"
	same "${name}_$1_identity" true "$(identity "$SCRATCH/info.json")"
	same "${name}_$1_holds_what_it_says" "$(field "$SCRATCH/info.json" d.accounting.recorded)" \
		"$(field "$SCRATCH/info.json" 'd.events_total - d.events.task')"
	same "${name}_$1_verdict_follows_the_loss" true "$(field "$SCRATCH/info.json" '(a =>
		(a.lost_ring + a.lost_recursion + a.lost_write > 0) ===
			d.verdict.startsWith("INCOMPLETE"))(d.accounting)')"
	"$KMEMLAB" dump "$out/$1.kmt" 2>/dev/null | grep -v '^#' >"$SCRATCH/dump"
	same "${name}_$1_times_never_step" "0 true" "$(awk '$1 < last { n++ } { last = $1 }
		END { print n + 0, (last < 120) ? "true" : last }' "$SCRATCH/dump")"
}

for kernel in $KERNELS; do
	name=faults_${kernel/./_}
	out=$SCRATCH/$kernel
	tests/guest/run.sh -q -c 2 -k "$kernel" -m 512M -o "$out" -- "$WORK" >"$SCRATCH/words" 2>&1
	status=$?
	if [ $status = 4 ]; then
		skip "$name" "$(tail -n 1 "$SCRATCH/words")"
		continue
	fi
	same "${name}_guest_ends_well" 0 $status
	same "${name}_the_clock_stepped" 2 "$(wc -l <"$out/stepped")"
	true_to clock
	same "${name}_a_cpu_went_and_came" "0 1 0 1" "$(xargs <"$out/cpu1")"
	true_to hotplug
	check "${name}_the_cpu_that_came_back_is_heard" "$(tail -n 1 "$SCRATCH/dump")" at_least 1000 \
		"$(awk '$2 == "[001]" && /mm_page_alloc / { n++ } END { print n + 0 }' "$SCRATCH/dump")"
done
exit 0
