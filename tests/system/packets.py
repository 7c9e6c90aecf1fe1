"""Frames built by hand, and a TCP client that does what no kernel would.

Everything goes out of a packet socket on the server's tap.  Each builder takes and
returns bytes; addresses are packed.  What can be wrong on purpose is a keyword.
"""
import select
import socket
import struct
import time

FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32
IPV4, ARP, IPV6 = 0x0800, 0x0806, 0x86dd
ALL_NODES = socket.inet_pton(socket.AF_INET6, "ff02::1")


def packed_mac(text):
    return bytes.fromhex(text.replace(":", ""))


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ipv4(src, dst, proto, payload, frag=0x4000, options=b"", total=None,
         version=4, wrong=0):
    words = 5 + len(options) // 4
    if total is None:
        total = words * 4 + len(payload)
    head = struct.pack("!BBHHHBBH4s4s", version << 4 | words, 0, total, 0, frag,
                       64, proto, 0, src, dst) + options
    return (head[:10] + struct.pack("!H", checksum(head) ^ wrong) + head[12:]
            + payload)


def ipv6(src, dst, following, payload, length=None, hops=64):
    if length is None:
        length = len(payload)
    return struct.pack("!IHBB16s16s", 6 << 28, length, following, hops,
                       src, dst) + payload


def transport_checksum(src, dst, proto, data):
    pseudo = src + dst + (struct.pack("!HH", proto, len(data)) if len(src) == 4
                          else struct.pack("!II", len(data), proto))
    return checksum(pseudo + data)


def tcp(src, dst, src_port, dst_port, seq, ack, flags, window=65535, options=b"",
        data=b"", urgent=0, words=None, wrong=0):
    if words is None:
        words = 5 + len(options) // 4
    head = struct.pack("!HHIIBBHHH", src_port, dst_port, seq % 2**32, ack % 2**32,
                       words << 4, flags, window, 0, urgent) + options
    total = transport_checksum(src, dst, 6, head + data) ^ wrong
    return head[:16] + struct.pack("!H", total) + head[18:] + data


def udp(src, dst, src_port, dst_port, data):
    head = struct.pack("!HHHH", src_port, dst_port, 8 + len(data), 0)
    return (head[:6] + struct.pack("!H", transport_checksum(
        src, dst, 17, head + data) or 0xffff) + data)


def icmp(kind, code, rest):
    head = struct.pack("!BBH", kind, code, 0)
    return head[:2] + struct.pack("!H", checksum(head + rest)) + rest


def icmpv6(src, dst, kind, code, rest):
    head = struct.pack("!BBH", kind, code, 0)
    return (head[:2] + struct.pack("!H", transport_checksum(
        src, dst, 58, head + rest)) + rest)


class Wire:
    """A packet socket on a tap; receives only if asked to."""

    def __init__(self, tap, receive=False):
        self.server_mac = packed_mac(tap.mac)
        self.own_mac = packed_mac(tap.router_mac)
        self.server4 = socket.inet_aton(tap.ipv4)
        self.own4 = socket.inet_aton(tap.gateway)
        self.server6 = socket.inet_pton(socket.AF_INET6, tap.ipv6)
        self.own6 = socket.inet_pton(socket.AF_INET6, tap.prefix + "1")
        every_protocol = 3 if receive else 0    # ETH_P_ALL
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                                    socket.htons(every_protocol))
        self.socket.bind((tap.name, every_protocol))

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.socket.close()

    def frame(self, data):
        while True:
            try:
                self.socket.send(data)
                return
            except (BlockingIOError, OSError) as error:
                if error.errno not in (11, 105):    # the tap's queue is full
                    raise
                time.sleep(0.001)

    def send(self, kind, payload, src=None, dst=None):
        self.frame((dst or self.server_mac) + (src or self.own_mac)
                   + struct.pack("!H", kind) + payload)

    def arp(self, op, sender_mac, sender, target_mac, target, dst=None):
        self.send(ARP, struct.pack("!HHBBH6s4s6s4s", 1, IPV4, 6, 4, op, sender_mac,
                                   sender, target_mac, target), sender_mac, dst)


class RawTcp:
    """A client with an address of its own on the link; needs Wire(receive=True)."""

    def __init__(self, wire, host, port=40000):
        self.wire = wire
        self.src, self.port = wire.server4[:3] + bytes([host]), port
        self.mac = b"\x52\x54\x00\x99\x00" + bytes([host])
        self.seq, self.ack = 1000000 * host, 0
        self.ended = self.reset = False
        self.longest = self.segments = 0
        wire.arp(1, self.mac, self.src, bytes(6), wire.server4)

    def send(self, flags, data=b"", at=None, **words):
        """At a sequence number: nothing is counted as sent."""
        seq = self.seq if at is None else at
        self.wire.send(IPV4, ipv4(self.src, self.wire.server4, 6, tcp(
            self.src, self.wire.server4, self.port, 80, seq, self.ack, flags,
            data=data, **words)), src=self.mac)
        if at is None:
            self.seq += len(data) + bool(flags & (SYN | FIN))

    def receive(self, seconds):
        """The next segment: (seq, flags, data), or None."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if not select.select([self.wire.socket], [], [], left)[0]:
                return None
            frame = self.wire.socket.recv(70000)
            if frame[12:14] == b"\x08\x06" and frame[38:42] == self.src:
                self.wire.arp(2, self.mac, self.src, self.wire.server_mac,
                              self.wire.server4)
            if (frame[12:14] != b"\x08\x00" or frame[23] != 6 or
                    frame[30:34] != self.src or frame[26:30] != self.wire.server4):
                continue
            segment = frame[34:14 + int.from_bytes(frame[16:18], "big")]
            _, port, seq, _, words, flags = struct.unpack("!HHIIBB", segment[:14])
            if port != self.port:
                continue
            data = segment[4 * (words >> 4):]
            self.segments += 1
            self.longest = max(self.longest, len(data))
            return seq, flags, data
        return None

    def connect(self, options=b"", window=65535):
        self.send(SYN, options=options, window=window)
        answer = self.receive(3)
        assert answer and answer[1] & SYN, f"no handshake: {answer}"
        self.ack = answer[0] + 1
        self.send(ACK, window=window)

    def take(self, seconds, enough, window=65535):
        """Acknowledge what comes until there is enough; returns the bytes."""
        got = b""
        end = time.monotonic() + seconds
        while len(got) < enough and not self.ended:
            answer = self.receive(end - time.monotonic())
            if answer is None:
                break
            seq, flags, data = answer
            if flags & RST:
                self.reset = self.ended = True
                break
            old = (self.ack - seq) % 2**32
            if old < 2**31 and old <= len(data):
                got += data[old:]
                self.ended = bool(flags & FIN)
                self.ack += len(data) - old + self.ended
            self.send(ACK, window=window)
        return got
