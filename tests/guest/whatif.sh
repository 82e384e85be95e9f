#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# whatif.sh BUILD - do predictions come true? Records workloads as they are (A) and
# with one setting changed (B) in virtual machines, predicts B's figures from A's traces
# by replay, and writes reports/whatif.md and whatif.json. Half an hour on two CPUs.
#
#   LAB_KERNELS, LAB_REPEATS, LAB_REUSE, LAB_OUT  as in lab.sh (6.12 alone, 4 times)
#   LAB_CHANGES, LAB_ROWS  names of changes, of workloads
#
# A setting is changed in the guest just before the recording begins, as the replay
# changes it; a parameter of the kernel, when the guest boots. First all is recorded,
# then all is replayed. Traces stay in BUILD/guest/whatif/KERNEL/WORKLOAD/CHANGE/N; A's
# are in the change "none". Where the guest ran out of memory the file `killed` says so:
# that is not the same work any more, and it is compared with nothing.
set -u
cd "$(dirname "$0")/../.." || exit 1
export BUILD
BUILD=$(realpath "${1:-build}")
KMEMLAB=$BUILD/kmemlab
LAB=$BUILD/guest/whatif
KERNELS=${LAB_KERNELS-6.12}
REPEATS=${LAB_REPEATS:-4}
# What a guest of 1 GiB sets by itself, for its huge pages; one of 768 MiB: 35972.
MIN_FREE=45056

# name; workload and its arguments; memory; its changes
rows() {
	cat <<-'END'
	pagecache:pagecache 60:768M:none boost-0 min-free-x2 min-free-x8 min-free-4th scale-200 pcp-fraction-8 pcp-fraction-1000 shuffle thp-never
	fragment:fragment:1G:none boost-0 min-free-x2 min-free-x8 min-free-4th scale-200 pcp-fraction-8 pcp-fraction-1000 shuffle
	dentries:dentries 20000:1G:none slab-order-0 slab-objects-64
	END
}

# name; in the guest: a sysctl, a file, or the kernel's parameter; setting of the replay
changes() {
	cat <<-END
	none - -
	boost-0 vm.watermark_boost_factor=0 vm.watermark_boost_factor=0
	min-free-x2 vm.min_free_kbytes=$((MIN_FREE * 2)) vm.min_free_kbytes=$((MIN_FREE * 2))
	min-free-x8 vm.min_free_kbytes=$((MIN_FREE * 8)) vm.min_free_kbytes=$((MIN_FREE * 8))
	min-free-4th vm.min_free_kbytes=$((MIN_FREE / 4)) vm.min_free_kbytes=$((MIN_FREE / 4))
	scale-200 vm.watermark_scale_factor=200 vm.watermark_scale_factor=200
	pcp-fraction-8 vm.percpu_pagelist_high_fraction=8 vm.percpu_pagelist_high_fraction=8
	pcp-fraction-1000 vm.percpu_pagelist_high_fraction=1000 vm.percpu_pagelist_high_fraction=1000
	thp-never /sys/kernel/mm/transparent_hugepage/enabled=never -
	shuffle boot:page_alloc.shuffle=1 page_alloc.shuffle=1
	slab-order-0 boot:slab_max_order=0 slab.max_order=0
	slab-objects-64 boot:slab_min_objects=64 slab.min_objects=64
	END
}

say() {
	echo "whatif: $*" >&2
}

wanted() { # list name
	[ -z "$1" ] || [[ " $1 " == *" $2 "* ]]
}

# The guest's command that makes the change
apply() { # how
	case $1 in
	- | boot:*) echo : ;;
	/*) echo "echo ${1#*=} >${1%%=*}" ;;
	*) echo "sysctl -q -w $1" ;;
	esac
}

record() { # kernel workload memory how directory
	local boot=
	[[ $4 != boot:* ]] || boot=${4#boot:}
	mkdir -p "$5"
	rm -f "$5/killed"
	tests/guest/run.sh -q -k "$1" -c 2 -m "$3" -a "$boot" -o "$5" -- \
		"$(apply "$4") && sh /files/record.sh $2" || return
	grep 'Out of memory' "$5/dmesg.txt" >"$5/killed" || rm -f "$5/killed"
}

# Of A's traces every prediction, of B's the kernel alone.
replay() { # directory change changes-of-the-workload
	local name how set arguments=(-p observed)
	[ "$2" = none ] && arguments+=(-p reference) &&
		while read -r name how set; do
			[ "$set" = - ] || ! wanted "$3" "$name" || arguments+=(-p "$name:$set")
		done < <(changes)
	"$KMEMLAB" replay --reproducible -f "${arguments[@]}" -o "$1/result.json" "$1/trace.kmt" \
		2>"$1/replay.log" || say "$1: $(tail -n 1 "$1/replay.log")"
}

# Calls @1 KERNEL DIR CHANGE WORKLOAD MEMORY HOW CHANGES-OF-THE-WORKLOAD for each run.
# Round by round, so that what changes on this host meanwhile meets all alike.
each_run() { # function kernel
	local n row workload memory these name how set
	for ((n = 1; n <= REPEATS; n++)); do
		while IFS=: read -r row workload memory these; do
			wanted "${LAB_ROWS:-}" "$row" || continue
			while read -r name how set; do
				wanted "${LAB_CHANGES:+none $LAB_CHANGES}" "$name" || continue
				wanted "$these" "$name" || continue
				"$1" "$2" "$LAB/$2/$row/$name/$n" "$name" "$workload" "$memory" \
					"$how" "$these" </dev/null || return
			done < <(changes)
		done < <(rows)
	done
}

record_run() { # kernel directory change workload memory how
	record "$1" "$4" "$5" "$6" "$2"
	case $? in
	0) say "recorded $2" ;;
	4) say "Linux $1 is left out" && return 1 ;;
	*) say "not recorded: $2" && rm -f "$2/trace.kmt" ;;
	esac
}

replay_run() { # kernel directory change workload memory how changes
	[ -s "$2/trace.kmt" ] || return 0
	replay "$2" "$3" "$7"
	say "replayed $2"
}

mkdir -p "$LAB"
for kernel in $KERNELS; do
	[ -n "${LAB_REUSE:-}" ] || each_run record_run "$kernel"
	each_run replay_run "$kernel"
done
exec node tests/guest/whatif.mjs "$LAB" "${LAB_OUT:-reports}"
