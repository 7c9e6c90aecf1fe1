"""Requests by the thousand, always the same ones, and how answers to them are read and
compared: run_nginx.py asks two servers and looks for differences.
"""
import collections
import dataclasses
import email.utils
import random
import re
import time

import vm

HOST = "site.example"


@dataclasses.dataclass(frozen=True)
class Request:
    """Values may hold {etag}, which each server fills with its own."""
    method: str
    target: str
    version: str = "1.1"
    fields: tuple = ()

    def field(self, name):
        values = [v for n, v in self.fields if n == name]
        return values[0] if values else None

    def changed(self, fields, target=None):
        """With other values of fields, or without those that are None."""
        return Request(
            self.method, target or self.target, self.version,
            tuple((n, fields.get(n, v)) for n, v in self.fields
                  if fields.get(n, v) is not None))

    def render(self, etag):
        lines = [f"{self.method} {self.target} HTTP/{self.version}"]
        lines += [f"{n}: {v.replace('{etag}', etag)}" for n, v in self.fields]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def __str__(self):
        return (f"{self.method} {self.target} HTTP/{self.version} "
                + " | ".join(f"{n}: {v[:80]}" for n, v in self.fields
                             if n != "Host"))


Part = collections.namedtuple("Part", "media first last length body")


@dataclasses.dataclass
class Answer:
    status: int
    fields: dict
    body: bytes

    @property
    def closes(self):
        return self.fields.get("connection", "").lower() == "close"

    def parts(self):
        """The Parts of a 206."""
        media = self.fields["content-type"]
        found = re.fullmatch(r"multipart/byteranges; *boundary=(\S+)", media)
        if not found:
            assert len(self.body) == int(self.fields["content-length"])
            return [part_of(self.fields["content-range"], media, self.body)]
        assert "content-range" not in self.fields, "Content-Range beside parts"
        pieces = (b"\r\n" + self.body).split(b"\r\n--" + found.group(1).encode())
        assert pieces[0].strip() == b"" and pieces[-1].strip() == b"--"
        parts = []
        for piece in pieces[1:-1]:
            head, body = piece.split(b"\r\n\r\n", 1)
            fields = dict(line.split(": ", 1)
                          for line in head.decode().strip().split("\r\n"))
            parts.append(part_of(fields["Content-Range"], fields["Content-Type"],
                                 body))
        return parts


def part_of(content_range, media, body):
    found = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", content_range)
    first, last, length = map(int, found.groups())
    assert len(body) == last - first + 1, f"{content_range}: {len(body)} bytes"
    return Part(media, first, last, length, body)


# ---- A server that is asked -----------------------------------------------------------

class Server:
    """One kept-alive connection, and what is known of its representations.

    faithless   it may end a connection that it has said it keeps; then it is asked again
    """

    def __init__(self, address, port, faithless=False):
        self.address, self.port, self.faithless = address, port, faithless
        self.socket, self.buffer = None, b""
        self.known = {}

    def close(self):
        if self.socket:
            self.socket.close()
        self.socket, self.buffer = None, b""

    def _more(self):
        data = self.socket.recv(1 << 20)
        if not data:
            raise ConnectionError("closed before the answer was complete")
        self.buffer += data

    def ask(self, request):
        representation = None
        if any("{etag}" in v for _, v in request.fields):
            representation = self.representation(
                request.target, request.field("Accept-Encoding"))
        etag = representation.fields.get("etag", '"none"') if representation else ""
        reused = self.socket is not None
        try:
            answer = self._exchange(request, etag)
        except ConnectionError:
            if not (self.faithless and reused and not self.buffer):
                raise
            self.close()
            answer = self._exchange(request, etag)
        # RFC 9112, section 9.3
        if answer.closes or (request.version == "1.0" and answer.fields.get(
                "connection", "").lower() != "keep-alive"):
            self.close()
        return answer

    def _exchange(self, request, etag):
        if self.socket is None:
            self.socket = vm.connect(self.address, self.port, timeout=10)
        self.socket.sendall(request.render(etag))
        return self._read(request)

    def _read(self, request):
        while b"\r\n\r\n" not in self.buffer:
            self._more()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        fields = {}
        for line in lines[1:]:
            name, value = line.split(":", 1)
            assert name.lower() not in fields, f"{name} twice"
            fields[name.lower()] = value.strip()
        status = int(lines[0].split(" ")[1])
        length = int(fields.get("content-length", 0))
        if request.method == "HEAD" or status == 304:
            length = 0
        while len(self.buffer) < length:
            self._more()
        body, self.buffer = self.buffer[:length], self.buffer[length:]
        assert not self.buffer, f"{len(self.buffer)} bytes behind the answer"
        return Answer(status, fields, body)

    def representation(self, target, accept):
        """The whole of it, remembered."""
        if (target, accept) not in self.known:
            fields = [("Host", HOST)]
            if accept is not None:
                fields.append(("Accept-Encoding", accept))
            self.known[target, accept] = self.ask(
                Request("GET", target, "1.1", tuple(fields)))
        return self.known[target, accept]


# ---- Requests ------------------------------------------------------------------------

TAGS = ("{etag}", '"other"', '"other", {etag}', "*", "W/{etag}", "",
        ' ,"a" ,, W/"b",{etag}', "{etag}x", '"a", "b"')
IF_RANGE_TAGS = ("{etag}", '"other"', "W/{etag}", '{etag}, "a"', "soon")
CODINGS = (None, None, None, None, "gzip", "gzip, deflate", "deflate, gzip;q=1.0",
           "GZIP", "gzip;q=0", "gzip; q=0.000", "gzip;q=0.001", "", "deflate",
           "identity", "compress,gzip ;q=0.5")
ODD_CODINGS = ("*", "*;q=0", "identity;q=0", "identity;q=0, gzip", "x-gzip",
               "gzip;q=0.5, identity", "identity, gzip;q=0.999", "br", "gzip, br",
               "zstd", "gzip, deflate, br, zstd", "gzip;q=0, *", "gzip;q=1.5",
               "gzip;q=0.0001", "gzip;level=1", "gzip;q=0.5;q=0", "deflate gzip",
               "*;q=0.5, gzip;q=0", "gzip, gzip;q=0")
METHODS = ("POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "PROPFIND", "get",
           "BREW")


def date(seconds, form=0):
    """The three forms of RFC 9110, section 5.6.7."""
    t = time.gmtime(seconds)
    if form == 0:
        return email.utils.formatdate(seconds, usegmt=True)
    if form == 1:
        return time.strftime("%A, %d-%b-%y %H:%M:%S GMT", t)
    return f"{time.strftime('%a %b', t)} {t.tm_mday:2} {time.strftime('%T %Y', t)}"


class Generator:
    """seed      makes the same requests each time
    files     {target: modified} of what exists
    odd       targets for which nothing but GET and HEAD is interesting
    length    of (target, Accept-Encoding): bytes of what is sent
    """

    def __init__(self, seed, files, odd, length):
        self.random = random.Random(seed)
        self.files, self.odd, self.length = files, odd, length

    def one(self):
        draw, pick = self.random.random(), self.random.choice
        target = pick(list(self.files))
        if draw < 0.06:
            return self.plain(pick(("GET", "GET", "HEAD")), pick(self.odd))
        if draw < 0.10:
            return self.plain(pick(METHODS), target)
        if draw < 0.18:
            return self.plain(pick(("GET", "GET", "HEAD")), target,
                              ("Accept-Encoding", pick(ODD_CODINGS)))
        return self.full(pick(("GET",) * 6 + ("HEAD",)), target)

    def plain(self, method, target, *fields):
        return Request(method, target, "1.1", (("Host", HOST),) + fields)

    def full(self, method, target):
        pick, chance = self.random.choice, self.random.random
        modified = self.files[target]
        accept = pick(CODINGS)
        fields = []
        if accept is not None:
            fields.append(("Accept-Encoding", accept))
        if chance() < 0.5:
            fields += self.conditions(modified)
        if chance() < 0.5:
            fields.append(("Range", self.range(self.length(target, accept))))
            if chance() < 0.3:
                fields.append(("If-Range", self.if_range(modified)))
        if chance() < 0.1:
            fields.append(("Connection", pick(("close", "keep-alive", "Keep-Alive",
                                               "close, x"))))
        self.random.shuffle(fields)
        version = "1.0" if chance() < 0.07 else "1.1"
        if version == "1.1" or chance() < 0.5:
            fields.insert(0, ("Host", HOST))
        return Request(method, target, version, tuple(fields))

    def some_date(self, modified):
        pick = self.random.choice
        if self.random.random() < 0.1:
            return pick(("yesterday", "", "0", date(modified)[:-1],
                         "Sat, 31 Feb 2026 00:00:00 GMT"))
        return date(modified + pick((-86400, -1, 0, 0, 1, 86400)),
                    pick((0, 0, 0, 1, 2)))

    def conditions(self, modified):
        pick = self.random.choice
        kinds = ("If-None-Match", "If-None-Match", "If-Modified-Since",
                 "If-Modified-Since", "If-Match", "If-Unmodified-Since")
        chosen = {pick(kinds) for _ in range(pick((1, 1, 1, 2, 2, 3, 4)))}
        return [(name, pick(TAGS) if name.endswith("Match") else
                 self.some_date(modified)) for name in sorted(chosen)]

    def if_range(self, modified):
        pick = self.random.choice
        return pick(IF_RANGE_TAGS) if self.random.random() < 0.6 else \
            self.some_date(modified)

    def range(self, length):
        """A value of Range for so many bytes."""
        number = self.random.randrange
        top = max(length, 1)
        a, b = sorted((number(top), number(top)))
        few = sorted(number(top) for _ in range(2 * number(2, 5)))
        pairs = list(zip(few[::2], few[1::2]))
        backwards = pairs[::-1]
        step = max(top // 40, 1)
        small = [(2 * step * i, 2 * step * i) for i in range(17)]
        row = [(i * step, (i + 1) * step - 1) for i in range(17)]
        return self.random.choice((
            f"bytes={a}-{b}", f"bytes={a}-{b}", f"bytes={a}-{b}", f"bytes={a}-",
            f"bytes=-{b + 1}", "bytes=0-", "bytes=0-0", "bytes=-1",
            f"bytes={top - 1}-", f"bytes=0-{top - 1}", f"bytes=0-{top}",
            f"bytes=-{top + 7}", f"bytes={a}-{top + 99}", f"BYTES={a}-{b}",
            f"bytes={length}-", f"bytes={length + 5}-{length + 9}", "bytes=-0",
            f"bytes={b + 1}-{a}", f"bytes={a}-{b},{b + 1}-{a}", "bytes=", "bytes=-",
            "bytes=a-b", f"lines={a}-{b}", f"bytes {a}-{b}", f"bytes={a}-{b}x",
            "bytes=99999999999999999999-", "bytes=0-99999999999999999999",
            "bytes=-99999999999999999999", "bytes=0-0,-1", listed(pairs),
            listed(pairs), listed(pairs), listed(backwards),
            listed(pairs, " , ,\t"), listed([(a, b), (length, length + 1)]),
            listed([(length, length + 1), (length + 5, length + 6)]),
            listed([(a, b), (b, top)]), listed([(a, b), (a, b)]),
            listed([(a, b), (b + 1, b + 10)]), listed(small[:16]), listed(small),
            listed(row), f"bytes=-{b + 1},{a}-{b}"))


def listed(pairs, comma=","):
    """The value of Range for pairs of first and last position."""
    return "bytes=" + comma.join(f"{a}-{b}" for a, b in pairs)
