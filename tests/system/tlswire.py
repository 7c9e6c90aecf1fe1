"""A TLS 1.2 client that can say anything, at any time.

    with tlswire.Wire(address, name="stele.test") as wire:
        wire.shake_hands()
        wire.send(DATA, b"GET / HTTP/1.1\\r\\nHost: stele.test\\r\\n\\r\\n")
        kind, payload = wire.receive()

Just enough of RFC 5246 to come as far as a test wants to: X25519 (RFC 7748) with
ChaCha20-Poly1305 (RFC 8439, RFC 7905), in plain Python.  It checks the server's
Finished and every record, but no certificate: whether the server is who it says,
other clients test.  Every step is a method of its own, so that a case can leave
one out, double it, or say something else.
"""
import hashlib
import hmac
import os
import struct

import vm

CCS, ALERT, HANDSHAKE, DATA = 20, 21, 22, 23
(HELLO_REQUEST, CLIENT_HELLO, SERVER_HELLO, CERTIFICATE, KEY_EXCHANGE,
 CERTIFICATE_REQUEST, HELLO_DONE, CERTIFICATE_VERIFY, CLIENT_KEY, FINISHED) = (
     0, 1, 2, 11, 12, 13, 14, 15, 16, 20)
WARNING, FATAL = 1, 2
CLOSE_NOTIFY, UNEXPECTED_MESSAGE, BAD_RECORD_MAC, RECORD_OVERFLOW = 0, 10, 20, 22
HANDSHAKE_FAILURE, ILLEGAL_PARAMETER, DECODE_ERROR, DECRYPT_ERROR = 40, 47, 50, 51
PROTOCOL_VERSION, INTERNAL_ERROR, INAPPROPRIATE_FALLBACK = 70, 80, 86
NO_RENEGOTIATION, UNRECOGNIZED_NAME, NO_APPLICATION_PROTOCOL = 100, 112, 120
TLS12 = 0x0303
ECDSA_CHACHA, RSA_CHACHA = 0xcca9, 0xcca8
FALLBACK_SCSV, RENEGOTIATION_SCSV = 0x5600, 0x00ff
PLAIN_MAX = 16384


# ---- Primitives --------------------------------------------------------------------

P25519 = 2**255 - 19


def x25519(scalar, point):
    """RFC 7748, section 5."""
    k = int.from_bytes(scalar, "little") & ~7 & ~(1 << 255) | 1 << 254
    u = int.from_bytes(point, "little") & ~(1 << 255)
    x2, z2, x3, z3, swap = 1, 0, u, 1, 0
    for t in range(254, -1, -1):
        bit = k >> t & 1
        if swap ^ bit:
            x2, x3, z2, z3 = x3, x2, z3, z2
        swap = bit
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        aa, bb, da, cb = a * a, b * b, d * a, c * b
        e = aa - bb
        x3, z3 = (da + cb)**2 % P25519, u * (da - cb)**2 % P25519
        x2, z2 = aa * bb % P25519, e * (aa + 121665 * e) % P25519
    if swap:
        x2, z2 = x3, z3
    return (x2 * pow(z2, P25519 - 2, P25519) % P25519).to_bytes(32, "little")


def chacha20_block(key, counter, nonce):
    """RFC 8439, section 2.3."""
    start = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574,
             *struct.unpack("<8I", key), counter, *struct.unpack("<3I", nonce)]
    s = list(start)
    for _ in range(10):
        for a, b, c, d in ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14),
                           (3, 7, 11, 15), (0, 5, 10, 15), (1, 6, 11, 12),
                           (2, 7, 8, 13), (3, 4, 9, 14)):
            for p, q, r, left in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8),
                                  (c, d, b, 7)):
                s[p] = (s[p] + s[q]) & 0xffffffff
                v = s[r] ^ s[p]
                s[r] = (v << left | v >> (32 - left)) & 0xffffffff
    return struct.pack("<16I", *((x + y) & 0xffffffff for x, y in zip(s, start)))


def chacha20(key, nonce, data):
    stream = b"".join(chacha20_block(key, 1 + i, nonce)
                      for i in range((len(data) + 63) // 64))
    return bytes(a ^ b for a, b in zip(data, stream))


def poly1305(key, message):
    """RFC 8439, section 2.5."""
    r = int.from_bytes(key[:16], "little") & 0x0ffffffc0ffffffc0ffffffc0fffffff
    total = 0
    for i in range(0, len(message), 16):
        block = message[i:i + 16] + b"\1"
        total = (total + int.from_bytes(block, "little")) * r % (2**130 - 5)
    total += int.from_bytes(key[16:], "little")
    return (total % 2**128).to_bytes(16, "little")


def tag_of(key, nonce, extra, sealed):
    """RFC 8439, section 2.8."""
    def pad(data):
        return data + bytes(-len(data) % 16)
    return poly1305(chacha20_block(key, 0, nonce)[:32], pad(extra) + pad(sealed) +
                    struct.pack("<QQ", len(extra), len(sealed)))


def prf(secret, label, seed, length):
    """RFC 5246, section 5, with SHA-256."""
    def mac(data):
        return hmac.digest(secret, data, "sha256")
    a, out = label + seed, b""
    while len(out) < length:
        a = mac(a)
        out += mac(a + label + seed)
    return out[:length]


class Protection:
    """One direction's keys (RFC 7905, section 2)."""

    def __init__(self, key, iv):
        self.key, self.iv, self.seq = key, iv, 0

    def _next(self, kind, version, length):
        number = struct.pack("!Q", self.seq)
        nonce = bytes(a ^ b for a, b in zip(self.iv, bytes(4) + number))
        self.seq += 1
        return nonce, number + struct.pack("!BHH", kind, version, length)

    def seal(self, kind, version, plain):
        nonce, extra = self._next(kind, version, len(plain))
        sealed = chacha20(self.key, nonce, plain)
        return sealed + tag_of(self.key, nonce, extra, sealed)

    def open(self, kind, version, payload):
        sealed, tag = payload[:-16], payload[-16:]
        nonce, extra = self._next(kind, version, len(sealed))
        assert tag == tag_of(self.key, nonce, extra, sealed), "wrong MAC from the server"
        return chacha20(self.key, nonce, sealed)


# ---- Messages ----------------------------------------------------------------------

def vector(size, data):
    return len(data).to_bytes(size, "big") + data


def record(kind, payload, version=TLS12, length=None):
    return struct.pack("!BHH", kind, version,
                       len(payload) if length is None else length) + payload


def message(kind, body):
    return bytes([kind]) + vector(3, body)


def extension(kind, body):
    return struct.pack("!H", kind) + vector(2, body)


def server_name(name):
    return extension(0, vector(2, b"\0" + vector(2, name.encode())))


# The second is never chosen, but the server's certificate may be on it.
GROUPS = extension(10, vector(2, b"\x00\x1d\x00\x17"))
POINTS = extension(11, b"\1\0")
SIGNATURES = extension(13, vector(2, bytes.fromhex("0403 0503 0603 0401 0501 0601")))


def hello(name="stele.test", suites=(ECDSA_CHACHA, RSA_CHACHA, RENEGOTIATION_SCSV),
          version=TLS12, random=None, session=b"", compressions=b"\0", more=b"",
          extensions=None, tail=b""):
    """The body of a ClientHello; what can be wrong on purpose is a keyword."""
    if extensions is None:
        extensions = server_name(name) + GROUPS + POINTS + SIGNATURES + more
    return (struct.pack("!H", version) + (random or os.urandom(32)) +
            vector(1, session) +
            vector(2, b"".join(struct.pack("!H", s) for s in suites)) +
            vector(1, compressions) + vector(2, extensions) + tail)


class Closed(Exception):
    """The server has closed the connection; `how` is "FIN" or "RST"."""

    def __init__(self, how):
        super().__init__(f"closed by {how}")
        self.how = how


class Alerted(AssertionError):
    """An alert came where the handshake should have gone on; `what` are its bytes."""

    def __init__(self, what):
        super().__init__(f"alert {tuple(what)} in the handshake")
        self.what = what


class Wire:
    """A connection, and how far its handshake is."""

    def __init__(self, address, name="stele.test", port=443, timeout=10):
        self.socket = vm.connect(address, port, timeout)
        self.name = name
        self.buffer = self.messages = self.transcript = b""
        self.reading = self.writing = None

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.socket.close()

    # -- Records --

    def send_raw(self, data):
        """Bytes as they are; a connection that is already closed swallows them."""
        try:
            self.socket.sendall(data)
        except (ConnectionError, BrokenPipeError):
            pass

    def sealed(self, kind, payload, version=TLS12):
        """The bytes of a record, protected if that has begun."""
        if self.writing:
            payload = self.writing.seal(kind, version, payload)
        return record(kind, payload, version)

    def send(self, kind, payload, version=TLS12):
        self.send_raw(self.sealed(kind, payload, version))

    def _take(self, count):
        while len(self.buffer) < count:
            try:
                data = self.socket.recv(65536)
            except ConnectionError:
                raise Closed("RST") from None
            if not data:
                assert not self.buffer, f"a record was cut short: {self.buffer[:20]}"
                raise Closed("FIN")
            self.buffer += data
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def receive(self):
        """The next record: (type, payload), opened if it is protected."""
        kind, version, length = struct.unpack("!BHH", self._take(5))
        assert kind in (CCS, ALERT, HANDSHAKE, DATA) and (
            version == TLS12 or version >> 8 == 3 and not self.reading), \
            f"a record of type {kind}, version {version:#06x}"
        assert length <= PLAIN_MAX + 2048, f"a record of {length} bytes"
        payload = self._take(length)
        if self.reading:
            payload = self.reading.open(kind, version, payload)
        assert len(payload) <= PLAIN_MAX
        if kind == CCS:
            self.reading = self.server_keys
        return kind, payload

    # -- Handshake --

    def note(self, data):
        """Part of the handshake's transcript."""
        self.transcript += data
        return data

    def send_message(self, kind, body):
        self.send(HANDSHAKE, self.note(message(kind, body)))

    def receive_message(self):
        """The next handshake message: (type, body)."""
        while len(self.messages) < 4 or \
                len(self.messages) < 4 + int.from_bytes(self.messages[1:4], "big"):
            kind, payload = self.receive()
            if kind == ALERT:
                raise Alerted(payload)
            assert kind in (HANDSHAKE, CCS), f"type {kind} in the handshake"
            if kind == HANDSHAKE:
                self.messages += payload
        length = 4 + int.from_bytes(self.messages[1:4], "big")
        whole, self.messages = self.messages[:length], self.messages[length:]
        if whole[0] != FINISHED:
            self.note(whole)
        return whole[0], whole[4:]

    def start(self, body=None):
        """Send a ClientHello (body: of one's own making)."""
        body = body or hello(self.name)
        self.client_random = body[2:34]
        self.send_message(CLIENT_HELLO, body)

    def take_flight(self):
        """The server's first flight: ServerHello to ServerHelloDone."""
        kind, body = self.receive_message()
        assert kind == SERVER_HELLO, f"message {kind} in place of ServerHello"
        self.server_hello = body
        self.server_random = body[2:34]
        self.session = body[35:35 + body[34]]
        self.suite, = struct.unpack_from("!H", body, 35 + body[34])
        self.certificate = self.receive_message()
        kind, body = self.receive_message()
        assert kind == KEY_EXCHANGE and body[:4] == b"\x03\x00\x1d\x20", body[:4]
        self.server_point = body[4:36]
        assert self.receive_message() == (HELLO_DONE, b"")

    def client_key(self, point=None):
        """The body of an honest ClientKeyExchange; sets the keys."""
        scalar = os.urandom(32)
        base = (9).to_bytes(32, "little")
        self._set_keys(x25519(scalar, self.server_point))
        return vector(1, point or x25519(scalar, base))

    def _set_keys(self, premaster):
        self.master = prf(premaster, b"master secret",
                          self.client_random + self.server_random, 48)
        block = prf(self.master, b"key expansion",
                    self.server_random + self.client_random, 88)
        self.client_keys = Protection(block[:32], block[64:76])
        self.server_keys = Protection(block[32:64], block[76:88])

    def verify_data(self, label):
        return prf(self.master, label,
                   hashlib.sha256(self.transcript).digest(), 12)

    def send_key(self):
        self.send_message(CLIENT_KEY, self.client_key())

    def send_ccs(self):
        self.send(CCS, b"\1")
        self.writing = self.client_keys

    def send_finished(self):
        self.send_message(FINISHED, self.verify_data(b"client finished"))

    def take_finished(self):
        wanted = self.verify_data(b"server finished")
        kind, body = self.receive_message()
        assert kind == FINISHED and body == wanted, "the server's Finished is wrong"

    def come_to(self, state):
        """Go on as far as a state of STATES."""
        for name in STATES[1:STATES.index(state) + 1]:
            STEPS[name](self)

    def come_on(self, state):
        """The same, for a case that said hello itself."""
        for name in STATES[2:STATES.index(state) + 1]:
            STEPS[name](self)

    def shake_hands(self):
        self.come_to("done")
        return self

    # -- After it --

    def end(self):
        """What the server still says: ([(type, payload)...], "FIN" or "RST")."""
        records = []
        while True:
            try:
                records.append(self.receive())
            except Closed as closed:
                return records, closed.how

    def last_alert(self):
        """The alert that the server ends the connection with, or None."""
        records, _ = self.end()
        alerts = [tuple(payload) for kind, payload in records if kind == ALERT]
        assert len(alerts) <= 1, f"alerts {alerts}"
        if not alerts:
            return None
        assert records[-1][0] == ALERT, "more came after the alert"
        return alerts[0]


# How far a handshake is, seen from the client.
STATES = ("connected", "hello sent", "flight taken", "key sent", "ccs sent",
          "finished sent", "done")
STEPS = {
    "hello sent": Wire.start,
    "flight taken": Wire.take_flight,
    "key sent": Wire.send_key,
    "ccs sent": Wire.send_ccs,
    "finished sent": Wire.send_finished,
    "done": Wire.take_finished,
}
