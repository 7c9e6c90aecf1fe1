"""What the tests of mkinstance share: running it, and the words openssl has for things."""
import calendar
import hashlib
import os
import stat
import subprocess
import time

import pytest
from certmaker import numbers, openssl
from read_bundle import Bundle

MKINSTANCE = os.path.abspath(os.environ.get("MKINSTANCE", "build/mkinstance"))
DAY = 86400


class Desk:
    """Where somebody runs mkinstance: input files, and a folder for the output."""

    def __init__(self, base, trusted):
        self.base = base
        self.out = base / "out" / "instance.bin"
        self.out.parent.mkdir()
        self.empty = base / "empty"
        self.empty.mkdir()
        self.trusted = trusted

    def file(self, name, content):
        path = self.base / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        path.chmod(0o600)
        return path

    def chain(self, *certs, name="chain.pem"):
        return self.file(name, "".join(c.pem for c in certs))

    def environment(self):
        return {**os.environ, "SSL_CERT_FILE": str(self.trusted),
                "SSL_CERT_DIR": str(self.empty)}

    def run(self, *words, before=(), **how):
        how.setdefault("start_new_session", True)      # no terminal to ask on
        how.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.run(
            [*before, MKINSTANCE, *map(str, words)], env=self.environment(),
            capture_output=True, text=True, errors="surrogateescape", timeout=60,
            check=False, **how)

    def nothing_left(self):
        assert set(os.listdir(self.out.parent)) <= {self.out.name}

    def warned(self, *words, **how):
        """A run that has to work: (bundle, warnings)."""
        done = self.run(*words, "-o", self.out, **how)
        lines = done.stderr.splitlines()
        assert done.returncode == 0, done.stderr
        assert all(line.startswith("mkinstance: warning: ") for line in lines)
        self.nothing_left()
        assert stat.S_IMODE(self.out.stat().st_mode) == 0o600
        return (Bundle(self.out.read_bytes()),
                [line[len("mkinstance: warning: "):] for line in lines])

    def make(self, *words, **how):
        bundle, warnings = self.warned(*words, **how)
        assert warnings == []
        return bundle

    def refuse(self, *words, status=1, **how):
        """The errors of a run that has to fail, and to leave the old file alone."""
        self.out.write_bytes(b"the old one")
        done = self.run(*words, "-o", self.out, **how)
        assert (done.returncode, done.stdout) == (status, "")
        assert self.out.read_bytes() == b"the old one"
        self.nothing_left()
        start = "mkinstance: error: "
        return [line[len(start):] for line in done.stderr.splitlines()
                if line.startswith(start)]

    def refuse_pair(self, cert, key, *words, **how):
        return self.refuse("--cert", cert, "--key", key, *words, **how)


def pair(cert, key):
    return ["--cert", cert, "--key", key]


def unix_date(cert, which):
    text = openssl("x509", "-in", cert.path, "-noout", f"-{which}date")
    return calendar.timegm(time.strptime(text.split("=")[1].strip(),
                                         "%b %d %H:%M:%S %Y %Z"))


def shown(cert, which):
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(unix_date(cert, which)))


def same_key(record, path):
    """Is the record the key that openssl reads from the file?"""
    said = numbers(path)
    if record.kind != "rsa":
        return record.x == said["priv"]
    return [record.n, record.e, record.p, record.q, record.dp, record.dq, record.iq] \
        == [said[name] for name in ("modulus", "publicExponent", "prime1", "prime2",
                                    "exponent1", "exponent2", "coefficient")]


def damage(data, off, value):
    return data[:off] + value + data[off + len(value):]


def resealed(data):
    """A bundle with the digest that fits it."""
    data = damage(data, 40, bytes(32))
    return damage(data, 40, hashlib.sha256(data).digest())


def without_override():
    """Words before a command that take root's right to read everything."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", "--inh-caps=-all", "--bounding-set=-all"]


def needs_rights_taken(path):
    probe = subprocess.run([*without_override(), "cat", path], capture_output=True,
                           check=False)
    if b"ermission denied" not in probe.stderr:
        pytest.skip(f"cannot give up root's rights here: {probe.stderr!r}")
