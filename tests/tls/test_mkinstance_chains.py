"""mkinstance and pairs, chains, dates and purposes of certificates.

timeout: 600
"""
import re
import time

import pytest
from certmaker import pem
from desk import DAY, damage, pair, shown, unix_date


# ---- Pairs -----------------------------------------------------------------------


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


# ---- Chains ----------------------------------------------------------------------


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


# ---- Dates -----------------------------------------------------------------------


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
    path = desk.file("reversed.pem", pem("CERTIFICATE", data))
    assert desk.refuse_pair(path, cert.key) == [
        f'{path}: the validity of "server" ends before it begins']


# ---- What a certificate is for ---------------------------------------------------


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
