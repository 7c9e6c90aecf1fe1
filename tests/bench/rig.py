"""What is measured, started on a network of its own, and ended again.

A Body says how something is started: our image under QEMU, our Linux process, the
Linux guest, nginx on this machine.  A Server is one running instance of a Body on a tap device; as a
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
TLS = BUILD + "/tls"      # ecdsa.crt, ecdsa.key, rsa.crt, rsa.key
BUNDLE = BUILD + "/instance.bin"
TLSLOAD = BUILD + "/tlsload"
NGINX_CONFIG = "tests/bench/nginx.conf"
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


def widen_ports():
    """More connections within a minute than there are ports by default."""
    with open("/proc/sys/net/ipv4/ip_local_port_range", "w",
              encoding="ascii") as f:
        f.write("1024 65535")


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


class Loopback:
    """In place of a tap device, for what runs beside its client."""
    guest = "127.0.0.1"

    def __init__(self):
        run("ip", "link", "set", "lo", "up")

    def attached(self):
        return True

    def frames(self):
        return 0, 0

    def close(self):
        pass


# ---- Bodies --------------------------------------------------------------------

class Body:
    """Something that can be started to serve the bench's site.

    name     of its column
    counts   whether its instructions can be counted
    ours     whether it is our server
    mem      MiB of RAM it gets
    entry    physical address of the first instruction that is its own
    counted_boots  how often its boot is counted
    network  what it is reached through
    tls      whether it is measured with TLS
    boots    whether it boots: nginx on this machine is there at once
    """
    name = ""
    counts = True
    ours = True
    mem = 64
    entry = 0
    counted_boots = 3
    network = Tap
    tls = True
    boots = True

    def command(self, start):
        """The program and its arguments, for a struct Start."""
        raise NotImplementedError


# How a body is to be started.
#
# tap      its network
# mem      MiB
# log      write the access log
# folder   for files of its own; ends with the server
# plugin   QEMU's, or None
# tls      with certificates; who serves with TLS in any case ignores it
Start = collections.namedtuple("Start", "tap mem log folder plugin tls")


def address_words(tap):
    return f"ip={tap.guest}::{tap.host}:255.255.255.0::eth0:off"


def qemu(machine, start):
    command = [
        "qemu-system-x86_64", "-M", machine, "-accel", "tcg", "-cpu", "max",
        "-smp", "1,maxcpus=2", "-m", str(start.mem), "-nodefaults",
        "-no-user-config", "-display", "none", "-no-reboot",
        "-serial", f"file:{start.folder}/console",
    ]
    return command + (["-plugin", start.plugin] if start.plugin else [])


def our_words(start):
    return address_words(start.tap) + ("" if start.log else " log=off")


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
        self.tls = machine == "q35"

    def command(self, start):
        command = qemu(self.machine, start) + [
            "-kernel", IMAGE, "-append", our_words(start)]
        if start.tls:
            command += ["-initrd", BUNDLE]
        if self.machine == "microvm":
            return command + ["-global", "virtio-mmio.force-legacy=false"] + \
                nic(start.tap, "virtio-net-device")
        return command + nic(start.tap, "virtio-net-pci,romfile=")


class Process(Body):
    """The same server as a Linux process."""
    name = "process"
    counts = False

    def command(self, start):
        command = [PROCESS, "--rom", ROM, "--tap", start.tap.name,
                   "--mac", start.tap.mac, "--memory", str(start.mem),
                   "--append", our_words(start)]
        return command + (["--instance", BUNDLE] if start.tls else [])


class LinuxGuest(Body):
    """Debian's cloud kernel and nginx, as linux-guest.sh put them together."""
    name = "Linux + nginx"
    ours = False
    mem = 256
    entry = LINUX_ENTRY
    counted_boots = 1    # long, and the same every time

    def command(self, start):
        words = ("console=ttyS0 quiet panic=-1 no_timer_check tsc=reliable "
                 "nokaslr random.trust_cpu=on " + address_words(start.tap))
        return qemu("q35", start) + [
            "-kernel", LINUX_KERNEL, "-initrd", LINUX_INITRAMFS,
            "-append", words] + nic(start.tap, "virtio-net-pci,romfile=")


class NativeNginx(Body):
    """nginx on this machine, one process, over the loopback device."""
    name = "native nginx"
    counts = False
    ours = False
    network = Loopback
    boots = False

    def __init__(self, program):
        self.program = program

    def command(self, start):
        with open(NGINX_CONFIG, encoding="ascii") as f:
            text = f.read()
        for word, path in ("@SITE@", BUILD + "/site"), ("@TLS@", TLS):
            text = text.replace(word, os.path.abspath(path))
        folder = os.path.abspath(start.folder)
        with open(folder + "/nginx.conf", "w", encoding="ascii") as f:
            f.write(text)
        return [self.program, "-p", folder, "-c", "nginx.conf", "-e", "stderr",
                "-g", "daemon off; master_process off; pid nginx.pid;"]


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
    tls       serve with TLS too
    """

    def __init__(self, body, counted=False, log=False, mem=None, tls=False):
        self.body = body
        self.tap = body.network()
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
        command = body.command(Start(self.tap, mem or body.mem, log,
                                     self.folder.name, plugin, tls))
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

    def cpu_seconds(self):
        """CPU time of all its threads so far, in user space and for it in the kernel."""
        with open(f"/proc/{self.child.pid}/stat", encoding="ascii") as f:
            fields = f.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

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
