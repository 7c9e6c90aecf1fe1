#!/usr/bin/python3
"""Every file of a real site, fetched in each coding, decoded by the tools that everybody has
(gzip, brotli, zstd) and compared byte for byte with its source: in the VM and as a process.

timeout: 1800
"""
import base64
import contextlib
import functools
import gzip
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile

import sites
import vm

# Content-Encoding: the ending of such files, and the tool that knows them by it.
TOOLS = {
    "gzip": (".gz", ["gzip", "-d", "-f", "-q"]),
    "br": (".br", ["brotli", "-d", "-f"]),
    "zstd": (".zst", ["zstd", "-d", "-f", "-q"]),
}
BATCH = 200          # files that a tool gets at a time


@functools.lru_cache(maxsize=None)
def image_of(name):
    folder = sidecar_site() if name == "sidecars" else sites.debian_site(name)
    rom = vm.make_rom(folder, "codings-" + name)
    return folder, rom, vm.make_image(rom, "codings-" + name)


def start(body, name):
    for tool in "gzip", "brotli", "zstd":
        if not shutil.which(tool):
            raise vm.Skip(f"{tool} is not installed")
    _, rom, image = image_of(name)
    if body == "process":
        return vm.Process(rom)
    return vm.Machine(body, image, mem=64 + os.path.getsize(rom) // (1 << 20))


class Decoder:
    """Collects coded bodies, and has a tool decode many of them at a time."""

    def __init__(self, coding):
        self.ending, self.command = TOOLS[coding]
        self.coding, self.waiting, self.count = coding, [], 0
        self.folder = tempfile.TemporaryDirectory()

    def __enter__(self):
        return self

    def __exit__(self, kind, *unused):
        with self.folder:
            if not kind:
                self.decode()

    def add(self, url, body, source):
        name = os.path.join(self.folder.name, str(len(self.waiting)))
        with open(name + self.ending, "wb") as f:
            f.write(body)
        self.waiting.append((url, name, source))
        self.count += 1
        if len(self.waiting) == BATCH:
            self.decode()

    def decode(self):
        if not self.waiting:
            return
        names = [name + self.ending for _, name, _ in self.waiting]
        subprocess.run(self.command + names, check=True, stdin=subprocess.DEVNULL)
        for url, name, source in self.waiting:
            assert read(name) == read(source), f"{url}: {self.coding} is not the file"
            os.unlink(name)
        self.waiting = []


def read(path):
    with open(path, "rb") as f:
        return f.read()


def get(client, url, accept):
    """One answer; its digest, length and fields have been checked."""
    fields = ["Want-Repr-Digest: sha-256=1"]
    if accept is not None:
        fields.append(f"Accept-Encoding: {accept}")
    status, answer, body = client.get(url, fields=fields)
    assert status == 200, f"{url}: status {status}"
    # RFC 9530, section 3: of the bytes of the representation, in its coding.
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    assert answer["repr-digest"] == f"sha-256=:{digest}:", f"{url}: {answer['repr-digest']}"
    assert answer["etag"].startswith('"') and answer["etag"].endswith('"'), url
    return answer, body


def fetch_in_all_codings(client, url, path, decoders):
    """Returns {coding: length}, with "" for none."""
    answer, body = get(client, url, None)
    assert "content-encoding" not in answer, url
    assert body == read(path), f"{url}: {len(body)} bytes, not as the file"
    lengths, tags, varies = {"": len(body)}, {answer["etag"]}, {answer.get("vary")}
    for coding, decoder in decoders.items():
        answer, body = get(client, url, f"{coding};q=0.5")
        varies.add(answer.get("vary"))
        if "content-encoding" not in answer:
            assert answer["etag"] in tags, f"{url}: another tag for the same bytes"
            continue
        assert answer["content-encoding"] == coding, url
        # RFC 9110, section 8.8.1: a strong tag is of one sequence of bytes.
        assert answer["etag"] not in tags, f"{url}: {coding} has no tag of its own"
        tags.add(answer["etag"])
        lengths[coding] = len(body)
        assert len(body) + 64 <= lengths[""] and len(body) * 20 <= lengths[""] * 19, url
        decoder.add(url, body, path)
    # RFC 9110, section 12.5.5: on all of them or on none.
    wanted = "accept-encoding" if len(lengths) > 1 else None
    assert {v and v.lower() for v in varies} == {wanted}, f"{url}: Vary {varies}"
    return lengths


def the_smallest_is_chosen(client, url, lengths):
    """As browsers ask."""
    answer, body = get(client, url, "gzip, deflate, br, zstd")
    assert len(body) == min(lengths.values()), f"{url}: {len(body)} of {lengths}"
    assert lengths[answer.get("content-encoding", "")] == len(body), url


def every_file_in_every_coding(body, name):
    folder = image_of(name)[0]
    coded = dict.fromkeys(TOOLS, 0)
    files = 0
    with start(body, name) as server, contextlib.ExitStack() as stack:
        server.wait_ready()
        decoders = {c: stack.enter_context(Decoder(c)) for c in TOOLS}
        client = stack.enter_context(vm.Client(server.ipv4))
        for url, path in sites.files_of(folder):
            lengths = fetch_in_all_codings(client, url, path, decoders)
            the_smallest_is_chosen(client, url, lengths)
            files += 1
            for coding in TOOLS:
                coded[coding] += coding in lengths
            if path.endswith((".html", ".css", ".js")) and lengths[""] > 1000:
                assert len(lengths) == 4, f"{url}: only {list(lengths)}"
    assert all(decoder.count == coded[c] > 10 for c, decoder in decoders.items())
    print(f"# {files} URLs; decoded: " + ", ".join(f"{n} {c}" for c, n in coded.items()))


def conditions_go_by_the_coding(body):
    """A tag matches the coding that it came with, and no other."""
    folder = image_of("reference")[0]
    url = "/ch01.en.html"
    assert os.path.exists(folder + url)
    with start(body, "reference") as server:
        server.wait_ready()
        with vm.Client(server.ipv4) as client:
            tags = {c: get(client, url, c or "identity")[0]["etag"] for c in ["", *TOOLS]}
            assert len(set(tags.values())) == 4, tags
            for asked in tags:
                for of in tags:
                    status, answer, _ = client.get(url, fields=[
                        f"Accept-Encoding: {asked or 'identity'}",
                        f"If-None-Match: {tags[of]}"])
                    assert status == (304 if asked == of else 200), (asked, of, status)
                    assert answer["etag"] == tags[asked], (asked, of)


def curl_decodes_all_it_knows(body):
    """curl asks for what it was built with, and decodes by itself."""
    folder = image_of("reference")[0]
    with start(body, "reference") as server:
        server.wait_ready()
        for name in "ch01.en.html", "ch02.en.html":
            got = subprocess.run(
                ["curl", "-sS", "--fail", "--compressed", "--max-time", "60",
                 f"http://{server.ipv4}/{name}"], check=True, capture_output=True).stdout
            assert got == read(os.path.join(folder, name)), f"{name}: not as the file"


# ---- Sidecars ----------------------------------------------------------------------

def run_tool(command, data):
    return subprocess.run(command, input=data, check=True, capture_output=True).stdout


@functools.lru_cache(maxsize=None)
def sidecars():
    """Made by the tools, with less effort than mkromfs would: {coding: bytes}."""
    page = read(os.path.join(sites.debian_site("reference"), "ch01.en.html"))
    return page, {
        "gzip": run_tool(["gzip", "-1", "-n"], page),
        "br": run_tool(["brotli", "-q", "2", "-c"], page),
        "zstd": run_tool(["zstd", "-1", "-q", "-c"], page),
    }


def sidecar_site():
    out = os.path.join(vm.BUILD, "system", "site-sidecars")
    page, coded = sidecars()
    os.makedirs(out, exist_ok=True)
    with open(os.path.join(out, "page.html"), "wb") as f:
        f.write(page)
    for coding, (ending, _) in TOOLS.items():
        with open(os.path.join(out, "page.html" + ending), "wb") as f:
            f.write(coded[coding])
    return out


def sidecars_are_what_is_sent(body):
    page, coded = sidecars()
    with start(body, "sidecars") as server:
        server.wait_ready()
        with vm.Client(server.ipv4) as client:
            for coding, wanted in coded.items():
                answer, got = get(client, "/page.html", coding)
                assert answer["content-encoding"] == coding, answer
                assert got == wanted, f"{coding}: not the sidecar's bytes"
            assert get(client, "/page.html", None)[1] == page


def a_sidecar_of_something_else_ends_the_build():
    page, _ = sidecars()
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(os.path.join(folder, "site"))
        with open(os.path.join(folder, "site", "page.html"), "wb") as f:
            f.write(page)
        with open(os.path.join(folder, "site", "page.html.gz"), "wb") as f:
            f.write(gzip.compress(page + b"\n", mtime=0))
        out = os.path.join(folder, "rom")
        done = subprocess.run(
            [os.path.join(vm.BUILD, "mkromfs"), "--quiet",
             os.path.join(folder, "site"), out],
            capture_output=True, text=True, check=False)
        assert done.returncode == 1, done
        assert "page.html.gz: decodes to more than its file's" in done.stderr, done.stderr
        assert os.listdir(folder) == ["site"], os.listdir(folder)


def main():
    vm.enter_private_network()
    suite = vm.Suite()
    for body in "process", "q35":
        suite.add(every_file_in_every_coding, body, "reference")
        suite.add(every_file_in_every_coding, body, "python")
        suite.add(conditions_go_by_the_coding, body)
        suite.add(curl_decodes_all_it_knows, body)
        suite.add(sidecars_are_what_is_sent, body)
    suite.add(a_sidecar_of_something_else_ends_the_build)
    return suite.main()


if __name__ == "__main__":
    sys.exit(main())
