#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# run.sh - boot a stock kernel, run commands in it, bring back what they leave.
set -u
top=$(realpath "$(dirname "$0")/../..")
BUILD=$(realpath -m "${BUILD:-$top/build}")
KMEMLAB=$(realpath -m "${KMEMLAB:-$BUILD/kmemlab}")
export BUILD
CONSOLE_LINES=20
NO_KERNEL=4 HUNG=124
BOOTS=${GUEST_BOOTS:-3}

usage() {
	cat <<-'END'
	usage: tests/guest/run.sh [options] -o DIR -- SHELL COMMANDS
	       tests/guest/run.sh [options] -o DIR -w WORKLOAD [ARGUMENTS]

	Boots a stock Debian kernel under QEMU (KVM where it works, else software
	emulation) from a disk of its own, without modules, and runs the commands by
	busybox's shell in /tmp, an ext4. `kmemlab` and the workloads of
	tests/guest/load are on its PATH. Afterwards DIR holds what was in the
	guest's /out, output.txt, console.txt, dmesg.txt and final/: the kernel's own
	buddyinfo, pagetypeinfo, zoneinfo, slabinfo, vmstat and fragmentation indices.

	  -k VERSION  kernel: 6.1 or 6.12 (the default), fetched by apt when first used
	  -c CPUS     1 .. 4 or more (2)
	  -m SIZE     memory: 2G or 512M (2G)
	  -n NODES    NUMA nodes, memory and CPUs shared out evenly (1)
	  -f FILE     a file to put in /files, with the libraries it needs; repeatable
	  -a WORDS    more for the kernel's command line
	  -s SIZE     of the disk, which takes only what is written (4G)
	  -t SECONDS  after which a guest that hangs is killed (300)
	  -w WORKLOAD record the workload (see tests/guest/record.sh): DIR/trace.kmt
	  -q          do not show the output

	Exit status: the commands'; 1 for an error, 4 where no kernel can be had or
	QEMU is missing, 124 for a guest that was killed. Environment: BUILD, KMEMLAB,
	GUEST_BOOTS (3): how often to boot a guest that a fault of the emulation ends.
	END
}

die() { # words...
	echo "guest: $*" >&2
	exit 1
}

number() { # option value
	[[ $2 =~ ^[1-9][0-9]*$ ]] || die "$1 wants a number, not '$2'"
}

options() { # arguments...
	kernel=6.12 cpus=2 memory=2G nodes=1 append='' disk=4G seconds=300 out='' quiet='' files=()
	commands='' workload=''
	while getopts k:c:m:n:f:a:s:t:o:w:qh option; do
		case $option in
		k) kernel=$OPTARG ;;
		c) cpus=$OPTARG && number -c "$cpus" ;;
		m) memory=$OPTARG ;;
		n) nodes=$OPTARG && number -n "$nodes" ;;
		f) files+=("$OPTARG") ;;
		a) append=$OPTARG ;;
		s) disk=$OPTARG ;;
		t) seconds=$OPTARG && number -t "$seconds" ;;
		o) out=$OPTARG ;;
		w) workload=$OPTARG && commands="sh /files/record.sh $OPTARG" ;;
		q) quiet=yes ;;
		h) usage && exit 0 ;;
		*) usage >&2 && exit 2 ;;
		esac
	done
	shift $((OPTIND - 1))
	commands+=" $*"
	[ -n "$out" ] || die "no -o DIR to bring the results to"
	[ -n "${commands// /}" ] || die "nothing to run: give commands after --, or -w WORKLOAD"
	[[ $memory =~ ^([1-9][0-9]*)([MG])$ ]] || die "-m wants 512M or 2G, not '$memory'"
	megabytes=${BASH_REMATCH[1]}
	[ "${BASH_REMATCH[2]}" = M ] || megabytes=$((megabytes * 1024))
}

needs() {
	local tool
	for tool in qemu-system-x86_64 busybox mke2fs debugfs; do
		command -v "$tool" >/dev/null && continue
		echo "guest: no $tool; 'tests/support/deps.sh test' installs what is missing" >&2
		exit $NO_KERNEL
	done
	[ -x "$KMEMLAB" ] || die "no '$KMEMLAB'; run make first"
}

# A program's libraries go where it looks for them.
put() { # file directory-in-guest
	local library
	[ -r "$1" ] || die "cannot read '$1'"
	cp -L "$1" "$work/root/$2/" || exit 1
	ldd "$1" 2>/dev/null | grep -o '/[^ ]*' | while read -r library; do
		mkdir -p "$work/root/$(dirname "$library")"
		cp -Lu "$library" "$work/root/$library"
	done
}

workloads() {
	basename -a "$top"/tests/guest/load/*.{c,sh} | sed 's/\.[a-z]*$//' | sort | xargs
}

# What compile.sh compiles, and with what.
compiler() {
	local source
	put "$(gcc -print-prog-name=cc1)" files
	for source in "$top"/refmm/[a-f]*.c; do
		gcc -E -std=gnu11 -D_GNU_SOURCE -I"$top/include" "$source" \
			-o "$work/root/files/$(basename "$source" .c).i" || exit 1
	done
}

fill_disk() {
	local root=$work/root file
	mkdir -p "$root"/{bin,dev,files,out,proc,sys,tmp}
	install -m 755 "$top/tests/guest/init.sh" "$root/init"
	echo "$commands" >"$root/commands"
	put "$(command -v busybox)" bin
	put "$KMEMLAB" bin && mv -n "$root/bin/${KMEMLAB##*/}" "$root/bin/kmemlab" 2>/dev/null
	for file in "$BUILD"/tests/guest/load/*; do
		[[ -x $file && -f $file ]] && put "$file" bin
	done
	for file in "$top"/tests/guest/load/*.sh; do
		install -m 755 "$file" "$root/bin/$(basename "$file" .sh)"
	done
	[ -z "$workload" ] || [ -e "$root/bin/$workload" ] ||
		die "no workload '$workload' (there are: $(workloads)); 'make guest' builds them"
	[ "$workload" != compile ] || compiler
	for file in "$top"/tests/guest/record.sh "${files[@]}"; do
		put "$file" files
	done
	truncate -s "$disk" "$work/disk" &&
		mke2fs -q -F -t ext4 -d "$root" "$work/disk" 2>"$work/log" ||
		die "cannot make a disk of $disk: $(tail -n 1 "$work/log")"
	rm -rf "$root"
}

# Without a disk a kernel that runs at all panics at once, and QEMU ends.
kvm_works() {
	local known=$BUILD/guest/kvm
	[ -w /dev/kvm ] || return 1
	if [ ! -e "$known" ]; then
		timeout -k 2 15 qemu-system-x86_64 -accel kvm -cpu host -m 512 -display none \
			-monitor none -no-reboot -serial "file:$work/kvm" -kernel "$image" \
			-append 'console=ttyS0 panic=-1' </dev/null >/dev/null 2>&1
		mkdir -p "$BUILD/guest"
		grep -c 'Kernel panic' "$work/kvm" >"$known" 2>/dev/null
	fi
	[ "$(cat "$known")" != 0 ]
}

qemu_arguments() {
	local n share=$((megabytes / nodes)) each=$((cpus / nodes))
	machine=(-accel "tcg,thread=multi" -cpu max)
	kvm_works && machine=(-accel kvm -cpu host)
	machine+=(-m "${megabytes}M" -smp "$cpus" -display none -monitor none -no-reboot
		-serial "file:$out/console.txt" -kernel "$image" -nic none
		-drive "file=$work/disk,if=none,id=disk,format=raw,cache=unsafe"
		-device nvme,serial=disk,drive=disk
		-append "console=ttyS0 quiet root=/dev/nvme0n1 rw rootwait rootflags=noinit_itable init=/init panic=-1 $append")
	[ "$nodes" -gt 1 ] || return 0
	[ "$each" -gt 0 ] || die "$nodes nodes want as many CPUs at least"
	for ((n = 0; n < nodes; n++)); do
		machine+=(-object "memory-backend-ram,id=m$n,size=${share}M"
			-numa "node,nodeid=$n,memdev=m$n,cpus=$((n * each))-$((n == nodes - 1 ? cpus - 1 : n * each + each - 1))")
	done
}

# Software emulation may run into an instruction that another CPU is patching, which no
# real machine does, and which ends the guest: not what is to be tested.
emulation_fault() {
	[[ ${machine[*]} != *kvm* ]] && grep -q 'Oops: int3' "$out/console.txt"
}

# Return: 0 if the commands ended; 1 after an emulation's fault.
boot() {
	local status
	timeout -k 5 "$seconds" qemu-system-x86_64 "${machine[@]}" </dev/null >"$work/log" 2>&1 &
	qemu=$!
	wait $qemu
	status=$?
	rm -rf "$work/out"
	# What reached the disk, also of a guest that died; the journal first.
	e2fsck -p "$work/disk" >/dev/null 2>&1
	debugfs -R "rdump /out $work" "$work/disk" >/dev/null 2>&1
	cp -a "$work/out/." "$out/"
	[ $status = 0 ] && [ -e "$out/status" ] && return
	emulation_fault && return 1
	tail -n $CONSOLE_LINES "$out/console.txt" | tr -d '\r' >&2
	if [ $status = 124 ] || [ $status = 137 ]; then
		echo "guest: killed after $seconds s (-t); its last lines are above" >&2
		exit $HUNG
	fi
	die "the guest ended before its commands did$(sed 1q "$work/log" | sed 's/^/: /');" \
		"its last lines are above"
}

options "$@"
needs
image=$("$top/tests/guest/kernel.sh" "$kernel") || exit $NO_KERNEL
mkdir -p "$BUILD/guest" "$out" && out=$(realpath "$out") || exit 1
work=$(mktemp -d "$BUILD/guest/run.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
qemu=
trap '[ -z "$qemu" ] || kill $qemu 2>/dev/null; exit 143' TERM INT
qemu_arguments
for ((boots = 1; ; boots++)); do
	rm -rf "${out:?}"/{status,output.txt,console.txt,dmesg.txt,final,trace.kmt}
	fill_disk
	boot && break
	[ $boots -lt "$BOOTS" ] ||
		die "$BOOTS boots ended by the emulation's fault (Oops: int3), see '$out/console.txt'"
	echo "guest: ended by the emulation's fault (Oops: int3); booting again" >&2
done
[ -n "$quiet" ] || cat "$out/output.txt"
exit "$(cat "$out/status")"
