#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# check.sh BUILD - what a change must pass besides its tests: style, format,
# warnings, lint, tests under sanitizers, the lock protocol's model, fuzzing. Stops at the first failure
# and shows its output. FUZZ_SECONDS is per target, default 30.
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=$(realpath -m "${1:-build}")
FUZZ_SECONDS=${FUZZ_SECONDS:-30}
JOBS=$(nproc)
LOG=$BUILD/check.log
PAGE=$BUILD/page/report.html
passed=0

step() { # name command...
	local name=$1 start=$SECONDS
	shift
	if ! "$@" >"$LOG" 2>&1 </dev/null; then
		tail -n 200 "$LOG"
		echo "not ok $name - $((SECONDS - start)) s; all of it in $LOG"
		echo "$passed passed, 1 failed, 0 skipped"
		exit 1
	fi
	echo "ok $name ($((SECONDS - start)) s)"
	passed=$((passed + 1))
}

sources() { # pattern...
	local file
	git ls-files -- "$@" | while read -r file; do [ -f "$file" ] && echo "$file"; done
}

# One page serves all build directories: it does not depend on the compiler.
sub_make() { # directory arguments...
	local dir=$1
	shift
	make -j"$JOBS" BUILD="$BUILD/$dir" PAGE="$PAGE" "$@"
}

format() {
	# shellcheck disable=SC2046
	clang-format --dry-run -Werror $(sources '*.c' '*.h')
}

build() {
	make "$PAGE" BUILD="$BUILD" && sub_make check WERROR=1 all bins
}

cppcheck_sources() {
	# shellcheck disable=SC2046
	cppcheck -q -j "$JOBS" --std=c11 --language=c --enable=warning,performance,portability \
		--inline-suppr --suppress=missingInclude --suppress=missingIncludeSystem \
		--error-exitcode=1 -Iinclude -Iuser -D_GNU_SOURCE -DKMEMLAB_VERSION='"0"' \
		--suppress=varFuncNullUB --suppress=invalidPrintfArgType_uint \
		--suppress=comparePointers:user/report/template.c \
		--include=tests/support/cppcheck.h -DPAGE_PATH='""' \
		$(sources 'user/*.c' 'refmm/*.c' 'tests/*.c')
}

# bpftool's skeletons leak where their memory runs out; that is not ours to mend.
tidy_file() { # file
	local checks=''
	grep -q '#include ".*skel\.h"' "$1" && checks='-clang-analyzer-unix.Malloc'
	clang-tidy --quiet --checks="$checks" "$1" -- -std=gnu11 -D_GNU_SOURCE \
		-DKMEMLAB_VERSION='"0"' -DPAGE_PATH='"/dev/null"' -Iinclude -Iuser \
		-isystem "$BUILD/check/bpf"
}

# One file a process: clang 14 misjudges va_list in every file but the first.
# llfree.c is compiled with the sources of LLFree alone, which no package has.
tidy() {
	local checks
	checks=$(clang-tidy --list-checks 2>/dev/null | grep -c '^ ')
	if [ "$checks" -lt 50 ]; then
		echo ".clang-tidy selects $checks checks; its pattern is wrong"
		return 1
	fi
	echo "$checks checks"
	export -f tidy_file
	export BUILD
	sources 'user/*.c' 'refmm/*.c' 'tests/*.c' | grep -v '^tests/bench/llfree\.c$' |
		xargs -P "$JOBS" -I{} bash -c 'tidy_file {}'
}

sanitized() {
	local bins
	sub_make san SAN=address,undefined CFLAGS='-O1 -g -fno-sanitize-recover=all' bins || return
	bins=$(ls tests/*/test_*.c tests/prop/prop_*.c 2>/dev/null | sed "s,\(.*\)\.c,$BUILD/san/\1,")
	# shellcheck disable=SC2086
	UNIT_TIMEOUT=300 UBSAN_OPTIONS=print_stacktrace=1 tests/support/run-units.sh $bins
}

# Only what starts threads; without address randomisation, which TSan dislikes.
threads() {
	local bins
	bins=$(grep -ls pthread_create tests/*/test_*.c tests/prop/prop_*.c |
		sed "s,\(.*\)\.c,$BUILD/tsan/\1,")
	[ -n "$bins" ] || return 0
	# shellcheck disable=SC2086
	sub_make tsan SAN=thread CFLAGS='-O1 -g' $bins || return
	# shellcheck disable=SC2086
	UNIT_TIMEOUT=300 setarch -R tests/support/run-units.sh $bins
}

fuzz_target() { # source
	local name
	name=$(basename "$1" .c)
	mkdir -p "$BUILD/fuzz/corpus-$name"
	# shellcheck disable=SC2046
	"$BUILD/fuzz/tests/fuzz/$name" -max_total_time="$FUZZ_SECONDS" -timeout=10 \
		-rss_limit_mb=1024 -print_final_stats=1 \
		-artifact_prefix="$BUILD/fuzz/$name-" "$BUILD/fuzz/corpus-$name" \
		$(ls -d "tests/data/$name" "tests/fuzz/corpus-$name" 2>/dev/null) 2>&1 |
		sed "s/^/$name: /"
	return "${PIPESTATUS[0]}"
}

fuzz() {
	sub_make fuzz CC=clang SAN=fuzzer-no-link,address,undefined CFLAGS='-O1 -g -fno-sanitize-recover=all' fuzz-bins ||
		return
	export -f fuzz_target
	export BUILD FUZZ_SECONDS
	sources 'tests/fuzz/fuzz_*.c' | xargs -P "$JOBS" -I{} bash -c 'fuzz_target {}'
}

tests/support/deps.sh build test check || exit
mkdir -p "$BUILD" || exit 1
step style tests/support/style.sh
step format format
step warnings build
step cppcheck cppcheck_sources
step clang-tidy tidy
step "address and undefined behaviour" sanitized
step threads threads
step "spin model" tests/spin/run.sh "$BUILD"
step "fuzzing, $FUZZ_SECONDS s each" fuzz
echo "$passed passed, 0 failed, 0 skipped"
