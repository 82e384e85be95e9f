#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# sample.sh BUILD [NAME...] - record reports/samples/NAME.kmt anew, as root.
#
#   compile.kmt  two compilers at a time over this project's sources
#   mix.kmt      the same, and processes, pipes, files, archives, sorting
#
# Each holds at most 3 MB: recording is repeated with less time until it does.
# A sample that lost events or is damaged is not kept.
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=${1:-build}
KMEMLAB=$BUILD/kmemlab
LIMIT_BYTES=3000000
shift
[ $# -gt 0 ] || set -- compile mix

record() { # name seconds file
	"$KMEMLAB" record -q -f -d "$(($2 + 1))s" -o "$3" -- tests/support/workload.sh "$2" "$1"
}

sample() { # name
	local seconds file=$BUILD/sample-$1.kmt bytes
	for seconds in 20 12 8 5 3 2 1; do
		record "$1" "$seconds" "$file" || return
		bytes=$(stat -c %s "$file")
		echo "$1: $seconds s, $bytes bytes"
		[ "$bytes" -le $LIMIT_BYTES ] || continue
		"$KMEMLAB" info "$file" >/dev/null || return
		install -m 644 "$file" "reports/samples/$1.kmt"
		rm -f "$file"
		return
	done
	echo "$1: over $LIMIT_BYTES bytes in one second" >&2
	return 1
}

mkdir -p reports/samples
for name in "$@"; do
	sample "$name" || exit
done
