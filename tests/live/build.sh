#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# build.sh - the Makefile over a tree of a few lines: what it makes anew and
# when, where it installs; and what it says where it may not write.
. tests/support/lib.sh
TREE=$SCRATCH/tree
HERE=$PWD

# One source where the real tree has many, and a page that is its sources' names.
tree() {
	mkdir -p "$TREE"/{include/kmemlab,refmm,user/{cli,common,man},reports/page/src}
	cp Makefile "$TREE/"
	echo 'int kept(void); int kept(void) { return 1; }' >"$TREE/refmm/kept.c"
	echo 'int gone(void); int gone(void) { return 1; }' >"$TREE/refmm/gone.c"
	echo 'int one(void); int one(void) { return 1; }' >"$TREE/user/common/one.c"
	echo '#include <stdio.h>' >"$TREE/user/cli/main.c"
	echo 'int main(void) { puts(KMEMLAB_VERSION); return 0; }' >>"$TREE/user/cli/main.c"
	touch "$TREE"/reports/page/src/{kept,gone}.js
	printf '#!/bin/sh\nmkdir -p "$1"; ls reports/page/src >"$2"\n' >"$TREE/reports/page/build.sh"
	touch "$TREE"/include/kmemlab/{backend,refmm_types}.h "$TREE/user/man/kmemlab.bash"
	printf '#!/bin/sh\nmkdir -p "$2"; touch "$2/kmemlab.1"\n' >"$TREE/user/man/build.sh"
	chmod +x "$TREE/reports/page/build.sh" "$TREE/user/man/build.sh"
}

# Free of what the make that runs this test was told.
tree_make() {
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u BUILD -u CFLAGS make --no-print-directory -C "$TREE" "$@"
}

# made ARGUMENTS... - what a run of make says that it made, by name
made() {
	tree_make "$@" 2>&1 | awk 'NF == 2 { print $2 }' | xargs -r -n 1 basename | sort | xargs
}

tree
all="kept.o gone.o one.o main.o librefmm.a libkmemlab.a kmemlab"
sorted=$(tr ' ' '\n' <<<"$all" | sort | xargs)
while read -r name wanted arguments; do
	wanted=${wanted/none/}
	# shellcheck disable=SC2086
	same "build_$name" "${wanted/all/$sorted}" "$(made $arguments)"
done <<-END
	first_makes_all all
	other_cflags_make_all_anew all CFLAGS=-O1
	same_cflags_make_nothing none CFLAGS=-O1
	other_version_makes_all_anew all CFLAGS=-O1 VERSION=9.9
	warnings_as_errors_make_all_anew all CFLAGS=-O1 WERROR=1
	sanitizers_make_all_anew all CFLAGS=-O1 SAN=undefined
END
tree_make VERSION=9.9 >/dev/null 2>&1
same build_version_is_the_one_given 9.9 "$("$TREE/build/kmemlab")"

tree_make build/page/report.html >/dev/null 2>&1
same page_holds_its_sources "gone.js kept.js" "$(xargs <"$TREE/build/page/report.html")"
rm "$TREE/refmm/gone.c" "$TREE/reports/page/src/gone.js"
tree_make all build/page/report.html >/dev/null 2>&1
same build_forgets_deleted_sources kept.o "$(ar t "$TREE/build/librefmm.a" | xargs)"
same page_forgets_deleted_sources kept.js "$(xargs <"$TREE/build/page/report.html")"

tree_make install DESTDIR="$SCRATCH/a b" PREFIX="/c d" >/dev/null 2>&1
check install_takes_blanks_in_names "no program there" test -x "$SCRATCH/a b/c d/bin/kmemlab"
tree_make uninstall DESTDIR="$SCRATCH/a b" PREFIX="/c d" >/dev/null 2>&1
check uninstall_takes_blanks_in_names "it is still there" test ! -e "$SCRATCH/a b/c d/bin/kmemlab"

# What root has built, seen by nobody.
nobody="setpriv --reuid=65534 --regid=65534 --clear-groups"
if [ "$(id -u)" != 0 ] || ! $nobody test -r "$HERE/tests/support/deps.sh"; then
	skip others_build_is_refused "cannot become nobody, or nobody cannot read this directory"
	exit 0
fi
mkdir -m 755 "$SCRATCH/roots"
mkdir -m 777 "$SCRATCH/mixed" && mkdir -m 777 "$SCRATCH/mixed/demo"
touch "$SCRATCH/mixed/demo/trace.kmt"
while read -r name build script; do
	# shellcheck disable=SC2086
	BUILD=$SCRATCH/$build $nobody $script >"$SCRATCH/words" 2>&1
	same "${name}_exits_1" 1 $?
	same "${name}_says_one_line" 1 "$(wc -l <"$SCRATCH/words")"
	check "${name}_says_the_way_out" "it said: $(head -n 1 "$SCRATCH/words")" \
		grep -q "belongs to root; .*BUILD=DIR make" "$SCRATCH/words"
done <<-END
	others_build roots tests/support/deps.sh build
	absent_build_in_others_directory roots/build tests/support/deps.sh build
	others_demo roots tests/support/demo.sh $SCRATCH/roots
	others_trace_in_demo mixed tests/support/demo.sh $SCRATCH/mixed
END

BUILD=$SCRATCH/mixed $nobody tests/support/deps.sh build >"$SCRATCH/words" 2>&1
same others_demo_leaves_the_build_usable 0 $?

# npm is told of a cache that it may write, whatever HOME is.
# shellcheck disable=SC2016
npm_arguments='npm() { echo "$*"; }; . reports/page/packages.sh; page_packages "$0"; cat "$0/npm.log"'
mkdir -m 777 "$SCRATCH/page" && echo '{}' >"$SCRATCH/page/package-lock.json"
HOME=$SCRATCH/roots $nobody sh -c "$npm_arguments" "$SCRATCH/page" >"$SCRATCH/words" 2>&1
check npm_without_a_home_has_a_cache "it got: $(head -n 1 "$SCRATCH/words")" \
	grep -q -- "--cache $SCRATCH/page/npm-cache" "$SCRATCH/words"
exit 0
