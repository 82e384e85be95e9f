#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# deps.sh [build] [test] [check] [bench] - install what is missing.
#
# Without a group: all of them. Silent and quick when all is there: what takes
# long to verify is remembered in $BUILD/deps.stamp until this script changes.
# Debian and Ubuntu by apt-get, Fedora by dnf. Exit 3 when that takes
# a root that we are not and cannot become.
set -u
PATH=$PATH:/usr/sbin:/sbin
GROUPS_WANTED=${*:-build test check bench}

# group, kind, what to look for, Debian packages (a|b: the first there is),
# Fedora packages. Kinds: cmd (on PATH), opt (the same, where there is apt-get),
# lib (shared library), pkg (pkg-config), fast; node, run and fuzz, slow.
needs() {
	cat <<-'END'
	build cmd gcc gcc gcc
	build cmd make make make
	build cmd ar binutils binutils
	build cmd clang clang clang
	build cmd pkg-config pkg-config pkgconf-pkg-config
	build run bpftool bpftool|linux-tools-generic bpftool
	build pkg libbpf libbpf-dev libbpf-devel
	build pkg libelf libelf-dev elfutils-libelf-devel
	build pkg zlib zlib1g-dev zlib-devel
	build pkg libzstd libzstd-dev libzstd-devel
	build pkg libxxhash libxxhash-dev xxhash-devel
	build pkg jansson libjansson-dev jansson-devel
	build pkg libseccomp libseccomp-dev libseccomp-devel
	build pkg libcap libcap-dev libcap-devel
	build pkg libdw libdw-dev elfutils-devel
	build pkg ncursesw libncurses-dev ncurses-devel
	build cmd scdoc scdoc scdoc
	build node node nodejs nodejs
	build node npm npm nodejs-npm
	test pkg cmocka libcmocka-dev libcmocka-devel
	test cmd setpriv util-linux util-linux
	test cmd ps procps procps-ng
	test cmd tmux tmux tmux
	test cmd sqlite3 sqlite3 sqlite
	test cmd python3 python3 python3
	test cmd chromium|chromium-browser|google-chrome chromium chromium
	test opt qemu-system-x86_64 qemu-system-x86 -
	test opt busybox busybox-static -
	test opt mke2fs e2fsprogs -
	test opt debugfs e2fsprogs -
	test cmd zstd zstd zstd
	test opt bpftrace bpftrace bpftrace
	check cmd clang-format clang-format clang-tools-extra
	check cmd clang-tidy clang-tidy clang-tools-extra
	check cmd cppcheck cppcheck cppcheck
	check cmd git git git
	check opt spin spin -
	check fuzz clang libclang-rt-dev|libclang-rt-14-dev compiler-rt
	bench cmd stress-ng stress-ng stress-ng
	bench cmd trace-cmd trace-cmd trace-cmd
	bench opt bpftrace bpftrace bpftrace
	bench run perf linux-perf|linux-tools-generic perf
	bench lib libjemalloc.so libjemalloc2 jemalloc
	bench lib libmimalloc.so libmimalloc2.0|libmimalloc3|libmimalloc-dev mimalloc
	bench lib libtcmalloc_minimal.so libtcmalloc-minimal4|libtcmalloc-minimal4t64 gperftools-libs
	END
}

say() {
	echo "deps: $*" >&2
}

# One of a|b|c is on PATH.
on_path() {
	local c
	for c in ${1//|/ }; do
		command -v "$c" >/dev/null && return 0
	done
	return 1
}

node_works() {
	local major
	[ "$1" = npm ] && { npm --version >/dev/null 2>&1; return; }
	major=$(node -p 'process.versions.node.split(".")[0]' 2>/dev/null) || return 1
	[ "$major" -ge 18 ]
}

# Ubuntu's wrapper in /usr/sbin serves its own kernel only.
run_works() {
	local tool
	for tool in "$1" /usr/lib/linux-tools/*/"$1"; do
		"$tool" version >/dev/null 2>&1 && return 0
	done
	return 1
}

fuzz_works() {
	local dir status
	dir=$(mktemp -d) || return 1
	echo 'int LLVMFuzzerTestOneInput(const char *d, unsigned long n) { return !d && n; }' |
		clang -fsanitize=fuzzer,address,undefined -x c - -o "$dir/f" 2>/dev/null
	status=$?
	rm -rf "$dir"
	return $status
}

has_library() {
	ldconfig -p | grep -qF "$1."
}

present() { # kind what
	case $1 in
	cmd) on_path "$2" ;;
	opt) on_path "$2" || ! on_path apt-get ;;
	lib) has_library "$2" ;;
	pkg) pkg-config --exists "$2" 2>/dev/null ;;
	node) node_works "$2" ;;
	run) run_works "$2" ;;
	fuzz) fuzz_works ;;
	esac
}

# Everything that can be verified in milliseconds.
quick() {
	local group kind what rest pkgs=()
	[ "$(cat "$STAMP" 2>/dev/null)" = "$KEY" ] || return 1
	while read -r group kind what rest; do
		[[ " $GROUPS_WANTED " == *" $group "* ]] || continue
		case $kind in
		pkg) pkgs+=("$what") ;;
		opt | lib) present "$kind" "$what" || return 1 ;;
		*) on_path "$what" || return 1 ;;
		esac
	done < <(needs)
	pkg-config --exists "${pkgs[@]}" 2>/dev/null
}

# Prints the lines of needs() that are not met.
missing() {
	local group kind what deb rpm
	needs | while read -r group kind what deb rpm; do
		[[ " $GROUPS_WANTED " == *" $group "* ]] || continue
		present "$kind" "$what" || echo "$group $kind $what $deb $rpm"
	done
}

# The first of a|b that the configured archives have.
deb_choice() {
	local p
	for p in ${1//|/ }; do
		apt-cache show "$p" >/dev/null 2>&1 && { echo "$p"; return; }
	done
	echo "${1%%|*}"
}

install_deb() { # lines
	local packages
	DEBIAN_FRONTEND=noninteractive $SUDO apt-get -qq update >&2 ||
		say "apt-get update failed; trying with the package lists there are"
	packages=$(while read -r _ _ _ deb _; do deb_choice "$deb"; done <<<"$1" | sort -u)
	say "installing" $packages
	# shellcheck disable=SC2086
	$SUDO env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends \
		-o Dpkg::Use-Pty=0 install $packages </dev/null >"$LOG" 2>&1
}

install_rpm() { # lines
	local packages
	packages=$(while read -r _ _ _ _ rpm; do echo "$rpm"; done <<<"$1" | sort -u)
	say "installing" $packages
	# shellcheck disable=SC2086
	$SUDO dnf -q -y install --setopt=install_weak_deps=False $packages </dev/null >"$LOG" 2>&1
}

# Sets SUDO, or leaves with the one line that the user needs.
need_root() { # manager lines column
	SUDO=
	[ "$(id -u)" = 0 ] && return
	if sudo -n true 2>/dev/null || { [ -t 0 ] && command -v sudo >/dev/null; }; then
		SUDO=sudo
		return
	fi
	say "not root and no sudo; as root: $1 install" \
		"$(awk -v c="$3" '{ sub(/\|.*/, "", $c); print $c }' <<<"$2" | sort -u | xargs)"
	exit 3
}

main() {
	local lines still
	lines=$(missing)
	if [ -n "$lines" ]; then
		if command -v apt-get >/dev/null; then
			need_root apt-get "$lines" 4
			install_deb "$lines"
		elif command -v dnf >/dev/null; then
			need_root dnf "$lines" 5
			install_rpm "$lines"
		else
			say "neither apt-get nor dnf here; install by hand (Debian's names):" \
				"$(awk '{ print $4 }' <<<"$lines" | xargs)"
			exit 1
		fi
		still=$(missing)
		if [ -n "$still" ]; then
			tail -n 15 "$LOG" >&2
			say "still missing after the installation:" \
				"$(awk '{ print $3 }' <<<"$still" | xargs) (node must be 18 or newer)"
			exit 1
		fi
	fi
	echo "$KEY" >"$STAMP"
}

BUILD=${BUILD:-build}
. "${0%/*}/writable.sh"
writable deps "$BUILD" 0 || exit 1
STAMP=$BUILD/deps.stamp-${GROUPS_WANTED// /-}
LOG=$BUILD/deps.log
KEY=$(cksum <"$0")
quick || main
