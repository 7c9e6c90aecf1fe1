"""Content types: by name, by content, by another table."""
import pytest

from baked import expected_etag

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
    image = site.bake("--mime-types", table, "--clean-urls", "off")
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
