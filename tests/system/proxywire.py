"""Headers of the PROXY protocol, versions 1 and 2: right ones with the client they name,
and wrong ones."""
import socket
import struct

CLIENT = "203.0.113.9"      # whom the headers name; run_ops.py lets it see the status pages
CLIENT6 = "2001:db8::9"
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def v2(command, kind, addresses, more=b""):
    return SIGNATURE + bytes((0x20 | command, kind)) + \
        struct.pack("!H", len(addresses) + len(more)) + addresses + more


def v2_tcp4(source, more=b""):
    return v2(1, 0x11, socket.inet_aton(source) + socket.inet_aton("10.0.0.1") +
              struct.pack("!HH", 4711, 80), more)


def v2_tcp6(source):
    return v2(1, 0x21, socket.inet_pton(socket.AF_INET6, source) + bytes(16) +
              struct.pack("!HH", 4711, 80))


# (header, whom it names; None: nobody, so the connection's peer counts)
GOOD = (
    (f"PROXY TCP4 {CLIENT} 10.0.0.1 4711 80\r\n".encode(), CLIENT),
    (f"PROXY TCP6 {CLIENT6} ::1 4711 80\r\n".encode(), CLIENT6),
    (f"PROXY TCP6 ::ffff:{CLIENT} ::1 4711 80\r\n".encode(), CLIENT),
    (b"PROXY UNKNOWN\r\n", None),
    (v2_tcp4(CLIENT), CLIENT),
    (v2_tcp4(CLIENT, b"\x04\0\x64" + bytes(100)), CLIENT),
    (v2_tcp6(CLIENT6), CLIENT6),
    (v2_tcp6("::ffff:" + CLIENT), CLIENT),
    (v2(0, 0, b""), None),
    (v2(1, 0x31, bytes(216)), None),
)

BAD = (
    b"GET / HTTP/1.1\r\nHost: stele.test\r\n\r\n",
    b"PROXY TCP4 1.1.1.1 1.1.1.1 1\r\n",
    b"PROXY TCP4 1.1.1.1 1.1.1.1 1 65536\r\n",
    b"PROXY TCP4 01.1.1.1 1.1.1.1 1 1\r\n",
    b"PROXY TCP4 1.1.1.1 1.1.1.1 1 1\n",
    b"PROXY UNKNOWN " + b"x" * 100 + b"\r\n",
    b"\x16\x03\x01\x02\x00",
    SIGNATURE + b"\x31\x11\0\x0c" + bytes(12),
    SIGNATURE + b"\x22\x11\0\x0c" + bytes(12),
    SIGNATURE + b"\x21\x11\0\x0b" + bytes(12),
    SIGNATURE + b"\x21\x41\0\x0c" + bytes(12),
    SIGNATURE + b"\x21\x11\xff\xff",
)
