#!/bin/sh
# Print the manifest of a library's source, for whoever moves to a new version.
#
#   config/manifest.sh NAME FOLDER >config/NAME.sha256
#
# FOLDER is unpacked source that you have read and trust.
set -eu

name=$1
cd "$2"
case $name in
bearssl) what='LICENSE.txt inc src' ;;
lwip)    what='COPYING src/core src/include src/netif/ethernet.c' ;;
*)       echo "manifest.sh: no such library: $name" >&2; exit 1 ;;
esac

echo "# SHA-256 of every file of $name that can get into the image, and its licence."
echo "# Made by config/manifest.sh, checked by config/fetch.sh."
# shellcheck disable=SC2086
find $what -name '*.[ch]' -o -name COPYING -o -name LICENSE.txt | LC_ALL=C sort | xargs sha256sum
