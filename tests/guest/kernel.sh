#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# kernel.sh VERSION - print the path of a stock Debian kernel, such as 6.12.
#
# The newest linux-image-VERSION.*-cloud-amd64-unsigned that apt knows is
# downloaded and unpacked below $BUILD/guest/kernels, never installed. What is
# there already is taken as it is; remove the directory for a newer one.
# Exit 4: there is none to be had here; standard error says why.
set -u
cd "$(dirname "$0")/../.." || exit 1
VERSION=$1
CACHE=${BUILD:-build}/guest/kernels

give_up() {
	echo "guest: no kernel $VERSION: $*" >&2
	exit 4
}

image() {
	find "$CACHE/$VERSION/boot" -name 'vmlinuz-*' 2>/dev/null | head -n 1
}

package() {
	apt-cache search --names-only "^linux-image-${VERSION//./\\.}\\.[0-9].*-cloud-amd64-unsigned$" |
		cut -d ' ' -f 1 | sort -V | tail -n 1
}

# Archives drop the version that old package lists name: once more with new lists.
download() { # directory
	local name
	name=$(package)
	[ -n "$name" ] && (cd "$1" && apt-get -qq download "$name") 2>"$1/log" && return
	apt-get -qq update 2>"$1/log"
	name=$(package)
	[ -n "$name" ] || give_up "apt knows no linux-image-$VERSION.*-cloud-amd64-unsigned" \
		"(for a newer kernel than Debian's own add its backports)"
	(cd "$1" && apt-get -qq download "$name") 2>"$1/log" ||
		give_up "cannot download $name: $(tail -n 1 "$1/log")"
}

fetch() {
	command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null ||
		give_up "apt-get and dpkg-deb are needed to fetch it"
	mkdir -p "$CACHE" && dir=$(mktemp -d "$CACHE/.fetch.XXXXXX") || give_up "cannot write $CACHE"
	trap 'rm -rf "$dir"' EXIT
	chmod 755 "$dir"
	download "$dir"
	mkdir "$dir/root"
	dpkg-deb --fsys-tarfile "$dir"/*.deb | tar x -C "$dir/root" ./boot ||
		give_up "cannot unpack $(basename "$dir"/*.deb)"
	mv -T "$dir/root" "$CACHE/$VERSION" 2>/dev/null || [ -n "$(image)" ] ||
		give_up "cannot write $CACHE/$VERSION"
}

[ -n "$(image)" ] || fetch
realpath "$(image)"
