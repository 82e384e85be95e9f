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
	left && timeout --foreground "$((SECONDS_WANTED - SECONDS))" "$@" 2>/dev/null
}

compile() { # directory, sources...
	local dir=$1
	shift
	command -v gcc >/dev/null || return 0
	# shellcheck disable=SC2016
	printf '%s\n' "$@" | bounded xargs -P 2 -n 1 sh -c \
		'exec gcc -O2 -g -std=gnu11 -D_GNU_SOURCE -DKMEMLAB_VERSION=\"\" \
			-Iinclude -Iuser -c -o "$0/$$.o" "$1"' "$dir"
	rm -f "$dir"/*.o
}

processes() {
	local i
	for i in $(seq 60); do
		left || return
		/bin/true "$i"
	done
}

pipes() {
	bounded head -c 8M /dev/urandom | bounded gzip -1 | bounded wc -c >/dev/null
}

files() { # directory
	local i
	mkdir -p "$1/files"
	for i in $(seq 100); do
		echo "$i" >"$1/files/$i"
	done
	bounded tar cf "$1/linux.tar" -C /usr/include linux
	bounded tar xf "$1/linux.tar" -C "$1/files"
	bounded find /usr/share -type f -size -64k -exec cat {} + | head -c 16M >"$1/cat"
	rm -rf "$1/files" "$1/linux.tar" "$1/cat"
}

sorting() {
	bounded seq 1 150000 | bounded sort -S 64M -R | bounded sort -n | tail -n 1 >/dev/null
}

# Rounds of about a second, so that a short recording holds all of it.
work() { # directory
	local sources=(refmm/*.c user/*/*.c) i=0
	while left; do
		if [ "$KIND" = compile ]; then
			compile "$1" "${sources[@]}"
			continue
		fi
		compile "$1" "${sources[@]:i:6}"
		i=$(((i + 6) % ${#sources[@]}))
		processes
		files "$1"
		sorting
		pipes
	done
}

# The work is a process group of its own, so that all of it ends when this does.
DIR=$(mktemp -d -t kmemlab-work.XXXXXX) || exit 1
set -m
work "$DIR" &
WORK=$!
set +m
trap 'kill -TERM -- -$WORK 2>/dev/null' TERM INT
trap 'kill -TERM -- -$WORK 2>/dev/null; rm -rf "$DIR"' EXIT
wait $WORK
exit 0
