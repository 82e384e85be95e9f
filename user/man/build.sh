#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# build.sh KMEMLAB DIR - manual pages in DIR, from what the program says of itself.
set -eu
kmemlab=$(realpath "$1")
out=$2
here=$(dirname "$0")
version=$("$kmemlab" --version | cut -d' ' -f2)
mkdir -p "$out"
out=$(realpath "$out")
list=$("$kmemlab" help | sed -n 's/^  \([a-z]*\)  *\(.*\)$/\1 \2/p')
names=$(cut -d' ' -f1 <<<"$list" | tr '\n' ' ')

while read -r name summary; do
	"$kmemlab" help "$name" | awk -f "$here/page.awk" -v name="$name" -v summary="$summary" \
		-v version="$version" -v others="${names% }" >"$out/page.scd"
	scdoc <"$out/page.scd" >"$out/kmemlab-$name.1"
done <<<"$list"

awk -v version="$version" -v list="$list" '
	/@COMMANDS@/ {
		n = split(list, line, "\n")
		for (i = 1; i <= n; i++) {
			at = index(line[i], " ")
			printf "*kmemlab-%s*(1)\n\t%s\n\n", substr(line[i], 1, at - 1), substr(line[i], at + 1)
		}
		next
	}
	{ gsub(/@VERSION@/, version); print }' "$here/kmemlab.scd" >"$out/page.scd"
scdoc <"$out/page.scd" >"$out/kmemlab.1"
rm "$out/page.scd"
