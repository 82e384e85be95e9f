#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# areas.sh - vmalloc's areas at the start and the end of a recording.
#
# What the recorder reads in the kernel's lists must be what /proc/vmallocinfo shows;
# and from the start's areas the events must lead to the end's, area by area. Not told
# by any event, and so allowed to be missing, are areas of per-CPU chunks.
. tests/support/lib.sh
NAMES="areas_read_are_those_of_vmallocinfo areas_events_lead_from_start_to_end
	areas_reference_serves_them_all areas_summary_says_that_they_were_read
	areas_info_says_that_they_were_read areas_base_is_not_in_the_trace"
# shellcheck disable=SC2086
needs_recording $NAMES

RESTRICT=/proc/sys/kernel/kptr_restrict
MAPS=/sys/fs/bpf/kmemlab-areas-$$
T=$SCRATCH/t.kmt
was=$(cat $RESTRICT)
# shellcheck disable=SC2064
trap "echo $was >$RESTRICT; rm -f '$MAPS'-*" EXIT

# Areas of 1 page to 2 MiB that come and go, stacks of threads; vmallocinfo at the end.
cat >"$SCRATCH/work" <<'END'
for i in $(seq 1 60); do
	bpftool map create "$1-$i" type array key 4 value 4000 \
		entries $((1 + i * i % 500)) name "m$i" 2>/dev/null
	[ $((i % 3)) = 0 ] && rm -f "$1-$((i / 2))"
done
sleep 0.2
cat /proc/vmallocinfo >"$2"
END
command -v bpftool >/dev/null || skip areas_work_makes_areas "needs bpftool"
"$KMEMLAB" record -q -o "$SCRATCH/warm.kmt" -d 100ms --probe vmalloc 2>/dev/null
echo 1 >$RESTRICT
"$KMEMLAB" record --probe vmalloc -o "$T" -- bash "$SCRATCH/work" "$MAPS" "$SCRATCH/info" \
	>"$SCRATCH/words" 2>&1
echo "$was" >$RESTRICT
rm -f "$MAPS"-*
"$KMEMLAB" info --json "$T" >"$SCRATCH/info.json"
how=$(field "$SCRATCH/info.json" 'd.start_state.find(s => s.what === "vmalloc areas").how')
if [ "$how" != read ]; then
	for name in $NAMES; do skip "$name" "$(grep -i vmalloc "$SCRATCH/words" | head -n 1)"; done
	exit 0
fi
same areas_info_says_that_they_were_read read "$how"
check areas_summary_says_that_they_were_read "$(cat "$SCRATCH/words")" \
	grep -q 'state at the start: read: .*vmalloc areas ([0-9]*)' "$SCRATCH/words"

# What differs between the two must have an event, or be a module's: these have no place.
node tests/support/trace-text.mjs "$T" kmemlab/vmalloc end >"$SCRATCH/end.json"
"$KMEMLAB" dump --json "$T" >"$SCRATCH/events"
differ=$(node -e 'const fs = require("fs");
	const lines = fs.readFileSync(process.argv[1], "utf8").split("\n");
	const events = new Set(fs.readFileSync(process.argv[3], "utf8").split("\n")
		.filter((l) => l.includes("vmalloc_page")).map((l) => JSON.parse(l).vmalloc_page));
	const areas = lines.filter((l) => l && !l.includes("unpurged"))
		.map((l) => /^0x(\w+)-0x(\w+) +(\d+)/.exec(l))
		.map((m) => ({ from: BigInt("0x" + m[1]), pages: Number(m[3]) / 4096 }))
		.filter((a) => a.from < 0xffffffff80000000n);
	const base = areas.reduce((m, a) => a.from < m ? a.from : m, areas[0].from) >> 30n << 30n;
	const kernel = new Map(areas.map((a) => [Number(a.from - base) / 4096, a.pages]));
	const mine = new Map(JSON.parse(fs.readFileSync(process.argv[2], "utf8")).used
		.filter((a) => a[0] < 2 ** 60).map((a) => [a[0], a[1]]));
	let differ = 0, same = 0;
	for (const page of new Set([...kernel.keys(), ...mine.keys()]))
		if (kernel.get(page) === mine.get(page)) same++;
		else if (!events.has(page)) differ++;
	console.log(same > 100 ? differ : "only " + same + " are the same");
	console.error(base.toString(16));' \
	"$SCRATCH/info" "$SCRATCH/end.json" "$SCRATCH/events" 2>"$SCRATCH/base")
same areas_read_are_those_of_vmallocinfo 0 "$differ"

# The window's start, whole and as the upper bytes of an area's address, in no payload.
node -e 'const fs = require("fs"), b = fs.readFileSync(process.argv[1]);
	const out = fs.openSync(process.argv[2], "w");
	for (let at = 0; at + 96 <= b.length;) {
		const n = b.readUInt32LE(at + 16);
		fs.writeSync(out, b, at + 96, n);
		at += 96 + n;
	}' "$T" "$SCRATCH/frames"
zstd -q -dc <"$SCRATCH/frames" >"$SCRATCH/payloads"
leaks() { # file
	node -e 'const b = require("fs").readFileSync(process.argv[1]);
		const base = BigInt("0x" + process.argv[2]), text = b.toString("latin1");
		let n = text.split(process.argv[2].slice(0, 8)).length - 1;
		n += text.split(String(base).slice(0, 8)).length - 1;
		for (let i = 0; i + 8 <= b.length; i++) {
			if (b[i + 7] !== 0xff || b[i + 6] !== 0xff) continue;
			const v = b.readBigUInt64LE(i);
			if (v >= base && v < base + (1n << 32n)) n++;
		}
		console.log(n);' "$1" "$(cat "$SCRATCH/base")"
}
same areas_base_is_not_in_the_trace 0 "$(leaks "$SCRATCH/payloads")"
check areas_search_finds_a_base "a planted one is not seen" at_least 1 \
	"$(cat "$SCRATCH/payloads" "$SCRATCH/base" >"$SCRATCH/planted"; leaks "$SCRATCH/planted")"

"$KMEMLAB" replay -f -p observed -p reference -o "$SCRATCH/r.json" "$T" >/dev/null 2>&1
same areas_events_lead_from_start_to_end "0 0 0 true" "$(field "$SCRATCH/r.json" \
	'(e => [e.missing - e.missing_percpu_chunks, e.unexpected, e.other_size,
		e.missing > 0 || JSON.stringify(e.kernel) === JSON.stringify(e.observed)].join(" "))(
		d.areas.vmalloc.end)')"
same areas_reference_serves_them_all "0 0 0 0" "$(field "$SCRATCH/r.json" \
	'(v => [v.start.refused, v.kernel.free_of_unknown, v.reference.failed,
		v.reference.free_refused].join(" "))(d.areas.vmalloc)')"
check areas_work_makes_areas "too few events" at_least 50 \
	"$(field "$SCRATCH/r.json" d.areas.vmalloc.kernel.allocs)"
exit 0
