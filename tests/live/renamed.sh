#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# renamed.sh - exec renames a task on all CPUs: one that ran on the second CPU, calls
# exec on the first and comes back to where its old name was known, is told by its
# new one.
. tests/support/lib.sh
needs_recording renamed_task_has_its_new_name
if [ "$(nproc)" -lt 2 ] || ! command -v perl >/dev/null; then
	skip renamed_task_has_its_new_name "wants two CPUs and perl"
	exit 0
fi
TIMES=20 MIB=64 PAGES_OF_A_START=1500

cp -L "$(command -v perl)" "$SCRATCH/kmlold"
cp -L "$(command -v perl)" "$SCRATCH/kmlnew"
# shellcheck disable=SC2016
ON='sub on { syscall(203, 0, 8, pack("Q", 1 << $_[0])) == 0 or die "sched_setaffinity: $!" }'
cat >"$SCRATCH/old.pl" <<END
$ON
on(1);
my @some = map { "x" x 4096 } 1 .. 16;
on(0);
exec "$SCRATCH/kmlnew", "$SCRATCH/new.pl", $MIB;
END
cat >"$SCRATCH/new.pl" <<END
$ON
on(1);
my \$much = "x" x (\$ARGV[0] << 20);
END
# shellcheck disable=SC2016
LOAD='for i in $(seq '$TIMES'); do "$0/kmlold" "$0/old.pl" || exit; done'
"$KMEMLAB" record -q --probe page -o "$SCRATCH/t.kmt" -- \
	sh -c "$LOAD" "$SCRATCH" 2>"$SCRATCH/words"
status=$?
check renamed_recording_ends_well "exit status $status: $(cat "$SCRATCH/words")" done_or_lost $status
"$KMEMLAB" stat --by command --json "$SCRATCH/t.kmt" >"$SCRATCH/t.json"
pages() { # command
	field "$SCRATCH/t.json" "(d.command.find(r => r.command === '$1') || {pages: 0}).pages"
}
check renamed_task_has_its_new_name "$(pages kmlnew) pages" \
	at_least $((TIMES * MIB * 256)) "$(pages kmlnew)"
check renamed_task_keeps_nothing_by_its_old_name "$(pages kmlold) pages" \
	at_least "$(pages kmlold)" $((TIMES * PAGES_OF_A_START))

# The live view keeps commands in tables of its own.
"$KMEMLAB" top --json -i 200ms >"$SCRATCH/top.jsonl" 2>"$SCRATCH/words" &
top=$!
for _ in $(seq 100); do
	[ -s "$SCRATCH/top.jsonl" ] && break
	sleep 0.1
done
sh -c "$LOAD" "$SCRATCH"
sleep 0.5
kill -TERM $top
wait $top
same renamed_top_ends_well 0 $?
{ echo '[' && paste -sd, "$SCRATCH/top.jsonl" && echo ']'; } >"$SCRATCH/top.json"
allocs() { # command
	field "$SCRATCH/top.json" "d.flatMap(r => r.groups.pages).filter(r => r.name === '$1')
		.reduce((n, r) => n + r.allocs, 0)"
}
check renamed_task_has_its_new_name_in_top "$(allocs kmlnew) allocations" \
	at_least $((TIMES * MIB * 256)) "$(allocs kmlnew)"
check renamed_task_keeps_nothing_by_its_old_name_in_top "$(allocs kmlold) allocations" \
	at_least "$(allocs kmlold)" $((TIMES * PAGES_OF_A_START))
exit 0
