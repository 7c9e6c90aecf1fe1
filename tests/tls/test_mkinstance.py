"""mkinstance as a command: what it makes, what it refuses, in which words.

Bundles are read back with read_bundle.py, which knows the format from its
description only, and compared with what openssl says of the same files.

timeout: 600
"""
import base64
import calendar
import hashlib
import os
import pty
import re
import resource
import select
import signal
import stat
import struct
import subprocess
import sys
import termios
import time

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import pki as pki_  # noqa: E402  pylint: disable=wrong-import-position
from pki import openssl  # noqa: E402  pylint: disable=wrong-import-position
from read_bundle import Bundle  # noqa: E402  pylint: disable=wrong-import-position

MKINSTANCE = os.path.abspath(os.environ.get("MKINSTANCE", "build/mkinstance"))
DAY = 86400
LIMIT_CHAINS = 16             # config/limits.h
LIMIT_CHAIN_CERTS = 8
LIMIT_CHAIN_LEN = 12288
SUPPORTED = "ECDSA P-256, ECDSA P-384, and RSA of 2048 to 4096 bits"
SWAPPED = "are CERT and KEY swapped?"


@pytest.fixture(scope="session")
def pki(tmp_path_factory):
    return pki_.Pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="session")
def root(pki):
    return pki.authority("root", subject="/O=Test/CN=Test Root")


@pytest.fixture(scope="session")
def middle(pki, root):
    return pki.authority("middle", root, subject="/O=Test/CN=Middle 1")


@pytest.fixture(scope="session")
def server(pki, middle):
    return pki.cert(pki.key("p256"), "DNS:example.org,DNS:*.example.org", middle)


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


@pytest.fixture
def desk(tmp_path, root):
    return Desk(tmp_path, root.path)


def pair(cert, key):
    return ["--cert", cert, "--key", key]


@pytest.fixture
def good(desk, server, middle):
    """The words for a pair that is fine."""
    return pair(desk.chain(server, middle), server.key)


def unix_date(cert, which):
    text = openssl("x509", "-in", cert.path, "-noout", f"-{which}date")
    return calendar.timegm(time.strptime(text.split("=")[1].strip(),
                                         "%b %d %H:%M:%S %Y %Z"))


def shown(cert, which):
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(unix_date(cert, which)))


def same_key(record, path):
    """Is the record the key that openssl reads from the file?"""
    said = pki_.numbers(path)
    if record.kind != "rsa":
        return record.x == said["priv"]
    return [record.n, record.e, record.p, record.q, record.dp, record.dq, record.iq] \
        == [said[name] for name in ("modulus", "publicExponent", "prime1", "prime2",
                                    "exponent1", "exponent2", "coefficient")]


# ---- What is made ------------------------------------------------------------------


def test_a_chain_becomes_a_bundle(desk, good, server, middle):
    bundle = desk.make(*good, "--host", "www.example.org", "--settings", "log=off")
    chain, = bundle.chains
    assert chain.certs == [server.der, middle.der]
    assert chain.names == ["example.org", "*.example.org"]
    assert chain.issuer == "Test Middle 1"
    assert not chain.self_signed
    assert chain.not_before == unix_date(server, "start")
    assert chain.not_after == unix_date(server, "end")
    assert bundle.hosts == ["www.example.org"]
    assert bundle.settings == "log=off"
    assert bundle.flags == 0
    assert same_key(bundle.keys[0], server.key)


@pytest.mark.parametrize("kind", ["p256", "p384", "rsa2048", "rsa3072", "rsa4096",
                                  "rsa2064"])
def test_every_kind_of_key_is_taken(desk, pki, middle, kind):
    cert = pki.cert(pki.key(kind), "DNS:a.test", middle)
    bundle = desk.make(*pair(desk.chain(cert, middle), cert.key))
    assert bundle.keys[0].bits == int(re.sub(r"\D", "", kind))
    assert same_key(bundle.keys[0], cert.key)


@pytest.mark.parametrize("kind", ["p256", "rsa2048"])
def test_traditional_key_files_are_taken(desk, pki, middle, kind):
    cert = pki.cert(pki.key(kind), "DNS:a.test", middle)
    command = "ec" if kind == "p256" else "rsa"
    words = ["-traditional"] if kind == "rsa2048" else []
    text = openssl(command, "-in", cert.key, *words)
    if kind == "p256":
        text = openssl("ecparam", "-name", "prime256v1") + text
        assert "BEGIN EC PARAMETERS" in text
    key = desk.file("old.key", text)
    assert "BEGIN %s PRIVATE KEY" % command.upper() in text
    bundle = desk.make(*pair(desk.chain(cert, middle), key))
    assert same_key(bundle.keys[0], cert.key)


def test_an_rsa_key_with_the_smaller_prime_first_is_taken(desk, pki):
    primes = sorted(pki_.prime(1024) for _ in range(2))
    key = desk.file("small-first.key", pki_.rsa_pem(*primes))
    cert = pki.cert(key, "DNS:a.test")
    bundle = desk.make(*pair(cert.path, key))
    assert (bundle.keys[0].p, bundle.keys[0].q) == tuple(primes)


def test_one_file_may_hold_both(desk, server, middle):
    with open(server.key, encoding="ascii") as key:
        text = server.pem + key.read() + middle.pem
    both = desk.file("both.pem", text)
    bundle = desk.make(*pair(both, both))
    assert bundle.chains[0].certs == [server.der, middle.der]


def test_other_line_ends_and_text_between_are_passed_over(desk, server, middle):
    text = openssl("x509", "-in", server.path, "-text") + "Bag Attributes\n" + middle.pem
    chain = desk.file("crlf.pem", text.replace("\n", "\r\n"))
    with open(server.key, "rb") as key:
        key = desk.file("crlf.key", b"hello\r\n" + key.read().replace(b"\n", b"\r\n"))
    bundle = desk.make(*pair(chain, key))
    assert len(bundle.chains[0].certs) == 2


def test_several_chains_keep_their_order_and_share_keys(desk, pki, middle):
    kinds = ["rsa2048", "p256", "rsa2048", "p384"]
    certs = [pki.cert(pki.key(kind), f"DNS:{i}.test", middle)
             for i, kind in enumerate(kinds)]
    words = []
    for i, cert in enumerate(certs):
        # A copy of the same key counts as the same.
        with open(cert.key, "rb") as key:
            words += pair(desk.chain(cert, middle, name=f"{i}.pem"),
                          desk.file(f"{i}.key", key.read()))
    bundle = desk.make(*words)
    assert [c.key for c in bundle.chains] == [0, 1, 0, 2]
    assert [c.names for c in bundle.chains] == [[f"{i}.test"] for i in range(4)]
    assert len(bundle.keys) == 3
    for chain, cert in zip(bundle.chains, certs):
        assert same_key(bundle.keys[chain.key], cert.key)


def test_names_are_in_lower_case_and_none_twice(desk, pki, middle):
    cert = pki.cert(pki.key("p256"),
                    "DNS:Www.Example.ORG,DNS:b.test,DNS:www.example.org,IP:192.0.2.1,"
                    "DNS:xn--bcher-kva.test,DNS:_x.test", middle)
    bundle = desk.make(*pair(desk.chain(cert, middle), cert.key))
    assert bundle.chains[0].names == ["www.example.org", "b.test", "xn--bcher-kva.test",
                                      "_x.test"]


@pytest.mark.parametrize("subject, issuer", [
    ("/O=Let's Encrypt/CN=R11", "Let's Encrypt R11"),
    ("/O=Acme/CN=Acme Root X1", "Acme Root X1"),
    ("/CN=alone", "alone"),
    ("/O=only this", "only this"),
    ("/O=Soci\u00e9t\u00e9/CN=\u65e5\u672c", "Soci?t? ??"),
    ("/C=DE", "(no name)"),
    ("/CN=" + "x" * 64, "x" * 64),
    ("/O=" + "o" * 64 + "/CN=" + "x" * 64, "o" * 64 + " " + "x" * 35),
])
def test_the_issuer_is_named_for_people(desk, pki, subject, issuer):
    authority = pki.authority("named", subject=subject)
    cert = pki.cert(pki.key("p256"), "DNS:a.test", authority)
    bundle, _ = desk.warned(*pair(cert.path, cert.key))
    assert bundle.chains[0].issuer == issuer


def test_a_certificate_without_subject_is_taken(desk, pki, middle):
    cert = pki.cert(pki.key("p256"), "DNS:a.test", middle, subject="/")
    bundle = desk.make(*pair(desk.chain(cert, middle), cert.key))
    assert bundle.chains[0].names == ["a.test"]


def test_a_certificate_that_nobody_signed_is_taken(desk, pki):
    cert = pki.cert(pki.key("p384"), "DNS:a.test")
    bundle = desk.make(*pair(cert.path, cert.key), "--host", "a.test")
    assert bundle.chains[0].self_signed and bundle.chains[0].certs == [cert.der]


def test_the_same_input_gives_the_same_bytes(desk, good):
    words = [*good, "--host", "example.org", "--settings", "log=off"]
    desk.make(*words)
    first = desk.out.read_bytes()
    desk.make(*words, "--now", int(time.time()) + 5000)
    assert desk.out.read_bytes() == first


def test_settings_alone_make_a_bundle_without_secrets(desk):
    bundle = desk.make("--settings", f"acme_thumbprint={'a' * 43}   log=off\t")
    assert bundle.settings == f"acme_thumbprint={'a' * 43} log=off"
    assert (bundle.chains, bundle.keys, bundle.hosts) == ([], [], [])
    assert desk.out.stat().st_size == 8192


def test_as_many_chains_as_there_may_be(desk, server, good):
    bundle = desk.make(*good * LIMIT_CHAINS)
    assert len(bundle.chains) == LIMIT_CHAINS and len(bundle.keys) == 1
    assert desk.refuse(*good * (LIMIT_CHAINS + 1)) == [
        f"--cert: {LIMIT_CHAINS + 1} certificate chains; {LIMIT_CHAINS} are the most"]


def test_as_many_certificates_as_there_may_be(desk, pki, root):
    chain = [root]
    for i in range(LIMIT_CHAIN_CERTS):
        chain.insert(0, pki.authority(f"level{i}", chain[0]))
    leaf = pki.cert(pki.key("p256"), "DNS:a.test", chain[1])
    path = desk.chain(leaf, *chain[1:])
    bundle, warnings = desk.warned(*pair(path, leaf.key))
    assert len(bundle.chains[0].certs) == LIMIT_CHAIN_CERTS
    assert warnings == [f'{path}: the root "Test Root" is left out: '
                        "clients that trust it have it"]
    leaf = pki.cert(pki.key("p256"), "DNS:a.test", chain[0])
    path = desk.chain(leaf, *chain[:-1])
    assert desk.refuse_pair(path, leaf.key) == [
        f"{path}: a chain of {LIMIT_CHAIN_CERTS + 1} certificates; "
        f"{LIMIT_CHAIN_CERTS} are the most"]


def test_a_trust_store_is_one_error(desk, server, root, middle):
    path = desk.chain(*[root, middle] * 60)
    assert desk.refuse_pair(path, server.key) == [
        f"{path}: a chain of 120 certificates; {LIMIT_CHAIN_CERTS} are the most"]


def test_as_long_a_chain_as_there_may_be(desk, pki, root):
    authority = pki.authority("rsa-ca", kind="rsa2048")

    def cert(length):
        return pki.cert(pki.key("p256"), "DNS:a.test", authority, more=["-set_serial", "1"],
                        extensions={"nsComment": "x" * length})

    other = len(cert(12000).der) - 12000
    fits = cert(LIMIT_CHAIN_LEN - other)
    assert len(fits.der) == LIMIT_CHAIN_LEN
    bundle, _ = desk.warned(*pair(fits.path, fits.key))
    assert len(bundle.chains[0].certs[0]) == LIMIT_CHAIN_LEN
    over = cert(LIMIT_CHAIN_LEN - other + 1)
    assert desk.refuse_pair(over.path, over.key) == [
        f"{over.path}: its certificates have {LIMIT_CHAIN_LEN + 1} bytes together; "
        f"{LIMIT_CHAIN_LEN} are the most"]


# ---- What is shown ------------------------------------------------------------------


def test_the_summary_is_what_list_says_and_no_key(desk, pki, server, middle):
    rsa = pki.cert(pki.key("rsa2048"), "DNS:rsa.test")
    words = [*pair(desk.chain(server, middle), server.key), *pair(rsa.path, rsa.key),
             "--host", "rsa.test", "--settings", "log=off",
             "--now", unix_date(server, "end") - 30 * DAY - 1]
    done = desk.run(*words, "-o", desk.out)
    until = shown(server, "end")[:10], shown(rsa, "end")[:10]
    since = shown(server, "start")[:10], shown(rsa, "start")[:10]
    sent = len(server.der) + len(middle.der), len(rsa.der)
    assert done.stdout.splitlines() == [
        f"bundle   {desk.out.stat().st_size} bytes",
        "hosts    rsa.test",
        "settings log=off",
        "chain 0 example.org *.example.org",
        "  issuer  Test Middle 1",
        "  key     0, ECDSA P-256",
        f"  valid   {since[0]} to {until[0]}, 30 days left",
        f"  sent    2 certificates, {sent[0]} bytes",
        "chain 1 rsa.test",
        "  issuer  itself",
        "  key     1, RSA 2048",
        f"  valid   {since[1]} to {until[1]}, 30 days left",
        f"  sent    1 certificate, {sent[1]} bytes",
    ]
    listed = desk.run("--list", desk.out, *words[-2:])
    assert (listed.returncode, listed.stderr, listed.stdout) == (0, "", done.stdout)
    assert desk.run(*words, "-o", desk.out, "--quiet").stdout == ""


@pytest.mark.parametrize("when, said", [
    (-2 * DAY, "not yet valid"), (91 * DAY, "expired"), (89 * DAY + 5, "0 days left"),
    (88 * DAY + 5, "1 day left"), (0, "90 days left")])
def test_list_says_how_long_a_certificate_is_valid(desk, good, server, when, said):
    desk.make(*good)
    now = unix_date(server, "start") + when
    listed = desk.run("--list", desk.out, "--now", now)
    assert listed.returncode == 0 and f", {said}\n" in listed.stdout


def damage(data, off, value):
    return data[:off] + value + data[off + len(value):]


@pytest.mark.parametrize("change, reason", [
    (lambda d: b"", "is empty"),
    (lambda d: b"x" * 8191, "is no instance bundle: it is too short"),
    (lambda d: damage(d, 0, b"X"), "is no instance bundle"),
    (lambda d: damage(d, 8, b"\2"), "is a bundle of another version"),
    (lambda d: damage(d, 16, b"\1"), "is cut off or damaged"),
    (lambda d: damage(d, 17, b"\0"), "is cut off or damaged"),
    (lambda d: damage(d, 32, b"\xff"), "is cut off or damaged"),
    (lambda d: damage(d, 72 + 1023, b"x"), "is cut off or damaged"),
    (lambda d: d[:-4096], "is cut off or damaged"),
    (lambda d: d + bytes(4096), "is cut off or damaged"),
    (lambda d: damage(d, 4096 + 200, b"\xff\xff"), "is damaged: its digest differs"),
])
def test_a_damaged_bundle_is_not_listed(desk, good, change, reason):
    desk.make(*good)
    data = change(desk.out.read_bytes())
    desk.out.write_bytes(data)
    listed = desk.run("--list", desk.out)
    assert (listed.returncode, listed.stdout) == (1, "")
    assert listed.stderr == f"mkinstance: error: {desk.out}: {reason}\n"


PUBLIC = ["chain_count", "flags", "hosts.off", "hosts.len", "key", "key_kind", "key_bits",
          "cert_count", "certs.off", "certs.len", "names.off", "names.len", "issuer.off",
          "issuer.len"]


@pytest.mark.parametrize("field", [f for f in PUBLIC if f not in
                                   ("flags", "key_kind", "key_bits")])
def test_a_bundle_with_wild_numbers_is_not_listed(desk, good, field):
    """Its digest is right: whoever made it meant it."""
    desk.make(*good)
    data = damage(desk.out.read_bytes(), 4096 + 4 * PUBLIC.index(field),
                  b"\xf0\xff\xff\xff")
    desk.out.write_bytes(damage(data, 40, hashlib.sha256(data[4096:]).digest()))
    listed = desk.run("--list", desk.out)
    assert listed.stderr == (f"mkinstance: error: {desk.out}: is damaged: "
                             "a part of it lies outside\n")


@pytest.mark.parametrize("length", [0, 1, 0x7fffffff, 0xfffffffc, 0xffffffff])
def test_a_bundle_with_wild_lengths_is_not_listed(desk, good, length):
    desk.make(*good)
    data = desk.out.read_bytes()
    certs, = struct.unpack_from("<I", data, 4096 + 4 * PUBLIC.index("certs.off"))
    data = damage(data, 4096 + certs, struct.pack("<I", length))
    desk.out.write_bytes(damage(data, 40, hashlib.sha256(data[4096:]).digest()))
    assert desk.run("--list", desk.out).stderr.endswith("a part of it lies outside\n")


# ---- Files that are not what they should be -----------------------------------------


@pytest.mark.parametrize("content, reason", [
    (None, "No such file or directory"),
    (b"", "is empty"),
    (b"hello\n", "is not PEM: no line begins with -----BEGIN"),
    (b"\0" * 5000, "is not PEM: no line begins with -----BEGIN"),
    (b"x" * ((1 << 20) + 1), "is longer than any certificate or key"),
], ids=["missing", "empty", "text", "zeros", "long"])
@pytest.mark.parametrize("which", ["--cert", "--key"])
def test_what_is_no_certificate_or_key_is_refused(desk, good, which, content, reason):
    path = desk.base / "wrong"
    if content is not None:
        path.write_bytes(content)
    words = list(good)
    words[words.index(which) + 1] = path
    assert desk.refuse(*words) == [f"{path}: {reason}"]


def test_a_folder_is_refused(desk, good):
    assert desk.refuse_pair(desk.empty, good[3]) == [f"{desk.empty}: Is a directory"]


def test_names_of_files_cannot_disturb_the_terminal(desk, good):
    path = desk.base / "a\n\x1b[1m\x7f\u009b\u00fc"
    assert desk.refuse_pair(path, good[3]) == [
        f"{desk.base}/a\\x0a\\x1b[1m\\x7f\\xc2\\x9b\u00fc: No such file or directory"]


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


def test_an_unreadable_key_is_refused(desk, good):
    with open(good[3], "rb") as key:
        path = desk.file("mine.key", key.read())
    path.chmod(0)
    needs_rights_taken(path)
    assert desk.refuse_pair(good[1], path, before=without_override()) == [
        f"{path}: Permission denied"]


def test_swapped_files_are_said(desk, good):
    assert desk.refuse_pair(good[3], good[1]) == [
        f"{good[3]}: holds a private key and no certificate: {SWAPPED}",
        f"{good[1]}: holds a certificate and no private key: {SWAPPED}"]


def forms(desk, server):
    """Forms that people have instead of PEM: {name: (path, which side, reason)}."""
    def convert(name, *words):
        path = desk.base / name
        openssl(*words, "-out", path)
        return path

    pem, key = server.path, server.key
    return {
        "DER certificate": (
            convert("a.der", "x509", "-in", pem, "-outform", "DER"), "cert",
            "is a certificate in DER form; convert it: "
            "openssl x509 -inform DER -in OLD -out NEW"),
        "DER key": (
            convert("k.der", "pkey", "-in", key, "-outform", "DER"), "key",
            "is a private key in DER form; convert it: "
            "openssl pkey -inform DER -in OLD -out NEW"),
        "DER encrypted key": (
            convert("e.der", "pkcs8", "-topk8", "-in", key, "-outform", "DER",
                    "-passout", "pass:x"), "key",
            "is a private key in DER form; convert it: "
            "openssl pkey -inform DER -in OLD -out NEW"),
        "PKCS #12": (
            convert("a.p12", "pkcs12", "-export", "-in", pem, "-inkey", key,
                    "-passout", "pass:x"), "cert",
            "is PKCS #12; convert it: openssl pkcs12 -in OLD -nokeys -out fullchain.pem; "
            "openssl pkcs12 -in OLD -nocerts -noenc -out key.pem"),
        "PKCS #7 DER": (
            convert("a.p7b", "crl2pkcs7", "-nocrl", "-certfile", pem, "-outform", "DER"),
            "cert", "is PKCS #7 in DER form; convert it: "
            "openssl pkcs7 -inform DER -in OLD -print_certs -out NEW"),
        "PKCS #7": (
            convert("a.p7", "crl2pkcs7", "-nocrl", "-certfile", pem), "cert",
            "is PKCS #7; convert it: openssl pkcs7 -in OLD -print_certs -out NEW"),
        "request": (
            convert("a.csr", "req", "-new", "-key", key, "-subj", "/CN=x"), "cert",
            "is a certificate request; a certificate is what the authority answers to it"),
        "trusted": (
            convert("a.trusted", "x509", "-in", pem, "-trustout"), "cert",
            "is in OpenSSL's own form; convert it: openssl x509 -in OLD -out NEW"),
        "public key": (
            convert("a.pub", "pkey", "-in", key, "-pubout"), "key",
            "holds a public key only; the private key is needed"),
        "public key for a certificate": (
            convert("b.pub", "pkey", "-in", key, "-pubout"), "cert",
            "holds no certificate"),
        "parameters": (
            desk.file("params", "-----BEGIN THING-----\nAAAA\n-----END THING-----\n"), "key",
            "holds no private key"),
        "OpenSSH": (
            desk.file("ssh", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n"
                      "-----END OPENSSH PRIVATE KEY-----\n"), "key",
            "is in OpenSSH's own form; convert it: ssh-keygen -p -m PEM -f FILE"),
    }


def test_other_forms_are_named_with_a_way_out(desk, good, server):
    for path, side, reason in forms(desk, server).values():
        errors = desk.refuse_pair(*((path, good[3]) if side == "cert" else
                                    (good[1], path)))
        assert errors == [f"{path}: {reason}"]


def test_the_ways_out_work(desk, good, server):
    """Each command that an error names, typed as it is."""
    tried = 0
    for path, side, reason in forms(desk, server).values():
        for command in re.findall(r"openssl [^;]*(?=;|$)", reason):
            words = command.replace("OLD", str(path)).replace(
                "NEW", str(desk.base / "new.pem")).split()[1:]
            if words[0] in ("pkcs12", "pkey"):
                words += ["-passin", "pass:x"]
            done = subprocess.run(["openssl", *words], cwd=desk.base, check=False,
                                  capture_output=True, stdin=subprocess.DEVNULL)
            assert done.returncode == 0, (command, done.stderr)
            tried += 1
        if "NEW" in reason:
            new = desk.base / "new.pem"
            new.chmod(0o600)
            words = (new, good[3]) if side == "cert" else (server.path, new)
            # One certificate without the one above it: that is said, and no more.
            desk.warned(*pair(*words))
    desk.warned(*pair(desk.base / "fullchain.pem", desk.base / "key.pem"))
    assert tried == 8


@pytest.mark.parametrize("change, reason", [
    (lambda t: t[:len(t) * 3 // 4], "its PEM block 2 is damaged ("),
    (lambda t: t.replace("M", "!", 1), "its PEM block 1 is damaged ("),
    (lambda t: re.sub(r"(-BEGIN C.*\n)MII", r"\1AII", t, count=1),
     "its PEM block 1 is no certificate ("),
    (lambda t: re.sub(r"-\n[^-]*\n-", "-\nMAA=\n-", t, count=1),
     "its PEM block 1 is no certificate ("),
])
def test_a_damaged_certificate_is_refused(desk, good, server, middle, change, reason):
    path = desk.file("damaged.pem", change(server.pem + middle.pem))
    error, = desk.refuse_pair(path, good[3])
    assert error.startswith(f"{path}: {reason}")


@pytest.mark.parametrize("old, new", [(" CERT", " NO CERT"), ("CATE-----\n", "CATE----\n")])
def test_lines_that_are_not_quite_a_certificates_are_refused(desk, good, server, old, new):
    path = desk.file("not-quite.pem", server.pem.replace(old, new))
    assert desk.refuse_pair(path, good[3]) == [f"{path}: holds no certificate"]


def test_bytes_behind_a_certificate_are_refused(desk, good, server):
    text = base64.encodebytes(server.der + b"\0").decode()
    path = desk.file("more.pem", f"-----BEGIN CERTIFICATE-----\n{text}"
                                 "-----END CERTIFICATE-----\n")
    error, = desk.refuse_pair(path, good[3])
    assert error.startswith(f"{path}: its PEM block 1 is no certificate (")


def test_a_damaged_key_is_refused(desk, good):
    with open(good[3], encoding="ascii") as key:
        text = key.read()
    for wrong in (text[:len(text) // 2], text.replace("MI", "AI", 1)):
        path = desk.file("damaged.key", wrong)
        error, = desk.refuse_pair(good[1], path)
        assert error.startswith(f"{path}: the private key in it is damaged (")


def test_a_key_whose_parts_do_not_fit_is_refused(desk, good):
    p, q, other = (pki_.prime(1024) for _ in range(3))
    path = desk.file("unfit.key", pki_.rsa_pem(p, q, d=other))
    assert f"{path}: the private key in it is damaged: its parts do not belong together" \
        in desk.refuse_pair(good[1], path)


def test_two_keys_in_a_file_are_refused(desk, pki, good):
    with open(pki.key("p256"), encoding="ascii") as one, \
            open(pki.key("p384"), encoding="ascii") as two:
        path = desk.file("two.key", one.read() + two.read())
    assert desk.refuse_pair(good[1], path) == [
        f"{path}: holds 2 private keys; one is needed"]


# ---- Pass phrases --------------------------------------------------------------------


@pytest.fixture
def sealed(desk, server):
    path = desk.base / "sealed.key"
    openssl("pkey", "-in", server.key, "-aes256", "-passout", "pass:open sesame",
            "-out", path)
    return path


def test_an_encrypted_key_without_a_terminal_is_refused(desk, good, sealed, server):
    reason = ("is encrypted, and there is no terminal to ask for the pass phrase; "
              "decrypt it first: openssl pkey -in OLD -out NEW")
    assert desk.refuse_pair(good[1], sealed) == [f"{sealed}: {reason}"]
    old = desk.base / "sealed-old.key"
    openssl("ec", "-in", server.key, "-aes128", "-passout", "pass:x", "-out", old)
    assert "DEK-Info" in old.read_text()
    assert desk.refuse_pair(good[1], old) == [f"{old}: {reason}"]


def on_terminal(desk, words, answer):
    """Run with a terminal, type the answer; returns (status, what was on the screen)."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(MKINSTANCE, [MKINSTANCE, *map(str, words)], desk.environment())
    screen = b""
    typed = False
    while select.select([terminal], [], [], 30)[0]:
        try:
            piece = os.read(terminal, 4096)
        except OSError:
            break
        if not piece:
            break
        screen += piece
        if not typed and b"pass phrase of" in screen:
            typed = True
            # As a person would, type after what is typed is no longer shown.
            while termios.tcgetattr(terminal)[3] & termios.ECHO:
                time.sleep(0.01)
            os.write(terminal, answer + b"\n")
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), screen.decode()


def test_the_pass_phrase_is_asked_for_on_the_terminal(desk, good, sealed):
    words = [*pair(good[1], sealed), "-o", desk.out]
    status, screen = on_terminal(desk, words, b"open sesame")
    assert status == 0, screen
    assert f"pass phrase of {sealed}: " in screen and "open sesame" not in screen
    assert same_key(Bundle(desk.out.read_bytes()).keys[0], good[3])


def test_a_wrong_pass_phrase_is_said(desk, good, sealed):
    status, screen = on_terminal(desk, [*pair(good[1], sealed), "-o", desk.out], b"no")
    assert status == 1
    assert (f"mkinstance: error: {sealed}: cannot be decrypted: "
            "the pass phrase is wrong, or the file damaged") in screen
    assert not desk.out.exists()


# ---- Keys ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind, name", [
    ("p521", "ECDSA P-521"), ("secp256k1", "ECDSA secp256k1"), ("ed25519", "Ed25519"),
    ("ed448", "Ed448"), ("rsa-pss", "RSA-PSS 2048")])
def test_other_kinds_of_keys_are_refused(desk, pki, kind, name):
    digest = ["sha256"] if not kind.startswith("ed") else ["sha512"]
    cert = pki.cert(pki.key(kind), "DNS:a.test", digest=digest[0])
    assert desk.refuse_pair(cert.path, cert.key) == [
        f"{cert.key}: is a key of type {name}; supported are {SUPPORTED}"]


def test_a_dsa_key_is_refused(desk, good):
    parameters = desk.base / "dsa.params"
    path = desk.base / "dsa.key"
    openssl("genpkey", "-genparam", "-algorithm", "DSA", "-pkeyopt",
            "dsa_paramgen_bits:1024", "-out", parameters)
    openssl("genpkey", "-paramfile", parameters, "-out", path)
    assert desk.refuse_pair(good[1], path) == [
        f"{path}: is a key of type DSA 1024; supported are {SUPPORTED}"]


@pytest.mark.parametrize("bits, reason", [
    (1024, "too short: clients refuse less than 2048 bits"),
    (2032, "too short: clients refuse less than 2048 bits"),
    (2056, "of a length that is no multiple of 16 bits, which is not supported"),
    (4112, "too long: 4096 bits are the most that is supported"),
])
def test_rsa_keys_of_other_lengths_are_refused(desk, pki, bits, reason):
    cert = pki.cert(pki.key(f"rsa{bits}"), "DNS:a.test")
    weak = [f'{cert.path}: the RSA key of "server" has {bits} bits; '
            "clients refuse less than 2048"]
    assert desk.refuse_pair(cert.path, cert.key) == [
        f"{cert.key}: is an RSA {bits} key, {reason}", *(weak if bits < 2048 else [])]


def test_an_rsa_key_of_three_primes_is_refused(desk, good):
    path = desk.base / "three.key"
    openssl("genrsa", "-primes", "3", "-out", path, "2048")
    assert desk.refuse_pair(good[1], path) == [
        f"{path}: is an RSA 2048 key, made of more than two primes, "
        "which is not supported"]


def test_an_rsa_key_of_unlike_primes_is_refused(desk, good):
    path = desk.file("unlike.key", pki_.rsa_pem(pki_.prime(1200), pki_.prime(848)))
    assert desk.refuse_pair(good[1], path) == [
        f"{path}: is an RSA 2048 key, made of primes of different length, "
        "which is not supported"]


def test_an_rsa_key_with_a_long_exponent_is_refused(desk, good):
    p, q = pki_.prime(1024), pki_.prime(1024)
    path = desk.file("long-e.key", pki_.rsa_pem(p, q, e=(1 << 32) + 15))
    assert desk.refuse_pair(good[1], path) == [
        f"{path}: is an RSA 2048 key, one with a public exponent of more than 32 bits, "
        "which is not supported"]


def test_a_key_that_everybody_can_read_is_warned_about(desk, good):
    with open(good[3], "rb") as key:
        path = desk.file("open.key", key.read())
    path.chmod(0o640)
    desk.make(*pair(good[1], path))
    path.chmod(0o644)
    _, warnings = desk.warned(*pair(good[1], path))
    assert warnings == [f"{path}: everybody on this machine can read this private key; "
                        "chmod 600 is usual"]


# ---- Pairs ------------------------------------------------------------------------------


def test_a_key_of_another_certificate_is_refused(desk, pki, good):
    assert desk.refuse_pair(good[1], pki.key("p384")) == [
        f"{good[1]}: does not belong to the key in {pki.key('p384')}"]
    assert desk.refuse_pair(good[1], pki.key("p256", "other")) == [
        f"{good[1]}: does not belong to the key in {pki.key('p256', 'other')}"]


def test_lists_in_different_order_are_said(desk, pki, middle):
    a = pki.cert(pki.key("p256"), "DNS:a.test", middle)
    b = pki.cert(pki.key("rsa2048"), "DNS:b.test", middle)
    one = desk.chain(a, middle, name="a.pem")
    two = desk.chain(b, middle, name="b.pem")
    assert desk.refuse(*pair(one, b.key), *pair(two, a.key)) == [
        f"{one}: does not belong to the key in {b.key}, but to the one in {a.key}: "
        "give both lists in one order",
        f"{two}: does not belong to the key in {a.key}, but to the one in {b.key}: "
        "give both lists in one order"]


def test_every_certificate_needs_a_key(desk, good):
    done = desk.run(*good, "--cert", good[1], "-o", desk.out)
    assert (done.returncode, done.stderr) == (
        2, "mkinstance: 2 certificate files and 1 key files: each certificate needs its "
        "key\nTry 'mkinstance --help'.\n")


# ---- Chains -------------------------------------------------------------------------------


def test_a_chain_out_of_order_is_refused(desk, pki, root, middle):
    low = pki.authority("low", middle, subject="/CN=Low")
    leaf = pki.cert(pki.key("p256"), "DNS:a.test", low, subject="/CN=Leaf")
    for order in ([low, leaf, middle], [leaf, middle, low], [middle, low, leaf]):
        path = desk.chain(*order)
        assert desk.refuse_pair(path, leaf.key) == [
            f'{path}: its certificates are out of order; right is: '
            '"Leaf", "Low", "Middle 1"']
    path = desk.chain(root, middle, low, leaf)
    assert desk.refuse_pair(path, leaf.key) == [
        f'{path}: its certificates are out of order; right is: '
        '"Leaf", "Low", "Middle 1", "Test Root"']


def test_an_unrelated_certificate_is_refused(desk, pki, server, middle):
    other = pki.authority("other", subject="/CN=Other")
    path = desk.chain(server, other, middle)
    assert desk.refuse_pair(path, server.key) == [
        f'{path}: holds "Other", which is no part of the chain that begins with the '
        'certificate of the key']


def test_a_gap_in_the_chain_is_refused(desk, pki, middle, root):
    low = pki.authority("low", middle, subject="/CN=Low")
    leaf = pki.cert(pki.key("p256"), "DNS:a.test", low, subject="/CN=Leaf")
    path = desk.chain(leaf, middle)
    assert desk.refuse_pair(path, leaf.key) == [
        f'{path}: holds "Middle 1", which is no part of the chain that begins with the '
        'certificate of the key']


def test_an_issuer_of_the_right_name_and_the_wrong_key_is_refused(desk, pki, root, server):
    namesake = pki.authority("namesake", root, subject="/O=Test/CN=Middle 1")
    path = desk.chain(server, namesake)
    assert desk.refuse_pair(path, server.key) == [
        f'{path}: "Middle 1" in it has the name of the issuer of "server", but another '
        'key: get the one that issued it']


def test_a_certificate_twice_is_refused(desk, server, middle):
    path = desk.chain(server, middle, middle)
    assert desk.refuse_pair(path, server.key) == [f'{path}: holds "Middle 1" twice']
    path = desk.chain(server, server, middle)
    assert desk.refuse_pair(path, server.key) == [f'{path}: holds "server" twice']


def test_the_root_is_left_out(desk, server, middle, root):
    path = desk.chain(server, middle, root)
    bundle, warnings = desk.warned(*pair(path, server.key))
    assert warnings == [f'{path}: the root "Test Root" is left out: '
                        "clients that trust it have it"]
    assert bundle.chains[0].certs == [server.der, middle.der]


def test_an_authority_may_have_certificates_of_several_others(desk, pki, root, middle, server):
    """The root's key, certified by an older root: not self-signed, so it is sent."""
    older = pki.authority("older", subject="/CN=Older Root")
    cross = pki.authority("root", older, subject="/O=Test/CN=Test Root")
    desk.trusted = older.path
    bundle = desk.make(*pair(desk.chain(server, middle, cross), server.key))
    assert bundle.chains[0].certs == [server.der, middle.der, cross.der]


def test_a_missing_issuer_is_named(desk, server, middle):
    bundle, warnings = desk.warned(*pair(server.path, server.key))
    assert warnings == [
        f'{server.path}: the chain ends with "server", issued by "Test Middle 1", which '
        "this machine does not know as a root: clients refuse it if they do not either; "
        "an ACME client's fullchain.pem has the whole chain"]
    assert bundle.chains[0].certs == [server.der]
    desk.trusted = "/dev/null"
    path = desk.chain(server, middle)
    _, warnings = desk.warned(*pair(path, server.key))
    assert warnings == [
        f'{path}: the chain ends with "Middle 1", issued by "Test Root", which '
        "this machine does not know as a root: clients refuse it if they do not either"]


def test_a_root_may_issue_servers_itself(desk, pki, root):
    cert = pki.cert(pki.key("p256"), "DNS:a.test", root)
    desk.make(*pair(cert.path, cert.key))


def test_an_issuer_that_is_no_authority_is_refused(desk, pki, root):
    middle = pki.cert(pki.key("p256", "no-ca"), "DNS:b.test", root, subject="/CN=NoCA")
    cert = pki.cert(pki.key("p256"), "DNS:a.test", middle)
    path = desk.chain(cert, middle)
    assert desk.refuse_pair(path, cert.key) == [
        f'{path}: "NoCA" may not issue certificates (no CA:TRUE)']


# ---- Dates -----------------------------------------------------------------------------------


def test_an_expired_certificate_is_refused(desk, good, server):
    end = unix_date(server, "end")
    assert f'{good[1]}: "server" expired on {shown(server, "end")}' in \
        desk.refuse(*good, "--now", end + 1)
    _, warnings = desk.warned(*good, "--now", end)      # the last second counts
    assert warnings == [f"{good[1]}: expires in 0 days"]


def test_an_expired_issuer_is_refused(desk, pki, root):
    middle = pki.authority("brief", root, days=2, subject="/CN=Brief")
    cert = pki.cert(pki.key("p256"), "DNS:a.test", middle)
    path = desk.chain(cert, middle)
    assert desk.refuse_pair(path, cert.key, "--now", int(time.time()) + 5 * DAY) == [
        f'{path}: "Brief" expired on {shown(middle, "end")}']


def test_a_certificate_that_is_not_yet_valid_is_warned_about(desk, pki):
    cert = pki.cert(pki.key("p256"), "DNS:a.test")
    start = unix_date(cert, "start")
    _, warnings = desk.warned(*pair(cert.path, cert.key), "--now", start - 1)
    assert warnings == [f'{cert.path}: "server" is not valid before '
                        f'{shown(cert, "start")}']
    desk.make(*pair(cert.path, cert.key), "--now", start)


def test_a_certificate_that_expires_soon_is_warned_about(desk, pki):
    cert = pki.cert(pki.key("p256"), "DNS:a.test")
    end = unix_date(cert, "end")
    desk.make(*pair(cert.path, cert.key), "--now", end - 14 * DAY)
    for left, said in ((14 * DAY - 1, "13 days"), (DAY, "1 day")):
        _, warnings = desk.warned(*pair(cert.path, cert.key), "--now", end - left)
        assert warnings == [f"{cert.path}: expires in {said}"]


def test_a_validity_that_ends_before_it_begins_is_refused(desk, pki, root):
    cert = pki.cert(pki.key("p256"), "DNS:a.test", root)
    dates = re.search(rb"\x17\x0d(\d{12}Z)\x17\x0d(\d{12}Z)", cert.der)
    data = damage(damage(cert.der, dates.start(1), dates[2]), dates.start(2), dates[1])
    path = desk.file("reversed.pem", "-----BEGIN CERTIFICATE-----\n" +
                     base64.encodebytes(data).decode() + "-----END CERTIFICATE-----\n")
    assert desk.refuse_pair(path, cert.key) == [
        f'{path}: the validity of "server" ends before it begins']


# ---- What a certificate is for ----------------------------------------------------------------


def test_an_authority_is_no_server(desk, pki, root):
    cert = pki.cert(pki.key("p256"), "DNS:a.test", root,
                    extensions={"basicConstraints": "critical,CA:TRUE"})
    assert desk.refuse_pair(cert.path, cert.key) == [
        f"{cert.path}: is an authority's certificate (CA:TRUE), not a server's"]
    cert = pki.cert(pki.key("p256"), "DNS:a.test",
                    extensions={"basicConstraints": "critical,CA:TRUE"})
    _, warnings = desk.warned(*pair(cert.path, cert.key))
    assert warnings == [
        f"{cert.path}: is an authority's certificate (CA:TRUE), which Firefox refuses "
        "from a server; openssl req takes -addext basicConstraints=critical,CA:FALSE"]


def test_key_usage_has_to_allow_signatures(desk, pki):
    cert = pki.cert(pki.key("rsa2048"), "DNS:a.test",
                    extensions={"keyUsage": "critical,keyEncipherment"})
    assert desk.refuse_pair(cert.path, cert.key) == [
        f"{cert.path}: its keyUsage lacks digitalSignature: it may not sign handshakes"]
    both = pki.cert(pki.key("rsa2048"), "DNS:a.test",
                    extensions={"keyUsage": "critical,digitalSignature,keyEncipherment"})
    absent = pki.cert(pki.key("rsa2048"), "DNS:a.test",
                      extensions={"keyUsage": None, "extendedKeyUsage": None,
                                  "basicConstraints": None})
    for cert in both, absent:
        desk.make(*pair(cert.path, cert.key))


def test_extended_key_usage_has_to_allow_servers(desk, pki):
    cert = pki.cert(pki.key("p256"), "DNS:a.test",
                    extensions={"extendedKeyUsage": "clientAuth"})
    assert desk.refuse_pair(cert.path, cert.key) == [
        f"{cert.path}: its extendedKeyUsage lacks serverAuth: it is not for servers"]
    for usage in "clientAuth,serverAuth", "anyExtendedKeyUsage":
        cert = pki.cert(pki.key("p256"), "DNS:a.test",
                        extensions={"extendedKeyUsage": usage})
        desk.make(*pair(cert.path, cert.key))


def test_must_staple_is_warned_about(desk, pki):
    cert = pki.cert(pki.key("p256"), "DNS:a.test",
                    extensions={"tlsfeature": "status_request"})
    _, warnings = desk.warned(*pair(cert.path, cert.key))
    assert warnings == [f"{cert.path}: demands a stapled OCSP answer, which is not "
                        "offered here: some clients will refuse it; ask for one without"]
    cert = pki.cert(pki.key("p256"), "DNS:a.test", extensions={"tlsfeature": "23"})
    desk.make(*pair(cert.path, cert.key))


@pytest.mark.parametrize("digest, name", [("sha1", "SHA-1"), ("md5", "MD5")])
def test_old_signatures_are_refused(desk, pki, root, digest, name):
    authority = pki.authority("rsa-ca", kind="rsa2048")
    cert = pki.cert(pki.key("p256"), "DNS:a.test", authority, digest=digest)
    assert desk.refuse_pair(cert.path, cert.key) == [
        f'{cert.path}: "server" is signed with {name}, which clients refuse']


def test_a_root_may_have_an_old_signature(desk, pki):
    authority = pki.authority("rsa-ca", kind="rsa2048", digest="sha1")
    cert = pki.cert(pki.key("p256"), "DNS:a.test", authority)
    desk.trusted = authority.path
    desk.warned(*pair(desk.chain(cert, authority), cert.key))


def test_an_issuer_with_a_short_key_is_refused(desk, pki, root):
    middle = pki.authority("weak", root, kind="rsa1024", subject="/CN=Weak")
    cert = pki.cert(pki.key("p256"), "DNS:a.test", middle)
    path = desk.chain(cert, middle)
    assert desk.refuse_pair(path, cert.key) == [
        f'{path}: the RSA key of "Weak" has 1024 bits; clients refuse less than 2048']


# ---- Names and hosts ---------------------------------------------------------------------------


@pytest.mark.parametrize("names", [None, "email:a@b.test", "URI:https://a.test/"])
def test_a_certificate_without_names_is_refused(desk, pki, names):
    cert = pki.cert(pki.key("p256"), names, subject="/CN=a.test")
    assert desk.refuse_pair(cert.path, cert.key) == [
        f"{cert.path}: names no host (no subjectAltName), and browsers do not look at "
        "the common name"]


def test_a_certificate_for_addresses_is_warned_about(desk, pki):
    cert = pki.cert(pki.key("p256"), "IP:192.0.2.1")
    bundle, warnings = desk.warned(*pair(cert.path, cert.key))
    assert warnings == [f"{cert.path}: names addresses only: "
                        "it is for clients that come without a host name"]
    assert bundle.chains[0].names == []


@pytest.mark.parametrize("name, reason", [
    ("f*.example.org", "no client matches its name f*.example.org: "
                       "a wildcard stands for the whole first label"),
    ("*.*.example.org", "no client matches its name *.*.example.org: "
                        "a wildcard stands for the whole first label"),
    ("www.*.org", "no client matches its name www.*.org: "
                  "a wildcard stands for the whole first label"),
    ("*", "no client matches its name *: a wildcard stands for the whole first label"),
    ("a b.test", "one of its names is no host name; no client matches it"),
    ("a..test", "one of its names is no host name; no client matches it"),
    ("-a.test", "one of its names is no host name; no client matches it"),
    ("192.0.2.1", "one of its names is no host name; no client matches it"),
    ("x" * 64 + ".test", "one of its names is no host name; no client matches it"),
])
def test_names_that_nobody_matches_are_left_out(desk, pki, name, reason):
    cert = pki.cert(pki.key("p256"), f"DNS:{name},DNS:good.test")
    bundle, warnings = desk.warned(*pair(cert.path, cert.key))
    assert warnings == [f"{cert.path}: {reason}"]
    assert bundle.chains[0].names == ["good.test"]


def test_hosts_are_in_lower_case_and_none_twice(desk, good):
    bundle = desk.make(*good, "--host", "WWW.Example.org", "--host", "example.org",
                       "--host", "www.example.ORG")
    assert bundle.hosts == ["www.example.org", "example.org"]


@pytest.mark.parametrize("host, covered", [
    ("example.org", True), ("a.example.org", True), ("A.EXAMPLE.ORG", True),
    ("a.b.example.org", False), ("example.com", False), ("xexample.org", False),
    ("org", False)])
def test_a_host_has_to_be_in_a_certificate(desk, good, host, covered):
    if covered:
        assert desk.make(*good, "--host", host).hosts == [host.lower()]
    else:
        assert desk.refuse(*good, "--host", host) == [
            f"{host}: no certificate names this host"]


def test_a_host_may_be_in_any_certificate(desk, pki, good):
    cert = pki.cert(pki.key("p384"), "DNS:other.test")
    words = [*good, *pair(cert.path, cert.key)]
    assert desk.make(*words, "--host", "other.test").hosts == ["other.test"]


@pytest.mark.parametrize("host, reason", [
    ("", "is empty"),
    ("b\u00fccher.example", "is not ASCII; write it as DNS has it, xn--... "
                            "(the command idn2 tells)"),
    ("https://example.org", "is not a host name: leave out https:// and the path"),
    ("example.org/", "is not a host name: leave out https:// and the path"),
    ("example.org:443", "is not a host name: leave out the port"),
    ("::1", "is not a host name: leave out the port"),
    ("*.example.org", "is a pattern; write the names that are served"),
    ("example.org.", "ends in a dot; leave it out"),
    ("a..example.org", "has two dots in a row, or one at its start"),
    (".example.org", "has two dots in a row, or one at its start"),
    ("-a.example.org", "has a part that begins or ends with '-'"),
    ("a-.example.org", "has a part that begins or ends with '-'"),
    ("a_b.example.org", "is not a host name: it takes letters, digits, '-' and '.'"),
    ("192.0.2.1", "is an address; a name is needed"),
    ("x" * 64 + ".example.org", "has a part between dots of more than 63 characters"),
    ("a." * 127, "is longer than 253 characters"),
])
def test_what_is_no_host_name_is_refused(desk, good, host, reason):
    assert desk.refuse(*good, "--host", host) == [f"{host}: {reason}"]


def test_the_longest_host_names(desk, pki):
    names = ["x" * 63 + ".test", ".".join(["a" * 49] * 5 + ["b" * 3])]
    assert len(names[1]) == 253
    cert = pki.cert(pki.key("p256"), ",".join(f"DNS:{n}" for n in names))
    bundle = desk.make(*pair(cert.path, cert.key), "--host", names[0], "--host", names[1])
    assert bundle.hosts == bundle.chains[0].names == names


def test_a_host_without_certificate_is_refused(desk):
    assert desk.refuse("--host", "example.org") == [
        "example.org: a host needs a certificate"]


# ---- Settings ---------------------------------------------------------------------------------


@pytest.mark.parametrize("word", [
    "ip=dhcp", "ip=off", "ip=10.0.0.2::10.0.0.1:255.255.255.0::eth0:off",
    "ip=10.0.0.2/24::10.0.0.1", "ip6=auto", "ip6=off", "ip6=2001:db8::2/64,fe80::1",
    "log=on", "log=off", "stats=1", "stats=86400", "on-crash=restart",
    "on-crash=reboot", "on-crash=poweroff", "redirect=off", "redirect=https",
    "redirect=https:1", "redirect=https:65535", "hsts=off", "hsts=0",
    "hsts=999999999", "hsts=300,includeSubDomains",
    "hsts=31536000,includeSubDomains,preload", "sni=default", "sni=refuse",
    "acme_thumbprint=6fXAG9VyG0IahirPEU2ZerUtItW2DHzDzD9wZa-_pqd"])
def test_every_setting_is_taken(desk, good, word):
    assert desk.make(*good, "--settings", word).settings == word


SYNTAX = {"stats": "1 to 86400 (seconds)", "log": "on or off",
           "on-crash": "restart, reboot or poweroff",
           "redirect": "off, https or https:PORT",
           "hsts": "off or SECONDS[,includeSubDomains][,preload]",
           "sni": "default or refuse",
           "acme_thumbprint": "the 43 characters that the ACME client calls thumbprint"}


@pytest.mark.parametrize("word", [
    "log=", "log=yes", "log=ON", "stats=", "stats=0", "stats=86401", "stats=-1",
    "stats=1s", "stats=99999999999999999999", "on-crash=", "on-crash=halt",
    "redirect=", "redirect=http", "redirect=https:", "redirect=https:0",
    "redirect=https:65536", "redirect=https:44x", "redirect=on", "hsts=", "hsts=on",
    "hsts=-1", "hsts=1000000000", "hsts=5,", "hsts=5,preload,includeSubDomains",
    "hsts=5,includesubdomains", "sni=", "sni=strict",
    "acme_thumbprint=", "acme_thumbprint=" + "a" * 42, "acme_thumbprint=" + "a" * 44,
    "acme_thumbprint=" + "a" * 42 + "+"])
def test_a_wrong_value_is_refused(desk, good, word):
    name = word.split("=")[0]
    assert desk.refuse(*good, "--settings", f"ip=dhcp {word}") == [
        f"{word}: {name}= takes {SYNTAX[name]}"]


@pytest.mark.parametrize("word, reason", [
    ("ip=1.2.3", "ip=: the first field is not an IPv4 address of a host."),
    ("ip=10.0.0.2/33", "ip=: the number after the slash is not 1 to 32."),
    ("ip6=fe80::/48", "ip6=: the address needs /64 behind it; other prefix lengths are "
                      "not offered."),
])
def test_a_wrong_address_is_refused(desk, good, word, reason):
    assert desk.refuse(*good, "--settings", word) == [f"{word}: {reason}"]


@pytest.mark.parametrize("word", ["logs=off", "log", "=off", "LOG=off", "virtio_mmio.device=1"])
def test_an_unknown_setting_is_refused(desk, good, word):
    assert desk.refuse(*good, "--settings", word) == [
        f"{word}: no such setting; there are: ip= ip6= log= stats= on-crash= redirect= "
        "hsts= sni= acme_thumbprint="]


def test_the_readme_and_the_tool_know_the_same_settings(desk, good):
    with open("README.md", encoding="utf-8") as text:
        table = text.read().split("## Settings")[1].split("\n## ")[0]
    documented = set()
    for row in re.findall(r"^\| (`.*?) \|", table, re.M):
        documented |= set(re.findall(r"`([a-z0-9_-]+)=", row))
    known = set(re.findall(r" ([a-z0-9_-]+)=", desk.refuse(*good, "--settings", "x=y")[0]))
    assert documented == known


def test_settings_are_ascii(desk, good):
    word = "ip=10.0.0.2::10.0.0.1:255.255.255.0:h\u00f6st:eth0:off"
    assert desk.refuse(*good, "--settings", word) == [f"{word}: settings are ASCII"]


def test_a_setting_twice_is_refused(desk, good):
    assert desk.refuse(*good, "--settings", "log=on sni=refuse log=off") == [
        "log=off: log= is given twice"]


def test_settings_that_need_a_certificate_are_warned_about(desk):
    for word in "redirect=https", "hsts=300", "sni=refuse":
        _, warnings = desk.warned("--settings", word)
        assert warnings == [f"{word}: means nothing without a certificate"]


def test_half_a_preload_is_warned_about(desk, good):
    for value in "300,includeSubDomains,preload", "31536000,preload":
        bundle, warnings = desk.warned(*good, "--settings", f"hsts={value}")
        assert warnings == ["hsts: browsers' preload lists want at least "
                            "31536000,includeSubDomains,preload"]
        assert bundle.settings == f"hsts={value}"


def test_as_many_settings_as_there_may_be(desk):
    def words(length):
        rest = length - len("ip=10.0.0.2::::")
        return "ip=10.0.0.2::::" + "x" * rest

    too_long = ["the settings: are longer than 1023 characters together"]
    for end in "", " log=off":
        fits = words(1023 - len(end)) + end
        assert desk.make("--settings", fits).settings == fits
        assert desk.refuse("--settings", words(1024 - len(end)) + end) == too_long


# ---- The output -------------------------------------------------------------------------------


def test_the_output_is_for_its_owner_only(desk, good):
    desk.out.write_bytes(b"the old one")
    desk.out.chmod(0o666)
    desk.make(*good, preexec_fn=lambda: os.umask(0))    # make() looks at the mode


def test_the_output_has_to_be_in_a_folder_that_can_be_written(desk, good):
    out = desk.base / "nowhere" / "x.bin"
    done = desk.run(*good, "-o", out)
    assert (done.returncode, done.stderr) == (
        1, f"mkinstance: error: {out}: cannot be written: No such file or directory\n")
    folder = desk.base / "locked"
    folder.mkdir(0o500)
    secret = desk.file("secret", "x")
    secret.chmod(0)
    needs_rights_taken(secret)
    key = desk.file("mine.key", open(good[3], "rb").read())
    done = desk.run(*pair(good[1], key), "-o", folder / "x.bin", before=without_override())
    assert (done.returncode, done.stderr) == (
        1, f"mkinstance: error: {folder}/x.bin: cannot be written: Permission denied\n")


def test_the_output_cannot_be_a_folder(desk, good):
    done = desk.run(*good, "-o", desk.empty)
    assert (done.returncode, done.stderr) == (
        1, f"mkinstance: error: {desk.empty}: is a folder\n")


@pytest.mark.parametrize("index", [1, 3])
def test_the_output_cannot_be_an_input(desk, good, index):
    with open(good[index], "rb") as source:
        content = source.read()
    words = list(good)
    words[index] = desk.file("input", content)
    done = desk.run(*words, "-o", words[index])
    assert (done.returncode, done.stderr) == (
        1, f"mkinstance: error: {words[index]}: would overwrite what it is made from\n")
    assert words[index].read_bytes() == content


def test_a_full_disk_leaves_the_old_bundle(desk, good):
    errors = desk.refuse(*good, preexec_fn=lambda: resource.setrlimit(
        resource.RLIMIT_FSIZE, (4096, 4096)))
    assert errors == [f"{desk.out}: cannot be written: File too large"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_the_old_bundle(desk, good, number):
    desk.out.write_bytes(b"the old one")
    cert = desk.base / "slow.pem"
    os.mkfifo(cert)
    with subprocess.Popen([MKINSTANCE, *good, *pair(cert, good[3]), "-o", desk.out],
                          start_new_session=True, stdin=subprocess.DEVNULL) as process:
        with open(cert, "wb"):                # it waits for certificates now
            process.send_signal(number)
            assert process.wait(30) == -number
    desk.nothing_left()
    assert desk.out.read_bytes() == b"the old one"


def test_no_key_is_ever_printed(desk, pki, server, middle):
    """Whatever is said, of all numbers of the keys not 8 bytes are in it."""
    rsa = pki.cert(pki.key("rsa2048"), "DNS:rsa.test")
    said = ""
    for words in ([*pair(desk.chain(server, middle), server.key), *pair(rsa.path, rsa.key)],
                  pair(rsa.path, server.key), pair(rsa.key, rsa.path)):
        done = desk.run(*words, "-o", desk.out)
        said += done.stdout + done.stderr
    listed = desk.run("--list", desk.out)
    said = re.sub(r"[\s:]", "", said + listed.stdout + listed.stderr).lower()
    secrets = [pki_.numbers(server.key)["priv"]]
    secrets += [v for k, v in pki_.numbers(rsa.key).items()
                if k not in ("modulus", "publicExponent")]
    for secret in secrets:
        digits = f"{secret:x}"
        assert not any(digits[i:i + 16] in said for i in range(len(digits) - 15))


# ---- For development ---------------------------------------------------------------------------


@pytest.fixture
def develop(desk):
    def run(*words):
        return desk.run("--development", "-o", desk.base / "development.bin", *words)
    return run


def test_a_development_bundle_is_for_localhost(desk, develop):
    done = develop()
    out, crt = desk.base / "development.bin", desk.base / "development.crt"
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == ("made a key and a self-signed certificate for localhost, "
                           f"valid for a year: {out}, {crt}\n")
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert stat.S_IMODE(crt.stat().st_mode) == 0o644
    bundle = Bundle(out.read_bytes())
    chain, = bundle.chains
    assert bundle.flags == 1 and bundle.hosts == [] and bundle.settings == ""
    assert chain.names == ["localhost"] and chain.self_signed
    assert bundle.keys[0].kind == "p256"
    now = time.time()
    assert now - 3700 < chain.not_before <= now - 3600
    assert now + 364 * DAY < chain.not_after <= now + 365 * DAY
    assert chain.certs == [openssl("x509", "-in", crt, "-outform", "DER", text=False)]
    text = openssl("x509", "-in", crt, "-noout", "-text")
    assert "DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1" in text
    assert "CA:FALSE" in text and "TLS Web Server Authentication" in text
    openssl("verify", "-CAfile", crt, "-verify_hostname", "localhost", "-purpose",
            "sslserver", crt)
    openssl("verify", "-CAfile", crt, "-verify_ip", "::1", crt)
    # The key is the certificate's: r = k * G is openssl's to compute.
    public = openssl("x509", "-in", crt, "-noout", "-pubkey")
    private = desk.file("x.der", pki_.der(0x30, pki_.der_int(1) + pki_.der(
        4, bundle.keys[0].x.to_bytes(32, "big")) + bytes.fromhex(
            "a00a06082a8648ce3d030107")))
    assert openssl("ec", "-inform", "DER", "-in", private, "-pubout") == public


def test_a_development_bundle_is_made_once(desk, develop):
    develop()
    out, crt = desk.base / "development.bin", desk.base / "development.crt"
    before = out.read_bytes(), crt.read_bytes()
    done = develop()
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (out.read_bytes(), crt.read_bytes()) == before
    crt.unlink()
    assert develop().stdout == ""
    assert (out.read_bytes(), crt.read_bytes()) == before


@pytest.mark.parametrize("days, again", [(357, False), (359, True), (400, True), (-2, True)])
def test_a_development_bundle_is_made_again_in_time(desk, develop, days, again):
    develop()
    out = desk.base / "development.bin"
    before = out.read_bytes()
    done = develop("--now", int(time.time()) + days * DAY)
    assert done.returncode == 0
    assert (done.stdout != "") == again
    assert (out.read_bytes() != before) == again


def test_two_development_bundles_have_different_keys(desk):
    for name in "a", "b":
        assert desk.run("--development", "-o", desk.base / name, "-q").stdout == ""
    a, b = (Bundle((desk.base / name).read_bytes()) for name in "ab")
    assert a.keys[0].x != b.keys[0].x
    assert (desk.base / "a.crt").exists()


def test_a_development_bundle_replaces_nothing_else(desk, develop, good):
    out = desk.base / "development.bin"
    assert desk.run(*good, "-o", out).returncode == 0
    real = out.read_bytes()
    done = develop()
    assert (done.returncode, done.stderr) == (
        1, f"mkinstance: error: {out}: is a bundle, and not one for development\n")
    assert out.read_bytes() == real
    out.write_bytes(b"x" * 9000)
    done = develop()
    assert (done.returncode, done.stderr) == (
        1, f"mkinstance: error: {out}: exists and is no development bundle\n")


# ---- Usage --------------------------------------------------------------------------------------


@pytest.mark.parametrize("words, reason", [
    ([], "-o FILE is needed"),
    (["-o", "x"], "there is nothing to put in"),
    (["--settings", "log=off"], "-o FILE is needed"),
    (["--development"], "-o FILE is needed"),
    (["--list", "x", "-o", "y"], "--list makes nothing"),
    (["--development", "-o", "x", "--host", "a"],
     "--development and --list take no certificates, keys, hosts or settings"),
    (["--list", "x", "--settings", "log=off"],
     "--development and --list take no certificates, keys, hosts or settings"),
    (["-o", "x", "--settings", "log=off", "a.pem"], "every file has an option of its own"),
    (["--cert", "x", "-o", "x"],
     "1 certificate files and 0 key files: each certificate needs its key"),
    (["-o", "x", "--now", "soon"], "--now: 'soon' is no time in Unix seconds"),
])
def test_wrong_usage(desk, words, reason):
    done = desk.run(*words, cwd=desk.empty)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"mkinstance: {reason}\nTry 'mkinstance --help'.\n"
    assert os.listdir(desk.empty) == []


def test_help(desk):
    done = desk.run("--help")
    assert done.returncode == 0 and done.stdout.startswith("usage: mkinstance ")
    assert desk.run("--nonsense").returncode == 2


def test_a_summary_that_cannot_be_written_is_an_error(desk, good):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([MKINSTANCE, *good, "-o", desk.out], stdout=full, check=False,
                              env=desk.environment(), stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert done.stderr == "mkinstance: error: stdout: No space left on device\n"
