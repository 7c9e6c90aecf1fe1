"""mkromfs as a command: what it bakes of a plain folder, and its words."""
import base64
import email.utils
import hashlib
import os
import re
import subprocess
import time
import urllib.parse

import pytest

from baked import (LIMIT_TARGET_LEN, MKROMFS, Image, Site, expected_etag, mkromfs, url)

# ---- What is baked ---------------------------------------------------------------


def test_a_file_is_baked_with_its_whole_head(site):
    content = bytes(range(256)) * 5
    site.write("a/picture.png", content, mtime=784111777)
    entry = site.bake().find(b"/a/picture.png")
    etag = expected_etag(content, "image/png")
    assert entry.status == 200
    assert entry.body == content
    assert entry.full.fields == [
        ("Content-Length", "1280"),
        ("Content-Type", "image/png"),
        ("ETag", etag),
        ("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ("Accept-Ranges", "bytes"),
        ("Cache-Control", "public, max-age=3600"),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "strict-origin-when-cross-origin"),
    ]
    assert entry.modified == 784111777
    # RFC 9110, section 15.4.5
    assert entry.full.not_modified == [
        ("ETag", etag), ("Cache-Control", "public, max-age=3600")]
    digest = base64.b64encode(hashlib.sha256(content).digest())
    assert entry.full.digest_line == b"Repr-Digest: sha-256=:" + digest + b":\r\n"


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
        assert image.find(path).body == content
    assert image.find(b"/d0") is None
    assert image.find(b"/d0/") is None


def test_empty_and_large_files_are_baked(site):
    large = os.urandom(1_000_003)
    site.write("empty.txt", b"")
    site.write("large.bin", large)
    image = site.bake()
    assert image.find(b"/empty.txt").body == b""
    assert image.find(b"/empty.txt").field("Content-Length") == "0"
    assert image.find(b"/large.bin").body == large


def test_an_index_answers_for_its_folder_and_is_stored_once(site):
    marker = b"<p>only once in the image</p>" * 20
    site.write("index.html", b"<p>root")
    site.write("a b/\u00fc/index.html", marker)
    site.write("a b/other.txt", b"o")
    image = site.bake("--codings", "none")
    assert image.find(b"/").body == b"<p>root"
    folder, index = (image.find(f"/a b/\u00fc/{name}".encode()) for name in ("", "index.html"))
    assert folder.body == marker
    assert folder.full.body_off == index.full.body_off
    assert folder.full.head_off == index.full.head_off
    assert folder.full.head_off + len(folder.full.head) == folder.full.body_off
    assert image.data.count(marker) == 1
    assert image.find(b"") is None
    assert image.find(b"/a b") is None
    assert image.find(b"/a b/") is None


def test_a_folder_without_its_slash_redirects(site):
    site.write("a b/\u00fc&'%/index.html")
    image = site.bake()
    entry = image.find("/a b/\u00fc&'%".encode())
    location = "/a%20b/%C3%BC%26%27%25/"
    assert entry.status == 301
    assert entry.full.fields == [
        ("Content-Length", str(len(entry.body))),
        ("Content-Type", "text/html; charset=utf-8"),
        ("Location", location),
        ("Cache-Control", "public, max-age=3600"),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "strict-origin-when-cross-origin"),
    ]
    assert f'<a href="{location}">'.encode() in entry.body
    assert (entry.keeps_query, entry.modified, entry.full.not_modified) == (True, -1, None)


def test_folders_named_like_pages_are_folders(site):
    site.write("index.html/a.txt")
    site.write("b.html/c.txt")
    assert set(site.bake().entries()) == {b"/index.html/a.txt", b"/b.html/c.txt"}


def test_without_a_404_page_there_is_one_all_the_same(site):
    site.write("a.txt")
    page = site.bake().not_found()
    assert (page.status, page.path) == (404, b"")
    assert page.full.fields == [
        ("Content-Length", str(len(page.body))),
        ("Content-Type", "text/html; charset=utf-8"),
        ("Cache-Control", "no-cache"),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "strict-origin-when-cross-origin"),
    ]
    assert b"<h1>404</h1>" in page.body
    assert page.body.decode().count("http") == 0  # nothing from elsewhere


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
    manifest = site.manifest()
    for i, name in enumerate(names):
        assert image.find(b"/" + name.encode()).body == f"{i}".encode()
        status, source = manifest[url("/" + name)]
        assert status == 200
        assert urllib.parse.unquote(source) == name
        if len(name.encode()) < 200:
            folder = f"/in/{name}.d"
            assert image.find(folder.encode() + b"/").body == f"{i}!".encode()
            assert image.find(folder.encode()).field("Location") == url(folder) + "/"


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
    assert image.find(path.encode()).body == b"deep\n"
    assert image.find(b"/e" * 900 + b"/bottom.txt").body == b"deeper\n"


def test_a_url_at_the_limit_is_served_and_one_over_refused(deep_site):
    folders = ["%" * 250] * 10 + ["z" * 250]  # a percent sign is three bytes of a URL
    room = LIMIT_TARGET_LEN - len(url("/" + "/".join(folders) + "/"))
    make_deep(deep_site, folders, "y" * room, b"fits")
    path = "/" + "/".join(folders) + "/" + "y" * room
    assert deep_site.bake().find(path.encode()).body == b"fits"
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
        assert image.find(path).body == b"a"
    assert image.find(b"/folder").status == 301


def test_the_site_itself_may_be_a_link(site):
    site.write("a.txt", b"a")
    site.link("b.txt", "a.txt")
    os.symlink(site.root, site.base / "alias")
    assert mkromfs(site.base / "alias", site.image).status == 0
    assert Image(site.image.read_bytes()).find(b"/b.txt").body == b"a"


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
            shown = email.utils.parsedate_to_datetime(entry.field("Last-Modified"))
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
    assert image.not_found().body == image.find(b"/404.html").full.body
    for path, entry in image.entries().items():
        assert b"<script" not in entry.full.body
        if not path.endswith((b".html", b"/")):
            continue
        for link in re.findall(rb'(?:href|src)="([^"]+)', entry.full.body):
            # It shows its 404 page on purpose.
            assert image.find(link) or link == b"/nowhere", link
