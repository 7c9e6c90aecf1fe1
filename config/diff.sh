#!/bin/sh
# List the URLs that were added, removed or changed from one image to another.
#
# In the environment: A and B, images (stele.elf) or ROMs (site.rom).
set -eu

fail()
{
	printf 'stele: %s\n' "$1" >&2
	shift
	for line; do printf 'stele:   %s\n' "$line" >&2; done
	exit 1
}

magic_at() # FILE OFFSET
{
	dd if="$1" bs=1 skip="$2" count=8 2>/dev/null | tr -d '\000'
}

# The ROM is the segment of the image that begins like one.
rom_of() # VARIABLE FILE OUT
{
	case $2 in
	'') fail "$1 is empty: two images are needed" \
	    "make diff A=old.elf B=build/stele.elf" ;;
	/*) file=$2 ;;
	*) file=./$2 ;;
	esac
	[ -e "$file" ] || fail "$1=$2: no such file"
	[ -f "$file" ] || fail "$1=$2 is not a file"
	[ -r "$file" ] || fail "$1=$2 cannot be read"
	if [ "$(magic_at "$file" 0)" = stelerom ]; then
		cp "$file" "$3"
		return
	fi
	readelf -lW "$file" 2>/dev/null | awk '$1 == "LOAD" { print $2, $5 }' \
	    >"$3.segments" || true
	while read -r offset length; do
		[ "$(magic_at "$file" $((offset)))" = stelerom ] || continue
		tail -c "+$((offset + 1))" "$file" | head -c $((length)) >"$3"
		return
	done <"$3.segments"
	fail "$1=$2 is no image of stele: no site is in it"
}

dir=$(mktemp -d "${TMPDIR:-/tmp}/stele-diff.XXXXXX")
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM HUP
rom_of A "$A" "$dir/a.rom"
rom_of B "$B" "$dir/b.rom"
build/mkromfs --diff "$dir/a.rom" "$dir/b.rom"
