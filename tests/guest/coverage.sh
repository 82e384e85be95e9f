#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# coverage.sh - inside stock kernels, where programs may be attached to functions,
# the recorder sees every page: pages allocated and freed by events equal what
# /proc/vmstat counted, to the page.
#
# An interrupt that finds a program active costs its event (lost_recursion), which
# the trace tells; software emulation makes that likelier. So each kernel gets
# several runs, and all that lost no page event must be equal; one such run at least.
# Linux 6.1 does not count pages whose per-CPU list another holds as they are freed
# (free_one_page()): its frees may be more than it counted, never fewer.
. tests/support/lib.sh
KERNELS="6.1 6.12"
RUNS=4

# shellcheck disable=SC2016
WORK='
for i in $(seq RUNS); do
	kmemlab record -q -f --probe all -o /tmp/t.kmt -- paths
	kmemlab info --json /tmp/t.kmt >/out/info$i.json
	sleep 1
done
true'

# judge DIRECTORY EXPRESSION: over the runs; whole: those that lost no page event
judge() {
	node -e '
		const fs = require("fs"), dir = process.argv[1];
		const runs = fs.readdirSync(dir).filter(f => /^info.*json$/.test(f))
			.map(f => JSON.parse(fs.readFileSync(dir + "/" + f, "utf8")));
		const pages = ["mm_page_alloc", "mm_page_free", "alloc_pages_bulk"];
		const lost = d => d.accounting.lost_ring + d.accounting.lost_write +
			d.recursion.filter(r => pages.includes(r.kind))
				.reduce((n, r) => n + r.misses, 0);
		const whole = runs.filter(d => lost(d) === 0);
		const off = c => `${c.pages_alloc_seen} of ${c.pages_alloc_vmstat} allocated, ` +
			`${c.pages_free_seen} of ${c.pages_free_vmstat} freed`;
		const fewer = whole.filter(d => d.coverage.pages_free_seen <
			d.coverage.pages_free_vmstat);
		const equal = whole.filter(d => d.coverage.pages_alloc_seen ===
			d.coverage.pages_alloc_vmstat &&
			d.coverage.pages_free_seen === d.coverage.pages_free_vmstat);
		const unequal = whole.filter(d => d.coverage.pages_alloc_seen !==
			d.coverage.pages_alloc_vmstat || (d.coverage.pages_free_seen !==
			d.coverage.pages_free_vmstat && process.argv[3] !== "6.1"));
		const sum = kind => runs.reduce((n, d) => n + (d.events[kind] || 0), 0);
		console.log(eval(process.argv[2]));' "$1" "$2" "$kernel"
}

for kernel in $KERNELS; do
	name=coverage_${kernel/./_}
	out=$SCRATCH/$kernel
	tests/guest/run.sh -q -k "$kernel" -m 1G -o "$out" -- "${WORK/RUNS/$RUNS}" \
		>"$SCRATCH/words" 2>&1
	status=$?
	if [ $status = 4 ]; then
		skip "${name}_is_exact" "$(tail -n 1 "$SCRATCH/words")"
		continue
	fi
	same "${name}_guest_ends_well" 0 $status
	check "${name}_has_a_run_without_loss" "none of $RUNS" \
		at_least 1 "$(judge "$out" whole.length)"
	same "${name}_is_exact" "" "$(judge "$out" 'unequal.map(d => off(d.coverage)).join("; ")')"
	same "${name}_misses_no_free" "" "$(judge "$out" 'fewer.map(d => off(d.coverage)).join("; ")')"
	check "${name}_is_equal_in_some_run" "in none" at_least 1 "$(judge "$out" equal.length)"
	for kind in alloc_pages_bulk page_split migrate_from migrate_to isolate_free_page; do
		check "${name}_sees_$kind" "no such event" \
			at_least 1 "$(judge "$out" "sum('$kind')")"
	done
	same "${name}_by_fentry_where_it_is_allowed" "fexit fentry" "$(judge "$out" \
		'["alloc_pages_bulk", "page_split"].map(n => runs[0].probes.find(p => p.name === n).how).join(" ")')"
	check "${name}_sees_objects_in_bulk" "no such event" at_least 1 \
		"$(judge "$out" "sum('kmem_cache_alloc_bulk') + sum('kmem_cache_free_bulk')")"
	same "${name}_migrations_are_pairs" "$(judge "$out" "sum('migrate_from')")" \
		"$(judge "$out" "sum('migrate_to')")"
done
exit 0
