"""A wire that loses, delays, doubles, damages and reorders frames.

Behind the router (this network namespace) lies a second network, in a namespace of its
own, where the client lives.  Frames pass between both through two tap devices that
this program holds, because not every kernel has netem.  So the router cuts up the
server's large frames, and everything on the bad wire is a segment of its own.

The same words give the same fate to the n-th frame of a direction.
"""
import fcntl
import heapq
import json
import os
import random
import select
import struct
import subprocess
import sys
import time

TUNSETIFF = 0x400454ca
IFF_TAP, IFF_NO_PI = 0x0002, 0x1000


def open_tap(name):
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH", name.encode(),
                                           IFF_TAP | IFF_NO_PI))
    return fd


class Direction:
    """Frames from one tap to the other.

    loss, double, damage, reorder   chance of each frame; reordered: not delayed
    delay, jitter                   seconds; jitter reorders too
    rate, queue                     bits a second, and frames that wait for them
    """

    def __init__(self, source, sink):
        self.source, self.sink = source, sink
        self.waiting, self.count = [], 0
        self.set({})

    def set(self, words):
        self.words, self.random = words, random.Random(1)
        self.last = self.free = 0.0

    def read(self):
        for _ in range(32):
            try:
                self.take(os.read(self.source, 70000))
            except BlockingIOError:
                return

    def take(self, frame):
        now, word, chance = time.monotonic(), self.words.get, self.random.random
        if frame[12:14] not in (b"\x08\x00", b"\x86\xdd"):
            self.put(now, frame)
            return
        if chance() < word("loss", 0) or len(self.waiting) > word("queue", 10**6):
            return
        if chance() < word("damage", 0):
            frame = bytearray(frame)
            frame[self.random.randrange(34, len(frame))] ^= 0x10
        if "rate" in self.words:
            self.free = max(self.free, now) + len(frame) * 8 / word("rate")
            now = self.free
        due = now + word("delay", 0) + chance() * word("jitter", 0)
        if chance() < word("reorder", 0):
            due = now
        elif not word("jitter", 0):
            due = self.last = max(due, self.last)
        for _ in range(1 + (chance() < word("double", 0))):
            self.put(due, frame)

    def put(self, due, frame):
        self.count += 1
        heapq.heappush(self.waiting, (due, self.count, frame))

    def write(self):
        while self.waiting and self.waiting[0][0] <= time.monotonic():
            try:
                os.write(self.sink, heapq.heappop(self.waiting)[2])
            except OSError:
                pass

    def wait(self):
        return max(0.0, self.waiting[0][0] - time.monotonic()) \
            if self.waiting else 60.0


def relay():
    """The program on the wire: a line of JSON on stdin sets both directions."""
    near, far = open_tap("near"), open_tap("far")
    down, up = Direction(near, far), Direction(far, near)
    print("ready", flush=True)
    while True:
        ready = select.select([near, far, sys.stdin], [], [],
                              min(down.wait(), up.wait()))[0]
        if sys.stdin in ready:
            line = sys.stdin.readline()
            if not line:
                return
            for direction, words in zip((down, up), json.loads(line)):
                direction.set(words)
            print("set", flush=True)
        for direction in (down, up):
            if direction.source in ready:
                direction.read()
            direction.write()


class BadWire:
    """Start it; set() how bad it is; fetch() over it."""

    def __enter__(self):
        self.program = subprocess.Popen(
            [sys.executable, os.path.abspath(__file__)], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.program.stdout.readline()
        self.home = subprocess.Popen(["unshare", "-n", "sleep", "600"])
        while os.readlink(f"/proc/{self.home.pid}/ns/net") == \
                os.readlink("/proc/self/ns/net"):
            time.sleep(0.01)
        self.inside = ["nsenter", "-t", str(self.home.pid), "-n"]
        for path in ("ipv4/ip_forward", "ipv6/conf/all/forwarding"):
            with open("/proc/sys/net/" + path, "w", encoding="ascii") as f:
                f.write("1")
        self._ip([], "link set far netns", str(self.home.pid))
        for prefix, name, end in ([], "near", "1"), (self.inside, "far", "2"):
            self._ip(prefix, f"addr add 10.78.0.{end}/24 dev", name)
            self._ip(prefix, f"addr add fd78::{end}/64 nodad dev", name)
            self._ip(prefix, "link set up dev", name)
        self._ip(self.inside, "route add default via", "10.78.0.1")
        self._ip(self.inside, "-6 route add default via", "fd78::1")
        return self

    @staticmethod
    def _ip(prefix, words, last):
        subprocess.run([*prefix, "ip", *words.split(), last], check=True)

    def __exit__(self, *unused):
        for child in self.program, self.home:
            child.kill()
            child.wait()
        self.program.stdin.close()
        self.program.stdout.close()

    def set(self, down, up):
        self.program.stdin.write(json.dumps([down, up]) + "\n")
        self.program.stdin.flush()
        self.program.stdout.readline()

    def fetch(self, address, target, seconds, trust=None):
        """Returns (body, seconds it took); trust, a file of certificates: by HTTPS."""
        host = f"[{address}]" if ":" in address else address
        words = [f"http://{host}{target}"]
        if trust:
            words = ["--cacert", trust, "--resolve", f"stele.test:443:{host}",
                     f"https://stele.test{target}"]
        start = time.monotonic()
        done = subprocess.run(
            [*self.inside, "curl", "-sgf", "-m", str(seconds), *words],
            check=False, capture_output=True)
        took = time.monotonic() - start
        assert done.returncode == 0, \
            f"curl: {done.returncode} after {len(done.stdout)} bytes, {took:.1f} s"
        return done.stdout, took


if __name__ == "__main__":
    relay()
