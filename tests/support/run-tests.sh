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
export BUILD KMEMLAB TIMEOUT

# Binaries whose source is still there: a build directory outlives renames.
units() {
	local source
	for source in tests/*/test_*.c tests/prop/prop_*.c; do
		[ -e "$source" ] && echo "$BUILD/${source%.c}"
	done
}

run_units() {
	local log=$SCRATCHES/units.log
	# shellcheck disable=SC2046
	tests/support/run-units.sh $(units) | tee "$log" | sed '$d'
	sed -n '$s/^\(.*\) passed, \(.*\) failed, \(.*\) skipped$/\1 \2 \3/p' "$log" >>"$COUNTS"
}

# Leaves "passed failed skipped" in COUNTS, and prints all as it ends.
run_script() { # script
	local begin=$SECONDS status failed
	export SCRATCH=$SCRATCHES/${1//\//-}
	local log=$SCRATCH.log
	mkdir -m 755 "$SCRATCH"
	# Not through a pipe: what a script forgot to end would keep it open.
	timeout -k 10 "$TIMEOUT" bash "$1" </dev/null >"$log" 2>&1
	status=$?
	failed=$(grep -c '^not ok ' "$log")
	if [ "$status" != 0 ] && [ "$failed" = 0 ]; then
		echo "not ok $1 - exit status $status (124: stopped after $TIMEOUT s)" >>"$log"
		failed=1
	elif ! grep -Eq '^(ok|not ok|skip) ' "$log"; then
		echo "not ok $1 - it tested nothing" >>"$log"
		failed=1
	fi
	echo "$(grep -c '^ok ' "$log") $failed $(grep -c '^skip ' "$log")" >>"$COUNTS"
	sed -i "1i == $1" "$log"
	echo "# $((SECONDS - begin)) s" >>"$log"
	flock "$SCRATCHES" cat "$log"
	rm -rf "$SCRATCH"
}

# As many at a time as @jobs.
run_scripts() { # jobs script...
	local jobs=$1
	shift
	scripts=$((scripts + $#))
	# shellcheck disable=SC2016
	printf '%s\0' "$@" | xargs -0 -n 1 -P "$jobs" bash -c 'run_script "$1"' run_script
}

SCRATCHES=$(mktemp -d -t kmemlab-test.XXXXXX) || exit 1
chmod 755 "$SCRATCHES"
COUNTS=$SCRATCHES/counts
export SCRATCHES COUNTS
export -f run_script
trap 'rm -rf "$SCRATCHES"' EXIT
scripts=0

run_units
run_scripts "$(nproc)" tests/cli/*.sh
# What others do on this host, these would record, or lose events by.
run_scripts 1 tests/live/*.sh
# Longest first.
run_scripts "$(nproc)" tests/guest/walk.sh tests/page/run.sh tests/guest/{smoke,coverage,kprobes,faults,context}.sh
# A runner that ended without a count, by a signal from outside, failed.
awk -v wanted=$((scripts + 1)) '{ p += $1; f += $2; s += $3 } END {
	f += wanted - NR
	printf "%d passed, %d failed, %d skipped\n", p, f, s
	exit f > 0 || p == 0
}' "$COUNTS"
