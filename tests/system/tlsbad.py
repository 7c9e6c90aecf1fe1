"""What can be said wrongly to a TLS server, where in a handshake, and which alerts fit.

RFC 5246 where nothing else is said; alerts: section 7.2.2.  A table per place; each
line is a name, what is said (bytes, or a function of the wire), and the alerts.
"""
import random

import tlswire
from tlswire import (
    ALERT, BAD_RECORD_MAC, CCS, CERTIFICATE, CERTIFICATE_VERIFY, CLIENT_HELLO,
    CLIENT_KEY, CLOSE_NOTIFY, DATA, DECODE_ERROR, DECRYPT_ERROR, ECDSA_CHACHA,
    FALLBACK_SCSV, FATAL, FINISHED, HANDSHAKE, HANDSHAKE_FAILURE, HELLO_DONE,
    HELLO_REQUEST, ILLEGAL_PARAMETER, INAPPROPRIATE_FALLBACK, KEY_EXCHANGE,
    NO_APPLICATION_PROTOCOL, PROTOCOL_VERSION, RECORD_OVERFLOW, SERVER_HELLO,
    UNEXPECTED_MESSAGE, WARNING, extension, hello, message, record, vector)

REQUEST = b"GET / HTTP/1.1\r\nHost: stele.test\r\n\r\n"


class Bad:
    """One thing to say: bytes, or a function of the wire; and the alerts that fit it.

    alerts   fatal ones: one, or several where the RFCs leave a choice; None: closed in
             silence; CLOSE_NOTIFY: that
    """

    def __init__(self, name, state, what, *alerts):
        self.name, self.state, self.what = name, state, what
        self.alerts = [a if a is None else (FATAL if a else WARNING, a) for a in alerts]

    def try_it(self, address):
        with tlswire.Wire(address) as wire:
            wire.come_to(self.state)
            if callable(self.what):
                self.what(wire)
            else:
                wire.send_raw(self.what)
            alert = wire.last_alert()
        assert alert in self.alerts, f"{self.name}: {alert}, not {self.alerts}"


def client_hello(*more, **words):
    return record(HANDSHAKE, message(CLIENT_HELLO, hello(*more, **words)))


def says(kind, body):
    return lambda wire: wire.send(kind, body)


def says_message(kind, body):
    return lambda wire: wire.send_message(kind, body)


GARBAGE = random.Random(1).randbytes(300)
SSL2_HELLO = bytes.fromhex("802e0100020015000000100100800300800700c0060040020080") + \
    bytes(20)

# What is not a record of TLS; to be tried in every state.
BROKEN_RECORDS = (
    ("unknown type 24", record(24, b"\1\0\1\0"), UNEXPECTED_MESSAGE),
    ("type 0", record(0, b"\0" * 20), UNEXPECTED_MESSAGE),
    ("type 255", record(255, b"\0" * 20), UNEXPECTED_MESSAGE),
    ("version 2.0", record(HANDSHAKE, bytes(40), version=0x0200), PROTOCOL_VERSION),
    ("version 4.0", record(HANDSHAKE, bytes(40), version=0x0400), PROTOCOL_VERSION),
    ("too long by one", record(HANDSHAKE, bytes(30), length=16384 + 2049),
     RECORD_OVERFLOW),
    ("as long as can be said", record(HANDSHAKE, bytes(30), length=65535),
     RECORD_OVERFLOW),
)

# To be said in every state, protected where that has begun.
ALERTS = (
    ("handshake_failure", says(ALERT, bytes([FATAL, HANDSHAKE_FAILURE])), None),
    ("an unknown fatal alert", says(ALERT, b"\2\xfe"), None),
    # Section 7.2.1: answered.
    ("close_notify", says(ALERT, bytes([WARNING, CLOSE_NOTIFY])), CLOSE_NOTIFY),
)

FIRST_BYTES = (
    ("garbage", b"\xff" + GARBAGE, UNEXPECTED_MESSAGE),
    # Appendix E.2: SSL 2.0 hellos need not be understood.
    ("SSL 2.0", SSL2_HELLO, UNEXPECTED_MESSAGE, PROTOCOL_VERSION),
    ("application data first", record(DATA, b"GET"), UNEXPECTED_MESSAGE),
    ("ChangeCipherSpec first", record(CCS, b"\1"), UNEXPECTED_MESSAGE),
    # Section 6.2.1: no empty fragments of these types.
    ("an empty handshake record", record(HANDSHAKE, b""), UNEXPECTED_MESSAGE,
     DECODE_ERROR),
    ("an empty alert", record(ALERT, b""), UNEXPECTED_MESSAGE, DECODE_ERROR),
    ("plain text of 16385 bytes", record(HANDSHAKE, bytes(16385)), RECORD_OVERFLOW),
    ("an alert of level 3", record(ALERT, b"\3\x28"), None, ILLEGAL_PARAMETER),
)

FIRST_MESSAGES = tuple(
    (f"message {kind} first", record(HANDSHAKE, message(kind, bytes(length))),
     UNEXPECTED_MESSAGE)
    for kind, length in (
        (HELLO_REQUEST, 0), (SERVER_HELLO, 40), (CERTIFICATE, 40), (KEY_EXCHANGE, 40),
        (HELLO_DONE, 0), (CERTIFICATE_VERIFY, 40), (CLIENT_KEY, 33), (FINISHED, 12),
        (99, 40)))

ALPN_H2 = extension(16, vector(2, b"\2h2"))
HELLOS = (
    ("version 1.0", client_hello(version=0x0301), PROTOCOL_VERSION),
    ("version 1.1", client_hello(version=0x0302), PROTOCOL_VERSION),
    ("version SSL 3.0", client_hello(version=0x0300), PROTOCOL_VERSION),
    ("version 2.0", client_hello(version=0x0200), PROTOCOL_VERSION),
    ("version 0", client_hello(version=0), PROTOCOL_VERSION),
    # RFC 7507, section 3: protocol_version may come first.
    ("a downgrade", client_hello(version=0x0302, suites=(ECDSA_CHACHA, FALLBACK_SCSV)),
     PROTOCOL_VERSION, INAPPROPRIATE_FALLBACK),
    ("no suite of ours", client_hello(suites=(0x002f, 0x009c)), HANDSHAKE_FAILURE),
    ("no suite at all", client_hello(suites=()), DECODE_ERROR, HANDSHAKE_FAILURE,
     ILLEGAL_PARAMETER),
    # Section 7.4.1.2: null has to be among them.
    ("compression only", client_hello(compressions=b"\1"), ILLEGAL_PARAMETER,
     HANDSHAKE_FAILURE, DECODE_ERROR),
    ("no compression method", client_hello(compressions=b""), DECODE_ERROR,
     ILLEGAL_PARAMETER, HANDSHAKE_FAILURE),
    ("no curve of ours", client_hello(extensions=tlswire.SIGNATURES + extension(
        10, vector(2, b"\0\x19"))), HANDSHAKE_FAILURE),
    ("no hash of ours", client_hello(extensions=tlswire.GROUPS + extension(
        13, vector(2, b"\1\1\2\1\2\3"))), HANDSHAKE_FAILURE),
    ("h2 only", client_hello(more=ALPN_H2), NO_APPLICATION_PROTOCOL),
    # RFC 5746, section 3.6.
    ("renegotiation_info of another connection", client_hello(more=extension(
        0xff01, vector(1, bytes(12)))), HANDSHAKE_FAILURE),
    ("bytes behind the extensions", client_hello(tail=b"\0"), DECODE_ERROR),
    ("a session id of 33 bytes", client_hello(session=bytes(33)), DECODE_ERROR,
     ILLEGAL_PARAMETER),
    ("an odd number of suite bytes", record(HANDSHAKE, message(CLIENT_HELLO, (
        b"\3\3" + bytes(32) + b"\0" + vector(2, b"\xcc\xa9\0") + b"\1\0"))),
     DECODE_ERROR),
    ("an extension longer than all of them", client_hello(
        extensions=b"\0\0\0\x40" + bytes(8)), DECODE_ERROR),
    ("extensions longer than the message", record(HANDSHAKE, message(
        CLIENT_HELLO, hello(extensions=b"")[:-2] + b"\0\x10" + bytes(8))),
     DECODE_ERROR),
    ("a name longer than its list", client_hello(
        extensions=extension(0, b"\0\x05\0\0\x40abcd")), DECODE_ERROR),
    ("protocols longer than their list", client_hello(
        more=extension(16, b"\0\x03\x08h2")), DECODE_ERROR),
    ("a hello cut short", record(HANDSHAKE, message(CLIENT_HELLO, hello()[:20])),
     DECODE_ERROR),
    ("an empty hello", record(HANDSHAKE, message(CLIENT_HELLO, b"")), DECODE_ERROR),
    ("two hellos", client_hello() * 2, UNEXPECTED_MESSAGE),
    ("a hello and more in its record", record(
        HANDSHAKE, message(CLIENT_HELLO, hello()) + message(CLIENT_HELLO, hello())),
     UNEXPECTED_MESSAGE),
)


def long_hello(length):
    """A hello of so many bytes, in whole records: unknown extensions fill it."""
    missing = length - len(hello()) - 4
    more = b""
    while missing > 0:
        more += extension(0x5a5a + len(more) % 999, bytes(min(missing, 16384) - 4))
        missing -= 16384
    whole = message(CLIENT_HELLO, hello(more=more)[:length])
    return b"".join(record(HANDSHAKE, whole[at:at + 16384])
                    for at in range(0, len(whole), 16384))


def endless_hello(length):
    """Its length field says 16 MiB, and it keeps coming."""
    return record(HANDSHAKE, b"\1\xff\xff\xff" + bytes(16380)) + b"".join(
        record(HANDSHAKE, bytes(16384)) for _ in range(length // 16384))


# In the middle of a handshake.  After "flight taken" the client is next.
def wrong_finished(wire):
    wire.send_message(FINISHED, bytes(12))


def finished_of_other_length(wire):
    wire.send_message(FINISHED, wire.verify_data(b"client finished") + b"\0")


def damaged_finished(wire):
    data = bytearray(wire.sealed(HANDSHAKE, wire.note(
        message(FINISHED, wire.verify_data(b"client finished")))))
    data[-1] ^= 1
    wire.send_raw(bytes(data))


def finished_then_junk(wire):
    whole = message(FINISHED, wire.verify_data(b"client finished"))
    wire.send(HANDSHAKE, whole + message(CLIENT_HELLO, b""))


def key_with_point(point):
    return lambda wire: wire.send_message(CLIENT_KEY, wire.client_key(point))


def part_of_a_message_then_ccs(wire):
    wire.send(HANDSHAKE, message(FINISHED, bytes(12))[:5])
    wire.send_ccs()
    wire.send_finished()


def key_and_part_of_a_message_then_ccs(wire):
    wire.send(HANDSHAKE, wire.note(message(CLIENT_KEY, wire.client_key())) + b"\x14\0")
    wire.send_ccs()
    wire.send_finished()


MIDDLE = (
    ("flight taken", "a second hello", says_message(CLIENT_HELLO, hello()),
     UNEXPECTED_MESSAGE),
    ("flight taken", "HelloRequest", says_message(HELLO_REQUEST, b""),
     UNEXPECTED_MESSAGE),
    ("flight taken", "CCS before the key", says(CCS, b"\1"), UNEXPECTED_MESSAGE),
    ("flight taken", "Finished before the key", says_message(FINISHED, bytes(12)),
     UNEXPECTED_MESSAGE),
    ("flight taken", "data before the key", says(DATA, REQUEST), UNEXPECTED_MESSAGE),
    ("flight taken", "a certificate nobody asked for", says_message(
        CERTIFICATE, b"\0\0\0"), UNEXPECTED_MESSAGE),
    ("flight taken", "a key of no bytes", says_message(CLIENT_KEY, b""), DECODE_ERROR),
    ("flight taken", "a key longer than its message", says_message(
        CLIENT_KEY, b"\x20" + bytes(31)), DECODE_ERROR),
    ("flight taken", "a key shorter than its message", says_message(
        CLIENT_KEY, b"\x1f" + bytes(32)), DECODE_ERROR, ILLEGAL_PARAMETER),
    # RFC 8422, section 5.11 (X25519 of 31 bytes is no point; an all-zero result
    # must end the handshake).
    ("flight taken", "a point of 31 bytes", key_with_point(bytes(31)),
     ILLEGAL_PARAMETER, DECODE_ERROR),
    ("flight taken", "a point that gives zero", lambda wire: (
        key_with_point(bytes(32))(wire), wire.send_ccs(), wire.send_finished()),
     ILLEGAL_PARAMETER, HANDSHAKE_FAILURE, BAD_RECORD_MAC),
    ("flight taken", "part of a message, then CCS", lambda wire: (
        wire.client_key(), part_of_a_message_then_ccs(wire)), UNEXPECTED_MESSAGE),
    ("flight taken", "CCS within a message", key_and_part_of_a_message_then_ccs,
     UNEXPECTED_MESSAGE),
    ("key sent", "Finished in the clear", lambda wire: wire.send_finished(),
     UNEXPECTED_MESSAGE),
    ("key sent", "the key again", says_message(CLIENT_KEY, vector(1, bytes(32))),
     UNEXPECTED_MESSAGE),
    ("key sent", "CCS of two bytes", says(CCS, b"\1\1"), UNEXPECTED_MESSAGE,
     DECODE_ERROR, ILLEGAL_PARAMETER),
    ("key sent", "CCS that says 2", says(CCS, b"\2"), UNEXPECTED_MESSAGE,
     DECODE_ERROR, ILLEGAL_PARAMETER),
    ("key sent", "data in the clear", says(DATA, REQUEST), UNEXPECTED_MESSAGE),
    ("ccs sent", "junk after CCS", lambda wire: wire.send_raw(
        record(HANDSHAKE, GARBAGE[:40])), BAD_RECORD_MAC),
    ("ccs sent", "a record too short to be sealed", lambda wire: wire.send_raw(
        record(HANDSHAKE, bytes(15))), BAD_RECORD_MAC),
    ("ccs sent", "data before Finished", says(DATA, REQUEST), UNEXPECTED_MESSAGE),
    ("ccs sent", "a second CCS, sealed", says(CCS, b"\1"), UNEXPECTED_MESSAGE),
    ("ccs sent", "a hello in place of Finished", says_message(CLIENT_HELLO, hello()),
     UNEXPECTED_MESSAGE),
    ("ccs sent", "a wrong Finished", wrong_finished, DECRYPT_ERROR),
    ("ccs sent", "a Finished of 13 bytes", finished_of_other_length, DECODE_ERROR,
     DECRYPT_ERROR),
    ("ccs sent", "a damaged Finished", damaged_finished, BAD_RECORD_MAC),
    ("ccs sent", "more behind Finished", finished_then_junk, UNEXPECTED_MESSAGE),
)


# After the handshake.
def damaged_data(at):
    def say(wire):
        data = bytearray(wire.sealed(DATA, REQUEST))
        data[at] ^= 0x40
        wire.send_raw(bytes(data))
    return say


def the_same_twice(wire):
    data = wire.sealed(DATA, b"GET / HTTP/1.1\r\n")
    wire.send_raw(data + data)


def two_swapped(wire):
    first, second = wire.sealed(DATA, b"GET / "), wire.sealed(DATA, b"HTTP/1.1\r\n")
    wire.send_raw(second + first)


def type_changed(wire):
    data = bytearray(wire.sealed(DATA, REQUEST))
    data[0] = HANDSHAKE
    wire.send_raw(bytes(data))


AFTER = (
    ("one bit of the data", damaged_data(8), BAD_RECORD_MAC),
    ("one bit of the tag", damaged_data(-1), BAD_RECORD_MAC),
    ("another type", type_changed, BAD_RECORD_MAC),
    ("a record twice", the_same_twice, BAD_RECORD_MAC),
    ("two records swapped", two_swapped, BAD_RECORD_MAC),
    ("no tag", lambda wire: wire.send_raw(record(DATA, b"")), BAD_RECORD_MAC),
    ("half a tag", lambda wire: wire.send_raw(record(DATA, bytes(8))), BAD_RECORD_MAC),
    ("plain text of 16385 bytes", says(DATA, bytes(16385)), RECORD_OVERFLOW),
    ("CCS", says(CCS, b"\1"), UNEXPECTED_MESSAGE),
    ("CCS in the clear", lambda wire: wire.send_raw(record(CCS, b"\1")),
     BAD_RECORD_MAC, UNEXPECTED_MESSAGE),
    ("a message nobody expects", says_message(CLIENT_KEY, bytes(33)),
     UNEXPECTED_MESSAGE),
    ("an alert of one byte", says(ALERT, b"\1"), DECODE_ERROR, UNEXPECTED_MESSAGE),
    ("an empty alert", says(ALERT, b""), DECODE_ERROR, UNEXPECTED_MESSAGE),
)
