#!/bin/sh
# Pack the folder or the git commit named by SITE into build/site.rom with mkromfs.  The
# ROM keeps its date when nothing in it changed, so that make knows what else to do.
#
#   config/pack.sh [ROM]        another ROM than build/site.rom; mkromfs's lines about the
#                               site go to ROM's name with .txt, the folder that was packed
#                               to the name with .folder
set -eu

rom=${1:-build/site.rom}
base=${rom%.rom}

if [ -z "$SITE" ]; then
	echo "stele: SITE is empty: make SITE=/path/to/a/folder" >&2
	exit 1
fi
new=$rom.new
trap 'rm -f "$new"' EXIT

set --
folder=$SITE
case $SITE in
git:*)
	# Three lines: folder, commit, tree.
	taken=$(config/git-site.sh "$SITE") || exit 1
	folder=$(echo "$taken" | sed -n 1p)
	set -- --info "commit=$(echo "$taken" | sed -n 2p)" \
	    --info "tree=$(echo "$taken" | sed -n 3p)"
	;;
-*) folder=./$SITE ;;
esac
printf %s "$folder" >"$base.folder"
build/mkromfs "$@" "$folder" "$new" >"$base.txt"
cmp -s "$new" "$rom" || mv "$new" "$rom"
