"""What answers say: default fields, those of _headers, tags and digests, codings."""
import base64
import gzip
import hashlib
import os
import random
import subprocess

import pytest

from baked import LIMIT_TARGET_LEN, MTIME, expected_etag, mkromfs

FOREVER, HOUR, REVALIDATE = (
    "public, max-age=31536000, immutable", "public, max-age=3600", "no-cache")
TEXT = b"All work and no play makes Jack a dull boy.\n" * 100


def decode(variant):
    if variant.coding == "identity":
        return variant.body
    if variant.coding == "gzip":
        return gzip.decompress(variant.body)
    tool = {"br": "brotli", "zstd": "zstd"}[variant.coding]
    return subprocess.run([tool, "-d", "-c", "-"], input=variant.body, check=True,
                          capture_output=True).stdout


# ---- How long an answer may be kept ------------------------------------------------


@pytest.mark.parametrize("name", [
    "main.8e0d62a0.js", "main.8e0d62a03b3f9cd1.css", "8e0d62a03b.js",
    "main.2c4b5d3e.chunk.js", "main.2c4b5d3e.js.map", "app-1a2b3c4d5e6f.min.js",
    "style.6ce24c58023cc2f8fd88fe9d219db6c6.css",
    "logo.6ce24c58023cc2f8fd88fe9d219db6c6.svg",
    "index-BfKq3x9Z.js", "index.D4kE2fS9.css", "photo.DLpOnvm5_Z1lsKAt.webp",
    "font-x7Yz2Wq9.woff2", "chunk-RHPDT3LP.js", "chunk-Q2XK4ABC.mjs", "video-4f5a6b7c8d.mp4",
])
def test_a_name_with_a_digest_is_kept_for_ever(site, name):
    site.write(name)
    entry = site.bake().find(f"/{name}".encode())
    assert entry.field("Cache-Control") == FOREVER


@pytest.mark.parametrize("name", [
    "main.js", "jquery-3.7.1.min.js", "bootstrap.5.3.0.css", "report-2024-01-31.css",
    "photo-20240131.jpg", "img_20240131_120000.jpg", "photo-10dec2024.jpg", "01feb2024.png",
    "conf2024day1.png", "Conf2024Day1.png", "demo-h264x1080p.mp4", "screenshot.1920x1080.png",
    "MacBookPro16.webp", "iPhone15Pro.webp", "manual-VERSION2.css", "TOP5LIST.png",
    "logo-DarkMode.svg", "facade.css", "deadbeef.js", "decade2020.jpg", "1234567890.js",
    "abcdefgh.js", "font.woff2", "IMG4711.jpg", "v2.10.33.js", "a1b2c3.js", "robots.txt",
    "utf8-test.txt", "archive.tar.gz", "covid19update2.json", "8e0d62a0",
])
def test_a_name_without_a_digest_is_kept_for_an_hour(site, name):
    if name == "8e0d62a0":
        name = "x.8e0d62a0"  # what looks like an ending is none
    site.write(name)
    entry = site.bake().find(f"/{name}".encode())
    assert entry.field("Cache-Control") == HOUR


def test_pages_are_always_asked_for_again(site):
    for name in ("a.html", "b.8e0d62a0.html", "c.xhtml", "d/index.html"):
        site.write(name)
    image = site.bake()
    for path in b"/a.html", b"/a", b"/b.8e0d62a0.html", b"/c.xhtml", b"/d/":
        assert image.find(path).field("Cache-Control") == REVALIDATE


# ---- Fields of a site ----------------------------------------------------------------


def test_headers_change_defaults_and_add_to_them(site):
    site.write("a.js", TEXT)
    site.write("b.js", TEXT)
    site.write("_headers", """
/*
  X-Frame-Options: DENY
  Referrer-Policy: no-referrer
/a.js
  cache-control: max-age=5
  ! x-content-type-options
  Content-Location: /elsewhere
  Expires: Thu, 01 Dec 1994 16:00:00 GMT
  Link: </x.css>; rel=preload; as=style
""")
    image = site.bake()
    a, b = image.find(b"/a.js"), image.find(b"/b.js")
    assert image.find(b"/_headers") is None
    assert a.field("Cache-Control") == "max-age=5"
    assert a.field("X-Content-Type-Options") is None
    assert a.field("Referrer-Policy") == b.field("Referrer-Policy") == "no-referrer"
    assert a.field("X-Frame-Options") == "DENY"
    assert (b.field("Cache-Control"), b.field("X-Content-Type-Options")) == (HOUR, "nosniff")
    # RFC 9110, section 15.4.5: these, if the 200 has them.
    for variant in a.variants:
        assert variant.not_modified == [
            ("ETag", variant.field("ETag")), ("Cache-Control", "max-age=5"),
            ("Vary", "Accept-Encoding"), ("Content-Location", "/elsewhere"),
            ("Expires", "Thu, 01 Dec 1994 16:00:00 GMT")]


def test_headers_are_matched_with_the_path_that_answers(site):
    site.write("a/index.html", TEXT)
    site.write("404.html", "<p>404")
    site.write("_headers", "/a/\n  X-Here: slash\n/a/index.html\n  X-Here: file\n"
               "/404.html\n  X-Page: 404\n")
    image = site.bake()
    slash, file = image.find(b"/a/"), image.find(b"/a/index.html")
    assert (slash.field("X-Here"), file.field("X-Here")) == ("slash", "file")
    assert slash.full.head_off != file.full.head_off
    for ours, theirs in zip(slash.variants, file.variants):
        assert ours.body_off == theirs.body_off
        assert ours.field("ETag") == theirs.field("ETag")
    assert image.not_found().field("X-Page") == "404"
    assert image.data.count(TEXT) == 1


def test_a_built_in_404_page_has_the_fields_of_its_name(site):
    site.write("a.txt")
    site.write("_headers", "/404.html\n  X-Page: 404\n")
    assert site.bake().not_found().field("X-Page") == "404"


def test_redirects_have_the_sites_fields_too(site):
    site.write("a/index.html")
    site.write("_redirects", "/old /a/\n")
    site.write("_headers", "/*\n  X-All: 1\n  Content-Type: text/plain\n")
    image = site.bake()
    for path in b"/a", b"/old":
        assert image.find(path).field("X-All") == "1"
        assert image.find(path).field("Content-Type") == "text/html; charset=utf-8"


def test_a_given_type_is_taken_as_it_is(site):
    site.write("feed", TEXT)
    site.write("page", "<p>caf\u00e9")
    site.write("_headers", "/feed\n  Content-Type: application/atom+xml\n"
               "/page\n  Content-Type: text/html;charset=utf-8\n")
    image = site.bake("--csp", "default-src 'self'")
    feed, page = image.find(b"/feed"), image.find(b"/page")
    assert feed.field("Content-Type") == "application/atom+xml"
    assert feed.etag == expected_etag(TEXT, "application/atom+xml")
    assert len(feed.variants) == 4          # so it is worth compressing
    assert page.field("Content-Type") == "text/html;charset=utf-8"
    assert page.field("Cache-Control") == REVALIDATE
    assert page.field("Content-Security-Policy") == "default-src 'self'"
    assert feed.field("Content-Security-Policy") is None


def test_a_policy_is_for_pages_and_can_be_overridden(site):
    for name in ("a.html", "b.html", "c.css", "404.html"):
        site.write(name)
    site.write("_headers", "/b*\n  Content-Security-Policy: default-src *\n")
    image = site.bake("--csp", "default-src 'self'")
    assert image.find(b"/a").field("Content-Security-Policy") == "default-src 'self'"
    assert image.find(b"/b").field("Content-Security-Policy") == "default-src *"
    assert image.find(b"/c.css").field("Content-Security-Policy") is None
    assert image.not_found().field("Content-Security-Policy") == "default-src 'self'"
    assert site.bake().find(b"/a").field("Content-Security-Policy") is None


@pytest.mark.parametrize("given, expected", [
    ("Origin", "Accept-Encoding, Origin"),
    ("Origin, accept-encoding", "Origin, accept-encoding"),
    ("*", "*"),
    ("X-Accept-Encoding", "Accept-Encoding, X-Accept-Encoding"),
])
def test_vary_always_names_what_decides_about_codings(site, given, expected):
    site.write("a.txt", TEXT)
    site.write("b.png")
    site.write("_headers", f"/*\n  Vary: {given}\n")
    image = site.bake()
    assert {v.field("Vary") for v in image.find(b"/a.txt").variants} == {expected}
    assert image.find(b"/b.png").field("Vary") == given


def test_strict_transport_security_is_the_settings_part(site):
    site.write("a.txt")
    site.write("_headers", "/*\n  Strict-Transport-Security: max-age=31536000\n")
    run = site.run()
    assert "note    Strict-Transport-Security of _headers is left out: the setting hsts= " \
        "sends it\n" in run.out
    assert site.bake().find(b"/a.txt").field("Strict-Transport-Security") is None


def test_too_many_fields_are_refused(site):
    site.write("a.txt")
    site.write("_headers", "/a.txt\n" + "".join(f"  X-{i}: {'x' * 1000}\n" for i in range(17)))
    assert site.refuse() == ["/a.txt: the fields of its answer come to more than 16383 bytes"]


def test_a_redirect_to_the_longest_url_fits(site):
    site.write("a.txt")
    site.write("_redirects", "/old /" + "x" * (LIMIT_TARGET_LEN - 1) + "\n")
    assert len(site.bake().find(b"/old").full.mark) == LIMIT_TARGET_LEN


def test_errors_in_headers_stop_the_build(site):
    site.write("a.txt")
    site.write("_headers", "/a.txt\n  Date: now\n")
    error, = site.refuse()
    assert error.startswith(f"{site.root}/_headers:2: ")


def test_a_type_can_be_replaced_but_not_removed(site):
    site.write("a.txt")
    site.write("_headers", "/a.txt\n  ! Content-Type\n")
    error, = site.refuse()
    assert error.startswith(f"{site.root}/_headers:2: ")
    assert "an answer says what it is" in error


def test_two_types_for_one_path_are_refused_once(site):
    site.write("a.txt", TEXT)
    site.write("b.txt", TEXT)
    site.write("_headers", "/*\n  Content-Type: text/a\n/a.txt\n  Content-Type: text/b\n")
    assert len(site.refuse()) == 1


# ---- Codings -------------------------------------------------------------------------


def test_every_coding_is_a_whole_answer(site):
    site.write("a.html", TEXT)
    entry = site.bake().find(b"/a.html")
    assert {v.coding for v in entry.variants} == {"identity", "gzip", "br", "zstd"}
    assert [v.coding for v in entry.variants][0] == "identity"
    sizes = [len(v.body) for v in entry.variants[1:]]
    assert sizes == sorted(sizes) and sizes[-1] < len(TEXT)
    kind = "text/html; charset=utf-8"
    for variant in entry.variants:
        assert decode(variant) == TEXT
        coding = None if variant.coding == "identity" else variant.coding
        assert variant.fields == [
            ("Content-Length", str(len(variant.body))),
            ("Content-Type", kind),
            *([("Content-Encoding", coding)] if coding else []),
            ("ETag", expected_etag(variant.body, kind, coding)),
            ("Last-Modified", "Tue, 14 Nov 2023 22:13:20 GMT"),
            ("Accept-Ranges", "bytes"),
            ("Cache-Control", REVALIDATE),
            ("Vary", "Accept-Encoding"),
            ("X-Content-Type-Options", "nosniff"),
            ("Referrer-Policy", "strict-origin-when-cross-origin"),
        ]
        # RFC 9530, section 3: of the bytes as they are sent.
        digest = base64.b64encode(hashlib.sha256(variant.body).digest())
        assert variant.digest_line == b"Repr-Digest: sha-256=:" + digest + b":\r\n"
        assert variant.head_off + len(variant.head) == variant.body_off
    assert len({v.field("ETag") for v in entry.variants}) == 4


def test_only_wanted_codings_are_made(site):
    site.write("a.html", TEXT)
    for wanted in "gzip", "br,zstd", "zstd,gzip", "none":
        entry = site.bake("--codings", wanted).find(b"/a.html")
        assert {v.coding for v in entry.variants[1:]} == set(wanted.split(",")) - {"none"}
        assert entry.field("Vary") == (None if wanted == "none" else "Accept-Encoding")


@pytest.mark.parametrize("name, coded", [
    ("a.html", True), ("a.css", True), ("a.js", True), ("a.json", True), ("a.svg", True),
    ("a.xml", True), ("a.txt", True), ("a.wasm", True), ("a.ttf", True), ("a.otf", True),
    ("a.webmanifest", True), ("a.ico", True), ("a.bmp", True), ("a.eot", True),
    ("a.rss", True), ("a.ics", True), ("a.tar", True), ("a.md", True),
    ("a.png", False), ("a.jpg", False), ("a.woff2", False), ("a.woff", False), ("a.mp4", False),
    ("a.gz", False), ("a.zip", False), ("a.webp", False), ("a.pdf", True), ("a", True),
])
def test_what_is_not_compressed_itself_gets_codings(site, name, coded):
    site.write(name, TEXT)
    assert (len(site.bake("--codings=gzip").find(f"/{name}".encode()).variants) > 1) == coded


def test_what_saves_little_is_sent_as_it_is(site):
    noise = random.Random(4).randbytes(5000)
    site.write("noise.txt", noise)
    site.write("small.txt", b"tiny tiny tiny tiny")
    image = site.bake()
    for path in b"/noise.txt", b"/small.txt":
        entry = image.find(path)
        assert len(entry.variants) == 1
        assert entry.field("Vary") is None


def test_sidecars_are_used_and_served(site):
    packed = gzip.compress(TEXT, 1, mtime=0)
    site.write("a.html", TEXT)
    site.write("a.html.gz", packed)
    site.write("b.bin", TEXT)
    site.write("b.bin.gz", packed)
    image = site.bake()
    assert image.find(b"/a.html").coded("gzip").body == packed
    assert image.find(b"/a.html").coded("br") is not None
    assert image.find(b"/a.html.gz").body == packed
    assert image.find(b"/a.html.gz").field("Content-Encoding") is None
    # Also where we would not compress ourselves; the others are not made then, or are.
    assert image.find(b"/b.bin").coded("gzip").body == packed


def test_a_sidecar_of_something_else_is_refused(site):
    site.write("a.html", TEXT)
    site.write("a.html.gz", gzip.compress(b"other" * 500))
    error, = site.refuse()
    assert error.startswith(f"{site.root}/a.html.gz: ")


def test_the_cache_changes_nothing_but_time(site):
    for i in range(20):
        site.write(f"{i}.html", TEXT + str(i).encode())
    cache = site.base / "cache"
    first = site.bake("--cache", cache).data
    assert os.listdir(cache)
    assert site.bake("--cache", cache).data == first
    assert site.bake().data == first
    assert site.bake("--cache", cache, before=["taskset", "-c", "0"]).data == first


def test_a_cache_inside_the_site_is_refused(site):
    site.write("a.txt")
    for folder in site.root, site.root / "cache":
        assert site.refuse("--cache", folder) == [
            f"{folder}: lies inside the site: put the cache elsewhere"]
    assert os.listdir(site.root) == ["a.txt"]


def test_the_summary_says_what_was_done(site):
    site.write("a.html", TEXT)
    site.write("b.png")
    site.write("_redirects", "/old /a\n/older/* /a\n")
    run = site.run()
    best = min(len(v.body) for v in site.bake().find(b"/a.html").variants)
    assert f"codings 1 files, {len(TEXT) - best} bytes less on the wire\n" in run.out
    assert "rules   2 in _redirects\n" in run.out


def test_where_the_content_is_from_can_be_noted(site):
    site.write("a.txt")
    assert site.bake().info == ""
    image = site.bake("--info", "commit=abc123", "--info", "tree=x = y")
    assert image.info == "commit abc123\ntree x = y\n"


@pytest.mark.parametrize("option, value, message", [
    ("--info", "x", "is not WORD=VALUE"), ("--info", "=x", "is not WORD=VALUE"),
    ("--info", "A=x", "is not WORD=VALUE"), ("--info", "a=\u00e9", "is not WORD=VALUE"),
    ("--csp", "", "a policy is printable ASCII"), ("--csp", "a\r\nb", "a policy is printable"),
    ("--codings", "gzip,", "'gzip,' is not gzip,br,zstd, some of them, or none"),
    ("--codings", "", "is not gzip,br,zstd"), ("--codings", "deflate", "is not gzip,br,zstd"),
    ("--codings", "none,gzip", "is not gzip,br,zstd"),
    ("--clean-urls", "yes", "--clean-urls: 'yes' is not keep, auto or off"),
    ("--trailing-slash", "", "--trailing-slash: '' is not auto, always, never or both"),
    ("--redirects", "nginx", "--redirects: 'nginx' is not netlify or cloudflare"),
])
def test_wrong_words_are_explained(site, option, value, message):
    run = mkromfs(option, value, site.root, site.image)
    assert (run.status, run.out) == (2, "")
    assert message in run.errors[0]
    assert run.errors[1] == "Try 'mkromfs --help'."


def test_files_that_only_pages_of_rules_show_are_there(site):
    site.write("gone.html", TEXT, mtime=MTIME)
    site.write("_redirects", "/gone.html /x 301!\n/gone /x 301!\n/gone/ /x 301!\n"
               "/old/* /gone.html 404\n")
    image = site.bake()
    assert image.find(b"/gone.html").status == 301
    assert [v.coding for v in image.pages[1].variants][0] == "identity"
    assert len(image.pages[1].variants) == 4
    assert image.pages[1].body == TEXT
