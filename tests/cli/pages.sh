#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# pages.sh - the census against the kernel's own counts, taken right before and after.
. tests/support/lib.sh
one=$SCRATCH/one.json

if [ ! -r /proc/kpageflags ] || ! head -c 8 /proc/kpageflags >/dev/null 2>&1; then
	skip "pages: census" "this user cannot read /proc/kpageflags"
else
	meminfo() { awk -v k="$1:" '$1 == k { print int($2 / 4) }' /proc/meminfo; }
	buddy() { awk '{ for (i = 5; i <= NF; i++) n += $i * 2 ^ (i - 5) } END { print n }' /proc/buddyinfo; }
	# near NAME KIND BEFORE AFTER - within the change while counting and 2 % or 2000 pages
	near() {
		local got slack low high
		got=$(field "$one" "d.kinds['$2']")
		low=$3 high=$4
		[ "$low" -gt "$high" ] && low=$4 high=$3
		slack=$((high / 50 > 2000 ? high / 50 : 2000))
		check "pages: $1 as the kernel counts them" "census $got, kernel $3 then $4" \
			test "$got" -ge $((low - slack)) -a "$got" -le $((high + slack))
	}
	free=$(buddy) slab=$(meminfo Slab) tables=$(meminfo PageTables)
	"$KMEMLAB" pages --json >"$one"
	same "pages: status" 0 $?
	near "free pages" free "$free" "$(buddy)"
	near "slab pages" slab "$slab" "$(meminfo Slab)"
	near "page tables" pgtable "$tables" "$(meminfo PageTables)"
	present=$(awk '/present/ { n += $2 } END { print n }' /proc/zoneinfo)
	counted=$(field "$one" \
		'Object.entries(d.kinds).filter(([k]) => k !== "hole").reduce((a, [, n]) => a + n, 0)')
	# Holes smaller than a section cannot be told from kernel pages.
	check "pages: every page that is there is counted" "$counted of $present" \
		test "$counted" -ge "$present" -a "$counted" -lt $((present + 32768))
	"$KMEMLAB" pages --csv "$one" >"$SCRATCH/out"
	same "pages: change since" 0 $?
	check "pages: has its columns" "$(head -1 "$SCRATCH/out")" grep -q '^name,before,after,change,what$' "$SCRATCH/out"
	same "pages: no change against itself" 0 "$("$KMEMLAB" pages --csv "$one" "$one" |
		awk -F, 'NR > 1 && $4 ~ /^[-0-9]+$/ && $4 != 0' | wc -l)"
fi
"$KMEMLAB" pages README.md >/dev/null 2>"$SCRATCH/err"
same "pages: not a census" 1 $?
check "pages: and says so" "$(cat "$SCRATCH/err")" grep -q "is not a census" "$SCRATCH/err"
"$KMEMLAB" pages nowhere.json >/dev/null 2>"$SCRATCH/err"
check "pages: no such file" "$(cat "$SCRATCH/err")" grep -q "No such file" "$SCRATCH/err"
