"""Instance bundles for tests (config/bundle.h), the same bytes at every call.

The keys are known to everybody: those of RFC 6979, appendices A.2.5 and A.2.6,
and an RSA key made for this file.
"""
import hashlib
import struct

PAGE = 4096
P256, P384, RSA = 1, 2, 3

X_P256 = 0xc9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721
X_P384 = 0x6b9d3dad2e1b8c1c05b19875b6659f4de23c3b667bf297ba9aa47740787137d896d5724e4c70a825f872c9ea60d2edf5
RSA_P = int(
    "dfbfc012d07bdb82c7c8c9be9edf577dd42c8ab957add6af0bb31b8cdcc5f377"
    "856679f0d5d47f167f02148455ae2b8a8914ce5ec0438cacfd720bd7384bd3cb"
    "cc664ea53ae6178cff07fcdd5d8f56db7613c741e4bc8474a5c7d947a5ddd5bf"
    "0ef581df281be2de5f37c78bdb4be71440056812d3b651d0d265ca42e0b19621", 16)
RSA_Q = int(
    "c06e139eb952448d0d2b8fb7a66352cf93307c5a8d6fb109058faa3ab6b7293e"
    "b1673940982dd630a68104647bbde89052da1e08b6b38354fe1512f313416456"
    "01446b8658cb36542cb374e3c227966c1aee521066e4c904351c045931ad8452"
    "dabdafa61523ec9727bab9bddc85114934aa7ea620b568d961b05d894ae6bfab", 16)


def record(kind, bits, exponent, body):
    return (struct.pack("<IIII", kind, bits, exponent, 0) + body).ljust(2048, b"\0")


def ec_key(kind, bits, x):
    return record(kind, bits, 0, x.to_bytes(48, "big"))


def rsa_key(p, q, e=65537):
    d = pow(e, -1, (p - 1) * (q - 1))
    numbers = (p, q, d % (p - 1), d % (q - 1), pow(q, -1, p))
    body = b"".join(number.to_bytes(256, "big") for number in numbers)
    return record(RSA, (p * q).bit_length(), e, body + (p * q).to_bytes(512, "big"))


def pages(part):
    return part + bytes(-len(part) % PAGE)


def make(keys, settings=b"", public=b""):
    """A sound bundle; without other contents its public part names no chain."""
    public = pages(public or struct.pack("<IIII", 0, 0, 0, 0))
    secret = pages(b"".join(keys))
    header = struct.pack("<8sIIIIIIII32s", b"STELEBDL", 1, 0, PAGE, len(public),
                         PAGE + len(public), len(secret), len(keys), 0, bytes(32))
    data = (header + settings).ljust(PAGE, b"\0") + public + secret
    return data[:40] + hashlib.sha256(data).digest() + data[72:]


def keys():
    """One key of each kind."""
    return make([ec_key(P256, 256, X_P256), ec_key(P384, 384, X_P384),
                 rsa_key(RSA_P, RSA_Q)], b"from-the=bundle")


def damaged():
    """A bit of a key has flipped on the way."""
    whole = bytearray(keys())
    whole[2 * PAGE + 64] ^= 1
    return bytes(whole)


BUNDLES = {
    "keys": keys,
    "damaged": damaged,
    "poweroff": lambda: make([], b"on-crash=poweroff"),
    "huge": lambda: make([], public=bytes((1 << 20) - PAGE)),
    "one_byte": lambda: b"S",
}
