#!/bin/sh
# Measure what was built; README.md here says what and how.
#
#   tests/bench/run.sh [--linux]            the table (also LINUX=1 in the environment)
#   tests/bench/run.sh profile KIND [...]   instructions by function; --help for more
#
# Runs in a network namespace of its own, which ends with it.
set -eu
cd "$(dirname "$0")/../.."

dir=build/bench
mkdir -p "$dir"

fail()
{
	echo "bench: $1" >&2
	exit 1
}

make_site()
{
	[ ! -e "$dir/site/1m.bin" ] || return 0
	python3 - "$dir/site" <<'END'
import os, random, sys
os.makedirs(sys.argv[1], exist_ok=True)
noise = random.Random(1)
for name, length in ("1k", 1 << 10), ("16k", 16 << 10), ("1m", 1 << 20):
    with open(f"{sys.argv[1]}/{name}.bin", "wb") as f:
        f.write(noise.randbytes(length))
END
}

# One name, a certificate for each kind of key, for all servers alike.
make_certificates()
{
	[ ! -e "$dir/tls" ] || return 0
	mkdir -p "$new/tls"
	for kind in "ecdsa ec -pkeyopt ec_paramgen_curve:P-256" "rsa rsa:2048"; do
		name=${kind%% *}
		# shellcheck disable=SC2086  # several words
		openssl req -x509 -newkey ${kind#* } -nodes -days 3650 \
		    -subj /CN=bench.test -addext subjectAltName=DNS:bench.test \
		    -addext basicConstraints=critical,CA:FALSE \
		    -keyout "$new/tls/$name.key" -out "$new/tls/$name.crt" \
		    2>"$new/openssl.log" ||
		    fail "openssl could not make a certificate: $(cat "$new/openssl.log")"
	done
	rm "$new/openssl.log"
	mv "$new/tls" "$dir/"
}

make_bundle()
{
	build/mkinstance --cert "$dir/tls/ecdsa.crt" --key "$dir/tls/ecdsa.key" \
	    --cert "$dir/tls/rsa.crt" --key "$dir/tls/rsa.key" \
	    -o "$new/instance.bin" >"$new/instance.txt" 2>&1 ||
	    fail "no instance bundle: $(cat "$new/instance.txt")"
}

# Others may measure at the same time: what they use is replaced, not overwritten.
make_image()
{
	for file in build/mkromfs build/mkimage build/mkinstance build/boot.elf \
	    build/image/kernel.elf build/image/server.elf; do
		[ -e "$file" ] || fail "$file is missing: run \`make\` first"
	done
	build/mkromfs "$dir/site" "$new/site.rom" >"$new/site.txt"
	build/mkimage --boot build/boot.elf --kernel build/image/kernel.elf \
	    --server build/image/server.elf --rom "$new/site.rom" \
	    --version bench -o "$new/stele.elf" >"$new/image.sha256"
}

make_plugin()
{
	gcc -std=gnu11 -O2 -Wall -Wextra -Werror -shared -fPIC \
	    -fvisibility=hidden -o "$new/insn.so" tests/bench/insn.c
}

make_client()
{
	gcc -std=gnu11 -O2 -Wall -Wextra -Werror -o "$new/tlsload" \
	    tests/bench/tlsload.c -lssl -lcrypto
}

# The one of this machine, or Debian's unpacked: installing it would start it.
find_nginx()
{
	nginx=$(PATH=$PATH:/usr/sbin command -v nginx) && return
	nginx=$dir/nginx/usr/sbin/nginx
	[ ! -x "$nginx" ] || return 0
	rm -rf "$dir/nginx"
	mkdir -p "$dir/nginx"
	(cd "$dir/nginx" && timeout 100 apt-get -q -o APT::Sandbox::User=root \
	    download nginx && dpkg-deb -x nginx_*.deb .) \
	    >"$dir/nginx.log" 2>&1 && [ -x "$nginx" ] && return
	echo "bench: no nginx here: could not download it (see $dir/nginx.log)" >&2
	nginx=
}

for tool in qemu-system-x86_64 wrk ip python3 unshare setpriv openssl; do
	command -v "$tool" >/dev/null ||
	    fail "$tool is missing: \`make bench\` installs it"
done

program=bench.py
case ${1-} in
profile) shift; program=hotspots.py ;;
--linux) LINUX=1; shift ;;
esac

new=$(mktemp -d "$dir/new.XXXXXX")
trap 'rm -rf "$new"' EXIT
make_site
make_certificates
make_bundle
make_image
make_plugin
make_client
mv "$new"/* "$dir/"
rmdir "$new"
trap - EXIT

if [ "$program" = bench.py ]; then
	find_nginx
	set -- "$@" ${nginx:+--nginx "$nginx"}
fi
if [ "$program" = bench.py ] && [ -n "${LINUX-}" ] && [ "$LINUX" != 0 ]; then
	# Without it the rest is still worth measuring.
	tests/bench/linux-guest.sh && set -- "$@" --linux
fi

root=-r
[ "$(id -u)" != 0 ] || root=
export PYTHONDONTWRITEBYTECODE=1
# shellcheck disable=SC2086  # no word if we are root
exec unshare -n ${root:+-U $root} python3 "tests/bench/$program" "$@"
