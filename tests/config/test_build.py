"""The build's promises, in a copy of the checkout under another name: the same programs
from the same sources, third-party sources refused or accepted, parts that may not be
loaded.  What a person sees who types make: tests/system/run_make.py.
"""
import os
import shutil
import subprocess
import tarfile

import pytest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The sources and the fetched libraries, without anything that was built."""
    out = tmp_path_factory.mktemp("copy") / "checkout"
    shutil.copytree(TOP, out, symlinks=True,
                    ignore=shutil.ignore_patterns("build", ".git", "__pycache__"))
    shutil.copytree(os.path.join(TOP, "build", "deps"), out / "build" / "deps")
    return out


def run(folder, *command, status=0, env=None, timeout=250):
    """Run a command; returns all it printed."""
    environment = {k: v for k, v in os.environ.items()
                   if k not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "SITE")}
    done = subprocess.run(command, cwd=folder, env={**environment, **(env or {})},
                          capture_output=True, text=True, timeout=timeout, check=False)
    text = done.stdout + done.stderr
    assert (done.returncode == 0) == (status == 0), text
    return text


def read(*path):
    with open(os.path.join(*path), "rb") as f:
        return f.read()


@pytest.fixture(scope="module")
def built(copy):
    run(copy, "make")
    return copy


def test_another_folder_gives_the_same_programs(built):
    for part in "boot.elf", "image/kernel.elf", "image/server.elf":
        assert read(built, "build", part) == read(TOP, "build", part), part


def test_other_flags_compile_again(built):
    other = run(built, "make", "build/boot.elf", "CC=gcc -DOTHER")
    assert "boot/boot.c" in other
    assert "boot/boot.c" in run(built, "make", "build/boot.elf")


# ---- Sources of the libraries ----------------------------------------------------

def fetch(copy, origin, status=0):
    return run(copy, "config/fetch.sh", "lwip", "lwip", "trixie", str(origin),
               status=status)


@pytest.fixture
def lwip(copy, tmp_path):
    """A writable copy of lwIP's source; the checkout's own is put back afterwards."""
    tree = tmp_path / "lwip-tree"
    kept = tmp_path / "kept"
    for place in tree, kept:
        shutil.copytree(os.path.join(TOP, "build", "deps", "lwip"), place)
    yield tree
    shutil.rmtree(copy / "build" / "deps" / "lwip", ignore_errors=True)
    shutil.copytree(kept, copy / "build" / "deps" / "lwip")


def test_a_tree_with_the_same_files_is_accepted(copy, lwip):
    assert "files verified" in fetch(copy, lwip)
    assert (copy / "build/deps/lwip/.verified").exists()


def test_an_archive_with_the_same_files_is_accepted(copy, lwip, tmp_path):
    with tarfile.open(tmp_path / "lwip.tar.gz", "w:gz") as archive:
        archive.add(lwip, "lwip-9.9")
    assert "files verified" in fetch(copy, tmp_path / "lwip.tar.gz")


def test_fetched_sources_outlive_the_build_that_fetched_them(copy, tmp_path):
    new = tmp_path / "new"
    shutil.copytree(copy, new, symlinks=True, ignore=shutil.ignore_patterns("build"))
    shutil.copytree(os.path.join(TOP, "build/deps/lwip"), new / "build/deps/lwip")
    source = os.path.join(TOP, "build/deps/bearssl")
    run(new, "make", "build/mkimage", env={"BEARSSL_SRC": source})
    for name in os.listdir(os.path.join(source, "src/hash")):
        assert (new / "build/deps/bearssl/src/hash" / name).exists(), name


def test_a_changed_file_is_refused_by_name(copy, lwip):
    with open(lwip / "src/core/tcp.c", "a", encoding="utf-8") as f:
        f.write("/* */\n")
    assert "src/core/tcp.c is not the file" in fetch(copy, lwip, status=1)
    assert not (copy / "build/deps/lwip").exists()
    assert [f for f in os.listdir(copy / "build/deps") if f.startswith(".")] == []


def test_a_missing_file_is_named(copy, lwip):
    (lwip / "src/core/tcp.c").unlink()
    assert "src/core/tcp.c is missing" in fetch(copy, lwip, status=1)
    assert not (copy / "build/deps/lwip").exists()


def test_files_beside_the_listed_ones_are_left_out(copy, lwip):
    (lwip / "src/include/lwip/extra.h").write_text("#error\n")
    fetch(copy, lwip)
    assert not (copy / "build/deps/lwip/src/include/lwip/extra.h").exists()


# ---- What the image may hold -----------------------------------------------------

def link(tmp_path, code, *flags, kind="-static-pie"):
    source = tmp_path / "part.c"
    source.write_text(code)
    out = tmp_path / "part.elf"
    subprocess.run(["gcc", "-w", "-nostdlib", kind, "-fPIC", "-ffreestanding",
                    "-Wl,--no-dynamic-linker", *flags, "-o", out, source],
                   check=True)
    return out


@pytest.mark.parametrize("code, kind, flags, reason", [
    ("extern int x; int _start(void) { return x; }", "-shared", (),
     "undefined symbols: x"),
    ("int f(void) { return 0; } int _start(void) { return f(); }", "-shared", (),
     "relocations other than RELATIVE: R_X86_64_JUMP_SLOT"),
    ("int _start(void) { return 0; } int d = 1;", "-static-pie", ("-Wl,-N",),
     "writable and executable"),
])
def test_a_part_that_should_not_be_loaded_is_refused(copy, tmp_path, code, kind, flags,
                                                     reason):
    part = link(tmp_path, code, *flags, kind=kind)
    assert reason in run(copy, "config/check-image.sh", str(part), status=1)


def test_a_relocatable_part_is_accepted(copy, tmp_path):
    part = link(tmp_path, "int d; int *p = &d; int _start(void) { return *p; }")
    run(copy, "config/check-image.sh", str(part))


# ---- Stopping --------------------------------------------------------------------

def test_stop_ends_no_stranger(built):
    """A pid file from before a crash may name a process that is somebody else's now."""
    with subprocess.Popen(["sleep", "60"]) as stranger:
        try:
            os.makedirs(built / "build/run", exist_ok=True)
            pid_file = built / "build/run/9.pid"
            pid_file.write_text(f"{stranger.pid} 1\n")
            run(built, "make", "stop")
            assert stranger.poll() is None
            assert not pid_file.exists()
        finally:
            stranger.terminate()
