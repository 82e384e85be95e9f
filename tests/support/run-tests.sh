#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# run-tests.sh BUILD - every test there is: unit and property tests, then the
# scripts of tests/cli, tests/live, tests/guest and tests/page. The last line is
# `N passed, N failed, N skipped`; exit 1 if any failed or none ran.
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=$(realpath "${1:-build}")
KMEMLAB=$BUILD/kmemlab
TIMEOUT=${SCRIPT_TIMEOUT:-400} # on a busy machine guests are slow
export BUILD KMEMLAB
passed=0 failed=0 skipped=0

add() { # passed failed skipped
	passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
}

# Binaries whose source is still there: a build directory outlives renames.
units() {
	local source
	for source in tests/*/test_*.c tests/prop/prop_*.c; do
		[ -e "$source" ] && echo "$BUILD/${source%.c}"
	done
}

run_units() {
	local closing log=$SCRATCHES/units.log
	# shellcheck disable=SC2046
	tests/support/run-units.sh $(units) | tee "$log" | sed '$d'
	closing=$(tail -n 1 "$log")
	# shellcheck disable=SC2046
	add $(sed -n 's/^\(.*\) passed, \(.*\) failed, \(.*\) skipped$/\1 \2 \3/p' <<<"$closing")
}

run_script() { # script
	local log=$SCRATCHES/script.log begin=$SECONDS status f
	export SCRATCH=$SCRATCHES/${1//\//-}
	mkdir -m 755 "$SCRATCH"
	echo "== $1"
	# Not through a pipe: what a script forgot to end would keep it open.
	timeout -k 10 "$TIMEOUT" bash "$1" </dev/null >"$log" 2>&1
	status=$?
	cat "$log"
	f=$(grep -c '^not ok ' "$log")
	if [ "$status" != 0 ] && [ "$f" = 0 ]; then
		echo "not ok $1 - exit status $status (124: stopped after $TIMEOUT s)"
		f=1
	elif ! grep -Eq '^(ok|not ok|skip) ' "$log"; then
		echo "not ok $1 - it tested nothing"
		f=1
	fi
	add "$(grep -c '^ok ' "$log")" "$f" "$(grep -c '^skip ' "$log")"
	rm -rf "$SCRATCH"
	echo "# $((SECONDS - begin)) s"
}

SCRATCHES=$(mktemp -d -t kmemlab-test.XXXXXX) || exit 1
chmod 755 "$SCRATCHES"
trap 'rm -rf "$SCRATCHES"' EXIT

run_units
for script in tests/cli/*.sh tests/live/*.sh tests/guest/smoke.sh tests/guest/coverage.sh \
	tests/guest/kprobes.sh tests/guest/walk.sh tests/guest/faults.sh tests/page/run.sh; do
	[ -e "$script" ] && run_script "$script"
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
