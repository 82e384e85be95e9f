#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# workload.sh SECONDS [compile|mix] - ordinary work that keeps the allocators
# busy for SECONDS: what the demo and the samples record.
#
#   compile  this project's own sources, two compilers at a time
#   mix      the above, and processes, pipes, file reads and writes, sorting
#            (large anonymous memory), archives (page cache, dentries, inodes)
#
# Writes to a temporary directory only, and removes it.
set -u
cd "$(dirname "$0")/../.." || exit 1
SECONDS_WANTED=${1:-10}
KIND=${2:-mix}
SECONDS=0

left() {
	[ "$SECONDS" -lt "$SECONDS_WANTED" ]
}

# A command that gets the time that is left.
bounded() {
	left && timeout "$((SECONDS_WANTED - SECONDS))" "$@" 2>/dev/null
}

compile() { # directory
	command -v gcc >/dev/null || return 0
	# shellcheck disable=SC2016
	ls refmm/*.c user/*/*.c | bounded xargs -P 2 -n 1 sh -c \
		'exec gcc -O2 -g -std=gnu11 -D_GNU_SOURCE -DKMEMLAB_VERSION=\"\" \
			-Iinclude -Iuser -c -o "$0/$$.o" "$1"' "$1"
	rm -f "$1"/*.o
}

processes() {
	local i
	for i in $(seq 200); do
		left || return
		/bin/true "$i"
	done
}

pipes() {
	bounded head -c 32M /dev/urandom | bounded gzip -1 | bounded wc -c >/dev/null
}

files() { # directory
	local i
	mkdir -p "$1/files"
	for i in $(seq 300); do
		echo "$i" >"$1/files/$i"
	done
	bounded tar cf "$1/include.tar" -C /usr include
	bounded tar xf "$1/include.tar" -C "$1/files"
	bounded find /usr/share -type f -size -64k -exec cat {} + | head -c 64M >"$1/cat"
	rm -rf "$1/files" "$1/include.tar" "$1/cat"
}

sorting() {
	bounded seq 1 600000 | bounded sort -S 128M -R | bounded sort -n | tail -n 1 >/dev/null
}

DIR=$(mktemp -d -t kmemlab-work.XXXXXX) || exit 1
trap 'rm -rf "$DIR"' EXIT
while left; do
	compile "$DIR"
	[ "$KIND" = compile ] && continue
	processes
	files "$DIR"
	sorting
	pipes
done
exit 0
