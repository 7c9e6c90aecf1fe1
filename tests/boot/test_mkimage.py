"""mkimage: what the image holds, where, and what is refused."""
import hashlib
import os
import struct
import subprocess

import pytest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(TOP, "build")
TABLE = struct.Struct("<QIIQQQQQQQ32s32s")     # boot/image.h
MAGIC = 0x67616d692d6c7473
PAGE = 4096


def mkimage(tmp_path, status=0, **parts):
    """Run it with real parts where none are given; returns (output path, text)."""
    paths = {"boot": os.path.join(BUILD, "boot.elf"), "version": "1.2.3"}
    for name, size in ("kernel", 5000), ("server", 4096), ("rom", 100):
        paths[name] = tmp_path / name
        paths[name].write_bytes(bytes([len(name)]) * size)
    paths.update(parts)
    out = tmp_path / "out.elf"
    command = [os.path.join(BUILD, "mkimage"), "-o", str(out)]
    for name, path in paths.items():
        command += [f"--{name}", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode == 0) == (status == 0), done.stderr
    assert not os.path.exists(f"{out}.new")
    if status:
        assert not out.exists()
    return out, done.stdout + done.stderr


def segments(image):
    """[(type, offset, physical address, bytes in file, bytes in memory)]"""
    off, = struct.unpack_from("<Q", image, 32)
    count, = struct.unpack_from("<H", image, 56)
    result = []
    for i in range(count):
        kind, _, at, _, pa, file_len, mem_len, _ = struct.unpack_from(
            "<IIQQQQQQ", image, off + 56 * i)
        result.append((kind, at, pa, file_len, mem_len))
    return result


def load(image):
    """Memory as a loader leaves it: {physical address: bytes}."""
    memory = {}
    for kind, at, pa, file_len, mem_len in segments(image):
        if kind == 1:
            memory[pa] = image[at:at + file_len] + bytes(mem_len - file_len)
    return memory


def table_of(image):
    at = image.index(struct.pack("<QI", MAGIC, 1))
    return TABLE.unpack_from(image, at)


def test_parts_lie_where_the_table_says(tmp_path):
    out, text = mkimage(tmp_path)
    image = out.read_bytes()
    memory = load(image)
    (_, version, _, end, kernel, kernel_len, server, server_len, rom, rom_len,
     digest, name) = table_of(image)
    assert version == 1 and name.rstrip(b"\0") == b"1.2.3"
    sha = hashlib.sha256(name)
    for part, pa, length in (("kernel", kernel, kernel_len), ("server", server, server_len),
                             ("rom", rom, rom_len)):
        content = (tmp_path / part).read_bytes()
        assert pa % PAGE == 0
        assert length == len(content)
        assert memory[pa][:length] == content
        assert len(memory[pa]) % PAGE == 0 and set(memory[pa][length:]) <= {0}
        sha.update(struct.pack("<Q", length) + content)
    assert digest == sha.digest() and digest.hex() in text
    assert end == rom + (rom_len + PAGE - 1) // PAGE * PAGE


def test_segments_do_not_overlap(tmp_path):
    spans = sorted((pa, pa + mem_len) for kind, _, pa, _, mem_len
                   in segments(mkimage(tmp_path)[0].read_bytes()) if kind == 1)
    assert len(spans) >= 4
    assert all(a[1] <= b[0] for a, b in zip(spans, spans[1:]))


def test_the_note_leads_to_the_entry(tmp_path):
    image = mkimage(tmp_path)[0].read_bytes()
    (_, at, _, length, _), = (s for s in segments(image) if s[0] == 4)
    name_len, desc_len, kind = struct.unpack_from("<III", image, at)
    assert (name_len, kind, image[at + 12:at + 16]) == (4, 18, b"Xen\0")
    assert desc_len in (4, 8) and length >= 16 + desc_len
    entry, = struct.unpack_from("<I", image, at + 16)
    assert entry == struct.unpack_from("<Q", image, 24)[0]


@pytest.mark.parametrize("size, alignment", [
    ((2 << 20) - 1, PAGE), (2 << 20, 2 << 20), ((2 << 20) + 1, 2 << 20)])
def test_a_large_rom_lies_on_large_pages(tmp_path, size, alignment):
    rom = tmp_path / "large"
    rom.write_bytes(bytes(size))
    out, _ = mkimage(tmp_path, rom=rom)
    assert table_of(out.read_bytes())[8] % alignment == 0
    assert out.stat().st_size < size + (1 << 20), "padding in the file"


def test_the_same_parts_give_the_same_image(tmp_path):
    first = mkimage(tmp_path)[0].read_bytes()
    assert first == mkimage(tmp_path)[0].read_bytes()


def test_every_part_counts_for_the_hash(tmp_path):
    digests = {table_of(mkimage(tmp_path)[0].read_bytes())[10]}
    for part in "kernel", "server", "rom":
        other = tmp_path / "other"
        other.write_bytes((tmp_path / part).read_bytes() + b"!")
        digests.add(table_of(mkimage(tmp_path, **{part: other})[0].read_bytes())[10])
    digests.add(table_of(mkimage(tmp_path, version="1.2.4")[0].read_bytes())[10])
    assert len(digests) == 5


# ---- Refused ---------------------------------------------------------------------

@pytest.mark.parametrize("part", ["boot", "kernel", "server", "rom"])
def test_a_missing_file_is_named(tmp_path, part):
    _, text = mkimage(tmp_path, status=1, **{part: tmp_path / "no-such"})
    assert "no-such" in text


@pytest.mark.parametrize("part", ["kernel", "server", "rom"])
def test_an_empty_part_is_named(tmp_path, part):
    empty = tmp_path / "nothing"
    empty.write_bytes(b"")
    _, text = mkimage(tmp_path, status=1, **{part: empty})
    assert "nothing is empty" in text


def test_an_image_past_3_gib_is_refused_before_it_is_written(tmp_path):
    rom = tmp_path / "huge"
    with open(rom, "wb") as f:
        f.truncate(3 << 30)
    _, text = mkimage(tmp_path, status=1, rom=rom)
    assert "too large" in text and "3072 MiB" in text


def test_a_long_version_is_refused(tmp_path):
    _, text = mkimage(tmp_path, status=1, version="v" * 32)
    assert "--version" in text


def spoilt(tmp_path, change):
    with open(os.path.join(BUILD, "boot.elf"), "rb") as f:
        boot = bytearray(f.read())
    change(boot)
    path = tmp_path / "spoilt.elf"
    path.write_bytes(boot)
    return path


def put(off, fmt, value):
    return lambda boot: struct.pack_into(fmt, boot, off, value)


def wipe(text, find=bytearray.index):
    def change(boot):
        at = find(boot, text)
        boot[at:at + len(text)] = b"?" * len(text)
    return change


@pytest.mark.parametrize("change, reason", [
    (put(0, "<I", 0), "not an x86-64 executable"),
    (put(16, "<H", 3), "not an x86-64 executable"),
    (put(18, "<H", 183), "not an x86-64 executable"),
    (put(32, "<Q", 1 << 40), "bad header tables"),
    (put(40, "<Q", 1 << 40), "bad header tables"),
    (put(56, "<H", 60000), "bad header tables"),
    (wipe(b"Xen\0"), "no PVH entry note"),
    (wipe(b".image_table\0"), "no section .image_table"),
    (wipe(struct.pack("<Q", MAGIC), bytearray.rindex), "is not an image table"),
    (lambda boot: boot.__delitem__(slice(60, None)), "is no boot program"),
    (lambda boot: boot.__delitem__(slice(len(boot) // 2, None)), "bad header tables"),
])
def test_a_spoilt_boot_program_is_refused(tmp_path, change, reason):
    _, text = mkimage(tmp_path, status=1, boot=spoilt(tmp_path, change))
    assert reason in text
