#!/bin/sh
# Make sure that the Debian packages a target needs are there.
#
#   config/packages.sh GROUP...      groups: build git check watch run dev test bench
#
# Present packages cost one dpkg-query and print nothing.  Missing ones are
# named with their reason and installed through apt, with sudo when we are not
# root.  PACKAGES=ignore in the environment skips all of it, for machines that
# have the same tools from elsewhere.
set -eu

# One line a package: groups, package, what for.
table='
build         gcc                  to compile
build         libc6-dev            to compile the tools that run on this machine
build         binutils             to link and to inspect what was linked
build         patch                to apply config/lwip-*.patch
build         dpkg-dev             to unpack the BearSSL and lwIP source packages
build         libunistring-dev     to normalise file names in mkromfs
build         zlib1g-dev           to compress with gzip in mkromfs
build         libbrotli-dev        to compress with brotli in mkromfs
build         libzstd-dev          to compress with zstd in mkromfs
build,bench   libssl-dev           to compile mkinstance and mkromfs, and the TLS client of the bench
build         media-types          for the table of content types
git,test      git                  to take a site out of a commit
check,test    python3              to review a site
check,test    python3-html5-parser to read HTML as browsers do
check,test    python3-lxml         to read SVG
check,test    python3-tinycss2     to read style sheets
watch,test    inotify-tools        to see that a file was saved
watch         passt                to give a process a network without root
run,test      qemu-system-x86      to boot the image
dev,test      passt                to give a process a network without root
test          python3-pytest       to run the tests written in Python
test          clang                to build the fuzz harnesses
test          libclang-rt-dev      for the fuzzer and the sanitizers of clang
test          libcmocka-dev        for the unit tests
test          valgrind             to count the instructions of a request
test          curl                 as a client nobody here wrote
test          nginx-light          as a server nobody here wrote
test          python3-prometheus-client  to read metrics as Prometheus does
test          brotli               to decode what the image has, with the tool
test          zstd                 to decode what the image has, with the tool
test,bench    openssl              as a TLS client, and to make certificates
test          gnutls-bin           as another TLS client
test          sslscan              to list what the server accepts
test          chromium             as a browser
test          npm                  to fetch Playwright, which drives the browser
test          ffmpeg               to make a video that is sought into
test          fonts-dejavu-core    as a font that a page brings along
test          libnss3-tools        to tell the browser whom to trust
test,bench    wrk                  to make many requests
test          iproute2             to make a private network for the tests
test          iputils-ping         to see whether the server answers it
test          debian-reference-en  as a site nobody here wrote
test          python3.11-doc       as a second, larger one
bench         qemu-system-x86      to boot what is measured
bench         iproute2             to make a private network for the measurement
bench         python3              to drive the measurement
bench         xz-utils             to pack the Linux guest of LINUX=1
'

[ "${PACKAGES-}" = ignore ] && exit 0

wanted() # GROUP... -> "package what for", one line each
{
	for group; do
		printf '%s' "$table" | while read -r groups package why; do
			case ",$groups," in
			*",$group,"*) echo "$package $why" ;;
			esac
		done
	done | sort -u -k 1,1
}

missing() # reads wanted lines, prints those that are not installed
{
	lines=$(cat)
	names=$(echo "$lines" | cut -d ' ' -f 1)
	# shellcheck disable=SC2086  # package names have no spaces
	have=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' $names \
	    2>/dev/null || true)
	echo "$lines" | while read -r package why; do
		case "
$have
" in
		*"
$package installed
"*) ;;
		# npm may have come with another nodejs than Debian's.
		*) [ "$package" = npm ] && command -v npm >/dev/null ||
		    echo "$package $why" ;;
		esac
	done
}

give_up()
{
	echo "stele: $1" >&2
	echo "stele: please install:" $todo_names >&2
	echo "stele: (or set PACKAGES=ignore if the tools come from elsewhere)" >&2
	exit 1
}

todo=$(wanted "$@" | missing)
[ -n "$todo" ] || exit 0

# Several targets may ask at once; the second finds the work done.
mkdir -p build
if [ -z "${STELE_PACKAGES_LOCKED-}" ]; then
	export STELE_PACKAGES_LOCKED=1
	exec flock build/packages.lock "$0" "$@"
fi
todo_names=$(echo "$todo" | cut -d ' ' -f 1 | tr '\n' ' ')

echo "$todo" | while read -r package why; do
	echo "stele: installing $package ($why)"
done

command -v apt-get >/dev/null ||
    give_up "this machine has no apt-get to install packages with"
as_root=
if [ "$(id -u)" != 0 ]; then
	command -v sudo >/dev/null ||
	    give_up "not root, and there is no sudo to become root with"
	as_root=sudo
	echo "stele: sudo may ask for your password"
fi

log=build/packages.log

apt()
{
	$as_root env DEBIAN_FRONTEND=noninteractive apt-get -q \
	    -o DPkg::Lock::Timeout=120 "$@" >>"$log" 2>&1
}

install()
{
	# shellcheck disable=SC2086
	apt install -y --no-install-recommends $todo_names
}

: >"$log"
# Package lists may be missing or older than what the mirror still carries.
if ! install; then
	echo "stele: fetching newer package lists"
	apt update || true
	if ! install; then
		tail -n 12 "$log" >&2
		give_up "apt-get could not install them (see above and $log)"
	fi
fi

left=$(wanted "$@" | missing)
[ -z "$left" ] || give_up "apt-get said it was done, but some are still missing"
