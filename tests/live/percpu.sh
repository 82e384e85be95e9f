#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# percpu.sh - does refmm allocate per-CPU memory where this kernel does?
#
# A tracefs instance of our own records the percpu tracepoints while BPF maps of
# many sizes are created and removed: a percpu_array is an allocation for each of
# its entries. Large ones make the kernel create chunks, and of a chunk seen
# created all is known: refmm must choose the offsets that the kernel chose.
# And it must say of this kernel's sizes what debugfs percpu_stats says.
#
# percpu.sh SAMPLE - only record, into the file SAMPLE (tests/data has one).
SAMPLE=${1:-}
[ -n "$SAMPLE" ] || . tests/support/lib.sh
NAMES="percpu_offsets_agree percpu_sizes_agree"
INSTANCE=/sys/kernel/tracing/instances/kmemlab-percpu-$$
STATS=/sys/kernel/debug/percpu_stats
MAPS=/sys/fs/bpf/kmemlab-percpu-$$
n=0

leave() { # why
	for name in $NAMES; do
		if [ -n "$SAMPLE" ]; then echo "cannot record: $1" >&2; else skip "$name" "$1"; fi
	done
	exit $([ -n "$SAMPLE" ] && echo 1 || echo 0)
}

map() { # bytes entries
	bpftool map create "$MAPS/$n" type percpu_array key 4 value "$1" entries "$2" \
		name kmemlab$n 2>/dev/null || return
	n=$((n + 1))
}

# Maps of up to 32 KiB an entry, removed in any order
load() {
	local i size
	RANDOM=7
	# More than is left in one piece: a chunk is created.
	map 32768 $(awk '$1 == "contig_bytes" { n += $3 } END { print int(n / 32768) + 12 }' "$STATS")
	map 4096 8 && map 256 150 && map 16 500 && map 8 500
	for i in $(seq 50); do
		size=$(((RANDOM % 60 + 1) * 8))
		[ $((RANDOM % 4)) = 0 ] && size=$((size * 16))
		[ $((RANDOM % 12)) = 0 ] && size=$((size * 50))
		[ $size -le 32768 ] || size=32768
		map $size $((RANDOM % 12 + 1))
		[ $((i % 2)) = 0 ] && rm -f "$MAPS/$((RANDOM % n))"
	done
	rm -f "$MAPS/0"
	sleep 0.5 # maps are freed after a grace period
	for i in $(seq 50); do
		map $(((RANDOM % 500 + 1) * 8)) $((RANDOM % 12 + 1))
		[ $((i % 2)) = 0 ] && rm -f "$MAPS/$((RANDOM % n))"
	done
	rm -f "$MAPS"/*
	sleep 0.5
}

# Events of chunks seen created, as tests/refmm/percpu_trace.h reads them
events() {
	echo "# unit_size $(awk '$1 == "unit_size" { print $3 }' "$STATS")"
	awk 'function field(name,  i) {
			for (i = 1; i <= NF; i++)
				if (index($i, name "=") == 1)
					return substr($i, length(name) + 2)
		}
		{ base = field("base_addr") }
		/percpu_create_chunk:/ { id[base] = ++chunks; print "c", id[base] }
		!(base in id) { next }
		/percpu_destroy_chunk:/ { print "d", id[base]; delete id[base] }
		/percpu_alloc_percpu:/ { print "a", id[base], field("size"), field("align"),
			field("is_atomic"), field("off") }
		/percpu_free_percpu:/ { print "f", id[base], field("off") }' "$1"
}

[ "$(id -u)" = 0 ] || leave "needs root"
command -v bpftool >/dev/null || leave "bpftool is missing"
[ -r "$STATS" ] || leave "cannot read $STATS"
mkdir "$INSTANCE" 2>/dev/null || leave "cannot make an instance in ${INSTANCE%/*}"
trap 'rm -f "$MAPS"/* 2>/dev/null; rmdir "$MAPS" "$INSTANCE" 2>/dev/null' EXIT
mkdir "$MAPS" 2>/dev/null || leave "cannot make ${MAPS}: is bpffs mounted?"
echo 16384 >"$INSTANCE/buffer_size_kb"
echo 1 >"$INSTANCE/events/percpu/enable" || leave "this kernel has no percpu tracepoints"
load
echo 0 >"$INSTANCE/events/percpu/enable"
[ $n -gt 50 ] || leave "bpftool cannot create maps"
events "$INSTANCE/trace" >"${SAMPLE:-$SCRATCH/events}"
[ -z "$SAMPLE" ] || exit 0

if grep -q '^c' "$SCRATCH/events"; then
	KML_PERCPU_EVENTS=$SCRATCH/events "$BUILD/tests/refmm/test_percpu_trace" >"$SCRATCH/log" 2>&1
	status=$?
	grep 'offsets agree' "$SCRATCH/log" >&2
	check percpu_offsets_agree "$(tail -n 3 "$SCRATCH/log" | tr '\n' ' ')" [ $status = 0 ]
else
	skip percpu_offsets_agree "the kernel created no chunk"
fi
cat "$STATS" >"$SCRATCH/stats"
KML_PERCPU_STATS=$SCRATCH/stats "$BUILD/tests/refmm/test_percpu_stats" >"$SCRATCH/log" 2>&1
check percpu_sizes_agree "$(grep -v '^\[' "$SCRATCH/log" | tail -n 3 | tr '\n' ' ')" [ $? = 0 ]
