#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# backend.sh - plug-ins: the examples give results, a broken one is found out.
. tests/support/lib.sh
sample=reports/samples/mix.kmt
out=$SCRATCH/r.json

# plug_in DEFECT WORDS - built with the defect, the replay says WORDS and fails
plug_in() {
	cc -shared -fPIC -Iinclude -DDEFECT="$1" -o "$SCRATCH/$1.so" tests/cli/broken_backend.c &&
		! "$KMEMLAB" replay --backend "$SCRATCH/$1.so" "$sample" >"$SCRATCH/out" 2>"$SCRATCH/err" &&
		grep -qF -- "$2" "$SCRATCH/err" && [ ! -s "$SCRATCH/out" ]
}

touch "$SCRATCH/err"
while read -r defect words; do
	check "backend: $defect is found out" "status or words: $(cat "$SCRATCH/err")" \
		plug_in "$defect" "$words"
done <<-END
	OLD_ABI it is built for ABI
	NO_FREE a function is missing
	BAD_NAME its name is not
	NO_START backend 'broken' cannot start: no reason
	TWICE is reserved or in use already
	UNALIGNED is not aligned to its size
	OUTSIDE lies outside all zones
	REFUSES which was in use, returned -1
	MISCOUNTS count says that
END
"$KMEMLAB" replay --backend nowhere.so "$sample" >/dev/null 2>"$SCRATCH/err"
same "backend: no such file, status" 1 $?
check "backend: no such file, words" "$(cat "$SCRATCH/err")" grep -q "cannot load backend" "$SCRATCH/err"
check "backend: examples run" "$(cat "$SCRATCH/err")" \
	"$KMEMLAB" replay --backend "$BUILD/backends/bitmap.so" \
	--backend "$BUILD/backends/chunks.so:chunk=16" "$sample" -o "$out"
same "backend: their runs are in the result" "kernel refmm plug-in plug-in" \
	"$(field "$out" 'd.runs.map(r => r.policy).join(" ")')"
same "backend: and are measured" "observed reference first-fit chunks baseline" \
	"$(field "$out" 'd.fidelity.runs.map(r => r.name).join(" ")')"
same "backend: every page they gave came back or lives" "true" "$(field "$out" \
	'd.runs.slice(2).every(r => !r.unmatched.free_refused && !r.unmatched.alloc_failed)')"
