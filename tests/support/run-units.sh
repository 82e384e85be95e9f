#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# run-units.sh BINARY... - run cmocka binaries, print what each says of itself,
# then `N passed, N failed, N skipped`. A binary that crashes, hangs or runs no
# test counts as one failed test.
set -u
TIMEOUT=${UNIT_TIMEOUT:-120}
passed=0 failed=0 skipped=0
LOG=$(mktemp) || exit 1
trap 'rm -f "$LOG"' EXIT

# The number in front of "test(s)" in cmocka's line WORD, or 0.
count() { # word output
	local n
	n=$(sed -n "s/^\[  $1 *\] \([0-9]*\) test(s).*/\1/p" <<<"$2" | paste -sd+)
	echo $((${n:-0}))
}

run_one() { # binary
	local output status p f s
	{ timeout -k 5 "$TIMEOUT" "$1" >"$LOG" 2>&1 </dev/null; } 2>/dev/null
	status=$?
	output=$(tr -d '\0' <"$LOG")
	p=$(count PASSED "$output") f=$(count FAILED "$output") s=$(count SKIPPED "$output")
	if [ $((p + f + s)) = 0 ] || { [ "$status" != 0 ] && [ "$f" = 0 ]; }; then
		f=$((f + 1))
		output+=$'\n'"$1: exit status $status without a failed test of its own"
		[ "$status" = 124 ] && output+=" (stopped after $TIMEOUT s)"
	fi
	echo "== ${1#*/tests/}"
	if [ "$f" = 0 ]; then
		grep -E '^\[  (PASSED|SKIPPED)' <<<"$output"
	else
		echo "$output"
	fi
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}

for binary in "$@"; do
	run_one "$binary"
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ $((passed + skipped)) -gt 0 ]
