#!/bin/sh
# Refuse a kernel.elf or server.elf that boot could not load or should not.
#
#   config/check-image.sh FILE
#
# Holds only R_X86_64_RELATIVE relocations, names no symbol it does not define,
# has no segment that is both writable and executable, and asks for no
# interpreter or library.  Reads nothing through a segment register: there is no
# thread's storage, and a canary looked for there would be a page fault.
set -eu

fail()
{
	echo "$file: $1" >&2
	exit 1
}

file=$1
# The first symbol of a table is the undefined one and has no name.
undefined=$(readelf -sW "$file" |
    awk '$7 == "UND" && $8 != "" { print $8 }' | sort -u)
[ -z "$undefined" ] || fail "undefined symbols: $undefined"

others=$(readelf -rW "$file" | grep -o 'R_X86_64_[A-Z0-9_]*' | sort -u |
    grep -vx R_X86_64_RELATIVE || true)
[ -z "$others" ] || fail "relocations other than RELATIVE: $others"

segments=$(readelf -lW "$file")
bad=$(echo "$segments" | awk '$1 == "LOAD" && /RWE/')
[ -z "$bad" ] || fail "a segment is writable and executable"
if echo "$segments" | grep -q INTERP; then
	fail "asks for an interpreter"
fi
if readelf -dW "$file" | grep -q -e NEEDED -e TEXTREL; then
	fail "needs a library or relocates its text"
fi

segment=$(objdump -d --no-show-raw-insn "$file" | grep -m 1 -e '%fs:' -e '%gs:' ||
    true)
[ -z "$segment" ] || fail "reads through a segment register:$segment"
