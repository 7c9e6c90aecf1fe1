"""mkinstance and the names in certificates, HOST, and settings.

timeout: 600
"""
import re

import pytest
from desk import pair


# ---- Names and hosts -------------------------------------------------------------


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


# ---- Settings --------------------------------------------------------------------


@pytest.mark.parametrize("word", [
    "ip=dhcp", "ip=off", "ip=10.0.0.2::10.0.0.1:255.255.255.0::eth0:off",
    "ip=10.0.0.2/24::10.0.0.1", "ip6=auto", "ip6=off", "ip6=2001:db8::2/64,fe80::1",
    "log=on", "log=off", "stats=1", "stats=86400", "on-crash=restart",
    "on-crash=reboot", "on-crash=poweroff", "redirect=off", "redirect=https",
    "redirect=https:1", "redirect=https:65535", "hsts=off", "hsts=0",
    "hsts=999999999", "hsts=300,includeSubDomains",
    "hsts=31536000,includeSubDomains,preload", "sni=default", "sni=refuse",
    "acme_thumbprint=6fXAG9VyG0IahirPEU2ZerUtItW2DHzDzD9wZa-_pqd",
    "status=/status,10.0.0.0/8", "status=/-/s.t~a_t,192.0.2.1,::/0,2001:db8::1",
    "status=off", "healthz=on", "healthz=off", "healthz=/up", "syslog=192.0.2.1",
    "syslog=192.0.2.1:5514", "syslog=2001:db8::1", "syslog=[2001:db8::1]:514",
    "syslog=off", "proxy=192.0.2.1", "proxy=10.0.0.0/8,fd00::/8", "proxy=off",
    "proxy=" + ",".join(["192.0.2.0/24"] * 8), "healthz=/" + "a" * 63])
def test_every_setting_is_taken(desk, good, word):
    assert desk.make(*good, "--settings", word).settings == word


SYNTAX = {"stats": "1 to 86400 (seconds)", "log": "on or off",
           "on-crash": "restart, reboot or poweroff",
           "redirect": "off, https or https:PORT",
           "hsts": "off or SECONDS[,includeSubDomains][,preload]",
           "sni": "default or refuse",
           "acme_thumbprint": "the 43 characters that the ACME client calls thumbprint",
           "status": "off, or /PATH,ADDRESS[/BITS][,ADDRESS[/BITS]...] with up to eight "
                     "ranges",
           "healthz": "on, off or /PATH",
           "syslog": "off, or ADDRESS[:PORT], an IPv6 address with a port in brackets",
           "proxy": "off, or ADDRESS[/BITS][,ADDRESS[/BITS]...] with up to eight ranges"}


@pytest.mark.parametrize("word", [
    "log=", "log=yes", "log=ON", "stats=", "stats=0", "stats=86401", "stats=-1",
    "stats=1s", "stats=99999999999999999999", "on-crash=", "on-crash=halt",
    "redirect=", "redirect=http", "redirect=https:", "redirect=https:0",
    "redirect=https:65536", "redirect=https:44x", "redirect=on", "hsts=", "hsts=on",
    "hsts=-1", "hsts=1000000000", "hsts=5,", "hsts=5,preload,includeSubDomains",
    "hsts=5,includesubdomains", "sni=", "sni=strict",
    "acme_thumbprint=", "acme_thumbprint=" + "a" * 42, "acme_thumbprint=" + "a" * 44,
    "acme_thumbprint=" + "a" * 42 + "+",
    "status=", "status=on", "status=/status", "status=/status,", "status=/status,off",
    "status=/,10.0.0.1", "status=status,10.0.0.1", "status=/status/,10.0.0.1",
    "status=/a%20b,10.0.0.1", "status=/a,10.0.0.1/33", "status=/a,localhost",
    "healthz=", "healthz=yes", "healthz=/", "healthz=/up/", "healthz=/" + "a" * 64,
    "syslog=", "syslog=on", "syslog=loghost", "syslog=10.0.0.1:0", "syslog=[::1",
    "proxy=", "proxy=on", "proxy=10.0.0.0/8,", "proxy=10.0.0.1:80",
    "proxy=" + ",".join(["192.0.2.0/24"] * 9)])
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
        "hsts= sni= acme_thumbprint= status= healthz= syslog= proxy="]


def test_the_readme_and_the_tool_know_the_same_settings(desk, good):
    with open("README.md", encoding="utf-8") as text:
        table = text.read().split("## Settings")[1].split("\n## ")[0]
    documented = set()
    for row in re.findall(r"^\| (`.*?) \|", table, re.M):
        documented |= set(re.findall(r"`([a-z0-9_-]+)=", row))
    known = set(re.findall(r" ([a-z0-9_-]+)=", desk.refuse(*good, "--settings", "x=y")[0]))
    assert documented == known


def test_the_server_and_the_tool_know_the_same_settings(desk, good):
    """Those of net/settings.h and of the kernel are not among the server's words."""
    with open("http/settings.c", encoding="utf-8") as text:
        read = set(re.findall(r'\{ NAME\("([a-z_]+)="\), read_', text.read()))
    known = set(re.findall(r" ([a-z0-9_-]+)=", desk.refuse(*good, "--settings", "x=y")[0]))
    assert len(read) > 5 and known == read | {"ip", "ip6", "on-crash"}


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
