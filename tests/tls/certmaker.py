"""Keys and certificates of every kind, right and wrong, by the openssl command line."""
import base64
import os
import re
import subprocess

CA = {"basicConstraints": "critical,CA:TRUE", "keyUsage": "critical,keyCertSign,cRLSign"}
SERVER = {"basicConstraints": "critical,CA:FALSE",
          "keyUsage": "critical,digitalSignature", "extendedKeyUsage": "serverAuth"}


def openssl(*words, text=True, **how):
    done = subprocess.run(["openssl", *map(str, words)], check=False, text=text,
                          stdin=subprocess.DEVNULL, capture_output=True, **how)
    assert done.returncode == 0, f"openssl {words}: {done.stderr}"
    return done.stdout


class Cert:
    """A certificate, its key's file, and whoever issued it (None: itself)."""

    def __init__(self, path, key, issuer):
        self.path = path
        self.key = key
        self.issuer = issuer

    @property
    def pem(self):
        with open(self.path, encoding="ascii") as text:
            return text.read()

    @property
    def der(self):
        return openssl("x509", "-in", self.path, "-outform", "DER", text=False)


class Pki:
    """A folder of keys and certificates; keys are made once for each name."""

    def __init__(self, folder):
        self.folder = folder
        self.made = 0

    def path(self, name):
        return os.path.join(self.folder, name)

    def key(self, kind, owner="any"):
        """The path of a key; kind is p256, rsa2048, ed25519, rsa-pss and so on."""
        path = self.path(f"{owner}-{kind}.key")
        if os.path.exists(path):
            return path
        if kind.startswith("rsa-pss"):
            how = ["-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048"]
        elif kind.startswith("rsa"):
            how = ["-algorithm", "RSA", "-pkeyopt", f"rsa_keygen_bits:{kind[3:]}"]
        elif kind in ("ed25519", "ed448"):
            how = ["-algorithm", kind.upper()]
        else:
            curve = {"p256": "P-256", "p384": "P-384", "p521": "P-521"}.get(kind, kind)
            how = ["-algorithm", "EC", "-pkeyopt", f"ec_paramgen_curve:{curve}"]
        openssl("genpkey", *how, "-out", path)
        return path

    def cert(self, key, names=None, issuer=None, subject="/CN=server", days=90,
             digest="sha256", extensions=None, more=()):
        """
        names       of the subjectAltName, as openssl has it: "DNS:a,IP:::1"
        extensions  replaces SERVER; values may be None to leave one out
        """
        self.made += 1
        path = self.path(f"{self.made}.pem")
        chosen = {**SERVER, **(extensions or {})}
        if names is not None:
            chosen["subjectAltName"] = names
        with open(path + ".cnf", "w", encoding="utf-8") as out:
            out.write("[req]\ndistinguished_name=dn\nx509_extensions=ext\n"
                      "string_mask=utf8only\n[dn]\n[ext]\nsubjectKeyIdentifier=hash\n")
            out.writelines(f"{k}={v}\n" for k, v in chosen.items() if v is not None)
        ca = [] if issuer is None else ["-CA", issuer.path, "-CAkey", issuer.key]
        openssl("req", "-x509", "-config", path + ".cnf", "-key", key, *ca,
                "-days", days, f"-{digest}", "-subj", subject, "-utf8", "-out", path,
                *more)
        return Cert(path, key, issuer)

    def authority(self, owner, issuer=None, kind="p256", **how):
        how.setdefault("subject", f"/O=Test/CN={owner}")
        how.setdefault("days", 900)
        return self.cert(self.key(kind, owner), issuer=issuer,
                         extensions={**CA, "extendedKeyUsage": None}, **how)


def numbers(key):
    """Everything openssl says of a private key: {name: number}."""
    text = openssl("pkey", "-in", key, "-noout", "-text")
    found = {}
    for name, block in re.findall(r"^(\w+):\s*\n((?:    [0-9a-f:]+\n)+)", text, re.M):
        found[name] = int(re.sub(r"[\s:]", "", block), 16)
    exponent = re.search(r"publicExponent: (\d+)", text)
    if exponent:
        found["publicExponent"] = int(exponent.group(1))
    return found


# ---- By hand, what no tool makes -----------------------------------------------------


def pem(label, content):
    text = base64.encodebytes(content).decode()
    return f"-----BEGIN {label}-----\n{text}-----END {label}-----\n"


def der(tag, content):
    length = len(content)
    if length < 128:
        return bytes([tag, length]) + content
    size = (length.bit_length() + 7) // 8
    return bytes([tag, 0x80 | size]) + length.to_bytes(size, "big") + content


def der_int(value):
    return der(2, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def rsa_pem(p, q, e=65537, d=None):
    """RFC 8017, appendix A.1.2, as PEM."""
    d = d or pow(e, -1, (p - 1) * (q - 1))
    body = der(0x30, b"".join(map(der_int, (
        0, p * q, e, d, p, q, d % (p - 1), d % (q - 1), pow(q, -1, p)))))
    return pem("RSA PRIVATE KEY", body)


def prime(bits):
    return int(openssl("prime", "-generate", "-bits", bits))
