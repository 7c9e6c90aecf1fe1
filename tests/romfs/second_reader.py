"""A second reader of ROM images, written from romfs/README.md alone.

It shares no code with romfs.c, so when the two agree, the page describes the
format.  It trusts the image: refusing bad ones is romfs.c's task.
"""
import struct

K0, K1, K2 = 0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B, 0x3C6EF372FE94F82B
WORD = 2**64 - 1


def fold(x, k):
    product = x * k
    return (product & WORD) ^ (product >> 64)


def path_hash(seed, path):
    length = len(path)
    value = seed ^ (length * K0 & WORD)
    at = 0
    while at + 8 < length:
        value = fold(value ^ int.from_bytes(path[at:at + 8], "little"), K1)
        at += 8
    last = int.from_bytes(path[-8:], "little")
    value = fold(value ^ last, K2)
    return fold(value ^ (value >> 32), K0)


class Answer:
    """A head as a list of (name, value) and, beside it, the body."""

    def __init__(self, status, head, body):
        self.status = status
        self.head = head
        self.body = body
        assert head.endswith(b"\r\n")
        lines = head.split(b"\r\n")[:-2]
        self.fields = [tuple(line.decode("ascii").split(": ", 1)) for line in lines]

    def field(self, name):
        values = [value for key, value in self.fields if key == name]
        assert len(values) <= 1
        return values[0] if values else None


class Entry:
    def __init__(self, path, modified, full, etag, not_modified, body_off):
        self.path = path
        self.modified = modified
        self.full = full
        self.etag = etag
        self.not_modified = not_modified
        self.body_off = body_off


class Image:
    def __init__(self, data):
        self.data = data
        magic, version, sections, length = struct.unpack_from("<8sIIQ", data, 0)
        assert (magic, version, sections) == (b"stelerom", 1, 8)
        assert length == len(data) and length % 4096 == 0
        self.sections = [struct.unpack_from("<QQ", data, 64 + 16 * i) for i in range(8)]
        assert all(off % 64 == 0 for off, _ in self.sections)
        hosts, length = self.sections[0]
        assert length == 64
        (self.seed, _, _, _, self.buckets, _, self.slots,
         self.files) = struct.unpack_from("<QQIIIIII", data, hosts)

    def entry(self, index):
        at = self.sections[2][0] + 64 * index
        path_off, path_len, more, first, _, modified = struct.unpack_from("<QIIIIq", self.data, at)
        assert (more, first) == (0, 0)
        (head, body_len, head_len, unmodified_len, etag_at, etag_len, status,
         coding, _) = struct.unpack_from("<QQIIHHHBB", self.data, at + 32)
        assert coding == 0
        body = head + head_len
        not_modified = None
        if unmodified_len:
            not_modified = Answer(304, self.data[head - unmodified_len:head], b"")
        return Entry(
            self.data[path_off:path_off + path_len], modified,
            Answer(status, self.data[head:body], self.data[body:body + body_len]),
            self.data[head + etag_at:head + etag_at + etag_len].decode("ascii"),
            not_modified, body)

    def entries(self):
        """Path (bytes) to entry, for all paths."""
        found = [self.entry(i) for i in range(self.slots)]
        return {entry.path: entry for entry in found}

    def not_found(self):
        return self.entry(self.slots)

    def find(self, path):
        """The entry of a path by its hash, or None."""
        value = path_hash(self.seed, path)
        bucket = ((value % 2**32) * self.buckets) >> 32
        displacement, = struct.unpack_from("<I", self.data, self.sections[1][0] + 4 * bucket)
        slot = ((fold(value ^ (displacement * K0 & WORD), K1) >> 32) * self.slots) >> 32
        entry = self.entry(slot)
        return entry if entry.path == path else None
