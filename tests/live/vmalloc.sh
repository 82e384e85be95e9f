#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# vmalloc.sh - the running kernel's vmalloc addresses against refmm's.
#
# The kernel's areas are read once and then each allocation, free and purge is
# traced; refmm is given the same requests and must choose the same addresses.
# Reclaim's shrinker is asked first to empty the pools, so that all addresses
# are known. Addresses are stored as distances from the window's start.
#
# Events of two CPUs at once cannot be put in order. Where that happens during a
# purge, what follows cannot be foreseen: of three recordings one must agree.
#
# Also what /proc/vmallocinfo says without a trace: areas in address order,
# sizes that include the guard page.
. tests/support/lib.sh
NAMES="vmalloc_info_sizes_include_guards vmalloc_addresses_agree_with_refmm"
T=/sys/kernel/tracing/instances/kmemlab-vmalloc-$$
RESTRICT=/proc/sys/kernel/kptr_restrict
INFO=$SCRATCH/info
OUT=$SCRATCH/vmalloc.txt
TEST=$BUILD/tests/refmm/test_vmalloc_host
MAPS=/sys/fs/bpf/kmemlab-test-$$

skip_all() { # why
	for name in $NAMES; do skip "$name" "$1"; done
	exit 0
}

[ "$(id -u)" = 0 ] || skip_all "needs root"
mkdir "$T" 2>/dev/null || skip_all "cannot make a tracefs instance"
was=$(cat $RESTRICT)
trap 'rm -f "$MAPS"-*; echo "$was" >$RESTRICT; rmdir "$T"' EXIT
[ -d "$T/events/vmalloc" ] || skip_all "this kernel has no vmalloc events"
command -v bpftool >/dev/null || skip_all "needs bpftool"

# Pages + guard = size, for areas that vmalloc filled. Those of per-CPU chunks have
# neither pages of their own nor a guard.
guards=$(awk '/pages=.* vmalloc/ {
		match($0, /pages=[0-9]+/)
		pages = substr($0, RSTART + 6, RLENGTH - 6)
		if ((pages + 1) * 4096 == $2) good++; else bad++
	} END { print good + 0, bad + 0 }' /proc/vmallocinfo)
check vmalloc_info_sizes_include_guards "sizes with and without guard: $guards" \
	test "${guards#* }" = 0 -a "${guards% *}" != 0

# Areas of 1 page to 2 MiB, threads' stacks, and one that is over the threshold
work() {
	local i
	for i in $(seq 1 60); do
		bpftool map create "$MAPS-$i" type array key 4 value 4000 \
			entries $((1 + i * i % 500)) name "m$i" 2>/dev/null
		[ $((i % 3)) = 0 ] && rm -f "$MAPS-$((i / 2))"
	done
	bpftool map create "$MAPS-big" type array key 4 value 4096 \
		entries $((40000 * $(nproc))) name big 2>/dev/null
	rm -f "$MAPS"-*
	sleep 0.3
}

# A snapshot during which nothing happened, between two marks in the trace
snapshot() {
	local try
	for try in $(seq 1 200); do
		echo >"$T/trace"
		cat /proc/vmallocinfo >"$INFO"
		grep -q _area "$T/trace" || return 0
		sleep 0.01
	done
	return 1
}

# record - areas, then events, in the form that the test reads; 1: no snapshot
record() {
	local start
	echo 1 >"$T/events/vmalloc/enable"
	echo 1 >$RESTRICT
	echo 2 >/proc/sys/vm/drop_caches
	snapshot || return 1
	echo "$was" >$RESTRICT
	for _ in 1 2 3; do work; done
	echo 0 >"$T/events/vmalloc/enable"
	start=$(sed -n 's/.*vstart=\(0xffff[0-9a-f]*\) vend=0xffff[a-e].*/\1/p' "$T/trace" | head -n 1)
	{
		echo "cpus $(nproc)"
		areas "$start" <"$INFO"
		events "$start" <"$T/trace"
	} >"$OUT" 2>/dev/null
}

# areas START <vmallocinfo
areas() {
	local kind from to
	sed -n 's/^\(0x[0-9a-f]*\)-\(0x[0-9a-f]*\) .*unpurged.*/lazy \1 \2/p
		s/^\(0x[0-9a-f]*\)-\(0x[0-9a-f]*\) .*/busy \1 \2/p' |
		while read -r kind from to; do
			echo "$kind $((from - $1)) $((to - $1))"
		done
}

# events START <trace - what happened in the window that begins at START
events() {
	local kind cpu a b c from
	sed -n 's/.*\[\([0-9]*\)\].* alloc_vmap_area: va_start: \([0-9]*\) size=\([0-9]*\) align=\([0-9]*\) vstart=\([^ ]*\) vend=\([^ ]*\) failed=0/alloc \1 \2 \3 \4 \5/p
		s/.*\[\([0-9]*\)\].* free_vmap_area_noflush: va_start=\([^ ]*\) nr_lazy=\([0-9]*\) nr_lazy_max=\([0-9]*\)/free \1 \2 \3 \4 -/p
		s/.*\[\([0-9]*\)\].* purge_vmap_area_lazy: .*num_purged=\([0-9]*\)/purge \1 \2 - - -/p' |
		while read -r kind cpu a b c from; do
			case $kind in
			alloc) [ "$from" = "$1" ] && echo "alloc $((10#$cpu)) $((a - $1)) $b $c" ;;
			free) echo "free $((a - $1)) $b $c" ;;
			purge) echo "purge $a" ;;
			esac
		done
}

echo 16384 >"$T/buffer_size_kb"
for _ in 1 2 3; do
	if ! record; then
		skip vmalloc_addresses_agree_with_refmm "the host is too busy for a snapshot"
		exit 0
	fi
	said=$(KML_VMALLOC_TRACE=$OUT "$TEST" 2>&1)
	status=$?
	[ $status = 0 ] && break
done
check vmalloc_addresses_agree_with_refmm "$(echo "$said" | grep host | tr '\n' ' ')" \
	test $status = 0
exit 0
