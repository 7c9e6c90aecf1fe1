#!/usr/bin/python3
"""A site of a gigabyte: it builds with little memory, boots in as much RAM as the image has
and a fixed part, and every byte of it arrives, whole, in ranges, coded, and resumed.

timeout: 1800
"""
import concurrent.futures
import hashlib
import os
import random
import resource
import shutil
import subprocess
import sys
import time

import sites
import vm

FOLDER = os.path.join(vm.BUILD, "system", "gigabyte")
HUGE_LEN = 560 << 20             # one file of more than 512 MiB
NOISE_COUNT, NOISE_LEN = 14, 24 << 20
TEXT_LEN = 100 << 20             # of more than mkromfs codes with all its effort
PAGE_COUNT = 300

# Site, ROM, image and what is compressed; the machine, QEMU's copy of the image, and us.
DISK_NEEDED = 5 << 30
RAM_NEEDED = 4 << 30

# config/run.sh: image and bundle lie in RAM, and 24 MiB are for everything else.
FIXED_MIB = 24

WORDS = ("stone slab text cut into stands public anyone read nobody edit reference chapter "
         "the of and to in is it for with as on by be this that not are from or an at").split()


# ---- The site --------------------------------------------------------------------------

def write_noise(path, length, numbers):
    with open(path, "wb") as f:
        for _ in range(length >> 20):
            f.write(numbers.randbytes(1 << 20))


def write_text(path, length, numbers):
    """Never the same line twice, but for luck; about a third when compressed."""
    with open(path, "wb") as f:
        while length > 0:
            lines = []
            for _ in range(2000):
                words = numbers.choices(WORDS, k=12)
                lines.append(f"{numbers.getrandbits(24):06x} " + " ".join(words) + "\n")
            data = "".join(lines).encode()[:length]
            f.write(data)
            length -= len(data)


def make_site(folder):
    numbers = random.Random(3)
    os.makedirs(os.path.join(folder, "pages"))
    write_noise(os.path.join(folder, "huge.bin"), HUGE_LEN, numbers)
    for i in range(NOISE_COUNT):
        write_noise(os.path.join(folder, f"noise-{i}.bin"), NOISE_LEN, numbers)
    write_text(os.path.join(folder, "large.txt"), TEXT_LEN, numbers)
    for i in range(PAGE_COUNT):
        write_text(os.path.join(folder, "pages", f"{i}.html"),
                   numbers.randrange(200, 40000), numbers)
    total = sum(os.path.getsize(path) for _, path in sites.files_of(folder))
    assert total > 10 ** 9, total
    return total


def digest_of(path, start=0, length=None):
    sha = hashlib.sha256()
    with open(path, "rb") as f:
        f.seek(start)
        while length is None or length > 0:
            data = f.read(1 << 20 if length is None else min(length, 1 << 20))
            if not data:
                break
            sha.update(data)
            length = None if length is None else length - len(data)
    return sha.hexdigest()


def why_not():
    """A reason why this machine is too small, or None."""
    free = shutil.disk_usage(vm.BUILD).free
    if free < DISK_NEEDED:
        return f"{free >> 20} MiB of disk are free, {DISK_NEEDED >> 20} are needed"
    with open("/proc/meminfo", encoding="ascii") as f:
        fields = dict(line.split(":") for line in f)
    available = int(fields["MemAvailable"].split()[0]) << 10
    if available < RAM_NEEDED:
        return f"{available >> 20} MiB of RAM are available, {RAM_NEEDED >> 20} are needed"
    return None


class Site:
    """Made when the first case needs it, gone when the suite ends."""

    def __init__(self):
        self.folder = os.path.join(FOLDER, "site")
        self.reason = why_not()
        self.rom = self.image = None
        self.digests = {}

    def __enter__(self):
        shutil.rmtree(FOLDER, ignore_errors=True)
        os.makedirs(FOLDER)
        return self

    def __exit__(self, *unused):
        shutil.rmtree(FOLDER, ignore_errors=True)
        for path in self.rom, self.image:
            if path and os.path.exists(path):
                os.unlink(path)

    def build(self):
        if self.reason:
            raise vm.Skip(self.reason)
        if self.image:
            return
        total = make_site(self.folder)
        self.digests = {url: digest_of(path) for url, path in sites.files_of(self.folder)}
        start = time.monotonic()
        self.rom = vm.make_rom(self.folder, "gigabyte")
        took = time.monotonic() - start
        self.image = vm.make_image(self.rom, "gigabyte")
        print(f"# {total >> 20} MiB in {len(self.digests)} files; mkromfs took {took:.0f} s; "
              f"image: {os.path.getsize(self.image) >> 20} MiB")

    def start(self, body):
        self.build()
        if body == "process":
            return vm.Process(self.rom)
        mem = FIXED_MIB + os.path.getsize(self.image) // (1 << 20)
        print(f"# {mem} MiB of RAM")
        return vm.Machine(body, self.image, mem=mem)


site = Site()


# ---- The client ------------------------------------------------------------------------

class Body:
    """What came: its digest, as it came; and how it was announced."""

    def __init__(self, status, fields):
        self.status, self.fields = status, fields
        self.length, self.sha = 0, hashlib.sha256()

    def add(self, data):
        self.length += len(data)
        self.sha.update(data)

    @property
    def digest(self):
        return self.sha.hexdigest()


def download(client, url, fields=(), stop_after=None, into=None):
    """Like Client.get(), but the body goes by and is not kept."""
    head = [f"GET {url} HTTP/1.1", f"Host: {client.name}", *fields]
    client.socket.sendall(("\r\n".join(head) + "\r\n\r\n").encode())
    while b"\r\n\r\n" not in client.buffer:
        client._more()      # pylint: disable=protected-access
    head, client.buffer = client.buffer.split(b"\r\n\r\n", 1)
    lines = head.decode("latin-1").split("\r\n")
    body = Body(int(lines[0].split(" ")[1]),
                {k.lower(): v.strip() for k, v in (x.split(":", 1) for x in lines[1:])})
    left = int(body.fields["content-length"])
    while left > 0 and (stop_after is None or body.length < stop_after):
        data = client.buffer[:left] or client.socket.recv(min(left, 1 << 20))
        client.buffer = b""
        if not data:
            raise ConnectionError(f"{url}: cut short, {left} bytes before the end")
        body.add(data)
        if into:
            into.write(data)
        left -= len(data)
    return body


def assert_range(client, url, path, asked, start, length):
    size = os.path.getsize(path)
    body = download(client, url, [f"Range: bytes={asked}"])
    assert body.status == 206, f"{asked}: {body.status}"
    wanted = f"bytes {start}-{start + length - 1}/{size}"
    assert body.fields["content-range"] == wanted, body.fields["content-range"]
    assert body.length == length
    assert body.digest == digest_of(path, start, length), f"{asked}: other bytes"


# ---- Cases -----------------------------------------------------------------------------

def it_builds_in_bounded_memory():
    """Twice the same.  Both together: what was compressed before takes less memory."""
    site.build()
    out = os.path.join(FOLDER, "again.rom")
    subprocess.run([os.path.join(vm.BUILD, "mkromfs"), "--quiet", "--cache",
                    os.path.join(vm.BUILD, "cache"), site.folder, out], check=True)
    assert digest_of(out) == digest_of(site.rom), "another ROM from the same site"
    os.unlink(out)
    used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10
    print(f"# at most {used} MiB")
    # mkromfs/coding_encode.h: 200 MiB for each processor.
    assert used < 100 + 200 * os.cpu_count(), f"{used} MiB"


def every_file_arrives(body):
    with site.start(body) as server:
        server.wait_ready()
        start, total = time.monotonic(), 0
        with vm.Client(server.ipv4) as client:
            for url, digest in site.digests.items():
                got = download(client, url)
                assert got.status == 200, f"{url}: status {got.status}"
                assert got.digest == digest, f"{url}: {got.length} other bytes"
                total += got.length
        print(f"# {total / (time.monotonic() - start) / 1e6:.0f} MB/s")


def ranges_near_the_end_arrive(body):
    path = os.path.join(site.folder, "huge.bin")
    with site.start(body) as server:
        server.wait_ready()
        with vm.Client(server.ipv4) as client:
            last = HUGE_LEN - 1
            for asked, first, length in (
                    (f"{last}-", last, 1), (f"{last}-{last}", last, 1), ("-1", last, 1),
                    ("-70000", HUGE_LEN - 70000, 70000),
                    (f"{(512 << 20) - 1}-{512 << 20}", (512 << 20) - 1, 2),
                    (f"{(512 << 20) + 7}-", (512 << 20) + 7, HUGE_LEN - (512 << 20) - 7),
                    (f"{HUGE_LEN - 10}-{HUGE_LEN + 10}", HUGE_LEN - 10, 10),
                    (f"{HUGE_LEN // 2}-{HUGE_LEN // 2 + 99999}", HUGE_LEN // 2, 100000)):
                assert_range(client, "/huge.bin", path, asked, first, length)
            beyond = download(client, "/huge.bin", [f"Range: bytes={HUGE_LEN}-"])
            assert beyond.status == 416, beyond.status
            assert beyond.fields["content-range"] == f"bytes */{HUGE_LEN}"


def a_broken_download_goes_on(body):
    """RFC 9110, section 13.1.5: as long as it is the same file."""
    path = os.path.join(site.folder, "huge.bin")
    with site.start(body) as server:
        server.wait_ready()
        with vm.Client(server.ipv4) as client:
            first = download(client, "/huge.bin", stop_after=HUGE_LEN // 3)
        at = first.length
        assert first.digest == digest_of(path, 0, at)
        with vm.Client(server.ipv4) as client:
            rest = download(client, "/huge.bin", [
                f"Range: bytes={at}-", f"If-Range: {first.fields['etag']}"])
        assert (rest.status, rest.length) == (206, HUGE_LEN - at)
        assert rest.digest == digest_of(path, at), "other bytes"


def many_at_a_time_arrive(body):
    urls = ["/huge.bin", "/large.txt"] + [f"/noise-{i}.bin" for i in range(6)]

    def one(url):
        with vm.Client(server.ipv4, timeout=120) as client:
            got = download(client, url)
            assert got.digest == site.digests[url], f"{url}: {got.length} other bytes"

    with site.start(body) as server:
        server.wait_ready()
        with concurrent.futures.ThreadPoolExecutor(len(urls)) as pool:
            list(pool.map(one, urls))


def large_text_arrives_in_each_coding(body):
    tools = {"gzip": ["gzip", "-dc"], "br": ["brotli", "-dc"], "zstd": ["zstd", "-dcq"]}
    for command in tools.values():
        if not shutil.which(command[0]):
            raise vm.Skip(f"{command[0]} is not installed")
    with site.start(body) as server:
        server.wait_ready()
        with vm.Client(server.ipv4) as client:
            for coding, command in tools.items():
                name = os.path.join(FOLDER, "coded")
                with open(name, "wb") as f:
                    got = download(client, "/large.txt", [f"Accept-Encoding: {coding}"],
                                   into=f)
                assert got.fields["content-encoding"] == coding, got.fields
                with open(name, "rb") as f, subprocess.Popen(
                        command, stdin=f, stdout=subprocess.PIPE) as tool:
                    sha = hashlib.file_digest(tool.stdout, "sha256")
                assert tool.returncode == 0, coding
                assert sha.hexdigest() == site.digests["/large.txt"], coding
                print(f"# {coding}: {got.length} of {TEXT_LEN} bytes")


def too_little_memory_is_said():
    """Half of the image is not enough for all of it; QEMU or the kernel says so."""
    site.build()
    mem = os.path.getsize(site.image) // (2 << 20)
    with vm.Machine("q35", site.image, mem=mem) as server:
        deadline = time.monotonic() + 60
        while server.child.poll() is None and time.monotonic() < deadline:
            if "memory" in server.console():
                break
            time.sleep(0.2)
        said = server.console() + vm.read_text(server.errors_path)
        assert "memory" in said.lower() or "ram" in said.lower(), said[-300:]


def main():
    vm.enter_private_network()
    suite = vm.Suite()
    suite.add(it_builds_in_bounded_memory)
    for body in "q35", "process":
        suite.add(every_file_arrives, body)
        suite.add(ranges_near_the_end_arrive, body)
        suite.add(a_broken_download_goes_on, body)
        suite.add(many_at_a_time_arrive, body)
        suite.add(large_text_arrives_in_each_coding, body)
    suite.add(too_little_memory_is_said)
    with site:
        return suite.main()


if __name__ == "__main__":
    sys.exit(main())
