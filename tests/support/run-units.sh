#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# run-units.sh BINARY... - run cmocka binaries, a CPU each, print what each says of
# itself as it ends, then `N passed, N failed, N skipped`. A binary that crashes, hangs
# or runs no test counts as one failed test.
set -u
export UNIT_TIMEOUT=${UNIT_TIMEOUT:-120}
DIR=$(mktemp -d) || exit 1
export DIR
trap 'rm -rf "$DIR"' EXIT

# The number in front of "test(s)" in cmocka's line WORD, or 0.
count() { # word output
	local n
	n=$(sed -n "s/^\[  $1 *\] \([0-9]*\) test(s).*/\1/p" <<<"$2" | paste -sd+)
	echo $((${n:-0}))
}

# Leaves "passed failed skipped" in DIR/counts.
run_one() { # binary
	local log output status p f s
	log=$(mktemp -p "$DIR")
	{ timeout -k 5 "$UNIT_TIMEOUT" "$1" >"$log" 2>&1 </dev/null; } 2>/dev/null
	status=$?
	output=$(tr -d '\0' <"$log")
	p=$(count PASSED "$output") f=$(count FAILED "$output") s=$(count SKIPPED "$output")
	if [ $((p + f + s)) = 0 ] || { [ "$status" != 0 ] && [ "$f" = 0 ]; }; then
		f=$((f + 1))
		output+=$'\n'"$1: exit status $status without a failed test of its own"
		[ "$status" = 124 ] && output+=" (stopped after $UNIT_TIMEOUT s)"
	fi
	[ "$f" = 0 ] && output=$(grep -E '^\[  (PASSED|SKIPPED)' <<<"$output")
	printf '== %s\n%s\n' "${1#*/tests/}" "$output" >"$log"
	flock "$DIR" cat "$log"
	echo "$p $f $s" >>"$DIR/counts"
}

export -f count run_one
# shellcheck disable=SC2016
[ $# = 0 ] || printf '%s\0' "$@" | xargs -0 -r -n 1 -P "$(nproc)" bash -c 'run_one "$1"' run_one
# What ended without a count, be it by a signal from outside, failed.
awk -v wanted=$# '{ p += $1; f += $2; s += $3 } END {
	if (NR != wanted)
		f += wanted - NR
	printf "%d passed, %d failed, %d skipped\n", p, f, s
	exit f > 0 || p + s == 0
}' <(cat "$DIR/counts" 2>/dev/null)
