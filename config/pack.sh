#!/bin/sh
# Pack the folder named by SITE into build/site.rom with mkromfs.  The ROM keeps its
# date when nothing in it changed, so that make knows what else to do.
set -eu

if [ -z "$SITE" ]; then
	echo "stele: SITE is empty: make SITE=/path/to/a/folder" >&2
	exit 1
fi
new=build/site.rom.new
trap 'rm -f "$new"' EXIT

case $SITE in -*) SITE=./$SITE ;; esac
build/mkromfs "$SITE" "$new" >build/site.txt
cmp -s "$new" build/site.rom || mv "$new" build/site.rom
