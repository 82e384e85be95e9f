#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# stat_perf.sh - the tables of `kmemlab stat` beside perf's events and `perf kmem stat`
# of the same command in the same interval; leaks and CPUs, made on purpose.
. tests/support/lib.sh
needs_recording stat_gfp_is_perfs stat_totals_are_perf_kmems stat_leak_is_found stat_cpu_is_told

T=$SCRATCH/t.kmt
P=$SCRATCH/perf.data
name=kmlfind$$
cp "$(command -v find)" "$SCRATCH/$name"
events=kmem:kmalloc,kmem:kmem_cache_alloc,kmem:mm_page_alloc,kmem:mm_page_free

# same_counts NAME TABLE KEY - rows of a table, by KEY, as the lines "COUNT WHAT" on stdin:
# within 2 %, or 10
same_counts() {
	local said
	said=$(node -e '
		const [file, table, key, column] = process.argv.slice(1);
		const rows = JSON.parse(require("fs").readFileSync(file, "utf8"))[table];
		const ours = new Map(rows.map(r => [String(r[key]), r.allocs]));
		const lines = require("fs").readFileSync(0, "utf8").trim().split("\n").filter(l => l);
		let all = 0;
		const bad = lines.flatMap(l => {
			const [, n, what] = l.match(/^\s*(\d+) (.*)$/), got = ours.get(what) ?? 0;
			all += Number(n);
			return Math.abs(got - n) > Math.max(10, n * 0.02) ? [`${what}: perf ${n}, stat ${got}`] : [];
		});
		if (all < 1000)
			bad.push(`perf saw ${all} only`);
		console.log(bad.join("; ") || `equal: ${all}`);' "$SCRATCH/stat.json" "$2" "$3")
	check "$1" "$said" test "${said#equal}" != "$said"
}

# events_with FIELD EVENT... - perf's events as "COUNT VALUE"
events_with() {
	local field=$1
	shift
	awk -v field="$field=" -v kinds=" $* " '
		index(kinds, " " $1 " ") { for (i = 2; i <= NF; i++) if (index($i, field) == 1)
			n[substr($i, length(field) + 1)]++ }
		END { for (k in n) print n[k], k }' "$SCRATCH/events"
}

if ! perf record -q -e $events -o "$P" -- true 2>/dev/null; then
	skip stat_gfp_is_perfs "perf cannot record kmem events here"
else
	"$KMEMLAB" record -q --comm "$name" -o "$T" -- perf record -q -m 4096 -e $events -o "$P" -- \
		"$SCRATCH/$name" /usr/lib /usr/share -name nothing >/dev/null 2>&1
	"$KMEMLAB" stat --json "$T" >"$SCRATCH/stat.json"
	# The command's own, from the moment it has its name.
	perf script -i "$P" -F comm,event,trace 2>/dev/null |
		awk -v c="$name" '$1 == c { sub(/^[^:]*kmem:/, "kmem:"); sub(/: /, " "); sub(/^kmem:/, ""); print }' \
			>"$SCRATCH/events"
	objects="kmalloc kmem_cache_alloc"
	# shellcheck disable=SC2086
	events_with gfp_flags $objects mm_page_alloc | same_counts stat_gfp_is_perfs gfp gfp
	events_with order mm_page_alloc | same_counts stat_order_is_perfs order order
	events_with migratetype mm_page_alloc | sed 's/ 0$/ Unmovable/; s/ 1$/ Movable/; s/ 2$/ Reclaimable/' |
		same_counts stat_type_is_perfs type type
	events_with bytes_alloc kmalloc | same_counts stat_size_is_perfs size size_class
	# shellcheck disable=SC2086
	events_with call_site $objects | same_counts stat_site_is_perfs site call_site
	if grep -q ' name=' "$SCRATCH/events"; then
		events_with name kmem_cache_alloc | same_counts stat_cache_is_perfs cache cache
	else
		skip stat_cache_is_perfs "this kernel's event does not name the cache"
	fi
	# perf kmem's own totals: of all that it recorded, so of a few events more.
	perf kmem -i "$P" --slab stat 2>/dev/null | tr -d , >"$SCRATCH/slab"
	wanted=$(awk '/^Total bytes requested:/ { r = $4 } /^Total bytes allocated:/ { a = $4 } END { print r, a }' \
		"$SCRATCH/slab")
	got=$(field "$SCRATCH/stat.json" \
		'["bytes_req", "bytes_alloc"].map(k => d.cache.reduce((a, r) => a + r[k], 0)).join(" ")')
	check stat_totals_are_perf_kmems "perf kmem: $wanted, stat: $got" \
		awk -v w="$wanted" -v g="$got" 'BEGIN { split(w, a); split(g, b); for (i = 1; i <= 2; i++)
			if (!(a[i] > 0) || b[i] < 0.97 * a[i] || b[i] > 1.03 * a[i]) exit 1 }'
	perf kmem -i "$P" --page stat 2>/dev/null | tr -d , >"$SCRATCH/page"
	wanted=$(awk '/^Total allocation requests/ { print $5; exit }' "$SCRATCH/page")
	got=$(field "$SCRATCH/stat.json" 'd.order.reduce((a, r) => a + r.allocs, 0)')
	if [ -n "$wanted" ]; then
		# What it took before it had its name is some 100 pages.
		check stat_pages_are_perf_kmems "perf kmem: $wanted, stat: $got" \
			awk -v w="$wanted" -v g="$got" 'BEGIN { exit !(g <= 1.02 * w && g >= 0.98 * w - 200) }'
	else
		skip stat_pages_are_perf_kmems "perf kmem --page stat does not get through"
	fi
fi

# ---- A leak -----------------------------------------------------------------------

# Files opened all the time: some closed at once, others never. Who did it outlives the
# command, so that the recording ends before its exit would free all.
cat >"$SCRATCH/leak.py" <<-'END'
	import os, sys, time
	with open("/proc/self/comm", "w") as f:
	    f.write("kmlleak")
	done, leaked = os.pipe()
	pid = os.fork()
	if pid:
	    n = os.read(done, 16).decode()
	    print(pid, n)
	    sys.exit(0)
	end = time.monotonic() + 4
	n = 0
	while time.monotonic() < end:
	    os.eventfd(0)
	    n += 1
	    for i in range(20):
	        os.close(os.open("/dev/null", os.O_RDONLY))
	    time.sleep(0.001)
	os.write(leaked, str(n).encode())
	os.close(1)
	time.sleep(60)
END
if ! python3 -c 'import os; os.eventfd' 2>/dev/null; then # before 3.10
	sed -i 's/os.eventfd(0)/os.pipe()/' "$SCRATCH/leak.py"
fi
"$KMEMLAB" record -q --comm kmlleak -o "$SCRATCH/leak.kmt" -- python3 "$SCRATCH/leak.py" \
	>"$SCRATCH/leaked" 2>/dev/null
read -r leaker leaked <"$SCRATCH/leaked"
kill "$leaker"
"$KMEMLAB" stat --by leak --json "$SCRATCH/leak.kmt" >"$SCRATCH/leak.json"
"$KMEMLAB" stat --by leak --csv -n 5 "$SCRATCH/leak.kmt" >"$SCRATCH/leak.csv"
top='d.leak.slice(0, 5).find(r => /eventfd|pipe/.test(r.allocated_by))'
check stat_leak_is_found "$(cat "$SCRATCH/leak.csv")" test "$(field "$SCRATCH/leak.json" \
	"$top.quarters_grown === 4 && $top.kept_percent > 95 && $top.growth_bytes_per_second > 0")" = true
live=$(field "$SCRATCH/leak.json" "$top.live")
# An eventfd has one context; of a pipe several objects may come from one place.
check stat_leak_is_all_that_was_leaked "leaked $leaked, live $live" \
	awk -v n="$leaked" -v l="$live" 'BEGIN { exit !(n > 100 && l >= 0.98 * n && l < 3.1 * n) }'
# On a busy machine it leaks now faster, now slower: half of it may be quite young or old.
check stat_leak_has_an_age "$(cat "$SCRATCH/leak.csv")" test "$(field "$SCRATCH/leak.json" \
	"(r => r.oldest_age_ns > 3.9e9 && r.median_age_ns > r.oldest_age_ns / 5 &&
		r.median_age_ns < r.oldest_age_ns * 4 / 5)($top)")" = true
same stat_leak_is_no_file_that_was_closed true "$(field "$SCRATCH/leak.json" \
	"(r => r === undefined || r.kept_percent < 10 || r.quarters_grown === 4 && r.live < 3 * $live)(
		d.leak.find(r => r.allocated_by.startsWith('alloc_empty_file')))")"
same stat_leak_sorts_by_name true "$("$KMEMLAB" stat --by leak --sort allocated_by --json "$SCRATCH/leak.kmt" |
	node -e 'const n = JSON.parse(require("fs").readFileSync(0)).leak.map(r => r.allocated_by);
		console.log(n.length > 1 && n.every((x, i) => !i || n[i - 1] <= x))')"

# ---- CPUs -----------------------------------------------------------------------

# shared MOVE - a process on CPU 0 that writes into pipes and, on CPU MOVE, closes them:
# the share of its objects that were freed elsewhere
cat >"$SCRATCH/move.py" <<-'END'
	import os, sys
	os.sched_setaffinity(0, {0})
	with open("/proc/self/comm", "w") as f:
	    f.write("kmlmove")
	for round in range(20):
	    os.sched_setaffinity(0, {0})
	    pipes = [os.pipe() for i in range(400)]
	    os.sched_setaffinity(0, {int(sys.argv[1])})
	    for a, b in pipes:
	        os.close(a)
	        os.close(b)
END
shared() {
	"$KMEMLAB" record -q -f --comm kmlmove -o "$SCRATCH/move.kmt" -- python3 "$SCRATCH/move.py" "$1" 2>/dev/null
	"$KMEMLAB" stat --by cpu --json "$SCRATCH/move.kmt" >"$SCRATCH/move.json"
	field "$SCRATCH/move.json" 'd.cpu[0].objects_elsewhere_percent'
}
if [ "$(nproc)" -lt 2 ]; then
	skip stat_cpu_is_told "one CPU only"
else
	stays=$(shared 0) moves=$(shared 1)
	check stat_cpu_is_told "freed elsewhere: $stays % where it stays, $moves % where it moves" \
		awk -v s="$stays" -v m="$moves" 'BEGIN { exit !(s < 20 && m > 70) }'
	same stat_cpu_adds_up true "$(field "$SCRATCH/move.json" \
		'(sum => sum("objects_freed") === sum("object_frees") && sum("blocks_freed") === sum("block_frees") &&
			sum("objects") > 10000)(k => d.cpu.reduce((a, r) => a + r[k], 0))')"
fi
exit 0
