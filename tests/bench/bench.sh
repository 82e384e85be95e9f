#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# bench.sh BUILD - speed and size, as ratios taken in one run on one machine.
#
# Every line is "name value unit ratio"; a ratio is that figure over kmemlab's,
# so 2.00 beside a peer means twice kmemlab's cost.
#
#   bench_record   added CPU and bytes per event of kmemlab, trace-cmd and perf,
#                  on a page loop, a slab loop and mixed work; needs root
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
}

echo "== bench_record"
recording
for source in tests/bench/bench_*.c; do
	name=$(basename "$source" .c)
	[ "$name" = bench_record ] && continue
	echo "== $name"
	case $name in
	bench_trace | bench_replay) "$BUILD/tests/bench/$name" reports/samples/mix.kmt || status=1 ;;
	*) "$BUILD/tests/bench/$name" || status=1 ;;
	esac
done
exit $status
