# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# lib.sh - for the test scripts that run-tests.sh runs: `. tests/support/lib.sh`.
#
# A script prints `ok NAME`, `not ok NAME - why` or `skip NAME - why` and is given
# KMEMLAB (the program), SCRATCH (an empty directory), BUILD.
set -u

ok() { # name
	echo "ok $1"
}

not_ok() { # name why
	echo "not ok $1 - $2"
}

skip() { # name why
	echo "skip $1 - $2"
}

# check NAME WHY COMMAND... - ok if the command succeeds
check() {
	local name=$1 why=$2
	shift 2
	if "$@"; then ok "$name"; else not_ok "$name" "$why"; fi
}

# same NAME WANTED GOT
same() {
	if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "wanted '$2', got '$3'"; fi
}

# field FILE EXPRESSION - a JavaScript expression over the JSON document d
field() {
	node -e 'try {
			const d = JSON.parse(require("fs").readFileSync(process.argv[1], "utf8"));
			const v = eval(process.argv[2]);
			console.log(typeof v === "object" ? JSON.stringify(v) : String(v));
		} catch (e) {
			console.log("(" + e.message.split("\n")[0] + ")");
		}' "$1" "$2"
}

# identity INFO - "true" if what fired is accounted for, in `info --json`
identity() {
	field "$1" '(a => a.fired > 0 && a.fired === a.recorded + a.filtered + a.lost_ring +
		a.lost_recursion + a.lost_write)(d.accounting)'
}

# at_least WANTED GOT - also false where GOT is no number
at_least() {
	[ "$2" -ge "$1" ] 2>/dev/null
}

# events_of_process TRACE NAME PID|COMM VALUE - events of tracepoint NAME by a
# process: a "task" line says who runs on its CPU from then on
events_of_process() {
	"$KMEMLAB" dump --json "$1" 2>/dev/null | awk -v kind="\"kind\":\"$2\"" \
		-v who="$(if [ "$3" = pid ]; then echo "\"pid\":$4,"; else echo "\"comm\":\"$4\""; fi)" '
		match($0, /"cpu":[0-9]+/) { cpu = substr($0, RSTART, RLENGTH) }
		/"kind":"task"/ { on[cpu] = index($0, who) > 0; next }
		on[cpu] && index($0, kind) { n++ }
		END { print n + 0 }'
}

# needs_recording NAME... - skip these and end, where the host cannot be recorded
needs_recording() {
	local name
	"$KMEMLAB" doctor >"$SCRATCH/doctor.txt" 2>&1 && return
	for name in "$@"; do
		skip "$name" "doctor: $(tail -n 1 "$SCRATCH/doctor.txt")"
	done
	exit 0
}

# done_or_lost STATUS - a recording that ended as it should: 0, or 7 (events were
# lost and counted, which a busy machine may cause)
done_or_lost() {
	[ "$1" = 0 ] || [ "$1" = 7 ]
}

# links_of PID - the numbers of the BPF links that a process holds; another
# recorder's, which may come and go meanwhile, are none of our business
links_of() {
	cat /proc/"$1"/fdinfo/* 2>/dev/null | awk '/^link_id:/ { print $2 }'
}

# still_attached FILE - how many of the links numbered in FILE the kernel still has;
# it takes a moment to let go of a killed process's
still_attached() {
	local i n=0
	for i in 1 2 3 4 5 6 7 8 9 10; do
		n=$(bpftool link list 2>/dev/null | awk -F: '/^[0-9]/ { print $1 }' | grep -cxFf "$1")
		[ "$n" = 0 ] && break
		sleep 0.2
	done
	echo "$n"
}

# until_recording PID FILE - wait until the recorder PID has written to FILE, which
# has another name until it is complete
until_recording() {
	local i
	for i in $(seq 100); do
		[ -s "$2" ] || [ -s "$2.partial" ] && return 0
		kill -0 "$1" 2>/dev/null || return 1
		sleep 0.1
	done
	return 1
}

# churn MEGABYTES - one process that allocates and frees so much memory
churn() {
	tail -c "${1}M" /dev/zero >/dev/null
}
