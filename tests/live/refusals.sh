#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# refusals.sh - what record will not do, and that it says why and leaves nothing.
. tests/support/lib.sh

T=$SCRATCH/t.kmt
WORDS=$SCRATCH/words

# said NAME PATTERN - the last command's words
said() {
	check "$1" "it said: $(tail -n 1 "$WORDS")" grep -q "$2" "$WORDS"
}

"$KMEMLAB" record -o "$T" -- no-such-command-here 2>"$WORDS"
same absent_command_exits_1 1 $?
said absent_command_is_named "no-such-command-here"
check absent_command_leaves_no_file "a file was made" test ! -e "$T"

# As nobody, with a copy and a directory that nobody can reach.
cp "$KMEMLAB" "$SCRATCH/copy" && chmod 755 "$SCRATCH/copy"
mkdir -m 777 "$SCRATCH/open"
nobody="setpriv --reuid=65534 --regid=65534 --clear-groups"
if [ "$(id -u)" = 0 ] && $nobody "$SCRATCH/copy" --version >/dev/null 2>&1; then
	$nobody "$SCRATCH/copy" record -d 1s -o "$SCRATCH/open/t.kmt" 2>"$WORDS"
	same unprivileged_exits_3 3 $?
	said unprivileged_is_told_what_to_do "run as root"
	same unprivileged_says_one_line 1 "$(wc -l <"$WORDS")"
	same unprivileged_writes_nothing "" "$(ls -A "$SCRATCH/open")"
	# What 'doctor' advises instead of root must be enough.
	caps=-all,+bpf,+perfmon,+dac_read_search,+syslog
	if $nobody --inh-caps=$caps --ambient-caps=$caps "$SCRATCH/copy" doctor \
		>"$SCRATCH/caps.txt" 2>&1; then
		$nobody --inh-caps=$caps --ambient-caps=$caps "$SCRATCH/copy" record -q -d 500ms \
			-o "$SCRATCH/open/t.kmt" 2>"$WORDS"
		status=$?
		check capabilities_instead_of_root_suffice "exit status $status: $(tail -n 1 "$WORDS")" \
			done_or_lost $status
	else
		skip capabilities_instead_of_root_suffice "$(tail -n 1 "$SCRATCH/caps.txt")"
	fi
else
	skip unprivileged_exits_3 "cannot become nobody here"
fi

needs_recording existing_file_is_refused link_is_refused full_disk_leaves_a_readable_file

echo precious >"$T"
"$KMEMLAB" record -d 1s -o "$T" 2>"$WORDS"
same existing_file_exits_1 1 $?
said existing_file_names_the_way_out "use -f"
same existing_file_is_untouched precious "$(cat "$T")"
"$KMEMLAB" record -q -d 500ms -f -o "$T" 2>"$WORDS"
check force_overwrites "exit status $?" done_or_lost $?
check force_makes_a_trace "not readable" "$KMEMLAB" info "$T" >/dev/null

ln -s "$SCRATCH/target" "$SCRATCH/link.kmt"
"$KMEMLAB" record -d 500ms -f -o "$SCRATCH/link.kmt" 2>"$WORDS"
same link_is_refused 1 $?
check link_is_not_followed "its target was made" test ! -e "$SCRATCH/target"

"$KMEMLAB" record -d 500ms -o "$SCRATCH/no/such/dir.kmt" 2>"$WORDS"
same absent_directory_exits_1 1 $?
said absent_directory_is_named "no/such/dir.kmt"

# A file may not grow over 1 MiB: the same for a process without privileges.
(
	ulimit -f 1024
	"$KMEMLAB" record -f -d 20s -o "$T" -- sh -c \
		'while :; do tail -c 20M /dev/zero >/dev/null; done' 2>"$WORDS"
)
same file_limit_exits_1 1 $?
said file_limit_says_so "File too large"
"$KMEMLAB" info --json "$T" >"$SCRATCH/limit.json" 2>/dev/null
status=$?
check file_limit_leaves_a_readable_file "info exits with $status" \
	test $status = 0 -o $status = 5
check file_limit_keeps_events "fewer than 1000 events in the file" \
	at_least 1000 "$(field "$SCRATCH/limit.json" d.events_total)"

# A disk of 1 MiB, in a mount namespace of its own so that nothing remains.
cat >"$SCRATCH/full.sh" <<'END'
mount -t tmpfs -o size=1m none "$SCRATCH/open" || exit 99
"$KMEMLAB" record -d 20s -o "$SCRATCH/open/full.kmt" -- sh -c \
	'while :; do tail -c 20M /dev/zero >/dev/null; done' 2>"$SCRATCH/words"
status=$?
"$KMEMLAB" info --json "$SCRATCH/open/full.kmt" >"$SCRATCH/full.json" 2>/dev/null
echo $? >"$SCRATCH/full.info"
exit $status
END
export SCRATCH KMEMLAB
unshare -m sh "$SCRATCH/full.sh" 2>/dev/null
status=$?
if [ $status = 99 ] || [ ! -e "$SCRATCH/full.info" ]; then
	skip full_disk_leaves_a_readable_file "cannot mount a tmpfs here"
else
	same full_disk_exits_1 1 $status
	said full_disk_says_so "No space left on device"
	check full_disk_leaves_a_readable_file "info exits with $(cat "$SCRATCH/full.info")" \
		grep -qx '[05]' "$SCRATCH/full.info"
	check full_disk_keeps_events "fewer than 1000 events in the file" \
		at_least 1000 "$(field "$SCRATCH/full.json" d.events_total)"
fi
exit 0
