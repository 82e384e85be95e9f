#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# run.sh BUILD - let spin search every interleaving of pcp.pml: no error in the
# protocol as it is, one in each variant that is broken on purpose. Prints what
# was searched, `ok`, `not ok` or `skip` for each, and the number of each.
# SPIN_PAGES=4 (default 3) takes a minute and more.
set -u
cd "$(dirname "$0")/../.." || exit 1
MODEL=$PWD/tests/spin/pcp.pml
DIR=$(realpath -m "${1:-build}")/spin
SECONDS_MAX=${SPIN_SECONDS:-60}
passed=0 failed=0

# search BUG - spin's report; "errors: N" is in it if the search has ended
search() {
	mkdir -p "$DIR/$1" && cd "$DIR/$1" || return
	spin -DBUG="$1" -DPAGES="${SPIN_PAGES:-3}" -a "$MODEL" >spin.log 2>&1 &&
		gcc -O2 -w -DSAFETY -DCOLLAPSE -DMEMLIM=4096 -o pan pan.c &&
		timeout "$SECONDS_MAX" ./pan -m1000000 -n 2>&1
}

verdict() { # name condition...
	local name=$1
	shift
	if "$@"; then
		echo "ok $name"
		passed=$((passed + 1))
	else
		echo "not ok $name - $report"
		failed=$((failed + 1))
	fi
}

# errors NUMBER - a complete search that found so many
errors() {
	grep -q "errors: $1\$" <<<"$report" && ! grep -q 'max search depth too small' <<<"$report"
}

found() { # what
	grep -q "^pan:.*$1" <<<"$report"
}

if ! command -v spin >/dev/null; then
	echo "skip spin - it is not installed (make deps installs it)"
	echo "0 passed, 0 failed, 1 skipped"
	exit 0
fi
report=$(search 0)
sed -n 's/^ *\([0-9.e+]*\) \(states, stored\|transitions\).*/\1 \2/p; s/.*depth reached \([0-9]*\).*/depth \1/p' \
	<<<"$report" | paste -sd, | sed 's/,/, /g; s/^/spin: /'
verdict "spin: two CPUs, nothing lost, nothing twice, no deadlock" errors 0
for bug in "1 assertion" "2 invalid end state" "3 assertion" "4 assertion"; do
	report=$(search "${bug%% *}")
	verdict "spin: finds bug ${bug%% *} (${bug#* })" found "${bug#* }"
done
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ]
