#!/usr/bin/python3
"""TLS clients that nobody here wrote: openssl s_client, curl, gnutls-cli, sslscan.

Every suite, curve and kind of key; names, versions, protocols, resumption; and what
has to be refused, with the alert that says why.  On the virtual machine and as a
process; a server is started once for many cases.

timeout: 600
"""
import functools
import os
import random
import re
import socket
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree

import certs
import vm

BODIES = ("process", "q35")
LARGE_LEN = 300_000
GET = b"GET / HTTP/1.1\r\nHost: stele.test\r\nConnection: close\r\n\r\n"

ECDSA = ("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
         "ECDHE-ECDSA-CHACHA20-POLY1305")
RSA = tuple(suite.replace("ECDSA", "RSA") for suite in ECDSA)
# Names of certs.MAIN, and the kind of key that each has alone.
ONE_KEY = {"p384.test": "p384", "rsa3072.test": "rsa3072", "rsa4096.test": "rsa4096",
           "exact.test": "p256", "inner.wild.test": "rsa2048"}


@functools.lru_cache(maxsize=None)
def authority():
    return certs.Authority("clients")


@functools.lru_cache(maxsize=None)
def bundle():
    return authority().bundle("main", certs.MAIN)


@functools.lru_cache(maxsize=None)
def site():
    out = os.path.join(vm.BUILD, "system", "site-tls")
    os.makedirs(out, exist_ok=True)
    numbers = random.Random(3)
    with open(os.path.join(out, "index.html"), "wb") as f:
        f.write(b"<!doctype html><title>stele</title>" + b"x" * 1000)
    for number in range(50):
        with open(os.path.join(out, f"{number}.bin"), "wb") as f:
            f.write(numbers.randbytes(numbers.randrange(1, 40000)))
    with open(os.path.join(out, "large.bin"), "wb") as f:
        f.write(numbers.randbytes(LARGE_LEN))
    return out


def file_of(name):
    with open(os.path.join(site(), name), "rb") as f:
        return f.read()


@functools.lru_cache(maxsize=None)
def built():
    rom = vm.make_rom(site(), "tls")
    return rom, vm.make_image(rom, "tls")


def start(body, append="log=off"):
    rom, image = built()
    if body == "process":
        return vm.Process(rom, append, instance=bundle())
    return vm.Machine(body, image, append=append, instance=bundle())


server = vm.Shared(start)


# ---- openssl s_client --------------------------------------------------------------

class Said:
    """What a client printed, and how it ended."""

    def __init__(self, done):
        self.text = (done.stdout + done.stderr).decode("latin-1")
        self.status = done.returncode

    def __contains__(self, pattern):
        return re.search(pattern, self.text, re.M) is not None

    def one(self, pattern):
        found = re.search(pattern, self.text, re.M)
        assert found, f"no /{pattern}/; status {self.status}; {self.tail()}"
        return found.group(1)

    def tail(self):
        lines = self.text.splitlines()
        errors = [line for line in lines if re.search("error|alert|rror:", line)]
        return " | ".join(line[:160] for line in errors[:3] or lines[-3:])


def s_client(address, *options, name="stele.test", say=b"", trust=True, port=443,
             version="-tls1_2"):
    """Connect, verify, say, and leave at the end of what was to be said."""
    words = ["-CAfile", authority().root, "-verify_return_error"] if trust else []
    if name:
        words += ["-servername", name] + (["-verify_hostname", name] if trust else [])
    else:
        words.append("-noservername")
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"{address}:{port}", *words,
         *version.split(), *options],
        check=False, input=say, capture_output=True, timeout=60)
    return Said(done)


def agreed(said):
    """(suite, kind of signature) of a handshake that went well."""
    assert said.status == 0, f"status {said.status}; {said.tail()}"
    assert "Protocol *: TLSv1.2" in said
    assert "^Verify return code: 0|Verification: OK" in said
    return (said.one(r"Cipher is (\S+)"), said.one(r"^Peer signature type: (\w+)"))


def every_suite_with_its_key(body):
    address = server(body).ipv4
    for suites, kind in (ECDSA, "ECDSA"), (RSA, "RSA"):
        for suite in suites:
            said = s_client(address, "-cipher", suite)
            assert agreed(said)[0] == suite
            assert agreed(said)[1].startswith(kind), agreed(said)
            assert "Compression: NONE" in said
            assert "Secure Renegotiation IS supported" in said
    extended = s_client(address).one(r"Extended master secret: (\w+)")
    print(f"# extended master secret: {extended}")


def every_kind_of_key(body):
    """Also shows that the whole chain is sent: the client knows the root alone."""
    address = server(body).ipv4
    for name, kind in ONE_KEY.items():
        said = s_client(address, name=name)
        bits = said.one(r"^Server public key is (\d+) bit")
        assert bits == kind.lstrip("prsa"), f"{name}: {bits}"
        for suite in RSA if kind.startswith("rsa") else ECDSA:
            said = s_client(address, "-cipher", suite, name=name)
            assert agreed(said)[0] == suite


def every_curve(body):
    address = server(body).ipv4
    for curves, suites, shown in (
            ("X25519", RSA, "X25519"), ("P-256", ECDSA + RSA, "prime256v1|P-256"),
            ("P-384", RSA, "secp384r1|P-384"),
            # The certificate's curve has to be among the client's, too.
            ("X25519:P-256", ECDSA, "X25519"), ("P-384:P-256", ECDSA, "")):
        for suite in suites:
            said = s_client(address, "-groups", curves, "-cipher", suite)
            agreed(said)
            assert f"^Server Temp Key: .*({shown})" in said, curves
    # RFC 8422, section 5.1: no ECDSA certificate on a curve that was not offered.
    assert agreed(s_client(address, "-groups", "X25519"))[0] in RSA
    said = s_client(address, "-groups", "P-384", name="p384.test")
    assert agreed(said)[0] in ECDSA
    for curve in "P-521", "X448", "brainpoolP256r1":
        refused(s_client(address, "-groups", curve), "handshake failure")


def every_hash(body):
    address = server(body).ipv4
    for name, scheme in (("stele.test", "ECDSA+SHA256"), ("stele.test", "ECDSA+SHA384"),
                         ("stele.test", "ECDSA+SHA512"), ("p384.test", "ECDSA+SHA256"),
                         ("p384.test", "ECDSA+SHA384"), ("stele.test", "RSA+SHA256"),
                         ("stele.test", "RSA+SHA384"), ("stele.test", "RSA+SHA512")):
        said = s_client(address, "-sigalgs", scheme, name=name)
        agreed(said)
        assert said.one(r"^Peer signing digest: (\w+)") == scheme.split("+")[1]
    refused(s_client(address, "-sigalgs", "ECDSA+SHA1:RSA+SHA1", "-cipher",
                     "ALL:@SECLEVEL=0"), "handshake failure")


def order_is_the_servers_but_for_chacha(body):
    """A client that prefers ChaCha20 has no AES instructions: it gets its way."""
    address = server(body).ipv4
    for offered, chosen in (
            (":".join(reversed(ECDSA[:2] + RSA[:2])), ECDSA[0]),
            (f"{RSA[1]}:{RSA[0]}", RSA[0]),
            (f"{ECDSA[0]}:{ECDSA[2]}", ECDSA[0]),
            (f"{ECDSA[2]}:{ECDSA[0]}", ECDSA[2]),
            (f"{RSA[2]}:{RSA[0]}", RSA[2])):
        said = s_client(address, "-cipher", offered)
        assert agreed(said)[0] == chosen, f"{offered}: {agreed(said)[0]}"


def two_keys_for_one_name(body):
    address = server(body).ipv4
    assert agreed(s_client(address))[1].startswith("ECDSA")
    rsa_only = s_client(address, "-sigalgs", "RSA+SHA256:RSA+SHA384")
    assert agreed(rsa_only) == (RSA[0], "RSA")
    ecdsa_only = s_client(address, "-sigalgs", "ECDSA+SHA256", "-cipher",
                          ":".join(RSA + ECDSA))
    assert agreed(ecdsa_only)[1].startswith("ECDSA")


def refused(said, *alerts):
    assert said.status != 0, "the handshake went well"
    found = said.one(r"(?:tlsv1|sslv3) (?:alert )?([a-z ]+):")
    assert found in alerts, f"alert {found}, not {alerts}"


# ---- Names -------------------------------------------------------------------------

def name_chooses_certificate(body):
    address = server(body).ipv4
    for name, subject in (
            ("stele.test", "stele.test"), ("STELE.Test", "stele.test"),
            ("www.stele.test", "stele.test"), ("p384.test", "p384.test"),
            ("a.wild.test", "*.wild.test"), ("A-9.WILD.TEST", "*.wild.test"),
            ("exact.test", "*.wild.test")):
        said = s_client(address, name=name)
        agreed(said)
        assert said.one(r"^subject=CN = (\S+)") == subject, name
    # An exact name comes before a wildcard: RFC 6125, section 6.4.4 in spirit.
    exact = s_client(address, name="inner.wild.test")
    assert exact.one(r"^subject=CN = (\S+)") == "inner.wild.test"
    # A wildcard stands for one whole label (RFC 9525, section 6.3); no name, or an
    # unknown one, is shown the default certificate.
    for name in ("a.b.wild.test", "wild.test", ".wild.test", "elsewhere.test",
                 "x" * 63 + ".test", "stele.test.", None):
        said = s_client(address, name=name, trust=False)
        assert said.status == 0, f"{name}: {said.tail()}"
        wanted = "stele.test"
        assert said.one(r"^subject=CN = (\S+)") == wanted, name


def unknown_name_can_be_refused(body):
    """With the alert unrecognized_name (RFC 6066, section 3); no name is no error."""
    address = server(body, "log=off sni=refuse").ipv4
    refused(s_client(address, name="elsewhere.test", trust=False), "unrecognized name")
    refused(s_client(address, name="a.b.wild.test", trust=False), "unrecognized name")
    agreed(s_client(address, name="a.wild.test"))
    assert s_client(address, name=None, trust=False).status == 0


# ---- Protocols and versions --------------------------------------------------------

def protocol_is_negotiated(body):
    """RFC 7301."""
    address = server(body).ipv4
    for offered, chosen in (("http/1.1", "http/1.1"), ("h2,http/1.1", "http/1.1"),
                            ("http/1.0,http/1.1,spdy/3", "http/1.1")):
        said = s_client(address, "-alpn", offered)
        agreed(said)
        assert said.one(r"^ALPN protocol: (\S+)") == chosen, offered
    assert "^No ALPN negotiated" in s_client(address)
    for offered in "h2", "h2,http/0.9", "http/1.1x":
        refused(s_client(address, "-alpn", offered), "no application protocol")


def old_versions_are_refused(body):
    address = server(body).ipv4
    for version in "-tls1", "-tls1_1":
        refused(s_client(address, "-cipher", "ALL:@SECLEVEL=0", version=version),
                "protocol version")
    # Who could do 1.3 is content with 1.2; who can do nothing else is refused: its
    # hello is one of 1.2 without a suite that 1.2 has (RFC 8446, section 4.1.2).
    said = s_client(address, version="")
    assert agreed(said)[0] in ECDSA
    refused(s_client(address, version="-tls1_3"), "handshake failure",
            "protocol version")
    # A downgrade that was not needed (RFC 7507), and one that brings no harm.
    agreed(s_client(address, "-fallback_scsv"))


def other_suites_are_refused(body):
    address = server(body).ipv4
    for cipher in ("AES128-GCM-SHA256", "AES128-SHA", "AES256-SHA256",
                   "DHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-SHA",
                   "ECDHE-ECDSA-AES256-SHA384", "ECDHE-ECDSA-AES128-CCM",
                   "ECDHE-RSA-CAMELLIA128-SHA256", "aNULL:eNULL"):
        refused(s_client(address, "-cipher", cipher + ":@SECLEVEL=0", trust=False),
                "handshake failure")
    # An RSA certificate only, and a client that wants ECDSA.
    refused(s_client(address, "-cipher", ECDSA[0], name="rsa3072.test"),
            "handshake failure")
    assert "Compression: NONE" in s_client(address, "-comp")


# ---- Resumption, renegotiation -----------------------------------------------------

def sessions_are_resumed_by_id(body):
    address = server(body).ipv4
    kept = os.path.join(authority().folder, f"session-{body}")
    for suite in ECDSA[0], RSA[2]:
        first = s_client(address, "-sess_out", kept, "-cipher", suite)
        agreed(first)
        number = first.one(r"Session-ID: ([0-9A-F]{64})$")
        assert "TLS session ticket" not in first
        again = s_client(address, "-sess_in", kept, "-cipher", suite)
        assert again.status == 0 and f"^Reused, TLSv1.2, Cipher is {suite}" in again
        assert again.one(r"Session-ID: ([0-9A-F]{64})$") == number
        # Still there, and used by many at once.
        assert "^Reused, " in s_client(address, "-sess_in", kept, "-cipher", suite,
                                       say=GET)
    said = s_client(address, "-reconnect", "-no_ticket")
    assert len(re.findall(r"^Reused, TLSv1.2", said.text, re.M)) == 5


def session_belongs_to_its_name(body):
    """Else a certificate would vouch for what it does not name."""
    address = server(body).ipv4
    kept = os.path.join(authority().folder, f"session-name-{body}")
    agreed(s_client(address, "-sess_out", kept))
    for name in "www.stele.test", "p384.test":
        other = s_client(address, "-sess_in", kept, name=name, trust=False)
        assert other.status == 0 and "^New, TLSv1.2" in other, name
    assert "^New, " in s_client(address, "-sess_in", kept, name=None, trust=False)
    # Without the session's suite among those offered it cannot be resumed.
    assert "^New, " in s_client(address, "-sess_in", kept, "-cipher", RSA[1])
    assert "^Reused, " in s_client(address, "-sess_in", kept)


def renegotiation_is_refused(body):
    address = server(body).ipv4
    client = subprocess.Popen(
        ["openssl", "s_client", "-connect", f"{address}:443", "-tls1_2",
         "-servername", "stele.test", "-CAfile", authority().root],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        time.sleep(0.5)
        client.stdin.write(b"R\n")
        client.stdin.flush()
        time.sleep(1)
        text = client.communicate(timeout=10)[0].decode("latin-1")
    finally:
        client.kill()
        client.wait()
    assert "RENEGOTIATING" in text
    assert re.search("no renegotiation", text), text[-300:]
    assert text.count("Certificate chain") == 1, "a second handshake"
    assert serves(server(body))


def serves(running):
    return vm.fetch(running.ipv4, "/", tls=authority().trusting())[0] == 200


# ---- Slow and cut up ---------------------------------------------------------------

class Proxy:
    """Forwards to a server in pieces, one per packet, with a pause after each."""

    def __init__(self, address, size, pause, port=443):
        self.target, self.size, self.pause = (address, port), size, pause
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                near = self.listener.accept()[0]
            except OSError:
                return
            near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            far = vm.connect(*self.target)
            for source, sink in (near, far), (far, near):
                threading.Thread(target=self._forward, args=(source, sink),
                                 daemon=True).start()

    def _forward(self, source, sink):
        try:
            while data := source.recv(4096):
                for at in range(0, len(data), self.size):
                    sink.sendall(data[at:at + self.size])
                    time.sleep(self.pause)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass


def slow_and_cut_up_handshakes(body):
    """A byte per packet; and pieces with pauses, on a whole handshake and a request."""
    running = server(body)
    for size, pause in (1, 0.0005), (7, 0.005), (97, 0.05):
        with Proxy(running.ipv4, size, pause) as proxy:
            for suite in ECDSA[0], RSA[2]:
                said = s_client("127.0.0.1", "-cipher", suite, "-quiet", "-ign_eof",
                                say=GET, port=proxy.port)
                assert said.status == 0, said.tail()
                assert "^HTTP/1.1 200 OK" in said and said.text.count("x" * 1000) == 1


def records_of_a_clients_size(body):
    """RFC 6066, section 4: who asks for short records must not get longer ones."""
    address = server(body).ipv4
    ask = GET.replace(b"/ ", b"/large.bin ", 1)
    for length in "512", "1024", "2048", "4096":
        said = s_client(address, "-maxfraglen", length, "-quiet", "-ign_eof", say=ask)
        assert said.status == 0, f"{length}: {said.tail()}"
        got = said.text.encode("latin-1")
        assert file_of("large.bin") in got, f"{length}: {len(got)} bytes"
    # What the client sends in short records is understood, too.
    said = s_client(address, "-split_send_frag", "1", "-max_send_frag", "512",
                    "-quiet", "-ign_eof", say=GET)
    assert "^HTTP/1.1 200 OK" in said


# ---- curl --------------------------------------------------------------------------

def curl(running, *words, check=True):
    done = subprocess.run(
        ["curl", "-sS", "--max-time", "60", "--cacert", authority().root,
         *(word for name in ("stele.test", "p384.test", "rsa4096.test")
           for word in ("--resolve", f"{name}:443:{running.ipv4}")), *words],
        check=False, capture_output=True)
    assert not check or done.returncode == 0, done.stderr.decode()
    return done


def curl_agrees(body):
    running = server(body)
    for name in "stele.test", "p384.test", "rsa4096.test":
        done = curl(running, "--fail", f"https://{name}/large.bin")
        assert done.stdout == file_of("large.bin")
    head = curl(running, "--head", "https://stele.test/").stdout.decode()
    assert head.startswith("HTTP/1.1 200 OK\r\n")
    assert f"Content-Length: {len(file_of('index.html'))}\r\n" in head
    # h2 is offered, and not taken.
    assert curl(running, "--http2", "--fail", "-w", "%{http_version}", "-o", os.devnull,
                "https://stele.test/").stdout == b"1.1"
    assert curl(running, "--tlsv1.3", "https://stele.test/", check=False).returncode == 35
    # No name in the certificate is this one.
    other = curl(running, "--resolve", f"other.test:443:{running.ipv4}",
                 "https://other.test/", check=False)
    assert other.returncode == 60, other.stderr


def many_with_curl(body):
    """One connection for all; then twenty at once."""
    running = server(body)
    out = os.path.join(authority().folder, f"curl-{body}")
    os.makedirs(out, exist_ok=True)
    for words, connections in (((), 1), (("-Z", "--parallel-max", "20"), 20)):
        done = curl(running, "--fail", *words, "-w", "%{stderr}%{num_connects}\n",
                    "-o", os.path.join(out, "#1.bin"), "https://stele.test/[0-49].bin")
        opened = sum(map(int, re.findall(rb"^(\d+)$", done.stderr, re.M)))
        assert opened <= connections, f"{opened} connections"
        for number in range(50):
            path = os.path.join(out, f"{number}.bin")
            with open(path, "rb") as f:
                assert f.read() == file_of(f"{number}.bin"), number
            os.remove(path)


# ---- GnuTLS ------------------------------------------------------------------------

def gnutls(running, priority, *words, name="stele.test", say=b""):
    done = subprocess.run(
        ["gnutls-cli", "--x509cafile", authority().root, "--verify-hostname", name,
         "--sni-hostname", name, "-p", "443", "--priority", priority, *words,
         running.ipv4], check=False, input=say, capture_output=True, timeout=60)
    return Said(done)


def gnutls_agrees(body):
    running = server(body)
    for cipher in "AES-128-GCM", "AES-256-GCM", "CHACHA20-POLY1305":
        for kind in "ECDSA", "RSA":
            said = gnutls(running, "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:"
                          f"+{cipher}:-KX-ALL:+ECDHE-{kind}", say=GET)
            assert said.status == 0, f"{cipher}, {kind}: {said.tail()}"
            assert rf"TLS1.2.*\(ECDHE-\w+\)-\({kind}-[\w-]+\)-\({cipher}\)" in said, \
                said.tail()
            assert "^HTTP/1.1 200 OK" in said
    for group in "X25519", "SECP256R1", "SECP384R1":
        said = gnutls(running, "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+ECDHE-RSA:"
                      f"-GROUP-ALL:+GROUP-{group}")
        assert said.status == 0 and f"TLS1.2.*{group}" in said, f"{group}: {said.tail()}"
    # With everything it knows, TLS 1.3 first; and by session id.
    said = gnutls(running, "NORMAL:%NO_TICKETS", "--resume")
    assert said.status == 0 and "This is a resumed session" in said, said.tail()
    said = gnutls(running, "NORMAL:-VERS-ALL:+VERS-TLS1.1:+SHA1")
    assert said.status != 0 and "protocol version" in said, said.tail()


# ---- sslscan -----------------------------------------------------------------------

def sslscan_finds_nothing_else(body):
    """But for curves: it looks for those only in flights of several records, and ours
    is one (RFC 5246, section 6.2.1 allows that)."""
    running = server(body)
    done = subprocess.run(
        ["sslscan", "--xml=-", "--no-colour", "--no-groups",
         "--sni-name=stele.test", f"{running.ipv4}:443"],
        check=True, capture_output=True, timeout=200)
    found = xml.etree.ElementTree.fromstring(done.stdout).find("ssltest")
    on = {(p.get("type"), p.get("version")) for p in found.findall("protocol")
          if p.get("enabled") == "1"}
    assert on == {("tls", "1.2")}, on
    ciphers = {c.get("cipher") for c in found.findall("cipher")}
    assert ciphers == set(ECDSA + RSA), ciphers ^ set(ECDSA + RSA)
    compression = found.find("compression")
    assert compression is None or compression.get("supported") == "0"
    assert found.find("renegotiation").get("supported") == "0"
    assert not [h for h in found.findall("heartbleed") if h.get("vulnerable") == "1"]


# ---- The end -----------------------------------------------------------------------

def is_as_sound_as_before(body):
    """After all of that: no crash, and every buffer is back."""
    running = server(body)
    assert serves(running)
    assert not re.search(r"^crash|restart", running.console(), re.M | re.I)
    time.sleep(6)       # LIMIT_LINGER_MS and some
    running.power_button()
    assert running.wait_ended(10) == 0
    vm.assert_pools_idle(running)


CASES = (
    every_suite_with_its_key, every_kind_of_key, every_curve, every_hash,
    order_is_the_servers_but_for_chacha, two_keys_for_one_name,
    name_chooses_certificate, unknown_name_can_be_refused, protocol_is_negotiated,
    old_versions_are_refused, other_suites_are_refused, sessions_are_resumed_by_id,
    session_belongs_to_its_name, renegotiation_is_refused, slow_and_cut_up_handshakes,
    records_of_a_clients_size, curl_agrees, many_with_curl, gnutls_agrees,
    sslscan_finds_nothing_else, is_as_sound_as_before,
)


def main():
    vm.enter_private_network()
    suite = vm.Suite()
    for body in BODIES:
        for case in CASES:
            suite.add(case, body)
    with server:
        return suite.main()


if __name__ == "__main__":
    sys.exit(main())
