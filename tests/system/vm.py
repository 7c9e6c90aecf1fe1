"""Start what was built, on a network of its own, and end it again.

    import vm
    vm.enter_private_network()          # first line of a suite: never the host's network
    with vm.Machine("q35", image) as machine:
        machine.wait_ready()
        vm.fetch(machine.ipv4, "/")

Machine boots an image under QEMU's TCG; Process runs the same server as a Linux
process.  Both hang on a tap device of their own with the same addresses, so tests
need not know which they talk to.  All that is started is ended on the way out, by
its process id.
"""
import contextlib
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(TOP, "build")
DONE_MARK = "STELE_PRIVATE_NETWORK"

MACHINES = ("q35", "pc", "microvm")
BODIES = MACHINES + ("process",)


def enter_private_network():
    """Go on in a network namespace where we are root and nobody else is.

    Runs the program again from its start; returns in that second run only.
    """
    if os.environ.get(DONE_MARK):
        run("ip", "link", "set", "lo", "up")
        return
    flags = "-n" if os.geteuid() == 0 else "-Urn"
    os.environ[DONE_MARK] = "1"
    os.execvp("unshare", ["unshare", flags, sys.executable] + sys.argv)


def run(*command):
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


# ---- Images ------------------------------------------------------------------------

def make_rom(site, name):
    """Bake a folder; returns the ROM's path.  What was compressed once, also for another
    suite or by `make`, is not compressed again."""
    out = os.path.join(BUILD, "system", name + ".rom")
    os.makedirs(os.path.dirname(out), exist_ok=True)
    run(os.path.join(BUILD, "mkromfs"), "--quiet",
        "--cache", os.path.join(BUILD, "cache"), site, out)
    return out


def make_image(rom, name, server=None):
    """An image that serves a ROM; returns its path."""
    out = os.path.join(BUILD, "system", name + ".elf")
    with open(os.devnull, "wb") as nowhere:
        subprocess.run([
            os.path.join(BUILD, "mkimage"),
            "--boot", os.path.join(BUILD, "boot.elf"),
            "--kernel", os.path.join(BUILD, "image", "kernel.elf"),
            "--server", server or os.path.join(BUILD, "image", "server.elf"),
            "--rom", rom, "--version", "test", "-o", out],
            check=True, stdout=nowhere)
    return out


# ---- The wire ----------------------------------------------------------------------

class Tap:
    """A tap device with addresses: ours end in .1, the server's in .2.

    IPv6: the server makes its own out of our router advertisements.  Its address is
    known beforehand because it follows from its MAC (RFC 4291, appendix A).
    """
    count = 0

    def __init__(self, vnet_hdr=True):
        Tap.count += 1
        n = Tap.count
        self.name = f"tap{n}"
        self.mac = f"52:54:00:77:00:{n:02x}"
        self.router_mac = f"52:54:00:77:01:{n:02x}"
        self.gateway = f"10.77.{n}.1"
        self.ipv4 = f"10.77.{n}.2"
        self.prefix = f"fd77:{n:x}::"
        host_part = f"5054:ff:fe77:{n:x}"
        self.ipv6 = self.prefix + host_part
        self.link_local = f"fe80::{host_part}%{self.name}"
        self.vnet_hdr = vnet_hdr
        self._create()
        self.router = None

    def _create(self):
        words = ["vnet_hdr"] if self.vnet_hdr else []
        run("ip", "tuntap", "add", self.name, "mode", "tap", *words)
        run("ip", "link", "set", self.name, "address", self.router_mac)
        run("ip", "addr", "add", self.gateway + "/24", "dev", self.name)
        # No duplicate address detection: our addresses are there at once.
        run("ip", "link", "set", self.name, "addrgenmode", "none")
        for address in self.prefix + "1/64", "fe80::1/64":
            run("ip", "addr", "add", address, "dev", self.name, "nodad")
        run("ip", "link", "set", self.name, "up")
        # With fixed neighbours the first connection waits for no one.
        for address in (self.ipv4, self.ipv6, self.link_local.split("%")[0]):
            run("ip", "neigh", "replace", address, "lladdr", self.mac,
                "dev", self.name, "nud", "permanent")

    def advertise(self):
        """Start to be a router: answers with the prefix, every second."""
        self.router = Advertiser(self)

    def close(self):
        if self.router:
            self.router.close()
        subprocess.run(["ip", "link", "del", self.name], check=False,
                       stderr=subprocess.DEVNULL)


class Advertiser:
    """Sends router advertisements (RFC 4861, section 4.2) every second."""

    def __init__(self, tap):
        self.tap = tap
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _message(self):
        mac = bytes.fromhex(self.tap.router_mac.replace(":", ""))
        router = struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0)
        prefix = struct.pack("!BBBBIII16s", 3, 4, 64, 0xc0, 7200, 3600, 0,
                             socket.inet_pton(socket.AF_INET6, self.tap.prefix))
        link_layer = struct.pack("!BB6s", 1, 1, mac)
        return router + prefix + link_layer

    def _run(self):
        out = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
        out.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
        index = socket.if_nametoindex(self.tap.name)
        message = self._message()
        with out:
            while not self.stopped.wait(1.0):
                try:
                    out.sendto(message, ("ff02::1", 0, 0, index))
                except OSError:
                    pass     # the link comes up with the machine

    def close(self):
        self.stopped.set()
        self.thread.join()


def read_text(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as f:
            return f.read()
    except FileNotFoundError:
        return ""


# ---- What serves -------------------------------------------------------------------

class Server:
    """What Machine and Process have in common."""

    def __init__(self, name, tap):
        self.name = name
        self.tap = tap
        self.ipv4, self.ipv6, self.link_local = tap.ipv4, tap.ipv6, tap.link_local
        os.makedirs(os.path.join(BUILD, "test"), exist_ok=True)
        self.folder = tempfile.TemporaryDirectory(prefix="stele-")
        self.console_path = os.path.join(self.folder.name, "console")
        self.errors_path = os.path.join(self.folder.name, "errors")
        self.child = None

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None:
            print(f"# console of {self.name}:")
            for line in self.console().splitlines()[-40:]:
                print("#   " + line)
            for line in read_text(self.errors_path).splitlines():
                print("#   " + line)
        self.kill()
        self.tap.close()
        self.folder.cleanup()

    def console(self):
        return read_text(self.console_path).replace("\r", "")

    def wait_console(self, pattern, seconds=30):
        """Wait until the console shows a match; returns it."""
        end = time.monotonic() + seconds
        while True:
            found = re.search(pattern, self.console(), re.M)
            if found:
                return found
            if self.ended() or time.monotonic() > end:
                raise AssertionError(f"the console never showed /{pattern}/")
            time.sleep(0.05)

    def wait_ready(self, address=None, seconds=60, port=80):
        """Wait until a connection to the port is accepted.

        A SYN from before its time is lost, and sent again after a second only: so
        rather a new connection, soon.
        """
        end = time.monotonic() + seconds
        while True:
            try:
                connect(address or self.ipv4, port, timeout=0.3).close()
                return
            except OSError as error:
                if self.ended() or time.monotonic() > end:
                    raise AssertionError(
                        f"{self.name} does not accept connections") from error
                time.sleep(0.1)

    def ended(self):
        return self.child is None or self.child.poll() is not None

    def wait_ended(self, seconds):
        try:
            return self.child.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} still runs after {seconds} s") from None

    def kill(self):
        if self.child and self.child.poll() is None:
            self.child.terminate()
            try:
                self.child.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()


class Machine(Server):
    """An image under QEMU's TCG.

    machine    q35, pc or microvm
    network    "tap", or "user" for QEMU's own DHCP; then self.port is the port of
               this machine that leads to the server's port 80, self.tls_port to 443
    instance   the boot module: a bundle's path
    date       what the machine's clock says at its start: "2031-01-01"
    append     words for the image's command line, after the ip= that "tap" gets
    address    False leaves that ip= away
    cpu, rng   QEMU's CPU model; whether there is a virtio entropy device
    """

    def __init__(self, machine, image, mem=64, append="", network="tap",
                 vnet_hdr=True, address=True, reboot=False, cpu="max", rng=False,
                 instance=None, date=None):
        super().__init__(machine, Tap(vnet_hdr))
        self.qmp_path = os.path.join(self.folder.name, "qmp")
        self.port, self.tls_port = ((free_port(), free_port())
                                    if network == "user" else (80, 443))
        words = [append]
        if network == "tap" and address:
            words.insert(0, f"ip={self.ipv4}::{self.tap.gateway}"
                            ":255.255.255.0::eth0:off")
        kind = "device" if machine == "microvm" else "pci"
        options = "" if machine == "microvm" else ",romfile="
        backend = (f"user,id=net0,hostfwd=tcp:127.0.0.1:{self.port}-:80"
                   f",hostfwd=tcp:127.0.0.1:{self.tls_port}-:443"
                   if network == "user" else
                   f"tap,id=net0,ifname={self.tap.name},script=no,downscript=no"
                   f",vhost=off")
        command = [
            "qemu-system-x86_64", "-M", machine, "-accel", "tcg", "-cpu", cpu,
            "-smp", "1,maxcpus=2",      # why: config/run.sh
            "-m", str(mem), "-nodefaults", "-no-user-config", "-display", "none",
            "-serial", f"file:{self.console_path}",
            "-qmp", f"unix:{self.qmp_path},server=on,wait=off",
            "-kernel", image, "-append", " ".join(words).strip(),
            "-netdev", backend,
            "-device", f"virtio-net-{kind},netdev=net0,mac={self.tap.mac}{options}",
        ]
        if machine == "microvm":
            command += ["-global", "virtio-mmio.force-legacy=false"]
        if instance:
            command += ["-initrd", instance]
        if date:
            command += ["-rtc", f"base={date}T00:00:00"]
        if rng:
            command += ["-device", f"virtio-rng-{kind}"]
        if not reboot:
            command.append("-no-reboot")
        with open(self.errors_path, "wb") as errors:
            self.child = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                          stderr=errors)

    def qmp(self, command, **arguments):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(10)
            s.connect(self.qmp_path)
            lines = s.makefile("r")
            lines.readline()                     # the greeting
            for execute, words in ("qmp_capabilities", {}), (command, arguments):
                s.sendall(json.dumps({"execute": execute, "arguments": words})
                          .encode() + b"\n")
                while True:
                    answer = json.loads(lines.readline())
                    if "return" in answer:
                        break
                    assert "error" not in answer, answer
            return answer["return"]

    def power_button(self):
        self.qmp("system_powerdown")


class Process(Server):
    """The same server as a Linux process; rom is a path, the rest as for Machine."""

    def __init__(self, rom, append="", program="stele-process", mem=64,
                 instance=None):
        super().__init__("process", Tap())
        more = ["--instance", instance] if instance else []
        words = f"ip={self.ipv4}::{self.tap.gateway}:255.255.255.0::eth0:off {append}"
        with open(self.console_path, "wb") as console, \
                open(self.errors_path, "wb") as errors:
            self.child = subprocess.Popen(
                [os.path.join(BUILD, program), "--rom", rom, "--tap", self.tap.name,
                 "--mac", self.tap.mac, "--memory", str(mem), "--append", words, *more],
                stdin=subprocess.DEVNULL, stdout=console, stderr=errors)

    def power_button(self):
        self.child.send_signal(signal.SIGTERM)


class Shared:
    """Servers that the cases of a suite use in turn: start(*words), once each.

    To be left with `with`, which ends them; then the console of one that did not
    live so long is printed.
    """

    def __init__(self, start):
        self.start, self.running = start, {}
        self.stack = contextlib.ExitStack()

    def __call__(self, *words):
        if words not in self.running:
            self.running[words] = self.stack.enter_context(self.start(*words))
            self.running[words].wait_ready()
        return self.running[words]

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.stack.close()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


# ---- Clients -----------------------------------------------------------------------

def connect(address, port=80, timeout=30):
    """A TCP connection; the address may have a scope (fe80::1%tap1)."""
    info = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)[0]
    s = socket.socket(info[0], info[1])
    s.settimeout(timeout)
    try:
        s.connect(info[4])
    except OSError:
        s.close()
        raise
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s


class Client:
    """One kept-alive connection.  Strict: anything unexpected is an error.

    tls      an ssl.SSLContext: speak TLS, on port 443
    session  of an earlier client with the same context: resume it
    name     the host name that is asked for, also in SNI
    """

    def __init__(self, address, port=None, timeout=30, tls=None, name="stele.test",
                 session=None):
        self.socket = connect(address, port or (443 if tls else 80), timeout)
        self.buffer, self.name = b"", name
        if tls:
            # A FIN without close_notify is an error, too: ssl.SSLEOFError.
            self.socket = tls.wrap_socket(self.socket, server_hostname=name,
                                          suppress_ragged_eofs=False, session=session)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.socket.close()

    def _more(self):
        data = self.socket.recv(1 << 20)
        if not data:
            raise ConnectionError("the server closed the connection")
        self.buffer += data

    def get(self, target, method="GET", fields=()):
        """Returns (status, {field: value}, body); field names in small letters."""
        head = [f"{method} {target} HTTP/1.1", f"Host: {self.name}", *fields]
        self.socket.sendall(("\r\n".join(head) + "\r\n\r\n").encode("latin-1"))
        return self.read_answer(method)

    def read_answer(self, method="GET"):
        while b"\r\n\r\n" not in self.buffer:
            self._more()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        version, status, _ = lines[0].split(" ", 2)
        assert version == "HTTP/1.1", lines[0]
        found = {}
        for line in lines[1:]:
            name, value = line.split(":", 1)
            assert name.lower() not in found, f"{name} twice"
            found[name.lower()] = value.strip()
        length = 0
        if method != "HEAD" and status != "304":
            length = int(found["content-length"])
        parts, have = [self.buffer], len(self.buffer)
        while have < length:
            data = self.socket.recv(min(length - have, 1 << 20))
            if not data:
                raise ConnectionError("the body was cut short")
            parts.append(data)
            have += len(data)
        whole = b"".join(parts)
        self.buffer = whole[length:]
        return int(status), found, whole[:length]


def fetch(address, target, port=None, timeout=30, tls=None, name="stele.test"):
    with Client(address, port, timeout, tls, name) as client:
        return client.get(target)


def pool_levels(server):
    """The last complete "pools:" line: {name: level}."""
    lines = re.findall(r"^pools: (.*)\n", server.console(), re.M)
    assert lines, "no pools: line"
    return {name: int(level) for name, level
            in re.findall(r"(\w[\w -]*) (\d+)/\d+", lines[-1])}


def assert_pools_idle(server):
    """Nothing is in use but by the stack itself: TIME-WAIT, neighbours."""
    left = {name: level for name, level in pool_levels(server).items()
            if level and name not in ("pcb", "other")}
    assert not left, f"in use: {left}"


# ---- Reporting ---------------------------------------------------------------------

class Suite:
    """Runs cases (functions) and prints TAP.

    A case's name is its function's, or "function: words" with arguments.  A case
    fails by raising; `vm.Skip` skips it.
    """

    def __init__(self):
        self.cases = []

    def add(self, function, *arguments):
        words = " ".join(str(a) for a in arguments)
        name = function.__name__ + (f": {words}" if words else "")
        self.cases.append((name, function, arguments))

    def main(self):
        words = sys.argv[1:]
        cases = [c for c in self.cases
                 if not words or any(w in c[0] for w in words)]
        print(f"1..{len(cases)}", flush=True)
        failed = 0
        for number, (name, function, arguments) in enumerate(cases, 1):
            start = time.monotonic()
            try:
                function(*arguments)
                print(f"ok {number} - {name}", end="")
            except Skip as skip:
                print(f"ok {number} - {name} # SKIP {skip}", end="")
            except Exception as error:   # any reason is a failed case
                failed += 1
                where = error.__traceback__
                while where.tb_next:
                    where = where.tb_next
                reason = str(error).split("\n", 1)[0] or type(error).__name__
                print(f"not ok {number} - {name}: {reason}"
                      f" (line {where.tb_lineno} of"
                      f" {os.path.basename(where.tb_frame.f_code.co_filename)})",
                      end="")
            print(f"\n# took {time.monotonic() - start:.1f} s", flush=True)
        return 1 if failed else 0


class Skip(Exception):
    pass
