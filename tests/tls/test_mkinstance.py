"""mkinstance as a command: what it makes, shows and writes.

Bundles are read back with read_bundle.py, which knows the format from its
description only, and compared with what openssl says of the same files.

timeout: 600
"""
import os
import re
import resource
import signal
import stat
import struct
import subprocess
import time

import pytest
from certmaker import der, der_int, numbers, openssl, prime, rsa_pem
from desk import (
    DAY, MKINSTANCE, damage, needs_rights_taken, pair, resealed, same_key, shown, unix_date,
    without_override,
)
from read_bundle import Bundle

LIMIT_CHAINS = 16             # config/limits.h
LIMIT_CHAIN_CERTS = 8         # config/limits.h
LIMIT_CHAIN_LEN = 12288       # config/limits.h


# ---- What is made ----------------------------------------------------------------


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
    primes = sorted(prime(1024) for _ in range(2))
    key = desk.file("small-first.key", rsa_pem(*primes))
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


# ---- What is shown ---------------------------------------------------------------


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
    desk.out.write_bytes(resealed(data))
    listed = desk.run("--list", desk.out)
    assert listed.stderr == (f"mkinstance: error: {desk.out}: is damaged: "
                             "a part of it lies outside\n")


@pytest.mark.parametrize("length", [0, 1, 0x7fffffff, 0xfffffffc, 0xffffffff])
def test_a_bundle_with_wild_lengths_is_not_listed(desk, good, length):
    desk.make(*good)
    data = desk.out.read_bytes()
    certs, = struct.unpack_from("<I", data, 4096 + 4 * PUBLIC.index("certs.off"))
    data = damage(data, 4096 + certs, struct.pack("<I", length))
    desk.out.write_bytes(resealed(data))
    assert desk.run("--list", desk.out).stderr.endswith("a part of it lies outside\n")


# ---- The output ------------------------------------------------------------------


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
    # Who runs this in the background may have had SIGHUP ignored, which is inherited.
    with subprocess.Popen([MKINSTANCE, *good, *pair(cert, good[3]), "-o", desk.out],
                          start_new_session=True, stdin=subprocess.DEVNULL,
                          preexec_fn=lambda: signal.signal(number, signal.SIG_DFL)) as process:
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
    secrets = [numbers(server.key)["priv"]]
    secrets += [v for k, v in numbers(rsa.key).items()
                if k not in ("modulus", "publicExponent")]
    for secret in secrets:
        digits = f"{secret:x}"
        assert not any(digits[i:i + 16] in said for i in range(len(digits) - 15))


# ---- For development -------------------------------------------------------------


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
    private = desk.file("x.der", der(0x30, der_int(1) + der(
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
    # Nor what was a real one once: its header still says so.
    for other in b"x" * 9000, damage(real, 4200, b"x"), real[:4096]:
        out.write_bytes(other)
        done = develop()
        assert (done.returncode, done.stderr) == (
            1, f"mkinstance: error: {out}: exists and is no development bundle\n")


@pytest.mark.parametrize("off, value", [(8, b"\7"), (4200, b"x")])
def test_a_damaged_or_older_development_bundle_is_made_anew(desk, develop, off, value):
    out = desk.base / "development.bin"
    assert develop().returncode == 0
    out.write_bytes(damage(out.read_bytes(), off, value))
    done = develop()
    assert (done.returncode, done.stderr) == (0, "")
    assert "made a key" in done.stdout
    assert Bundle(out.read_bytes()).flags == 1


# ---- Usage -----------------------------------------------------------------------


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
