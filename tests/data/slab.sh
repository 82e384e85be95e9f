#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# slab.sh [DIR] - /sys/kernel/slab (or DIR) as one line a cache, and a head that
# says which kernel, how many CPUs and how it was booted. Aliases of a cache share its line. Few
# processes, so that it also runs in an emulated guest.
set -u
dir=${1:-/sys/kernel/slab}
fields="object_size slab_size align order objs_per_slab cpu_partial min_partial
	sanity_checks red_zone poison store_user hwcache_align reclaim_account
	destroy_by_rcu cache_dma usersize sheaf_capacity"

booted=$(tr ' ' '\n' </proc/cmdline | grep -E '^sl[au]b_(min_order|max_order|min_objects)=' | xargs)
echo "# $(uname -r) cpus $(nproc --all) page $(getconf PAGESIZE 2>/dev/null || echo 4096)${booted:+ $booted}"
echo "name" $fields "ctor"
cd "$dir" || exit
# "alias of cache" for each link, in the order of the aliases
links=$(ls -l | awk '$(NF - 1) == "->" { print $NF " " $(NF - 2) }')
for cache in *; do
	[ -L "$cache" ] && continue
	name=$cache
	[ "$cache" != "${cache#:}" ] && name=
	while read -r of alias; do
		[ "$of" = "$cache" ] && name=${name:+$name,}$alias
	done <<END
$links
END
	line=${name:-$cache}
	for field in $fields; do
		value=0
		[ -e "$cache/$field" ] && read -r value _ <"$cache/$field"
		line="$line ${value:-0}"
	done
	value= ctor=0
	[ -e "$cache/ctor" ] && read -r value _ <"$cache/ctor"
	[ -n "$value" ] && ctor=1
	echo "$line $ctor"
done
