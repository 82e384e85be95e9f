#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# bench.sh BUILD - speed and size, in ratios taken in one run on one machine.
#
#   programs   every tests/bench/bench_*.c, which print their own tables
#   recording  a fixed amount of work alone and under each recorder: busy CPU
#              time of the whole machine (from /proc/stat), added time per
#              event, bytes on disk per event
#
# Each measurement is the median of BENCH_ROUNDS (default 3), interleaved.
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=$(realpath "${1:-build}")
KMEMLAB=$BUILD/kmemlab
ROUNDS=${BENCH_ROUNDS:-3}
EVENTS="mm_page_alloc mm_page_free mm_page_alloc_zone_locked mm_page_alloc_extfrag
	mm_page_pcpu_drain kmalloc kfree kmem_cache_alloc kmem_cache_free"
DIR=$(mktemp -d -t kmemlab-bench.XXXXXX) || exit 1
trap 'rm -rf "$DIR"' EXIT

# A fixed amount of page, slab and process work.
cat >"$DIR/work.sh" <<'END'
for i in 1 2 3 4 5 6; do
	tail -c 120M /dev/zero >/dev/null
	ls -lR /usr/include >/dev/null
	for j in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do /bin/true $j; done
done
END

busy_ms() {
	awk -v hz="$(getconf CLK_TCK)" '/^cpu / { print ($2 + $3 + $4 + $7 + $8) * 1000 / hz }' \
		/proc/stat
}

median() {
	sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

under_none() {
	sh "$DIR/work.sh"
}
under_kmemlab() {
	"$KMEMLAB" record -q -f -o "$DIR/out.kmemlab" -- sh "$DIR/work.sh"
}
# shellcheck disable=SC2046
under_perf() {
	perf record -q -a -o "$DIR/out.perf" $(printf -- '-e kmem:%s ' $EVENTS) \
		-- sh "$DIR/work.sh"
}
# shellcheck disable=SC2046
under_trace-cmd() {
	trace-cmd record -q -o "$DIR/out.trace-cmd" $(printf -- '-e kmem:%s ' $EVENTS) \
		sh "$DIR/work.sh"
}

events_of() { # recorder
	case $1 in
	kmemlab) "$KMEMLAB" dump --json "$DIR/out.kmemlab" | grep -c '^{' ;;
	perf) perf script -F event -i "$DIR/out.perf" 2>/dev/null | wc -l ;;
	trace-cmd) trace-cmd report -i "$DIR/out.trace-cmd" 2>/dev/null | grep -c ': kmem\|: mm_\|: k' ;;
	esac
}

measure() { # recorder
	local before
	before=$(busy_ms)
	"under_$1" >"$DIR/log.$1" 2>&1 || return
	awk -v a="$before" -v b="$(busy_ms)" 'BEGIN { print b - a }' >>"$DIR/ms.$1"
}

usable() { # recorder
	case $1 in
	none) return 0 ;;
	kmemlab) "$KMEMLAB" doctor >/dev/null 2>&1 ;;
	*) command -v "$1" >/dev/null && [ "$(id -u)" = 0 ] ;;
	esac
}

recording() {
	local recorders="" r round base ms events bytes
	for r in none kmemlab perf trace-cmd; do
		usable $r || { echo "$r: cannot run here"; continue; }
		measure $r && recorders+=" $r" || echo "$r: fails here: $(tail -n 1 "$DIR/log.$r")"
		rm -f "$DIR/ms.$r" # that was to warm up
	done
	for round in $(seq "$ROUNDS"); do
		for r in $recorders; do measure $r; done
	done
	base=$(median <"$DIR/ms.none")
	printf '%-10s %9s %7s %10s %9s %8s\n' recorder "busy ms" ratio events "ns/event" "B/event"
	for r in $recorders; do
		ms=$(median <"$DIR/ms.$r")
		events=$(events_of $r)
		bytes=$(stat -c %s "$DIR/out.$r" 2>/dev/null)
		awk -v r="$r" -v ms="$ms" -v base="$base" -v e="${events:-0}" -v b="${bytes:-0}" 'BEGIN {
			printf "%-10s %9.0f %7.2f %10d ", r, ms, ms / base, e
			if (e) printf "%9.0f %8.2f\n", (ms - base) * 1e6 / e, b / e; else print ""
		}'
	done
}

for source in tests/bench/bench_*.c; do
	[ -e "$source" ] || continue
	echo "== $(basename "$source" .c)"
	"$BUILD/${source%.c}" || exit
done
echo "== recording"
recording
