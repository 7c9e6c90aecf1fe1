#!/usr/bin/python3
"""What an instance bundle brings: lines on the console, HTTP beside HTTPS, settings;
and bundles that are refused.

timeout: 600
"""
import datetime
import functools
import hashlib
import os
import random
import re
import ssl
import struct
import subprocess
import sys
import time

import certs
import sites
import vm
from certs import Leaf

BODIES = ("process", "q35")
PAGE = 4096             # BUNDLE_PAGE
SHA256_OFF = 40         # bundle_header.sha256
SETTINGS_OFF = 72       # bundle_header.settings
LEAVES = (Leaf("p256", ("stele.test", "www.stele.test")), Leaf("rsa2048", ("a.test",)))
HSTS = "strict-transport-security"
THUMBPRINT = "LPJNul-wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ"
TOKEN = "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA"


@functools.lru_cache(maxsize=None)
def authority():
    return certs.Authority("instance")


@functools.lru_cache(maxsize=None)
def bundle(host="", settings="", leaves=LEAVES):
    name = hashlib.sha256(repr((host, settings, leaves)).encode()).hexdigest()[:16]
    return authority().bundle(name, leaves, host, settings)


@functools.lru_cache(maxsize=None)
def development():
    """As `make run` makes it; returns (bundle, certificate)."""
    path = os.path.join(authority().folder, "development.bin")
    if os.path.exists(path):
        os.remove(path)
    vm.run(os.path.join(vm.BUILD, "mkinstance"), "--quiet", "--development",
           "-o", path)
    return path, path.replace(".bin", ".crt")


@functools.lru_cache(maxsize=None)
def built():
    rom = vm.make_rom(sites.small_site(1024), "instance")
    return rom, vm.make_image(rom, "instance")


def start(body, instance, append="", **options):
    rom, image = built()
    if body == "process":
        return vm.Process(rom, append, instance=instance)
    return vm.Machine(body, image, append=append, instance=instance, **options)


def private_fetch(server, target="/", name="stele.test", trust=None):
    tls = authority().trusting()
    if trust:
        tls.load_verify_locations(trust)
    return vm.fetch(server.ipv4, target, tls=tls, name=name)


# ---- Console -----------------------------------------------------------------------

def certificates_are_named(body):
    with start(body, bundle()) as server:
        server.wait_ready()
        server.wait_console(
            r"^certificate 0: stele\.test, www\.stele\.test; .*Stele Test CA 1; "
            r"ECDSA P-256; (89|90) days left$")
        server.wait_console(
            r"^certificate 1: a\.test; .*Stele Test CA 1; RSA 2048; (89|90) days left$")
        server.wait_console(r"^https: on port 443")
        assert "warning: certificate" not in server.console()


def few_days_are_warned_of(body):
    """Below LIMIT_CERT_DAYS; still served."""
    leaves = (Leaf("p256", ("stele.test",), 10), Leaf("p384", ("b.test",), 16))
    with start(body, bundle(leaves=leaves)) as server:
        server.wait_ready()
        server.wait_console(r"^warning: certificate 0: stele\.test; .* (9|10) days left$")
        server.wait_console(r"^certificate 1: b\.test; .* (15|16) days left$")
        assert private_fetch(server)[0] == 200


def machine_of_another_time_says_so(machine):
    """The machine's clock decides; clients decide for themselves."""
    year = datetime.date.today().year
    for date, words in (f"{year + 2}-01-01", r"expired \d+ days ago"), \
            (f"{year - 5}-01-01", "not valid before "):
        with start(machine, bundle(), date=date) as server:
            server.wait_ready()
            server.wait_console(rf"^warning: certificate 0: .*; {words}")
            assert private_fetch(server)[0] == 200


def without_a_bundle_there_is_http_only(body):
    with start(body, None) as server:
        server.wait_ready()
        server.wait_console(r"^https: none")
        assert vm.fetch(server.ipv4, "/")[0] == 200
        try:
            vm.connect(server.ipv4, 443, timeout=3).close()
        except ConnectionRefusedError:
            return
        raise AssertionError("something listens on port 443")


# ---- HTTP beside HTTPS -------------------------------------------------------------

def get(server, target, *fields, host="stele.test", method="GET"):
    with vm.Client(server.ipv4, name=host) as client:
        return client.get(target, method, fields)


def plain_http_redirects(body):
    """RFC 9110, section 15.4.9: 308 keeps the method, and here path and query."""
    with start(body, bundle("stele.test www.stele.test",
                            f"acme_thumbprint={THUMBPRINT}")) as server:
        server.wait_ready()
        server.wait_console("^https: .*redirects to port 443")
        for host, target, location in (
                ("stele.test", "/", "https://stele.test/"),
                ("www.stele.test", "/a/b?c=d&e=%20f",
                 "https://www.stele.test/a/b?c=d&e=%20f"),
                ("STELE.test:80", "/missing?", "https://stele.test/missing?"),
                # Nobody is led to a host that is not ours.
                ("evil.test", "/x?y", "https://stele.test/x?y")):
            status, fields, _ = get(server, target, host=host)
            assert (status, fields["location"].replace("STELE", "stele")) == \
                (308, location), (host, fields)
            assert HSTS not in fields      # RFC 6797, section 7.2: never over HTTP
        assert get(server, "/", method="HEAD")[0] == 308
        challenges_are_answered(server)
        # No challenge: a file of the site over HTTPS.
        assert private_fetch(server, f"/.well-known/acme-challenge/{TOKEN}")[0] == 404
        status, fields, _ = private_fetch(server)
        assert (status, fields[HSTS]) == (200, "max-age=31536000")
        assert private_fetch(server, "/missing")[1][HSTS] == "max-age=31536000"


def challenges_are_answered(server):
    """RFC 8555, section 8.3; a token is base64url and nothing else."""
    begin = "/.well-known/acme-challenge/"
    for host in "stele.test", "other.test":
        status, _, body = get(server, begin + TOKEN, host=host)
        assert (status, body.decode()) == (200, f"{TOKEN}.{THUMBPRINT}"), (status, body)
    for token in ("", "a/b", "a%41", "..", "a.b", "a b".replace(" ", "%20"), "a?b=",
                  "a" * 4000, "a=", "<script>"):
        status, _, body = get(server, begin + token)
        if token == "a?b=":
            continue        # the token is "a"
        assert status in (308, 400, 404) and b"." + THUMBPRINT.encode() not in body, token


def settings_have_their_say(body):
    """Those of the bundle, and behind them those of the command line."""
    words = "redirect=off hsts=60,includeSubDomains log=off"
    with start(body, bundle("stele.test", words)) as server:
        server.wait_ready()
        assert get(server, "/")[0] == 200
        fields = private_fetch(server)[1]
        assert fields[HSTS] == "max-age=60; includeSubDomains", fields
        assert "GET / HTTP" not in server.console()
    with start(body, bundle("stele.test", words),
               append="hsts=off log=on redirect=https:8443") as server:
        server.wait_ready()
        status, fields, _ = get(server, "/x")
        assert (status, fields["location"]) == (308, "https://stele.test:8443/x")
        assert HSTS not in private_fetch(server)[1]
        server.wait_console("GET / HTTP")


def without_host_http_is_the_site(body):
    with start(body, bundle()) as server:
        server.wait_ready()
        status, fields, _ = get(server, "/")
        assert status == 200 and HSTS not in fields
        assert get(server, f"/.well-known/acme-challenge/{TOKEN}")[0] == 404
        assert HSTS in private_fetch(server)[1]


def development_promises_nothing(body):
    """Neither redirect nor HSTS: a browser would remember it for localhost."""
    made, certificate = development()
    with start(body, made, append="hsts=100") as server:
        server.wait_ready()
        assert vm.fetch(server.ipv4, "/")[0] == 200
        status, fields, _ = private_fetch(server, name="localhost", trust=certificate)
        assert status == 200 and HSTS not in fields
        server.wait_console("self-signed, for development only")
        try:
            private_fetch(server, name="localhost")
        except ssl.SSLCertVerificationError:
            return
        raise AssertionError("a certificate that nobody signed was trusted")


# ---- Bundles that are refused ------------------------------------------------------

def resealed(data):
    """The same with a digest that fits."""
    before, after = data[:SHA256_OFF], data[SHA256_OFF + 32:]
    return before + hashlib.sha256(before + bytes(32) + after).digest() + after


def damaged_bundles():
    """Yield (name, bytes)."""
    with open(bundle(settings="log=off"), "rb") as f:
        good = f.read()
    public_off, public_len, secret_off, secret_len = struct.unpack_from("<4I", good, 16)
    assert (public_off, secret_off + secret_len) == (PAGE, len(good))
    assert resealed(good) == good

    def with_bit(at, bit=0):
        return good[:at] + bytes([good[at] ^ 1 << bit]) + good[at + 1:]

    def with_word(at, value):
        return good[:at] + struct.pack("<I", value) + good[at + 4:]
    for at, name in ((0, "magic"), (8, "version"), (12, "flags"), (16, "public_off"),
                     (20, "public_len"), (28, "secret_len"), (32, "key_count"),
                     (SHA256_OFF + 9, "digest"), (SETTINGS_OFF + 4, "settings"),
                     (PAGE - 1, "header's rest"),
                     (public_off, "public part"), (secret_off - 1, "public part's end"),
                     (secret_off + 30, "first key"), (len(good) - 1, "last byte")):
        yield name + " with another bit", with_bit(at)
    yield "settings that are no text", \
        resealed(good[:SETTINGS_OFF] + b"log=\x01ff" + good[SETTINGS_OFF + 7:])
    yield "half", good[:len(good) // 2 // PAGE * PAGE]
    yield "a byte less", good[:-1]
    yield "a page more", good + bytes(PAGE)
    yield "the header alone", good[:PAGE]
    yield "a page less a byte", good[:PAGE - 1]
    yield "one byte", b"S"
    yield "something else", random.Random(1).randbytes(50000)
    yield "too much", good + bytes(2 << 20)
    # With a digest that fits: whoever reads the numbers has to check them.
    for at, value, name in (
            (secret_off, 9, "a key of kind 9"), (secret_off + 4, 255, "of 255 bits"),
            (public_off, 17, "17 chains"), (public_off, 0xffffffff, "2^32 - 1 chains"),
            (public_off + 16, 5, "a chain with key 5"),
            (public_off + 20, 2, "a key of another kind"),
            (public_off + 28, 99, "99 certificates"),
            (public_off + 32, public_len - 4, "certificates at the end"),
            (public_off + 36, 0xfffffff0, "certificates of 4 GiB"),
            (public_off + 40, 0x80000000, "names elsewhere")):
        yield name, resealed(with_word(at, value))


def last_words(server):
    """What it says until it ends, or halts as boot/ does."""
    end = time.monotonic() + 20
    while not server.ended() and time.monotonic() < end and \
            not re.search("cannot start: .*\n|^boot:", server.console(), re.M):
        time.sleep(0.05)
    return server.console() + vm.read_text(server.errors_path)


def damaged_bundle_is_refused(body):
    """With a sentence, and for good: a machine that served without HTTPS, or with
    half of it, would be worse."""
    path = os.path.join(authority().folder, f"damaged-{body}.bin")
    wrong = []
    for name, data in damaged_bundles():
        with open(path, "wb") as f:
            f.write(data)
        with start(body, path) as server:
            said = last_words(server)
            sentence = re.search(r"^.*(bundle|module).*$", said, re.M)
            if not sentence or re.search("panic|crash|ready after", said, re.I):
                wrong.append(f"{name}: {said[-200:]!r}")
            else:
                print(f"# {name}: {sentence.group(0)}")
    for line in wrong:
        print("# wrong: " + line)
    assert not wrong, f"{len(wrong)}: {wrong[0]}"


def bundle_that_is_not_there_is_an_error():
    done = subprocess.run(
        [os.path.join(vm.BUILD, "stele-process"), "--rom", built()[0],
         "--instance", "/nowhere/instance.bin", "--tap", "none"],
        check=False, capture_output=True, text=True, timeout=10)
    assert done.returncode != 0 and "/nowhere/instance.bin" in done.stderr, done.stderr


def main():
    vm.enter_private_network()
    suite = vm.Suite()
    for body in BODIES:
        for case in (certificates_are_named, few_days_are_warned_of,
                     without_a_bundle_there_is_http_only, plain_http_redirects,
                     settings_have_their_say, without_host_http_is_the_site,
                     development_promises_nothing, damaged_bundle_is_refused):
            suite.add(case, body)
    for machine in "pc", "microvm":
        suite.add(plain_http_redirects, machine)
    suite.add(machine_of_another_time_says_so, "q35")
    suite.add(bundle_that_is_not_there_is_an_error)
    return suite.main()


if __name__ == "__main__":
    sys.exit(main())
