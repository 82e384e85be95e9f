#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# filters.sh - what is left out in the kernel: counted, whole lifetimes, and
# nothing but what was asked for.
. tests/support/lib.sh
needs_recording filter_comm_identity

T=$SCRATCH/t.kmt
BUSY='while :; do tail -c 20M /dev/zero >/dev/null; ls -lR /usr/include >/dev/null; done'

# only NAME OPTIONS... - record a busy second with the filter
only() {
	local name=$1
	shift
	"$KMEMLAB" record -q -f -d 1s -o "$T" "$@" -- sh -c "$BUSY" 2>"$SCRATCH/words"
	"$KMEMLAB" info --json "$T" >"$SCRATCH/info.json"
	"$KMEMLAB" dump --json "$T" >"$SCRATCH/dump"
	same "filter_${name}_identity" true "$(identity "$SCRATCH/info.json")"
	check "filter_${name}_leaves_out_and_counts" "nothing was filtered" \
		at_least 1000 "$(field "$SCRATCH/info.json" d.accounting.filtered)"
	check "filter_${name}_is_told" "not in info" \
		test "$(field "$SCRATCH/info.json" d.filters.length)" -ge 1
	check "filter_${name}_keeps_something" "no allocation" \
		at_least 10 "$(grep -c '"kind":"\(kmalloc\|kmem_cache_alloc\|mm_page_alloc\)"' "$SCRATCH/dump")"
	# A free without its allocation would be noise.
	"$KMEMLAB" stat --json "$T" >"$SCRATCH/stat.json" 2>/dev/null
	same "filter_${name}_keeps_no_strange_free" "0 0" "$(field "$SCRATCH/stat.json" \
		'd.unmatched.pages_freed_unknown + " " + d.unmatched.objects_freed_unknown')"
}

# strays PATTERN - allocations in the trace that are not like PATTERN
strays() {
	grep '"kind":"\(kmalloc\|kmem_cache_alloc\|mm_page_alloc\)"' "$SCRATCH/dump" | grep -vc "$1"
}

only comm --comm tail
# Whoever frees: allocations are of the command, and so is each task line before one.
same filter_comm_keeps_no_other_task 0 "$(awk '
	match($0, /"cpu":[0-9]+/) { cpu = substr($0, RSTART, RLENGTH) }
	/"kind":"task"/ { other[cpu] = !index($0, "\"comm\":\"tail\""); next }
	other[cpu] && /"kind":"(kmalloc|kmem_cache_alloc|mm_page_alloc)"/ { n++ }
	END { print n + 0 }' "$SCRATCH/dump")"
only cache --cache 'dentry'
same filter_cache_keeps_no_other 0 "$(strays '"cache":"dentry"')"
only cache_star --cache 'kmalloc-*'
same filter_cache_star_keeps_no_other 0 "$(strays '"cache":"kmalloc-')"
only order --order 0
same filter_order_keeps_no_other 0 "$(strays '"kind":"mm_page_alloc".*"order":0')"
only size --size 64-128
same filter_size_keeps_no_other 0 "$(grep -E '"kind":"(kmalloc|kmem_cache_alloc|mm_page_alloc)"' \
	"$SCRATCH/dump" | sed 's/.*"bytes_req":\([0-9]*\).*/\1/' |
	awk '$1 < 64 || $1 > 128 { n++ } END { print n + 0 }')"
site=$("$KMEMLAB" record -q -f -d 500ms -o "$T" -- sh -c "$BUSY" 2>/dev/null
	"$KMEMLAB" stat --json --by site "$T" 2>/dev/null >"$SCRATCH/stat.json"
	field "$SCRATCH/stat.json" '(d.site || d)[0].call_site.split("+")[0]')
only call_site --call-site "$site"
same filter_call_site_keeps_no_other 0 "$(strays "\"call_site\":\"$site+")"

# A cgroup of version 2, wherever it is mounted.
root=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
if [ -n "$root" ] && mkdir "$root/kmemlab-test-$$" 2>/dev/null; then
	sh -c 'echo $$ >"$0/cgroup.procs"; sleep 3; while :; do ls -lR /usr/include >/dev/null; done' \
		"$root/kmemlab-test-$$" &
	member=$!
	"$KMEMLAB" record -q -f -d 4s --cgroup "$root/kmemlab-test-$$/" -o "$T" 2>/dev/null
	kill -KILL $member
	wait $member 2>/dev/null
	"$KMEMLAB" info --json "$T" >"$SCRATCH/info.json"
	same filter_cgroup_identity true "$(identity "$SCRATCH/info.json")"
	"$KMEMLAB" stat --json --by command "$T" 2>/dev/null >"$SCRATCH/stat.json"
	same filter_cgroup_keeps_its_members true "$(field "$SCRATCH/stat.json" \
		'(d.command || d).filter(c => c.allocs > 0).every(c => ["ls", "sh", "sleep"].includes(c.command)) &&
			(d.command || d).some(c => c.command === "ls" && c.allocs > 100)')"
	for i in 1 2 3 4 5; do rmdir "$root/kmemlab-test-$$" 2>/dev/null && break; sleep 0.2; done
else
	skip filter_cgroup_identity "no cgroup of version 2 can be made here"
fi

# What was left out on purpose is no whole picture, and is not called one.
"$KMEMLAB" replay -o "$SCRATCH/result.json" "$T" 2>"$SCRATCH/words"
same filter_makes_a_replay_incomplete false "$(field "$SCRATCH/result.json" d.trust.complete)"
check filter_is_told_by_the_replay "$(cat "$SCRATCH/words")" grep -q INCOMPLETE "$SCRATCH/words"

# Nobody of that number: nothing, and all of it counted.
"$KMEMLAB" record -q -f -d 500ms --pid 4194303 -o "$T" 2>/dev/null
"$KMEMLAB" info --json "$T" >"$SCRATCH/info.json"
same filter_pid_of_nobody_records_nothing 0 "$(field "$SCRATCH/info.json" d.accounting.recorded)"
same filter_pid_of_nobody_identity true "$(identity "$SCRATCH/info.json")"

# A limit that a busy machine exceeds: fewer allocations, each with its free.
"$KMEMLAB" record -q -f -d 5s --max-overhead 0.5 -o "$T" -- sh -c "$BUSY" 2>/dev/null
"$KMEMLAB" info --json "$T" >"$SCRATCH/info.json"
same overhead_identity true "$(identity "$SCRATCH/info.json")"
check overhead_rates_are_in_the_trace "none" \
	at_least 1 "$(field "$SCRATCH/info.json" d.sampling.length)"
check overhead_leaves_allocations_out "less than half" test \
	"$(field "$SCRATCH/info.json" 'd.accounting.filtered > d.accounting.recorded')" = true

# By its directory's full name too, but no file in it.
root=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
if [ -n "$root" ]; then
	"$KMEMLAB" record -q -f -o "$T" -d 1s --cgroup "$root/cgroup.procs" 2>"$SCRATCH/words"
	same filter_refuses_a_file_of_a_cgroup 2 $?
else
	skip filter_refuses_a_file_of_a_cgroup "no cgroup of version 2"
fi

# A filter keeps the frees of what it recorded, though the rate has changed meanwhile.
"$KMEMLAB" record -q -f --comm tail -p page --max-overhead 0.02 -o "$T" -- \
	sh -c '(head -c 200M /dev/zero; sleep 4) | tail -c 200M >/dev/null' 2>/dev/null
"$KMEMLAB" info --json "$T" >"$SCRATCH/info.json"
same overhead_keeps_a_filters_frees true "$(field "$SCRATCH/info.json" 'd.sampling.length > 0 &&
	d.events.mm_page_alloc > 1000 && d.events.mm_page_free > 0.9 * d.events.mm_page_alloc')"

for arguments in "--pid 0" "--comm sixteen-letters--" "--order 5-3" "--cgroup /no/such" \
	"--max-overhead 0" "--max-overhead x" "--order 3 --order 5" \
	"--order 3 --cache dentry" "--order 99" "-p page --cache dentry" "-p slab --order 3" \
	"-p latency" "-s 1us" "--cgroup a/./b"; do
	# shellcheck disable=SC2086
	"$KMEMLAB" record -f -o "$T" $arguments -d 1s 2>"$SCRATCH/words"
	same "filter_refuses_${arguments// /_}" 2 $?
done
"$KMEMLAB" record -f -o "$T" --call-site no_such_function -d 1s 2>"$SCRATCH/words"
same filter_unknown_call_site_exits_1 1 $?
check filter_unknown_call_site_is_named "$(cat "$SCRATCH/words")" \
	grep -q no_such_function "$SCRATCH/words"
exit 0
