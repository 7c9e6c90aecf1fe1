#!/usr/bin/python3
"""A site over TLS: every byte of thousands of files, many connections in little memory,
slow and greedy clients, and ends that cannot be mistaken for one another.

timeout: 900
"""
import concurrent.futures
import functools
import hashlib
import os
import resource
import socket
import ssl
import sys
import time

import badwire
import certs
import sites
import vm
from run_hostile import WIRES, Others
from run_limits import between, seconds_until_closed

PAGE_LEN = 1024
MANY = 500
LARGE = "/large.bin"
SMALL = "/5/5.bin"      # of sites.many_files_site()


@functools.lru_cache(maxsize=None)
def authority():
    return certs.Authority("site")


@functools.lru_cache(maxsize=None)
def bundle():
    return authority().bundle("site", certs.MAIN[:2])


@functools.lru_cache(maxsize=None)
def built(name):
    folder = sites.many_files_site() if name == "many" else sites.small_site(PAGE_LEN)
    rom = vm.make_rom(folder, "tls-" + name)
    return folder, rom, vm.make_image(rom, "tls-" + name)


def start(body, name="page", mem=64, append="log=off stats=1"):
    _, rom, image = built(name)
    if body in ("process", "sanitized"):
        program = "stele-process-san" if body == "sanitized" else "stele-process"
        return vm.Process(rom, append, program, mem, bundle())
    return vm.Machine(body, image, mem, append, instance=bundle())


def start_many(body):
    return start(body, "many", mem=64 + os.path.getsize(built("many")[1]) // (1 << 20))


def client(address, **options):
    return vm.Client(address, tls=authority().trusting(), **options)


# ---- Content -----------------------------------------------------------------------

def fetch_all(address, folder):
    count = 0
    with client(address) as one:
        for url, path in sites.files_of(folder):
            with open(path, "rb") as f:
                wanted = f.read()
            status, _, body = one.get(url)
            assert status == 200, f"{url}: status {status}"
            assert body == wanted, f"{url}: {len(body)} bytes, not as the file"
            count += 1
    return count


def whole_site_is_as_its_source(body):
    """On one connection over IPv4, then by four over IPv6, all at the same time."""
    folder = built("many")[0]
    with start_many(body) as server:
        server.tap.advertise()
        server.wait_ready()
        begin = time.monotonic()
        count = fetch_all(server.ipv4, folder)
        print(f"# {count} files in {time.monotonic() - begin:.1f} s")
        assert count > 3000
        server.wait_ready(server.ipv6)
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            for job in [pool.submit(fetch_large, server.ipv6, folder)
                        for _ in range(4)]:
                job.result()
        slow_reader(server.ipv4, folder)


def digest_of(folder):
    with open(folder + LARGE, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def fetch_large(address, folder):
    with client(address) as one:
        status, _, body = one.get(LARGE)
    assert status == 200
    assert hashlib.sha256(body).hexdigest() == digest_of(folder)


def ask(address, target, receive_len=None, more=""):
    """A TLS socket on which a GET was sent; receive_len is its receive buffer."""
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    if receive_len:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_len)
    sock.settimeout(20)
    sock.connect((address, 443))
    private = authority().trusting().wrap_socket(
        sock, server_hostname="stele.test", suppress_ragged_eofs=False)
    private.sendall(f"GET {target} HTTP/1.1\r\nHost: stele.test\r\n{more}\r\n".encode())
    return private


def slow_reader(address, folder):
    """A small window, emptied in small steps with pauses."""
    digest, left = hashlib.sha256(), 20 << 20
    with ask(address, LARGE, receive_len=16384) as sock:
        head = b""
        while b"\r\n\r\n" not in head:
            head += sock.recv(1)
        number = 0
        while left:
            data = sock.recv(3000)
            assert data, "cut short"
            digest.update(data)
            left -= len(data)
            number += 1
            if number % 100 == 0:
                time.sleep(0.05)
    assert digest.hexdigest() == digest_of(folder)


def files_stay_whole_on_a_bad_wire(body):
    """Sealed records that are lost, late, doubled and damaged on their way."""
    folder = built("many")[0]
    with open(folder + "/middle.bin", "rb") as f:
        wanted = f.read()
    with start_many(body) as server:
        server.wait_ready()
        with badwire.BadWire() as wire:
            for name, down, up, seconds in WIRES:
                if name in ("late ones", "damaged", "all of it"):
                    wire.set(down, up)
                    got, took = wire.fetch(server.ipv4, "/middle.bin", seconds,
                                           trust=authority().root)
                    print(f"# {name}: 1 MiB in {took:.2f} s")
                    assert got == wanted, name
            wire.set({}, {})
            time.sleep(4)       # the last word of a client may have been lost
        is_sound(server, SMALL)


# ---- Many, and little memory -------------------------------------------------------

def open_many(address, count):
    """Clients that have had one answer each; all but the first resume its session."""
    tls, clients = authority().trusting(), []
    for _ in range(count):
        session = clients[0].socket.session if clients else None
        clients.append(vm.Client(address, tls=tls, session=session))
        assert clients[-1].get("/")[0] == 200
        assert clients[-1].socket.session_reused == (session is not None)
    return clients


def five_hundred_at_once(body):
    """In 64 MiB; idle ones hold no buffers, and all are answered at once."""
    with start(body) as server:
        server.wait_ready()
        begin = time.monotonic()
        clients = open_many(server.ipv4, MANY)
        print(f"# {MANY} handshakes in {time.monotonic() - begin:.1f} s")
        level = next_levels(server)
        assert level["conn"] == level["session"] == MANY, level
        assert not any(level[name] for name in (
            "handshake", "hold", "record", "small_record", "segment")), level
        for one in clients:
            one.socket.sendall(b"GET / HTTP/1.1\r\nHost: stele.test\r\n\r\n")
        for one in clients:
            status, _, got = one.read_answer()
            assert (status, len(got)) == (200, PAGE_LEN)
        for one in clients:
            one.socket.close()
        next_levels(server)
        time.sleep(1)
        is_sound(server)


def next_levels(server):
    """Those of a "pools:" line that is printed from now on."""
    before = server.console().count("\npools:")
    end = time.monotonic() + 10
    while server.console().count("\npools:") < before + 2:
        assert time.monotonic() < end, "no pools: line in 10 s"
        time.sleep(0.1)
    return vm.pool_levels(server)


def is_sound(server, target="/"):
    with client(server.ipv4) as one:
        assert one.get(target)[0] == 200
    time.sleep(6)       # LIMIT_LINGER_MS and some
    server.power_button()
    assert server.wait_ended(10) == 0
    vm.assert_pools_idle(server)
    assert "crash" not in server.console().lower()


def is_closed(sock):
    sock.setblocking(False)
    try:
        return sock.recv(1) == b""
    except ssl.SSLWantReadError:
        return False
    except (ConnectionError, ssl.SSLEOFError):
        return True


def oldest_idle_connection_makes_room(machine):
    """In very little memory; each newcomer is served."""
    with start(machine, mem=11) as server:
        server.wait_ready()
        clients = []
        while len(clients) < 2000:
            clients += open_many(server.ipv4, 50)
            if is_closed(clients[0].socket):
                break
        print(f"# {len(clients)} opened before the first was closed")
        assert is_closed(clients[0].socket), "2000 connections in 24 MiB?"
        assert not is_closed(clients[-1].socket), "the newest was closed"
        for one in clients:
            one.socket.close()
        is_sound(server)


# ---- Ends --------------------------------------------------------------------------

def ends_are_what_they_say(body):
    """close_notify behind the last byte of an answer that ends the connection; and
    never one behind an answer that was cut short."""
    with start_many(body) as server:
        server.wait_ready()
        with ask(server.ipv4, SMALL, more="Connection: close\r\n") as sock:
            while sock.recv(65536):
                pass        # its end is b"": without close_notify it would raise
        cut_short_by_the_power_button(server)


def cut_short_by_the_power_button(server):
    with ask(server.ipv4, LARGE, receive_len=16384) as sock:
        got = len(sock.recv(1000))
        server.power_button()
        end = time.monotonic() + 12
        try:
            while time.monotonic() < end:
                sock.settimeout(4)
                data = sock.recv(1000)
                assert data, f"close_notify after {got} bytes"
                got += len(data)
                time.sleep(0.005)
        except (OSError, ssl.SSLEOFError) as error:
            print(f"# after {got} bytes: {error!r}")
        assert got < 20 << 20
        server.wait_ended(15)


# ---- Slow clients: LIMIT_*_MS of config/limits.h -----------------------------------

def is_clean(sock, seconds):
    """The seconds until close_notify; an end without it raises."""
    begin = time.monotonic()
    sock.settimeout(seconds)
    assert sock.recv(1000) == b""
    return time.monotonic() - begin


def silent_client(address):
    took, received = seconds_until_closed(vm.connect(address, 443), 80)
    assert received == b"", received
    between(took, 5, 70, "a client that sends nothing")


def idle_client(address):
    with client(address) as one:
        assert one.get(SMALL)[0] == 200
        between(is_clean(one.socket, 80), 55, 70, "a client that asks no more")


def dripping_client(address):
    with client(address) as one:
        one.socket.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ")

        def drip():
            try:
                one.socket.sendall(b"x")
            except OSError:
                pass
        took, received = seconds_until_closed(one.socket, 40, drip)
    assert received.startswith(b"HTTP/1.1 408 "), received[:80]
    between(took, 13, 25, "a byte per second")


def half_a_record_client(address):
    """The rest of its record never comes."""
    with client(address) as one:
        raw = socket.socket(fileno=os.dup(one.socket.fileno()))
        raw.settimeout(5)
        raw.sendall(b"\x17\x03\x03\x01\x00" + bytes(100))
        took, _ = seconds_until_closed(raw, 40)
        raw.close()
    between(took, 13, 25, "half a record")


def greedy_clients(server):
    """200 ask for 20 MiB each and read nothing; others are served all the time, and
    what was under way is free again when they are dropped (LIMIT_WRITE_MS)."""
    greedy = [ask(server.ipv4, LARGE, receive_len=65536) for _ in range(200)]
    with Others(server.ipv4, target=SMALL, trust=authority().root), \
            Others(server.ipv4, target=SMALL):
        time.sleep(5)
    print(f"# while nobody reads: {next_levels(server)}")
    time.sleep(42)      # two spans of it, and some
    level = next_levels(server)
    assert level["record"] == level["segment"] == 0 and level["conn"] < 10, level
    for sock in greedy:
        sock.close()


def slow_clients_are_dropped(body):
    slow = (silent_client, idle_client, dripping_client, half_a_record_client)
    with start_many(body) as server, \
            concurrent.futures.ThreadPoolExecutor(len(slow) + 1) as pool:
        server.wait_ready()
        results = {pool.submit(f, server.ipv4): f.__name__ for f in slow}
        results[pool.submit(greedy_clients, server)] = greedy_clients.__name__
        wrong = []
        for done, name in results.items():
            try:
                done.result()
            except Exception as error:
                wrong.append(f"{name}: {error!r}")
        assert not wrong, "; ".join(wrong)
        is_sound(server, SMALL)


def main():
    vm.enter_private_network()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 16384), hard))
    suite = vm.Suite()
    for body in "process", "q35":
        suite.add(whole_site_is_as_its_source, body)
        suite.add(ends_are_what_they_say, body)
        suite.add(files_stay_whole_on_a_bad_wire,
                  "sanitized" if body == "process" else body)
        suite.add(slow_clients_are_dropped, body)
        suite.add(five_hundred_at_once, body)
    suite.add(oldest_idle_connection_makes_room, "q35")
    return suite.main()


if __name__ == "__main__":
    sys.exit(main())
