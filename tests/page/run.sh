#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# run.sh [BUILD] - open reports in a browser: one result, two, and one without
# optional parts. Exit 77 with a reason where no browser can be had.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
build=${1:-$root/build}
mkdir -p "$build/tests/page"
build=$(cd "$build" && pwd)
work=$build/tests/page/browser

skip() {
	echo "skip: $1"
	exit 77
}

CHROMIUM=${CHROMIUM:-$(command -v chromium || command -v chromium-browser || true)}
[ -n "$CHROMIUM" ] || skip "no chromium; 'make deps' installs it"
command -v node >/dev/null || skip "no node; 'make deps' installs it"
export CHROMIUM

mkdir -p "$work"
cp "$root/reports/page/package.json" "$root/reports/page/package-lock.json" "$work/"
. "$root/reports/page/packages.sh"
page_packages "$work" || skip "playwright-core cannot be fetched with npm"

small=$root/tests/data/result-small.json
status=0
check() {
	name=$1
	shift
	echo "# $name"
	"$build/kmemlab" report -f -o "$work/$name.html" "$@" 2>"$work/$name.log" || {
		cat "$work/$name.log"
		echo "not ok - kmemlab report makes $name.html"
		status=1
		return
	}
	REPORT=$work/$name.html SHOT=$work/$name.png MODULES=$work \
		node "$root/tests/page/report.test.mjs" || status=1
}

check one "$small"
# The same result twice stands for two: everything must be shown side by side.
cp "$small" "$work/second.json"
check two "$small" "$work/second.json"
node "$root/tests/page/bare.mjs" "$small" "$work/bare-result.json"
check bare "$work/bare-result.json"
# A report of a real recording, where one was made.
[ -z "${REAL_RESULT:-}" ] || check real "$REAL_RESULT"
exit $status
