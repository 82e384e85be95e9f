#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# man.sh - every command has a manual page with all its options, and bash completes them.
. tests/support/lib.sh
pages=$SCRATCH/man

if ! command -v scdoc >/dev/null; then
	skip "man: pages" "no scdoc; 'make deps' installs it"
else
	check "man: pages are made" "build.sh failed" user/man/build.sh "$KMEMLAB" "$pages"
	commands=$("$KMEMLAB" help | sed -n 's/^  \([a-z]*\)  .*/\1/p')
	missing=
	for name in $commands; do
		page=$(sed 's/\\-/-/g; s/\\f[A-Z]//g' "$pages/kmemlab-$name.1" 2>/dev/null)
		for option in $("$KMEMLAB" help "$name" | grep -o -- '^ *\(-., \)\{0,1\}--[a-z-]*' | grep -o -- '--[a-z-]*'); do
			grep -q -- "$option" <<<"$page" || missing="$missing $name:$option"
		done
		grep -q "kmemlab-$name" "$pages/kmemlab.1" || missing="$missing kmemlab.1:$name"
		for section in NAME SYNOPSIS DESCRIPTION "EXIT STATUS" "SEE ALSO"; do
			grep -q "^\.SH $section" "$pages/kmemlab-$name.1" || missing="$missing $name:$section"
		done
	done
	same "man: every command, option and section" "" "$missing"
	check "man: options are more than names" "$(grep -c 'top=N' "$pages/kmemlab-stat.1")" \
		grep -q 'At most N rows' "$pages/kmemlab-stat.1"
fi

# --help is for a screen, help for all.
long= silent=
for name in $("$KMEMLAB" help | sed -n 's/^  \([a-z]*\)  .*/\1/p'); do
	[ "$("$KMEMLAB" "$name" --help | wc -l)" -le 50 ] || long="$long $name"
	"$KMEMLAB" help "$name" >"$SCRATCH/all"
	! grep -q '^Examples:' "$SCRATCH/all" || "$KMEMLAB" "$name" --help | grep -q '^  kmemlab' || silent="$silent $name"
done
same "help: 50 lines at most" "" "$long"
same "help: with the examples there are" "" "$silent"
check "help: tells more than --help" "it does not" grep -q 'What --probe sees' <<<"$("$KMEMLAB" help record)"

# complete WORD... - what bash offers for the last word
complete_line() {
	bash -c '. user/man/kmemlab.bash
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
		_kmemlab 2>/dev/null
		echo "${COMPREPLY[*]}"' bash "$@"
}
same "completion: commands" "record replay report" "$(complete_line "$KMEMLAB" re)"
same "completion: commands after help" "compare" "$(complete_line "$KMEMLAB" help com)"
same "completion: options" "--top=" "$(complete_line "$KMEMLAB" stat --to)"
same "completion: files are left to bash" "" "$(complete_line "$KMEMLAB" stat READ)"
