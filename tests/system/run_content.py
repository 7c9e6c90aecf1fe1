#!/usr/bin/python3
"""Every file of a real site, fetched and compared byte for byte with its source: on
three machines and as a Linux process, over IPv4 and IPv6, kept alive.

timeout: 1500
"""
import functools
import os
import subprocess
import sys

import sites
import vm


@functools.lru_cache(maxsize=None)
def image_of(name):
    folder = sites.odd_site() if name == "odd" else sites.debian_site(name)
    rom = vm.make_rom(folder, name)
    return folder, rom, vm.make_image(rom, name)


def start(body, name, **options):
    _, rom, image = image_of(name)
    mem = 64 + os.path.getsize(rom) // (1 << 20)
    if body == "process":
        return vm.Process(rom)
    return vm.Machine(body, image, mem=mem, **options)


def fetch_all(address, folder):
    """Fetch every file; returns how many answers were compared."""
    count = 0
    with vm.Client(address) as client:
        for url, path in sites.files_of(folder):
            with open(path, "rb") as f:
                wanted = f.read()
            status, fields, body = client.get(url)
            assert status == 200, f"{url}: status {status}"
            assert body == wanted, f"{url}: {len(body)} bytes, not as the file"
            assert fields.get("etag", "").startswith('"'), f"{url}: no ETag"
            count += 1
    assert count == len(list(sites.files_of(folder)))
    return count


def whole_site_is_as_its_source(body, name):
    folder = image_of(name)[0]
    with start(body, name) as server:
        server.tap.advertise()
        server.wait_ready()
        v4 = fetch_all(server.ipv4, folder)
        server.wait_ready(server.ipv6)
        v6 = fetch_all(server.ipv6, folder)
        print(f"# {v4} answers over IPv4, {v6} over IPv6")
        assert v4 == v6 and v4 >= 20


def without_offloads_too(body):
    """A tap without the virtio header: every checksum and segment is ours."""
    folder = image_of("odd")[0]
    with start(body, "odd", vnet_hdr=False) as server:
        server.wait_ready()
        fetch_all(server.ipv4, folder)


def curl_agrees(body):
    folder = image_of("reference")[0]
    name = "ch01.en.html"
    with open(os.path.join(folder, name), "rb") as f:
        wanted = f.read()
    with start(body, "reference") as server:
        server.wait_ready()
        for host in (server.ipv4, f"[{server.link_local.replace('%', '%25')}]"):
            got = subprocess.run(
                ["curl", "-sS", "--fail", "--max-time", "30", f"http://{host}/{name}"],
                check=True, capture_output=True).stdout
            assert got == wanted, f"curl got other bytes from {host}"
            head = subprocess.run(
                ["curl", "-sS", "--head", "--max-time", "30", f"http://{host}/{name}"],
                check=True, capture_output=True, text=True).stdout
            assert f"Content-Length: {len(wanted)}" in head, head


def main():
    vm.enter_private_network()
    suite = vm.Suite()
    for body in vm.BODIES:
        suite.add(whole_site_is_as_its_source, body, "python")
        suite.add(whole_site_is_as_its_source, body, "odd")
        suite.add(curl_agrees, body)
    suite.add(without_offloads_too, "q35")
    return suite.main()


if __name__ == "__main__":
    sys.exit(main())
