#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# witness.sh - the events of one process, counted by kmemlab and by ftrace.
#
# Tracefs instances of our own, one a tracepoint, count the same tracepoints
# with a filter on the process. Both witnesses stand before the process begins
# to work and until it has ended, and before that it sleeps in read(): they must
# agree, but for what the kernel kept from our programs because an interrupt
# found them active (lost_recursion, which the trace tells) and what the program
# filtered. The instances' buffers are small: ftrace counts what it overwrote.
. tests/support/lib.sh
EVENTS="mm_page_alloc mm_page_free kmalloc kmem_cache_alloc kmem_cache_free"
NAMES=$(for event in $EVENTS; do echo "witness_agrees_on_$event"; done)
# shellcheck disable=SC2086
needs_recording $NAMES

INSTANCES=/sys/kernel/tracing/instances
PREFIX=$INSTANCES/kmemlab-test-$$
T=$SCRATCH/t.kmt
if ! mkdir "$PREFIX-probe" 2>/dev/null; then
	for name in $NAMES; do skip "$name" "cannot make an instance in $INSTANCES"; done
	exit 0
fi
rmdir "$PREFIX-probe"
trap 'rmdir "$PREFIX"-* 2>/dev/null' EXIT

# on EVENT PID, off EVENT, counted EVENT: all that passed the filter
on() {
	mkdir "$PREFIX-$1"
	echo 64 >"$PREFIX-$1/buffer_size_kb"
	echo "common_pid == $2" >"$PREFIX-$1/events/kmem/$1/filter"
	echo 1 >"$PREFIX-$1/events/kmem/$1/enable"
}
off() {
	echo 0 >"$PREFIX-$1/events/kmem/$1/enable"
}
counted() {
	cat "$PREFIX-$1"/per_cpu/cpu*/stats |
		awk -F': ' '/^(entries|overrun|commit overrun|dropped events)/ { n += $2 }
			END { print n + 0 }'
}

# The worker waits for a line and then becomes what it is to do, pid unchanged.
mkfifo "$SCRATCH/go"
sh -c 'read -r _ <"$0"; exec tail -c 150M /dev/zero' "$SCRATCH/go" >/dev/null &
worker=$!
"$KMEMLAB" record -q -o "$T" 2>"$SCRATCH/words" &
recorder=$!
until_recording $recorder "$T"
for event in $EVENTS; do on "$event" $worker; done
echo go >"$SCRATCH/go"
wait $worker
sleep 0.2
for event in $EVENTS; do off "$event"; done
kill -TERM $recorder
wait $recorder

"$KMEMLAB" info --json "$T" >"$SCRATCH/info.json"
for event in $EVENTS; do
	seen=$(events_of_process "$T" "$event" pid $worker)
	wanted=$(counted "$event")
	missed=$(field "$SCRATCH/info.json" \
		"d.recursion.find(r => r.kind === '$event').misses")
	check "witness_agrees_on_$event" \
		"ftrace counted $wanted, the trace holds $seen, lost to recursion at most $missed" \
		test "$seen" -le "$wanted" -a "$((seen + missed))" -ge "$wanted" -a "$seen" -gt 0
done
exit 0
