#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# context.sh - where requests that may not block came from, by kmemlab and by ftrace.
#
# A tracefs instance of our own records the same tracepoints; its column of flags says what
# the kernel itself thought of interrupts, softirqs and preemption. Events are matched by
# CPU, call site, size and time. What ftrace does not know of (RCU readers, tasks about
# to sleep) may be atomic where it shows nothing; no other difference is allowed, but for
# one in a thousand.
. tests/support/lib.sh
NAMES="context_is_told context_softirq_is_seen context_process_is_seen context_agrees_with_ftrace
	context_only_where_a_request_may_not_block stat_sums_contexts"
# shellcheck disable=SC2086
needs_recording $NAMES

INSTANCE=/sys/kernel/tracing/instances/kmemlab-context-$$
T=$SCRATCH/t.kmt
if ! mkdir "$INSTANCE" 2>/dev/null; then
	for name in $NAMES; do skip "$name" "cannot make an instance in ${INSTANCE%/*}"; done
	exit 0
fi
trap 'echo 0 >"$INSTANCE/tracing_on"; rmdir "$INSTANCE"' EXIT
echo boot >"$INSTANCE/trace_clock"
echo 32768 >"$INSTANCE/buffer_size_kb"
for event in kmalloc kmem_cache_alloc; do
	echo '!(gfp_flags & 0x400)' >"$INSTANCE/events/kmem/$event/filter" # __GFP_DIRECT_RECLAIM
	echo 1 >"$INSTANCE/events/kmem/$event/enable"
done

# Loopback packets that nobody wants are answered in a softirq; the rest is a mixture.
cat >"$SCRATCH/work.sh" <<'END'
for i in $(seq 300); do echo "$i" >/dev/udp/127.0.0.1/9; done 2>/dev/null
find /usr /sys/kernel/slab -type f 2>/dev/null | head -n 3000 | xargs cat >/dev/null 2>&1
dd if=/dev/zero of="$1/file" bs=64k count=200 conv=fsync 2>/dev/null
for i in $(seq 100); do /bin/true; done
END
"$KMEMLAB" record -q -o "$T" -- bash "$SCRATCH/work.sh" "$SCRATCH" 2>"$SCRATCH/words"
echo 0 >"$INSTANCE/tracing_on"
cat "$INSTANCE/trace" >"$SCRATCH/ftrace.txt"

"$KMEMLAB" info "$T" >"$SCRATCH/info"
if grep -q "where requests that may not block came from" "$SCRATCH/info"; then
	for name in $NAMES; do
		skip "$name" "$(grep "where requests that may not" "$SCRATCH/info")"
	done
	exit 0
fi
ok context_is_told
"$KMEMLAB" import -f -o "$SCRATCH/ftrace.kmt" "$SCRATCH/ftrace.txt" 2>>"$SCRATCH/words"
for which in t ftrace; do
	"$KMEMLAB" dump --json "$SCRATCH/$which.kmt" 2>/dev/null |
		grep '"context":"' >"$SCRATCH/$which.jsonl"
done
node tests/support/context.mjs "$SCRATCH" >"$SCRATCH/compared.json"
got=$(cat "$SCRATCH/compared.json")
check context_softirq_is_seen "$got" at_least 100 "$(field "$SCRATCH/compared.json" 'd.counts.softirq')"
check context_process_is_seen "$got" at_least 100 "$(field "$SCRATCH/compared.json" 'd.counts["may-sleep"]')"
same context_agrees_with_ftrace true "$(field "$SCRATCH/compared.json" \
	'd.matched > 500 && d.matched > 0.95 * d.ours && d.differ <= d.matched / 1000 || JSON.stringify(d)')"
same context_only_where_a_request_may_not_block 0 "$(field "$SCRATCH/compared.json" 'd.wrong')"

# 'stat' adds up the same events, but for those that it counts once or not at all.
"$KMEMLAB" stat --json --by context "$T" >"$SCRATCH/stat.json" 2>/dev/null
"$KMEMLAB" dump "$T" 2>/dev/null | awk '$3 == "kmalloc" || $3 == "kmem_cache_alloc" {
		where = match($0, /context=[a-z-]+/) ? substr($0, RSTART + 8, RLENGTH - 8) : "(may block)"
		n[where]++
	}
	END { for (w in n) printf "%s\"%s\": %d", sep++ ? ", " : "{", w, n[w]; print "}" }' >"$SCRATCH/dumped.json"
same stat_sums_contexts true "$(node -e 'const [stat, dumped] = process.argv.slice(1).map((f) =>
		JSON.parse(require("fs").readFileSync(f, "utf8")));
	const told = Object.fromEntries(stat.context.map((r) => [r.context, r.allocs]));
	const off = Object.keys({...told, ...dumped}).map((w) => (dumped[w] ?? 0) - (told[w] ?? 0));
	const u = stat.unmatched;
	console.log(Object.keys(told).length > 2 && off.every((n) => n >= 0) &&
		off.reduce((a, n) => a + n) === u.traced_twice + u.objects_failed ||
		JSON.stringify([told, dumped, u]))' "$SCRATCH/stat.json" "$SCRATCH/dumped.json")"
[ -z "${VERBOSE:-}" ] || echo "# $got"
exit 0
