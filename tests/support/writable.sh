# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash

# writable WHO DIR DEPTH - make DIR, unless it is there; where it (DEPTH 0) or
# what lies in it (1) is another user's, say so on behalf of WHO, and the way out.
writable() {
	local path
	mkdir -p "$2" 2>/dev/null
	path=$(find "$2" -maxdepth "$3" ! -type l ! -writable -print -quit 2>/dev/null)
	if [ -d "$2" ] && [ -z "$path" ]; then
		return 0
	fi
	path=${path:-$2}
	until [ -e "$path" ]; do path=$(dirname "$path"); done
	echo "$1: cannot write '$2': '$path' belongs to $(stat -c %U "$path");" \
		"use a directory of your own: BUILD=DIR make ..." >&2
	return 1
}
