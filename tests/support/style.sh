#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# style.sh - limits that clang-format and clang-tidy do not know: files of at
# most 500 lines, functions of at most 60, a licence in every source, no
# leftovers. Prints what is over; exit 1 if anything is.
set -u
cd "$(dirname "$0")/../.." || exit 1
FILE_LINES=500
FUNCTION_LINES=60
status=0

complain() {
	echo "$*"
	status=1
}

# Tracked files that are still there; all of them where this is no repository.
sources() { # pattern...
	local file
	{ git ls-files -- "$@" 2>/dev/null || find . -name "${1##*/}" -not -path './build/*'; } |
		while read -r file; do [ -f "$file" ] && echo "$file"; done
}

# Linux braces: a function's body is what lies between "{" and "}" in column 0.
long_functions() {
	awk -v limit=$FUNCTION_LINES '
		FNR == 1 { start = 0 }
		/^[a-zA-Z].*\(/ { name = $0 }
		/^\{/ { start = FNR }
		/^\}/ && start {
			if (FNR - start + 1 > limit)
				printf "%s:%d: %d lines: %s\n", FILENAME, start, FNR - start + 1, name
			start = 0
		}' "$@"
}

while read -r file; do
	lines=$(wc -l <"$file")
	[ "$lines" -le $FILE_LINES ] || complain "$file: $lines lines, at most $FILE_LINES"
done < <(sources '*.c' '*.h' '*.sh' '*.mjs' '*.js')

while read -r file; do
	head -n 3 "$file" | grep -q 'SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause' ||
		complain "$file: no SPDX line"
done < <(sources '*.c' '*.h' '*.sh' '*.mjs' '*.js' '*.css' Makefile '*.mk' .ci/run)

mapfile -t c < <(sources '*.c' '*.h')
long=$(long_functions "${c[@]}")
[ -z "$long" ] || complain "$long"

# Brackets keep the patterns from finding themselves.
leftovers=$(git grep -nIE '/wor[k]/|/tmp/ksr[c]|TOD[O]|FIXM[E]|XX[X]:' -- . \
	':!*package-lock.json' ':!LICENSE' 2>/dev/null)
[ -z "$leftovers" ] || complain "$leftovers"

for file in $(sources '*.sh' .ci/run); do
	bash -n "$file" || complain "$file: does not parse"
done
exit $status
