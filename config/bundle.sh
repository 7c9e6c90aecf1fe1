#!/bin/sh
# Make build/instance.bin from certificates, keys and settings, and say what is in it.
#
# In the environment: CERT and KEY, files in PEM, as many of the one as of the other;
# HOST, the names that the machine serves; SETTINGS, words as on the command line.
# Blanks separate the elements of the first three; a file whose name has blanks can
# be given alone.
set -euf
. config/instance.sh

out=build/instance.bin

[ -n "$CERT$KEY$SETTINGS" ] || fail "nothing to put into an instance bundle" \
    "make instance CERT=fullchain.pem KEY=key.pem [HOST=example.org] [SETTINGS=\"...\"]" \
    "make instance SETTINGS=\"...\"       (without a certificate: HTTP only)" \
    "several certificates: CERT=\"a.pem b.pem\" KEY=\"a.key b.key\"; README.md has more"
[ -n "$CERT" ] || [ -z "$KEY" ] || fail "KEY is given and CERT is not" \
    "make instance CERT=fullchain.pem KEY=$KEY"
[ -n "$KEY" ] || [ -z "$CERT" ] || fail "CERT is given and KEY is not" \
    "make instance CERT=$CERT KEY=key.pem"

# The lists are cut at blanks: unquoted, and -f keeps patterns as they are.
set --
if [ -e "$CERT" ]; then
	set -- "$@" --cert "$CERT"
else
	for file in $CERT; do set -- "$@" --cert "$file"; done
fi
if [ -e "$KEY" ]; then
	set -- "$@" --key "$KEY"
else
	for file in $KEY; do set -- "$@" --key "$file"; done
fi
for name in $HOST; do set -- "$@" --host "$name"; done
[ -z "$SETTINGS" ] || set -- "$@" --settings "$SETTINGS"

build/mkinstance "$@" -o "$out" || exit 1

if [ -n "$KEY" ]; then
	say "$out holds the private key: keep it as safe as the key itself"
fi
say "make run takes it; any QEMU: -initrd $out"
