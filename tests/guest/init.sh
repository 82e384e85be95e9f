#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# init.sh - the guest's first process: runs /commands, leaves its output, exit
# status and the kernel's own last files in /out, and switches off.
export PATH=/bin HOME=/ TERM=dumb
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev 2>/dev/null
mount -t debugfs debug /sys/kernel/debug
mount -t tracefs tracing /sys/kernel/tracing
mount -t bpf bpf /sys/fs/bpf
mount -t cgroup2 cgroup /sys/fs/cgroup
ip link set lo up

cd /tmp || exit
{
	sh /commands
	echo $? >/out/status
} 2>&1 </dev/null | tee /out/output.txt

mkdir /out/final
for f in buddyinfo pagetypeinfo zoneinfo slabinfo vmstat meminfo cmdline; do
	cat /proc/$f >/out/final/$f.txt
done
for f in unusable_index extfrag_index; do
	cat /sys/kernel/debug/extfrag/$f >/out/final/$f.txt
done
dmesg >/out/dmesg.txt
sync
mount -o remount,ro /
poweroff -f
