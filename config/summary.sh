#!/bin/sh
# Say what was built, after mkromfs's own lines about the site (build/site.txt).
set -eu

size()
{
	stat -c %s "$1" | awk '{ printf "%.1f KiB", $1 / 1024 }'
}

cat build/site.txt
echo "kernel  $(size build/image/kernel.elf)"
echo "server  $(size build/image/server.elf)"
echo "ROM     $(size build/site.rom)"
echo "hash    $(cat build/image.sha256)"
echo "image   build/stele.elf, $(size build/stele.elf)"
