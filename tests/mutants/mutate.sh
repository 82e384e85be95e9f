#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# mutate.sh BUILD [NAME...] - do the tests notice bugs? Each entry of list.txt is
# built into a copy of the allocator, in BUILD/mutants, and the tests run until
# one fails: unit tests first, then the property tests with fixed seeds.
#
# Prints `caught NAME by TEST`, `survived NAME`, `equivalent NAME`; in the end the
# survivors and the rate. Exit 1 below 95 %, and when an entry fits no more:
# its text is not found in just one line, it does not compile, or an equivalent
# is noticed.
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=$(realpath -m "${1:-build}")/mutants
LIST=tests/mutants/list.txt
JOBS=$(nproc)
LEAST_PERCENT=95
SECONDS_PER_TEST=60 # of CPU time: how busy the machine is must not matter
export KML_PROP_OPS=${KML_PROP_OPS:-300000} KML_PROP_SCOPE=quick
unset KML_PROP_SEED KML_PROP_CONFIG
shift
ONLY=" $* "

# One line an entry: kind, name, file, context, from, to, why; between them \x1f.
entries() {
	awk '
		function flush() { if (name) printf "%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\n",
				kind, name, file, at, from, to, why; name = at = "" }
		/^(mutant|equivalent) / { flush(); kind = $1; name = $2; file = $3; next }
		/^@ / { at = substr($0, 3) }
		/^- / { from = substr($0, 3) }
		/^[+] / { to = substr($0, 3) }
		/^[.] / { why = substr($0, 3) }
		END { flush() }' "$LIST"
}

# apply CONTEXT FROM TO <FILE - the file with the bug; 1 if the text does not fit
apply() {
	AT=$1 FROM=$2 TO=$3 awk '
		BEGIN { at = ENVIRON["AT"]; from = ENVIRON["FROM"]; to = ENVIRON["TO"]; on = at == "" }
		at != "" && index($0, at) { contexts++; on = 1 }
		on && (i = index($0, from)) && !(at != "" && hits) {
			hits++
			$0 = substr($0, 1, i - 1) to substr($0, i + length(from))
		}
		{ print }
		END { exit !(hits == 1 && (at == "" || contexts == 1)) }'
}

tree() { # directory
	mkdir -p "$1/tests" || return
	cp -ru refmm include "$1/" && cp -ru tests/refmm tests/prop tests/support "$1/tests/" &&
		cp -u tests/mutants/build.mk "$1/"
}

build() { # directory
	make -s -C "$1" -f build.mk >"$1/log" 2>&1
}

# The tests of a tree, those of the mutated file first, random ones last.
tests_of() { # directory file
	local own
	own=tests/refmm/test_$(basename "${2%.*}")
	(cd "$1/bin" && { ls -d "$own"; ls -d tests/refmm/test_*; ls -d tests/prop/prop_*; } 2>/dev/null) |
		grep -v '\.[a-z]*$' | awk '!seen[$0]++'
}

# Prints which test fails; 1 if none does.
failing() { # directory file
	local test output status
	while read -r test; do
		output=$(ulimit -t $SECONDS_PER_TEST
			timeout -k 2 $((20 * SECONDS_PER_TEST)) "$1/bin/$test" 2>&1 </dev/null)
		status=$?
		[ "$status" = 0 ] && continue
		output=$(sed -n 's/^\[  FAILED  \] \(test_[a-z0-9_]*\)$/\1/p' <<<"$output" | head -n 1)
		case $status in
		124 | 137 | 152) output="(hangs)" ;; # by clock, killed, by CPU time
		esac
		echo "${test#tests/} ${output:-(status $status)}"
		return 0
	done < <(tests_of "$1" "$2")
	return 1
}

run_entry() { # directory kind name file context from to why
	local dir=$1 kind=$2 name=$3 file=$4 by
	if ! apply "$5" "$6" "$7" <"$file" >"$dir/$file"; then
		echo "error $name - '$6' is not in just one line of $file"
	elif ! build "$dir"; then
		echo "error $name - does not compile: $(grep -m 1 error: "$dir/log")"
	elif ! by=$(failing "$dir" "$file"); then
		[ "$kind" = mutant ] && echo "survived $name - $8" || echo "equivalent $name - $8"
	elif [ "$kind" = equivalent ]; then
		echo "error $name - is no equivalent, $by notices"
	else
		echo "caught $name by $by"
	fi
	cp "$file" "$dir/$file" # the next build takes it back
}

worker() { # number
	local dir=$BUILD/tree$1 n=0 kind name file at from to why
	tree "$dir" && build "$dir" || { echo "error tree$1 - cannot be built, see $dir/log"; return; }
	if failing "$dir" none >"$dir/failing"; then
		echo "error tree$1 - fails without a bug: $(cat "$dir/failing")"
		return
	fi
	while IFS=$'\x1f' read -r kind name file at from to why; do
		[ "$ONLY" = "  " ] || [[ $ONLY == *" $name "* ]] || continue
		[ $((n++ % JOBS)) = "$1" ] &&
			run_entry "$dir" "$kind" "$name" "$file" "$at" "$from" "$to" "$why"
	done < <(entries)
}

summary() { # log
	local caught survived errors equivalents percent
	caught=$(grep -c '^caught ' "$1") survived=$(grep -c '^survived ' "$1")
	errors=$(grep -c '^error ' "$1") equivalents=$(grep -c '^equivalent ' "$1")
	percent=$((100 * caught / (caught + survived > 0 ? caught + survived : 1)))
	grep '^survived \|^error ' "$1"
	echo "mutants: $caught caught, $survived survived ($percent %), $equivalents equivalent," \
		"$errors errors, $SECONDS s"
	[ "$percent" -ge $LEAST_PERCENT ] && [ "$errors" = 0 ] && [ "$caught" -gt 0 ]
}

mkdir -p "$BUILD" || exit 1
SECONDS=0
for i in $(seq 0 $((JOBS - 1))); do
	worker "$i" &
done | tee "$BUILD/results"
echo "--"
summary "$BUILD/results"
