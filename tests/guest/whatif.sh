#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# whatif.sh BUILD - do predictions come true? Records workloads as they are (A) and
# with one setting changed (B) in virtual machines, predicts B's figures from A's traces
# by replay, and writes reports/whatif.md and whatif.json. Half an hour on two CPUs.
#
#   LAB_KERNELS, LAB_REPEATS, LAB_REUSE, LAB_OUT  as in lab.sh (6.12 alone)
#   LAB_CHANGES, LAB_ROWS  names of changes, of workloads
#
# The setting is changed in the guest just before the recording begins, as the replay
# changes it. Traces stay in BUILD/guest/whatif/KERNEL/WORKLOAD/CHANGE/N; A's are in
# the change "none".
set -u
cd "$(dirname "$0")/../.." || exit 1
export BUILD
BUILD=$(realpath "${1:-build}")
KMEMLAB=$BUILD/kmemlab
LAB=$BUILD/guest/whatif
KERNELS=${LAB_KERNELS-6.12}
REPEATS=${LAB_REPEATS:-3}
# Eight times what a guest of 1 GiB has by itself.
EIGHTFOLD=360448

# name, memory
rows() {
	cat <<-END
	thp 1G
	fragment 1G
	pagecache 768M
	END
}

# name, sysctl in the guest, setting of the replay; the last column of "none" is empty
changes() {
	cat <<-END
	none - -
	boost-0 vm.watermark_boost_factor=0 vm.watermark_boost_factor=0
	min-free-x8 vm.min_free_kbytes=$EIGHTFOLD vm.min_free_kbytes=$EIGHTFOLD
	scale-200 vm.watermark_scale_factor=200 vm.watermark_scale_factor=200
	pcp-fraction-8 vm.percpu_pagelist_high_fraction=8 vm.percpu_pagelist_high_fraction=8
	pcp-fraction-1000 vm.percpu_pagelist_high_fraction=1000 vm.percpu_pagelist_high_fraction=1000
	thp-never /sys/kernel/mm/transparent_hugepage/enabled=never -
	END
}

say() {
	echo "whatif: $*" >&2
}

wanted() { # list name
	[ -z "$1" ] || [[ " $1 " == *" $2 "* ]]
}

# The guest's command that makes the change
apply() { # sysctl
	case $1 in
	-) echo : ;;
	/*) echo "echo ${1#*=} >${1%%=*}" ;;
	*) echo "sysctl -q -w $1" ;;
	esac
}

NOT_THERE=5

record() { # kernel workload memory sysctl directory
	if [ -n "${LAB_REUSE:-}" ]; then
		[ -s "$5/trace.kmt" ] || return $NOT_THERE
		return 0
	fi
	mkdir -p "$5"
	tests/guest/run.sh -q -k "$1" -c 2 -m "$3" -o "$5" -- \
		"$(apply "$4") && sh /files/record.sh $2"
}

# Of A's traces every prediction, of B's the kernel alone.
replay() { # directory change
	local name sysctl set arguments=(-p observed)
	[ "$2" = none ] && arguments+=(-p reference) &&
		while read -r name sysctl set; do
			[ "$set" = - ] || arguments+=(-p "$name:$set")
		done < <(changes)
	"$KMEMLAB" replay --reproducible -f "${arguments[@]}" -o "$1/result.json" "$1/trace.kmt" \
		2>"$1/replay.log" || say "$1: $(tail -n 1 "$1/replay.log")"
}

# Round by round, so that what changes on this host meanwhile meets all alike.
all_of_kernel() { # kernel
	local n row memory name sysctl set dir
	for ((n = 1; n <= REPEATS; n++)); do
		while read -r row memory; do
			wanted "${LAB_ROWS:-}" "$row" || continue
			while read -r name sysctl set; do
				wanted "${LAB_CHANGES:+none $LAB_CHANGES}" "$name" || continue
				dir=$LAB/$1/$row/$name/$n
				record "$1" "$row" "$memory" "$sysctl" "$dir" </dev/null
				case $? in
				0) replay "$dir" "$name" ;;
				4) say "Linux $1 is left out" && return ;;
				"$NOT_THERE") continue ;;
				*) say "Linux $1, $row, $name: not recorded" && rm -f "$dir/trace.kmt" ;;
				esac
				say "Linux $1, $row, $name, run $n"
			done < <(changes)
		done < <(rows)
	done
}

tests/support/deps.sh build test || exit
mkdir -p "$LAB"
for kernel in $KERNELS; do
	all_of_kernel "$kernel"
done
exec node tests/guest/whatif.mjs "$LAB" "${LAB_OUT:-reports}"
