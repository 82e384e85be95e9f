# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=sh
# packages.sh - page_packages DIR [npm option]: npm ci in DIR, unless the
# packages there are of this lock file and these options already.

# May this user write npm's cache? It spares the network when there is a next time.
page_own_cache() {
	mkdir -p "${HOME:-/}/.npm/_cacache" 2>/dev/null && [ -w "$HOME/.npm/_cacache" ] &&
		[ -w "$HOME/.npm" ]
}

page_packages() {
	(
		cd "$1" || exit 1
		shift
		want="$(cksum <package-lock.json) $*"
		if [ -d node_modules ] && [ "$(cat .installed 2>/dev/null)" = "$want" ]; then
			exit 0
		fi
		rm -f .installed
		page_own_cache || set -- "$@" --cache "$PWD/npm-cache"
		if ! npm ci "$@" --ignore-scripts --no-audit --no-fund --prefer-offline \
			--loglevel=error >npm.log 2>&1; then
			head -n 5 npm.log >&2
			echo "cannot fetch the report page's packages with npm; is there a network?" >&2
			exit 1
		fi
		printf '%s\n' "$want" >.installed
	)
}
