"""boot: what a strange loader passes is understood or refused in a sentence."""
import os
import re
import struct
import subprocess
import tempfile
import time

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
IMAGE = os.path.join(HERE, "../../build/guard/hang.elf")
SECONDS = 20
STARTED = r"SERVER CRASH.*on purpose"
FIELDS = {"VERSION": 1, "MODULES": 0, "MODULES_HIGH": 0, "CMDLINE_HIGH": 0,
          "MAP_HIGH": 0, "MAP_COUNT": 2, "THIRD": 2}


def console(tmp_path, expected, fields):
    """Boot the image by our loader until the console shows something expected."""
    with open(IMAGE, "rb") as image:
        entry, = struct.unpack_from("<Q", image.read(32), 24)
    stub = tmp_path / "loader.elf"
    words = [f"-D{name}={value}"
             for name, value in {**FIELDS, **fields, "ENTRY": entry}.items()]
    subprocess.run(
        ["gcc", "-m32", "-nostdlib", "-static", "-no-pie", "-Wl,--build-id=none",
         "-Wl,-z,noexecstack", "-Wl,-Ttext=0x3e00000,-Tdata=0x3e10000",
         "-Wl,--section-start=.note.Xen=0x3e08000", *words, "-o", stub,
         os.path.join(HERE, "loader.S")], check=True)
    with tempfile.NamedTemporaryFile(prefix="loader-") as out:
        run = subprocess.Popen(
            ["qemu-system-x86_64", "-M", "microvm,acpi=off", "-accel", "tcg",
             "-cpu", "max", "-m", "64", "-nodefaults", "-no-user-config",
             "-display", "none", "-no-reboot", "-serial", f"file:{out.name}",
             "-kernel", stub, "-device", f"loader,file={IMAGE}",
             "-netdev", "user,id=n0,restrict=on",
             "-device", "virtio-net-device,netdev=n0",
             "-global", "virtio-mmio.force-legacy=false"],
            stdin=subprocess.DEVNULL)
        try:
            end = time.monotonic() + SECONDS
            while run.poll() is None and time.monotonic() < end:
                text = out.read().decode("ascii", "replace")
                if re.search(expected, text):
                    break
                out.seek(0)
                time.sleep(0.05)
        finally:
            run.kill()
            run.wait()
        out.seek(0)
        return out.read().decode("ascii", "replace")


@pytest.mark.parametrize("expected, fields", [
    (STARTED, {}),
    (STARTED, {"MODULES": 100}),
    ("too many modules or reserved ranges", {"MODULES": 200}),
    ("tables beyond 4 GiB", {"MODULES": 0xffffffff}),
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
