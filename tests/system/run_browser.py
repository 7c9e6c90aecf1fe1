#!/usr/bin/python3
"""A browser, headless, as a person would use it: https://localhost/ with a certificate
that the test's own user trusts, and with one that nobody does.

The picture of the page stays in build/system/chromium.png.

timeout: 300
"""
import functools
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

import certs
import vm
from certs import Leaf

WELCOME = os.path.join(vm.TOP, "romfs", "welcome")
PICTURE = os.path.join(vm.BUILD, "system", "chromium.png")


@functools.lru_cache(maxsize=None)
def authority():
    return certs.Authority("browser")


@functools.lru_cache(maxsize=None)
def built():
    rom = vm.make_rom(WELCOME, "welcome")
    bundle = authority().bundle("localhost", (
        Leaf("p256", ("localhost",)), Leaf("rsa2048", ("rsa.localhost",))))
    return rom, vm.make_image(rom, "welcome"), bundle


def start(machine):
    _, image, bundle = built()
    return vm.Machine(machine, image, network="user", instance=bundle)


class Browser:
    """A home of its own; with_trust: its database of certificates has our root."""

    def __init__(self, with_trust):
        self.home = tempfile.TemporaryDirectory(prefix="stele-chromium-")
        if with_trust:
            database = os.path.join(self.home.name, ".pki", "nssdb")
            os.makedirs(database)
            for words in (["-N", "--empty-password"],
                          ["-A", "-n", "root", "-t", "C,,", "-i", authority().root]):
                vm.run("certutil", "-d", "sql:" + database, *words)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        # What it leaves running may still write for a moment.
        shutil.rmtree(self.home.name, ignore_errors=True)
        self.home.cleanup()

    def run(self, url, *words):
        """Returns (DOM, what it said about the network and errors)."""
        environment = {**os.environ, "HOME": self.home.name}
        for name in "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "DISPLAY":
            environment.pop(name, None)
        child = subprocess.Popen(
            ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu",
             "--disable-dev-shm-usage", "--no-first-run", "--disable-extensions",
             "--disable-background-networking", "--disable-component-update",
             "--disable-sync", "--no-proxy-server", "--hide-scrollbars",
             "--window-size=1000,900", "--timeout=20000", "--dump-dom",
             f"--user-data-dir={self.home.name}/profile",
             f"--log-net-log={self.home.name}/net.json", "--enable-logging=stderr",
             "--v=0", *words, url],
            env=environment, cwd=self.home.name, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            start_new_session=True)
        try:
            return child.communicate(timeout=90)
        finally:
            try:
                os.killpg(child.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            child.wait()

    def agreed(self):
        """Versions and suites of its handshakes, from its log of the network."""
        log = vm.read_text(os.path.join(self.home.name, "net.json"))
        return set(re.findall(r'"version":"(TLS [^"]+)"', log)), \
            set(map(int, re.findall(r'"cipher_suite":(\d+)', log)))


NETWORK_ERRORS = r"net::ERR_\w+|net_error -\d+|SSL error|handshake failed|ERR_[A-Z_]+"


def browser_loads_the_welcome_site(machine):
    with start(machine) as server, Browser(with_trust=True) as browser:
        server.wait_console("^boot: .*ready")
        if os.path.exists(PICTURE):
            os.remove(PICTURE)
        dom, said = browser.run(f"https://localhost:{server.tls_port}/",
                                f"--screenshot={PICTURE}")
        found = re.findall(NETWORK_ERRORS, said)
        assert not found, f"{found[:3]}: {said[-300:]}"
        assert browser.agreed() == ({"TLS 1.2"}, {0xc02b}), browser.agreed()
        with open(os.path.join(WELCOME, "index.html"), encoding="utf-8") as f:
            title = re.search("<title>(.*?)</title>", f.read()).group(1)
        assert f"<title>{title}</title>" in dom, dom[:300]
        log = server.console()
        assert re.search(r'"GET / HTTP/1.1" 200 \d+ "-" "Mozilla.*Chrom', log), log
        assert not re.search('" [45]\\d\\d ', log.replace("/favicon.ico HTTP/1.1\" 404 ",
                                                        "")), log
        assert os.path.getsize(PICTURE) > 5000, "no picture"


def browser_refuses_who_it_does_not_know(machine):
    """So the case before can fail; and the server takes no harm from being refused."""
    with start(machine) as server:
        server.wait_console("^boot: .*ready")
        url = f"https://localhost:{server.tls_port}/"
        with Browser(with_trust=False) as browser:
            dom, said = browser.run(url)
            assert "CERT_AUTHORITY_INVALID" in dom + said or "-202" in said, said[-300:]
        with Browser(with_trust=True) as browser:
            dom, said = browser.run(url.replace("localhost", "127.0.0.1"))
            assert "CERT_COMMON_NAME_INVALID" in dom + said or "-200" in said, \
                said[-300:]
        assert '"GET / ' not in server.console()
        with vm.Client("127.0.0.1", server.tls_port, tls=authority().trusting(),
                       name="localhost") as client:
            assert client.get("/")[0] == 200


def main():
    vm.enter_private_network()
    suite = vm.Suite()
    suite.add(browser_loads_the_welcome_site, "q35")
    suite.add(browser_refuses_who_it_does_not_know, "microvm")
    return suite.main()


if __name__ == "__main__":
    sys.exit(main())
