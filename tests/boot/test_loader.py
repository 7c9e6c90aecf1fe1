"""boot: what a strange loader passes is understood or refused in a sentence."""
import os
import re
import struct
import subprocess
import sys
import tempfile
import time

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../guard"))
import bundle  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
IMAGE = os.path.join(HERE, "../../build/guard/hang.elf")
SIGN_IMAGE = os.path.join(HERE, "../../build/guard/gate_sign.elf")
SECONDS = 20
STARTED = r"SERVER CRASH.*on purpose"
MODULE = 0x2000000
FIELDS = {"VERSION": 1, "MODULES": 0, "MODULES_HIGH": 0, "CMDLINE_HIGH": 0,
          "MAP_HIGH": 0, "MAP_COUNT": 2, "THIRD": 2, "MODULE": MODULE,
          "MODULE_LEN": 4096, "CASE": "panic"}


def make_loader(tmp_path, image, fields):
    with open(image, "rb") as file:
        entry, = struct.unpack_from("<Q", file.read(32), 24)
    stub = tmp_path / "loader.elf"
    words = [f"-D{name}={value}"
             for name, value in {**FIELDS, **fields, "ENTRY": entry}.items()]
    subprocess.run(
        ["gcc", "-m32", "-nostdlib", "-static", "-no-pie", "-Wl,--build-id=none",
         "-Wl,-z,noexecstack", "-Wl,-Ttext=0x3e00000,-Tdata=0x3e10000",
         "-Wl,--section-start=.note.Xen=0x3e08000", *words, "-o", stub,
         os.path.join(HERE, "loader.S")], check=True)
    return stub


def console(tmp_path, expected, fields, image=IMAGE, options=(), then=None):
    """Boot the image by our loader until the console shows something expected."""
    stub = make_loader(tmp_path, image, fields)
    with tempfile.NamedTemporaryFile(prefix="loader-") as out:
        run = subprocess.Popen(
            ["qemu-system-x86_64", "-M", "microvm,acpi=off", "-accel", "tcg",
             "-cpu", "max", "-m", "64", "-nodefaults", "-no-user-config",
             "-display", "none", "-no-reboot", "-serial", f"file:{out.name}",
             "-kernel", stub, "-device", f"loader,file={image}",
             "-netdev", "user,id=n0,restrict=on",
             "-device", "virtio-net-device,netdev=n0",
             "-global", "virtio-mmio.force-legacy=false", *options],
            stdin=subprocess.PIPE if then else subprocess.DEVNULL,
            stdout=subprocess.DEVNULL)
        try:
            end = time.monotonic() + SECONDS
            while run.poll() is None and time.monotonic() < end:
                text = out.read().decode("ascii", "replace")
                if re.search(expected, text):
                    break
                out.seek(0)
                time.sleep(0.05)
            if then:
                then(run)
        finally:
            run.kill()
            run.wait()
        out.seek(0)
        return out.read().decode("ascii", "replace")


@pytest.mark.parametrize("expected, fields", [
    (STARTED, {}),
    ("too many reserved ranges", {"MAP_COUNT": 204}),
    ("more than one module", {"MODULES": 2}),
    ("more than one module", {"MODULES": 0xffffffff}),
    ("tables beyond 4 GiB", {"MODULES": 1, "MODULES_HIGH": 1}),
    ("tables beyond 4 GiB", {"CMDLINE_HIGH": 1}),
    ("tables beyond 4 GiB", {"MAP_HIGH": 1}),
    ("tables beyond 4 GiB", {"MAP_COUNT": 0xffffffff}),
    ("no memory map", {"MAP_COUNT": 0}),
    ("PVH version 0", {"VERSION": 0}),
    ("no usable memory map", {"MAP_COUNT": 1}),
    ("an entry that wraps around", {"MAP_COUNT": 4}),
    (STARTED, {"MAP_COUNT": 3, "THIRD": 1}),
    # RAM first, then reserved: what is left is too little.
    ("not enough memory", {"MAP_COUNT": 3, "THIRD": 2}),
])
def test_loader(tmp_path, expected, fields):
    assert re.search(expected, console(tmp_path, expected, fields))


# ---- The instance bundle ---------------------------------------------------------

def bundle_console(tmp_path, at, content, expected, then=None, **fields):
    """Boot with this bundle at this address."""
    path = tmp_path / "instance.bin"
    path.write_bytes(content)
    options = ["-device", f"loader,file={path},addr={at},force-raw=on"]
    if then:
        options += ["-monitor", "stdio", "-no-shutdown"]
    fields = {"MODULES": 1, "MODULE": at, "MODULE_LEN": len(content),
              "CASE": "bundle", **fields}
    return console(tmp_path, expected, fields, SIGN_IMAGE, options, then)


@pytest.mark.parametrize("at", [MODULE, MODULE + 1, MODULE + 4095])
def test_a_bundle_is_taken_from_any_address(tmp_path, at):
    expected = "bundle is where it should be"
    assert expected in bundle_console(tmp_path, at, bundle.keys(), expected)


def test_a_moved_bundle_leaves_no_key_behind(tmp_path):
    content, at, memory = bundle.keys(), MODULE + 16, tmp_path / "memory"

    def save(run):
        run.stdin.write(f'pmemsave {at} {len(content)} "{memory}"\n'.encode())
        run.stdin.flush()
        end = time.monotonic() + SECONDS
        while time.monotonic() < end and not (
                memory.exists() and memory.stat().st_size == len(content)):
            time.sleep(0.05)

    bundle_console(tmp_path, at, content, "bundle is where it should be", save)
    assert memory.read_bytes() == bytes(len(content))


@pytest.mark.parametrize("expected, fields", [
    ("the instance bundle is empty", {"MODULE_LEN": 0}),
    ("the instance bundle is cut off", {"MODULE_LEN": 4096}),
    ("parts are not where they belong", {"MODULE_LEN": 8192}),
    ("too long for an instance bundle", {"MODULE_LEN": (1 << 20) + 1}),
    ("a range that wraps around", {"MODULE_LEN": (1 << 64) - 1}),
    ("beyond 4 GiB", {"MODULE": 1 << 32}),
    ("a range that wraps around", {"MODULE": (1 << 64) - 4095}),
    ("beyond 4 GiB", {"MODULE": (1 << 32) - 4096, "MODULE_LEN": 8192}),
    ("is not an instance bundle", {"MODULE": 0x2800000, "MODULE_LEN": 1 << 20}),
])
def test_a_bundle_that_cannot_be_used_is_refused(tmp_path, expected, fields):
    assert expected in bundle_console(tmp_path, MODULE, bundle.keys(), expected, **fields)
