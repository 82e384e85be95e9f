#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# run.sh - open reports in a browser: of one result, of two, of one without the optional parts,
# and of a trace under pressure; comparisons of policies and of two traces; the other forms of
# the reports beside them. REAL_RESULT=FILE adds a report of that result.
# Screenshots stay in $BUILD/tests/page/browser; picture.png is reports/samples/report.png.
. tests/support/lib.sh
. reports/page/packages.sh
BUILD=${BUILD:-$PWD/build}
KMEMLAB=${KMEMLAB:-$BUILD/kmemlab}
CHROMIUM=${CHROMIUM:-$(command -v chromium || command -v chromium-browser)}
small=tests/data/result-small.json
work=$BUILD/tests/page/browser
export CHROMIUM

needs() { # what command...
	local what=$1
	shift
	"$@" >/dev/null 2>&1 && return
	skip "report page in a browser" "$what"
	exit 0
}

browse() { # name result...
	local name=$1
	shift
	if ! "$KMEMLAB" report -f -o "$work/$name.html" "$@" 2>"$work/$name.log"; then
		not_ok "page $name: is made" "$(tail -n 1 "$work/$name.log")"
		return
	fi
	NAME="page $name" REPORT=$work/$name.html SHOT=$work/$name.png MODULES=$work \
		node tests/page/report.test.mjs
}

# The page against the other forms of the same report.
forms() { # name result...
	local name=$1 form
	shift
	for form in text md json; do
		"$KMEMLAB" report -F "$form" "$@" >"$work/$name.${form/text/txt}" 2>"$work/$name.log"
	done
	NAME="page $name" REPORT=$work/$name.html FORMS=$work/$name MODULES=$work \
		node tests/page/forms.test.mjs
}

compare() { # name argument...
	local name=$1 form
	shift
	if ! "$KMEMLAB" compare -f -F html -o "$work/$name.html" "$@" 2>"$work/$name.log"; then
		not_ok "page $name: is made" "$(tail -n 1 "$work/$name.log")"
		return
	fi
	for form in text md json; do
		"$KMEMLAB" compare -F "$form" "$@" >"$work/$name.${form/text/txt}" 2>>"$work/$name.log"
	done
	NAME="page $name" REPORT=$work/$name.html SHOT=$work/$name.png MODULES=$work \
		FORMS=$work/$name node tests/page/compare.test.mjs
}

mkdir -p "$work"
cp reports/page/package.json reports/page/package-lock.json "$work/"
needs "no chromium; 'make deps' installs it" test -x "$CHROMIUM"
needs "no node; 'make deps' installs it" command -v node
needs "npm cannot fetch playwright-core" page_packages "$work"

browse one "$small"
cp "$small" "$work/second.json"
browse two "$small" "$work/second.json"
node tests/page/bare.mjs "$small" "$work/bare-result.json"
browse bare "$work/bare-result.json"
forms two "$small" "$work/second.json"
if "$KMEMLAB" replay -f -o "$work/pressure-result.json" -p small:pcp.high=64 \
	reports/samples/pressure.kmt 2>"$work/replay.log" &&
	"$KMEMLAB" replay -f -o "$work/mix-result.json" reports/samples/mix.kmt 2>>"$work/replay.log"; then
	browse pressure "$work/pressure-result.json"
	forms pressure "$work/pressure-result.json"
	NAME="page picture" REPORT=$work/pressure.html SHOT=$work/picture.png MODULES=$work \
		node tests/page/picture.mjs
	compare policies "$work/pressure-result.json"
	cp "$work/mix-result.json" "$work/mix-again.json" # a group of two
	compare traces before="$work/mix-result.json,$work/mix-again.json" \
		after="$work/pressure-result.json"
else
	not_ok "page pressure: is replayed" "$(tail -n 1 "$work/replay.log")"
fi
[ -z "${REAL_RESULT:-}" ] || browse real "$REAL_RESULT"
