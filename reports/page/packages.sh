# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=sh
# packages.sh - page_packages DIR [npm option]: npm ci in DIR, unless the
# packages there are of this lock file and these options already.

page_packages() {
	(
		cd "$1" || exit 1
		shift
		want="$(cksum <package-lock.json) $*"
		if [ -d node_modules ] && [ "$(cat .installed 2>/dev/null)" = "$want" ]; then
			exit 0
		fi
		rm -f .installed
		if ! npm ci "$@" --ignore-scripts --no-audit --no-fund --prefer-offline \
			--loglevel=error >npm.log 2>&1; then
			cat npm.log >&2
			echo "cannot fetch the report page's packages with npm; is there a network?" >&2
			exit 1
		fi
		printf '%s\n' "$want" >.installed
	)
}
