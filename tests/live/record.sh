#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# record.sh - two seconds of a known workload: the accounting adds up in the
# file as the reader finds it, and coverage holds.
. tests/support/lib.sh
needs_recording record_ends_well record_identity record_covers_allocations record_covers_frees

T=$SCRATCH/t.kmt
"$KMEMLAB" record -d 2s -o "$T" -- sh -c \
	'while :; do tail -c 20M /dev/zero >/dev/null; ls -lR /usr/include >/dev/null; done' \
	2>"$SCRATCH/words"
status=$?
check record_ends_well "exit status $status: $(tail -n 1 "$SCRATCH/words")" done_or_lost $status
"$KMEMLAB" info --json "$T" >"$SCRATCH/info.json"
same info_of_a_recording_exits_0 0 $?
same record_identity true "$(identity "$SCRATCH/info.json")"
# The account is the recorder's word; the events in the file are the reader's.
same record_file_holds_what_was_recorded \
	"$(field "$SCRATCH/info.json" d.accounting.recorded)" \
	"$(field "$SCRATCH/info.json" 'd.events_total - d.events.task')"
check record_filled_the_trace "fewer than 10000 events" \
	at_least 10000 "$(field "$SCRATCH/info.json" d.accounting.recorded)"

covered() { # alloc|free
	field "$SCRATCH/info.json" \
		"(100 * d.coverage.pages_$1_seen / d.coverage.pages_$1_vmstat).toFixed(2)"
}
# What others on this machine take in bulk (vmalloc, page pools) has no tracepoint.
within() { # percent
	awk -v p="$1" 'BEGIN { exit !(p >= 97 && p <= 101) }'
}
check record_covers_allocations "$(covered alloc) % of vmstat's, wanted 97 to 101" \
	within "$(covered alloc)"
check record_covers_frees "$(covered free) % of vmstat's, wanted 97 to 101" \
	within "$(covered free)"
same record_file_is_private 600 "$(stat -c %a "$T")"
# Kernel addresses begin with ffff; a frame number or symbol offset does not.
"$KMEMLAB" dump "$T" >"$SCRATCH/dump"
check record_can_be_dumped "fewer than 10000 lines" at_least 10000 "$(wc -l <"$SCRATCH/dump")"
same record_file_shows_no_kernel_address "" \
	"$(grep -Em 1 '(^|[^0-9a-f])(0x)?ffff[0-9a-f]{12}' "$SCRATCH/dump")"

# What became of the command is told where it did not succeed.
"$KMEMLAB" record -f -o "$SCRATCH/c.kmt" -- true 2>"$SCRATCH/words"
same record_says_nothing_of_a_command_that_succeeded 0 "$(grep -c "command 'true'" "$SCRATCH/words")"
"$KMEMLAB" record -f -o "$SCRATCH/c.kmt" -- sh -c 'exit 3' 2>"$SCRATCH/words"
check record_tells_the_status_of_one_that_failed "$(cat "$SCRATCH/words")" \
	grep -q "command 'sh' exited with status 3" "$SCRATCH/words"

# Frame numbers come from the page map where there is no tracefs.
if ! words=$(unshare -m true 2>&1); then
	skip record_works_without_tracefs "no mount namespace of its own: $words"
	exit 0
fi
T=$SCRATCH/bare.kmt
export T
# shellcheck disable=SC2016
unshare -m sh -c 'umount -l /sys/kernel/tracing /sys/kernel/debug 2>/dev/null
	"$KMEMLAB" record -q -o "$T" -- sh -c "head -c 64M /dev/zero | tail -c 64M >/dev/null"' 2>"$SCRATCH/words"
status=$?
check record_works_without_tracefs "exit status $status: $(cat "$SCRATCH/words")" \
	done_or_lost $status
"$KMEMLAB" info --json "$T" >"$SCRATCH/bare.json"
check record_without_tracefs_covers_allocations "less than 95 %" \
	at_least 95 "$(field "$SCRATCH/bare.json" \
		'Math.floor(100 * d.coverage.pages_alloc_seen / d.coverage.pages_alloc_vmstat)')"
exit 0
