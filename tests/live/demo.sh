#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# demo.sh - what `make demo` runs: with permission it records this host, without
# it says so and shows a sample; both end with a report.
. tests/support/lib.sh

# demo NAME COMMAND... - run the demo in a build directory of its own
demo() {
	local name=$1 dir=$SCRATCH/$1 status
	shift
	mkdir -m 777 "$dir" && install -m 755 "$KMEMLAB" "$dir/kmemlab"
	"$@" tests/support/demo.sh "$dir" >"$dir/out" 2>"$dir/words"
	status=$?
	check "demo_${name}_ends_well" "exit status $status: $(tail -n 1 "$dir/words")" \
		test $status = 0
	check "demo_${name}_prints_a_verdict" "none in: $(head -n 3 "$dir/out")" \
		grep -q '^Verdict' "$dir/out"
	check "demo_${name}_makes_a_page" "no page of 100 kB" \
		at_least 100000 "$(stat -c %s "$dir/demo/report.html" 2>/dev/null)"
}

nobody="setpriv --reuid=65534 --regid=65534 --clear-groups"
if [ "$(id -u)" = 0 ] && $nobody test -r reports/samples/compile.kmt; then
	# shellcheck disable=SC2086
	demo unprivileged $nobody
	check demo_unprivileged_says_why_it_shows_a_sample "it does not" \
		grep -q 'no permission' "$SCRATCH/unprivileged/words"
else
	skip demo_unprivileged_ends_well "cannot become nobody, or nobody cannot read this directory"
fi

needs_recording demo_recording_ends_well
demo recording
same demo_recording_uses_no_sample "" "$(grep 'using reports/samples' "$SCRATCH/recording/words")"
exit 0
