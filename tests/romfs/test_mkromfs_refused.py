"""What mkromfs refuses, in which words, and that nothing is left behind then."""
import os
import resource
import signal
import socket
import stat
import subprocess
import time
import unicodedata

import pytest

from baked import MKROMFS, mkromfs, url

@pytest.mark.parametrize("target, reason", [
    ("/etc/hostname", "symlink leads outside the site"),
    ("/etc", "symlink leads outside the site"),
    ("../../site-too/x", "symlink leads outside the site"),
    ("../..", "symlink leads outside the site"),
    ("nowhere", "symlink leads nowhere"),
    ("bad", "symlink loop"),
    (".", "symlink loop: leads back to a folder it is in"),
    ("..", "symlink loop: leads back to a folder it is in"),
    ("../d", "symlink loop: leads back to a folder it is in"),
])
def test_a_bad_link_is_refused(site, target, reason):
    site.write("fine.txt")
    (site.base / "site-too").mkdir()  # its name begins like the site's
    (site.base / "site-too" / "x").write_text("x")
    site.link("d/bad", target)
    assert site.refuse() == [f"{site.root}/d/bad: {reason}"]


def without_override():
    """Words before a command that take root's right to read everything."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", "--inh-caps=-all", "--bounding-set=-all"]


@pytest.mark.parametrize("what", ["file", "folder", "site"])
def test_what_cannot_be_read_is_refused(site, what):
    site.write("a/secret.txt")
    site.write("b.txt")
    path = {"file": site.path("a/secret.txt"), "folder": site.path("a"),
            "site": os.fsencode(site.root)}[what]
    os.chmod(path, 0)
    try:
        probe = subprocess.run([*without_override(), "ls" if what != "file" else "cat", path],
                               capture_output=True, check=False)
        if b"ermission denied" not in probe.stderr:
            pytest.skip(f"cannot give up root's rights here: {probe.stderr!r}")
        errors = site.refuse(before=without_override())
    finally:
        os.chmod(path, 0o755)
    assert errors == [os.fsdecode(path) + ": Permission denied"]


def test_what_is_no_file_is_refused(site):
    site.write("a.txt")
    os.mkfifo(site.path("pipe"))
    with socket.socket(socket.AF_UNIX) as listener:
        here = os.getcwd()
        os.chdir(site.root)  # a socket's path is short
        listener.bind("socket")
        os.chdir(here)
    expected = [f"{site.root}/pipe: a named pipe, not a file",
                f"{site.root}/socket: a socket, not a file"]
    try:
        os.mknod(site.path("device"), 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        expected.insert(0, f"{site.root}/device: a device, not a file")
    except PermissionError:
        pass
    assert site.refuse() == expected


@pytest.mark.parametrize("name", [
    b"latin1-\xe9", b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"cut\xe2\x82", b"\xf4\x90\x80\x80",
])
def test_a_name_that_is_not_utf8_is_refused(site, name):
    site.write(b"d/" + name)
    shown = "".join(chr(c) if c < 0x80 else f"\\x{c:02x}" for c in name)
    assert site.refuse() == [f"{site.root}/d/{shown}: the name is not UTF-8: no URL can name it"]


def test_names_that_are_equal_in_normal_form_are_refused(site):
    composed = unicodedata.normalize("NFC", "caf\u00e9.html")
    decomposed = unicodedata.normalize("NFD", composed)
    assert composed != decomposed
    site.write(f"a/{composed}")
    site.write(f"a/{decomposed}")
    site.write(f"b/{composed}")
    error, = site.refuse()
    assert error == (f"{site.root}/a/{decomposed}: collides with a file of the same name in "
                     f"another Unicode form: a/{url(composed)}")


def test_folders_that_are_equal_in_normal_form_collide_by_their_files(site):
    site.write("\u00fc/same.txt")
    site.write("u\u0308/same.txt")
    site.write("u\u0308/other.txt")
    error, = site.refuse()
    assert "u\u0308/same.txt: collides" in error


def test_names_that_only_look_alike_are_no_collision(site):
    for name in ("\u212a", "\u0430", "a", "A", "\ufb01", "fi"):  # KELVIN is K in NFC
        site.write(name)
    assert len(site.bake().entries()) == 6
    site.write("K")
    assert "collides" in site.refuse()[0]


def test_an_empty_site_is_refused(site):
    assert site.refuse() == [f"{site.root}: no files to serve in this folder"]
    os.mkdir(site.path("a"))
    site.write("a/.hidden")
    assert site.refuse() == [f"{site.root}: no files to serve in this folder"]


def test_a_missing_site_is_refused(site):
    run = mkromfs(site.base / "absent", site.image)
    assert (run.status, run.errors) == (
        1, [f"mkromfs: {site.base}/absent: No such file or directory"])
    run = mkromfs("", site.image)
    assert (run.status, run.errors) == (1, ["mkromfs: : No such file or directory"])


def test_a_site_that_is_a_file_is_refused(site):
    path = os.fsdecode(site.write("a.txt"))
    run = mkromfs(path, site.image)
    assert (run.status, run.errors) == (1, [f"mkromfs: {path}: not a folder"])


def test_all_that_is_wrong_is_reported_in_one_run(site):
    site.write(b"\xff")
    site.link("loop", "loop")
    site.link("z/out", "/")
    site.link("gone", "nothing")
    os.mkfifo(site.path("pipe"))
    site.write("\u00e9")
    site.write("e\u0301")
    errors = site.refuse("--mime-types", "/nonexistent")
    assert [error.split(": ")[0].replace(f"{site.root}", "") for error in errors] == [
        "/nonexistent", "/gone", "/loop", "/pipe", "/z/out", "/\\xff", "/e\u0301"]


def test_control_characters_do_not_reach_the_terminal(site):
    site.link("\x1b[2J\n\u009b", "nothing")
    site.write(".\x07")
    error, = site.refuse()
    assert error == f"{site.root}/\\x1b[2J\\x0a\\xc2\\x9b: symlink leads nowhere"


def start_slow(site, size):
    """A run that takes a moment: its one file is large, but holds nothing.

    Returns the process when it has begun to write; it is stopped then, for good or
    until SIGCONT.
    """
    with open(site.write("slow.bin"), "wb") as slow:
        slow.truncate(size)
    for _ in range(5):
        process = subprocess.Popen(
            [MKROMFS, site.root, site.image], stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True)
        while process.poll() is None:
            if any(".new." in name for name in os.listdir(site.image.parent)):
                process.send_signal(signal.SIGSTOP)
                break
            time.sleep(0.001)
        if any(".new." in name for name in os.listdir(site.image.parent)):
            return process
        process.communicate(timeout=60)  # it was faster than we looked
    pytest.fail("mkromfs is never seen writing")


def grow(path):
    with open(path, "ab") as file:
        file.write(b"x")


def shrink(path):
    os.truncate(path, 1000)


def rewrite(path):
    with open(path, "r+b") as file:
        file.write(b"x")


@pytest.mark.parametrize("change", [grow, shrink, rewrite])
def test_a_file_that_changes_meanwhile_is_refused(site, change):
    process = start_slow(site, 200 << 20)
    change(site.path("slow.bin"))
    process.send_signal(signal.SIGCONT)
    _, errors = process.communicate(timeout=60)
    assert errors == f"mkromfs: {site.root}/slow.bin: changed while it was read\n"
    assert process.returncode == 1
    assert os.listdir(site.image.parent) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_no_half_image(site, number):
    site.image.write_bytes(b"the old one")
    process = start_slow(site, 1 << 30)
    process.send_signal(number)
    process.send_signal(signal.SIGCONT)
    process.communicate(timeout=60)
    assert process.returncode == -number
    assert os.listdir(site.image.parent) == [site.image.name]
    assert site.image.read_bytes() == b"the old one"


def test_a_full_disk_leaves_no_half_image(site):
    site.write("large.bin", bytes(3 << 20))
    run = site.run(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20,) * 2))
    assert run.status == 1
    assert run.errors == [f"mkromfs: cannot write {site.image}: File too large"]
    site.nothing_left()


def test_an_image_inside_the_site_is_refused(site):
    site.write("a/b.txt")
    out = site.root / "a" / "site.rom"
    run = mkromfs(site.root, out)
    assert (run.status, run.errors) == (
        1, [f"mkromfs: {out}: lies inside the site: put the image elsewhere"])
    run = mkromfs(".", "x.rom", cwd=site.root)
    assert (run.status, run.errors) == (
        1, ["mkromfs: x.rom: lies inside the site: put the image elsewhere"])
    assert os.listdir(site.root) == ["a"]


def test_an_image_that_cannot_be_written_is_refused(site):
    site.write("a.txt")
    run = mkromfs(site.root, site.base / "no" / "x.rom")
    assert (run.status, run.errors) == (
        1, [f"mkromfs: {site.base}/no/x.rom: No such file or directory"])
    (site.base / "taken").mkdir()
    run = mkromfs(site.root, site.base / "taken")
    assert run.status == 1
    assert run.errors == [f"mkromfs: cannot name {site.base}/taken: Is a directory"]
    assert not [name for name in os.listdir(site.base) if ".new." in name]


def test_the_image_has_ordinary_rights(site):
    site.write("a.txt")
    site.bake(preexec_fn=lambda: os.umask(0o027))
    assert stat.S_IMODE(site.image.stat().st_mode) == 0o640
