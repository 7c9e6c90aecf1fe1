#!/bin/sh
# Turn offsets in a crash report into names: copies a console log (FILE, else
# standard input) and puts function, file and line under every line that holds
# "kernel+0x1234" or "server+0x1234".  Needs the build/*.elf of the image that crashed.
set -eu

for elf in build/kernel.elf build/server.elf; do
	if [ ! -r "$elf" ]; then
		echo "stele: $elf is missing: build the image that crashed" >&2
		exit 1
	fi
done
if [ -n "${FILE-}" ]; then
	[ -r "$FILE" ] || { echo "stele: cannot read FILE=$FILE" >&2; exit 1; }
	exec <"$FILE"
fi

while IFS= read -r line || [ -n "$line" ]; do
	printf '%s\n' "$line"
	# A return address is the place after its call: look one byte before it.
	back=0
	case $line in *backtrace:*) back=1 ;; esac
	printf '%s\n' "$line" | grep -o '\(kernel\|server\)+0x[0-9a-fA-F]*' |
	while IFS=+ read -r part offset; do
		at=$(printf '0x%x' $((offset - back)))
		printf '    %s+%s: ' "$part" "$offset"
		addr2line -e "build/$part.elf" -f -i -p -s "$at"
	done || true
done
