#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# context.sh - as tests/live/context.sh, on stock kernels: preempt_count is a variable of its
# own in 6.1 and a part of pcpu_hot in 6.12. Emulation is slow, so times may differ more.
. tests/support/lib.sh

# shellcheck disable=SC2016
WORK='
mount -t tracefs nodev /sys/kernel/tracing 2>/dev/null
cd /sys/kernel/tracing && echo boot >trace_clock && echo 16384 >buffer_size_kb
for event in kmalloc kmem_cache_alloc; do
	echo "!(gfp_flags & 0x400)" >events/kmem/$event/filter
	echo 1 >events/kmem/$event/enable
done
kmemlab record -q -o /out/t.kmt -- sh -c "sockets >/dev/null 2>&1
	for i in 1 2 3 4 5 6; do ls -lR /proc/1 /sys/kernel/slab >/dev/null 2>&1; done
	dd if=/dev/zero of=/tmp/f bs=64k count=200 conv=fsync 2>/dev/null"
echo 0 >tracing_on
cat trace >/out/ftrace.txt
true'

for kernel in 6.1 6.12; do
	name=context_${kernel/./_}
	out=$SCRATCH/$kernel
	tests/guest/run.sh -q -k "$kernel" -m 1G -o "$out" -- "$WORK" >"$SCRATCH/words" 2>&1
	status=$?
	if [ $status = 4 ]; then
		skip "${name}_agrees_with_ftrace" "$(tail -n 1 "$SCRATCH/words")"
		continue
	fi
	same "${name}_guest_ends_well" 0 $status
	"$KMEMLAB" import -f -o "$out/ftrace.kmt" "$out/ftrace.txt" 2>>"$SCRATCH/words"
	for which in t ftrace; do
		"$KMEMLAB" dump --json "$out/$which.kmt" 2>/dev/null |
			grep '"context":"' >"$out/$which.jsonl"
	done
	NEAR_NS=2000000 node tests/support/context.mjs "$out" >"$out/compared.json"
	check "${name}_tells_both" "$(cat "$out/compared.json")" \
		at_least 20 "$(field "$out/compared.json" 'Math.min(d.counts.atomic, d.counts["may-sleep"])')"
	same "${name}_agrees_with_ftrace" true "$(field "$out/compared.json" \
		'd.matched > 0.95 * d.ours && d.differ <= d.matched / 200 || JSON.stringify(d)')"
	[ -z "${VERBOSE:-}" ] || echo "# $(cat "$out/compared.json")"
done
exit 0
