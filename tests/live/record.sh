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
cat >"$SCRATCH/sum.js" <<'END'
const total = d.account.totals;
total.fired === total.recorded + total.filtered + total.lost_ring + total.lost_recursion +
	total.lost_write;
END
same record_identity true "$(field "$SCRATCH/info.json" "$(cat "$SCRATCH/sum.js")")"
# The totals are the recorder's word; the events in the file are the reader's.
same record_file_holds_what_was_recorded \
	"$(field "$SCRATCH/info.json" d.account.totals.recorded)" \
	"$("$KMEMLAB" dump --json "$T" | grep -c '^{')"
same record_identity_on_every_cpu_and_kind true "$(field "$SCRATCH/info.json" '
	d.account.accounting.every(r =>
		r.fired === r.recorded + r.filtered + r.lost_ring + r.lost_write)')"
check record_filled_the_trace "fewer than 10000 events" test \
	"$(field "$SCRATCH/info.json" d.account.totals.recorded)" -ge 10000

covered() { # alloc|free
	field "$SCRATCH/info.json" \
		"100 * d.account.coverage.pages_$1_seen / d.account.coverage.pages_$1_vmstat"
}
within() { # percent
	awk -v p="$1" 'BEGIN { exit !(p >= 99 && p <= 101) }'
}
check record_covers_allocations "$(covered alloc) % of vmstat's, wanted 99 to 101" \
	within "$(covered alloc)"
check record_covers_frees "$(covered free) % of vmstat's, wanted 99 to 101" \
	within "$(covered free)"
same record_file_is_private 600 "$(stat -c %a "$T")"
# Kernel addresses begin with ffff; a frame number or symbol offset does not.
check record_file_shows_no_kernel_address "an address in the dump" \
	sh -c '! "$0" dump "$1" | grep -Eq "(^|[^0-9a-f])ffff[0-9a-f]{12}"' "$KMEMLAB" "$T"
exit 0
