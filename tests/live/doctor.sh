#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# doctor.sh - what `kmemlab doctor` says is so, here: its shape, its verdict
# against the system's own tools, and that it leaves nothing behind.
. tests/support/lib.sh

as_nobody() {
	setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
}

mounted() { # type
	awk -v type="$1" '$3 == type { found = 1 } END { print found ? "yes" : "no" }' /proc/mounts
}

# Programs by doctor's own name for them: other recorders may come and go. The
# kernel takes a moment to let go of what a closed link held.
programs() {
	local i n=0
	for i in 1 2 3 4 5 6 7 8 9 10; do
		n=$(bpftool prog list 2>/dev/null | grep -c 'name kmemlab_doctor')
		[ "$n" = 0 ] && break
		sleep 0.2
	done
	echo "$n"
}

mounts_before=$(sort /proc/self/mounts)
"$KMEMLAB" doctor --json >"$SCRATCH/doctor.json" 2>"$SCRATCH/words"
status=$?

same doctor_json_schema kmemlab-doctor/1 "$(field "$SCRATCH/doctor.json" d.schema)"
same doctor_exit_is_in_json "$status" "$(field "$SCRATCH/doctor.json" d.exit)"
same doctor_json_checks_are_complete true "$(field "$SCRATCH/doctor.json" '
	d.checks.length >= 20 && d.checks.every(c => c.what && c.detail &&
		["yes", "no", "mount", "part"].includes(c.state) && typeof c.required === "boolean" &&
		(c.state === "yes" || (c.without && c.todo && Number.isInteger(c.errno))))')"
same doctor_verdict_follows_required_checks true "$(field "$SCRATCH/doctor.json" '
	(d.recording === "possible") ===
		!d.checks.some(c => c.required && ["no", "mount"].includes(c.state))')"
same doctor_says_nothing_on_stderr "" "$(cat "$SCRATCH/words")"
same doctor_leaves_mounts_alone "$mounts_before" "$(sort /proc/self/mounts)"
same doctor_leaves_nothing_loaded 0 "$(programs)"

state() { # what
	field "$SCRATCH/doctor.json" "d.checks.find(c => c.what === '$1').state"
}

if [ "$(id -u)" = 0 ]; then
	for type in tracefs debugfs; do
		[ "$(mounted $type)" = yes ] && same "doctor_${type}_is_mounted" yes "$(state $type)"
	done
	same doctor_slabinfo_as_readable \
		"$(head -c 1 /proc/slabinfo >/dev/null 2>&1 && echo yes || echo no)" \
		"$(state slabinfo)"
fi

"$KMEMLAB" doctor >"$SCRATCH/doctor.txt" 2>&1
same doctor_text_lists_all_checks "$(field "$SCRATCH/doctor.json" d.checks.length)" \
	"$(grep -cE '^[a-zA-Z_ ]+ +(yes|no|mount|part) ' "$SCRATCH/doctor.txt")"

# Somebody else's directory may not be reachable: run a copy.
cp "$KMEMLAB" "$SCRATCH/copy" && chmod 755 "$SCRATCH/copy"
if [ "$(id -u)" != 0 ]; then
	skip doctor_unprivileged_exits_3 "not root, so cannot become nobody"
elif ! as_nobody "$SCRATCH/copy" --version >/dev/null 2>&1; then
	skip doctor_unprivileged_exits_3 "cannot run a program as nobody here"
else
	as_nobody "$SCRATCH/copy" doctor >"$SCRATCH/nobody.txt" 2>&1
	same doctor_unprivileged_exits_3 3 $?
	check doctor_unprivileged_says_what_to_do "no advice to run as root" \
		grep -q 'run as root' "$SCRATCH/nobody.txt"
	# "0 of 25 attach, not NAME NAME ... and 20 more: why": no name is cut, and none uncounted
	same doctor_counts_what_it_has_no_room_to_name true "$(awk '/^family tps / {
			sub(/: Operation.*/, ""); sub(/.* no +/, ""); n = split($0, word, " ")
			for (i = 6; i <= n && word[i] != "and"; i++) named++
			print named + (i < n ? word[i + 1] : 0) == word[3] ? "true" : $0
		}' "$SCRATCH/nobody.txt")"
fi

# What doctor says of a process and what record does there must be one, whichever
# files that process may read. tracefs and the page map are closed to the first.
for caps in +bpf,+perfmon +bpf,+perfmon,+dac_read_search,+syslog; do
	name=doctor_agrees_with_record_under_$(tr , _ <<<"${caps//+/}")
	mkdir -p -m 777 "$SCRATCH/open"
	if ! as_nobody --inh-caps="$caps" --ambient-caps="$caps" "$SCRATCH/copy" --version \
		>/dev/null 2>&1; then
		skip "$name" "cannot run a program as nobody with capabilities here"
		continue
	fi
	as_nobody --inh-caps="$caps" --ambient-caps="$caps" "$SCRATCH/copy" doctor \
		>"$SCRATCH/caps.txt" 2>&1
	said=$?
	as_nobody --inh-caps="$caps" --ambient-caps="$caps" "$SCRATCH/copy" record -q -f -d 500ms \
		-o "$SCRATCH/open/t.kmt" >"$SCRATCH/words" 2>&1
	did=$?
	[ $did = 7 ] && did=0 # recorded, but lost events
	check "$name" "doctor exits with $said, record with $did: $(tail -n 1 "$SCRATCH/words")" \
		test $((said == 0)) = $((did == 0))
done

"$KMEMLAB" doctor --jsno >/dev/null 2>"$SCRATCH/words"
same doctor_unknown_option_exits_2 2 $?
check doctor_unknown_option_names_the_nearest "no '--json' in the message" \
	grep -q "did you mean '--json'" "$SCRATCH/words"
exit 0
