#!/bin/sh
# Review the site: what is wrong with it, or the policy that it could have.
#
#   config/check.sh review|csp
#
# In the environment: SITE or SITES, BUDGET (KiB a file), STRICT=1, ALL=1.
set -eu

fail()
{
	echo "stele: $1" >&2
	exit 1
}

flag() # NAME VALUE
{
	case $2 in ''|0|1) ;; *) fail "$1=$2 is neither 1 nor 0" ;; esac
}

flag STRICT "$STRICT"
flag ALL "$ALL"
what=$1
dir=build/check
rom=$dir/site.rom
mkdir -p "$dir"

# Baked as for the image, but nothing is compressed: what counts is which URL answers.
CODINGS=none config/pack.sh "$rom" manifest || exit 1
# A name may end in a line break.
folder=$(cat "${rom%.rom}.folder"; echo x)
folder=${folder%x}

set --
[ -z "${SITES-}" ] || set -- "$@" --sites
[ "$STRICT" != 1 ] || set -- "$@" --strict
[ "$ALL" != 1 ] || set -- "$@" --all
[ "$what" != csp ] || set -- "$@" --csp
[ -z "$BUDGET" ] || set -- "$@" --budget "$BUDGET"

status=0
PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 -m romfs.review "$@" --image "$rom" \
    --manifest "${rom%.rom}.manifest" -- "$folder" || status=$?
[ "$status" != 1 ] || [ "$what" = csp ] || fail "STRICT=1: warnings are errors"
exit "$status"
