#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# top.sh - what `kmemlab top` counts, held against perf, /proc/buddyinfo,
# /proc/slabinfo and /proc/vmstat; what it refuses; that it leaves nothing behind.
. tests/support/lib.sh
WORDS=$SCRATCH/words

# refused NAME STATUS PATTERN OPTION... - top says why, and exits so
refused() {
	local name=$1 status=$2 pattern=$3
	shift 3
	"$KMEMLAB" top "$@" >"$SCRATCH/out" 2>"$WORDS" </dev/null
	same "top_refuses_$name" "$status" $?
	check "top_refuses_${name}_with_words" "it said: $(cat "$WORDS")" grep -q -- "$pattern" "$WORDS"
	same "top_refuses_${name}_and_prints_nothing" 0 "$(wc -c <"$SCRATCH/out")"
}
refused no_terminal 2 "use --batch"
refused table 2 "did you mean 'cache'" --batch --by cahce
refused column 2 "did you mean 'rate'" --batch --sort rat
refused column_of_other_table 2 "'order' has no column 'slabs'" --batch --by order --sort slabs
refused interval 2 "10ms or more" --batch -i 1ms
refused count 2 "would read nothing" --batch -n 0
refused sample 2 "power of two" --batch --sample 3
refused rows 2 "wants a number" --batch --top -1
refused filter 2 "up to 63 bytes" --batch --filter "$(printf '%064d' 0)"
refused argument 2 "unexpected argument" --batch trace.kmt

cp "$KMEMLAB" "$SCRATCH/copy" && chmod 755 "$SCRATCH/copy"
nobody="setpriv --reuid=65534 --regid=65534 --clear-groups"
if [ "$(id -u)" = 0 ] && $nobody "$SCRATCH/copy" --version >/dev/null 2>&1; then
	$nobody "$SCRATCH/copy" top --batch -n 1 >/dev/null 2>"$WORDS"
	same top_unprivileged_exits_3 3 $?
	check top_unprivileged_is_told_what_to_do "it said: $(cat "$WORDS")" grep -q "run as root" "$WORDS"
else
	skip top_unprivileged_exits_3 "cannot become nobody here"
fi

needs_recording top_json_is_one_document_a_reading top_counts_a_commands_allocations_as_perf_does \
	top_free_blocks_are_buddyinfos top_live_bytes_are_slabinfos top_stalls_are_perfs

# watch [OPTION...] - top as JSON lines into $SCRATCH/top.jsonl, in the background; $top
watch() {
	rm -f "$SCRATCH/top.jsonl" # the one before is not to be taken for this one
	"$KMEMLAB" top --json "$@" >"$SCRATCH/top.jsonl" 2>"$WORDS" &
	top=$!
	for _ in $(seq 200); do
		[ -s "$SCRATCH/top.jsonl" ] && return
		sleep 0.05
	done
}

# settle - until there is a reading that began after this
settle() {
	local now
	now=$(wc -l <"$SCRATCH/top.jsonl")
	for _ in $(seq 100); do
		[ "$(wc -l <"$SCRATCH/top.jsonl")" -ge $((now + 2)) ] && break
		sleep 0.1
	done
}

# seen - end the watch one reading later
seen() {
	settle
	kill -TERM $top
	wait $top
	status=$?
}

# sum EXPRESSION - over all readings d of the watch, but for the first
sum() {
	node -e 'const lines = require("fs").readFileSync(process.argv[1], "utf8").trim().split("\n");
		const value = eval("d => " + process.argv[2]);
		console.log(lines.slice(1).reduce((a, l) => a + (value(JSON.parse(l)) ?? 0), 0));' \
		"$SCRATCH/top.jsonl" "$1"
}

# within PERCENT WANTED GOT
within() {
	awk -v p="$1" -v w="$2" -v g="$3" 'BEGIN { d = g - w; d = d < 0 ? -d : d
		exit !(w > 0 && g == g + 0 && d <= w * p / 100) }'
}

# ---- Batches ------------------------------------------------------------------

"$KMEMLAB" top --json -n 3 -i 200ms >"$SCRATCH/three.jsonl" 2>"$WORDS"
same top_ends_after_its_readings 0 $?
same top_json_is_one_document_a_reading "3 kmemlab-top/1" "$(node -e '
	const docs = require("fs").readFileSync(process.argv[1], "utf8").trim().split("\n").map(JSON.parse);
	console.log(docs.length, [...new Set(docs.map(d => d.schema))].join())' "$SCRATCH/three.jsonl")"
head -n 1 "$SCRATCH/three.jsonl" >"$SCRATCH/one.json"
same top_json_has_all_tables '["cache","site","command","pages","order"]' \
	"$(field "$SCRATCH/one.json" 'Object.keys(d.groups)')"
# The tables are read one after another: on a busy host not each reading is of one moment.
same top_tables_add_up_to_all_objects true "$(node -e '
	const docs = require("fs").readFileSync(process.argv[1], "utf8").trim().split("\n").map(JSON.parse);
	const whole = d => ["cache", "site", "command"].map(g => d.groups[g].reduce((a, r) => a + r.allocs, 0))
		.every(n => Math.abs(n - d.objects.allocs) <= 0.05 * d.objects.allocs + 50);
	console.log(docs.some(whole));' "$SCRATCH/three.jsonl")"
for ((i = 0; i < 200; i++)); do ls /; done >/dev/null &
"$KMEMLAB" top --batch -n 1 -i 200ms --by command --top 1 >"$SCRATCH/text" 2>&1
wait
check top_text_has_a_head_and_a_table "$(cat "$SCRATCH/text")" \
	awk '/^kmemlab top/ { a = 1 } /^free / { b = NF >= 11 } /^command .*\*given/ { c = 1 }
		END { exit !(a && b && c) }' "$SCRATCH/text"
check top_text_says_what_it_left_out "$(tail -n 2 "$SCRATCH/text")" \
	grep -q '^\.\.\. and [0-9]* more' "$SCRATCH/text"
"$KMEMLAB" top --json -n 1 -i 300ms --filter KMALLOC- >"$SCRATCH/filter.json" 2>&1
same top_filters_by_name true "$(field "$SCRATCH/filter.json" \
	'd.groups.cache.length > 0 && d.groups.cache.every(r => r.name.includes("kmalloc-"))')"

# ---- Against perf: what one command allocates ------------------------------------

# Names that nothing else here has, for a program that takes pages and one that
# takes objects.
cp "$(command -v tail)" "$SCRATCH/kmltail$$"
cp "$(command -v find)" "$SCRATCH/kmlfind$$"
events=kmem:mm_page_alloc,kmem:kmalloc,kmem:kmem_cache_alloc
counted() { # event - of both, as perf counted it
	awk -F, -v e="$1" '$3 == e { n += $1 } END { print n + 0 }' "$SCRATCH/perf.tail" "$SCRATCH/perf.find"
}
allocs() { # table - of both, as top counted it
	sum "d.groups.$1.filter(r => /^kml(tail|find)$$\$/.test(r.name)).reduce((a, r) => a + r.allocs, 0)"
}
if perf stat -x, -e $events -o "$SCRATCH/perf.tail" true 2>/dev/null; then
	watch -i 300ms
	vmstat() { awk '/^pgalloc_/ { n += $2 } END { printf "%.0f\n", n }' /proc/vmstat; }
	before=$(vmstat)
	perf stat -x, -e $events -o "$SCRATCH/perf.tail" "$SCRATCH/kmltail$$" -c 200M /dev/zero >/dev/null
	perf stat -x, -e $events -o "$SCRATCH/perf.find" "$SCRATCH/kmlfind$$" /usr/lib -size +1G
	inside=$(($(vmstat) - before))
	seen
	same top_ends_well_by_sigterm 0 $status
	check top_perf_saw_a_load "$(counted kmem:mm_page_alloc) pages" \
		at_least 1000 "$(counted kmem:mm_page_alloc)"
	wanted=$(counted kmem:mm_page_alloc) got=$(allocs pages)
	check top_counts_a_commands_pages_as_perf_does "perf $wanted, top $got" within 1 "$wanted" "$got"
	wanted=$(($(counted kmem:kmalloc) + $(counted kmem:kmem_cache_alloc))) got=$(allocs command)
	check top_counts_a_commands_objects_as_perf_does "perf $wanted, top $got" within 1 "$wanted" "$got"
	seen=$(sum d.pages.allocated) kernel=$(sum d.pages.vmstat_allocated)
	check top_reads_vmstat_as_it_is "vmstat $inside, top $kernel" at_least "$inside" "$kernel"
	check top_sees_vmstats_pages "vmstat $kernel, top $seen" within 4 "$kernel" "$seen"
else
	skip top_counts_a_commands_pages_as_perf_does "perf cannot count kmem events here"
fi

# ---- Against /proc -----------------------------------------------------------------

# Free blocks change all the time: each figure is within what buddyinfo said around it.
while :; do cat /proc/buddyinfo; echo; sleep 0.01; done >"$SCRATCH/buddyinfo" &
reader=$!
sleep 0.2
"$KMEMLAB" top --json -n 1 -i 500ms >"$SCRATCH/one.json"
sleep 0.2
kill $reader
wait $reader 2>/dev/null
check top_free_blocks_are_buddyinfos "$(field "$SCRATCH/one.json" d.free.blocks)" node -e '
	const fs = require("fs"), [file, json] = process.argv.slice(1);
	const blocks = JSON.parse(fs.readFileSync(json, "utf8")).free.blocks;
	const texts = fs.readFileSync(file, "utf8").split("\n\n").map(t => t.split("\n")
		.filter(l => l.startsWith("Node")).map(l => l.trim().split(/\s+/).slice(4).map(Number)))
		.filter(t => t.length > 0 && t.every(z => z.length === blocks.length)).slice(0, -1);
	const sums = texts.map(t => blocks.map((_, o) => t.reduce((a, z) => a + z[o], 0)));
	process.exit(sums.length > 20 && blocks.every((b, o) =>
		b >= Math.min(...sums.map(s => s[o])) && b <= Math.max(...sums.map(s => s[o]))) ? 0 : 1);
' "$SCRATCH/buddyinfo" "$SCRATCH/one.json"

# held SAMPLE - many open files: what top says is live, and slabinfo's change
held() {
	local before
	mkfifo "$SCRATCH/go$1"
	watch --sample "$1" -i 200ms
	before=$(active)
	python3 - "$SCRATCH/open$1" "$SCRATCH/go$1" <<-'END' &
		import os, resource, sys
		most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
		resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
		pipes = [os.pipe() for i in range(2000)]
		files = [os.open("/dev/null", os.O_RDONLY) for i in range(min(15000, most - 4050))]
		open(sys.argv[1], "w").close()
		open(sys.argv[2]).read()
	END
	holder=$!
	for _ in $(seq 100); do
		[ -e "$SCRATCH/open$1" ] && break
		kill -0 $holder || return 1
		sleep 0.1
	done
	change=$(($(active) - before))
	settle
	live=$(bytes live /filp/) kmalloc=$(bytes live /^kmalloc-/) slabs=$(bytes slab_change /filp/)
	echo >"$SCRATCH/go$1"
	wait $holder
	sleep 0.5 # what RCU frees
	seen
	after=$(bytes live /filp/) kmalloc_after=$(bytes live /^kmalloc-/)
}
# bytes WHAT CACHES - of the newest complete reading
bytes() {
	tail -n 2 "$SCRATCH/top.jsonl" | head -n 1 | node -e 'const d = JSON.parse(require("fs").readFileSync(0));
		console.log(d.groups.cache.filter(r => eval(process.argv[2]).test(r.name))
			.reduce((a, r) => a + r[process.argv[1] + "_bytes"], 0))' "$1" "$2"
}
active() { awk '$1 == "filp" { printf "%.0f\n", $2 * $4 }' /proc/slabinfo; }
if [ -n "$(active 2>/dev/null)" ]; then
	held 1
	check top_live_bytes_are_slabinfos "slabinfo $change, top $live" within 10 "$change" "$live"
	check top_slabs_grow_with_what_is_live "live $live, slabs $slabs" within 25 "$live" "$slabs"
	check top_what_is_closed_is_not_live "$live, then $after" at_least "$((live - live / 10))" "$((live - after))"
	check top_what_kfree_frees_is_not_live "$kmalloc, then $kmalloc_after" \
		at_least 1000000 "$((kmalloc - kmalloc_after))"
	held 64
	check top_live_bytes_of_a_sample_are_slabinfos "slabinfo $change, top $live" within 30 "$change" "$live"
else
	skip top_live_bytes_are_slabinfos "no /proc/slabinfo, or no cache filp in it"
fi

# ---- What finds no place --------------------------------------------------------------

watch -i 300ms
taskset -c 0 python3 - <<-'END'
	for i in range(1200):
	    with open("/proc/self/comm", "w") as f:
	        f.write("kml%d" % i)
	    open("/dev/null").close()
END
seen
places=$(sum 'd.groups.command.filter(r => /^kml\d+$/.test(r.name)).length > 0 ? 1 : 0')
check top_shows_names_that_had_a_place "$places readings" at_least 1 "$places"
lost=$(tail -n 1 "$SCRATCH/top.jsonl" | node -e 'console.log(JSON.parse(require("fs").readFileSync(0)).no_place)')
check top_counts_what_finds_no_place "no_place $lost" at_least 600 "$lost"
rest=$(sum 'd.groups.command.filter(r => r.name === "(no place)").reduce((a, r) => a + r.allocs, 0)')
check top_sums_up_what_finds_no_place "$rest allocations" at_least 600 "$rest"

# ---- Stalls ---------------------------------------------------------------------------

root=$(awk '$3 == "cgroup" && $4 ~ /(^|,)memory(,|$)/ { print $2; exit }' /proc/mounts)
group=$root/kmemlab-top-$$
stall=vmscan:mm_vmscan_memcg_reclaim_end
if [ -z "$root" ] || ! perf stat -a -x, -e $stall true 2>/dev/null || ! mkdir "$group" 2>/dev/null; then
	skip top_stalls_are_perfs "no cgroup of version 1 with a memory limit here, or no perf"
else
	echo 16M >"$group/memory.limit_in_bytes"
	cp "$(command -v cat)" "$SCRATCH/kmlcat$$"
	watch -i 200ms
	# shellcheck disable=SC2016
	perf stat -a -x, -e $stall -o "$SCRATCH/perf.stall" bash -c 'echo $$ >"$0/cgroup.procs"
		find /usr/lib /usr/bin -type f -size +1M | head -n 60 | xargs "$1" >/dev/null' "$group" \
		"$SCRATCH/kmlcat$$"
	seen
	wanted=$(awk -F, '/reclaim_end/ { print $1 }' "$SCRATCH/perf.stall")
	got=$(tail -n 1 "$SCRATCH/top.jsonl" | node -e 'console.log(
		JSON.parse(require("fs").readFileSync(0)).stalls.since_start.memcg_reclaim.events)')
	new=$(sum "d.stalls.new.filter(s => s.kind === 'memcg_reclaim' && s.ns > 0 &&
		s.command === 'kmlcat$$').length")
	missed=$(tail -n 1 "$SCRATCH/top.jsonl" | node -e 'console.log(
		JSON.parse(require("fs").readFileSync(0)).stalls.missed)')
	if [ "${wanted:-0}" = 0 ]; then
		skip top_stalls_are_perfs "the kernel did not come to reclaim here"
	else
		# Before and after perf others may stall too; nearly all in between are its own.
		check top_counts_perfs_stalls "perf $wanted, top $got" at_least "$((wanted * 98 / 100))" "$got"
		check top_stalls_are_perfs "perf $wanted; top told $new and missed $missed" \
			test "$new" -gt 0 -a "$new" -le $((wanted * 102 / 100)) -a \
			$((new + missed)) -ge $((wanted * 90 / 100))
	fi
	for _ in 1 2 3 4 5; do rmdir "$group" 2>/dev/null && break; sleep 0.2; done
fi

# ---- What it may, and what it leaves ------------------------------------------------------

for signal in INT KILL; do
	rm -f "$SCRATCH/top.jsonl"
	env --default-signal=INT "$KMEMLAB" top --json -i 200ms >"$SCRATCH/top.jsonl" 2>/dev/null &
	top=$!
	for _ in $(seq 100); do [ -s "$SCRATCH/top.jsonl" ] && break; sleep 0.1; done
	links_of $top >"$SCRATCH/links"
	same "top_${signal,,}_gave_up_what_it_may" "0000000000000000 2" \
		"$(awk '/^CapEff/ { c = $2 } /^Seccomp:/ { print c, $2 }' /proc/$top/status)"
	kill -s $signal $top
	wait $top 2>/dev/null
	status=$?
	same "top_${signal,,}_ends_it" "$([ $signal = KILL ] && echo 137 || echo 0)" $status
	check "top_${signal,,}_had_something_to_detach" "fewer than 6 links" \
		at_least 6 "$(wc -l <"$SCRATCH/links")"
	same "top_${signal,,}_leaves_nothing_attached" 0 "$(still_attached "$SCRATCH/links")"
done

"$KMEMLAB" top --json -i 100ms 2>"$WORDS" | head -n 1 >/dev/null
status=${PIPESTATUS[0]}
check top_ends_when_nobody_reads "exit status $status: $(cat "$WORDS")" test "$status" -lt 126
exit 0
