#!/bin/sh
# Boot build/stele.elf in QEMU with user-mode networking, in the foreground, until
# it powers off, Ctrl-C, or `make stop`.
#
# In the environment: HTTP_PORT, HTTPS_PORT, INSTANCE (a bundle, none, or empty to
# choose), MEM (MiB), MACHINE (q35, pc, microvm), ACCEL (kvm, tcg, or empty to
# choose), APPEND (words for the image's command line).
#
# QEMU gets a session of its own, so that Ctrl-C reaches only this script; it
# then presses the power button and lets the image finish its responses.  Should
# this script be killed, the kernel ends QEMU too (setpriv --pdeathsig).
set -eu
. config/instance.sh

image=build/stele.elf
dir=build/run
qemu_pid=

choose_bundle

# Image and bundle lie in RAM, and 24 MiB are for everything else.
len=$(stat -c %s "$image")
[ -z "$bundle" ] || len=$((len + $(stat -L -c %s "$bundle")))
needed=$((24 + len / 1048576))
if [ -z "$MEM" ]; then
	MEM=$((needed + 40))
fi
case $MEM in
*[!0-9]*|???????*) fail "MEM=$MEM is not a number of MiB" ;;
esac
[ "$MEM" -ge "$needed" ] || fail \
    "MEM=$MEM is too little: this image needs at least $needed MiB" \
    "try: make run MEM=$((needed + 40))"

nic=virtio-net-pci,netdev=net0,romfile=
rng=virtio-rng-pci
modern=
case $MACHINE in
q35|pc) ;;
microvm)
	# Its virtio devices speak version 1.0 only if asked to.
	modern='-global virtio-mmio.force-legacy=false'
	nic=virtio-net-device,netdev=net0
	rng=virtio-rng-device
	;;
*) fail "MACHINE=$MACHINE is not one of q35, pc, microvm" ;;
esac

# A /dev/kvm without the processor's own virtualisation behind it (nested in some
# clouds) emulates only part of an x86, so it has to be asked for by name.
case $ACCEL in
kvm|tcg) accel=$ACCEL ;;
'')
	accel=tcg
	if [ -r /dev/kvm ] && [ -w /dev/kvm ] &&
	    grep -q -w -e vmx -e svm /proc/cpuinfo; then
		accel=kvm
	fi
	;;
*) fail "ACCEL=$ACCEL is not one of kvm, tcg" ;;
esac

check_ports "make run"
mkdir -p "$dir"
monitor=$dir/$HTTP_PORT.monitor
rm -f "$monitor.in" "$monitor.out"
mkfifo "$monitor.in" "$monitor.out"

clean_up()
{
	rm -f "$monitor.in" "$monitor.out"
	forget_instance
}

# The power button; whoever does not react within five seconds is switched off.
power_off()
{
	trap '' INT TERM HUP
	if [ -z "$qemu_pid" ]; then
		exit 0
	fi
	echo
	say "stopping"
	echo system_powerdown >"$monitor.in" &
	wait_gone "$qemu_pid" 50 || kill -TERM "$qemu_pid" 2>/dev/null || true
	wait_gone "$qemu_pid" 20 || kill -KILL "$qemu_pid" 2>/dev/null || true
	wait "$qemu_pid" || true
	exit 0
}

trap clean_up EXIT
trap power_off INT TERM HUP
record_instance $$

say_addresses
say "$MACHINE, $MEM MiB, $accel; Ctrl-C or \`make stop\` ends it"
forward=hostfwd=tcp:127.0.0.1:$HTTP_PORT-:80
[ "$https" = no ] || forward=$forward,hostfwd=tcp:127.0.0.1:$HTTPS_PORT-:443
[ -z "$bundle" ] || set -- -initrd "$bundle"
# A second possible CPU makes QEMU before 8.1 keep the fences between the virtual
# machine and its devices; without them a packet in millions waits for a second.
# shellcheck disable=SC2086  # two words
setsid setpriv --pdeathsig TERM qemu-system-x86_64 \
    -machine "$MACHINE" -accel "$accel" -cpu max -smp 1,maxcpus=2 -m "${MEM}M" \
    -no-user-config -nodefaults -display none \
    -kernel "$image" -append "$APPEND" "$@" \
    -netdev "user,id=net0,$forward" \
    $modern -device "$nic" -device "$rng" \
    -chardev stdio,id=console,signal=off -serial chardev:console \
    -chardev "pipe,id=monitor,path=$monitor" -mon chardev=monitor \
    </dev/null &
qemu_pid=$!

status=0
wait "$qemu_pid" || status=$?
[ "$status" = 0 ] || fail "QEMU ended with status $status"
say "the machine has powered off"
