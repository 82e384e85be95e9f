#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# bench.sh BUILD [record|top|refmm] - speed and size, as ratios taken in one run on
# one machine; with "record", of the recorders alone; with "top", of the live view;
# with "refmm", of the reference's page side.
#
# Every line is "name value unit ratio"; a ratio is that figure over kmemlab's,
# so 2.00 beside a peer means twice kmemlab's cost.
#
#   bench_record   added CPU (kernel and user), bytes per event, events lost and
#                  memory of kmemlab, trace-cmd, perf and bpftrace, and the floor of
#                  programs that do nothing or read the clock; on a page loop, a slab
#                  loop, mixed work and a compiler; needs root. RATE_SECONDS=60: then
#                  a million events a second on every CPU for so long
#   bench_programs the kernel's side alone: kmemlab's programs beside programs that do nothing
#                  or read the clock, in turns; needs root, but no quiet machine
#   bench_top      added CPU of kmemlab top beside bpftrace, and of a run of its programs by
#                  the kernel's statistics; needs root
#   bench_report   from a trace to its page; of 5 million events recorded here, where the host
#                  lets kmemlab record, else of a sample
#   bench_refmm    refmm's page side beside malloc; LLFREE_DIR=DIR: and beside LLFree, whose
#                  sources (luhsra/llfree-c) are in DIR
#   bench_consume  the recorder's own CPU time, from rings to blocks
#   the others     the parts: trace format, replay, reference allocator
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=$(realpath "${1:-build}")
export KMEMLAB=$BUILD/kmemlab
export FTRACE_SHIM=$BUILD/tests/bench/ftrace_shim.so
DIR=$(mktemp -d -t kmemlab-bench.XXXXXX) || exit 1
trap 'rm -rf "$DIR"' EXIT
status=0

recording() {
	if ! "$KMEMLAB" doctor >/dev/null 2>&1; then
		echo "skip bench_record - this host does not let kmemlab record (see kmemlab doctor)"
		return
	fi
	for tool in trace-cmd perf; do
		command -v "$tool" >/dev/null || { echo "skip bench_record - $tool is missing"; return; }
	done
	"$BUILD/tests/bench/bench_record" page 2000 "$DIR" || status=1
	"$BUILD/tests/bench/bench_record" slab 2000 "$DIR" || status=1
	"$BUILD/tests/bench/bench_record" mixed 500 "$DIR" || status=1
	"$BUILD/tests/bench/bench_record" compile 12 "$DIR" || status=1
	for load in page slab mixed; do
		"$BUILD/tests/bench/bench_programs" $load || status=1
	done
	[ -z "${RATE_SECONDS:-}" ] ||
		"$BUILD/tests/bench/bench_record" rate "$RATE_SECONDS" "$DIR" || status=1
}

live_view() {
	if ! "$KMEMLAB" doctor >/dev/null 2>&1; then
		echo "skip bench_top - this host does not let kmemlab record (see kmemlab doctor)"
		return
	fi
	"$BUILD/tests/bench/bench_top" page 2000 "$DIR" || status=1
	"$BUILD/tests/bench/bench_top" slab 2000 "$DIR" || status=1
	"$BUILD/tests/bench/bench_top" mixed 500 "$DIR" || status=1
}

# LLFree's sources are its own, and so are their warnings.
make_llfree() { # program
	clang -w -std=gnu2x -O2 -march=native -DSTD -DNO_LOG -DNDEBUG -I"$LLFREE_DIR/src" \
		-I"$LLFREE_DIR/include" -I"$LLFREE_DIR/std" -o "$1" tests/bench/llfree.c \
		"$LLFREE_DIR"/src/*.c -lpthread
}

pages() {
	if [ -z "${LLFREE_DIR:-}" ]; then
		"$BUILD/tests/bench/bench_refmm" || status=1
	elif make_llfree "$DIR/llfree"; then
		LLFREE=$DIR/llfree "$BUILD/tests/bench/bench_refmm" || status=1
	else
		echo "bench.sh: LLFREE_DIR=$LLFREE_DIR has no sources of LLFree that compile (see above)" >&2
		status=1
	fi
}

# Five million events, or the sample.
report() {
	local trace=$DIR/report.kmt seconds=20 events=0
	while "$KMEMLAB" doctor >/dev/null 2>&1 && [ $seconds -le 160 ]; do
		"$KMEMLAB" record -q -f -o "$trace" -- tests/support/workload.sh $seconds
		events=$("$KMEMLAB" info --json "$trace" | grep -o '"events_total": *[0-9]*' | grep -o '[0-9]*$')
		[ "${events:-0}" -ge 5000000 ] && break
		seconds=$((seconds * 2))
	done
	[ "${events:-0}" -ge 5000000 ] || trace=reports/samples/mix.kmt
	"$BUILD/tests/bench/bench_report" "$trace" "$DIR" || status=1
}

one() { # name
	echo "== $1"
	case $1 in
	bench_record) recording ;;
	bench_top) live_view ;;
	bench_refmm) pages ;;
	bench_report) report ;;
	bench_trace | bench_consume | bench_replay) "$BUILD/tests/bench/$1" reports/samples/mix.kmt || status=1 ;;
	*) "$BUILD/tests/bench/$1" || status=1 ;;
	esac
}

if [ -n "${2:-}" ]; then
	one "bench_$2"
	exit $status
fi
one bench_record
one bench_top
for source in tests/bench/bench_*.c; do
	name=$(basename "$source" .c)
	[[ $name = bench_record || $name = bench_programs || $name = bench_top ]] || one "$name"
done
exit $status
