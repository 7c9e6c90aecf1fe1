"""Which URLs a site's files get: clean URLs, slashes, listings, 404 pages, apps."""
import html.parser
import urllib.parse

import pytest

HOUR = "public, max-age=3600"


def answers(site, *options):
    """URL to file, or to (status, file or target) where that is not 200."""
    return {url: file if status == 200 else (status, file)
            for url, (status, file) in site.manifest(*options).items()}


def pages(site):
    for name in ("index.html", "about.html", "docs/index.html", "docs/more.html", "plain.txt"):
        site.write(name)


NOT_FOUND = {"*": (404, "-")}


def test_by_default_pages_answer_under_both_names(site):
    pages(site)
    assert answers(site) == NOT_FOUND | {
        "/": "index.html", "/index.html": "index.html",
        "/about": "about.html", "/about.html": "about.html", "/about/": (301, "/about"),
        "/docs/": "docs/index.html", "/docs/index.html": "docs/index.html",
        "/docs": (301, "/docs/"),
        "/docs/more": "docs/more.html", "/docs/more.html": "docs/more.html",
        "/docs/more/": (301, "/docs/more"),
        "/plain.txt": "plain.txt",
    }
    assert answers(site) == answers(site, "--clean-urls", "keep", "--trailing-slash", "auto")


def test_clean_urls_auto_redirects_names_of_files(site):
    pages(site)
    assert answers(site, "--clean-urls=auto") == NOT_FOUND | {
        "/": "index.html", "/index.html": (301, "/"),
        "/about": "about.html", "/about.html": (301, "/about"), "/about/": (301, "/about"),
        "/docs/": "docs/index.html", "/docs/index.html": (301, "/docs/"),
        "/docs": (301, "/docs/"),
        "/docs/more": "docs/more.html", "/docs/more.html": (301, "/docs/more"),
        "/docs/more/": (301, "/docs/more"),
        "/plain.txt": "plain.txt",
    }


def test_clean_urls_off_leaves_names_as_they_are(site):
    pages(site)
    assert answers(site, "--clean-urls=off") == NOT_FOUND | {
        "/": "index.html", "/index.html": "index.html", "/about.html": "about.html",
        "/docs/": "docs/index.html", "/docs/index.html": "docs/index.html",
        "/docs": (301, "/docs/"), "/docs/more.html": "docs/more.html",
        "/plain.txt": "plain.txt",
    }


@pytest.mark.parametrize("policy, about, about_slash, docs, docs_slash", [
    ("auto", "about.html", (301, "/about"), (301, "/docs/"), "docs/index.html"),
    ("always", (301, "/about/"), "about.html", (301, "/docs/"), "docs/index.html"),
    ("never", "about.html", (301, "/about"), "docs/index.html", (301, "/docs")),
    ("both", "about.html", "about.html", "docs/index.html", "docs/index.html"),
])
def test_a_page_answers_with_or_without_slash(site, policy, about, about_slash, docs, docs_slash):
    pages(site)
    found = answers(site, "--trailing-slash", policy)
    assert (found["/about"], found["/about/"]) == (about, about_slash)
    assert (found["/docs"], found["/docs/"]) == (docs, docs_slash)
    assert found["/"] == "index.html"
    assert found["/about.html"] == "about.html"
    found = answers(site, "--trailing-slash", policy, "--clean-urls", "auto")
    canonical = "/about/" if policy == "always" else "/about"
    assert found["/about.html"] == (301, canonical)
    assert found["/docs/index.html"] == (301, "/docs" if policy == "never" else "/docs/")


def test_a_file_goes_before_a_clean_url(site):
    site.write("about", "the file")
    site.write("about.html", "the page")
    for mode in "keep", "auto":
        assert answers(site, "--clean-urls", mode) == NOT_FOUND | {
            "/about": "about", "/about.html": "about.html"}


def test_a_folder_and_a_page_of_one_name(site):
    site.write("about.html")
    site.write("about/index.html")
    found = answers(site, "--clean-urls=auto")
    assert found["/about"] == "about.html"
    assert found["/about/"] == "about/index.html"
    assert found["/about.html"] == (301, "/about")
    # Only one of them can have the one form that there is: the folder.
    for policy in "always", "never":
        found = answers(site, "--clean-urls=auto", "--trailing-slash", policy)
        assert found["/about/" if policy == "always" else "/about"] == "about/index.html"
        assert found["/about.html"] == "about.html"


def test_only_html_has_clean_urls(site):
    for name in ("a.htm", "b.HTML", "c.html.gz", "d.html/x.txt", ".html"):
        site.write(name)
    assert set(answers(site)) == {"*", "/a.htm", "/b.HTML", "/c.html.gz", "/d.html/x.txt"}


def test_redirects_keep_the_query_and_say_how_long_they_hold(site):
    pages(site)
    image = site.bake("--clean-urls=auto")
    for path in b"/docs", b"/about.html", b"/about/":
        entry = image.find(path)
        assert (entry.status, entry.keeps_query) == (301, True)
        assert entry.field("Cache-Control") == HOUR
    assert site.resolve("/about.html?a=b", "/docs?x", "/about") == [
        ("301", "/about?a=b"), ("301", "/docs/?x"), ("200", "/about")]


# ---- 404 pages -------------------------------------------------------------------


def test_the_nearest_404_page_answers(site):
    for folder in "", "docs/", "docs/deep/er/":
        site.write(f"{folder}404.html", f"<p>{folder}")
    site.write("docs/deep/a.txt")
    image = site.bake()
    bodies = {page.body.decode()[3:]: page for page in image.pages}
    assert set(bodies) == {"", "docs/", "docs/deep/er/"}
    assert image.not_found().body == b"<p>"
    assert {(rule.pattern, rule.entry.body) for rule in image.rules} == {
        (b"/docs/\0\2", b"<p>docs/"), (b"/docs/deep/er/\0\2", b"<p>docs/deep/er/")}
    assert [rule.status for rule in image.rules] == [404, 404]
    # The deepest first.
    assert image.rules[0].pattern == b"/docs/deep/er/\0\2"
    assert site.resolve("/docs/deep/a.txt", "/docs/none") == [
        ("200", "/docs/deep/a.txt"), ("404", "*")]


def test_a_404_page_has_its_own_name_only(site):
    site.write("404.html")
    site.write("sub/404.html")
    found = answers(site, "--clean-urls=auto")
    assert found == {"/404.html": "404.html", "/sub/404.html": "sub/404.html",
                     "/sub/*": (404, "sub/404.html"), "*": (404, "404.html")}


def test_a_404_page_is_stored_once_and_has_its_codings(site):
    content = b"<p>nothing here, and that at length</p>" * 50
    site.write("404.html", content)
    image = site.bake()
    page, entry = image.not_found(), image.find(b"/404.html")
    assert image.data.count(content) == 1
    assert [v.coding for v in page.variants] == [v.coding for v in entry.variants]
    assert len(page.variants) > 1
    for ours, files in zip(page.variants, entry.variants):
        assert (ours.status, files.status) == (404, 200)
        assert ours.body_off == files.body_off
        assert ours.field("Vary") == "Accept-Encoding"
        assert ours.field("Content-Encoding") == files.field("Content-Encoding")
        assert ours.field("Cache-Control") == "no-cache"
        # It is not what was asked for.
        for name in "ETag", "Last-Modified", "Accept-Ranges":
            assert ours.field(name) is None
            assert files.field(name) is not None


# ---- Apps ------------------------------------------------------------------------


def test_an_app_answers_what_nothing_else_does(site):
    site.write("index.html", "<p>app")
    site.write("app.js")
    site.write("404.html")
    site.write("sub/404.html")
    site.bake("--spa")
    assert site.resolve("/", "/some/where?x", "/app.js", "/sub/x", "/app.js/") == [
        ("200", "/"), ("200", "/index.html"), ("200", "/app.js"), ("200", "/index.html"),
        ("200", "/index.html")]
    assert answers(site, "--spa")["/*"] == "index.html"
    site.bake("--spa", "--clean-urls=auto")
    assert site.resolve("/some/where", "/index.html") == [("200", "/"), ("301", "/")]


def test_an_app_without_a_page_is_refused(site):
    site.write("app.js")
    assert site.refuse("--spa") == [f"{site.root}: --spa wants an index.html here"]


# ---- Listings --------------------------------------------------------------------


class Listing(html.parser.HTMLParser):
    def __init__(self, body):
        super().__init__()
        self.rows, self.heading, self.open = [], "", None
        self.feed(body.decode())

    def handle_starttag(self, tag, attrs):
        self.open = tag
        if tag == "a":
            self.rows.append([dict(attrs)["href"], "", ""])

    def handle_endtag(self, tag):
        if tag == "a":
            self.open = "td"

    def handle_data(self, data):
        if self.open == "h1":
            self.heading += data
        elif self.open == "a":
            self.rows[-1][1] += data
        elif self.open == "td" and self.rows:
            self.rows[-1][2] = (self.rows[-1][2] + " " + data.strip()).strip()


def test_folders_without_an_index_are_listed(site):
    site.write("files/b.txt", "12345", mtime=1_000_000_000)
    site.write("files/<a&\"'>.bin", "1", mtime=1_600_000_000)
    site.write("files/sub folder/x", "")
    site.write("files/sub folder/deep/y")
    site.write("page/index.html")
    site.write(".well-known/security.txt")
    image = site.bake("--listings")
    entry = image.find(b"/files/")
    listing = Listing(entry.body)
    assert listing.heading.strip() == "/files/"
    assert listing.rows == [
        ["/", "../", ""],
        ["/files/sub%20folder/", "sub folder/", ""],
        ["/files/%3Ca%26%22%27%3E.bin", "<a&\"'>.bin", "1 2020-09-13 12:26"],
        ["/files/b.txt", "b.txt", "5 2001-09-09 01:46"],
    ]
    assert entry.field("Content-Type") == "text/html; charset=utf-8"
    assert entry.field("Cache-Control") == "no-cache"
    assert entry.modified == 1_600_000_000
    assert image.find(b"/files").full.mark == "/files/"
    assert [row[1] for row in Listing(image.find(b"/").body).rows] == ["files/", "page/"]
    assert b"page" not in image.find(b"/page/").body
    assert image.find(b"/.well-known/") is None
    assert set(image.entries()) > {b"/files/sub folder/", b"/files/sub folder/deep/"}
    assert answers(site, "--listings")["/files/"] == "files/"
    assert answers(site, "--listings")["/"] == "/"


def test_listings_are_off_unless_asked_for(site):
    site.write("files/b.txt")
    assert site.bake().find(b"/files/") is None


def test_a_listings_form_follows_the_policy(site):
    site.write("a/b/c.txt")
    found = answers(site, "--listings", "--trailing-slash=never")
    assert (found["/a/b"], found["/a/b/"]) == ("a/b/", (301, "/a/b"))
    rows = Listing(site.bake("--listings", "--trailing-slash=never").find(b"/a/b").body).rows
    assert rows[0][:2] == ["/a/", "../"]


def test_every_link_of_a_listing_leads_to_an_answer(site):
    names = ["a b/%.txt", "a b/ü/x", "a b/#?/y", "z", "a b/\n\t", "a b/:", "q&amp;/r"]
    for name in names:
        site.write(name)
    image = site.bake("--listings")
    seen, todo = set(), {"/"}
    while todo:
        target = todo.pop()
        seen.add(target)
        (status, path), = site.resolve(target)
        assert status == "200"
        entry = image.find(urllib.parse.unquote_to_bytes(path))
        if entry.body.startswith(b"<!DOCTYPE"):
            todo |= {row[0] for row in Listing(entry.body).rows} - seen
    assert len(seen) == len(names) + 5
