#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# slabs.sh - slabs at the end of the bundled samples, as the reference predicts
# them: within 10 % of slabinfo for the ten largest caches with fresh activity,
# that is as many allocations as the cache has objects, or another number of slabs
# than at the start.
#
# Left out is a cache most of whose frees no tracepoint shows (unseen_frees): the
# reference holds what it was not told is free. That is maple_node, whose tree
# nodes go in bulk through sheaves, and nothing else.
. tests/support/lib.sh
fresh='d.slabs.filter(s => s.reference && s.reference.slabs_error !== undefined &&
	(s.allocs >= s.slabs_end * s.reference.objects_per_slab || s.slabs_end !== s.slabs_start))'
unseen='s => s.reference.unseen_frees > s.allocs / 2'
pages='s => s.slabs_end * s.reference.pages_per_slab'

for sample in compile mix pressure; do
	r=$SCRATCH/$sample.json
	"$KMEMLAB" replay -p reference -o "$r" "reports/samples/$sample.kmt" 2>"$SCRATCH/err" ||
		not_ok "slabs: $sample is replayed" "$(cat "$SCRATCH/err")"
	same "slabs: ten largest of $sample within 10 % of slabinfo" "10 caches, off: " "$(field "$r" \
		"(l => l.length + ' caches, off: ' + l.filter(s => Math.abs(s.reference.slabs_error) > 0.1)
			.map(s => s.name + ' ' + s.reference.slabs_end + ' of ' + s.slabs_end))
		($fresh.filter(s => !($unseen)(s)).sort((a, b) => ($pages)(b) - ($pages)(a)).slice(0, 10))")"
	same "slabs: left out of $sample" "$([ $sample = pressure ] || echo maple_node)" \
		"$(field "$r" "$fresh.filter($unseen).map(s => s.name).join()")"
	same "slabs: $sample counted as slabinfo does, less is free" "true" "$(field "$r" \
		'(l => l.length > 50 && l.every(u => u.unused_bytes_as_slabinfo <= u.unused_bytes) &&
			l.some(u => u.unused_bytes_as_slabinfo < u.unused_bytes))
		(d.slabs.map(s => s.reference).filter(u => u && u.unused_bytes_kernel !== undefined))')"
done
# What CPUs hold free is most of the difference where caches are young.
same "slabs: free memory of pressure as slabinfo shows it, to 10 %" "true" "$(field "$r" \
	'((l, sum) => Math.abs(sum(l, "unused_bytes_as_slabinfo") / sum(l, "unused_bytes_kernel") - 1) < 0.1)
	(d.slabs.map(s => s.reference).filter(u => u && u.unused_bytes_kernel !== undefined),
		(l, key) => l.reduce((a, u) => a + u[key], 0))')"
