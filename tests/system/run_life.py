#!/usr/bin/python3
"""From boot to power-off: addresses, console, leaks, corrupt images, the power button.

timeout: 900
"""
import functools
import os
import re
import subprocess
import sys
import time

import sites
import vm

PAGE_LEN = 1024
REQUESTS = 200_000
TIME_WAIT_S = 60            # twice TCP_MSL of net/lwipopts.h


@functools.lru_cache(maxsize=None)
def page():
    """(ROM, image) with one small page."""
    rom = vm.make_rom(sites.small_site(PAGE_LEN), "life")
    return rom, vm.make_image(rom, "life")


def boots(machine, **options):
    return vm.Machine(machine, page()[1], **options)


# ---- Addresses ---------------------------------------------------------------------

def dhcp_of_qemu(machine):
    with boots(machine, network="user") as server:
        server.wait_console(r"10\.0\.2\.15.*\(dhcp\)", 40)
        assert vm.fetch("127.0.0.1", "/", port=server.port)[0] == 200


def stateless_ipv6(machine):
    with boots(machine, append="ip=off", address=False) as server:
        server.tap.advertise()
        server.wait_console(re.escape(server.ipv6), 40)
        assert vm.fetch(server.ipv6, "/")[0] == 200


def static_ipv6():
    with boots("q35", append="ip6=fd99::99/64") as server:
        vm.run("ip", "addr", "add", "fd99::1/64", "dev", server.tap.name, "nodad")
        server.wait_ready("fd99::99")
        assert vm.fetch("fd99::99", "/")[0] == 200


def answers_ping():
    with boots("q35") as server:
        server.wait_ready()
        for address in (server.ipv4, server.link_local):
            done = subprocess.run(["ping", "-c", "2", "-W", "5", address],
                                  check=False, capture_output=True)
            assert done.returncode == 0, f"no answer from {address}"


# ---- Console -----------------------------------------------------------------------

COMBINED = re.compile(
    r'^(\S+) - - \[(\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000)\]'
    r' "((?:[^"\\]|\\.)*)" (\d{3}) (\d+|-) "((?:[^"\\]|\\.)*)"'
    r' "((?:[^"\\]|\\.)*)"$', re.M)


def one_log_line_per_request(body):
    with start(body) as server:
        server.wait_ready()
        with vm.Client(server.ipv4) as client:
            client.get("/", fields=("Referer: http://elsewhere/",
                                    "User-Agent: \"quoted\" back\\slash \xff"))
            client.get("/missing", method="HEAD")
        server.wait_console("missing")
        lines = [m.groups() for m in COMBINED.finditer(server.console())]
        assert len(lines) == 2, f"{len(lines)} lines"
        peer, date, request, status, length, referer, agent = lines[0]
        assert peer == server.tap.gateway
        stamp = time.strptime(date, "%d/%b/%Y:%H:%M:%S +0000")
        now = time.mktime(time.gmtime())
        assert abs(time.mktime(stamp) - now) < 60, date
        assert (request, status, length) == ("GET / HTTP/1.1", "200", str(PAGE_LEN))
        assert referer == "http://elsewhere/"
        assert agent == r"\x22quoted\x22 back\x5Cslash \xFF", agent
        assert lines[1][2:4] == ("HEAD /missing HTTP/1.1", "404")


def log_can_be_off():
    with boots("q35", append="log=off") as server:
        server.wait_ready()
        for _ in range(5):
            assert vm.fetch(server.ipv4, "/")[0] == 200
        time.sleep(1)
        assert not COMBINED.search(server.console())


def banner_says_what_runs(machine):
    with boots(machine) as server:
        server.wait_ready()
        text = server.console()
        for wanted in (r"^stele test on .*virtio", r"^image [0-9a-f]{16}, 1 files",
                       r"^boot: .*ready after [\d.]+ ms",
                       r"http://" + re.escape(server.ipv4) + "/"):
            assert re.search(wanted, text, re.M), f"no /{wanted}/"


# ---- Randomness --------------------------------------------------------------------

def without_entropy_it_does_not_start(machine):
    """qemu64 has neither RDRAND nor RDSEED."""
    with boots(machine, cpu="qemu64") as server:
        server.wait_console(r"^stele: cannot start: .*entropy", 30)
        server.wait_ended(20)


def entropy_device_is_enough(machine):
    with boots(machine, cpu="qemu64", rng=True) as server:
        server.wait_ready()
        assert vm.fetch(server.ipv4, "/")[0] == 200
        assert re.search(r"entropy virtio-rng;", server.console())


# ---- Leaks -------------------------------------------------------------------------

def start(body, **options):
    if body == "process":
        return vm.Process(page()[0], **options)
    return boots(body, **options)


def requests(server, connections, seconds, *extra):
    """Ask for "/" over and over; returns how many times."""
    text = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", *extra,
         f"http://{server.ipv4}:80/"],
        check=True, capture_output=True, text=True).stdout
    assert "Non-2xx" not in text, text
    return int(re.search(r"(\d+) requests in", text).group(1))


def nothing_leaks(body):
    with start(body, append="log=off") as server:
        server.wait_ready()
        done = 0
        # Kept alive first, as often as it takes; then a new connection for each.
        for _ in range(40):
            done += requests(server, 64, 10)
            if done >= REQUESTS:
                break
        closed = requests(server, 16, 5, "-H", "Connection: close")
        assert done >= REQUESTS and closed > 0, (done, closed)
        assert vm.fetch(server.ipv4, "/")[0] == 200
        time.sleep(TIME_WAIT_S + 4)    # and what lingers has gone, too
        server.power_button()
        server.wait_console(r"^pools: .*\n", 20)
        left = {name: level for name, level in vm.pool_levels(server).items()
                if level != 0}
        print(f"# {done + closed} requests; levels at the end: {left or 'all zero'}")
        # The idle server may still hold what this one has let go of meanwhile, such as
        # a neighbour it asks for: less is no leak.
        idle = idle_levels(body)
        more = {name: level for name, level in left.items()
                if level > idle.get(name, 0)}
        assert not more, f"left over: {left}, idle: {idle}"


@functools.lru_cache(maxsize=None)
def idle_levels(body):
    """Levels of a server that has had one request."""
    with start(body, append="log=off") as server:
        server.wait_ready()
        assert vm.fetch(server.ipv4, "/")[0] == 200
        time.sleep(12)
        server.power_button()
        server.wait_console(r"^pools: .*\n", 20)
        return {name: level for name, level in vm.pool_levels(server).items()
                if level != 0}


# ---- Ends --------------------------------------------------------------------------

def power_button_stops_it(body):
    with start(body) as server:
        server.wait_ready()
        assert vm.fetch(server.ipv4, "/")[0] == 200
        begin = time.monotonic()
        server.power_button()
        status = server.wait_ended(10)
        assert status == 0, f"ended with status {status}"
        assert "pools:" in server.console()
        print(f"# off after {time.monotonic() - begin:.1f} s")


def response_under_way_is_finished(body):
    """The button is pressed in the middle of a large answer to a fast reader."""
    rom = vm.make_rom(sites.small_site(8 << 20), "life-large")
    server = (vm.Process(rom) if body == "process" else
              vm.Machine(body, vm.make_image(rom, "life-large")))
    with server:
        server.wait_ready()
        with vm.Client(server.ipv4) as client:
            client.socket.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            client.buffer = client.socket.recv(1000)
            server.power_button()
            status, _, got = client.read_answer()
            assert (status, len(got)) == (200, 8 << 20)
        server.wait_ended(15)


def corrupt_rom_is_refused(offset):
    """One byte of the ROM's header or tables is wrong: a reason, then power off."""
    with open(page()[0], "rb") as f:
        rom = bytearray(f.read())
    rom[offset] ^= 0xff
    bad = os.path.join(vm.BUILD, "system", f"corrupt-{offset}.rom")
    with open(bad, "wb") as f:
        f.write(rom)
    with vm.Machine("q35", vm.make_image(bad, f"corrupt-{offset}")) as server:
        server.wait_console("ROM is refused: .+", 30)
        server.wait_ended(20)


def main():
    vm.enter_private_network()
    suite = vm.Suite()
    for machine in vm.MACHINES:
        suite.add(banner_says_what_runs, machine)
        suite.add(dhcp_of_qemu, machine)
        suite.add(stateless_ipv6, machine)
        suite.add(power_button_stops_it, machine)
        suite.add(without_entropy_it_does_not_start, machine)
        suite.add(entropy_device_is_enough, machine)
    suite.add(power_button_stops_it, "process")
    suite.add(response_under_way_is_finished, "q35")
    suite.add(static_ipv6)
    suite.add(answers_ping)
    suite.add(one_log_line_per_request, "q35")
    suite.add(one_log_line_per_request, "process")
    suite.add(log_can_be_off)
    for offset in (0, 8, 16, 24, 64, 80):
        suite.add(corrupt_rom_is_refused, offset)
    suite.add(nothing_leaks, "q35")
    suite.add(nothing_leaks, "process")
    return suite.main()


if __name__ == "__main__":
    sys.exit(main())
