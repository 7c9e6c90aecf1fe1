#!/usr/bin/python3
"""Request and answer, word for word: sends each tests/http/*.req as it is and compares
what comes back with the .expect beside it.

    tests/http/run.py                        against the VM and the Linux process
    tests/http/run.py HOST PORT [NAME...]    against a server of tests/http/site
    tests/http/run.py --write [NAME...]      keep what the Linux process says as .expect

The transcripts here are about the folder site/; those of hosts/ and pages/, whose names
are hosts/NAME, about theirs, packed with the arguments of the file options there. All of
them are run over plain HTTP and again inside TLS, but for those that say themselves which it
is: those of hosts/names/, and those of https/, about site/ beside HTTPS.

Prints TAP, and "N passed, N failed" as its last line.  The files' form is in
README.md beside this file.

timeout: 600
"""
import collections
import concurrent.futures
import datetime
import glob
import itertools
import os
import re
import socket
import ssl
import subprocess
import sys
import time

from private_wire import Private

HERE = os.path.dirname(os.path.abspath(__file__))
MTIME = "784111777"      # Sun, 06 Nov 1994 08:49:37 GMT: the example of RFC 9110
SECONDS = 30             # for an answer that does not come
QUIET_S = 0.2            # after the last byte that is due: nothing else may come
WRITE_QUIET_S = 1.5      # when nobody knows how much is due
WORKERS = 6

DATE = re.compile(rb"(?<=\r\nDate: )([^\r\n]*)(?=\r\n)")
DATE_FORM = "%a, %d %b %Y %H:%M:%S GMT"
DATE_MARK = b"(now)"
DATE_LEN = 29

# A server beside HTTPS; test_transcripts.c has the same.
HOSTS = "site.example www.site.example"
THUMBPRINT = "LPJNul-wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ"

CLOCK_TOLERANCE = datetime.timedelta(minutes=10)


# ---- The files -----------------------------------------------------------------

ESCAPES = {b"r": b"\r", b"n": b"\n", b"t": b"\t", b"0": b"\0", b"\\": b"\\"}


def decode(line):
    """Bytes as they are, with \\r \\n \\t \\0 \\\\ \\xNN."""
    def one(found):
        name = found.group(1)
        return ESCAPES[name] if name in ESCAPES else bytes.fromhex(name[1:].decode())
    return re.sub(rb"\\(x[0-9a-fA-F]{2}|.)", one, line)


def encode(data):
    """The other way: one line per line feed and status line, long ones in pieces."""
    def one(found):
        byte = found.group()
        for name, value in ESCAPES.items():
            if byte == value:
                return b"\\" + name
        return b"\\x%02x" % byte[0]
    lines = []
    answers = re.split(rb"(?=HTTP/1\.1 \d)", data)
    for line in itertools.chain(*(re.findall(rb"[^\n]*\n|[^\n]+", a) for a in answers)):
        for at in range(0, len(line), 96):
            piece = re.sub(rb"[^ -\[\]-~]", one, line[at:at + 96])
            if piece[:1] in (b"#", b"@"):
                piece = b"\\x%02x" % piece[0] + piece[1:]
            lines.append(re.sub(rb" $", rb"\\x20", piece))
    return b"".join(line + b"\n" for line in lines)


def read_lines(path):
    """Yield ("@word", arguments) or ("", bytes)."""
    with open(path, "rb") as f:
        for line in f.read().split(b"\n"):
            if line.startswith(b"@"):
                words = line.decode().split()
                yield words[0], words[1:]
            elif line and not line.startswith(b"#"):
                yield "", decode(line)


def read_requests(path):
    """A list of connections, each a list of steps: bytes, or (directive, arguments)."""
    connections = [[]]
    repeat = 1
    for word, rest in read_lines(path):
        steps = connections[-1]
        if word == "@new":
            connections.append([])
        elif word == "@repeat":
            repeat = int(rest[0])
        elif word:
            steps.append((word, rest))
        else:
            data = rest * repeat
            repeat = 1
            if steps and isinstance(steps[-1], bytes):
                steps[-1] += data
            else:
                steps.append(data)
    return connections


def read_answers(path):
    """A list of (bytes, "@open" or "@closed")."""
    answers = []
    data = b""
    for word, rest in read_lines(path):
        if word:
            answers.append((data, word))
            data = b""
        else:
            data += rest
    if data:
        raise ValueError(f"{path}: no @open or @closed at the end")
    return answers


# ---- The wire ------------------------------------------------------------------

def send(s, steps):
    bytewise = False
    for step in steps:
        if isinstance(step, bytes):
            size = 1 if bytewise else len(step)
            for at in range(0, len(step), size):
                s.sendall(step[at:at + size])
                if bytewise:
                    time.sleep(0.001)
            continue
        word, arguments = step
        if word == "@bytewise":
            bytewise = True
        elif word == "@pause":
            time.sleep(0.05)
        elif word == "@wait":
            time.sleep(float(arguments[0]))
        elif word == "@half-close":
            s.shutdown(socket.SHUT_WR)
        else:
            raise ValueError(f"no directive is called {word}")


def receive(s, due, end, quiet):
    """Read `due` bytes, then up to the end that is expected.  Returns (bytes, end)."""
    data = b""
    deadline = time.monotonic() + SECONDS
    while True:
        left = deadline - time.monotonic()
        if len(data) >= due and end == "@open":
            left = min(left, quiet)
        if left <= 0:
            return data, "@open"
        s.settimeout(left)
        try:
            more = s.recv(1 << 16)
        except TimeoutError:
            return data, "@open"
        except ConnectionResetError:
            return data, "@reset"
        except ssl.SSLError as error:
            return data, f"@{error.reason}"
        if not more:
            return data, "@closed"
        data += more


def mark_dates(data):
    """Check each Date and replace it, so that the rest can be compared."""
    def one(found):
        text = found.group().decode()
        date = datetime.datetime.strptime(text, DATE_FORM)
        if date.strftime(DATE_FORM) != text:
            raise AssertionError(f"not a date as RFC 9110 writes it: {text}")
        now = datetime.datetime.utcnow()
        if abs(now - date) > CLOCK_TOLERANCE:
            raise AssertionError(f"the date is not today's: {text}")
        return DATE_MARK
    return DATE.sub(one, data)


def connect(where, steps):
    """A connection of the kind that the transcript, or else the place, asks for."""
    private = where.private
    if steps and steps[0] == ("@private", []):
        private = True
        del steps[0]
    s = socket.create_connection(
        (where.host, where.tls_port if private else where.port), timeout=SECONDS)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return Private(s, HOSTS.split(maxsplit=1)[0]) if private else s


def converse(where, steps, answer):
    """One connection; returns (bytes with marked dates, how it ended)."""
    due, end, quiet = 0, "@open", WRITE_QUIET_S
    if answer is not None:
        wanted, end = answer
        due = len(wanted) + wanted.count(DATE_MARK) * (DATE_LEN - len(DATE_MARK))
        quiet = QUIET_S
    with connect(where, steps) as s:
        try:
            send(s, steps)
        except (BrokenPipeError, ConnectionResetError):
            pass     # what was answered before is what counts
        data, end = receive(s, due, end, quiet)
    return mark_dates(data), end


# ---- Cases ---------------------------------------------------------------------

def difference(got, wanted):
    """The first line that differs, for people."""
    got_lines = encode(got[0]).decode().splitlines() + [got[1]]
    wanted_lines = encode(wanted[0]).decode().splitlines() + [wanted[1]]
    for number, (a, b) in enumerate(zip(got_lines, wanted_lines), 1):
        if a != b:
            return f"line {number} is {a}, not {b}"
    return f"{len(got_lines)} lines, not {len(wanted_lines)}"


Where = collections.namedtuple("Where", "host port tls_port private",
                               defaults=(443, False))


def check(where, name):
    """Returns None, or what is wrong."""
    path = os.path.join(HERE, name)
    connections = read_requests(path + ".req")
    answers = read_answers(path + ".expect")
    if len(connections) != len(answers):
        return f"{len(connections)} connections, {len(answers)} answers"
    try:
        for steps, wanted in zip(connections, answers):
            got = converse(where, steps, wanted)
            if got != wanted:
                return difference(got, wanted)
    except (OSError, AssertionError, ValueError) as error:
        return str(error) or type(error).__name__
    return None


def write(where, name):
    path = os.path.join(HERE, name)
    out = b""
    for steps in read_requests(path + ".req"):
        data, end = converse(where, steps, None)
        out += encode(data) + end.encode() + b"\n"
    with open(path + ".expect", "wb") as f:
        f.write(out)


def names(folder, wanted=()):
    found = sorted(os.path.relpath(p, HERE)[:-len(".req")]
                   for p in glob.glob(os.path.join(HERE, folder, "*.req")))
    return [n for n in found if not wanted or n in wanted]


class Tap:
    """Prints results and counts them."""

    def __init__(self, planned):
        self.count = self.failed = 0
        print(f"1..{planned}", flush=True)

    def run(self, body, where, wanted):
        with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
            running = [(n, pool.submit(check, where, n)) for n in wanted]
            for name, done in running:
                self.result(f"{body}: {name}", done.result())

    def result(self, name, wrong):
        self.count += 1
        if wrong is None:
            print(f"ok {self.count} - {name}", flush=True)
        else:
            self.failed += 1
            print(f"not ok {self.count} - {name}: {wrong}", flush=True)

    def end(self):
        print(f"{self.count - self.failed} passed, {self.failed} failed")
        return 1 if self.failed or not self.count else 0


# ---- Which server --------------------------------------------------------------

# Folders with transcripts, and whose site they are about.
SITES = {"": "", "https": "", "hosts": "hosts", "hosts/names": "hosts", "pages": "pages"}
IN_BOTH = ("", "hosts", "pages")


def pack(site):
    """The ROM of a folder with a site."""
    folder = os.path.join(HERE, site)
    rom = os.path.join(vm.BUILD, "system", f"transcripts-{site or 'here'}.rom")
    options = os.path.join(folder, "options")
    words = []
    if os.path.exists(options):
        with open(options, encoding="utf-8") as f:
            words = f.read().splitlines()
    os.makedirs(os.path.dirname(rom), exist_ok=True)
    subprocess.run([os.path.join(vm.BUILD, "mkromfs"), "--quiet", "--mtime", MTIME,
                    *words, os.path.join(folder, "site"), rom], check=True)
    return rom


def start_process(rom, bundle=None):
    return vm.Process(rom, program="stele-process-san", instance=bundle)


def start_machine(rom, bundle=None):
    name = os.path.basename(rom)[:-len(".rom")]
    return vm.Machine("q35", vm.make_image(rom, name), instance=bundle)


BODIES = (("process", start_process), ("q35", start_machine))


def bundles():
    """Two instance bundles: (serving the same inside TLS, leading there)."""
    authority = certs.Authority("transcripts")
    leaf = certs.Leaf("p256", tuple(HOSTS.split()))
    return (authority.bundle("same", [leaf], settings="hsts=off"),
            authority.bundle("beside", [leaf], host=HOSTS,
                             settings=f"acme_thumbprint={THUMBPRINT}"))


def ways():
    """All (folder, bundle, inside TLS)."""
    same, beside = bundles()
    return ([(folder, None, False) for folder in IN_BOTH] +
            [(folder, same, True) for folder in IN_BOTH] +
            [("hosts/names", same, False), ("https", beside, False)])


def run_bodies():
    roms = {folder: pack(site) for folder, site in SITES.items()}
    todo = ways()
    tap = Tap(len(BODIES) * sum(len(names(folder)) for folder, _, _ in todo))
    for name, start in BODIES:
        for folder, bundle, private in todo:
            with start(roms[folder], bundle) as server:
                server.wait_ready()
                tap.run(f"{name}, private" if private else name,
                        Where(server.ipv4, 80, private=private), names(folder))
    return tap.end()


def write_answers(wanted):
    for folder, bundle, private in ways():
        if private or not names(folder, wanted):
            continue
        with start_process(pack(SITES[folder]), bundle) as server:
            server.wait_ready()
            for name in names(folder, wanted):
                write(Where(server.ipv4, 80), name)
    return 0


def main(words):
    if not words:
        return run_bodies()
    if words[0] == "--write":
        return write_answers(words[1:])
    if len(words) < 2 or not words[1].isdigit():
        print(__doc__, file=sys.stderr)
        return 2
    host, port, wanted = words[0], int(words[1]), words[2:]
    found = names("", wanted)
    tap = Tap(len(found))
    tap.run(f"{host}:{port}", Where(host, port), found)
    return tap.end()


if __name__ == "__main__":
    if not sys.argv[1:] or sys.argv[1] == "--write":
        sys.path.insert(0, os.path.join(os.path.dirname(HERE), "system"))
        import vm
        vm.enter_private_network()
        import certs
    sys.exit(main(sys.argv[1:]))
