#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# faults.sh - what hosts do to a recorder. After each: every event is accounted
# for, info opens the file and tells the truth, nothing stays attached.
#
#   FAULTS_KILLS=200    kill -9 at so many random moments (default 24)
#   FAULTS_HOTPLUG=0    leave the CPUs alone
#
# A stepped clock is in tests/guest/faults.sh, ENOSPC in refusals.sh, every failing write in tests/trace/test_writer_faults.c.
. tests/support/lib.sh
needs_recording kill_at_random_moments stop_identity overload_identity

KILLS=${FAULTS_KILLS:-24}
KILL_LANES=4
WORK='while :; do tail -c 20M /dev/zero >/dev/null; ls -lR /usr/include >/dev/null; done'

# Ends its load by pid, whatever happens.
load_on() {
	setsid sh -c "$WORK" &
	LOAD=$!
}
load_off() {
	kill -KILL -- -$LOAD 2>/dev/null
	wait $LOAD 2>/dev/null
}
trap 'load_off' EXIT

# true_to NAME FILE - a finished trace: complete or lost, added up, undamaged
true_to() {
	"$KMEMLAB" info --json "$2" >"$SCRATCH/info.json" 2>/dev/null
	same "$1_can_be_read" 0 $?
	same "$1_identity" true "$(identity "$SCRATCH/info.json")"
	same "$1_holds_what_it_says" "$(field "$SCRATCH/info.json" d.accounting.recorded)" \
		"$(field "$SCRATCH/info.json" 'd.events_total - d.events.task')"
	same "$1_verdict_follows_the_loss" true "$(field "$SCRATCH/info.json" '(a =>
		(a.lost_ring + a.lost_recursion + a.lost_write > 0) ===
			d.verdict.startsWith("INCOMPLETE"))(d.accounting)')"
}

# ended PID - ask it to end, and wait; any end that a recording can have
ended() {
	kill -TERM "$1"
	wait "$1"
	done_or_lost $?
}

load_on

# ---- kill -9, several recorders at a time
# killed N - kill one at a random moment: odd ones of its life, even ones once there is a
# file; words on what was found
killed() {
	local T=$SCRATCH/kill.$1 pid
	"$KMEMLAB" record -q -o "$T" 2>/dev/null &
	pid=$!
	[ $(($1 % 2)) = 1 ] || until_recording $pid "$T"
	sleep "$((RANDOM % 3)).$((RANDOM % 10))$((RANDOM % 10))"
	links_of $pid >"$T.links"
	kill -KILL $pid
	wait $pid 2>/dev/null
	[ -s "$T.links" ] && [ "$(still_attached "$T.links")" != 0 ] && echo attached
	[ -e "$T" ] && echo "a killed recorder left a complete file"
	if [ -s "$T.partial" ]; then
		"$KMEMLAB" info --json "$T.partial" >"$T.json" 2>/dev/null
		field "$T.json" 'd.damage.bad_blocks === 0 && d.damage.missing_blocks === 0 &&
			d.damage.unfinished ? "readable" : "unreadable: " + JSON.stringify(d.damage)'
	fi
	rm -f "$T" "$T".*
}
for lane in $(seq $KILL_LANES); do
	for i in $(seq "$lane" $KILL_LANES "$KILLS"); do killed "$i"; done 2>/dev/null \
		>"$SCRATCH/lane.$lane" &
	lanes[lane]=$!
done
wait "${lanes[@]}"
found=$(sort "$SCRATCH"/lane.* | uniq -c | xargs)
same kill_at_random_moments_leaves_every_block_readable "" \
	"$(cat "$SCRATCH"/lane.* | grep -v -e '^readable$' -e '^attached$' | head -n 3)"
check kill_at_random_moments_leaves_nothing_attached "$found" \
	test "$(cat "$SCRATCH"/lane.* | grep -c attached)" = 0
check kill_at_random_moments_had_files_to_read "of $KILLS: $found" \
	at_least $((KILLS / 4)) "$(cat "$SCRATCH"/lane.* | grep -c '^readable$')"

# ---- stopped for ten seconds, with a ring for a fraction of one
T=$SCRATCH/stop.kmt
"$KMEMLAB" record -q -r 64k -o "$T" 2>/dev/null &
pid=$!
until_recording $pid "$T"
kill -STOP $pid
sleep 10
kill -CONT $pid
sleep 0.5
check stop_ends_well "it did not" ended $pid
true_to stop "$T"
check stop_loss_is_counted "no loss in ten seconds of a stopped recorder" \
	at_least 1000 "$(field "$SCRATCH/info.json" d.accounting.lost_ring)"

# ---- three times what it can take: a recorder that runs only when nobody else wants to
T=$SCRATCH/overload.kmt
for try in 1 2 3; do
	chrt --idle 0 "$KMEMLAB" record -q -f -r 64k -o "$T" 2>/dev/null &
	pid=$!
	until_recording $pid "$T"
	cpus=$(nproc)
	for i in $(seq $((2 * cpus))); do
		timeout $((2 + try)) sh -c "$WORK" >/dev/null 2>&1 &
		hogs[i]=$!
	done
	wait "${hogs[@]}"
	ended $pid
	"$KMEMLAB" info --json "$T" >"$SCRATCH/info.json" 2>/dev/null
	over=$(field "$SCRATCH/info.json" '(a => Math.floor(a.fired / a.recorded))(d.accounting)')
	at_least 3 "$over" && break
done
true_to overload "$T"
check overload_is_threefold "$over times what was recorded fired" at_least 3 "$over"

# ---- allocations in softirq: packets to oneself
T=$SCRATCH/softirq.kmt
"$KMEMLAB" record -q -o "$T" -- node -e '
	const s = require("dgram").createSocket("udp4"), end = Date.now() + 2000;
	s.on("message", () => {});
	s.bind(0, "127.0.0.1", function send() {
		for (let i = 0; i < 64; i++) s.send(Buffer.alloc(1000), s.address().port, "127.0.0.1");
		if (Date.now() < end) setImmediate(send); else s.close();
	});' 2>/dev/null
true_to softirq "$T"
check softirq_saw_packets "fewer than 1000 objects" at_least 1000 \
	"$("$KMEMLAB" stat --json --by cache "$T" 2>/dev/null >"$SCRATCH/stat.json"
	field "$SCRATCH/stat.json" '(d.cache || d).filter(c => /^skbuff/.test(c.cache)).reduce((n, c) => n + c.allocs, 0)')"

# ---- another tool on the same tracepoints
if command -v bpftrace >/dev/null; then
	T=$SCRATCH/both.kmt
	timeout -s INT 6 bpftrace -e 'tracepoint:kmem:kmalloc { @ = count(); }
		tracepoint:kmem:mm_page_alloc { @p = count(); }' >/dev/null 2>&1 &
	other=$!
	sleep 2
	"$KMEMLAB" record -q -d 1s -o "$T" 2>/dev/null
	true_to beside_bpftrace "$T"
	wait $other
else
	skip beside_bpftrace_identity "bpftrace is missing"
fi

# ---- the command dies
T=$SCRATCH/dies.kmt
# shellcheck disable=SC2016
"$KMEMLAB" record -o "$T" -- sh -c 'kill -9 $$' 2>"$SCRATCH/words"
check dying_command_is_told "$(cat "$SCRATCH/words")" grep -q 'signal 9' "$SCRATCH/words"
true_to dying_command "$T"

# ---- a reader that sleeps
T=$SCRATCH/pipe.kmt
"$KMEMLAB" record -q -d 4s -o - 2>/dev/null | { sleep 3; cat >"$T"; }
true_to full_pipe "$T"
load_off

# ---- a CPU goes and comes back
cpu=/sys/devices/system/cpu/cpu$(($(nproc) - 1))/online
if [ "${FAULTS_HOTPLUG:-1}" = 1 ] && [ -w "$cpu" ] && [ "$(nproc)" -gt 1 ]; then
	T=$SCRATCH/hotplug.kmt
	"$KMEMLAB" record -q -o "$T" 2>/dev/null &
	pid=$!
	until_recording $pid "$T"
	if echo 0 >"$cpu" 2>/dev/null; then
		churn 50
		echo 1 >"$cpu"
		churn 50
		ended $pid
		true_to hotplug "$T"
	else
		ended $pid
		skip hotplug_identity "the machine refuses to take a CPU offline"
	fi
else
	skip hotplug_identity "no CPU can be taken offline here"
fi
exit 0
