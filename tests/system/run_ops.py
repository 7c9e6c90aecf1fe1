#!/usr/bin/python3
"""What operators see over the network: status pages, health checks, the access log by
syslog, and clients behind a load balancer.

timeout: 600
"""
import calendar
import functools
import http.client
import json
import re
import socket
import ssl
import sys
import time

from prometheus_client.parser import text_string_to_metric_families

import certs
import sites
import vm
from proxywire import BAD, CLIENT, CLIENT6, GOOD, v2, v2_tcp4, v2_tcp6

BODIES = ("process", "q35")
SYSLOG_PORT = 5514


@functools.lru_cache(maxsize=None)
def authority():
    return certs.Authority("ops")


@functools.lru_cache(maxsize=None)
def bundle():
    return authority().bundle("main", (certs.Leaf("p256", ("stele.test",)),),
                              "stele.test")


@functools.lru_cache(maxsize=None)
def built():
    rom = vm.make_rom(sites.small_site(1024), "ops")
    return rom, vm.make_image(rom, "ops")


def start(body, words, instance=None):
    """{n} in words is the number of the tap device: its addresses are 10.77.n.x."""
    rom, image = built()
    words = words.format(n=vm.Tap.count + 1)
    if body == "process":
        server = vm.Process(rom, words, instance=instance)
    else:
        server = vm.Machine(body, image, append=words, instance=instance)
    # The client at .1 has company: .7 is a proxy, .9 anybody.
    for last in 7, 9:
        vm.run("ip", "addr", "add", f"{of(server, last)}/24", "dev", server.tap.name)
    return server


def of(server, last):
    return server.tap.gateway.rsplit(".", 1)[0] + f".{last}"


ALL = ("status=/status,10.77.{n}.1,203.0.113.0/24,fd77:{n:x}::/64 healthz=on "
       f"syslog=10.77.{{n}}.1:{SYSLOG_PORT} proxy=10.77.{{n}}.7")


@functools.lru_cache(maxsize=None)
def shared():
    """One server of each kind with everything on, for most of the cases."""
    return vm.Shared(lambda body: start(body, ALL))


# ---- Clients -----------------------------------------------------------------------

class Answer:
    def __init__(self, response):
        self.status, self.version = response.status, response.version
        self.fields = {name.lower(): value for name, value in response.getheaders()}
        self.body = response.read()


def get(server, target, last=1, address=None, method="GET", tls=None):
    """Ask from the address that ends in `last`."""
    source = (of(server, last), 0) if address is None else None
    words = address or server.ipv4, 443 if tls else 80
    made = (http.client.HTTPSConnection(*words, timeout=20, source_address=source,
                                        context=tls) if tls else
            http.client.HTTPConnection(*words, timeout=20, source_address=source))
    try:
        made.request(method, target, headers={"Host": "stele.test"})
        return Answer(made.getresponse())
    finally:
        made.close()


def connect_from(server, last, port=80):
    s = socket.socket()
    s.settimeout(20)
    s.bind((of(server, last), 0))
    s.connect((server.ipv4, port))
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s


def read_all(s):
    parts = []
    while data := s.recv(65536):
        parts.append(data)
    return b"".join(parts)


def request(target, version="1.1", more=""):
    return (f"GET {target} HTTP/{version}\r\nHost: stele.test\r\n"
            f"Connection: close\r\n{more}\r\n").encode()


def ask(server, last, header, target, tls=None):
    """Send a header and a request, from an address of ours; returns all that comes."""
    with connect_from(server, last, 443 if tls else 80) as s:
        s.sendall(header if tls else header + request(target))
        if tls:
            s = tls.wrap_socket(s, server_hostname="stele.test")
            s.sendall(request(target))
        with s:
            return read_all(s)


def figures(server):
    answer = get(server, "/status.json")
    assert answer.status == 200 and \
        answer.fields["content-type"] == "application/json", answer.fields
    return json.loads(answer.body)


# ---- Status pages ------------------------------------------------------------------

def numbers_move_with_requests(body):
    server = shared()(body)
    before = figures(server)
    length = len(get(server, "/").body)
    for _ in range(3):
        assert get(server, "/").status == 200
    assert get(server, "/missing").status == 404
    with connect_from(server, 1) as s:
        s.sendall(b"nonsense\r\n\r\n")
        assert read_all(s).startswith(b"HTTP/1.1 400 ")
    after = figures(server)

    def moved(*names):
        new, old = after, before
        for name in names:
            new, old = new[name], old[name]
        return new - old
    # Four of the site, and the status page before these.
    assert moved("http_requests_total", "2xx") == 5
    assert moved("http_requests_total", "4xx") == 2
    assert moved("http_requests_total", "5xx") == 0
    assert moved("http_refused_total") == 1
    assert moved("connections_total") == 7
    assert moved("http_body_bytes_total") >= 4 * length > 0
    # A connection takes SYN, request and FIN at least, and answers to these.
    assert moved("frames_total", "received") >= 3 * 7
    assert moved("frames_total", "sent") >= 3 * 7
    assert moved("tcp_segments_received_total") >= 3 * 7
    assert moved("tcp_segments_sent_total") >= 2 * 7
    assert 0 <= moved("uptime_seconds") < 60
    assert after["connections"] >= 1
    assert after["restarts_total"] == 0
    for name, size in after["pool_size"].items():
        assert 0 <= after["pool_used"][name] <= after["pool_peak"][name] <= size > 0
    assert after["pool_used"]["conn"] == after["connections"]
    assert set(after["info"]) >= {"version", "machine", "image"}, after["info"]
    assert re.fullmatch("[0-9a-f]{64}", after["info"]["image"])
    if body != "process":
        assert re.search(r"^image ([0-9a-f]{16})", server.console(), re.M).group(1) == \
            after["info"]["image"][:16]
        assert after["info"]["version"] == "test"


def metrics_are_what_prometheus_reads(body):
    server = shared()(body)
    before = figures(server)
    answer = get(server, "/status/metrics")
    assert answer.fields["content-type"] == \
        "text/plain; version=0.0.4; charset=utf-8"
    text = answer.body.decode("ascii")
    seen, values = set(), {}
    for family in text_string_to_metric_families(text):
        assert family.type in ("counter", "gauge"), family
        assert family.documentation, family
        for sample in family.samples:
            assert sample.name.startswith("stele_")
            assert sample.name.endswith("_total") == (family.type == "counter"), sample
            key = sample.name, tuple(sample.labels.items())
            assert key not in seen, f"{key} twice"
            seen.add(key)
            values[key] = sample.value
    # Strictly, for the library forgives: each line is one of three kinds, in order.
    name = None
    for line in text.splitlines():
        head = re.fullmatch(r"# (HELP|TYPE) (stele_\w+) (.+)", line)
        if head:
            assert head[1] == "HELP" or (head[2] == name and
                                         head[3] in ("counter", "gauge")), line
            name = head[2]
        elif not re.fullmatch("# [a-z]+", line):
            sample = re.fullmatch(
                r'(stele_\w+)(\{\w+="[^"\\]*"(,\w+="[^"\\]*")*\})? (-?\d+|NaN)', line)
            assert sample and sample[1] == name, line
    # The same figures as in the other rendering.
    assert values[("stele_http_requests_total", (("class", "2xx"),))] == \
        before["http_requests_total"]["2xx"] + 1
    assert values[("stele_pool_size", (("pool", "conn"),))] == \
        before["pool_size"]["conn"]
    assert {n.removeprefix("stele_") for n, _ in seen} == set(before), \
        {n.removeprefix("stele_") for n, _ in seen} ^ set(before)


def pages_are_chunked_and_not_kept(body):
    """RFC 9112, section 7.1; each size is right and the last is 0."""
    server = shared()(body)
    for target in "/status", "/status.json", "/status/metrics":
        with connect_from(server, 1) as s:
            s.sendall(request(target))
            head, _, rest = read_all(s).partition(b"\r\n\r\n")
        assert b"\r\nCache-Control: no-store\r\n" in head + b"\r\n"
        assert b"\r\nTransfer-Encoding: chunked" in head
        assert b"\r\nContent-Length" not in head
        whole, sizes = b"", []
        while not sizes or sizes[-1]:
            digits, _, rest = rest.partition(b"\r\n")
            assert re.fullmatch(b"[0-9a-f]+", digits)
            sizes.append(int(digits, 16))
            whole, rest = whole + rest[:sizes[-1]], rest[sizes[-1]:]
            assert rest[:2] == b"\r\n"
            rest = rest[2:]
        assert rest == b"" and len(sizes) > 5
        # In HTTP/1.0 the same bytes, but for what is counted.
        with connect_from(server, 1) as s:
            s.sendall(request(target, "1.0", "Connection: keep-alive\r\n"))
            head, _, old = read_all(s).partition(b"\r\n\r\n")
        assert b"Transfer-Encoding" not in head and b"Connection: close" in head
        digits = re.compile(rb"\d+")
        assert digits.sub(b"", old) == digits.sub(b"", whole), target
        empty = get(server, target, method="HEAD")
        assert empty.status == 200 and empty.body == b""
    assert whole and get(server, "/status").body.startswith(b"<!DOCTYPE html>")


def a_page_and_more_on_one_connection(body):
    server = shared()(body)
    made = http.client.HTTPConnection(server.ipv4, timeout=20,
                                      source_address=(of(server, 1), 0))
    for target in ("/status", "/", "/status.json", "/missing", "/status/metrics") * 3:
        made.request("GET", target)
        answer = made.getresponse()
        answer.read()
        assert answer.status == (404 if target == "/missing" else 200)
    made.close()


def a_slow_reader_gets_a_whole_page(body):
    """With hardly any room the pieces wait for it."""
    server = shared()(body)
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        s.settimeout(20)
        s.bind((of(server, 1), 0))
        s.connect((server.ipv4, 80))
        s.sendall(request("/status"))
        time.sleep(1)
        page = b""
        while data := s.recv(300):
            page += data
            time.sleep(0.002)
    assert page.endswith(b"</table>\n\r\n0\r\n\r\n"), page[-40:]


def others_get_what_the_site_has(body):
    server = shared()(body)
    nothing = get(server, "/nothing-here", last=9)
    for target in "/status", "/status.json", "/status/metrics":
        answer = get(server, target, last=9)
        for one in nothing, answer:
            one.fields.pop("date", None)
        assert (answer.status, answer.fields, answer.body) == \
            (404, nothing.fields, nothing.body), answer.fields
    # Over IPv6 its range is another.
    server.tap.advertise()
    server.wait_ready(server.ipv6)
    assert get(server, "/status", address=server.ipv6).status == 200
    assert get(server, "/status", address=server.link_local).status == 404


def health_is_for_everybody(body):
    server = shared()(body)
    for last in 1, 9:
        answer = get(server, "/healthz", last=last)
        assert (answer.status, answer.body) == (200, b"ok\n")
        assert answer.fields["cache-control"] == "no-store"
    assert get(server, "/healthz", method="HEAD").body == b""
    assert get(server, "/healthz/").status == 404


def without_the_settings_there_is_nothing(body):
    with start(body, "") as server:
        server.wait_ready()
        for target in "/status", "/healthz", "/status.json", "/metrics":
            assert get(server, target).status == 404
        assert "ops:" not in server.console()
        # A header from anywhere is a bad request.
        assert ask(server, 7, b"PROXY UNKNOWN\r\n", "/").startswith(b"HTTP/1.1 400 ")


def pages_come_before_the_redirect_to_https(body):
    tls = authority().trusting()
    tls.check_hostname = False     # the address is asked for
    with start(body, "status=/ops/s,10.77.{n}.1 healthz=/up redirect=https",
               bundle()) as server:
        server.wait_ready()
        server.wait_console("^ops: status at /ops/s for 1 range; health checks at /up$")
        assert get(server, "/").status == 308
        for last in 1, 9:
            assert get(server, "/up", last=last).status == 200
            assert get(server, "/up", last=last, tls=tls).status == 200
            assert get(server, "/ops/s.json", last=last).status == \
                (200 if last == 1 else 308)
            assert get(server, "/ops/s.json", last=last, tls=tls).status == \
                (200 if last == 1 else 404)
        private = get(server, "/ops/s.json", tls=tls)
        assert "strict-transport-security" in private.fields
        found = json.loads(private.body)
        assert list(found["certificate_days_left"].items()) in \
            ([("0 stele.test", 90)], [("0 stele.test", 89)])
        done = found["tls_handshakes_total"]
        assert done["full"] + done["resumed"] >= 5 and done["failed"] == 0
        get(server, "/ops/s/metrics", tls=tls)
        with connect_from(server, 1, 443) as s:
            s.sendall(b"\x16\x03\x01\x00\x05nonsense")
            read_all(s)
        assert json.loads(get(server, "/ops/s.json").body)[
            "tls_handshakes_total"]["failed"] == 1


# ---- Syslog ------------------------------------------------------------------------

# RFC 5424, section 6, with what we put into it.
MESSAGE = re.compile(
    r"<134>1 (?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) (?P<host>[!-~]{1,255}) "
    r"stele - access - (?P<line>[ -~]+)")


class Receiver:
    def __init__(self, address, port=SYSLOG_PORT):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.bind((address, port))
        self.socket.settimeout(5)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.socket.close()

    def next(self):
        data, sender = self.socket.recvfrom(65536)
        assert len(data) <= 1180
        found = MESSAGE.fullmatch(data.decode("ascii"))
        assert found, data
        return found, sender[0]


def lines_are_syslog_messages(body):
    server = shared()(body)
    with Receiver(server.tap.gateway) as receiver:
        before = figures(server)["syslog_messages_total"]
        receiver.next()
        began = time.time()
        get(server, "/?what=%22ever", last=9)
        message, sender = receiver.next()
        assert sender == server.ipv4
        # Without HOST= the address is the name.
        assert message["host"] == server.ipv4
        sent = time.strptime(message["time"][:19], "%Y-%m-%dT%H:%M:%S")
        assert abs(calendar.timegm(sent) - began) < 10
        assert re.fullmatch(
            re.escape(of(server, 9)) + r' - - \[.+ \+0000\] '
            r'"GET /\?what=%22ever HTTP/1\.1" 200 \d+ "-" "-"', message["line"])
        server.wait_console(re.escape(message["line"]) + "$")
        for i in range(200):
            assert get(server, f"/{i}").status == 404
            assert f'"GET /{i} HTTP/1.1" 404' in receiver.next()[0]["line"]
        after = figures(server)["syslog_messages_total"]
        assert after["sent"] - before["sent"] == 202
        assert after["dropped"] == before["dropped"]


def the_longest_line_is_bounded(body):
    server = shared()(body)
    with Receiver(server.tap.gateway) as receiver, connect_from(server, 1) as s:
        s.sendall(request("/" + "a" * 4000, more=(
            f"Referer: {'r' * 2000}\r\nUser-Agent: {chr(0xfc) * 500}\r\n")))
        read_all(s)
        message, _ = receiver.next()
        assert 600 < len(message[0]) <= 1180 and message["line"].count("...") == 3


def without_a_log_on_the_console_syslog_goes_on(body):
    with start(body, "log=off syslog=[fd77:{n:x}::1]:5514", bundle()) as server:
        server.wait_ready()
        server.wait_console(r"^ops: log to \[fd77:[0-9a-f]+::1\]:5514$")
        server.tap.advertise()
        server.wait_ready(server.ipv6)
        with Receiver(server.tap.prefix + "1") as receiver:
            get(server, "/")
            message, sender = receiver.next()
            assert message["host"] == "stele.test" and sender == server.ipv6
        assert '"GET ' not in server.console()


def what_nobody_takes_is_counted(body):
    """A neighbour that is not there; the site goes on meanwhile."""
    with start(body, "status=/status,10.77.{n}.1 syslog=10.77.{n}.200") as server:
        server.wait_ready()
        for _ in range(50):
            assert get(server, "/").status == 200
        time.sleep(8)
        found = figures(server)["syslog_messages_total"]
        # One may wait still.
        assert found["dropped"] >= 48 and found["sent"] >= 50, found


# ---- Behind a proxy ----------------------------------------------------------------

def is_logged(server, address, target, status=404):
    server.wait_console(
        f'^{re.escape(address)} - - .*"GET {re.escape(target)} .*" {status} ')


def the_real_client_is_logged(body):
    server = shared()(body)
    before = figures(server)["proxy_headers_total"]
    for i, (header, client) in enumerate(GOOD):
        target = f"/header-{i}"
        assert ask(server, 7, header, target).startswith(b"HTTP/1.1 404 ")
        is_logged(server, client or of(server, 7), target)
    after = figures(server)["proxy_headers_total"]
    assert after["accepted"] - before["accepted"] == len(GOOD)
    assert after["refused"] == before["refused"]


def the_real_client_is_logged_over_tls(body):
    tls = authority().trusting()
    with start(body, ALL, bundle()) as server, \
            Receiver(server.tap.gateway) as receiver:
        server.wait_ready()
        for i, (header, client) in enumerate(GOOD):
            target = f"/header-{i}"
            client = client or of(server, 7)
            assert ask(server, 7, header, target, tls).startswith(b"HTTP/1.1 404 ")
            is_logged(server, client, target)
            message = receiver.next()[0]
            assert message["line"].startswith(client + " ") and \
                message["host"] == "stele.test"
        # From elsewhere TLS begins at once; from there it may not.
        assert ask(server, 9, b"", "/", tls).startswith(b"HTTP/1.1 200 ")
        try:
            ask(server, 7, b"", "/", tls)
        except (ConnectionError, ssl.SSLError):
            pass
        else:
            raise AssertionError("TLS without a header")


def headers_may_come_in_pieces(body):
    server = shared()(body)
    for header, client in GOOD[0], GOOD[5]:
        whole = header + request("/pieces")
        with connect_from(server, 7) as s:
            for i in range(len(whole)):
                s.sendall(whole[i:i + 1])
                time.sleep(0.001)
            assert read_all(s).startswith(b"HTTP/1.1 404 ")
        is_logged(server, client, "/pieces")


def without_a_right_header_it_is_reset(body):
    server = shared()(body)
    before = figures(server)["proxy_headers_total"]
    for header in BAD:
        with connect_from(server, 7) as s:
            try:
                s.sendall(header)
                answer = s.recv(1000)
            except ConnectionResetError:
                continue
            raise AssertionError(f"{header}: not reset but {answer}")
    # A look whether somebody listens is no refusal; an end within a header is one.
    with connect_from(server, 7) as s:
        s.shutdown(socket.SHUT_WR)
        assert read_all(s) == b""
    with connect_from(server, 7) as s:
        s.sendall(b"PROXY ")
        s.shutdown(socket.SHUT_WR)
        assert read_all(s) == b""
    after = figures(server)["proxy_headers_total"]
    assert after["refused"] - before["refused"] == len(BAD) + 1, (before, after)
    assert after["accepted"] == before["accepted"]


def a_silent_proxy_is_reset(body):
    """After LIMIT_REQUEST_MS, whatever comes bit by bit."""
    server = shared()(body)
    with connect_from(server, 7) as quiet, connect_from(server, 7) as slow:
        began = time.monotonic()
        for byte in b"PROXY UNKN":
            slow.sendall(bytes((byte,)))
            time.sleep(1)
        for s in slow, quiet:
            try:
                answer = s.recv(10)
            except ConnectionResetError:
                assert 13 < time.monotonic() - began < 19
                continue
            raise AssertionError(f"not reset but {answer}")


def others_headers_are_bad_requests(body):
    server = shared()(body)
    for header, _ in GOOD[:3]:
        answer = ask(server, 9, header, "/")
        assert answer.startswith(b"HTTP/1.1 400 "), answer[:40]
    server.wait_console(f'^{re.escape(of(server, 9))} - - .*"PROXY TCP4 .*" 400 ')


def pages_are_for_the_real_client(body):
    server = shared()(body)
    assert ask(server, 7, GOOD[0][0], "/status").startswith(b"HTTP/1.1 200 ")
    assert ask(server, 7, v2_tcp4(CLIENT), "/status").startswith(b"HTTP/1.1 200 ")
    # 10.77.n.1 could; this one names somebody else, and the proxy itself may not.
    for header in v2_tcp4("198.51.100.1"), v2(0, 0, b""), v2_tcp6(CLIENT6):
        assert ask(server, 7, header, "/status").startswith(b"HTTP/1.1 404 ")


def main():
    vm.enter_private_network()
    suite = vm.Suite()
    for body in BODIES:
        for case in (
                numbers_move_with_requests, metrics_are_what_prometheus_reads,
                pages_are_chunked_and_not_kept, a_page_and_more_on_one_connection,
                a_slow_reader_gets_a_whole_page, others_get_what_the_site_has,
                health_is_for_everybody, without_the_settings_there_is_nothing,
                pages_come_before_the_redirect_to_https,
                lines_are_syslog_messages, the_longest_line_is_bounded,
                without_a_log_on_the_console_syslog_goes_on,
                what_nobody_takes_is_counted,
                the_real_client_is_logged, the_real_client_is_logged_over_tls,
                headers_may_come_in_pieces, without_a_right_header_it_is_reset,
                a_silent_proxy_is_reset, others_headers_are_bad_requests,
                pages_are_for_the_real_client):
            suite.add(case, body)
    with shared():
        return suite.main()


if __name__ == "__main__":
    sys.exit(main())
