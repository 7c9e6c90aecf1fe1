#!/usr/bin/python3
"""What happens at the limits: little memory, many connections, slow clients.

timeout: 600
"""
import concurrent.futures
import functools
import resource
import socket
import sys
import time

import sites
import vm

PAGE_LEN = 1024
LARGE_LEN = 4 << 20


@functools.lru_cache(maxsize=None)
def image_of(size):
    return vm.make_image(vm.make_rom(sites.small_site(size), f"page{size}"),
                         f"page{size}")


def serves(address):
    status, _, body = vm.fetch(address, "/")
    return status == 200 and len(body) > 0


def boots_and_serves_in_24_mib(machine):
    with vm.Machine(machine, image_of(PAGE_LEN), mem=24) as server:
        server.wait_ready()
        with vm.Client(server.ipv4) as client:
            for _ in range(500):
                status, _, body = client.get("/")
                assert (status, len(body)) == (200, PAGE_LEN)


def says_why_it_does_not_start_with_too_little_memory():
    with vm.Machine("q35", image_of(PAGE_LEN), mem=8) as server:
        server.wait_console("memory|RAM", 30)


def open_many(address, count):
    """count connections, each of which has had one answer and stays open."""
    clients = []
    for _ in range(count):
        client = vm.Client(address)
        clients.append(client)
        assert client.get("/")[0] == 200
    return clients


def thousand_connections_at_once():
    with vm.Machine("q35", image_of(PAGE_LEN), mem=64) as server:
        server.wait_ready()
        clients = open_many(server.ipv4, 1000)
        # All are still there, and all are answered when they speak together.
        for client in clients:
            client.socket.sendall(b"GET / HTTP/1.1\r\nHost: stele.test\r\n\r\n")
        for client in clients:
            status, _, body = client.read_answer()
            assert (status, len(body)) == (200, PAGE_LEN)
        for client in clients:
            client.socket.close()


def is_closed(sock):
    sock.setblocking(False)
    try:
        return sock.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def oldest_idle_connection_makes_room():
    with vm.Machine("q35", image_of(PAGE_LEN), mem=24) as server:
        server.wait_ready()
        clients = []
        # More than can be open at once; each of them is served all the same.
        while len(clients) < 6000:
            clients += open_many(server.ipv4, 100)
            if is_closed(clients[0].socket):
                break
        assert is_closed(clients[0].socket), "6000 connections at once?"
        assert not is_closed(clients[-1].socket), "the newest was closed"
        print(f"# {len(clients)} opened before the first was closed")
        assert serves(server.ipv4)
        for client in clients:
            client.socket.close()


# ---- Slow clients: LIMIT_*_MS of config/limits.h ----------------------------------

def seconds_until_closed(sock, at_most, on_wait=lambda: None):
    """Wait for the server to end a connection; returns (seconds, bytes received)."""
    start = time.monotonic()
    received = b""
    sock.settimeout(1)
    while time.monotonic() - start < at_most:
        try:
            data = sock.recv(4096)
            if not data:
                return time.monotonic() - start, received
            received += data
        except socket.timeout:
            on_wait()
        except (ConnectionError, BrokenPipeError):
            return time.monotonic() - start, received
    raise AssertionError(f"still open after {at_most} s")


def between(seconds, low, high, what):
    assert low <= seconds <= high, f"{what}: after {seconds:.1f} s"


def silent_client(address):
    seconds, received = seconds_until_closed(vm.connect(address), 80)
    assert received == b"", received[:80]
    between(seconds, 55, 70, "a client that sends nothing")


def idle_client(address):
    client = vm.Client(address)
    assert client.get("/")[0] == 200
    seconds, received = seconds_until_closed(client.socket, 80)
    assert received == b""
    between(seconds, 55, 70, "a client that asks no more")


def dripping_client(address):
    sock = vm.connect(address)
    sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ")

    def drip():
        try:
            sock.sendall(b"x")
        except OSError:
            pass     # the next recv() says so
    seconds, received = seconds_until_closed(sock, 40, drip)
    assert received.startswith(b"HTTP/1.1 408 "), received[:80]
    between(seconds, 13, 25, "a byte per second")


def half_a_line_client(address):
    sock = vm.connect(address)
    sock.sendall(b"GET /")
    seconds, received = seconds_until_closed(sock, 40)
    assert received.startswith(b"HTTP/1.1 408 "), received[:80]
    between(seconds, 13, 25, "half a line")


def never_reading_client(address):
    """Asks for much, reads nothing for two spans of LIMIT_WRITE_MS: then it is gone.

    A client whose window is closed may not notice the reset itself; but as soon as it
    reads, what it sends belongs to no connection any more.
    """
    sock = socket.socket(socket.AF_INET)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.settimeout(10)
    sock.connect((address, 80))
    sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    time.sleep(45)
    received = 0
    try:
        while data := sock.recv(65536):
            received += len(data)
    except ConnectionResetError:
        assert received < 65536, f"{received} bytes came all the same"
        return
    raise AssertionError(f"served to the end: {received} bytes")


def never_closing_client(address):
    """Gets an answer with Connection: close and keeps its side open."""
    sock = vm.connect(address)
    sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
    data = b""
    while True:
        more = sock.recv(1 << 20)
        if not more:
            break
        data += more
    assert data.startswith(b"HTTP/1.1 200 ")
    time.sleep(12)      # LIMIT_LINGER_MS and some
    try:
        sock.sendall(b"x")
        time.sleep(1)
        sock.sendall(b"x")
    except OSError:
        return
    raise AssertionError("the connection was still there")


def slow_clients_are_dropped(body):
    slow = (silent_client, idle_client, dripping_client, half_a_line_client,
            never_reading_client, never_closing_client)
    with start(body) as server, \
            concurrent.futures.ThreadPoolExecutor(len(slow)) as pool:
        server.wait_ready()
        results = {pool.submit(f, server.ipv4): f.__name__ for f in slow}
        # Meanwhile others are served.
        for _ in range(20):
            assert serves(server.ipv4)
            time.sleep(0.5)
        wrong = []
        for done, name in results.items():
            try:
                done.result()
            except Exception as error:
                wrong.append(f"{name}: {error}")
        assert not wrong, "; ".join(wrong)


def start(body):
    if body == "process":
        return vm.Process(vm.make_rom(sites.small_site(LARGE_LEN), "large"))
    return vm.Machine(body, image_of(LARGE_LEN), mem=64)


def main():
    vm.enter_private_network()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 16384), hard))
    suite = vm.Suite()
    for machine in vm.MACHINES:
        suite.add(boots_and_serves_in_24_mib, machine)
    suite.add(says_why_it_does_not_start_with_too_little_memory)
    suite.add(thousand_connections_at_once)
    suite.add(oldest_idle_connection_makes_room)
    suite.add(slow_clients_are_dropped, "q35")
    suite.add(slow_clients_are_dropped, "process")
    return suite.main()


if __name__ == "__main__":
    sys.exit(main())
