"""A private certificate authority, and instance bundles with its certificates.

    authority = certs.Authority("suite")           # a folder of its own
    bundle = authority.bundle("main", certs.MAIN)
    vm.Process(rom, instance=bundle)
    authority.root                                 # what a client has to trust

Keys and certificates are made by the openssl command line.  A certificate is
signed by an intermediate one, as in the world outside, so a client that knows the
root alone is content only if the server sends the whole chain.  Keys are kept for
the next run (an RSA key of 4096 bits takes seconds), certificates are made anew.
"""
import collections
import os
import ssl
import subprocess
import tempfile

import vm

KEY_KINDS = {
    "p256": ("EC", "ec_paramgen_curve:P-256"),
    "p384": ("EC", "ec_paramgen_curve:P-384"),
    "rsa2048": ("RSA", "rsa_keygen_bits:2048"),
    "rsa3072": ("RSA", "rsa_keygen_bits:3072"),
    "rsa4096": ("RSA", "rsa_keygen_bits:4096"),
}

Leaf = collections.namedtuple("Leaf", "kind names days", defaults=(90,))

# Every kind of key; two for one name; a wildcard.  The first is the default.
MAIN = (
    Leaf("p256", ("stele.test", "www.stele.test")),
    Leaf("rsa2048", ("stele.test",)),
    Leaf("p384", ("p384.test",)),
    Leaf("rsa3072", ("rsa3072.test",)),
    Leaf("rsa4096", ("rsa4096.test",)),
    Leaf("p256", ("*.wild.test", "exact.test")),
    Leaf("rsa2048", ("inner.wild.test",)),
)


def openssl(*words):
    done = subprocess.run(["openssl", *words], check=False, capture_output=True,
                          text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, f"openssl {' '.join(words)}: {done.stderr}"
    return done.stdout


def key_of(kind, owner="server"):
    """The path of a private key (PEM, PKCS #8); each kind and owner has one."""
    folder = os.path.join(vm.BUILD, "system", "keys")
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, f"{owner}-{kind}.key")
    if not os.path.exists(path):
        algorithm, option = KEY_KINDS[kind]
        # Another suite may be at the same: the file appears whole.
        with tempfile.TemporaryDirectory(dir=folder) as fresh:
            made = os.path.join(fresh, "key")
            openssl("genpkey", "-algorithm", algorithm, "-pkeyopt", option,
                    "-out", made)
            os.rename(made, path)
    return path


class Authority:
    """Root and intermediate; folder build/system/tls-NAME."""

    def __init__(self, name):
        self.folder = os.path.join(vm.BUILD, "system", "tls-" + name)
        os.makedirs(self.folder, exist_ok=True)
        self.root = self._path("root.pem")
        self.intermediate = self._path("intermediate.pem")
        may_sign = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"]
        openssl("req", "-x509", "-key", key_of("p256", "root"), "-days", "3000",
                "-subj", "/O=Stele Test/CN=Stele Test Root", *may_sign,
                "-out", self.root)
        openssl("req", "-x509", "-key", key_of("p256", "intermediate"),
                "-CA", self.root, "-CAkey", key_of("p256", "root"),
                "-days", "2000", "-subj", "/O=Stele Test/CN=Stele Test CA 1",
                "-addext", "basicConstraints=critical,CA:TRUE,pathlen:0", *may_sign,
                "-out", self.intermediate)

    def _path(self, name):
        return os.path.join(self.folder, name)

    def chain_path(self, leaf):
        """Where the leaf's whole chain is, once it was made."""
        return self._path(
            f"{leaf.kind}-{leaf.names[0].replace('*', 'any')}-{leaf.days}.pem")

    def chain(self, leaf):
        """Make a leaf's certificate; returns the path of its whole chain."""
        path = self.chain_path(leaf)
        openssl("req", "-x509", "-key", key_of(leaf.kind), "-CA", self.intermediate,
                "-CAkey", key_of("p256", "intermediate"), "-days", str(leaf.days),
                "-subj", "/CN=" + leaf.names[0],
                "-addext", "basicConstraints=critical,CA:FALSE",
                "-addext", "keyUsage=critical,digitalSignature",
                "-addext", "extendedKeyUsage=serverAuth",
                "-addext", "subjectAltName=" + ",".join(
                    "DNS:" + n for n in leaf.names),
                "-out", path)
        with open(path, "a", encoding="ascii") as out, \
                open(self.intermediate, encoding="ascii") as more:
            out.write(more.read())
        return path

    def bundle(self, name, leaves, host="", settings=""):
        """Make an instance bundle; returns its path."""
        path = self._path(name + ".bin")
        words = [word for leaf in leaves for word in (
            "--cert", self.chain(leaf), "--key", key_of(leaf.kind))]
        words += [word for one in host.split() for word in ("--host", one)]
        if settings:
            words += ["--settings", settings]
        made = subprocess.run(
            [os.path.join(vm.BUILD, "mkinstance"), "--quiet", *words, "-o", path],
            check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        # It warns: no machine knows our root.
        assert made.returncode == 0, made.stderr
        return path

    def trusting(self, ciphers=None):
        """A context of Python's ssl that trusts this authority; TLS 1.2 at most."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.root)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        if ciphers:
            context.set_ciphers(ciphers)
        return context
