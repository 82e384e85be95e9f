#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# soak.sh BUILD - the property tests at length: KML_PROP_OPS operations (default
# 10^8) of each property in each configuration, and the large exhaustive scopes. Of
# what is run on two machines to see whether they do the same, a tenth as many.
#
# A configuration is a number that prop_pages.c turns into knobs; it prints them.
# CONFIGS="1 2 3" chooses; 32 of them leave hardly a pair of settings untried.
# The properties of objects (slab, kmalloc, vmalloc, percpu) take one per sequence.
# Seeds go from 1 upward within each. A line is `ok` or `not ok`, the
# configuration, and operations per second; a failure prints all it says, with
# the seed and the shrunk sequence. The last line counts.
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=$(realpath "${1:-build}")
CONFIGS=${CONFIGS:-$(seq 32)}
export KML_PROP_OPS=${KML_PROP_OPS:-100000000}
unset KML_PROP_SEED
DIR=$(mktemp -d -t kmemlab-soak.XXXXXX) || exit 1
trap 'rm -rf "$DIR"' EXIT

one() { # name program: prints a verdict
	local log=$DIR/${1//[^a-z0-9]/-}
	if "$2" >"$log" 2>&1 </dev/null; then
		echo "ok $1"
		grep -E '^(configuration|exhaustive|[a-z]+: [0-9]+ sequences)' "$log" | sed 's/^/  /'
	else
		echo "not ok $1"
		cat "$log"
	fi >"$log.verdict"
	cat "$log.verdict"
}

jobs_of() { # one a line: name, program, configuration or -
	local n
	for n in $CONFIGS; do
		echo "pages-$n $BUILD/tests/prop/prop_pages $n"
	done
	echo "exhaustive $BUILD/tests/prop/prop_exhaustive -"
	for n in buddy slab kmalloc vmalloc percpu; do
		echo "$n $BUILD/tests/prop/prop_$n -"
	done
}

run_job() { # name program configuration
	[ "$3" = - ] || export KML_PROP_CONFIG=$3
	[ "$1" = exhaustive ] && export KML_PROP_SCOPE=full
	one "$1" "$2"
}

export -f one run_job
export DIR BUILD
jobs_of | xargs -P "$(nproc)" -L 1 bash -c 'run_job "$@"' _ | tee "$DIR/all"
passed=$(grep -c '^ok ' "$DIR/all") failed=$(grep -c '^not ok ' "$DIR/all")
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
