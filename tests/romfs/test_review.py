"""The reviewer (romfs/review): each finding has a site that provokes it and one, next to
it, that does not.  Sites are baked by mkromfs, whose word counts.
"""
import contextlib
import io
import os
import subprocess
import sys

import pytest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MKROMFS = os.path.join(TOP, "build", "mkromfs")
sys.path.insert(0, TOP)

from romfs.review.__main__ import main   # noqa: E402
from romfs.review import page, report, style, urls, work      # noqa: E402

HEAD = "<!doctype html><html><head><meta charset=utf-8><title>t</title></head><body>"
KEY = "-----BEGIN {}PRIVATE KEY-----\n" + "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC" * 2 + "\n"


def write(folder, files):
    for name, content in files.items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as out:
            out.write(content if isinstance(content, bytes) else content.encode())


def run(folder, *words, options=(), status=0):
    """Bake and review; returns (lines, stderr)."""
    rom = str(folder) + ".rom"
    subprocess.run([MKROMFS, "-q", "--codings", "none", *options, "--", folder, rom],
                   check=True)
    manifest = subprocess.run([MKROMFS, "--manifest", *options, "--", folder], check=True,
                              capture_output=True).stdout
    with open(rom + ".manifest", "wb") as out:
        out.write(manifest)
    out, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        try:
            ended = main([*words, "--mkromfs", MKROMFS, "--image", rom, "--manifest",
                          rom + ".manifest", "--", str(folder)])
        except SystemExit as wrong:
            ended = wrong.code
    assert ended == status, errors.getvalue()
    return out.getvalue().splitlines(), errors.getvalue()


@pytest.fixture
def review(tmp_path):
    def of(files, *words, **more):
        folder = tmp_path / "site"
        write(folder, {"ok.html": HEAD + "<p id=here>", "dir/index.html": HEAD, **files})
        return run(folder, *words, **more)[0]
    return of


BODY = "index.html"

# group: what is found, by a site that has it and by one that has not.
CASES = [
    ("broken link", "<a> /no.html answers 404", {BODY: HEAD + "<a href=no.html>"},
     {BODY: HEAD + "<a href=ok.html>"}),
    ("broken link", "<area> /no", {BODY: HEAD + "<map><area href=/no>"},
     {BODY: HEAD + "<map><area href=/ok>"}),
    ("broken link", "<iframe> /no", {BODY: HEAD + "<iframe src=no>"},
     {BODY: HEAD + "<iframe src=ok.html>"}),
    ("broken link", "<form> /no", {BODY: HEAD + "<form action=/no>"},
     {BODY: HEAD + "<form action=/ok>"}),
    ("broken link", "<meta refresh> /no",
     {BODY: HEAD + "<meta http-equiv=Refresh content='0; URL=no'>"},
     {BODY: HEAD + "<meta http-equiv=Refresh content='0; URL=ok'>"}),
    ("broken link", "<link rel=next> /no", {BODY: HEAD + "<link rel=next href=no>"},
     {BODY: HEAD + "<link rel=next href=ok>"}),
    ("broken link", "redirected to /gone, answers 404",
     {BODY: HEAD + "<a href=/old>", "_redirects": "/old /gone\n"},
     {BODY: HEAD + "<a href=/old>", "_redirects": "/old /ok\n"}),
    ("broken link", "redirected to /new/2, answers 404",
     {BODY: HEAD + "<a href=/p/2>", "_redirects": "/p/:n /new/:n\n"},
     {BODY: HEAD + "<a href=/p/2>", "_redirects": "/p/:n https://example.org/:n\n"}),
    ("broken link", "names that begin with a dot", {BODY: HEAD + "<a href=.x/y>"},
     {BODY: HEAD + "<a href=.well-known/y>", ".well-known/y": ""}),
    ("broken link", "it is for the build",
     {BODY: HEAD + "<a href=_headers>", "_headers": "/*\n  X-A: b\n"},
     {BODY: HEAD, "_headers": "/*\n  X-A: b\n"}),
    ("broken link", "is relative, and this page answers in every folder",
     {BODY: HEAD, "404.html": HEAD + "<a href=ok.html>"},
     {BODY: HEAD, "404.html": HEAD + "<a href=/ok.html>"}),
    ("broken link", "/x/ok", {BODY: HEAD + "<a href=ok>", "a.html": HEAD.replace(
        "<body>", "<base href=/x/><body>") + "<a href=ok>"},
     {BODY: HEAD + "<a href=ok>", "a.html": HEAD.replace(
         "<body>", "<base href=/dir/><body>") + "<a href=../ok>"}),
    ("missing asset", "<img> /no.png", {BODY: HEAD + "<img src=no.png>"},
     {BODY: HEAD + "<img src='a b.png'>", "a b.png": ""}),
    ("missing asset", "<script> /no.js", {BODY: HEAD + "<script src=no.js></script>"},
     {BODY: HEAD + "<script src=data:,x></script>"}),
    ("missing asset", "<link rel=stylesheet> /no.css",
     {BODY: HEAD + "<link rel=stylesheet href=no.css>"},
     {BODY: HEAD + "<link rel=preconnect href=/no.css>"}),
    ("missing asset", "<img srcset> /b.png", {BODY: HEAD + "<img srcset='a.png 1x, b.png 2x'>",
                                              "a.png": ""},
     {BODY: HEAD + "<img srcset='a.png 1x, a.png 2x'>", "a.png": ""}),
    ("missing asset", "<source> /no.webm", {BODY: HEAD + "<video><source src=no.webm>"},
     {BODY: HEAD + "<video><source src=a.webm>", "a.webm": ""}),
    ("missing asset", "<audio> /no.ogg", {BODY: HEAD + "<audio src=no.ogg>"},
     {BODY: HEAD + "<audio src=a.ogg>", "a.ogg": ""}),
    ("missing asset", "<video> /no.jpg", {BODY: HEAD + "<video poster=no.jpg>"},
     {BODY: HEAD + "<video poster=''>"}),
    ("missing asset", "/none/x.png",
     {BODY: HEAD.replace("<body>", "<base href=/none/><body>") + "<img src=x.png>"},
     {BODY: HEAD.replace("<body>", "<base href=/none/><body>") + "<img src=''>"}),
    ("missing asset", "<use> /no.svg", {BODY: HEAD + "<svg><use xlink:href=no.svg#a>"},
     {BODY: HEAD + "<svg><use href=#a>"}),
    ("missing asset", "<url()> /no.png", {BODY: HEAD, "a.css": "a{b:url( no.png )}"},
     {BODY: HEAD, "a.css": "/* url(no.png) */ @namespace url(no); a{b:url(#c)}"}),
    ("missing asset", "<@import> /no.css", {BODY: HEAD, "a.css": "@import 'no.css';"},
     {BODY: HEAD, "a.css": "a{content:'no.css'}"}),
    ("missing asset", "<url()> /no.png", {BODY: HEAD + "<style>\n@media x{a{b:url(no.png)}}"},
     {BODY: HEAD + "<style>\n@media x{a{b:url(ok.html)}}"}),
    ("missing asset", "<url()> /no.png", {BODY: HEAD + "<p style='b:url(no.png)'>"},
     {BODY: HEAD + "<p style='b:red' title='url(no.png)'>"}),
    ("missing asset", "<image> /no.png",
     {BODY: HEAD, "a.svg": "<svg xmlns='http://www.w3.org/2000/svg'><image href='no.png'/>"
                           "</svg>"},
     {BODY: HEAD, "a.svg": "<svg xmlns='http://www.w3.org/2000/svg'><image href='#a'/>"
                           "</svg>"}),
    ("wrong case", "/OK.html answers 404: the name is /ok.html",
     {BODY: HEAD + "<a href=OK.html>"}, {BODY: HEAD + "<a href=ok.html>"}),
    ("wrong case", "the name is /%C3%A9.txt", {BODY: HEAD + "<a href='e\u0301.txt'>",
                                              "\u00e9.txt": ""},
     {BODY: HEAD + "<a href='\u00e9.txt'>", "\u00e9.txt": ""}),
    ("broken anchor", "/ok.html has no #there", {BODY: HEAD + "<a href=ok.html#there>"},
     {BODY: HEAD + "<a href=ok.html#here>"}),
    ("broken anchor", "/ has no #a, but #A", {BODY: HEAD + "<a href=#a><a name=A>"},
     {BODY: HEAD + "<a href=#a><a name=a><a href=#top><a href=#><a href='#/route'>"}),
    ("broken anchor", "/old has no #x", {BODY: HEAD + "<a href=/old#x>",
                                         "_redirects": "/old /ok\n"},
     {BODY: HEAD + "<a href=/old#here>", "_redirects": "/old /ok\n"}),
    ("bad URL", "<a> http://[x", {BODY: HEAD + "<a href='http://[x'>"},
     {BODY: HEAD + "<a href='http://[::1]/x'>"}),
    ("mixed content", "<img> http://a.example/", {BODY: HEAD + "<img src=http://a.example/x>"},
     {BODY: HEAD + "<img src=//a.example/x><a href=http://a.example/x>"}),
    ("mixed content", "<url()> http:", {BODY: HEAD, "a.css": "a{b:url(http://a.example)}"},
     {BODY: HEAD, "a.css": "a{b:url(https://a.example)}"}),
    ("mixed content", "<form> http:", {BODY: HEAD + "<form action=http://a.example>"},
     {BODY: HEAD + "<form action=https://a.example>"}),
    ("no charset", "without <meta charset", {BODY: "<!doctype html><title>t</title>"},
     {BODY: b"\xef\xbb\xbf<!doctype html><title>t</title>"}),
    ("no charset", "after the first 1024", {BODY: "<!--" + "x" * 1024 + "-->" + HEAD},
     {BODY: "<!--" + "x" * 900 + "-->" + HEAD}),
    ("wrong charset", "says it is utf-8", {BODY: HEAD.encode() + b"\xff"},
     {BODY: HEAD.replace("utf-8", "latin1").encode() + b"\xff"}),
    ("no title", "without <title>", {BODY: "<meta charset=utf-8><title> </title>"},
     {BODY: "<meta charset=utf-8><title>x</title>"}),
    ("no title", "without <title>", {BODY: "<meta charset=utf-8><svg><title>x</title>"},
     {BODY: "<meta charset=utf-8><title>x</title><svg><title>x</title>"}),
    ("duplicate id", 'id="a" is there before', {BODY: HEAD + "<p id=a><p id=a>"},
     {BODY: HEAD + "<p id=a><p id=A>"}),
    ("over budget", "2049 KiB", {BODY: HEAD, "a.css": " " * (2049 << 10)},
     {BODY: HEAD, "a.css": " " * (2048 << 10), "b.mp4": b"\0" * (3 << 20)}),
    ("secret", "a private key", {BODY: HEAD, "a.txt": KEY.format("RSA ")},
     {BODY: HEAD, "a.txt": "-----BEGIN PRIVATE KEY-----\n... (in base64)\n"}),
    ("secret", "a private key", {BODY: HEAD, "a.json": KEY.format("").replace("\n", "\\n")},
     {BODY: HEAD, "a.json": KEY.replace("PRIVATE", "PUBLIC")}),
    ("secret", "an AWS access key", {BODY: HEAD, "a.js": "k='AKIA" + "Q2345672" * 2 + "'"},
     {BODY: HEAD, "a.js": "k='AKIAIOSFODNN7EXAMPLE'"}),
    ("secret", "a GitHub token", {BODY: HEAD, "a.js": "ghp_" + "a1" * 18},
     {BODY: HEAD, "a.js": "ghp_" + "a1" * 17}),
    ("secret", "by its name", {BODY: HEAD, "id_rsa": ""}, {BODY: HEAD, "id_rsa.pub": ""}),
    ("secret", "not served from here", {BODY: HEAD, ".env": ""}, {BODY: HEAD, ".x": ""}),
    ("secret", "not served from here", {BODY: HEAD, "a/.git/.env": "", "a/b": ""},
     {BODY: HEAD, "a/.gitignore": "", "a/b": ""}),
    ("backup", "by its name", {BODY: HEAD, "index.html~": ""}, {BODY: HEAD, "a~b": ""}),
    ("backup", "by its name", {BODY: HEAD, "db.sql": ""}, {BODY: HEAD, "sql.html": HEAD}),
    ("broken SVG", "a.svg: broken SVG", {BODY: HEAD, "a.svg": ""},
     {BODY: HEAD, "a.svg": "<svg/>"}),
]


@pytest.mark.parametrize("what, why, bad, good", CASES,
                         ids=[f"{n}-{c[0]}" for n, c in enumerate(CASES)])
def test_each_fault_is_found_and_its_neighbour_is_not(review, tmp_path, what, why, bad,
                                                      good):
    lines, _ = run_of(tmp_path, "bad", bad)
    found = [line for line in lines[:-1] if f": {what}: " in line]
    assert len(found) == 1 and why in found[0], lines
    lines, _ = run_of(tmp_path, "good", good)
    assert lines == ["0 warnings in 0 files"], lines


def run_of(tmp_path, name, files, *words, **more):
    folder = tmp_path / name
    write(folder, {"ok.html": HEAD + "<p id=here>", "dir/index.html": HEAD, **files})
    return run(folder, *words, **more)


@pytest.mark.parametrize("tag, name", [(tag, name) for tag in page.ATTRIBUTES
                                       for name, _ in page.ATTRIBUTES[tag]])
def test_each_attribute_that_names_something_is_followed(tag, name):
    name = name.replace(page.XLINK, "xlink:href")
    around = {"area": "<map>", "td": "<table><tr>", "use": "<svg>", "image": "<svg>",
              "feImage": "<svg>"}.get(tag, "<svg>" if name == "xlink:href" else "")
    if tag == "frame":
        text = f"<frameset><frame {name}=there>"
    elif tag == "body":
        text = f"<body {name}=there>"
    elif tag == "script" and name == "href":
        text = f"<svg><script {name}=there>"
    else:
        text = f"<body>{around}<{tag} {name}=there>"
    found = page.read("x", text.encode()).references
    assert [r.url for r in found] == ["there"], text


# ---- The report ------------------------------------------------------------------------

def test_a_line_names_file_and_line(review):
    lines = review({BODY: HEAD + "\n\n<a href=no>"})
    assert lines == ["index.html:3: broken link: <a> /no answers 404",
                     "1 warning in 1 file"]


def test_a_style_sheet_within_a_page_has_the_pages_lines(review):
    lines = review({BODY: HEAD + "\n<style>\n\na{b:url(no.png)}</style>"})
    assert lines[0].startswith("index.html:4: missing asset")


def test_line_numbers_beyond_what_the_parser_counts(review):
    lines = review({BODY: HEAD + "\n" * 70000 + "<a href=no>"}, "--budget", "0")
    assert lines[0].startswith("index.html:70001: broken link")


def test_warnings_are_no_errors_unless_asked_for(review):
    review({BODY: HEAD + "<a href=no>"}, "--strict", status=1)
    review({BODY: HEAD}, "--strict")


def test_one_cause_on_many_pages_is_one_line(review):
    files = {f"{n}.html": HEAD + "<a href=/no>" for n in range(30)}
    lines = review({BODY: HEAD, **files})
    assert lines == ["0.html:1: broken link: <a> /no answers 404 (and 29 more, in 30"
                     " files)", "30 warnings in 30 files"]
    assert len(review({}, "--all")) == 31


def test_the_report_is_bounded(review):
    links = "".join(f"<a href=no{n}>" for n in range(1000))
    lines = review({BODY: HEAD + links})
    assert len(lines) == report.PER_GROUP + 2
    assert lines[-2] == f"... and {1000 - report.PER_GROUP} more: broken link" \
        " (ALL=1 shows them)"
    assert lines[-1] == "1000 warnings in 1 file"


def test_the_budget_is_the_users(review):
    assert "over budget" in review({"a.js": " " * 1025}, "--budget", "1")[0]
    review({}, "--budget", "x", status=2)


def test_control_characters_stay_in_the_file(review):
    text = "\n".join(review({BODY: HEAD + "<a href='#%1b[31m\u202e'>"}))
    assert "\x1b" not in text and "\u202e" not in text
    assert "\\x1b[31m\\u202e" in text


def test_odd_names(review):
    names = ("a b.html", "quote\"'.html", "new\nline.html", "100%.html", "\u65e5.html")
    lines = review({name: HEAD + "<a href=/no>" for name in names}, "--all")
    assert "new\\nline.html:1: broken link: <a> /no answers 404" in lines
    assert lines[-1] == "5 warnings in 5 files"


# ---- What the build was asked for ------------------------------------------------------

def test_clean_urls_count(review):
    files = {BODY: HEAD + "<a href=/ok>"}
    assert review(files) == ["0 warnings in 0 files"]
    assert "answers 404" in review(files, options=("--clean-urls", "off"))[0]


def test_each_form_of_a_url_is_looked_at_from(review):
    files = {BODY: HEAD, "p.html": HEAD + "<a href=ok.html>"}
    assert review(files) == ["0 warnings in 0 files"]
    assert "<a> /p/ok.html answers 404" in review(
        files, options=("--trailing-slash", "both"))[0]


def test_an_applications_routes_are_its_own(review):
    files = {BODY: HEAD, "a.html": HEAD + "<a href=/route#x>"}
    assert "/route answers 404" in review(files)[0]
    assert review(files, options=("--spa",)) == ["0 warnings in 0 files"]


def test_links_between_the_sites_of_an_image(tmp_path):
    folder = tmp_path / "sites"
    write(folder, {"a.example/index.html": HEAD + "<a href=https://b.example/x>"
                                                  "<a href=//b.example/>"
                                                  "<a href=https://c.example/x>",
                   "b.example/index.html": HEAD + "<a href=y>", "b.example/.env": "",
                   "b.example/x.css": "a{b:url(http://a.example/)}"})
    lines, _ = run(folder, "--sites", options=("--sites",))
    assert sorted(lines) == [
        "4 warnings in 4 files",
        "a.example/index.html:1: broken link: <a> /x answers 404",
        "b.example/.env: secret: not served from here, but it does not belong into a"
        " public folder",
        "b.example/index.html:1: broken link: <a> /y answers 404",
        "b.example/x.css:1: mixed content: <url()> http://a.example/: browsers do not load"
        " http: into pages that came by https:"]


# ---- Pages that are no pleasure --------------------------------------------------------

def test_pages_that_nobody_should_write_are_read(review):
    pages = {
        "deep.html": HEAD + "<div>" * 5000, "nul.html": HEAD + "\0<p \0=1>",
        "wide.html": HEAD.encode("utf-16"), "cut.html": HEAD + "<a href='no",
        "random.html": bytes(range(256)) * 64, "long.html": HEAD + "<p>" + "x" * 900000,
        "xml.html": "<?xml version='1.0' encoding='x-none'?><html/>",
        "bomb.svg": "<!DOCTYPE a [<!ENTITY b '&c;&c;'>" + "".join(
            f"<!ENTITY {x} '{('&' + chr(ord(x) + 1) + ';') * 9}'>" for x in "cdefghijkl")
                    + "<!ENTITY m 'x'>]><svg>&b;</svg>",
        "deep.svg": "<svg>" * 5000, "deep.css": "a{" * 5000 + "(" * 20000,
        "entity.svg": "<!DOCTYPE a [<!ENTITY b SYSTEM '/etc/passwd'>]><svg>&b;</svg>",
    }
    assert review(pages)[-1].endswith("files")


def test_no_page_is_slow_to_search(tmp_path):
    """Lines that could be read in many ways as the fields of a key, and many beginnings."""
    start = "-----BEGIN PRIVATE KEY-----\n"
    for text in start + "a: " * 1000, start + ("a: " + start) * 3000:
        write(tmp_path, {"a.txt": text})
        assert not work.read(tmp_path, "a.txt", 0).findings
    write(tmp_path, {"a.txt": start + "Proc-Type: 4,ENCRYPTED\r\nDEK-Info: x\r\n\r\n" +
                     "A" * 64})
    assert len(work.read(tmp_path, "a.txt", 0).findings) == 1


def test_a_file_that_vanishes_is_said(tmp_path):
    found = work.read(str(tmp_path), "gone.html", 0)
    assert [f.what for f in found.findings] == ["unreadable"]


def test_a_huge_page_is_not_parsed(tmp_path, monkeypatch):
    monkeypatch.setattr(work, "PARSED_MOST", 100)
    (tmp_path / "a.html").write_text(HEAD + "x" * 100)
    assert [f.what for f in work.read(str(tmp_path), "a.html", 0).findings] == \
        ["not reviewed"]


def test_a_site_that_cannot_be_packed_is_mkromfs_to_say(tmp_path):
    done = subprocess.run([sys.executable, "-m", "romfs.review", "--mkromfs", MKROMFS,
                           tmp_path / "none"], cwd=TOP, capture_output=True, text=True,
                          check=False)
    assert done.returncode == 2
    assert "none" in done.stderr and "Traceback" not in done.stderr


# ---- The proposed policy ---------------------------------------------------------------

def policy(tmp_path, files):
    lines, errors = run_of(tmp_path, "site", files, "--csp")
    assert len(lines) == 1
    return dict(part.split(" ", 1) for part in lines[0].split("; ")), errors


def test_inline_scripts_are_allowed_by_hash(tmp_path):
    # echo -n 'alert(1)' | openssl dgst -sha256 -binary | base64
    of, _ = policy(tmp_path, {BODY: HEAD + "<script>alert(1)</script>"
                              "<script type=application/ld+json>{}</script>"})
    assert of["script-src"] == "'self' 'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='"
    assert of["default-src"] == "'self'"


def test_line_ends_are_hashed_as_browsers_see_them(tmp_path):
    one, _ = policy(tmp_path, {BODY: HEAD + "<script>a\r\nb</script>"})
    two, _ = policy(tmp_path, {BODY: HEAD + "<script>a\nb</script>"})
    assert one == two


def test_origins_and_kinds_get_their_directive(tmp_path):
    of, _ = policy(tmp_path, {
        BODY: HEAD + "<script src=https://a.example/x.js></script><img src=data:,x>"
        "<img src=/x.png><p style='color:red'><iframe src=//b.example:8443/>"
        "<a href=https://c.example/>",
        "x.css": "@font-face{src:url(f.woff)}"})
    assert of["script-src"] == "'self' https://a.example"
    assert of["img-src"] == "'self' data:"
    assert "font-src" not in of
    assert of["frame-src"] == "'self' https://b.example:8443"
    assert of["object-src"] == "'none'"
    assert of["style-src"].endswith("'unsafe-hashes'")
    assert not any("c.example" in words for words in of.values())


def test_what_no_hash_allows_is_said(tmp_path):
    of, errors = policy(tmp_path, {BODY: HEAD + "\n<p onclick=x()>\n"
                                   "<a href='java\nscript:x()'>"})
    assert "script-src" not in of
    assert 'index.html:2: not allowed by the policy: onclick="" on <p>' in errors
    assert "index.html:3: not allowed by the policy: javascript: in <a>" in errors


# ---- Parts -----------------------------------------------------------------------------

@pytest.mark.parametrize("base, url, path", [
    ("/a/b", "c", "/a/c"), ("/a/b", "", "/a/b"), ("/a/b", "?q", "/a/b?q"),
    ("/a/b", " \n../c\t", "/c"), ("/a/b", "..\\c", "/c"), ("/a/b", "/x?a\\b", "/x?a%5Cb"),
    ("/a/b", "é ü", "/a/%C3%A9%20%C3%BC"), ("/a/b", "%41", "/a/%41"),
    ("/a/b", "x\ny", "/a/xy"), ("/a/b", " c ", "/a/c"),
    ("/a/b", "c\\d?e\\f", "/a/c/d?e%5Cf"), ("/a/b", "../../../c", "/c"), ("/a/b", "./", "/a/"),
])
def test_urls_are_resolved_as_browsers_do(base, url, path):
    assert urls.resolve(base, url).path == path


@pytest.mark.parametrize("text, found", [
    ("a.png", ["a.png"]), ("a.png 1x, b.png 2x", ["a.png", "b.png"]),
    ("a,b.png 1x,c.png", ["a,b.png", "c.png"]), ("a.png, b.png", ["a.png", "b.png"]),
    ("  a.png  100w ,, b.png 2x(,), c.png", ["a.png", "b.png", "c.png"]),
    ("data:image/png;base64,AA== 1x, b 2x", ["data:image/png;base64,AA==", "b"]),
    ("", []), (" , ", []),
])
def test_srcset(text, found):
    assert list(page.srcset(text)) == found


@pytest.mark.parametrize("text, found", [
    ("a{b:url(x) url('y')}", ["x", "y"]), ("@import url(x);@import 'y' print;", ["x", "y"]),
    ("a{b:image-set('x' 1x, url(y) 2x)}", ["x", "y"]), ("a{b:u\\72l(x)}", ["x"]),
    ("@supports (a:url(x)){@media y{a{b:url(z)}}}", ["x", "z"]),
    ("@font-face{src:local('x'),url(y)format('z')}", ["y"]), ("a{b:url(x y)}", []),
])
def test_styles(text, found):
    assert [r.url for r in style.of_sheet(text.encode())] == found
