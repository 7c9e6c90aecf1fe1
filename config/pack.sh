#!/bin/sh
# Pack the folder or the git commit named by SITE into build/site.rom with mkromfs, or the
# folder of sites named by SITES.  The ROM keeps its date when nothing in it changed, so that
# make knows what else to do.  How the site is served, in the environment: CLEAN_URLS,
# TRAILING_SLASH, REDIRECTS, SPA, LISTINGS, CSP, CODINGS; config/help.txt has the words.
#
#   config/pack.sh [ROM [manifest]]
#                               another ROM than build/site.rom; mkromfs's lines about the
#                               site go to ROM's name with .txt, the folder that was packed
#                               to the name with .folder, its manifest with .manifest
set -eu

rom=${1:-build/site.rom}
base=${rom%.rom}
manifest=${2-}

fail()
{
	printf 'stele: %s\n' "$*" >&2
	exit 1
}

# is_word NAME VALUE WORD...: VALUE is one of the words.
is_word()
{
	name=$1
	value=$2
	shift 2
	for word; do
		[ "$value" != "$word" ] || return 0
	done
	fail "$name=$value is not understood: it is one of $*"
}

what=${SITES:-$SITE}
[ -n "$what" ] || fail "SITE is empty: make SITE=/path/to/a/folder"
new=$rom.new
trap 'rm -f "$new"' EXIT

set -- --cache build/cache
[ -z "${SITES-}" ] || set -- "$@" --sites
if [ -n "${CLEAN_URLS-}" ]; then
	is_word CLEAN_URLS "$CLEAN_URLS" keep auto off
	set -- "$@" --clean-urls "$CLEAN_URLS"
fi
if [ -n "${TRAILING_SLASH-}" ]; then
	is_word TRAILING_SLASH "$TRAILING_SLASH" auto always never both
	set -- "$@" --trailing-slash "$TRAILING_SLASH"
fi
if [ -n "${REDIRECTS-}" ]; then
	is_word REDIRECTS "$REDIRECTS" netlify cloudflare
	set -- "$@" --redirects "$REDIRECTS"
fi
is_word SPA "${SPA:-0}" 0 1
[ "${SPA:-0}" = 0 ] || set -- "$@" --spa
is_word LISTINGS "${LISTINGS:-0}" 0 1
[ "${LISTINGS:-0}" = 0 ] || set -- "$@" --listings
[ -z "${CSP-}" ] || set -- "$@" --csp "$CSP"
[ -z "${CODINGS-}" ] || set -- "$@" --codings "$CODINGS"

folder=$what
taken=
case $what in
git:*)
	# Three lines: folder, commit, tree.
	taken=$(config/git-site.sh "$what") || exit 1
	folder=$(echo "$taken" | sed -n 1p)
	commit=$(echo "$taken" | sed -n 2p)
	tree=$(echo "$taken" | sed -n 3p)
	set -- "$@" --info "commit=$commit" --info "tree=$tree"
	;;
-*) folder=./$what ;;
esac
printf %s "$folder" >"$base.folder"
[ -z "$manifest" ] || build/mkromfs "$@" --manifest -- "$folder" >"$base.manifest"
build/mkromfs "$@" -- "$folder" "$new" >"$base.txt"
[ -z "$taken" ] || printf 'commit  %s\ntree    %s\n' "$commit" "$tree" >>"$base.txt"
cmp -s "$new" "$rom" || mv "$new" "$rom"
