#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# slab_lists.sh - the slabs that are not full, as the recorder reads them in the
# kernel's lists, against /sys/kernel/slab: of each cache the slabs, the objects, the
# slabs on the nodes' lists and the live objects in these. Caches that allocate meanwhile
# differ by then; of nine in ten nothing does. And the reference takes them all.
. tests/support/lib.sh
NAMES="slab_lists_are_those_of_sysfs slab_lists_of_cpus_are_those_of_sysfs
	slab_lists_summary_says_that_they_were_read slab_lists_reference_takes_them
	slab_lists_make_as_many_slabs slab_lists_count_what_sheaves_hold"
# shellcheck disable=SC2086
needs_recording $NAMES
T=$SCRATCH/t.kmt

if [ ! -r /sys/kernel/slab/kmalloc-64/slabs_cpu_partial ]; then
	for name in $NAMES; do skip "$name" "this kernel has no counts in /sys/kernel/slab"; done
	exit 0
fi
# What sysfs counts while the recording runs, right after the start.
cat >"$SCRATCH/count" <<'END'
cd /sys/kernel/slab && for c in *; do
	[ -L "$c" ] && continue
	read -r slabs _ <$c/slabs && read -r objects _ <$c/total_objects &&
		read -r partial _ <$c/partial && read -r live _ <$c/objects_partial &&
		read -r cpus _ <$c/cpu_slabs && echo "$c $slabs $objects $partial $live $cpus"
done >"$1"
END
record() {
	"$KMEMLAB" record -f --probe slab,page -o "$T" -- bash "$SCRATCH/count" "$SCRATCH/sysfs" \
		>"$SCRATCH/words" 2>&1
	"$KMEMLAB" info --json "$T" >"$SCRATCH/info.json"
}
record
how=$(field "$SCRATCH/info.json" \
	'd.start_state.find(s => s.what === "slabs that are not full").how')
if [ "$how" != read ]; then
	for name in $NAMES; do skip "$name" "$(grep -i slabs "$SCRATCH/words" | head -n 1)"; done
	exit 0
fi
check slab_lists_summary_says_that_they_were_read "$(cat "$SCRATCH/words")" \
	grep -q 'state at the start: read: .*slabs that are not full' "$SCRATCH/words"

# agree FIGURES-OF-A-CACHE FIGURES-OF-A-LINE - in nine of ten caches; else how many agree
agree() {
	node -e 'const fs = require("fs");
		const caches = new Map(JSON.parse(fs.readFileSync(process.argv[1], "utf8")).caches
			.map((c) => [c.name, c]));
		const mine = eval(process.argv[3]), theirs = eval(process.argv[4]);
		let all = 0, same = 0;
		for (const l of fs.readFileSync(process.argv[2], "utf8").trim().split("\n")) {
			const w = l.split(" "), c = caches.get(w[0]);
			if (!c || c.slabs === 0) continue;
			all++;
			same += JSON.stringify(mine(c)) === JSON.stringify(theirs(w.map(Number)));
		}
		console.log(all >= 50 && same * 10 >= all * 9 || same + " of " + all);' \
		"$SCRATCH/lists.json" "$SCRATCH/sysfs" "$1" "$2"
}
cpus_read() {
	[ "$(field "$SCRATCH/info.json" \
		'd.start_state.find(s => s.what === "slabs that CPUs hold").how')" = read ]
}
# On a busy host much changes: of five recordings one must agree.
for _ in 1 2 3 4 5; do
	node tests/support/trace-text.mjs "$T" kmemlab/slabs start >"$SCRATCH/lists.json"
	nodes=$(agree '(c) => [c.slabs, c.objects, c.node.length,
			c.node.reduce((n, s) => n + c.objects_per_slab - s[1], 0)]' \
		'(w) => w.slice(1, 5)')
	cpus=true
	cpus_read && cpus=$(agree '(c) => c.cpu.length + c.cpu_partial.length' '(w) => w[5]')
	[ "$nodes $cpus" = "true true" ] && break
	record
done
same slab_lists_are_those_of_sysfs true "$nodes"
if cpus_read; then
	same slab_lists_of_cpus_are_those_of_sysfs true "$cpus"
else
	skip slab_lists_of_cpus_are_those_of_sysfs "where CPUs keep theirs was not found"
fi

# Sheaves hold free objects of some caches (6.18). What their slabs have in use, less these, are
# memory areas of processes: as many as /proc shows, give or take what comes and goes. And there
# are no more than fit into three sheaves of each CPU and a barn's ten.
sheaves=$(node -e 'const fs = require("fs"), [file, areas, cpus, nodes] = process.argv.slice(1);
	const sum = (list) => (list || []).reduce((n, s) => n + s[1], 0);
	const of = JSON.parse(fs.readFileSync(file, "utf8")).caches.filter((c) => "in_sheaves" in c);
	if (!of.length) console.log("none");
	else console.log(of.some((c) => c.in_sheaves > 0) && of.every((c) => {
		const capacity = fs.readFileSync("/sys/kernel/slab/" + c.name + "/sheaf_capacity", "utf8");
		const live = c.objects - sum(c.node) - sum(c.cpu) - sum(c.cpu_partial) - c.in_sheaves;
		return c.in_sheaves <= capacity * (3 * cpus + 10 * nodes) && (c.name !== "vm_area_struct" ||
			live > areas * 0.7 && live < areas * 1.3 + 300);
	}) || JSON.stringify(of.map((c) => [c.name, c.objects, c.in_sheaves])));' \
	"$SCRATCH/lists.json" "$(cat /proc/[0-9]*/maps 2>/dev/null | wc -l)" "$(nproc --all)" \
	"$(find /sys/devices/system/node -maxdepth 1 -name 'node[0-9]*' | grep -c . || echo 1)")
if [ "$sheaves" = none ]; then
	skip slab_lists_count_what_sheaves_hold "this kernel has no sheaves, or not where they were sought"
else
	same slab_lists_count_what_sheaves_hold true "$sheaves"
	check slab_lists_summary_tells_of_sheaves "$(cat "$SCRATCH/words")" \
		grep -q 'how many free objects sheaves hold' "$SCRATCH/words"
fi

"$KMEMLAB" replay -f -p observed -p reference -o "$SCRATCH/r.json" "$T" >/dev/null 2>&1
same slab_lists_reference_takes_them "read 0 true" "$(field "$SCRATCH/r.json" \
	'(s => [s.how, s.slabs_unplaced, s.caches_read > 10 && s.slabs_read > 10].join(" "))(
		d.slab_replay.start)')"
# Nothing but a script's few files happened: as many slabs as slabinfo has at the end.
same slab_lists_make_as_many_slabs true "$(field "$SCRATCH/r.json" '(() => {
	const known = d.slabs.filter(s => s.reference && s.slabs_end !== undefined);
	const off = known.filter(s => Math.abs(s.reference.slabs_end - s.slabs_end) >
		Math.max(2, s.slabs_end / 100) && !s.reference.unseen_frees);
	return known.length > 10 && off.length * 20 <= known.length ||
		off.map(s => s.name + " " + s.reference.slabs_end + "/" + s.slabs_end).join(", ");
	})()')"
exit 0
