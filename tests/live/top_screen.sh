#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# top_screen.sh - `kmemlab top` on a terminal, its keys pressed in tmux.
. tests/support/lib.sh
command -v tmux >/dev/null || {
	skip top_screen "no tmux; 'make deps' installs it"
	exit 0
}
needs_recording top_screen_fits_80x24 top_screen_keys

terminal() { tmux -S "$SCRATCH/tmux" "$@"; }
screen() { terminal capture-pane -p; }
# A shell of its own in which nothing is set up, and a load that is always there.
terminal -f /dev/null new-session -d -x 80 -y 24 "PS1='ready> ' bash --norc --noprofile" || {
	skip top_screen "tmux does not start here"
	exit 0
}
while :; do ls -l /usr/bin /usr/lib >/dev/null; sleep 0.1; done &
load=$!
trap 'kill $load; terminal kill-server 2>/dev/null' EXIT

# shows PATTERN [NOT] - wait until the screen has it (has it no more), up to 10 s
shows() {
	for _ in $(seq 100); do
		if screen | grep -Eq -- "$1"; then [ -z "${2-}" ] && return; else [ -n "${2-}" ] && return; fi
		sleep 0.1
	done
	return 1
}

# does NAME KEYS PATTERN [NOT] - press keys, and the screen has it
does() {
	# shellcheck disable=SC2086 # several keys
	terminal send-keys $2
	check "top_screen_$1" "on the screen: $(screen | grep -v '^$' | tail -n 12 | tr '\n' '|')" \
		shows "$3" "${4-}"
}

# start OPTION... - and until there is a reading
start() {
	terminal send-keys "clear; $KMEMLAB top $*" Enter
	shows '^free  ' && shows 'q quit'
}

# at_rest - the shell is back, on a terminal as it was
at_rest() {
	terminal send-keys Enter
	shows '^ready> *$'
	terminal send-keys "clear; stty -g >$SCRATCH/now; echo compared" Enter
	shows '^compared'
	cmp -s "$SCRATCH/was" "$SCRATCH/now"
}

top_pid() { # of the top in the terminal
	local shell
	shell=$(terminal list-panes -F '#{pane_pid}')
	pgrep -P "$shell" -x kmemlab
}

shows 'ready>'
terminal send-keys "stty -g >$SCRATCH/was; clear" Enter
shows '^ready> *$'

# ---- 80 by 24 ---------------------------------------------------------------------

check top_screen_starts "$(screen)" start -i 300ms
screen >"$SCRATCH/screen"
check top_screen_fits_80x24 "$(cat "$SCRATCH/screen")" awk '
	NR == 1 { ok = /^kmemlab top +[0-9:]+ +last [0-9.]+ s/ } /^pages / { n++ } /^objects / { n++ }
	/^cost .*programs [0-9.]+ % of a CPU .*kmemlab [0-9.]+ %, maps/ { n++ } /^unusable/ { n++ }
	/^trend/ { n++ } /^stalls/ { n++ } /^cache .*\*given\/s/ { head = NR }
	/h help  q quit/ { foot = NR } END { exit !(ok && n == 6 && head > 8 && foot == 24 && NR == 24) }' \
	"$SCRATCH/screen"
check top_screen_rows_reach_to_the_foot "$(cat "$SCRATCH/screen")" awk '
	NR > 16 && NR < 24 && !/[0-9BKM]$/ { bad = 1 } END { exit bad }' "$SCRATCH/screen"

# ---- Keys -------------------------------------------------------------------------

does table_of_sites g '^site .*\*given/s'
does table_of_commands Tab '^command .*\*given/s'
does table_of_pages g '^pages .*\*given/s'
does table_of_orders g '^order .*\*given/s'
does table_of_caches_again g '^cache .*\*given/s'
does table_before G '^order .*\*given/s'
does table_after g '^cache .*\*given/s'
does sort_by_allocs 2 '\*allocs/s'
does sort_by_live 4 '\*live'
does sort_by_the_next s '\*growth/s'
does sort_by_slabs 6 '\*slabs'
does sort_by_name 7 '\*(given|allocs|live|growth|waste|slabs)' not
# In C's order, as few of a host's caches differ in digits alone.
names() { screen | awk '/^cache /{ on = 1; next } /q quit/ { on = 0 } on { print $1 }'; }
names >"$SCRATCH/names"
check top_screen_names_rise "$(tr '\n' ' ' <"$SCRATCH/names")" \
	test "$(wc -l <"$SCRATCH/names")" -gt 5 -a "$(head -n 1 "$SCRATCH/names")" \< "$(tail -n 1 "$SCRATCH/names")"
first=$(head -n 1 "$SCRATCH/names" | tr -c '[:alnum:]_\n' .) # "(large:" is a name too
does scroll_down Down "^$first " not
does scroll_up Home "^$first "
terminal send-keys r
sleep 0.5
names >"$SCRATCH/names"
check top_screen_names_fall_when_reversed "$(tr '\n' ' ' <"$SCRATCH/names")" \
	test "$(head -n 1 "$SCRATCH/names")" \> "$(tail -n 1 "$SCRATCH/names")"
terminal send-keys r 1

does filter_asks / '^filter: _'
does filter_is_typed kmallocX '^filter: kmallocX_'
does filter_is_corrected 'BSpace -' '^filter: kmalloc-_'
does filter_is_kept Enter '^filter: kmalloc-  [0-9]+ rows'
names >"$SCRATCH/names"
check top_screen_filter_leaves_what_fits "$(tr '\n' ' ' <"$SCRATCH/names")" \
	awk '!/kmalloc-/ { bad = 1 } END { exit bad || !NR }' "$SCRATCH/names"
does filter_takes_q_as_a_letter '/ q' '^filter: kmalloc-q_'
does filter_ends Escape '^[0-9]+ rows'

does help h '^ +/ +show names'
check top_screen_help_fits "$(screen)" awk 'length > 80 { bad = 1 } /^ +h +this help/ { a = 1 }
	/no place/ { b = 1 } /q quit/ { c = NR } END { exit bad || !(a && b && c == 24) }' <(screen)
does help_goes h '^cache '
does trend_of_the_next_order o '^trend +order 10 unusable'
does trend_begins_again o '^trend +order 0 unusable'

does freeze f 'FROZEN .*f go on'
screen >"$SCRATCH/frozen"
sleep 1.5
check top_screen_frozen_figures_stay "they changed" cmp -s "$SCRATCH/frozen" <(screen)
does keys_work_while_frozen g '^site '
does go_on f FROZEN not
sleep 1
check top_screen_goes_on "it does not" test "$(screen | head -n 1)" != "$(head -n 1 "$SCRATCH/frozen")"
does slower '- - -' 'last 2\.[0-9] s'
does faster '+ + +' 'last 0\.[2-5] s'

# ---- Shapes -----------------------------------------------------------------------

terminal resize-window -x 130 -y 40
check top_screen_grows "$(screen)" shows '^site .*\*given/s.*waste%$'
check top_screen_foot_is_below "$(screen)" test "$(screen | grep -n 'q quit' | cut -d: -f1)" = 40
terminal resize-window -x 40 -y 12
sleep 1
check top_screen_shrinks "$(screen)" awk 'length > 40 { bad = 1 } /^site .*\*given\/s allocs\/s/ { a = 1 }
	END { exit bad || !a }' <(screen)
terminal resize-window -x 8 -y 3
sleep 1
check top_screen_survives_any_size "it is gone" test -n "$(top_pid)"
terminal resize-window -x 80 -y 24
check top_screen_comes_back "$(screen)" shows '^site '

# ---- Ends ---------------------------------------------------------------------------

links_of "$(top_pid)" >"$SCRATCH/links"
check top_screen_had_something_to_detach "fewer than 6 links" at_least 6 "$(wc -l <"$SCRATCH/links")"
does stops C-z 'Stopped'
terminal send-keys 'clear; fg' Enter
check top_screen_continues "$(screen)" shows '^site '
terminal send-keys q
check top_screen_quits_and_leaves_the_terminal_sane "$(screen)" at_rest
same top_screen_leaves_nothing_attached 0 "$(still_attached "$SCRATCH/links")"

for signal in INT TERM HUP; do
	start -i 300ms --by pages
	pid=$(top_pid)
	kill -s $signal "$pid"
	check "top_screen_${signal,,}_leaves_the_terminal_sane" "$(screen)" at_rest
	check "top_screen_${signal,,}_ends_it" "it still runs" test ! -e "/proc/$pid"
done
start -i 300ms
terminal send-keys C-c
check top_screen_ctrl_c_leaves_the_terminal_sane "$(screen)" at_rest

start -i 300ms --by command --sort name --filter l
check top_screen_begins_as_told "$(screen)" shows '^filter: l '
terminal send-keys q
at_rest
terminal send-keys "clear; NO_COLOR=1 $KMEMLAB top -n 2 -i 200ms; echo ended with \$?" Enter
check top_screen_ends_after_its_readings "$(screen)" shows '^ended with 0'

# ---- Terminals that will not do -------------------------------------------------------

for term in dumb no-such-terminal; do
	terminal send-keys "clear; TERM=$term $KMEMLAB top; echo ended with \$?" Enter
	check "top_screen_refuses_$term" "$(screen)" shows '^ended with [12]'
	check "top_screen_tells_$term" "$(screen)" grep -q -- --batch <(screen)
done
terminal send-keys "clear; $KMEMLAB top </dev/null; echo ended with \$?" Enter
check top_screen_refuses_no_keys "$(screen)" shows '^ended with 2'
check top_screen_tells_no_keys "$(screen)" grep -q -- --batch <(screen)
exit 0
