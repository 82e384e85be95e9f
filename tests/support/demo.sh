#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# demo.sh BUILD - record this host for ten seconds of real work, replay, report.
# Where the host does not permit recording, a trace from reports/samples serves.
# All files go to BUILD/demo.
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=${1:-build}
KMEMLAB=$BUILD/kmemlab
DEMO=$BUILD/demo
TRACE=$DEMO/trace.kmt
SAMPLE=reports/samples/compile.kmt
LOST=7 # exit code: done, but events were lost

say() {
	echo "demo: $*" >&2
}

# Runs the command and shows it; goes on when it only lost events.
run() {
	local status
	echo "+ $*" >&2
	"$@"
	status=$?
	[ "$status" = "$LOST" ] && say "some events were lost; the report says how many" && return 0
	[ "$status" = 0 ] || say "'$2' failed with exit status $status"
	return "$status"
}

take_sample() {
	say "using $SAMPLE instead, recorded earlier on another run"
	cp "$SAMPLE" "$TRACE"
}

get_trace() {
	"$KMEMLAB" doctor >"$DEMO/doctor.txt"
	case $? in
	0) run "$KMEMLAB" record -d 10s -f -o "$TRACE" -- tests/support/workload.sh 9 ||
		take_sample ;;
	3) say "no permission to record this host (run as root: sudo make demo)" && take_sample ;;
	4) say "this kernel cannot be recorded; $DEMO/doctor.txt says why" && take_sample ;;
	*) say "'doctor' failed" && return 1 ;;
	esac
}

. tests/support/writable.sh
writable demo "$DEMO" 1 || exit 1
get_trace || exit 1
run "$KMEMLAB" replay -f --advise -o "$DEMO/result.json" "$TRACE" || exit 1
run "$KMEMLAB" report -f -o "$DEMO/report.html" "$DEMO/result.json" || exit 1
# The verdict; the section after it asks whether it can be trusted.
"$KMEMLAB" report --format text "$DEMO/result.json" | sed '/^Can this be trusted/,$d'
echo "report: $DEMO/report.html"
