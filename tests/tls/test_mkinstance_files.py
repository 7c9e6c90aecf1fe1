"""mkinstance and files that are not what they should be, and keys.

timeout: 600
"""
import os
import pty
import re
import select
import subprocess
import termios
import time

import pytest
from certmaker import openssl, pem, prime, rsa_pem
from desk import MKINSTANCE, needs_rights_taken, pair, same_key, without_override
from read_bundle import Bundle

SUPPORTED = "ECDSA P-256, ECDSA P-384, and RSA of 2048 to 4096 bits"
SWAPPED = "are CERT and KEY swapped?"


# ---- Files that are not what they should be --------------------------------------


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
    path = desk.file("more.pem", pem("CERTIFICATE", server.der + b"\0"))
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
    p, q, other = (prime(1024) for _ in range(3))
    path = desk.file("unfit.key", rsa_pem(p, q, d=other))
    assert f"{path}: the private key in it is damaged: its parts do not belong together" \
        in desk.refuse_pair(good[1], path)


def test_two_keys_in_a_file_are_refused(desk, pki, good):
    with open(pki.key("p256"), encoding="ascii") as one, \
            open(pki.key("p384"), encoding="ascii") as two:
        path = desk.file("two.key", one.read() + two.read())
    assert desk.refuse_pair(good[1], path) == [
        f"{path}: holds 2 private keys; one is needed"]


# ---- Pass phrases ----------------------------------------------------------------


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


# ---- Keys ------------------------------------------------------------------------


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
    path = desk.file("unlike.key", rsa_pem(prime(1200), prime(848)))
    assert desk.refuse_pair(good[1], path) == [
        f"{path}: is an RSA 2048 key, made of primes of different length, "
        "which is not supported"]


def test_an_rsa_key_with_a_long_exponent_is_refused(desk, good):
    p, q = prime(1024), prime(1024)
    path = desk.file("long-e.key", rsa_pem(p, q, e=(1 << 32) + 15))
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
