#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# faults.sh - what hosts do to a recorder. After each: every event is accounted
# for, info opens the file and tells the truth, nothing stays attached.
#
#   FAULTS_KILLS=200    kill -9 at so many random moments (default 4)
#   FAULTS_HOTPLUG=0    leave the CPUs alone
#   FAULTS_CLOCK=1      step CLOCK_REALTIME by an hour, and back
#
# ENOSPC is in refusals.sh, every failing write in tests/trace/test_writer_faults.c.
. tests/support/lib.sh
needs_recording kill_at_random_moments stop_identity tiny_ring_identity

KILLS=${FAULTS_KILLS:-4}
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

# ---- kill -9
bad=0 readable=0 left=0
for i in $(seq "$KILLS"); do
	T=$SCRATCH/kill.$i
	"$KMEMLAB" record -q -o "$T" 2>/dev/null &
	pid=$!
	sleep "$((RANDOM % 3)).$((RANDOM % 10))$((RANDOM % 10))"
	links_of $pid >"$SCRATCH/links"
	kill -KILL $pid
	wait $pid 2>/dev/null
	[ -s "$SCRATCH/links" ] && left=$((left + $(still_attached "$SCRATCH/links")))
	[ -e "$T" ] && bad=$((bad + 1))
	if [ -s "$T.partial" ]; then
		"$KMEMLAB" info --json "$T.partial" >"$SCRATCH/info.json" 2>/dev/null
		[ "$(field "$SCRATCH/info.json" \
			'd.damage.bad_blocks === 0 && d.damage.missing_blocks === 0 && d.damage.unfinished')" = true ] &&
			readable=$((readable + 1)) || bad=$((bad + 1))
	fi
	rm -f "$T" "$T.partial"
done
same kill_at_random_moments_leaves_every_block_readable 0 $bad
same kill_at_random_moments_leaves_nothing_attached 0 $left
check kill_at_random_moments_had_files_to_read "none of $KILLS" at_least 1 $readable

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

# ---- more than it can take
T=$SCRATCH/tiny.kmt
"$KMEMLAB" record -q -r 64k -d 2s -o "$T" -- sh -c "$WORK & $WORK & $WORK & $WORK & wait" 2>/dev/null
true_to tiny_ring "$T"

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

# ---- the wall clock steps
if [ "${FAULTS_CLOCK:-0}" = 1 ]; then
	T=$SCRATCH/clock.kmt
	"$KMEMLAB" record -q -o "$T" 2>/dev/null &
	pid=$!
	until_recording $pid "$T"
	date -s "+1 hour" >/dev/null && churn 50
	date -s "-1 hour" >/dev/null && churn 50
	ended $pid
	true_to clock_step "$T"
	check clock_step_does_not_show "it does" at_least 1 \
		"$(field "$SCRATCH/info.json" 'd.last_event_ns - d.first_event_ns < 60e9 ? 1 : 0')"
else
	skip clock_step_identity "steps this machine's clock: set FAULTS_CLOCK=1"
fi
exit 0
