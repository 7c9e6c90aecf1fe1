"""What _redirects does to an image: which rule or file answers a path, and what is refused.

The grammar has its own tests (test_redirects.c); what happens at run time is asked of
the reader, through mkromfs --resolve.
"""
import pytest


def name(site):
    return f"{site.root}/_redirects"


def rules(site, *lines):
    site.write("_redirects", "\n".join(lines) + "\n")


# ---- Static rules ------------------------------------------------------------------


def test_the_file_itself_is_not_served(site):
    site.write("a.txt")
    site.write("sub/_redirects")
    rules(site, "/old /a.txt")
    assert set(site.bake().entries()) == {b"/a.txt", b"/sub/_redirects", b"/old", b"/old/"}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_static_rule_is_an_answer_of_the_image(site, status):
    site.write("a.txt")
    rules(site, f"/old /new%20place?x#y {status}", f"/other https://example.com/ {status}")
    image = site.bake()
    entry = image.find(b"/old")
    assert (entry.status, entry.full.mark) == (status, "/new%20place?x#y")
    assert not entry.keeps_query             # the target has its own
    assert image.find(b"/other").keeps_query
    assert image.find(b"/other").full.mark == "https://example.com/"
    assert entry.field("Cache-Control") == (
        "public, max-age=3600" if status in (301, 308) else None)
    assert b'href="/new%20place?x#y"' in entry.body
    assert image.rules == []


def test_a_redirects_page_is_escaped(site):
    site.write("a.txt")
    rules(site, "/old /x?a=1&b='2'")
    body = site.bake().find(b"/old").body
    assert b'"/x?a=1&amp;b=' in body


def test_a_static_rewrite_shows_the_file_as_it_is(site):
    site.write("page.html", "<p>page" * 30)
    site.write("_headers", "/page.html\n  X-Own: 1\n/alias\n  X-Other: 2\n")
    rules(site, "/alias /page.html 200", "/too /page 200")
    image = site.bake()
    alias, page = image.find(b"/alias"), image.find(b"/page.html")
    assert alias.full.head_off == page.full.head_off
    assert (alias.field("X-Own"), alias.field("X-Other")) == ("1", None)
    assert image.find(b"/too").full.body_off == page.full.body_off
    assert image.rules == []


@pytest.mark.parametrize("mode", ["keep", "auto", "off"])
def test_a_rewrite_to_a_name_that_redirects_shows_its_page(site, mode):
    site.write("index.html", "<p>app")
    site.write("docs/index.html", "<p>docs")
    rules(site, "/a /index.html 200", "/b /docs 200", "/c/* /index.html 200")
    image = site.bake("--clean-urls", mode)
    assert (image.find(b"/a").status, image.find(b"/a").body) == (200, b"<p>app")
    assert (image.find(b"/b").status, image.find(b"/b").body) == (200, b"<p>docs")
    (status, path), = site.resolve("/c/x")
    assert (status, image.find(path.encode()).body) == ("200", b"<p>app")


@pytest.mark.parametrize("line", ["/a /none.html 200", "/a/* /none.html 200", "/a /none.html 404",
                                  "/a/:b/c x=:x /none.html 404", "/a /b 200"])
def test_a_target_that_is_not_there_is_refused(site, line):
    site.write("x.txt")
    rules(site, "# first", line, "/b /x.txt")
    target = line.split()[-2]
    assert site.refuse() == [f"{name(site)}:2: no file answers {target}"]


# ---- Files and rules ---------------------------------------------------------------


def test_a_file_goes_before_a_rule_that_is_not_forced(site):
    site.write("a.html", "<p>a")
    site.write("b/index.html")
    rules(site, "/a.html /x", "/a /x", "/b /x", "/b/ /x",
          "/* https://y.example/")
    image = site.bake()
    assert image.find(b"/a.html").status == 200
    assert not image.find(b"/a.html").rules_first
    assert site.resolve("/a.html", "/a", "/b", "/b/", "/c") == [
        ("200", "/a.html"), ("200", "/a"), ("301", "/b/"), ("200", "/b/"),
        ("301", "https://y.example/")]


def test_a_forced_static_rule_takes_the_files_place(site):
    site.write("a.html", "<p>a")
    site.write("b.html", "<p>b")
    rules(site, "/a.html /x 302!", "/b.html /a 200!", "/shown /a.html 200")
    image = site.bake()
    assert (image.find(b"/a.html").status, image.find(b"/a.html").full.mark) == (302, "/x")
    # A rewrite shows files, not what rules made of them.
    assert image.find(b"/b.html").body == b"<p>a"
    assert image.find(b"/shown").body == b"<p>a"
    assert not image.find(b"/a.html").rules_first
    assert image.rules == []


def test_a_forced_rule_with_marks_is_asked_at_run_time(site):
    site.write("app/a.html")
    site.write("b.html")
    rules(site, "/app/* /closed 302!", "/app/:x /never 301",
          "/* https://y.example/")
    image = site.bake()
    assert image.find(b"/app/a.html").rules_first
    assert not image.find(b"/b.html").rules_first
    assert site.resolve("/app/a.html", "/b.html", "/app/other", "/x") == [
        ("302", "/closed"), ("200", "/b.html"), ("302", "/closed"),
        ("301", "https://y.example/")]


def test_a_forced_rule_is_found_behind_one_that_is_not(site):
    site.write("s/a.txt")
    rules(site, "/s/* https://first.example/", "/s/* https://forced.example/ 302!")
    site.bake()
    assert site.resolve("/s/a.txt", "/s/b") == [
        ("302", "https://forced.example/"), ("301", "https://first.example/")]


def test_conditions_are_asked_at_run_time(site):
    site.write("a.txt")
    rules(site, "/a.txt v=1 /one 301!", "/a.txt v=2 /two 301", "/s v=1 /one", "/s /all")
    image = site.bake()
    assert image.find(b"/a.txt").rules_first
    assert image.find(b"/s") is None
    assert site.resolve("/a.txt", "/a.txt?v=1", "/a.txt?v=2", "/s?v=1", "/s?v=2") == [
        ("200", "/a.txt"), ("301", "/one"), ("200", "/a.txt"), ("301", "/one"),
        ("301", "/all?v=2")]


def test_rules_keep_their_order_where_some_wait_for_the_query(site):
    site.write("a.txt")
    rules(site, "/a.txt v=1 /one 301!", "/a.txt /two 302!", "/a.txt v=3 /three 301!")
    site.bake()
    assert site.resolve("/a.txt?v=1", "/a.txt?v=3", "/a.txt") == [
        ("301", "/one"), ("302", "/two?v=3"), ("302", "/two")]
    rules(site, "/s/* v=1 /one 301", "/s/a /two 302", "/s/* /three 301")
    site.bake()
    assert site.resolve("/s/a?v=1", "/s/a", "/s/b") == [
        ("301", "/one"), ("302", "/two"), ("301", "/three")]


def test_a_rule_with_marks_goes_before_a_later_static_one(site):
    site.write("a.txt")
    rules(site, "/s/* /first", "/s/a /second 302", "/t/a /third 302", "/t/* /fourth")
    image = site.bake()
    assert image.find(b"/s/a") is None
    assert image.find(b"/t/a").status == 302
    assert site.resolve("/s/a", "/t/a", "/t/b") == [
        ("301", "/first"), ("302", "/third"), ("301", "/fourth")]


def test_a_rewrite_that_names_nothing_leaves_the_path_to_the_next_rule(site):
    site.write("pages/a.html", "<p>a")
    site.write("b.html", "<p>b")
    rules(site, "/w/* /pages/:splat.html 200", "/w/b /b.html 200",
          "/* https://y.example/")
    site.bake()
    assert site.resolve("/w/a", "/w/b", "/w/c") == [
        ("200", "/pages/a.html"), ("200", "/b.html"), ("301", "https://y.example/")]


def test_a_rewrite_to_a_name_that_redirects_redirects(site):
    site.write("v2/guide/index.html", "<p>guide")
    rules(site, "/docs/* /v2/:splat 200", "/* https://y.example/")
    site.bake()
    assert site.resolve("/docs/guide", "/docs/guide/", "/docs/none") == [
        ("301", "/v2/guide/"), ("200", "/v2/guide/"), ("301", "https://y.example/")]


def test_a_404_rule_has_its_own_page(site):
    site.write("404.html", "<p>root")
    site.write("closed.html", "<p>closed")
    site.write("shop/a.html")
    rules(site, "/shop/* /closed.html 404!", "/one /closed.html 404", "/two /404.html 404")
    image = site.bake()
    assert [(page.status, page.body) for page in image.pages] == [
        (404, b"<p>root"), (404, b"<p>closed")]
    assert site.resolve("/shop/a.html", "/one", "/two", "/closed.html") == [
        ("404", "*"), ("404", "*"), ("404", "*"), ("200", "/closed.html")]
    assert {rule.pattern: rule.entry.body for rule in image.rules if b"\0" not in rule.pattern} == {
        b"/one": b"<p>closed", b"/one/": b"<p>closed", b"/two": b"<p>root", b"/two/": b"<p>root"}


def test_rules_go_before_apps_and_404_pages(site):
    site.write("index.html")
    site.write("docs/404.html", "<p>docs")
    rules(site, "/docs/old/* /new/:splat")
    site.bake()
    assert site.resolve("/docs/old/x", "/docs/x") == [("301", "/new/x"), ("404", "*")]
    site.bake("--spa")
    assert site.resolve("/docs/old/x", "/x") == [("301", "/new/x"), ("200", "/index.html")]


def test_content_that_forced_rules_hide_can_still_be_shown(site):
    site.write("index.html", "<p>app")
    rules(site, "/index.html /home 301!", "/ /home 301!", "/app/* /index.html 200")
    image = site.bake()
    assert [(page.status, page.body) for page in image.pages[1:]] == [(200, b"<p>app")]
    assert image.rules[0].entry.body == b"<p>app"
    assert site.resolve("/index.html", "/app/x") == [("301", "/home"), ("200", "*")]


def test_the_dialect_of_cloudflare(site):
    site.write("a.html")
    rules(site, "/a /x", "/a.html /y 301", "/n/* /z")
    image = site.bake("--redirects=cloudflare")
    assert (image.find(b"/a").status, image.find(b"/a").full.mark) == (302, "/x")
    assert image.find(b"/a.html").status == 301
    assert site.resolve("/a/", "/n", "/n/x") == [
        ("301", "/a"), ("404", "*"), ("302", "/z")]
    site.bake("--redirects=netlify")
    assert site.resolve("/a", "/a.html", "/n") == [
        ("200", "/a"), ("200", "/a.html"), ("301", "/z")]


def test_a_site_may_be_rules_alone(site):
    rules(site, "/* https://new.example/:splat 308")
    site.bake()
    assert site.resolve("/", "/a/b?c") == [
        ("308", "https://new.example/"), ("308", "https://new.example/a/b?c")]
    rules(site, "/ https://new.example/")
    assert set(site.bake().entries()) == {b"/"}


# ---- Circles -----------------------------------------------------------------------


@pytest.mark.parametrize("lines, error", [
    (["/a /b", "/b /a"], "1: leads in a circle: /b comes back here"),
    (["/a /b", "/b /c 302", "/c /a?x"], "1: leads in a circle: /b comes back here"),
    (["/x /a", "/a /b%20c", "/b%20c /a#f"],
     "2: leads in a circle: /b%20c comes back here"),
    (["/s/* /t", "/t /s/a"], "1: leads in a circle: /t comes back here"),
    (["/docs/ /docs 302!"], "1: leads in a circle: /docs comes back here"),
])
def test_circles_are_refused(site, lines, error):
    site.write("docs/index.html")
    rules(site, *lines)
    assert site.refuse() == [f"{name(site)}:{error}"]


@pytest.mark.parametrize("lines", [
    ["/a /b", "/b /docs/", "/docs /a"],              # the file goes first
    ["/a v=1 /b", "/b /a"],                          # it depends
    ["/a https://example.com/a"],
    ["/old/* /old2/:splat", "/old2/* /old/:splat"],  # never the same twice: not looked for
])
def test_what_is_no_circle_is_not_refused(site, lines):
    site.write("docs/index.html")
    rules(site, *lines)
    site.bake()


def test_a_long_chain_is_no_circle(site):
    site.write("a.txt")
    rules(site, *[f"/p{i} /p{i + 1}" for i in range(2000)])
    assert len(site.bake().entries()) == 4001


def test_errors_of_the_file_stop_the_build(site):
    site.write("a.txt")
    rules(site, "/a", "/b /c 299", "/d /e")
    errors = site.refuse()
    assert [error.split(": ")[0] for error in errors] == [f"{name(site)}:1", f"{name(site)}:2"]


def test_too_many_rules_for_one_path_name_a_line(site):
    site.write("a.txt")
    rules(site, *[f"/* v={i} /x{i}" for i in range(40)])
    error, = site.refuse()
    assert error.startswith(f"{name(site)}:3")
