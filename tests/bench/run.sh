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

# Others may measure at the same time: what they use is replaced, not overwritten.
make_image()
{
	for file in build/mkromfs build/mkimage build/boot.elf \
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

for tool in qemu-system-x86_64 wrk ip python3 unshare setpriv; do
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
make_image
make_plugin
mv "$new"/* "$dir/"
rmdir "$new"
trap - EXIT

if [ "$program" = bench.py ] && [ -n "${LINUX-}" ] && [ "$LINUX" != 0 ]; then
	# Without it the rest is still worth measuring.
	tests/bench/linux-guest.sh && set -- "$@" --linux
fi

root=-r
[ "$(id -u)" != 0 ] || root=
export PYTHONDONTWRITEBYTECODE=1
# shellcheck disable=SC2086  # no word if we are root
exec unshare -n ${root:+-U $root} python3 "tests/bench/$program" "$@"
