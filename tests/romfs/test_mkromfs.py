"""mkromfs as a command: what it bakes, what it refuses, in which words.

Images are read back with second_reader.py, which knows the format from its
description only.
"""
import base64
import email.utils
import hashlib
import os
import re
import resource
import signal
import socket
import stat
import subprocess
import sys
import time
import unicodedata
import urllib.parse

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from second_reader import Image  # noqa: E402  pylint: disable=wrong-import-position

MKROMFS = os.path.abspath(os.environ.get("MKROMFS", "build/mkromfs"))
MTIME = 1_700_000_000
LIMIT_TARGET_LEN = 8000  # config/limits.h


class Run:
    def __init__(self, done):
        self.status = done.returncode
        self.out = done.stdout
        self.errors = done.stderr.splitlines()
        self.text = done.stderr


def mkromfs(*arguments, env=None, **how):
    environment = {k: v for k, v in os.environ.items() if k != "SOURCE_DATE_EPOCH"}
    environment.update(env or {})
    return Run(subprocess.run(
        [*how.pop("before", []), MKROMFS, *arguments], env=environment,
        capture_output=True, text=True, errors="surrogateescape", timeout=60,
        check=False, **how))


class Site:
    """A folder under construction; names are bytes or str."""

    def __init__(self, base):
        self.base = base
        self.root = base / "site"
        self.root.mkdir()
        self.image = base / "out" / "site.rom"
        self.image.parent.mkdir()

    def path(self, name):
        return os.path.join(os.fsencode(self.root), os.fsencode(name))

    def write(self, name, content=b"x\n", mtime=MTIME):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as out:
            out.write(content)
        os.utime(path, (mtime, mtime))
        return path

    def link(self, name, target):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.symlink(target, path)

    def run(self, *options, **how):
        return mkromfs(*options, self.root, self.image, **how)

    def bake(self, *options, **how):
        run = self.run(*options, **how)
        assert (run.status, run.text) == (0, "")
        assert mkromfs("--check", self.image).status == 0
        self.nothing_left()
        return Image(self.image.read_bytes())

    def refuse(self, *options, **how):
        """The errors of a run that has to fail, without the program's name."""
        before = self.image.read_bytes() if self.image.exists() else None
        run = self.run(*options, **how)
        assert run.status == 1
        assert run.out == ""
        self.nothing_left()
        assert before == (self.image.read_bytes() if self.image.exists() else None)
        assert all(line.startswith("mkromfs: ") for line in run.errors)
        return [line[len("mkromfs: "):] for line in run.errors]

    def nothing_left(self):
        assert set(os.listdir(self.image.parent)) <= {self.image.name}


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path)


def url(path):
    return urllib.parse.quote(path, safe="/!$()*+,;=:@")


# ---- What is baked ---------------------------------------------------------------


def expected_etag(content, content_type):
    digest = hashlib.sha256(content + b"\0" + content_type.encode()).digest()
    return '"' + base64.urlsafe_b64encode(digest[:16]).decode().rstrip("=") + '"'


def test_a_file_is_baked_with_its_whole_head(site):
    content = bytes(range(256)) * 5
    site.write("a/picture.png", content, mtime=784111777)
    entry = site.bake().find(b"/a/picture.png")
    etag = expected_etag(content, "image/png")
    assert entry.full.status == 200
    assert entry.full.body == content
    assert entry.full.fields == [
        ("Content-Length", "1280"),
        ("Content-Type", "image/png"),
        ("ETag", etag),
        ("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ("X-Content-Type-Options", "nosniff"),
    ]
    assert entry.etag == etag
    assert entry.modified == 784111777
    assert entry.not_modified.head == f"ETag: {etag}\r\n\r\n".encode()


def test_every_file_is_found_and_equal_to_its_source(site):
    sources = {}
    for i in range(300):
        name = f"d{i % 7}/{'deep/' * (i % 4)}file{i}.txt"
        sources[b"/" + name.encode()] = os.urandom(i * 37)
        site.write(name, sources[b"/" + name.encode()])
    image = site.bake()
    assert image.files == 300
    assert set(image.entries()) == set(sources)
    for path, content in sources.items():
        assert image.find(path).full.body == content
    assert image.find(b"/d0") is None
    assert image.find(b"/d0/") is None


def test_empty_and_large_files_are_baked(site):
    large = os.urandom(1_000_003)
    site.write("empty.txt", b"")
    site.write("large.bin", large)
    image = site.bake()
    assert image.find(b"/empty.txt").full.body == b""
    assert image.find(b"/empty.txt").full.field("Content-Length") == "0"
    assert image.find(b"/large.bin").full.body == large


def test_an_index_answers_for_its_folder_and_is_stored_once(site):
    marker = b"<p>only once in the image</p>" * 20
    site.write("index.html", b"<p>root")
    site.write("a b/\u00fc/index.html", marker)
    site.write("a b/other.html", b"o")
    image = site.bake()
    assert image.find(b"/").full.body == b"<p>root"
    assert image.find(b"/").body_off == image.find(b"/index.html").body_off
    folder = image.find("/a b/\u00fc/".encode())
    assert folder.full.body == marker
    assert folder.body_off == image.find("/a b/\u00fc/index.html".encode()).body_off
    assert image.data.count(marker) == 1
    assert image.find(b"") is None
    assert image.find(b"/a b") is None
    assert image.find(b"/a b/") is None


def test_a_folder_without_its_slash_redirects(site):
    site.write("a b/\u00fc&'%/index.html")
    image = site.bake()
    entry = image.find("/a b/\u00fc&'%".encode())
    location = "/a%20b/%C3%BC%26%27%25/"
    assert entry.full.status == 301
    assert entry.full.fields == [
        ("Content-Length", str(len(entry.full.body))),
        ("Content-Type", "text/html; charset=utf-8"),
        ("Location", location),
        ("X-Content-Type-Options", "nosniff"),
    ]
    assert f'<a href="{location}">'.encode() in entry.full.body
    assert (entry.etag, entry.modified, entry.not_modified) == ("", -1, None)


def test_a_folder_named_index_html_is_a_folder(site):
    site.write("index.html/a.txt")
    assert set(site.bake().entries()) == {b"/index.html/a.txt"}


def test_without_a_404_page_there_is_one_all_the_same(site):
    site.write("a.txt")
    page = site.bake().not_found().full
    assert page.status == 404
    assert page.fields == [
        ("Content-Length", str(len(page.body))),
        ("Content-Type", "text/html; charset=utf-8"),
        ("X-Content-Type-Options", "nosniff"),
    ]
    assert b"<h1>404</h1>" in page.body
    assert page.body.decode().count("http") == 0  # nothing from elsewhere


def test_the_sites_404_page_is_used_and_reachable(site):
    site.write("404.html", b"<p>ours \xe2\x82\xac")
    site.write("sub/404.html", b"<p>not this one")
    image = site.bake()
    page = image.not_found()
    assert page.full.status == 404
    assert page.full.body == b"<p>ours \xe2\x82\xac"
    assert page.full.field("Content-Type") == "text/html; charset=utf-8"
    assert page.full.field("Content-Length") == "11"
    assert (page.full.field("ETag"), page.full.field("Last-Modified")) == (None, None)
    assert image.find(b"/404.html").full.status == 200
    assert image.find(b"/404.html").full.body == page.full.body


ODD_NAMES = [
    "with space.txt", "per%cent", "%2e%2e", "%00", "100%", "quo\"te'", "back\\slash",
    "semi;colon?query#hash&and", "\u00fcml\u00e4ut", "\u65e5\u672c\u8a9e.html",
    "\U0001f600.png", "new\nline", "tab\tname", "\x01\x7f", "-dash", "--help",
    "~tilde", "trailing.", "a..b", "...", "*", "[x]{y}|z^`", "\u202eright-to-left",
    "e\u0301", "x" * 255, "\u00e9" * 127,
]


def test_any_name_is_served(site):
    names = [name for name in ODD_NAMES if not name.startswith(".")]
    for i, name in enumerate(names):
        site.write(name, f"{i}".encode())
        if len(name.encode()) < 200:
            site.write(f"in/{name}.d/index.html", f"{i}!".encode())
    image = site.bake()
    manifest = dict(line.split("\t", 1) for line in
                    mkromfs("--manifest", site.root).out.split("\n")[:-1])
    for i, name in enumerate(names):
        assert image.find(b"/" + name.encode()).full.body == f"{i}".encode()
        status, source = manifest[url("/" + name)].split("\t")
        assert status == "200"
        assert urllib.parse.unquote(source) == name
        if len(name.encode()) < 200:
            folder = f"/in/{name}.d"
            assert image.find(folder.encode() + b"/").full.body == f"{i}!".encode()
            assert image.find(folder.encode()).full.field("Location") == url(folder) + "/"


def make_deep(site, folders, name, content):
    """A file deeper than one path can say: made from folder to folder."""
    here = os.open(site.root, os.O_RDONLY)
    for folder in folders:
        os.mkdir(folder, dir_fd=here)
        below = os.open(folder, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    file = os.open(name, os.O_WRONLY | os.O_CREAT, 0o644, dir_fd=here)
    os.write(file, content)
    os.close(file)
    os.close(here)


@pytest.fixture
def deep_site(tmp_path):
    yield Site(tmp_path)
    # Python's own rmtree cannot reach the bottom.
    subprocess.run(["rm", "-rf", tmp_path / "site"], check=True)


def test_paths_longer_than_path_max_are_served(deep_site):
    folders = ["d" * 250] * 28
    make_deep(deep_site, folders, "bottom.txt", b"deep\n")
    make_deep(deep_site, ["e"] * 900, "bottom.txt", b"deeper\n")
    image = deep_site.bake()
    path = "/" + "/".join(folders) + "/bottom.txt"
    assert len(path) > 7000
    assert image.find(path.encode()).full.body == b"deep\n"
    assert image.find(b"/e" * 900 + b"/bottom.txt").full.body == b"deeper\n"


def test_a_url_at_the_limit_is_served_and_one_over_refused(deep_site):
    folders = ["%" * 250] * 10 + ["z" * 250]  # a percent sign is three bytes of a URL
    room = LIMIT_TARGET_LEN - len(url("/" + "/".join(folders) + "/"))
    make_deep(deep_site, folders, "y" * room, b"fits")
    path = "/" + "/".join(folders) + "/" + "y" * room
    assert deep_site.bake().find(path.encode()).full.body == b"fits"
    os.makedirs(deep_site.path("/".join(folders)), exist_ok=True)
    deep_site.write("/".join(folders) + "/" + "y" * (room + 1))
    error, = deep_site.refuse()
    assert error == (f"{deep_site.root}/{path[1:]}y: its URL would have 8001 bytes, "
                     "more than the 8000 a request may ask for")


def test_dot_names_are_skipped_and_listed(site):
    for name in (".htaccess", ".git/config", "a/.DS_Store", ".well-known/security.txt",
                 ".well-known/.hidden", "a/.well-known/x", "a/b.txt"):
        site.write(name)
    run = site.run()
    assert run.status == 0
    assert "skipped 5  .git, .htaccess, .well-known/.hidden, a/.DS_Store, a/.well-known\n" in run.out
    assert set(Image(site.image.read_bytes()).entries()) == {
        b"/.well-known/security.txt", b"/a/b.txt"}


def test_a_long_list_of_skipped_names_is_cut(site):
    site.write("a")
    for i in range(20):
        site.write(f".x{i:02}")
    assert "skipped 20  .x00, .x01, .x02, .x03, .x04, .x05, .x06, .x07, and 12 more\n" \
        in site.run().out


def test_the_summary_counts(site):
    site.write("a/b/c.txt", b"12345")
    site.write("d.txt", b"123")
    assert site.run().out == ("files   2\nfolders 3\ninput   8 bytes\n"
                              f"rom     {site.image.stat().st_size} bytes\nskipped 0\n")
    assert site.run("--quiet").out == ""
    assert site.run("-q").out == ""


# ---- Symbolic links --------------------------------------------------------------


def test_links_inside_the_site_are_followed(site):
    site.write("real/a.txt", b"a")
    site.write("real/index.html", b"i")
    site.link("file.txt", "real/a.txt")
    site.link("absolute.txt", site.path("real/a.txt"))
    site.link("folder", "real")
    site.link("chain", "folder")
    site.link("around", "../site/real/a.txt")
    image = site.bake()
    for path in (b"/file.txt", b"/absolute.txt", b"/folder/a.txt", b"/chain/a.txt", b"/around"):
        assert image.find(path).full.body == b"a"
    assert image.find(b"/folder").full.status == 301


def test_the_site_itself_may_be_a_link(site):
    site.write("a.txt", b"a")
    site.link("b.txt", "a.txt")
    os.symlink(site.root, site.base / "alias")
    assert mkromfs(site.base / "alias", site.image).status == 0
    assert Image(site.image.read_bytes()).find(b"/b.txt").full.body == b"a"


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


# ---- What is refused -------------------------------------------------------------


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


# ---- Content types ---------------------------------------------------------------


@pytest.mark.parametrize("name, content, expected", [
    ("a.html", b"<p>x", "text/html; charset=utf-8"),
    ("A.HTML", b"<p>x", "text/html; charset=utf-8"),
    ("a.css", b"\xc3\xa9", "text/css; charset=utf-8"),
    ("a.js", b"1", "text/javascript; charset=utf-8"),
    ("a.mjs", b"1", "text/javascript; charset=utf-8"),
    ("a.json", b"1", "application/json; charset=utf-8"),
    ("a.geojson", b"1", "application/geo+json; charset=utf-8"),
    ("a.xml", b"<x/>", "application/xml; charset=utf-8"),
    ("a.svg", b"<svg/>", "image/svg+xml; charset=utf-8"),
    ("a.xhtml", b"<x/>", "application/xhtml+xml; charset=utf-8"),
    ("a.webmanifest", b"{}", "application/manifest+json; charset=utf-8"),
    ("a.txt", b"", "text/plain; charset=utf-8"),
    ("a.md", b"# x", "text/markdown; charset=utf-8"),
    ("a.png", b"x", "image/png"),
    ("a.woff2", b"x", "font/woff2"),
    ("a.wasm", b"x", "application/wasm"),
    ("a.pdf", b"x", "application/pdf"),
    ("a.tar.gz", b"x", "application/gzip"),
    ("a.tm.json", b"{}", "application/tm+json; charset=utf-8"),
    ("jquery.min.js", b"1", "text/javascript; charset=utf-8"),
    ("noending", b"x", "application/octet-stream"),
    ("a.", b"x", "application/octet-stream"),
    ("html", b"x", "application/octet-stream"),
    ("a.unknown-ending", b"x", "application/octet-stream"),
    ("a.html.unknown-ending", b"x", "application/octet-stream"),
    # Not UTF-8: the browser looks for itself.
    ("l.txt", b"caf\xe9", "text/plain"),
    ("l.html", b"caf\xe9", "text/html"),
    ("u.txt", "x".encode("utf-16"), "text/plain"),
    ("cut.txt", b"x\xe2\x82", "text/plain"),
    ("overlong.txt", b"\xc0\x80", "text/plain"),
    ("overlong3.txt", b"\xe0\x9f\xbf", "text/plain"),
    ("surrogate.txt", b"\xed\xa0\x80", "text/plain"),
    ("beyond.txt", b"\xf4\x90\x80\x80", "text/plain"),
    ("overlong4.txt", b"\xf0\x8f\xbf\xbf", "text/plain"),
    ("alone.txt", b"\x80", "text/plain"),
    ("f5.txt", b"\xf5\x80\x80\x80", "text/plain"),
    # The least and the greatest of each length.
    ("edges.txt", "\0\x7f\x80\u07ff\u0800\ud7ff\ue000\uffff\U00010000\U0010ffff".encode(),
     "text/plain; charset=utf-8"),
    # A declaration of its own.
    ("meta.html", b"<meta charset=utf-8>", "text/html; charset=utf-8"),
    ("meta2.html", b"<meta charset='UTF8'>", "text/html; charset=utf-8"),
    ("meta3.html", b'<meta charset="iso-8859-1">x', "text/html"),
    ("meta4.html", b'<meta content="text/html; CHARSET = iso-2022-jp">', "text/html"),
    ("meta5.html", b"<!-- no charset here --><meta charset=\"big5\">", "text/html"),
    ("meta6.html", b"\0<meta charset=\"big5\">", "text/html"),
    ("late.html", b" " * 1024 + b"<meta charset=big5>", "text/html; charset=utf-8"),
    ("decl.xml", b"<?xml version='1.0' encoding='iso-8859-1'?><x/>", "application/xml"),
    ("decl.svg", b"<?xml version='1.0' encoding='utf-8'?><x/>", "image/svg+xml; charset=utf-8"),
    ("code.js", b"charset='big5'", "text/javascript; charset=utf-8"),
])
def test_the_content_type_is(site, name, content, expected):
    site.write(name, content)
    entry = site.bake().find(b"/" + name.encode())
    assert entry.full.field("Content-Type") == expected
    assert entry.full.body == content
    assert entry.etag == expected_etag(content, expected)


@pytest.mark.parametrize("before", range(5))
def test_characters_across_chunks_are_seen_whole(site, before):
    # The packer reads 256 KiB at a time.
    text = b"x" * ((256 << 10) - before) + "\U0001f600\u20ac\u00e9".encode() + b"end"
    site.write("a.txt", text)
    site.write("b.txt", text[:-3] + b"\xff")
    image = site.bake()
    assert image.find(b"/a.txt").full.field("Content-Type") == "text/plain; charset=utf-8"
    assert image.find(b"/a.txt").full.body == text
    assert image.find(b"/b.txt").full.field("Content-Type") == "text/plain"


def test_another_table_of_types_can_be_given(site):
    table = site.base / "types"
    table.write_text("# comment\nx/first aaa bbb # ccc\nx/second aaa ddd\nbroken aaa\n"
                     "/x eee\nx/ eee\nx/y\r\rz eee\nx/\"y\" fff\n")
    for name in ("f.aaa", "f.bbb", "f.ccc", "f.ddd", "f.eee", "f.fff", "f.html"):
        site.write(name)
    image = site.bake("--mime-types", table)
    types = {path.decode(): e.full.field("Content-Type") for path, e in image.entries().items()}
    other = "application/octet-stream"
    assert types == {
        "/f.aaa": "x/first", "/f.bbb": "x/first", "/f.ccc": other, "/f.ddd": "x/second",
        "/f.eee": "x/y", "/f.fff": other, "/f.html": other}


def test_a_missing_table_of_types_names_its_package(site):
    site.write("a.txt")
    assert site.refuse("--mime-types", "/nonexistent") == [
        "/nonexistent: No such file or directory; the table of content types is in "
        "Debian's package media-types"]
    (site.base / "empty").write_text("# nothing\n")
    assert site.refuse("--mime-types", site.base / "empty") == [
        f"{site.base}/empty: no table of content types"]
    assert site.refuse("--mime-types", site.base) == [
        f"{site.base}: no table of content types"]


# ---- Same in, same out -----------------------------------------------------------


def test_the_same_site_gives_the_same_image(site, tmp_path):
    names = [f"{i % 5}/file{i}.html" for i in range(100)] + ["0/index.html", "\u00fc"]
    for name in names:
        site.write(name, name.encode())
    first = site.bake().data
    assert site.bake().data == first
    # In another order, in another place.
    elsewhere = tmp_path / "other-place-with-a-longer-name"
    elsewhere.mkdir()
    other = Site(elsewhere)
    for name in reversed(names):
        other.write(name, name.encode())
    assert other.bake(env={"LC_ALL": "C", "TZ": "Asia/Tokyo"}).data == first


def test_a_changed_byte_changes_the_tag_alone(site):
    site.write("a.txt", b"one")
    site.write("b.txt", b"one")
    before = site.bake()
    site.write("a.txt", b"two")
    after = site.bake()
    assert before.find(b"/a.txt").etag != after.find(b"/a.txt").etag
    assert before.find(b"/b.txt").full.head == after.find(b"/b.txt").full.head
    assert len(before.data) == len(after.data)


def test_times_can_be_fixed_or_cut_off(site):
    site.write("old.txt", mtime=1_000_000_000)
    site.write("new.txt", mtime=1_600_000_000)
    site.write("before-1970.txt", mtime=-5)

    def times(*options, **env):
        entries = site.bake(*options, env=env).entries()
        for entry in entries.values():
            shown = email.utils.parsedate_to_datetime(entry.full.field("Last-Modified"))
            assert int(shown.timestamp()) == entry.modified
        return [entries[name].modified for name in (b"/old.txt", b"/new.txt", b"/before-1970.txt")]

    assert times() == [1_000_000_000, 1_600_000_000, 0]
    assert times(SOURCE_DATE_EPOCH="1500000000") == [1_000_000_000, 1_500_000_000, 0]
    assert times("--mtime", "7") == [7, 7, 7]
    assert times("--mtime", "1700000000", SOURCE_DATE_EPOCH="8") == [1_700_000_000] * 3


def test_times_in_the_future_become_now(site):
    site.write("a.txt", mtime=int(time.time()) + 1_000_000)
    # The clock that C's time() reads stays a tick behind the one time.time() reads.
    before = int(time.time() - 0.1)
    assert before <= site.bake().find(b"/a.txt").modified <= time.time()


# ---- Looking into images ---------------------------------------------------------


def test_list_and_manifest_agree_with_the_image(site):
    site.write("index.html", b"<p>i")
    site.write("a b/index.html", b"<p>ab")
    site.write("tab\t%.bin", b"123")
    site.write("404.html", b"<p>404")
    image = site.bake()
    html = "text/html; charset=utf-8"
    redirect = len(image.find(b"/a b").full.body)
    assert mkromfs("--list", site.image).out == (
        f"/\t200\t{html}\t4\n/404.html\t200\t{html}\t6\n/a%20b\t301\t{html}\t{redirect}\n"
        f"/a%20b/\t200\t{html}\t5\n/a%20b/index.html\t200\t{html}\t5\n"
        f"/index.html\t200\t{html}\t4\n/tab%09%25.bin\t200\tapplication/octet-stream\t3\n"
        f"*\t404\t{html}\t6\n")
    assert mkromfs("--manifest", site.root).out == (
        "/404.html\t200\t404.html\n"
        "/a%20b/index.html\t200\ta b/index.html\n/a%20b/\t200\ta b/index.html\n"
        "/a%20b\t301\t/a%20b/\n"
        "/index.html\t200\tindex.html\n/\t200\tindex.html\n"
        "/tab%09%25.bin\t200\ttab%09%25.bin\n*\t404\t404.html\n")
    os.unlink(site.path("404.html"))
    assert mkromfs("--manifest", site.root).out.endswith("*\t404\t-\n")


def test_check_says_why_an_image_is_refused(site):
    site.write("a.txt")
    data = bytearray(site.bake().data)
    bad = site.base / "bad.rom"

    def check(content):
        bad.write_bytes(content)
        run = mkromfs("--check", bad)
        assert (run.status, run.out, len(run.errors)) == (1, "", 1)
        assert mkromfs("--list", bad).errors == run.errors
        return run.errors[0].removeprefix(f"mkromfs: {bad}: refused: ")

    assert check(b"") == "cut short, or not as long as it says"
    assert check(data[:-1]) == "cut short, or not as long as it says"
    assert check(b"X" + data[1:]) == "not a stele ROM image"
    assert check(data[:8] + b"\2" + data[9:]) == "made for another version of the ROM format"
    assert check(data[:24] + b"\1" + data[25:]) == \
        "the hash table or the entry table is inconsistent"
    assert mkromfs("--check", site.base / "absent").errors == [
        f"mkromfs: {site.base}/absent: No such file or directory"]
    run = mkromfs("--check", site.image)
    assert run.out == f"{site.image}: ok, 1 files at 1 paths, {len(data)} bytes\n"


# ---- Usage -----------------------------------------------------------------------


def test_help_is_printed(site):
    for option in ("-h", "--help"):
        run = mkromfs(option)
        assert (run.status, run.text) == (0, "")
        for word in ("SITE OUT", "--manifest", "--list", "--check", "--mime-types",
                     "--mtime", "--quiet", "SOURCE_DATE_EPOCH"):
            assert word in run.out
    del site


@pytest.mark.parametrize("arguments, message", [
    ([], "SITE and OUT are needed"),
    (["a"], "SITE and OUT are needed"),
    (["a", "b", "c"], "SITE and OUT are needed"),
    (["--list"], "exactly one argument is needed"),
    (["--check", "a", "b"], "exactly one argument is needed"),
    (["--bogus"], "unrecognized option '--bogus'"),
    (["--mtime"], "option '--mtime' requires an argument"),
    (["--mtime", "x", "a", "b"], "--mtime: 'x' is no time in Unix seconds"),
    (["--mtime", "-1", "a", "b"], "--mtime: '-1' is no time in Unix seconds"),
    (["--mtime", "", "a", "b"], "--mtime: '' is no time in Unix seconds"),
    (["--mtime", "253402300800", "a", "b"], "is no time in Unix seconds"),
    (["--mtime", "99999999999999999999", "a", "b"], "is no time in Unix seconds"),
])
def test_wrong_usage_is_explained(arguments, message):
    run = mkromfs(*arguments)
    assert (run.status, run.out) == (2, "")
    assert re.match("(mkromfs|.*/mkromfs): ", run.errors[0])
    assert run.errors[0].endswith(message)
    assert run.errors[1] == "Try 'mkromfs --help'."


def test_a_bad_epoch_is_explained(site):
    site.write("a.txt")
    run = site.run(env={"SOURCE_DATE_EPOCH": "yesterday"})
    assert run.status == 2
    assert run.errors[0] == "mkromfs: SOURCE_DATE_EPOCH: 'yesterday' is no time in Unix seconds"


def test_a_closed_stdout_is_an_error(site):
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full here")
    site.write("a.txt")
    with open("/dev/full", "w", encoding="ascii") as full:
        done = subprocess.run([MKROMFS, "--manifest", site.root], stdout=full,
                              stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "mkromfs: stdout: No space left on device\n")


# ---- The site that is served when none is given ----------------------------------


def test_the_welcome_site_is_complete_and_from_nowhere_else(tmp_path):
    welcome = os.path.join(os.path.dirname(__file__), "../../romfs/welcome")
    image_path = tmp_path / "welcome.rom"
    run = mkromfs(welcome, image_path)
    assert run.text == ""
    image = Image(image_path.read_bytes())
    assert image.not_found().full.body == image.find(b"/404.html").full.body
    for path, entry in image.entries().items():
        assert b"<script" not in entry.full.body
        if not path.endswith((b".html", b"/")):
            continue
        for link in re.findall(rb'(?:href|src)="([^"]+)', entry.full.body):
            # It shows its 404 page on purpose.
            assert image.find(link) or link == b"/nowhere", link
