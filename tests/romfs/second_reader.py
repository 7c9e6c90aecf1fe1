"""A second reader of ROM images, written from romfs/README.md alone.

It shares no code with the one in C, so when the two agree, the page describes the
format.  It trusts the image: refusing bad ones is the other one's task.
"""
import re
import struct
import urllib.parse

K0, K1, K2 = 0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B, 0x3C6EF372FE94F82B
WORD = 2**64 - 1
NONE = 2**32 - 1
(NAMES, SITES, BUCKETS, ENTRIES, VARIANTS, RULES, STATES, EDGES, ACCEPTS, PATHS, INFO,
 ANSWERS) = range(12)
FORCED, KEEP_QUERY = 1, 2
RULES_FIRST = 1
MARKS = {b"\1": rb"([^/]+)", b"\2": rb"(.*)", b"\3": rb"(?:/(.*)|())"}


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


class Variant:
    """A representation: status, mark, type, coding, head as a list of (name, value), body."""

    def __init__(self, data, at):
        (head, body, body_len, head_len, unmodified_len, mark_at, mark_len, type_len,
         self.status, self.coding,
         self.length_line_len) = struct.unpack_from("<QQQHHHHHHBB", data, at)
        self.head = data[head:head + head_len]
        self.body = data[body:body + body_len]
        self.mark = self.head[mark_at:mark_at + mark_len]
        self.not_modified = data[head - unmodified_len:head]
        self.digest_line = data[head - unmodified_len - 69:head - unmodified_len]
        assert self.head.endswith(b"\r\n\r\n")
        lines = self.head[:-4].split(b"\r\n")
        self.fields = [tuple(line.decode("ascii").split(": ", 1)) for line in lines]
        assert self.fields[0] == ("Content-Length", str(body_len))
        assert self.fields[1][0] == "Content-Type" and len(self.fields[1][1]) == type_len


class Entry:
    def __init__(self, image, at):
        (path, path_len, more, self.flags, first, codings,
         self.modified) = struct.unpack_from("<IHBBI4sq", image.data, at)
        self.path = image.text(path, path_len)
        self.variants = [Variant(image.data, at + 24)] + [
            Variant(image.data, image.at(VARIANTS, 40, first + i)) for i in range(more)]
        assert [v.coding for v in self.variants] == list(codings[:1 + more])


class Rule:
    def __init__(self, image, at):
        (pattern, query, target, tail, pattern_len, query_len, target_len, tail_len,
         self.entry, self.status, self.flags, self.captures) = struct.unpack_from(
             "<IIIIHHHHIHBB", image.data, at)
        self.target = image.text(target, target_len)
        self.tail = image.text(tail, tail_len)
        words = image.text(query, query_len).split(b"\0")[:-1]
        self.conditions = list(zip(words[::2], words[1::2]))
        parts = re.split(rb"(?s)\0(.)", image.text(pattern, pattern_len))
        self.regex = re.compile(b"".join(
            MARKS[part] if i % 2 else re.escape(part) for i, part in enumerate(parts)), re.S)

    def match(self, path, query):
        """What it captures: of the path, and of the query; None if it does not apply."""
        found = self.regex.fullmatch(path)
        if not found:
            return None
        of_path = list(found.groups())
        if self.regex.pattern.endswith(MARKS[b"\3"]):
            of_path = of_path[:-2] + [of_path[-2] or b""]
        pairs = [(name, value) for name, _, value in
                 (pair.partition(b"=") for pair in query.split(b"&"))]
        of_query = []
        for name, value in self.conditions:
            values = [v for n, v in pairs if n == name]
            if value == b"\1" and values:
                of_query.append(values[0])
            elif value not in values:
                return None
        assert len(of_path) + len(of_query) == self.captures
        return of_path, of_query

    def expand(self, of_path, of_query, how_path, how_query):
        values = [how_path(v) for v in of_path] + [how_query(v) for v in of_query]
        return re.sub(rb"(?s)\0(.)", lambda m: values[m[1][0] - 1], self.target)


class Site:
    def __init__(self, image, at):
        self.image = image
        (self.seed, self.bucket, self.buckets, self.first, self.slots, self.pages, self.rule,
         rules, _, _, self.start, self.files) = struct.unpack_from("<Q11I", image.data, at)
        self.rules = [Rule(image, image.at(RULES, 32, self.rule + i)) for i in range(rules)]

    def entry(self, index):
        return Entry(self.image, self.image.at(ENTRIES, 64, self.first + index))

    def entries(self):
        """Path (bytes) to entry, for all paths."""
        return {entry.path: entry for entry in map(self.entry, range(self.slots))}

    def find(self, path):
        """The entry of a path by its hash, or None."""
        value = path_hash(self.seed, path)
        bucket = self.bucket + (((value % 2**32) * self.buckets) >> 32)
        displacement, = self.image.words(BUCKETS, bucket, 1)
        slot = ((fold(value ^ (displacement * K0 & WORD), K1) >> 32) * self.slots) >> 32
        entry = self.entry(slot)
        return entry if entry.path == path else None

    def accepts(self, path):
        """The rules that the automaton says match."""
        state = self.start
        for byte in path:
            first, otherwise, _, edges, _ = self.image.state(state)
            steps = {edge % 256: edge >> 8 for edge in self.image.words(EDGES, first, edges)}
            state = steps.get(byte, otherwise)
        _, _, first, _, count = self.image.state(state)
        return [self.rules[i] for i in self.image.words(ACCEPTS, first, count)]

    def resolve(self, path, query):
        """(status, Location) of a redirect, else (status, entry)."""
        own = self.find(path)
        if own and not own.flags & RULES_FIRST:
            return self.answer(own, query)
        for rule in self.accepts(path):
            captures = rule.match(path, query)
            if captures is None or (own and not rule.flags & FORCED):
                continue
            if not rule.target:
                return rule.status, self.entry(rule.entry)
            if rule.status == 200:
                target = rule.expand(*captures, bytes, urllib.parse.unquote_to_bytes)
                entry = self.find(target)
                if entry:
                    return self.answer(entry, query)
                continue
            target = rule.expand(*captures, quote, bytes)
            return rule.status, with_query(target + rule.tail,
                                           query if rule.flags & KEEP_QUERY else b"")
        return self.answer(own or self.entry(self.slots), query)

    @staticmethod
    def answer(entry, query):
        first = entry.variants[0]
        if first.status // 100 != 3:
            return first.status, entry
        return first.status, with_query(first.mark, query if entry.flags & KEEP_QUERY else b"")


def quote(value):
    return urllib.parse.quote_from_bytes(value, "-._~/!$()*+,;=:@").encode("ascii")


def with_query(location, query):
    """The query goes before a fragment."""
    if not query:
        return location
    head, mark, tail = location.partition(b"#")
    return head + b"?" + query + mark + tail


class Image:
    def __init__(self, data):
        self.data = data
        magic, version, sections, length, self.default = struct.unpack_from("<8sIIQI", data, 0)
        assert (magic, version, sections) == (b"stelerom", 2, 12)
        assert length == len(data) and length % 4096 == 0
        self.sections = [struct.unpack_from("<QQ", data, 64 + 16 * i) for i in range(12)]
        assert all(off % 64 == 0 for off, _ in self.sections)
        self.sites = [Site(self, self.at(SITES, 64, i)) for i in range(self.count(SITES, 64))]
        self.names = [struct.unpack_from("<IIII", data, self.at(NAMES, 16, i))
                      for i in range(self.count(NAMES, 16))]
        self.info = data[self.sections[INFO][0]:][:self.sections[INFO][1]]

    def count(self, section, record_len):
        return self.sections[section][1] // record_len

    def at(self, section, record_len, index):
        assert 0 <= index < self.count(section, record_len)
        return self.sections[section][0] + record_len * index

    def words(self, section, first, count):
        return struct.unpack_from(f"<{count}I", self.data, self.sections[section][0] + 4 * first)

    def state(self, index):
        """First edge, the state for other bytes, first accept, edges, accepts."""
        return struct.unpack_from("<IIIHH", self.data, self.at(STATES, 16, index))

    def text(self, off, length):
        return self.data[self.sections[PATHS][0] + off:][:length]

    def host(self, name):
        """(site, None), (site, the name to use in its place), or None."""
        name = name.lower().removesuffix(b".")
        for off, length, site, canonical in self.names:
            if self.text(off, length) == name:
                other = None if canonical == NONE else self.text(*self.names[canonical][:2])
                return self.sites[site], other
        return None if self.default == NONE else (self.sites[self.default], None)
