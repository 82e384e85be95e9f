#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# lab.sh BUILD - how far are the replays from the kernel? Records every row of the
# matrix in virtual machines, replays the traces, writes reports/fidelity.md and
# fidelity.json. Half an hour on two CPUs.
#
#   LAB_KERNELS  "6.12 6.1"        LAB_REPEATS  how often each row is recorded (3)
#   LAB_ROWS     names of rows     LAB_REUSE=1  record nothing, replay what is there
#   LAB_OUT      directory of the report (reports)
#
# Traces stay in BUILD/guest/lab/KERNEL/ROW/N.
set -u
cd "$(dirname "$0")/../.." || exit 1
export BUILD
BUILD=$(realpath "${1:-build}")
KMEMLAB=$BUILD/kmemlab
LAB=$BUILD/guest/lab
KERNELS=${LAB_KERNELS-6.12 6.1}
REPEATS=${LAB_REPEATS:-3}
HOST_SECONDS=10

# name, workload and its arguments, options of run.sh
rows() {
	cat <<-'END'
	forks:forks:-m 2G
	pagecache:pagecache:-m 768M
	thp:thp:-m 2G
	sockets:sockets:-m 2G
	dentries:dentries:-m 2G
	compile:compile:-m 2G
	fragment:fragment:-m 1G
	highorder:highorder:-m 1G
	mixed:mixed:-m 1G
	forks-1cpu:forks:-m 1G -c 1
	mixed-4cpu-2nodes:mixed 2:-m 4G -c 4 -n 2
	END
}

say() {
	echo "lab: $*" >&2
}

wanted() { # row
	[ -z "${LAB_ROWS:-}" ] || [[ " $LAB_ROWS " == *" $1 "* ]]
}

# Words, for the report: how to make this trace again.
describe() { # directory command
	echo "$2" >"$1/command"
}

NOT_THERE=5

record() { # kernel workload options directory
	if [ -n "${LAB_REUSE:-}" ]; then
		[ -s "$4/trace.kmt" ] || return $NOT_THERE
		return 0
	fi
	mkdir -p "$4"
	# shellcheck disable=SC2086
	tests/guest/run.sh -q -k "$1" $3 -o "$4" -w ${2/ / -- } || return
	describe "$4" "tests/guest/run.sh -k $1 $3 -o DIR -w ${2/ / -- }"
}

# Beside the reference as it is: one rule of it changed at a time.
ABLATIONS=(
	-p no-pcp:pcp=off -p pcp-fixed:pcp.mode=fixed -p pcp-auto:pcp.mode=auto
	-p claim:fallback=claim -p steal:fallback=steal -p no-mobility:mobility=off
	-p no-boost:vm.watermark_boost_factor=0,reclaim=recorded -p model-reclaim:reclaim=model
)

replay() { # directory
	"$KMEMLAB" replay -f -p observed -p reference "${ABLATIONS[@]}" \
		-o "$1/result.json" "$1/trace.kmt" 2>"$1/replay.log" ||
		say "$1: $(tail -n 1 "$1/replay.log")"
}

guests() {
	local kernel n name workload how dir
	for kernel in $KERNELS; do
		for ((n = 1; n <= REPEATS; n++)); do
			while IFS=: read -r name workload how; do
				wanted "$name" || continue
				dir=$LAB/$kernel/$name/$n
				record "$kernel" "$workload" "$how" "$dir" </dev/null
				case $? in
				0) replay "$dir" ;;
				4) say "Linux $kernel is left out" && continue 3 ;;
				"$NOT_THERE") continue ;;
				*) say "Linux $kernel, $name: not recorded" && rm -f "$dir/trace.kmt" ;;
				esac
				say "Linux $kernel, $name, run $n: $(grep "^kmemlab: reference:" "$dir/replay.log")"
			done < <(rows)
		done
	done
}

# This host, by tracepoints alone or whatever it permits.
host() {
	local n dir
	for ((n = 1; n <= REPEATS; n++)); do
		dir=$LAB/host/mix/$n
		mkdir -p "$dir"
		[ -z "${LAB_REUSE:-}" ] || [ -s "$dir/trace.kmt" ] || continue
		if [ -z "${LAB_REUSE:-}" ]; then
			"$KMEMLAB" record -q -f -d ${HOST_SECONDS}s -o "$dir/trace.kmt" -- \
				tests/support/workload.sh $((HOST_SECONDS + 2)) mix 2>"$dir/record.log"
			case $? in
			0 | 7) ;;
			*) say "this host is left out: $(tail -n 1 "$dir/record.log")" && return ;;
			esac
			describe "$dir" "kmemlab record -d ${HOST_SECONDS}s -- tests/support/workload.sh $((HOST_SECONDS + 2)) mix"
		fi
		replay "$dir"
		say "this host, run $n: $(grep "^kmemlab: reference:" "$dir/replay.log")"
	done
}

mkdir -p "$LAB"
guests
wanted host && host
exec node tests/guest/fidelity.mjs "$LAB" "${LAB_OUT:-reports}"
