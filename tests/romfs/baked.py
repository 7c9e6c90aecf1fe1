"""Sites under construction, the images that mkromfs makes of them, and what is in those.

Images are taken apart here by their tables alone, in their order: whether paths are
found by their hash is the reader's part (and mkromfs runs the reader on all it writes).
"""
import hashlib
import base64
import os
import struct
import subprocess
import urllib.parse

MKROMFS = os.path.abspath(os.environ.get("MKROMFS", "build/mkromfs"))
MTIME = 1_700_000_000
LIMIT_TARGET_LEN = 8000  # config/limits.h
CODINGS = ["identity", "gzip", "br", "zstd"]
NONE = 2**32 - 1
(NAMES, SITES, BUCKETS, ENTRIES, VARIANTS, RULES, STATES, EDGES, ACCEPTS, PATHS, INFO,
 ANSWERS) = range(12)


# ---- Images ----------------------------------------------------------------------


def parse_head(head):
    """A head as a list of (name, value)."""
    assert head.endswith(b"\r\n")
    lines = head.split(b"\r\n")
    assert lines[-2:] == [b"", b""]
    return [tuple(line.decode("utf-8", "surrogateescape").split(": ", 1)) for line in lines[:-2]]


class Variant:
    def __init__(self, data, at):
        (head, self.body_off, body_len, head_len, unmodified_len, mark_at, mark_len, type_len,
         self.status, coding, length_line_len, zero) = struct.unpack_from("<QQQHHHHHHBBH", data, at)
        assert zero == 0
        self.coding = CODINGS[coding]
        self.head_off = head
        self.head = data[head:head + head_len]
        self.body = data[self.body_off:self.body_off + body_len]
        self.fields = parse_head(self.head)
        assert self.fields[0] == ("Content-Length", str(body_len))
        assert self.head[:length_line_len].endswith(b"%d\r\n" % body_len)
        assert self.fields[1][0] == "Content-Type" and len(self.fields[1][1]) == type_len
        self.mark = self.head[mark_at:mark_at + mark_len].decode("ascii")
        self.digest_line = self.not_modified = None
        if self.status == 200:
            start = head - unmodified_len
            self.not_modified = parse_head(data[start:head])
            self.digest_line = data[start - 69:start]
            assert self.mark == self.field("ETag")
        elif self.status != 404:
            assert self.mark == self.field("Location")

    def field(self, name):
        values = [value for key, value in self.fields if key.lower() == name.lower()]
        assert len(values) <= 1, self.fields
        return values[0] if values else None


class Entry:
    """A path's or page's answers; the identity coding's are at hand."""

    def __init__(self, image, at):
        (path_off, path_len, more, self.flags, first, *codings,
         self.modified) = struct.unpack_from("<IHBBI4Bq", image.data, at)
        self.path = image.bytes_at(path_off, path_len)
        more_at = image.sections[VARIANTS][0] + 40 * first
        self.full = Variant(image.data, at + 24)
        self.variants = [self.full] + [Variant(image.data, more_at + 40 * i) for i in range(more)]
        assert [CODINGS[c] for c in codings[:more + 1]] == [v.coding for v in self.variants]
        self.rules_first = bool(self.flags & 1)
        self.keeps_query = bool(self.flags & 2)
        self.status, self.body, self.field = self.full.status, self.full.body, self.full.field
        self.etag = self.full.field("ETag")

    def coded(self, coding):
        found = [v for v in self.variants if v.coding == coding]
        return found[0] if found else None


class Image:
    def __init__(self, data):
        self.data = data
        magic, version, count, length, default = struct.unpack_from("<8sIIQI", data, 0)
        assert (magic, version, count) == (b"stelerom", 2, 12)
        assert length == len(data) and length % 4096 == 0
        self.default_site = None if default == NONE else default
        self.sections = [struct.unpack_from("<QQ", data, 64 + 16 * i) for i in range(12)]
        self.info = self.section(INFO).decode("ascii")
        self.names = {}
        for off, name_len, site, canonical in struct.iter_unpack("<IIII", self.section(NAMES)):
            self.names[self.bytes_at(off, name_len).decode("ascii")] = (site, canonical)
        assert list(self.names) == sorted(self.names)
        self.sites = [BakedSite(self, self.sections[SITES][0] + 64 * i)
                      for i in range(self.sections[SITES][1] // 64)]
        self.files = sum(site.files for site in self.sites)

    def section(self, i):
        off, length = self.sections[i]
        return self.data[off:off + length]

    def bytes_at(self, off, length):
        start = self.sections[PATHS][0] + off
        return self.data[start:start + length]

    # Of the first site, which is mostly the only one:

    def entries(self):
        return self.sites[0].paths

    def find(self, path):
        return self.sites[0].paths.get(path)

    def not_found(self):
        return self.sites[0].pages[0]

    @property
    def pages(self):
        return self.sites[0].pages

    @property
    def rules(self):
        return self.sites[0].rules


class BakedSite:
    def __init__(self, image, at):
        (_, _, _, first, slots, pages, first_rule, rules, _, _, _,
         self.files) = struct.unpack_from("<QIIIIIIIIIII", image.data, at)
        start = image.sections[ENTRIES][0] + 64 * first
        found = [Entry(image, start + 64 * i) for i in range(slots)]
        self.paths = {entry.path: entry for entry in found}
        assert len(self.paths) == slots
        self.slots = found
        self.pages = [Entry(image, start + 64 * (slots + i)) for i in range(pages)]
        start = image.sections[RULES][0] + 32 * first_rule
        self.rules = [Rule(image, self, start + 32 * i) for i in range(rules)]


class Rule:
    def __init__(self, image, site, at):
        (pattern, query, target, tail, pattern_len, query_len, target_len, tail_len, entry,
         self.status, self.flags, self.captures) = struct.unpack_from("<IIIIHHHHIHBB",
                                                                      image.data, at)
        self.pattern = image.bytes_at(pattern, pattern_len)
        self.query = image.bytes_at(query, query_len)
        self.target = image.bytes_at(target, target_len)
        self.tail = image.bytes_at(tail, tail_len)
        self.entry = None if entry == NONE else (site.slots + site.pages)[entry]
        self.forced = bool(self.flags & 1)


# ---- Sites -----------------------------------------------------------------------


class Run:
    def __init__(self, done):
        self.status = done.returncode
        self.out = done.stdout
        self.errors = done.stderr.splitlines()
        self.text = done.stderr


def mkromfs(*arguments, env=None, **how):
    environment = {k: v for k, v in os.environ.items() if k != "SOURCE_DATE_EPOCH"}
    environment.update(env or {})
    how.setdefault("timeout", 60)
    return Run(subprocess.run(
        [*how.pop("before", []), MKROMFS, *arguments], env=environment,
        capture_output=True, text=True, errors="surrogateescape", check=False, **how))


class Site:
    """A folder under construction; names are bytes or str."""

    def __init__(self, base):
        self.base = base
        self.root = base / "site"
        self.root.mkdir()
        self.image = base / "out" / "site.rom"
        self.image.parent.mkdir()
        self.options = []        # of every run

    def path(self, name):
        return os.path.join(os.fsencode(self.root), os.fsencode(name))

    def write(self, name, content=b"x\n", mtime=MTIME):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as out:
            out.write(content if isinstance(content, bytes) else content.encode())
        os.utime(path, (mtime, mtime))
        return path

    def link(self, name, target):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.symlink(target, path)

    def run(self, *options, **how):
        return mkromfs(*self.options, *options, self.root, self.image, **how)

    def bake(self, *options, **how):
        run = self.run(*options, **how)
        assert (run.status, run.text) == (0, "")
        assert mkromfs("--check", self.image).status == 0
        self.nothing_left()
        return Image(self.image.read_bytes())

    def refuse(self, *options, **how):
        """The errors of a run that has to fail, without the program's name."""
        before = self.image.read_bytes() if self.image.exists() else None
        run = self.run(*options, **how)
        assert (run.status, run.out) == (1, "")
        self.nothing_left()
        assert before == (self.image.read_bytes() if self.image.exists() else None)
        assert all(line.startswith("mkromfs: ") for line in run.errors)
        return [line[len("mkromfs: "):] for line in run.errors]

    def manifest(self, *options):
        """URL to (status, file) for every line."""
        run = mkromfs("--manifest", *self.options, *options, self.root)
        assert (run.status, run.text) == (0, "")
        lines = [line.split("\t") for line in run.out.split("\n")[:-1]]
        found = {url: (int(status), file) for url, status, file in lines}
        assert len(found) == len(lines)
        return found

    def resolve(self, *targets):
        """What the reader says of each target in the image: a status, and where it leads."""
        run = mkromfs("--resolve", self.image, input="\n".join(targets) + "\n")
        assert (run.status, run.text) == (0, "")
        answers = run.out.split("\n")[:-1]
        assert len(answers) == len(targets)
        return [tuple(answer.split("\t")) for answer in answers]

    def nothing_left(self):
        assert set(os.listdir(self.image.parent)) <= {self.image.name}


def url(path):
    return urllib.parse.quote(path, safe="/!$()*+,;=:@")


def expected_etag(content, content_type, coding=None):
    sha = hashlib.sha256(content + b"\0" + content_type.encode())
    if coding:
        sha.update(b"\0" + coding.encode())
    return '"' + base64.urlsafe_b64encode(sha.digest()[:16]).decode().rstrip("=") + '"'
