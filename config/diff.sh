#!/bin/sh
# List the URLs that were added, removed or changed from one image to another, and count
# them.  In the environment: A and B, images (stele.elf) or ROMs (site.rom).
set -eu

for image in "A=$A" "B=$B"; do
	[ -n "${image#?=}" ] || {
		echo "stele: ${image%%=*} is empty: two images are needed" >&2
		echo "stele:   make diff A=old.elf B=build/stele.elf" >&2
		exit 1
	}
done

list=$(mktemp "${TMPDIR:-/tmp}/stele-diff.XXXXXX")
trap 'rm -f "$list"' EXIT
trap 'exit 130' INT TERM HUP

# 0: nothing differs, 1: something does, 2: an image cannot be read.
status=0
build/mkromfs --diff -- "$A" "$B" >"$list" || status=$?
[ "$status" -le 1 ] || exit "$status"
cat "$list"
awk -F '\t' '
	{ count[$1]++ }
	END {
		printf "%d added, %d removed, %d changed\n",
		    count["added"], count["removed"], count["changed"]
	}' "$list"
