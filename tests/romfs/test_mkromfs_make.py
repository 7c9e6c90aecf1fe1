"""What make's variables about a site become: config/pack.sh, in a folder of its own."""
import os
import subprocess

import pytest

from baked import Image, MKROMFS

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


@pytest.fixture(name="pack")
def fixture_pack(tmp_path, site):
    (tmp_path / "build").mkdir()
    os.symlink(MKROMFS, tmp_path / "build" / "mkromfs")
    os.symlink(os.path.join(TOP, "config"), tmp_path / "config")
    site.write("index.html", b"<p>all the same, again and again</p>" * 100)
    site.write("about.html", b"<p>about")

    def pack(status=0, **variables):
        environment = {"PATH": os.environ["PATH"], "SITE": os.fspath(site.root), **variables}
        done = subprocess.run(["config/pack.sh"], cwd=tmp_path, env=environment, timeout=60,
                              capture_output=True, text=True, check=False)
        if status:
            assert done.returncode != 0
            return done.stderr
        assert (done.returncode, done.stderr) == (0, "")
        return Image((tmp_path / "build" / "site.rom").read_bytes())

    pack.site = site
    pack.folder = tmp_path
    return pack


def test_each_variable_reaches_the_image(pack):
    site = pack.site
    image = pack()
    assert image.find(b"/about").status == image.find(b"/about.html").status == 200
    assert len(image.find(b"/").variants) == 4
    assert pack(CLEAN_URLS="auto").find(b"/about.html").status == 301
    assert pack(TRAILING_SLASH="always").find(b"/about").full.mark == "/about/"
    assert len(pack(CODINGS="gzip").find(b"/").variants) == 2
    assert len(pack(CODINGS="none").find(b"/").variants) == 1
    assert pack(CSP="default-src 'self'; $x *").find(b"/").field(
        "Content-Security-Policy") == "default-src 'self'; $x *"
    assert [rule.pattern for rule in pack(SPA="1").rules] == [b"/\0\2"]
    assert pack(SPA="0", LISTINGS="0").rules == []
    site.write("files/x.txt")
    assert pack(LISTINGS="1").find(b"/files/") is not None
    site.write("_redirects", "/old /about\n")
    assert pack().find(b"/old").status == 301
    assert pack(REDIRECTS="cloudflare").find(b"/old").status == 302


def test_several_sites_go_before_one(pack):
    for name in "a.example", "b.example":
        pack.site.write(f"../many/{name}/index.html", name)
    image = pack(SITES=os.fspath(pack.folder / "many"))
    assert list(image.names) == ["a.example", "b.example"]


def test_compressed_files_are_kept(pack):
    pack()
    assert os.listdir(pack.folder / "build" / "cache")


def test_a_folder_may_be_called_like_an_option(pack):
    pack.site.write("../-x y/index.html")
    assert pack(SITE="-x y").files == 1


@pytest.mark.parametrize("name, value, message", [
    ("CLEAN_URLS", "yes", "CLEAN_URLS=yes is not understood: it is one of keep auto off"),
    ("TRAILING_SLASH", "1", "it is one of auto always never both"),
    ("REDIRECTS", "apache", "it is one of netlify cloudflare"),
    ("SPA", "yes", "SPA=yes is not understood: it is one of 0 1"),
    ("LISTINGS", "on", "LISTINGS=on is not understood: it is one of 0 1"),
    ("CODINGS", "lzma", "--codings: 'lzma' is not gzip,br,zstd, some of them, or none"),
    ("SITE", "", "SITE is empty: make SITE=/path/to/a/folder"),
])
def test_a_wrong_value_is_explained(pack, name, value, message):
    assert message in pack(1, **{name: value})
    assert not (pack.folder / "build" / "site.rom").exists()
