#!/usr/bin/env python3
"""What a person who types `make` sees: rebuilds, errors, instance, run, stop, dev,
symbolize.

Works in a copy of this checkout, with what is already built, so that nothing here
touches another suite's image.  Ports are on localhost.  Prints TAP.

timeout: 900
"""
import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import certs
import vm

SECRETS = "instance.bin", "development.bin", "development.crt"
BUILT = ("boot", "kernel", "server", "host", "hosted", "hosted-san", "deps", "lwip",
         "image", "compiler-include")
WAIT_S = 150


class Failed(Exception):
    pass


def check(holds, why):
    if not holds:
        raise Failed(why)


def copy_checkout(to):
    files = subprocess.run(["git", "ls-files", "-z", "--cached", "--others",
                            "--exclude-standard"], cwd=vm.TOP, check=True,
                           capture_output=True).stdout.split(b"\0")
    for name in files:
        source = os.path.join(os.fsencode(vm.TOP), name)
        if name and os.path.exists(source):
            target = os.path.join(os.fsencode(to), name)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copy2(source, target)
    os.makedirs(os.path.join(to, "build"))
    for name in os.listdir(vm.BUILD):
        path = os.path.join(vm.BUILD, name)
        if name in BUILT or (os.path.isfile(path) and name not in SECRETS):
            subprocess.run(["cp", "-a", path, os.path.join(to, "build")], check=True)


class Checkout:
    def __init__(self, folder):
        self.top = os.path.join(folder, "stele")
        self.folder = folder
        os.makedirs(self.top)
        copy_checkout(self.top)

    def make(self, *words):
        """Run make to its end; returns (status, everything it printed, seconds)."""
        start = time.monotonic()
        done = subprocess.run(["make", *words], cwd=self.top, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=300, check=False)
        return done.returncode, done.stdout, time.monotonic() - start

    def site(self, name, files):
        """A folder {file: bytes}; returns its path."""
        path = os.path.join(self.folder, name)
        for file, content in files.items():
            where = os.path.join(path, file)
            os.makedirs(os.path.dirname(where), exist_ok=True)
            with open(where, "wb") as out:
                out.write(content)
        return path

    @contextlib.contextmanager
    def running(self, *words):
        """A make that stays in the foreground, in a process group of its own."""
        with tempfile.NamedTemporaryFile(dir=self.folder) as log:
            process = subprocess.Popen(["make", *words], cwd=self.top, stdout=log,
                                       stderr=subprocess.STDOUT,
                                       stdin=subprocess.DEVNULL,
                                       start_new_session=True)
            process.text = lambda: read_text(log.name)
            try:
                yield process
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGTERM)
                    try:
                        process.wait(20)
                    except subprocess.TimeoutExpired:
                        os.killpg(process.pid, signal.SIGKILL)
                        process.wait()


def read_text(path):
    with open(path, encoding="utf-8", errors="replace") as text:
        return text.read()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def get(port, path="/"):
    with socket.create_connection(("127.0.0.1", port), timeout=5) as link:
        link.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n"
                     "Connection: close\r\n\r\n".encode())
        link.settimeout(5)
        answer = b""
        while piece := link.recv(65536):
            answer += piece
    return answer


def wait_served(process, port, answer=b"HTTP/1.1 200"):
    until = time.monotonic() + WAIT_S
    while time.monotonic() < until:
        check(process.poll() is None, f"make ended early: {process.text()}")
        with contextlib.suppress(OSError):
            if get(port).startswith(answer):
                return
        time.sleep(0.2)
    raise Failed(f"not served after {WAIT_S} s: {process.text()}")


def curl(url, *words):
    """What curl prints of an answer; its certificate has to be right."""
    done = subprocess.run(["curl", "-sS", "--max-time", "20", *words, url], check=False,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)
    check(done.returncode == 0, f"curl {url}: {done.stderr}")
    return done.stdout


def users_of(port):
    """Command lines that name the port: what must not stay behind."""
    found = []
    for entry in os.listdir("/proc"):
        with contextlib.suppress(OSError):
            with open(f"/proc/{entry}/cmdline", "rb") as text:
                words = text.read()
            if re.search(rb"127\.0\.0\.1[:/]%d\b" % port, words):
                found.append(words.replace(b"\0", b" ").decode("utf-8", "replace"))
    return found


def wait_nobody(port):
    until = time.monotonic() + 15
    while users_of(port):
        check(time.monotonic() < until, f"left running: {users_of(port)}")
        time.sleep(0.1)


# ---- Building --------------------------------------------------------------------

def big_site(checkout):
    """10 MB in 500 files that do not compress into nothing."""
    return checkout.site("big site", {
        f"part {i // 50}/page {i}.html": os.urandom(20 * 1024)
        for i in range(500)} | {"index.html": b"<title>big</title>"})


def summary_names_everything(checkout):
    status, text, _ = checkout.make(f"SITE={big_site(checkout)}")
    check(status == 0, text)
    for word in ("files", "input", "rom", "kernel", "server", "ROM", "hash",
                 "build/stele.elf"):
        check(word in text, f"no {word!r} in the summary: {text}")
    digest = re.search(r"hash\s+([0-9a-f]{64})", text)
    check(digest is not None, "no image hash")


def one_file_changes_rom_and_image_only(checkout):
    site = os.path.join(checkout.folder, "big site")
    quickest = 1e9
    for i in range(3):
        with open(os.path.join(site, "index.html"), "wb") as out:
            out.write(b"<title>%d</title>" % i)
        status, text, seconds = checkout.make(f"SITE={site}")
        check(status == 0, text)
        steps = re.findall(r"^  ([A-Z]+) +(\S+)", text, re.M)
        check([s for s in steps if s[0] != "IMAGE"] == [] and steps,
              f"more than the image was made: {steps}")
        quickest = min(quickest, seconds)
    check(quickest < 2, f"10 MB took {quickest:.1f} s, the best of three")


def nothing_changed_makes_nothing(checkout):
    site = os.path.join(checkout.folder, "big site")
    _, text, _ = checkout.make(f"SITE={site}")
    check(re.findall(r"^  [A-Z]+ ", text, re.M) == [], text)


def same_site_same_image(checkout):
    site = os.path.join(checkout.folder, "big site")
    first = re.search(r"hash\s+(\w+)", checkout.make(f"SITE={site}")[1]).group(1)
    os.remove(os.path.join(checkout.top, "build/site.rom"))
    again = re.search(r"hash\s+(\w+)", checkout.make(f"SITE={site}")[1]).group(1)
    check(first == again, f"{first} and {again}")


def wrong_sites_are_named(checkout):
    empty = os.path.join(checkout.folder, "empty")
    os.makedirs(empty, exist_ok=True)
    outside = checkout.site("outside", {"index.html": b"x"})
    os.symlink("/etc/hostname", os.path.join(outside, "secret.txt"))
    twice = checkout.site("twice", {"caf\u00e9.html": b"1", "cafe\u0301.html": b"2"})
    for site, words in (
            ("", ["SITE"]),
            (os.path.join(checkout.folder, "nowhere"), ["nowhere"]),
            (empty, ["empty"]),
            (outside, ["secret.txt"]),
            (twice, ["collides", "html"])):
        status, text, _ = checkout.make(f"SITE={site}")
        check(status != 0, f"SITE={site!r} was accepted")
        for word in words:
            check(word in text, f"{word!r} is not named: {text}")
        check("Traceback" not in text, text)


def odd_names_are_built(checkout):
    site = checkout.site("a site's \u00fcn\u00efcode & $(quotes)", {
        "index.html": b"<title>odd</title>", "100% sure.txt": b"1",
        "\u65e5\u672c\u8a9e.html": b"2", "x" * 250: b"3", "a\\b.txt": b"4",
        "back`tick;$HOME.txt": b"5"})
    status, text, _ = checkout.make("SITE=" + site.replace("$", "$$"))
    if status != 0:
        status, text, _ = checkout.make("SITE=" + site)
    check(status == 0 and re.search(r"files +6\b", text), text)


def help_lists_what_there_is(checkout):
    status, text, _ = checkout.make("help")
    check(status == 0, text)
    for word in ("run", "dev", "instance", "stop", "test", "fuzz", "bench", "symbolize",
                 "clean", "SITE", "HTTP_PORT", "HTTPS_PORT", "CERT", "KEY", "HOST",
                 "SETTINGS", "INSTANCE", "MEM", "MACHINE", "SAN", "FUZZ_SECONDS"):
        check(word in text, f"{word} is not in make help")


# ---- Instance bundles --------------------------------------------------------------

THUMBPRINT = "6fXAG9VyG0IahirPEU2ZerUtItW2DHzDzD9wZaEKpqd"


def development(checkout):
    return os.path.join(checkout.top, "build/development.crt")


def secret(checkout, name):
    return os.path.join(checkout.top, "build", name)


def remove(path):
    with contextlib.suppress(FileNotFoundError):
        os.remove(path)


def pair():
    """(certificate chain, key, what has to be trusted) for stele.test."""
    authority = certs.Authority("make")
    leaf = certs.Leaf("p256", ("stele.test", "www.stele.test"))
    return authority.chain(leaf), certs.key_of(leaf.kind), authority.root


def instance_says_what_is_wrong(checkout):
    chain, key, _ = pair()
    made = secret(checkout, "instance.bin")
    for words, said in (
            ([], "make instance CERT=fullchain.pem KEY=key.pem"),
            ([f"CERT={chain}"], "CERT is given and KEY is not"),
            ([f"KEY={key}"], "KEY is given and CERT is not"),
            ([f"CERT={chain}", f"KEY={chain}"], "are CERT and KEY swapped?"),
            ([f"CERT={chain}", "KEY=nowhere.key"], "nowhere.key: No such file"),
            ([f"CERT={chain}", f"KEY={key} {key}"], "each certificate needs its key"),
            ([f"CERT={chain}", f"KEY={certs.key_of('p384')}"], "does not belong to the key"),
            ([f"CERT={chain}", f"KEY={key}", "HOST=stele.test other.test"],
             "other.test: no certificate names this host"),
            (["SETTINGS=logs=off"], "logs=off: no such setting"),
            (["HOST=stele.test", "SETTINGS=log=off"], "a host needs a certificate")):
        status, text, _ = checkout.make("instance", *words)
        check(status != 0 and said in text, f"{words}: {text}")
        check(not os.path.exists(made), f"{words} made a bundle")


def instance_takes_odd_names(checkout):
    chain, key, _ = pair()
    folder = os.path.join(checkout.folder, "it's $HOME `x`")
    os.makedirs(folder)
    shutil.copy(chain, os.path.join(folder, "full chain.pem"))
    shutil.copy(key, os.path.join(folder, "the*key"))
    status, text, _ = checkout.make("instance", f"CERT={folder}/full chain.pem",
                                    f"KEY={folder}/the*key")
    check(status == 0 and "chain 0 stele.test www.stele.test" in text, text)
    status, text, _ = checkout.make("instance", f"CERT={chain} {chain}", f"KEY={key} {key}")
    check(status == 0 and "chain 1 stele.test www.stele.test" in text, text)
    os.remove(secret(checkout, "instance.bin"))


def run_makes_a_certificate_once(checkout):
    """HTTPS without any preparation."""
    for name in SECRETS:
        remove(secret(checkout, name))
    said = []
    for _ in range(2):
        port, private = free_port(), free_port()
        with checkout.running("run", f"HTTP_PORT={port}",
                              f"HTTPS_PORT={private}") as process:
            wait_served(process, port)
            page = curl(f"https://localhost:{private}/", "--cacert", development(checkout))
            check(page == get(port).split(b"\r\n\r\n", 1)[1].decode(), "another page")
            curl(f"https://127.0.0.1:{private}/", "--cacert", development(checkout))
            head = curl(f"https://localhost:{private}/", "-I", "--cacert",
                        development(checkout))
            check("strict-transport-security" not in head.lower(), head)
            said.append(process.text())
            os.killpg(process.pid, signal.SIGINT)
            process.wait(30)
        wait_nobody(port)
        wait_nobody(private)
    check("made a key and a self-signed certificate for localhost" in said[0], said[0])
    check("made a key" not in said[1], said[1])
    for text in said:
        check("nobody signed" in text and "build/development.crt" in text, text)
    mode = os.stat(secret(checkout, "development.bin")).st_mode & 0o777
    check(mode == 0o600, f"the development key has mode {mode:o}")


def real_certificates_serve_their_hosts(checkout, target="run"):
    chain, key, root = pair()
    port, private = free_port(), free_port()
    status, text, _ = checkout.make(
        "instance", f"CERT={chain}", f"KEY={key}", "HOST=stele.test www.stele.test",
        f"SETTINGS=redirect=https:{private} acme_thumbprint={THUMBPRINT}")
    check(status == 0 and "hosts    stele.test www.stele.test" in text and
          "-initrd build/instance.bin" in text, text)
    site = checkout.site("small", {"index.html": b"small and here"})
    there = ["--resolve", f"stele.test:{private}:127.0.0.1", "--resolve",
             f"stele.test:{port}:127.0.0.1", "--cacert", root]
    with checkout.running(target, f"SITE={site}", f"HTTP_PORT={port}",
                          f"HTTPS_PORT={private}") as process:
        wait_served(process, port, b"HTTP/1.1 308")
        page = curl(f"https://stele.test:{private}/", "-i", *there)
        check(page.endswith("small and here") and
              "strict-transport-security: max-age=31536000" in page.lower(), page)
        page = curl(f"http://stele.test:{port}/", "-L", *there)
        check(page == "small and here", f"the redirect led to {page}")
        challenge = f"http://stele.test:{port}/.well-known/acme-challenge/a-Token_1"
        check(curl(challenge, *there) == f"a-Token_1.{THUMBPRINT}", "the challenge's answer")
        check("with the certificates in build/instance.bin" in process.text(),
              process.text())
        os.killpg(process.pid, signal.SIGINT)
        process.wait(30)
    wait_nobody(port)
    os.remove(secret(checkout, "instance.bin"))


def real_certificates_serve_their_hosts_in_dev(checkout):
    real_certificates_serve_their_hosts(checkout, "dev")


def settings_alone_serve_challenges(checkout):
    """What is booted before there is a certificate."""
    status, text, _ = checkout.make("instance", f"SETTINGS=acme_thumbprint={THUMBPRINT}")
    check(status == 0 and "none: HTTP only" in text, text)
    port = free_port()
    with checkout.running("run", f"HTTP_PORT={port}") as process:
        wait_served(process, port)
        answer = get(port, "/.well-known/acme-challenge/x")
        check(answer.endswith(f"\r\n\r\nx.{THUMBPRINT}".encode()), str(answer))
        check("no HTTPS: there is no certificate" in process.text() and
              "https://localhost" not in process.text(), process.text())
        os.killpg(process.pid, signal.SIGINT)
        process.wait(30)
    os.remove(secret(checkout, "instance.bin"))


def without_instance_there_is_http(checkout):
    port = free_port()
    with checkout.running("dev", f"HTTP_PORT={port}", "INSTANCE=none") as process:
        wait_served(process, port)
        check("no HTTPS" in process.text() and "https://localhost" not in process.text(),
              process.text())
        os.killpg(process.pid, signal.SIGINT)
        process.wait(30)


def wrong_instances_are_named(checkout):
    wrong = os.path.join(checkout.folder, "wrong.bin")
    with open(wrong, "wb") as out:
        out.write(bytes(12288))
    for path, said in (("nowhere.bin", "No such file"), (wrong, "is no instance bundle")):
        for target in "run", "dev":
            status, text, _ = checkout.make(target, f"HTTP_PORT={free_port()}",
                                            f"INSTANCE={path}")
            check(status != 0 and f"{path}: {said}" in text, text)


# ---- Running ---------------------------------------------------------------------

def run_serves_until_ctrl_c(checkout):
    port = free_port()
    site = checkout.site("small", {"index.html": b"small and here"})
    private = free_port()
    with checkout.running("run", f"SITE={site}", f"HTTP_PORT={port}",
                          f"HTTPS_PORT={private}") as process:
        wait_served(process, port)
        check(get(port).endswith(b"small and here"), "another page")
        urls = re.findall(r"https?://\S+", process.text())
        check(urls[:2] == [f"http://localhost:{port}/", f"https://localhost:{private}/"],
              f"first URLs: {urls[:2]}")
        os.killpg(process.pid, signal.SIGINT)
        check(process.wait(30) is not None, "Ctrl-C did not end it")
        text = process.text()
        check("Traceback" not in text and "power button" in text, text)
    wait_nobody(port)


def run_without_site_welcomes(checkout):
    port = free_port()
    with checkout.running("run", f"HTTP_PORT={port}", f"HTTPS_PORT={free_port()}",
                          "MACHINE=microvm") as process:
        wait_served(process, port)
        check(b"stele" in get(port), "the welcome page is another")
        status, text, _ = checkout.make("stop")
        check(status == 0 and f"port {port}: stopped" in text, text)
        process.wait(30)
    wait_nobody(port)
    status, text, _ = checkout.make("stop")
    check(status == 0 and "nothing is running" in text, text)


def port_in_use_is_said(checkout):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for target in ("run", "dev"):
            for variable, other in ("HTTP", "HTTPS"), ("HTTPS", "HTTP"):
                status, text, _ = checkout.make(target, f"{variable}_PORT={port}",
                                                f"{other}_PORT={free_port()}")
                check(status != 0 and f"port {port} is in use" in text and
                      f"make {target} {variable}_PORT=" in text, text)
    status, text, _ = checkout.make("run", f"HTTP_PORT={port}", f"HTTPS_PORT={port}")
    check(status != 0 and f"HTTP_PORT and HTTPS_PORT are both {port}" in text, text)


def wrong_settings_are_said(checkout):
    for word in ("MEM=8", "MEM=lots", "HTTP_PORT=0", "HTTP_PORT=x", "HTTPS_PORT=x",
                 "HTTPS_PORT=65536", "MACHINE=vax"):
        ports = [f"{v}_PORT={free_port()}" for v in ("HTTP", "HTTPS") if v + "_" not in word]
        status, text, _ = checkout.make("run", word, *ports)
        check(status != 0 and word in text, f"{word}: {text}")


def large_site_gets_the_memory_it_needs(checkout):
    """More than the 64 MiB of RAM that a small site gets."""
    port = free_port()
    site = checkout.site("large", {"index.html": b"<title>large</title>",
                                   "large.bin": os.urandom(1 << 20) * 80})
    with checkout.running("run", f"SITE={site}", f"HTTP_PORT={port}",
                          f"HTTPS_PORT={free_port()}") as process:
        wait_served(process, port)
        body = get(port, "/large.bin").split(b"\r\n\r\n", 1)[1]
        with open(os.path.join(site, "large.bin"), "rb") as source:
            check(body == source.read(), "80 MiB arrived differently")
        os.killpg(process.pid, signal.SIGINT)
        process.wait(30)
    wait_nobody(port)


def dev_serves(checkout, *words):
    port = free_port()
    site = checkout.site("small", {"index.html": b"small and here"})
    private = free_port()
    with checkout.running("dev", f"SITE={site}", f"HTTP_PORT={port}",
                          f"HTTPS_PORT={private}", *words) as process:
        wait_served(process, port)
        check(get(port).endswith(b"small and here"), "another page")
        check(curl(f"https://localhost:{private}/", "--cacert", development(checkout)) ==
              "small and here", "another page over HTTPS")
        os.killpg(process.pid, signal.SIGINT)
        process.wait(30)
        check("ERROR" not in process.text(), process.text())
    wait_nobody(port)


def dev_serves_under_sanitizers(checkout):
    dev_serves(checkout, "SAN=1")


def offsets_become_names(checkout):
    nm = subprocess.run(["nm", "build/server.elf"], cwd=checkout.top, check=True,
                        capture_output=True, text=True).stdout
    at = re.search(r"^([0-9a-f]+) [tT] server_main$", nm, re.M).group(1)
    log = os.path.join(checkout.folder, "crash.log")
    with open(log, "w", encoding="ascii") as out:
        out.write(f"stele: SERVER CRASH in ring 3 at server+0x{at}: page fault\n")
    status, text, _ = checkout.make("symbolize", f"FILE={log}")
    check(status == 0 and "server_main" in text and "server.c" in text, text)


def main():
    tests = [
        summary_names_everything, one_file_changes_rom_and_image_only,
        nothing_changed_makes_nothing, same_site_same_image,
        wrong_sites_are_named, odd_names_are_built, help_lists_what_there_is,
        run_serves_until_ctrl_c, run_without_site_welcomes, port_in_use_is_said,
        wrong_settings_are_said, large_site_gets_the_memory_it_needs, dev_serves,
        dev_serves_under_sanitizers, instance_says_what_is_wrong,
        instance_takes_odd_names, run_makes_a_certificate_once,
        real_certificates_serve_their_hosts, real_certificates_serve_their_hosts_in_dev,
        settings_alone_serve_challenges, without_instance_there_is_http,
        wrong_instances_are_named, offsets_become_names,
    ]
    failed = 0
    print(f"TAP version 13\n1..{len(tests)}")
    with tempfile.TemporaryDirectory(prefix="stele-make-") as folder:
        checkout = Checkout(folder)
        for number, test in enumerate(tests, 1):
            name = test.__name__.replace("_", " ")
            try:
                test(checkout)
                print(f"ok {number} - {name}", flush=True)
            except Failed as why:
                failed += 1
                lines = str(why).strip().splitlines() or [""]
                print(f"not ok {number} - {name}: {lines[0]}")
                print("".join(f"# {line}\n" for line in lines[1:][-30:]), end="",
                      flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
