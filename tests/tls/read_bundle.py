"""A second reader of instance bundles, written from config/bundle.h alone.

It shares no code with the other readers, and is strict: whatever the format says is
asserted, down to the zeros between the parts.
"""
import hashlib
import struct
import types

PAGE = 4096
KINDS = {1: "p256", 2: "p384", 3: "rsa"}


def zero(data):
    return not any(data)


def pages(length):
    return (length + PAGE - 1) // PAGE * PAGE


class Bundle:
    """flags, settings (str), hosts, chains and keys of a bundle's bytes."""

    def __init__(self, data):
        assert len(data) >= 2 * PAGE and len(data) % PAGE == 0
        (magic, version, self.flags, public_off, public_len, secret_off, secret_len,
         key_count, reserved, digest, settings) = struct.unpack_from(
             "<8s8I32s1024s", data)
        assert (magic, version, reserved) == (b"STELEBDL", 1, 0)
        assert zero(data[8 + 32 + 32 + 1024:PAGE])
        assert public_off == PAGE and public_len >= PAGE
        assert secret_off == public_off + public_len
        assert secret_len == pages(2048 * key_count)
        assert secret_off + secret_len == len(data)
        assert hashlib.sha256(data[:40] + bytes(32) + data[72:]).digest() == digest
        assert self.flags in (0, 1)

        text = settings.split(b"\0", 1)[0]
        assert zero(settings[len(text):]) and len(text) < 1024
        self.settings = text.decode("ascii")
        assert self.settings.split() == (self.settings.split(" ") if text else [])

        self.public = data[public_off:secret_off]
        self.used = []
        secret = data[secret_off:]
        assert zero(secret[2048 * key_count:])
        self.keys = [self.key(secret[2048 * i:2048 * (i + 1)])
                     for i in range(key_count)]
        self.read_public()

    def read_public(self):
        chain_count, flags, *hosts = struct.unpack_from("<4I", self.public)
        assert flags == self.flags
        structs = 16 + 64 * chain_count
        self.used.append((0, structs))
        self.chains = [self.chain(16 + 64 * i) for i in range(chain_count)]
        self.hosts = self.names(*hosts)
        # Nothing overlaps, there are no gaps, and behind it are zeros.
        end = 0
        for off, length in sorted(self.used):
            assert off == end
            end = off + length
        assert pages(end) == len(self.public) and zero(self.public[end:])
        # Every key is some chain's.
        assert {c.key for c in self.chains} == set(range(len(self.keys)))

    def span(self, off, length):
        assert off + length <= len(self.public)
        self.used.append((off, length))
        return self.public[off:off + length]

    def names(self, off, length):
        text = self.span(off, length)
        if not text:
            return []
        assert text.endswith(b"\0")
        names = text[:-1].decode("ascii").split("\0")
        assert all(n and n == n.lower() for n in names)
        assert len(set(names)) == len(names)
        return names

    def chain(self, at):
        (key, kind, bits, cert_count, certs_off, certs_len, names_off, names_len,
         issuer_off, issuer_len, self_signed, reserved, not_before,
         not_after) = struct.unpack_from("<12I2q", self.public, at)
        assert reserved == 0 and self_signed in (0, 1)
        assert self.keys[key].kind == KINDS[kind] and self.keys[key].bits == bits
        rest = self.span(certs_off, certs_len)
        certs = []
        while rest:
            length, = struct.unpack_from("<I", rest)
            assert len(rest) >= 4 + length
            certs.append(rest[4:4 + length])
            rest = rest[4 + length:]
        assert len(certs) == cert_count >= 1
        issuer = self.span(issuer_off, issuer_len).decode("ascii")
        assert issuer.isprintable()
        return types.SimpleNamespace(
            key=key, certs=certs, names=self.names(names_off, names_len),
            issuer=issuer, self_signed=self_signed == 1, not_before=not_before,
            not_after=not_after)

    @staticmethod
    def key(record):
        kind, bits, exponent, reserved = struct.unpack_from("<4I", record)
        assert reserved == 0
        key = types.SimpleNamespace(kind=KINDS[kind], bits=bits)
        rest = record[16:]
        if key.kind != "rsa":
            assert exponent == 0 and bits == {"p256": 256, "p384": 384}[key.kind]
            key.x = int.from_bytes(rest[:48], "big")
            assert key.x > 0 and zero(rest[48:])
            return key
        assert 2048 <= bits <= 4096 and bits % 16 == 0
        key.e = exponent
        names = "p", "q", "dp", "dq", "iq"
        for i, name in enumerate(names):
            setattr(key, name, int.from_bytes(rest[256 * i:256 * (i + 1)], "big"))
        key.n = int.from_bytes(rest[1280:1792], "big")
        assert zero(rest[1792:])
        assert key.p.bit_length() == key.q.bit_length() == bits // 2
        assert key.p * key.q == key.n and key.n.bit_length() == bits
        assert key.dp * key.e % (key.p - 1) == 1 == key.dq * key.e % (key.q - 1)
        assert key.iq * key.q % key.p == 1
        return key
