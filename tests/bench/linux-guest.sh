#!/bin/sh
# Build what our image is compared with: Debian's cloud kernel and nginx in the
# smallest initramfs that serves the bench's site.  Writes build/bench/linux/vmlinuz,
# initramfs, and size (bytes of both packed as small as they boot, without the site).
#
# Packages are downloaded with apt-get and unpacked below build/, never installed.
# A finished guest is kept until what it is made of changes.
set -eu

dir=build/bench/linux
site=build/bench/site
tls=build/bench/tls
packages="busybox-static nginx libc6 libcrypt1 libpcre2-8-0 libssl3 zlib1g"
modules="net/core/failover drivers/net/net_failover drivers/virtio/virtio_ring
    drivers/virtio/virtio drivers/virtio/virtio_pci_legacy_dev
    drivers/virtio/virtio_pci_modern_dev drivers/virtio/virtio_pci
    drivers/net/virtio_net"
libraries="libc.so.6 libcrypt.so.1 libcrypto.so.3 libpcre2-8.so.0 libssl.so.3
    libz.so.1"

fail()
{
	echo "bench: no Linux guest: $1" >&2
	exit 1
}

download()
{
	command -v apt-get >/dev/null || fail "this machine has no apt-get"
	kernel=$(apt-cache depends linux-image-cloud-amd64 2>/dev/null |
	    sed -n 's/.*Depends: \(linux-image-[^ ]*\).*/\1/p' | head -n 1)
	[ -n "$kernel" ] || fail "apt knows no linux-image-cloud-amd64 (apt-get update?)"
	mkdir -p "$dir/debs"
	# shellcheck disable=SC2086  # package names have no spaces
	(cd "$dir/debs" && timeout 100 apt-get -q -o APT::Sandbox::User=root \
	    download "$kernel" $packages) >"$dir/download.log" 2>&1 ||
	    fail "could not download its packages (see $dir/download.log)"
}

unpack()
{
	for deb in "$dir"/debs/*.deb; do
		dpkg-deb -x "$deb" "$dir/files"
	done
}

# find_file PATTERN: the file whose path ends so, through symbolic links.
find_file()
{
	found=$(find "$dir/files" -path "*/$1" | head -n 1)
	[ -n "$found" ] || fail "its packages have no $1"
	readlink -f "$found"
}

# The kernel's ip= needs a driver before the modules are there: done here.
first_program()
{
	cat <<'END'
#!/bin/sh
mount -t devtmpfs none /dev
mount -t proc none /proc
mount -t sysfs none /sys
for module in $(cat /modules/order); do
	insmod "/modules/$module.ko"
done
for word in $(cat /proc/cmdline); do
	case $word in ip=*) address=${word#ip=} ;; esac
done
ip link set lo up
ip addr add "${address%%:*}/24" dev eth0
ip link set eth0 up
echo 4096 >/proc/sys/net/core/somaxconn
echo 4096 >/proc/sys/net/ipv4/tcp_max_syn_backlog
echo 0 >/proc/sys/net/ipv4/tcp_slow_start_after_idle
ulimit -n 8192
exec nginx -p /run -g 'daemon off; user nobody nogroup;'
END
}

root_folder()
{
	root=$dir/root
	rm -rf "$root"
	mkdir -p "$root/bin" "$root/dev" "$root/proc" "$root/sys" "$root/run" \
	    "$root/etc/nginx" "$root/modules" "$root/lib64" "$root/site" "$root/tls" \
	    "$root/lib/x86_64-linux-gnu" "$root/var/log/nginx" \
	    "$root/var/lib/nginx"
	cp "$(find_file bin/busybox)" "$root/bin/busybox"
	for tool in sh mount insmod ip cat echo; do
		ln -s busybox "$root/bin/$tool"
	done
	cp "$(find_file sbin/nginx)" "$root/bin/nginx"
	for library in $libraries; do
		cp "$(find_file "$library")" "$root/lib/x86_64-linux-gnu/$library"
	done
	cp "$(find_file ld-linux-x86-64.so.2)" "$root/lib64/ld-linux-x86-64.so.2"
	for module in $modules; do
		cp "$(find_file "${module##*/}.ko")" "$root/modules/"
		echo "${module##*/}"
	done >"$root/modules/order"
	echo 'root:x:0:0::/:/bin/sh
nobody:x:65534:65534::/:/bin/sh' >"$root/etc/passwd"
	echo 'root:x:0:
nogroup:x:65534:' >"$root/etc/group"
	sed -e 's|@SITE@|/site|' -e 's|@TLS@|/tls|' tests/bench/nginx.conf \
	    >"$root/etc/nginx/nginx.conf"
	first_program >"$root/init"
	chmod 755 "$root/init"
}

# pack FILE: the root folder as an initramfs.
pack()
{
	(cd "$root" && find . | sort | ./bin/busybox cpio -o -H newc \
	    2>/dev/null) >"$1" || fail "could not pack its initramfs"
}

if [ -s "$dir/size" ] && [ -z "$(find "$0" tests/bench/nginx.conf "$tls" \
    -newer "$dir/size")" ]; then
	exit 0
fi
rm -rf "$dir"
mkdir -p "$dir/files"
download
unpack
root_folder
cp "$dir"/files/boot/vmlinuz-* "$dir/vmlinuz"
pack "$dir/empty"
xz --check=crc32 --lzma2=preset=9e,dict=4MiB --force "$dir/empty"
cp "$site"/* "$root/site/"
cp "$tls"/* "$root/tls/"
chmod -R a+rX "$root/site"
# Booted unpacked: that takes more room, and less time.
pack "$dir/initramfs"
rm -rf "$dir/files" "$dir/debs" "$root"
cat "$dir/vmlinuz" "$dir/empty.xz" | wc -c >"$dir/size"
