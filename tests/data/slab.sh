#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# slab.sh [DIR] - /sys/kernel/slab (or DIR) as one line a cache, and a head that
# says which kernel and how many CPUs. Aliases of a cache share its line.
set -u
dir=${1:-/sys/kernel/slab}
fields="object_size slab_size align order objs_per_slab cpu_partial min_partial
	sanity_checks red_zone poison store_user hwcache_align reclaim_account
	destroy_by_rcu cache_dma usersize sheaf_capacity"

value() { # file
	local text=
	[ -e "$1" ] && read -r text _ <"$1"
	echo "${text:-0}"
}

names_of() { # directory: itself and the links to it, unless they number objects
	local name=$1 link
	for link in *; do
		[ -L "$link" ] && [ "$(readlink "$link")" = "$1" ] && name=$name,$link
	done
	echo "${name#:*,}"
}

echo "# $(uname -r) cpus $(nproc --all) page $(getconf PAGESIZE 2>/dev/null || echo 4096)"
echo "name" $fields "ctor"
cd "$dir" || exit
for cache in *; do
	[ -L "$cache" ] && continue
	line=$(names_of "$cache")
	for field in $fields; do
		line="$line $(value "$cache/$field")"
	done
	[ -s "$cache/ctor" ] && [ -n "$(value "$cache/ctor" | tr -d 0)" ] && ctor=1 || ctor=0
	echo "$line $ctor"
done
