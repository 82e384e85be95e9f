#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# walk.sh - inside stock kernels, whose kallsyms shows data, the recorder reads the
# per-CPU lists and the pageblocks' types: every page it finds on a list is one that
# the snapshot takes for the kernel's, and as many pageblocks have a type as
# /proc/pagetypeinfo counts. How far the lists have adapted to a load is read too. And
# vmalloc's areas: from those of the start the events lead to those of the end; and caches'
# slabs, all of which find their place in the reference. Of per-CPU memory every chunk's areas
# are read: as many pages are populated as /proc/meminfo says, the reference begins as full,
# what is freed of before is known, and events lead to the areas of the end.
. tests/support/lib.sh
KERNELS="6.1 6.12"

result() { # file expression over d
	node -e 'const d = JSON.parse(require("fs").readFileSync(process.argv[1], "utf8"));
		console.log(eval(process.argv[2]));' "$1" "$2"
}

# Mounts and groups of before the recording go while it runs, others come.
cat >"$SCRATCH/percpu" <<'END'
for i in 1 2 3 4 5 6 7 8; do
	mkdir /tmp/m$i /sys/fs/cgroup/g$i && mount -t tmpfs m /tmp/m$i
done
sleep 1
kmemlab record -q -f --probe percpu -o /out/p.kmt -- sh -c 'sleep 0.5
	for i in 1 2 3 4 5 6 7 8; do
		umount /tmp/m$i
		rmdir /sys/fs/cgroup/g$i
		mkdir /sys/fs/cgroup/h$i
		unshare -n true
	done
	sleep 2'
# Addresses are all 0: chunks are found by an area of the recorder's own.
echo 2 >/proc/sys/kernel/kptr_restrict
kmemlab record -q -f --probe percpu -d 300ms -o /out/hidden.kmt
echo 1 >/proc/sys/kernel/kptr_restrict
END

percpu() { # name trace cpus
	local units
	"$KMEMLAB" replay -f -p observed -p reference -o "$SCRATCH/p.json" "$2" >/dev/null 2>&1
	"$KMEMLAB" info --json "$2" >"$SCRATCH/i.json"
	same "$1_reads_percpu_areas" "read read 0" "$(result "$SCRATCH/i.json" \
		'd.start_state.find(s => s.what === "per-CPU areas").how') $(
		result "$SCRATCH/p.json" '(s => s.how + " " + s.refused)(d.areas.percpu.start)')"
	# In KiB, of all CPUs.
	units=$(node tests/support/trace-text.mjs "$2" meminfo start | awk '/^Percpu:/ { print $2 / 4 }')
	same "$1_percpu_pages_are_those_of_meminfo" "$units" "$(result "$SCRATCH/p.json" \
		"d.areas.percpu.start.kernel.pages_per_cpu * $3")"
	same "$1_percpu_reference_begins_as_full" true "$(result "$SCRATCH/p.json" \
		'(s => JSON.stringify(s.kernel) === JSON.stringify(s.reference))(d.areas.percpu.start)')"
	same "$1_percpu_frees_are_all_known" "true 0 0 0 0" "$(result "$SCRATCH/p.json" \
		'(p => [p.kernel.frees > 50, p.kernel.free_of_unknown, p.kernel.alloc_of_live,
			p.reference.failed, p.reference.free_refused].join(" "))(d.areas.percpu)')"
	same "$1_percpu_events_lead_to_the_end" "0 0 0" "$(result "$SCRATCH/p.json" \
		'(e => [e.missing, e.unexpected, e.other_size].join(" "))(d.areas.percpu.end)')"
	same "$1_percpu_reference_ends_as_full" true "$(result "$SCRATCH/p.json" \
		'(e => e.unsure > 0 || ["chunks", "areas", "bytes"].every(k =>
			e.kernel[k] === e.reference[k]))(d.areas.percpu.end)')"
	same "$1_percpu_is_read_without_symbols_too" "read 0 0 0 true" "$(
		"$KMEMLAB" replay -f -p observed -p reference -o "$SCRATCH/h.json" \
			"${2%/*}/hidden.kmt" >/dev/null 2>&1
		result "$SCRATCH/h.json" '(p => [p.start.how, p.start.refused, p.end.missing,
			p.end.unexpected, JSON.stringify(p.start.kernel) ===
			JSON.stringify(p.start.reference)].join(" "))(d.areas.percpu)')"
	same "$1_percpu_chunks_hold_what_they_count" true "$(
		node tests/support/trace-text.mjs "$2" kmemlab/percpu start >"$SCRATCH/doc.json"
		result "$SCRATCH/doc.json" 'd.chunks.every(c => {
			const own = c.reserved ? d.reserved_bytes : c.first ? d.dyn_bytes : d.unit_bytes;
			return own - c.areas.reduce((n, a) => n + a[1], 0) === c.free_bytes &&
				c.populated.reduce((n, p) => n + p[1], 0) === c.nr_populated;
		})')"
}

# Pageblocks of all types and zones.
pageblocks() { # pagetypeinfo
	awk '/^Number of blocks/ { on = 1; next }
		on && /^Node/ { for (i = 5; i <= NF; i++) n += $i } END { print n + 0 }' "$1"
}

for kernel in $KERNELS; do
	name=walk_${kernel/./_}
	out=$SCRATCH/$kernel
	tests/guest/run.sh -q -k "$kernel" -m 512M -o "$out" -f "$SCRATCH/percpu" -- '
		sh /files/percpu
		kmemlab record -q -f -d 1s -o /out/t.kmt
		kmemlab record -q -f --rotate 300k,keep=9 -o /out/r.kmt -- sh -c "seq 1 20000 >/dev/null"
		kmemlab record -q -f --probe vmalloc -o /out/a.kmt -- sh -c \
			"i=0; while [ \$i -lt 200 ]; do /bin/true; i=\$((i+1)); done"
		true' >"$SCRATCH/words" 2>&1
	status=$?
	if [ $status = 4 ]; then
		skip "$name" "$(tail -n 1 "$SCRATCH/words")"
		continue
	fi
	same "${name}_guest_ends_well" 0 $status
	"$KMEMLAB" replay -f -p observed -p reference -o "$SCRATCH/r.json" "$out/t.kmt" \
		>/dev/null 2>&1
	same "${name}_reads_all_types" "$(pageblocks "$out/final/pagetypeinfo.txt")" \
		"$(result "$SCRATCH/r.json" 'd.trust.inferred.pageblock_types_read +
			(d.trust.inferred.pageblock_types_by_events || 0)')"
	check "${name}_reads_lists" "no page" at_least 1 \
		"$(result "$SCRATCH/r.json" d.trust.inferred.reference_cpu_list_pages_read)"
	same "${name}_lists_agree_with_the_snapshot" 0 \
		"$(result "$SCRATCH/r.json" '
			d.trust.inferred.reference_cpu_list_pages_misread || 0')"
	same "${name}_reads_slab_lists" "read 0 true" "$(result "$SCRATCH/r.json" \
		'(s => [s.how, s.slabs_unplaced, s.caches_read > 5].join(" "))(d.slab_replay.start)')"
	same "${name}_reads_slabs_of_cpus" read "$("$KMEMLAB" info --json "$out/t.kmt" >"$SCRATCH/i.json"
		result "$SCRATCH/i.json" \
			'd.start_state.find(s => s.what === "slabs that CPUs hold").how')"
	same "${name}_says_of_nothing_read_that_it_is_not_seen" 0 "$(result "$SCRATCH/i.json" \
		'd.missing.filter(m => /list|pageblock|slabs/.test(m.what)).length')"
	same "${name}_infers_no_list" 0 "$(result "$SCRATCH/r.json" '
		d.trust.inferred.reference_cpu_list_pages_stood_in || 0')"
	last=$(find "$out" -name 'r.kmt*' | sort | tail -n 1)
	"$KMEMLAB" replay -f -p observed -p reference -o "$SCRATCH/r.json" "$last" >/dev/null 2>&1
	check "${name}_reads_lists_in_later_files_too" "no page" at_least 1 \
		"$(result "$SCRATCH/r.json" d.trust.inferred.reference_cpu_list_pages_read)"

	"$KMEMLAB" replay -f -p observed -p reference -o "$SCRATCH/r.json" "$out/a.kmt" \
		>/dev/null 2>&1
	check "${name}_reads_vmalloc_areas" "fewer than 100" at_least 100 \
		"$(result "$SCRATCH/r.json" d.areas.vmalloc.start.areas)"
	same "${name}_vmalloc_events_lead_to_the_end" "0 0 0 true" "$(result "$SCRATCH/r.json" \
		'(e => [e.missing - e.missing_percpu_chunks, e.unexpected, e.other_size,
			e.missing > 0 || JSON.stringify(e.kernel) === JSON.stringify(e.observed)]
			.join(" "))(d.areas.vmalloc.end)')"
	same "${name}_vmalloc_reference_refuses_nothing" "0 0 0 0" "$(result "$SCRATCH/r.json" \
		'(v => [v.start.refused, v.kernel.free_of_unknown, v.reference.failed,
			v.reference.free_refused].join(" "))(d.areas.vmalloc)')"

	percpu "$name" "$out/p.kmt" 2

	# One CPU: emulation may run into an instruction that another CPU is patching. What the
	# recorder itself allocates undoes what a list adapted to: until the load came just before
	# the walk. 6.1 has a factor only while a list is being freed to.
	tries=60
	[ "$kernel" = 6.1 ] && tries=6
	tests/guest/run.sh -q -k "$kernel" -c 1 -m 512M -o "$out" -- '
		while :; do dd if=/dev/zero of=/tmp/a bs=1M count=20; rm /tmp/a; done 2>/dev/null &
		i=0
		while [ $((i += 1)) -le '$tries' ]; do
			kmemlab record -q -f -d 100ms -o /out/load$i.kmt
			kmemlab replay -f -o /tmp/r.json /out/load$i.kmt
			grep -q cpu_lists_tuning_read /tmp/r.json && break
		done
		kill $!; true' >"$SCRATCH/words" 2>&1
	same "${name}_guest_with_a_load_ends_well" 0 $?
	tuned=0 refused=0
	for trace in "$out"/load*.kmt; do
		"$KMEMLAB" replay -f -p observed -p reference -o "$SCRATCH/r.json" "$trace" >/dev/null 2>&1
		tuned=$((tuned + $(result "$SCRATCH/r.json" \
			'd.trust.inferred.reference_cpu_lists_tuning_read || 0')))
		refused=$((refused + $(result "$SCRATCH/r.json" 'd.runs.reduce((n, r) =>
			n + (r.unmatched && r.unmatched.start_block_refused || 0), 0)')))
	done
	[ "$kernel" = 6.1 ] || check "${name}_reads_what_the_lists_adapted_to" \
		"nothing in $tries recordings" at_least 1 $tuned
	same "${name}_the_reference_takes_it" 0 $refused
done
exit 0
