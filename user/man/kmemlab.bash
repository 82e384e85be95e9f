# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# kmemlab.bash - completion: commands and options as the program lists them, then files.

_kmemlab_commands() {
	"${1:-kmemlab}" help 2>/dev/null | sed -n 's/^  \([a-z]*\)  .*/\1/p'
}

_kmemlab_options() { # program command
	"$1" help "$2" 2>/dev/null | sed -n 's/^ *\(-., \)\{0,1\}\(--[a-z-]*\(=\)\{0,1\}\).*/\2/p'
}

_kmemlab() {
	local word=${COMP_WORDS[COMP_CWORD]} program=${COMP_WORDS[0]} reply
	COMPREPLY=()
	if [ "$COMP_CWORD" = 1 ] || { [ "$COMP_CWORD" = 2 ] && [ "${COMP_WORDS[1]}" = help ]; }; then
		reply="$(_kmemlab_commands "$program") help"
	elif [ "${word#-}" != "$word" ]; then
		reply=$(_kmemlab_options "$program" "${COMP_WORDS[1]}")
	else
		return # files: the default
	fi
	mapfile -t COMPREPLY < <(compgen -W "$reply" -- "$word")
	case "${COMPREPLY[*]}" in
	*=) compopt -o nospace 2>/dev/null ;;
	esac
}

complete -o default -F _kmemlab kmemlab
