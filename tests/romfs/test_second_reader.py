"""Two readers of one image agree: the one in C, asked by `mkromfs --resolve`, and one
written from the page on the format.  And what --diff says of two images.
"""
import random
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from second_reader import Image, quote  # noqa: E402  pylint: disable=wrong-import-position

MKROMFS = "build/mkromfs"
FILES = {
    "index.html": "<p>start", "about.html": "<p>about", "docs/index.html": "<p>docs",
    "docs/404.html": "<p>no such page of the docs", "docs/deep/404.html": "<p>deeper",
    "blog/a b.txt": "a b", "blog/\u00fc.txt": "u", "data/x.json": "{}" * 3000,
    "shop/index.html": "<p>shop", "404.html": "<p>gone",
}
REDIRECTS = """\
/old            /about          301
/news/:id       /blog/:id       302
/y/:y/m/:m      /blog/:m?y=:y   307
/entry id=:id   /blog/:id.txt   200
/pick a=1 b=:b  /docs/:b        302
/pick a=1       /picked         303
/shop x=:x      /sale/:x        302!
/files/*        /:splat         200
/moved/*        /docs/:splat#x  301
/abs/*          https://other.example/:splat 308
/app/*          /index.html     200
/gone/*         /404.html       404
"""
PARTS = ["", "/", "old", "news", "y", "m", "entry", "pick", "shop", "files", "moved", "abs",
         "app", "gone", "docs", "deep", "blog", "about", "index.html", "404.html", "x", "a b.txt",
         "\u00fc.txt", "data/x.json", ":id", "*", "#", "?", "%"]
QUERIES = [None, "", "id=a%20b", "id=%C3%BC&id=2", "a=1&b=deep", "b=2&a=1", "a=1", "a", "x=9&y",
           "id=%zz", "&&", "x"]


def mkromfs(*words, text="", status=0):
    done = subprocess.run([MKROMFS, *words], input=text.encode(), capture_output=True, check=False)
    assert done.returncode == status, done.stderr.decode()
    return done.stdout.decode()


def write(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


@pytest.fixture(name="baked", scope="module")
def fixture_baked(tmp_path_factory):
    folder = tmp_path_factory.mktemp("two") / "site"
    write(folder, FILES | {"_redirects": REDIRECTS})
    image = folder.parent / "site.rom"
    mkromfs("-q", "--mtime", "0", str(folder), str(image))
    return image


def expected(site, path, query):
    """The line that --resolve shall print."""
    status, what = site.resolve(path, (query or "").encode())
    if not isinstance(what, bytes):
        what = quote(what.path) if what.path else b"*"
    return f"{status}\t{what.decode()}"


def test_every_path_is_found_by_both(baked):
    image = Image(baked.read_bytes())
    site, = image.sites
    entries = site.entries()
    assert all(site.find(path).path == path for path in entries)
    targets = [quote(path).decode() for path in entries]
    lines = mkromfs("--resolve", str(baked), text="\n".join(targets) + "\n").splitlines()
    assert lines == [expected(site, path, None) for path in entries]
    assert {b"/", b"/about", b"/docs", b"/blog/a b.txt", b"/old"} <= entries.keys()
    assert len(entries[b"/data/x.json"].variants) > 1


def test_rules_mean_the_same_to_both(baked):
    rng = random.Random(4)
    site, = Image(baked.read_bytes()).sites
    asked = []
    for _ in range(4000):
        path = "/" + "/".join(rng.choice(PARTS) for _ in range(rng.randint(0, 4)))
        asked.append((path.encode(), rng.choice(QUERIES)))
    targets = [quote(path).decode() + ("" if query is None else "?" + query)
               for path, query in asked]
    # An empty query and none differ in a Location only, and there it does not matter here.
    lines = mkromfs("--resolve", str(baked), text="\n".join(targets) + "\n").splitlines()
    seen = set()
    for (path, query), line in zip(asked, lines, strict=True):
        if query == "":
            line = line.removesuffix("?").replace("?#", "#")
        assert line == expected(site, path, query), (path, query)
        seen.add(line.split("\t")[0])
    assert seen == {"200", "301", "302", "303", "307", "308", "404"}


def test_what_is_no_target_is_400(baked):
    bad = ["", "x", "%2f", "/%", "/%4", "/%zz", "/%00", "*", "http://a/"]
    lines = mkromfs("--resolve", str(baked), text="\n".join(bad) + "\n").splitlines()
    assert lines == ["400\t*"] * len(bad)
    # No name of a file holds a slash.
    assert mkromfs("--resolve", str(baked), text="/docs%2f\n") == "404\t*\n"


def test_hosts_lead_to_their_sites(tmp_path):
    for name in ("a.example", "b.example"):
        write(tmp_path / "sites" / name, {"index.html": name, f"{name[0]}.txt": "x"})
    (tmp_path / "sites/_hosts").write_text("alias c.example b.example\n"
                                           "redirect www.a.example a.example\n")
    rom = str(tmp_path / "sites.rom")
    mkromfs("-q", "--sites", str(tmp_path / "sites"), rom)
    image = Image(Path(rom).read_bytes())
    for name in ("a.example", "b.example", "c.example", "B.example.", "www.a.example", "d", ""):
        found = image.host(name.encode())
        line = mkromfs("--resolve", rom, name, text="/b.txt\n")
        if found is None:
            assert line == "421\t*\n"
        elif found[1]:
            assert line == f"308\t//{found[1].decode()}/b.txt\n"
        else:
            assert line == expected(found[0], b"/b.txt", None) + "\n"
    assert "//b.example/b.txt\t200\t" in mkromfs("--list", rom)


def test_diff_says_what_changed(tmp_path):
    def bake(name, files):
        write(tmp_path / name, files)
        mkromfs("-q", "--mtime", "0", str(tmp_path / name), str(tmp_path / f"{name}.rom"))
        return str(tmp_path / f"{name}.rom")

    old = bake("old", {"index.html": "<p>1", "same.txt": "x", "gone.txt": "y",
                       "_redirects": "/a/:b /c 301\n/d/* /e 302\n/f /g\n"})
    new = bake("new", {"index.html": "<p>2", "same.txt": "x", "new\n.txt": "z",
                       "_redirects": "/a/:b /c 302\n/d/* /e 302\n/f /h\n"})
    assert mkromfs("--diff", old, old) == ""
    lines = mkromfs("--diff", old, new, status=1).splitlines()
    assert set(lines) >= {"changed\t/", "changed\t/index.html", "removed\t/gone.txt",
                          "added\t/new%0A.txt", "changed\t/a/:1", "changed\t/f"}
    assert not [line for line in lines if "same" in line or "/d" in line]
    swapped = mkromfs("--diff", new, old, status=1).splitlines()
    words = {"added": "removed", "removed": "added", "changed": "changed"}
    assert sorted(swapped) == sorted(f"{words[w]}\t{url}" for w, url in
                                     (line.split("\t") for line in lines))
    mkromfs("--diff", old, str(tmp_path / "absent"), status=2)


def test_a_bootable_image_has_the_rom_inside(baked, tmp_path):
    wrapped = tmp_path / "stele.elf"
    before = b"\x7fELF" + b"stelerom" * 2048
    before += bytes(-len(before) % 4096)
    wrapped.write_bytes(before + baked.read_bytes() + b"behind it")
    for mode in ("--list",):
        assert mkromfs(mode, str(wrapped)) == mkromfs(mode, str(baked))
    assert mkromfs("--diff", str(wrapped), str(baked)) == ""
    for text in (b"\x7fELF", before, before + baked.read_bytes()[:-1]):
        wrapped.write_bytes(text)
        assert mkromfs("--check", str(wrapped), status=1) == ""
