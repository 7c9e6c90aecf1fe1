#!/bin/sh
# Put the verified source of a third-party library into build/deps/NAME.
#
#   config/fetch.sh NAME PACKAGE SUITE [ORIGIN]
#
# NAME     bearssl or lwip; config/NAME.sha256 lists every file we use
# PACKAGE  Debian's source package
# SUITE    the Debian release that carries the version we use
# ORIGIN   a folder or a tar archive with the same files, instead of Debian
#
# What is fetched counts only as far as the manifest vouches for it: the files in
# build/deps/NAME are exactly those of the manifest, whatever else came along.
# Debian's own patches are left out, so an upstream archive passes as well.
# Nothing is left half done: the folder appears by one rename at the end.
#
# The mirror is the one this machine already uses; its addresses are read from
# apt's configuration into a private one under build/, with deb-src and SUITE.
set -eu

name=$1
package=$2
suite=$3
origin=${4-}
manifest=config/$name.sha256
dest=build/deps/$name

fail()
{
	echo "stele: $name: $1" >&2
	shift
	for line; do
		echo "stele:   $line" >&2
	done
	exit 1
}

by_hand="or by hand: make $(echo "$name" | tr a-z A-Z)_SRC=/path/to/its/source"

mkdir -p build/deps
work=$(mktemp -d "$PWD/build/deps/.$name.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# Print the machine's own apt entries as deb822 "URIs:" and "Signed-By:" lines,
# one stanza each, from both of apt's formats.
list_mirrors()
{
	eval "$(apt-config shell list Dir::Etc::sourcelist/f \
	    parts Dir::Etc::sourceparts/d)"
	for file in "$list" "$parts"/*.list; do
		[ -r "$file" ] || continue
		# deb [signed-by=KEY other=...] URI SUITE COMPONENT...
		sed -n 's/#.*//
		    s/^[ \t]*deb[ \t]\{1,\}//p' "$file" |
		while read -r line; do
			key=$(echo "$line" |
			    sed -n 's/^\[.*signed-by=\([^] ]*\).*\].*/\1/p')
			uri=$(echo "$line" |
			    sed 's/^\[[^]]*\][ \t]*//' | cut -d ' ' -f 1)
			echo "URIs: $uri"
			[ -z "$key" ] || echo "Signed-By: $key"
			echo
		done
	done
	for file in "$parts"/*.sources; do
		[ -r "$file" ] || continue
		# Whole fields with their continuation lines; comments may stand
		# between any two lines of a stanza.
		grep -v '^#' "$file" | awk '
			/^[ \t]*$/ { print ""; keep = 0; next }
			/^[^ \t]/ { keep = tolower($1) ~ /^(uris|signed-by):$/ }
			keep'
		echo
	done
}

# The same entries as deb-src entries for SUITE; those of the security archive and
# of other distributions are left out by what their address ends in.
write_sources()
{
	list_mirrors | awk -v suite="$suite" '
		function flush() {
			if (stanza ~ /URIs:[^\n]*\/(debian|debian\.list)\/?[ \n]/ \
			    && !(stanza in seen))
				printf "Types: deb-src\nSuites: %s\n" \
				    "Components: main\n%s\n", suite, stanza
			seen[stanza] = 1
			stanza = ""
		}
		/^$/ { flush(); next }
		{ stanza = stanza $0 "\n" }
		END { flush() }'
}

apt()
{
	apt-get -q -o Dir::Etc::sourcelist="$work/apt/debian.sources" \
	    -o Dir::Etc::sourceparts=/dev/null -o Dir::State="$work/apt" \
	    -o Dir::Cache="$work/apt" -o Dir::State::status=/var/lib/dpkg/status \
	    -o APT::Sandbox::User="$(id -un)" -o APT::Get::List-Cleanup=0 \
	    -o Acquire::Languages=none -o Acquire::Retries=3 "$@"
}

from_debian()
{
	command -v apt-get >/dev/null || fail \
	    "there is no apt-get here to fetch the source package with" "$by_hand"
	echo "stele: fetching $package from the source packages of Debian $suite"
	mkdir -p "$work/apt/lists/partial" "$work/apt/archives/partial" "$work/got"
	write_sources >"$work/apt/debian.sources"
	[ -s "$work/apt/debian.sources" ] || fail \
	    "apt's configuration on this machine names no Debian mirror" \
	    "add one (an address that ends in /debian)," "$by_hand"
	(
		cd "$work/got"
		apt update && apt source --download-only "$package" &&
		    dpkg-source --no-check --skip-patches -x ./*.dsc "$work/src"
	) >"$work/log" 2>&1 || {
		tail -n 15 "$work/log" >&2
		fail "could not fetch the source package (see above)" \
		    "is the mirror reachable? Running make again tries again," \
		    "$by_hand"
	}
}

from_origin()
{
	if [ -d "$origin" ]; then
		ln -s "$(cd "$origin" && pwd)" "$work/src"
	elif [ -f "$origin" ]; then
		mkdir "$work/src"
		tar -xf "$origin" -C "$work/src" --strip-components=1 ||
		    fail "cannot unpack $origin"
	else
		fail "$origin: no such folder or archive"
	fi
}

# Copy the files of the manifest, each only if its digest is right.
take_verified()
{
	while read -r sum path; do
		case $sum in ''|'#'*) continue ;; esac
		[ -f "$work/src/$path" ] || fail "$path is missing" \
		    "$manifest lists it; this is another version?"
		mkdir -p "$work/out/$(dirname "$path")"
		cp "$work/src/$path" "$work/out/$path"
		echo "$sum  $path" |
		    (cd "$work/out" && sha256sum --check --status) ||
		    fail "$path is not the file that $manifest vouches for"
	done <"$manifest"
}

rm -rf "$dest"
if [ -n "$origin" ]; then from_origin; else from_debian; fi
take_verified
echo "stele: $name: $(find "$work/out" -type f | wc -l) files verified"
touch "$work/out/.verified"
chmod -R a-w,u+w "$work/out"
mv "$work/out" "$dest"
