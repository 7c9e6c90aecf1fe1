"""The client side of a measurement: the first answer, requests, wrk, tlsload."""
import collections
import re
import select
import socket
import subprocess
import time

from rig import TLSLOAD, Unmeasured

PORT = 80
POLL_S = 0.001
RESEND_S = 0.02
ANSWER_S = 10

ECDSA = "ECDHE-ECDSA-AES128-GCM-SHA256"
RSA = "ECDHE-RSA-AES128-GCM-SHA256"

# title           of its row
# path            what is asked for
# new_connection  each time
# times           how often, to count instructions
# tls             None, or what tlsload is to do: full, resumed or requests
# suite           with TLS
# at_once         connections, to measure the rate; with TLS
Kind = collections.namedtuple("Kind", "title path new_connection times tls suite"
                              " at_once", defaults=(None, None, None))

KINDS = {
    "1k": Kind("1 KiB, keep-alive", "/1k.bin", False, 1000),
    "16k": Kind("16 KiB, keep-alive", "/16k.bin", False, 300),
    "1m": Kind("1 MiB, keep-alive", "/1m.bin", False, 32),
    "new": Kind("1 KiB, new connection", "/1k.bin", True, 300),
    "tls1k": Kind("1 KiB over TLS, keep-alive", "/1k.bin", False, 1000,
                  "requests", ECDSA, 64),
    "tls1m": Kind("1 MiB over TLS, keep-alive", "/1m.bin", False, 16,
                  "requests", ECDSA, 4),
    "tlsnew": Kind("full handshake, ECDSA P-256", "/", True, 10,
                   "full", ECDSA, 4),
    "tlsrsa": Kind("full handshake, RSA 2048", "/", True, 10, "full", RSA, 4),
    "tlsresume": Kind("resumed handshake", "/", True, 100, "resumed", ECDSA, 4),
}
PLAIN = {key: kind for key, kind in KINDS.items() if not kind.tls}
TLS = {key: kind for key, kind in KINDS.items() if kind.tls}
SIZES = {"/1k.bin": 1 << 10, "/16k.bin": 16 << 10, "/1m.bin": 1 << 20}

FirstAnswer = collections.namedtuple("FirstAnswer", "ms listening")
Load = collections.namedtuple("Load", "requests rate")


# ---- One request ---------------------------------------------------------------

class Connection:
    """A connection of ours; raises Unmeasured for anything but the whole file."""

    def __init__(self, server, connected=None):
        self.server = server
        try:
            self.socket = connected or socket.create_connection(
                (server.tap.guest, PORT), timeout=ANSWER_S)
        except OSError as error:
            raise Unmeasured(f"no connection: {error}; "
                             + server.last_words()) from None
        self.socket.settimeout(ANSWER_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = memoryview(bytearray(2 << 20))

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.socket.close()

    def get(self, path, last=False):
        """Fetch a file; the last one of a connection until the server closes it."""
        fields = "Connection: close\r\n" if last else ""
        try:
            self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: bench.test\r\n"
                                f"{fields}\r\n".encode())
            self._read_answer(path, last)
        except OSError as error:
            raise Unmeasured(f"{path}: {error}; "
                             + self.server.last_words()) from None

    def _read_answer(self, path, last):
        have, need = 0, None
        while need is None or have < need or last:
            count = self.socket.recv_into(self.buffer[have:])
            if count == 0:
                break
            have += count
            if need is None:
                need = self._length(have)
        if need is None or have != need:
            raise Unmeasured(f"{path}: {have} bytes came, {need} were announced")
        if need < SIZES[path]:
            raise Unmeasured(f"{path}: the answer is too short")

    def _length(self, have):
        """Bytes of the answer with its head, None while the head is incomplete."""
        head, mark, _ = bytes(self.buffer[:min(have, 4096)]).partition(b"\r\n\r\n")
        if not mark:
            return None
        if not head.startswith(b"HTTP/1.1 200 "):
            raise Unmeasured(f"answered {head[:40]!r}")
        found = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        if not found:
            raise Unmeasured("an answer without Content-Length")
        return len(head) + 4 + int(found.group(1))


def request_many(server, kind, count):
    """So many requests, one after the other, as a kind says."""
    if kind.new_connection:
        for _ in range(count):
            with Connection(server) as connection:
                connection.get(kind.path, last=True)
        return
    with Connection(server) as connection:
        for _ in range(count):
            connection.get(kind.path)


def perform(server, kind, sample):
    """Do what a kind says; what sample() gave right before and right after."""
    def settled():
        time.sleep(0.05)
        return sample()

    if kind.tls:
        with TlsLoad(server, kind, 1, str(kind.times)) as load:
            before = settled()
            load.run()
            return before, settled()
    request_many(server, kind, kind.times // 4)
    before = settled()
    request_many(server, kind, kind.times)
    return before, settled()


def count_requests(server, kind):
    """Instructions a request or handshake, by region."""
    before, after = perform(server, kind, server.counters.now)
    spent = after - before
    return type(spent)(*(n / kind.times for n in spent))


def count_idle(server, seconds):
    """Instructions a second while nobody asks for anything."""
    before, start = server.counters.now(), time.monotonic()
    time.sleep(seconds)
    spent = server.counters.now() - before
    return spent.total() / (time.monotonic() - start)


# ---- The first answer ----------------------------------------------------------

def wait_first_answer(server, limit_s):
    """Wait until a server that was just started answers.

    There is never more than one SYN on its way: it waits in the tap device until
    the guest's driver takes it, so that it is answered at the first possible moment
    and costs the guest nothing before.  Returns the wall time from the start to the
    first 200, and what the counters said when the SYN was answered.
    """
    end = server.started + limit_s
    connected = None
    while not server.tap.attached():
        _check(server, end)
        time.sleep(POLL_S)
    while connected is None:
        connected = _connect_once(server, end)
    listening = server.counters.since_entry() if server.counters else None
    with Connection(server, connected) as connection:
        connection.get("/1k.bin")
    return FirstAnswer((time.monotonic() - server.started) * 1e3, listening)


def _check(server, end):
    server.check_alive()
    if time.monotonic() > end:
        raise Unmeasured(f"no answer within {end - server.started:.0f} s; "
                         + server.last_words())


def _connect_once(server, end):
    """A connected socket, or None if the SYN was refused or lost."""
    delivered, lost_at = server.tap.frames()[0], None
    s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        s.setblocking(False)
        s.connect_ex((server.tap.guest, PORT))
        while not select.select([], [s], [], POLL_S)[1]:
            _check(server, end)
            if lost_at is None and server.tap.frames()[0] > delivered:
                lost_at = time.monotonic() + RESEND_S
            if lost_at is not None and time.monotonic() > lost_at:
                break
        else:
            if s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
                connected, s = s, None
                return connected
            time.sleep(POLL_S)
    finally:
        if s is not None:
            s.close()
    return None


# ---- wrk -----------------------------------------------------------------------

def load(server, path, connections, seconds):
    """Run wrk; returns how many requests it made and how many a second."""
    command = ["setpriv", "--pdeathsig", "KILL", "wrk", "-t1",
               f"-c{connections}", f"-d{seconds}s", "--timeout", "10s",
               f"http://{server.tap.guest}:{PORT}{path}"]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, text=True,
                              capture_output=True, timeout=seconds + 15,
                              check=False, start_new_session=True)
    except subprocess.TimeoutExpired:
        raise Unmeasured("wrk did not end") from None
    wrong = re.search(r"Non-2xx.*|Socket errors.*|unable to.*",
                      done.stdout + done.stderr)
    made = re.search(r"(\d+) requests in", done.stdout)
    rate = re.search(r"Requests/sec:\s*([\d.]+)", done.stdout)
    if wrong or done.returncode or not made or not rate or made[1] == "0":
        reason = wrong[0] if wrong else (done.stderr or done.stdout)[-200:]
        raise Unmeasured(f"wrk: {reason.strip()}")
    return Load(int(made[1]), float(rate[1]))


def count_load(server, path, connections, seconds):
    """Instructions a request, by region, under wrk."""
    before = server.counters.now()
    made = load(server, path, connections, seconds)
    time.sleep(0.05)
    spent = server.counters.now() - before
    return type(spent)(*(n / made.requests for n in spent))


# ---- tlsload -------------------------------------------------------------------

TlsMade = collections.namedtuple("TlsMade", "times seconds cpu")


class TlsLoad:
    """Our TLS client: ready once this is entered, run() does the work."""

    def __init__(self, server, kind, connections, amount):
        self.child = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", TLSLOAD, kind.tls,
             server.tap.guest, kind.path, kind.suite, str(connections), amount],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, start_new_session=True)

    def __enter__(self):
        try:
            self._expect("ready")
            return self
        except Unmeasured:
            self.__exit__()
            raise

    def __exit__(self, *unused):
        self.child.stdin.close()
        try:
            self.child.wait(ANSWER_S)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
        self.child.stdout.close()

    def _expect(self, pattern):
        """It ends itself, should it take too long."""
        line = self.child.stdout.readline().strip()
        found = re.fullmatch(pattern, line)
        if not found:
            raise Unmeasured(f"tlsload: {line or 'took too long'}")
        return found

    def run(self):
        """How often, in how many seconds, with how many of the client's own CPU."""
        print(file=self.child.stdin, flush=True)
        found = self._expect(r"(\d+) ([\d.]+) ([\d.]+)")
        if found[1] == "0":
            raise Unmeasured("tlsload: nothing was done")
        return TlsMade(int(found[1]), float(found[2]), float(found[3]))


def tls_load(server, kind, seconds):
    """What was done in so many seconds, and the server's CPU seconds for it."""
    with TlsLoad(server, kind, kind.at_once, f"{seconds}s") as load:
        before = server.cpu_seconds()
        made = load.run()
        return made, server.cpu_seconds() - before
