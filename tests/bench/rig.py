"""What is measured, started on a network of its own, and ended again.

A Body says how something is started: our image under QEMU, our Linux process, the
Linux guest.  A Server is one running instance of a Body on a tap device; as a
context manager it is ended on the way out, by its process id.  Should this program
be killed, the kernel ends its children (setpriv --pdeathsig) and with the last of
them the network namespace goes, taps and all.
"""
import collections
import fcntl
import os
import socket
import struct
import subprocess
import tempfile
import time

BUILD = "build/bench"
PLUGIN = BUILD + "/insn.so"
IMAGE = BUILD + "/stele.elf"
ROM = BUILD + "/site.rom"
PROCESS = "build/stele-process"
LINUX = BUILD + "/linux"
LINUX_KERNEL = LINUX + "/vmlinuz"
LINUX_INITRAMFS = LINUX + "/initramfs"
LINUX_ENTRY = 0x100000    # where its loader puts the 32-bit entry point

SIOCGIFFLAGS = 0x8913     # linux/sockios.h
IFF_RUNNING = 0x40        # linux/if.h


class Unmeasured(Exception):
    """Why a figure could not be had."""


# ---- Time ----------------------------------------------------------------------

class Budget:
    """Seconds that the whole program may take; every wait stays within them."""

    def __init__(self, seconds):
        self.end = time.monotonic() + seconds

    def limit(self, seconds):
        """At most so many seconds, less if the budget has less."""
        left = self.end - time.monotonic()
        if left <= 0:
            raise Unmeasured("out of time")
        return min(seconds, left)


# ---- Network -------------------------------------------------------------------

def run(*command):
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


class Tap:
    """A tap device with fixed addresses: ours end in .1, the guest's in .2."""
    count = 0

    def __init__(self):
        Tap.count += 1
        n = Tap.count
        self.name = f"tap{n}"
        self.mac = f"52:54:00:77:00:{n:02x}"
        self.host = f"10.77.{n}.1"
        self.guest = f"10.77.{n}.2"
        run("ip", "tuntap", "add", self.name, "mode", "tap", "vnet_hdr")
        run("ip", "addr", "add", self.host + "/24", "dev", self.name)
        run("ip", "link", "set", self.name, "addrgenmode", "none", "up")
        # ARP asks again only after a second: longer than a guest needs to boot.
        run("ip", "neigh", "replace", self.guest, "lladdr", self.mac,
            "dev", self.name, "nud", "permanent")

    def attached(self):
        """Whether something has opened the device."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            request = struct.pack("16sh14x", self.name.encode(), 0)
            answer = fcntl.ioctl(s, SIOCGIFFLAGS, request)
        return struct.unpack("16sh14x", answer)[1] & IFF_RUNNING != 0

    def frames(self):
        """Frames (to the guest, from the guest) so far; dropped ones count as sent."""
        with open("/proc/self/net/dev", encoding="ascii") as f:
            for line in f:
                name, _, figures = line.partition(":")
                if name.strip() == self.name:
                    field = [int(x) for x in figures.split()]
                    return field[9] + field[11], field[1]
        raise Unmeasured(f"{self.name} is gone")

    def close(self):
        subprocess.run(["ip", "link", "del", self.name], check=False,
                       stderr=subprocess.DEVNULL)


# ---- Bodies --------------------------------------------------------------------

class Body:
    """Something that can be started to serve the bench's site.

    name     of its column
    counts   whether its instructions can be counted
    ours     whether it is our server
    mem      MiB of RAM it gets
    entry    physical address of the first instruction that is its own
    counted_boots  how often its boot is counted
    """
    name = ""
    counts = True
    ours = True
    mem = 64
    entry = 0
    counted_boots = 3

    def command(self, tap, mem, log, console, plugin):
        """The program and its arguments."""
        raise NotImplementedError


def address_words(tap):
    return f"ip={tap.guest}::{tap.host}:255.255.255.0::eth0:off"


def qemu(machine, mem, console, plugin):
    command = [
        "qemu-system-x86_64", "-M", machine, "-accel", "tcg", "-cpu", "max",
        "-smp", "1,maxcpus=2", "-m", str(mem), "-nodefaults", "-no-user-config",
        "-display", "none", "-no-reboot", "-serial", "file:" + console,
    ]
    return command + (["-plugin", plugin] if plugin else [])


def nic(tap, device):
    return [
        "-netdev", f"tap,id=net0,ifname={tap.name},script=no,downscript=no"
                   ",vhost=off",
        "-device", f"{device},netdev=net0,mac={tap.mac}",
    ]


class Vm(Body):
    """Our image under QEMU."""

    def __init__(self, machine):
        self.machine = machine
        self.name = "VM " + machine
        self.entry = elf_entry(IMAGE)

    def command(self, tap, mem, log, console, plugin):
        words = address_words(tap) + ("" if log else " log=off")
        command = qemu(self.machine, mem, console, plugin) + [
            "-kernel", IMAGE, "-append", words]
        if self.machine == "microvm":
            return command + ["-global", "virtio-mmio.force-legacy=false"] + \
                nic(tap, "virtio-net-device")
        return command + nic(tap, "virtio-net-pci,romfile=")


class Process(Body):
    """The same server as a Linux process."""
    name = "process"
    counts = False

    def command(self, tap, mem, log, console, plugin):
        words = address_words(tap) + ("" if log else " log=off")
        return [PROCESS, "--rom", ROM, "--tap", tap.name, "--mac", tap.mac,
                "--memory", str(mem), "--append", words]


class LinuxGuest(Body):
    """Debian's cloud kernel and nginx, as linux-guest.sh put them together."""
    name = "Linux + nginx"
    ours = False
    mem = 256
    entry = LINUX_ENTRY
    counted_boots = 1    # long, and the same every time

    def command(self, tap, mem, log, console, plugin):
        words = ("console=ttyS0 quiet panic=-1 no_timer_check tsc=reliable "
                 "nokaslr random.trust_cpu=on " + address_words(tap))
        return qemu("q35", mem, console, plugin) + [
            "-kernel", LINUX_KERNEL, "-initrd", LINUX_INITRAMFS,
            "-append", words] + nic(tap, "virtio-net-pci,romfile=")


def elf_entry(path):
    with open(path, "rb") as f:
        header = f.read(64)
    if header[:4] != b"\x7fELF":
        raise Unmeasured(f"{path} is not an ELF file")
    return struct.unpack_from("<Q", header, 24)[0]


# ---- Counters of insn.c --------------------------------------------------------

REGIONS = 3
HEADER = struct.Struct(f"<{2 * REGIONS + 2}Q")
BLOCK = struct.Struct("<3Q")


class Counts(collections.namedtuple("Counts", "low lower upper")):
    """Instructions by region: below 4 GiB, ring 3, ring 0."""

    def __sub__(self, other):
        return Counts(*(a - b for a, b in zip(self, other)))

    def total(self):
        return sum(self)


class Counters:
    """The file that the plugin keeps up to date."""

    def __init__(self, path):
        self.path = path

    def _header(self):
        try:
            with open(self.path, "rb") as f:
                return HEADER.unpack(f.read(HEADER.size))
        except (FileNotFoundError, struct.error):
            raise Unmeasured("the plugin did not start") from None

    def now(self):
        return Counts(*self._header()[:REGIONS])

    def since_entry(self):
        header = self._header()
        if not header[2 * REGIONS]:
            raise Unmeasured("the entry point was never executed")
        return (Counts(*header[:REGIONS])
                - Counts(*header[REGIONS:2 * REGIONS]))

    def blocks(self):
        """[(address, instructions, times executed)], in order of first execution."""
        with open(self.path, "rb") as f:
            count = HEADER.unpack(f.read(HEADER.size))[-1]
            return list(BLOCK.iter_unpack(f.read(count * BLOCK.size)))


# ---- Running one ---------------------------------------------------------------

class Server:
    """A body that has been started.

    counted   count its instructions: False, True, or "blocks" for each block too
    log       write the access log
    """

    def __init__(self, body, counted=False, log=False, mem=None):
        self.body = body
        self.tap = Tap()
        # Other benches may run in the same checkout.
        os.makedirs(BUILD + "/run", exist_ok=True)
        self.folder = tempfile.TemporaryDirectory(dir=BUILD + "/run")
        self.console_path = self.folder.name + "/console"
        self.output_path = self.folder.name + "/output"
        self.counters = (Counters(self.folder.name + "/counters")
                         if counted else None)
        plugin = None
        if counted:
            plugin = f"{PLUGIN},out={self.counters.path},entry={body.entry:#x}"
            if counted == "blocks":
                plugin += ",blocks=on"
        command = body.command(self.tap, mem or body.mem, log,
                               self.console_path, plugin)
        with open(self.output_path, "wb") as output:
            self.started = time.monotonic()
            self.child = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL"] + command,
                stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, start_new_session=True)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.child.kill()
        self.child.wait()
        self.tap.close()
        self.folder.cleanup()

    def check_alive(self):
        status = self.child.poll()
        if status is not None:
            raise Unmeasured(f"{self.body.name} ended with status {status}: "
                             + self.last_words())

    def last_words(self):
        for path in self.output_path, self.console_path:
            try:
                with open(path, encoding="utf-8", errors="replace") as f:
                    lines = [s for s in map(str.strip, f) if s]
            except FileNotFoundError:
                continue
            if lines:
                return f'it said "{lines[-1]}"'
        return "it printed nothing"
