#!/bin/sh
# Turn offsets in a crash report into names: copies a console log (FILE, else
# standard input) and puts function, file and line behind every "kernel+0x1234"
# and "server+0x1234".  Needs the build/*.elf of the image that crashed.
set -eu

for elf in build/kernel.elf build/server.elf; do
	if [ ! -r "$elf" ]; then
		echo "stele: $elf is missing: build the image that crashed" >&2
		exit 1
	fi
done
if [ -n "${FILE-}" ]; then
	exec <"$FILE"
fi
while IFS= read -r line || [ -n "$line" ]; do
	printf '%s\n' "$line"
	printf '%s\n' "$line" | grep -o '\(kernel\|server\)+0x[0-9a-fA-F]*' |
	while IFS=+ read -r part offset; do
		# A return address is one after its call: look just before it.
		printf '    %s+%s: ' "$part" "$offset"
		addr2line -e "build/$part.elf" -f -i -p -s "$offset"
	done || true
done
