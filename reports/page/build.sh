#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# build.sh OUTDIR OUTFILE - the report's page as one file, built in OUTDIR.
# Nothing is written beside the sources; npm ci runs only when the lock changed.
set -eu

if [ $# -ne 2 ]; then
	echo "usage: build.sh OUTDIR OUTFILE" >&2
	exit 2
fi
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1" "$(dirname "$2")"
out=$(cd "$1" && pwd)
file=$(cd "$(dirname "$2")" && pwd)/$(basename "$2")

if ! command -v npm >/dev/null; then
	echo "cannot build the report page: npm not found; run 'make deps'" >&2
	exit 1
fi

cp "$here/package.json" "$here/package-lock.json" "$here/bundle.mjs" "$out/"
rm -rf "$out/src"
cp -R "$here/src" "$out/src"

# packages.sh is shared with the page test, which needs the dev packages too.
# shellcheck source=reports/page/packages.sh
. "$here/packages.sh"
page_packages "$out" --omit=dev
cd "$out"
node bundle.mjs src "$file.tmp"
mv "$file.tmp" "$file"
