#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# percpu_start.sh - per-CPU memory between two readings of the kernel's chunks.
#
# The areas of the first reading and the events between must make those of the second, and
# of each chunk percpu_stats must say the same; what happens between that and the reading, and
# frees that the kernel puts off, may fall on either side, so of six recordings, each waiting
# longer for these, one must be exact. The reference begins and ends with as many areas and
# bytes, in as many chunks. And alignments are those that ftrace shows.
. tests/support/lib.sh
NAMES="percpu_start_events_make_the_end percpu_start_is_read
	percpu_start_is_that_of_percpu_stats percpu_start_reference_has_as_many_areas percpu_start_reference_has_as_many_bytes
	percpu_start_frees_are_all_known percpu_alignments_are_those_of_ftrace"
# shellcheck disable=SC2086
needs_recording $NAMES

skip_all() { # why
	for name in $NAMES; do skip "$name" "$1"; done
	exit 0
}

T=$SCRATCH/t.kmt
MAPS=/sys/fs/bpf/kmemlab-percpu-$$
I=/sys/kernel/tracing/instances/kmemlab-percpu-start-$$
[ -r /sys/kernel/debug/percpu_stats ] || skip_all "this kernel has no percpu_stats"
command -v bpftool >/dev/null || skip_all "needs bpftool"
mkdir "$I" 2>/dev/null || skip_all "cannot make a tracefs instance"
trap 'rm -f "$MAPS"-*; echo 0 >"$I/events/enable"; rmdir "$I"' EXIT
echo 8192 >"$I/buffer_size_kb"

cat >"$SCRATCH/work" <<'END'
sleep 0.2
for i in $(seq 1 8); do
	bpftool map create "$1-$i" type percpu_array key 4 value 256 entries 300 name "p$i"
	unshare -n true
	[ $((i % 2)) = 0 ] && rm -f "$1-$i"
done
sleep $2
END

echo 1 >"$I/events/percpu/percpu_alloc_percpu/enable"
for seconds in 0.5 1 2 3 4 5; do
	echo >"$I/trace"
	"$KMEMLAB" record -q -f --probe percpu -o "$T" -- bash "$SCRATCH/work" "$MAPS" $seconds \
		2>/dev/null
	cat "$I/trace" >"$SCRATCH/ftrace"
	rm -f "$MAPS"-*
	"$KMEMLAB" replay -f -p observed -p reference -o "$SCRATCH/r.json" "$T" >/dev/null 2>&1
	exact=$(field "$SCRATCH/r.json" \
		'(e => e.observed_areas === e.kernel_areas && e.missing + e.unexpected +
			e.other_size === 0 || JSON.stringify(e))(d.areas.percpu.end)')
	alike=$(field "$SCRATCH/r.json" \
		'(s => s.chunks > 0 && s.chunks - s.alike)(d.areas.percpu.start.percpu_stats)')
	[ "$exact $alike" = "true 0" ] && break
done
same percpu_start_events_make_the_end true "$exact"
"$KMEMLAB" info --json "$T" >"$SCRATCH/info.json"
same percpu_start_is_that_of_percpu_stats 0 "$alike"
same percpu_start_is_read "read read" \
	"$(field "$SCRATCH/info.json" 'd.start_state.find(s => s.what === "per-CPU areas").how') $(
		field "$SCRATCH/r.json" d.areas.percpu.start.how)"

same percpu_start_reference_has_as_many_areas "0 true" "$(field "$SCRATCH/r.json" \
	'(p => p.start.refused + " " + (p.end.reference.areas === p.end.kernel.areas))(
		d.areas.percpu)')"
same percpu_start_reference_has_as_many_bytes true "$(field "$SCRATCH/r.json" \
	'["start", "end"].every(w => d.areas.percpu[w].reference.bytes ===
		d.areas.percpu[w].kernel.bytes)')"
same percpu_start_frees_are_all_known "0 0 0" "$(field "$SCRATCH/r.json" \
	'(p => [p.kernel.free_of_unknown, p.reference.failed, p.reference.free_refused].join(" "))(
		d.areas.percpu)')"

# Each size and alignment that ftrace has seen, as often or more often.
"$KMEMLAB" dump --json --kind percpu_alloc_percpu "$T" >"$SCRATCH/events"
same percpu_alignments_are_those_of_ftrace "true true" "$(node -e '
	const fs = require("fs"), count = new Map(), add = (k, n) =>
		count.set(k, (count.get(k) || 0) + n);
	for (const l of fs.readFileSync(process.argv[1], "utf8").split("\n").filter((s) => s)) {
		const e = JSON.parse(l);
		add(e.bytes_req + "/" + e.align, 1);
	}
	let seen = 0, missing = 0;
	const aligns = new Set();
	for (const l of fs.readFileSync(process.argv[2], "utf8").split("\n")) {
		const m = /(?:bpftool|unshare)-.*percpu_alloc_percpu:.* size=(\d+) align=(\d+)/.exec(l);
		if (!m) continue;
		seen++;
		aligns.add(m[2]);
		add(m[1] + "/" + m[2], -1);
		missing += count.get(m[1] + "/" + m[2]) < 0;
	}
	console.log(missing === 0 || missing, seen > 300 && aligns.size > 1 || seen);' \
	"$SCRATCH/events" "$SCRATCH/ftrace")"
exit 0
