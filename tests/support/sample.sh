#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# sample.sh BUILD [NAME...] - record reports/samples/NAME.kmt anew, as root.
#
#   compile.kmt  two compilers at a time over this project's sources
#   mix.kmt      the same, and processes, pipes, files, archives, sorting
#
# Each holds at most 3 MB: recording is repeated, with the time scaled by the size
# that came out, until it is between 2 and 3 MB. A damaged sample, or one that
# lost events to a full ring, is not kept.
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=${1:-build}
KMEMLAB=$BUILD/kmemlab
LIMIT_BYTES=3000000
shift
[ $# -gt 0 ] || set -- compile mix

record() { # name milliseconds file
	"$KMEMLAB" record -q -f -d "$2ms" -o "$3" -- \
		tests/support/workload.sh $(($2 / 1000 + 2)) "$1"
}

sample() { # name
	local ms=3000 try bytes file=$BUILD/sample-$1.kmt
	for try in 1 2 3 4 5 6 7 8; do
		record "$1" $ms "$file" || return
		bytes=$(stat -c %s "$file")
		echo "$1, try $try: $ms ms, $bytes bytes"
		if [ "$bytes" -le $LIMIT_BYTES ] && [ "$bytes" -ge $((LIMIT_BYTES * 2 / 3)) ]; then
			"$KMEMLAB" info "$file" >/dev/null || return
			install -m 644 "$file" "reports/samples/$1.kmt"
			rm -f "$file"
			return
		fi
		ms=$((ms * (LIMIT_BYTES * 5 / 6 / 1000) / (bytes / 1000)))
	done
	echo "$1: no try came out between 2 and 3 MB" >&2
	return 1
}

mkdir -p reports/samples
for name in "$@"; do
	sample "$name" || exit
done
