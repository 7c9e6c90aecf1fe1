#!/usr/bin/python3
"""Strangers on the TLS port: whatever they say, they get the alert that the RFCs name
and are closed, others are served, and every buffer comes back.

What is said stands in tlsbad.py.

timeout: 600
"""
import functools
import random
import re
import socket
import struct
import sys
import threading
import time

import certs
import sites
import tlsbad
import tlswire
import vm
from run_hostile import Others
from tlsbad import REQUEST, Bad, client_hello
from tlswire import (
    ALERT, CLIENT_HELLO, CLIENT_KEY, CLOSE_NOTIFY, DATA, DECODE_ERROR, ECDSA_CHACHA,
    FALLBACK_SCSV, FATAL, HANDSHAKE, NO_RENEGOTIATION, WARNING, extension, hello, message,
    record)

BODIES = ("process", "sanitized", "q35")
DEADLINE_S = 15         # for a handshake: LIMIT_HANDSHAKE_MS


@functools.lru_cache(maxsize=None)
def authority():
    return certs.Authority("hostile")


@functools.lru_cache(maxsize=None)
def built():
    rom = vm.make_rom(sites.small_site(1024), "tls-hostile")
    return (rom, vm.make_image(rom, "tls-hostile"),
            authority().bundle("hostile", certs.MAIN[:2]))


def start(body):
    rom, image, bundle = built()
    words = "log=off stats=1"
    if body == "process":
        return vm.Process(rom, words, instance=bundle)
    if body == "sanitized":
        return vm.Process(rom, words, program="stele-process-san", instance=bundle)
    return vm.Machine(body, image, append=words, instance=bundle)


server = vm.Shared(start)


def serves(running):
    return vm.fetch(running.ipv4, "/", tls=authority().trusting())[0] == 200


# ---- What is said, in which state, and the alert that it gets: tlsbad.py -----------

def check_all(body, table):
    running = server(body)
    wrong = []
    for bad in table:
        try:
            bad.try_it(running.ipv4)
        except (AssertionError, OSError, tlswire.Closed) as error:
            wrong.append(str(error) if bad.name in str(error)
                         else f"{bad.name}: {error!r}")
    for line in wrong:
        print("# " + line)
    assert not wrong, f"{len(wrong)} of {len(table)}: {wrong[0]}"
    assert serves(running)


def first_bytes(body):
    check_all(body, [Bad(name, "connected", what, *alerts) for name, what, *alerts
                     in tlsbad.FIRST_BYTES + tlsbad.FIRST_MESSAGES])


def plain_http_is_told(body):
    """No TLS client could read it; a person with a browser can."""
    sock = vm.connect(server(body).ipv4, 443)
    sock.sendall(REQUEST)
    said = b""
    while data := sock.recv(4096):
        said += data
    assert said.startswith(b"HTTP/1.1 400 ") and b"https://" in said, said
    sock.close()


def broken_records_in_every_state(body):
    """Where our side is protected already, the alert is, too."""
    check_all(body, [Bad(f"{name}, {state}", state, what, *alerts)
                     for state in ("connected", "flight taken", "key sent", "done")
                     for name, what, *alerts in tlsbad.BROKEN_RECORDS])


def alerts_in_every_state(body):
    check_all(body, [Bad(f"{name}, {state}", state, what, *alerts)
                     for state in tlswire.STATES for name, what, *alerts
                     in tlsbad.ALERTS if state != "hello sent"])


def malformed_hellos(body):
    check_all(body, [Bad(name, "connected", what, *alerts) for name, what, *alerts
                     in tlsbad.HELLOS])


def wrong_steps_in_the_handshake(body):
    check_all(body, [Bad(name, state, what, *alerts) for state, name, what, *alerts
                     in tlsbad.MIDDLE])


def wrong_records_after_it(body):
    check_all(body, [Bad(name, "done", what, *alerts) for name, what, *alerts
                     in tlsbad.AFTER])


# ---- What is odd but allowed -------------------------------------------------------

def answered(wire):
    wire.send(DATA, REQUEST)
    got = b""
    while len(got) < 1024 or not got.endswith(b"x" * 1024):
        kind, payload = wire.receive()
        assert kind == DATA, (kind, payload)
        got += payload
    assert got.startswith(b"HTTP/1.1 200 ")


def odd_clients_are_served(body):
    address = server(body).ipv4
    with tlswire.Wire(address) as wire:         # a byte per record
        whole = wire.note(message(CLIENT_HELLO, hello()))
        wire.client_random = whole[6:38]
        for at in range(0, len(whole), 1):
            wire.send_raw(record(HANDSHAKE, whole[at:at + 1], version=0x0301))
        wire.take_flight()
        whole = wire.note(message(CLIENT_KEY, wire.client_key()))
        for at in range(len(whole)):
            wire.send_raw(record(HANDSHAKE, whole[at:at + 1]))
        wire.send_ccs()
        whole = wire.note(message(tlswire.FINISHED, wire.verify_data(b"client finished")))
        for at in range(len(whole)):
            wire.send(HANDSHAKE, whole[at:at + 1])
        wire.take_finished()
        for byte in REQUEST[:-4]:
            wire.send(DATA, bytes([byte]))
            wire.send(DATA, b"")                # section 6.2.1: data may be empty
        wire.send(DATA, REQUEST[-4:-2])
        wire.socket.settimeout(10)
        wire.send(DATA, REQUEST[-2:])
        assert wire.receive()[1].startswith(b"HTTP/1.1 200 ")
    for words in (
            {"version": 0x0304}, {"version": 0x0399},   # appendix E.1
            {"compressions": b"\1\0\x40"}, {"session": bytes(32)},
            {"suites": tuple(range(0x1a1a, 0x1a1a + 200)) + (ECDSA_CHACHA,)},
            {"suites": (FALLBACK_SCSV, ECDSA_CHACHA)},
            {"more": extension(0xff01, b"\0") + extension(0x0a0a, b"") +
             extension(21, bytes(600))}):
        with tlswire.Wire(address) as wire:
            wire.start(hello(**words))
            wire.come_on("done")
            answered(wire)
    with tlswire.Wire(address) as wire:
        wire.send_raw(record(ALERT, b"\1\x5a"))         # a warning changes nothing
        wire.shake_hands()
        wire.send(ALERT, b"\1\x5a")
        answered(wire)
        # No renegotiation: a warning, and things go on (RFC 5246, section 7.2.2).
        wire.send(HANDSHAKE, message(CLIENT_HELLO, hello()))
        assert wire.receive() == (ALERT, bytes([WARNING, NO_RENEGOTIATION]))
        answered(wire)


def long_hellos(body):
    """16 KiB of extensions are read over; 64 KiB are too much (LIMIT_HANDSHAKE_LEN)."""
    address = server(body).ipv4
    for length in 3000, 16384, 17000, 40000:
        with tlswire.Wire(address) as wire:
            data = tlsbad.long_hello(length)
            wire.client_random = data[11:43]
            for at in range(0, len(data), 5 + 16384):
                wire.note(data[at + 5:at + 5 + 16384])
            wire.send_raw(data)
            wire.come_on("done")
            answered(wire)
    check_all(body, [
        Bad("a hello of 70,000 bytes", "connected", tlsbad.endless_hello(70000), DECODE_ERROR),
        Bad("and of 16 MiB", "connected", tlsbad.endless_hello(200000), DECODE_ERROR)])


def close_notify_is_answered(body):
    """Section 7.2.1; and a request before it is answered first."""
    with tlswire.Wire(server(body).ipv4) as wire:
        wire.shake_hands()
        wire.send(DATA, REQUEST)
        wire.send(ALERT, bytes([WARNING, CLOSE_NOTIFY]))
        records, how = wire.end()
        assert how == "FIN"
        assert records[-1] == (ALERT, bytes([WARNING, CLOSE_NOTIFY])), records[-1]
        assert b"".join(p for k, p in records if k == DATA).endswith(b"x" * 1024)


def warnings_do_not_keep_anyone_busy(body):
    """A flood of them, before, within and after the handshake: closed, or endured."""
    running = server(body)
    with Others(running.ipv4, trust=authority().root):
        for state in "connected", "flight taken", "done":
            with tlswire.Wire(running.ipv4) as wire:
                wire.come_to(state)
                flood = b"".join(wire.sealed(ALERT, b"\1\x5a") for _ in range(500))
                for _ in range(1 if wire.writing else 40):
                    wire.send_raw(flood)
    assert serves(running)


# ---- Truncated everything ----------------------------------------------------------

def end_with_reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def handshakes_cut_anywhere(body):
    """After every 7th byte of what an honest client says: FIN, or RST."""
    running = server(body)
    begin = client_hello()
    for at in range(0, len(begin), 7):
        for reset in False, True:
            with tlswire.Wire(running.ipv4, timeout=5) as wire:
                wire.send_raw(begin[:at])
                if reset:
                    end_with_reset(wire.socket)
                    continue
                wire.socket.shutdown(socket.SHUT_WR)
                alert = wire.last_alert()
                assert alert in (None, (FATAL, DECODE_ERROR)), f"at {at}: {alert}"
    for state in tlswire.STATES[2:]:
        for reset in False, True:
            with tlswire.Wire(running.ipv4, timeout=5) as wire:
                wire.come_to(state)
                wire.send_raw(wire.sealed(HANDSHAKE, bytes(20))[:13])
                if reset:
                    end_with_reset(wire.socket)
                    continue
                wire.socket.shutdown(socket.SHUT_WR)
                wire.end()
    assert serves(running)


class Flipped(tlswire.Wire):
    """An honest client on a wire that changes one bit of what it sends."""

    def __init__(self, address, at, bit):
        super().__init__(address, timeout=0.4)
        self.at, self.bit = at, bit

    def send_raw(self, data):
        if 0 <= self.at < len(data):
            data = data[:self.at] + bytes([data[self.at] ^ 1 << self.bit]) + \
                data[self.at + 1:]
        self.at -= len(data)
        super().send_raw(data)


def one_bit_changes_anywhere(body):
    """Nothing gets through: the handshake ends with an alert, or waits for more."""
    running = server(body)
    numbers, ends = random.Random(5), {}
    for at in range(0, 400, 3):
        with Flipped(running.ipv4, at, numbers.randrange(8)) as wire:
            try:
                wire.shake_hands()
                wire.send(DATA, REQUEST)
                kind, payload = wire.receive()
                end = payload[1] if kind == ALERT else "answer"
            except tlswire.Alerted as alert:
                end = alert.what[1]
            except (tlswire.Closed, TimeoutError, AssertionError) as error:
                end = type(error).__name__      # AssertionError: another curve
        if wire.at >= 0:
            break       # that was all it had to say
        assert end != "answer", f"one is served, with a bit changed in byte {at}"
        ends[end] = ends.get(end, 0) + 1
    print(f"# {ends}")
    assert end == "answer" and len(ends) > 3 and ends.get("TimeoutError", 0) < 20, ends
    assert serves(running)


def stalled_handshakes_come_to_an_end(body):
    """200 clients fall silent in the middle; others are served, and the buffers come
    back when their time is up."""
    running = server(body)
    stalled, begin = [], client_hello()
    for number in range(200):
        wire = tlswire.Wire(running.ipv4, timeout=5)
        stalled.append(wire)
        state = ("connected", "connected", "connected", "flight taken",
                 "key sent")[number % 5]
        if state == "connected":
            wire.send_raw(begin[:(0, 3, 90)[number % 3]])
        elif number < 40:
            wire.come_to(state)
        else:
            wire.send_raw(begin)
    began = time.monotonic()
    try:
        with Others(running.ipv4), Others(running.ipv4, trust=authority().root):
            level = levels(running)
            assert level["handshake"] > 50 and level["hold"] > 20, level
            time.sleep(max(0, began + DEADLINE_S + 3 - time.monotonic()))
        # The buffers; a client that has said nothing may stay for LIMIT_IDLE_MS.
        level = levels(running)
        assert level["handshake"] == level["hold"] == 0 < level["conn"], level
    finally:
        for wire in stalled:
            wire.socket.close()


# ---- The end -----------------------------------------------------------------------

def with_little_window(running, window):
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
    sock.settimeout(3)
    sock.connect((running.ipv4, 443))
    return sock


def flights_nobody_acknowledges_make_room(body):
    """Hellos of clients that read nothing hold a buffer each, and a few downloads that
    sip hold what is left: others get theirs all the same (LIMIT_RECORD_MS).

    Twenty a second would hold 300 buffers until the deadline of a handshake; there
    are 133."""
    rom = vm.make_rom(sites.small_site(4000000), "tls-sip")
    bundle = authority().bundle("hostile", certs.MAIN[:2])
    enough = threading.Event()
    hellos = []

    def sip(download):
        while not enough.wait(0.24) and download.recv(2400):
            pass

    def attack(running):
        while not enough.wait(0.05):
            try:
                hellos.append(with_little_window(running, 1))
                hellos[-1].sendall(client_hello())
            except OSError:
                enough.wait(0.02)
            while len(hellos) > 470:
                hellos.pop(0).close()

    with vm.Process(rom, "log=off", program=f"stele-{body}", mem=8,
                    instance=bundle) as running:
        running.wait_ready(port=443)
        threads = [threading.Thread(target=attack, args=(running,))]
        for _ in range(6):
            tls = authority().trusting().wrap_socket(
                with_little_window(running, 30000), server_hostname="stele.test")
            tls.sendall(REQUEST)
            threads.append(threading.Thread(target=sip, args=(tls,)))
        for thread in threads:
            thread.start()
        try:
            time.sleep(14)
            took = []
            for _ in range(3):
                begin = time.monotonic()
                with vm.Client(running.ipv4, timeout=30,
                               tls=authority().trusting()) as client:
                    took.append(time.monotonic() - begin)
                    assert client.socket.version() == "TLSv1.2"
            print("# handshakes took", ", ".join(f"{t:.2f} s" for t in took))
            assert max(took) < 3, took
        finally:
            enough.set()
            for thread in threads:
                thread.join()


def levels(running):
    """The next "pools:" line: {name: level}."""
    before = running.console().count("\npools:")
    end = time.monotonic() + 5
    while running.console().count("\npools:") == before:
        assert time.monotonic() < end, "no pools: line in 5 s"
        time.sleep(0.1)
    return vm.pool_levels(running)


def is_as_sound_as_before(body):
    running = server(body)
    assert serves(running)
    time.sleep(6)       # LIMIT_LINGER_MS and some
    levels(running)
    vm.assert_pools_idle(running)
    assert not running.ended()
    assert not re.search(r"^crash|restart", running.console(), re.M | re.I)
    running.power_button()
    assert running.wait_ended(10) == 0


CASES = (
    first_bytes, plain_http_is_told, broken_records_in_every_state,
    alerts_in_every_state, malformed_hellos,
    wrong_steps_in_the_handshake, wrong_records_after_it, odd_clients_are_served,
    long_hellos, close_notify_is_answered, warnings_do_not_keep_anyone_busy,
    handshakes_cut_anywhere, one_bit_changes_anywhere,
    stalled_handshakes_come_to_an_end, is_as_sound_as_before,
)


def main():
    vm.enter_private_network()
    suite = vm.Suite()
    for body in BODIES:
        for case in CASES:
            suite.add(case, body)
    suite.add(flights_nobody_acknowledges_make_room, "process")
    with server:
        return suite.main()


if __name__ == "__main__":
    sys.exit(main())
