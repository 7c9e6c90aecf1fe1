"""Several sites in one image: folders for host names, and the file _hosts."""
import os

import pytest

from baked import Image, NONE, Site, mkromfs


class Hosts(Site):
    """The folder of sites; names of files begin with a site's."""

    def __init__(self, base):
        super().__init__(base)
        self.options = ["--sites"]

    def hosts(self, *lines):
        self.write("_hosts", "\n".join(lines) + "\n")


@pytest.fixture(name="hosts")
def fixture_hosts(tmp_path):
    return Hosts(tmp_path)


def two(hosts):
    hosts.write("a.example/index.html", "<p>a")
    hosts.write("b.example/index.html", "<p>b")
    hosts.write("b.example/only-b.txt", "b")


def test_every_folder_is_a_site_of_its_own(hosts):
    two(hosts)
    image = hosts.bake()
    assert image.names == {"a.example": (0, NONE), "b.example": (1, NONE)}
    assert image.default_site is None
    assert [site.paths[b"/"].body for site in image.sites] == [b"<p>a", b"<p>b"]
    assert [site.files for site in image.sites] == [1, 2]
    assert b"/only-b.txt" not in image.sites[0].paths
    assert all(site.pages[0].status == 404 for site in image.sites)


def test_one_site_answers_for_all_hosts(tmp_path):
    site = Site(tmp_path)
    site.write("a.txt")
    image = site.bake()
    assert (image.names, image.default_site) == ({}, 0)


def test_names_are_in_lower_case(hosts):
    hosts.write("A.Example/a.txt")
    hosts.hosts("alias WWW.A.example a.EXAMPLE")
    assert hosts.bake().names == {"a.example": (0, NONE), "www.a.example": (0, NONE)}


def test_aliases_redirects_and_a_default(hosts):
    two(hosts)
    hosts.hosts("# names", "", "alias b2.example b.example", "redirect www.a.example a.example",
                "\tredirect  0.example\tb.example  ", "default b.example")
    image = hosts.bake()
    assert image.names == {
        "0.example": (1, 2), "a.example": (0, NONE), "b.example": (1, NONE),
        "b2.example": (1, NONE), "www.a.example": (0, 1)}
    assert list(image.names)[1] == "a.example" and list(image.names)[2] == "b.example"
    assert image.default_site == 1


def test_rules_and_fields_are_each_sites_own(hosts):
    two(hosts)
    hosts.write("a.example/_redirects", "/x/* /from-a/:splat\n/y /a\n")
    hosts.write("b.example/_redirects", "/x/* /from-b/:splat\n/z /b\n")
    hosts.write("a.example/_headers", "/*\n  X-Site: a\n")
    hosts.write("a.example/404.html", "<p>none in a")
    hosts.write("b.example/sub/404.html", "<p>none in b")
    image = hosts.bake()
    a, b = image.sites
    assert b"/y" in a.paths and b"/y" not in b.paths
    assert (a.paths[b"/"].field("X-Site"), b.paths[b"/"].field("X-Site")) == ("a", None)
    assert a.pages[0].body == b"<p>none in a"
    assert [rule.target for rule in a.rules] == [b"/from-a/\0\1"]
    assert [rule.target for rule in b.rules] == [b"/from-b/\0\1", b""]
    for host in "a", "b":
        run = mkromfs("--resolve", hosts.image, f"{host}.example", input="/x/1\n")
        assert run.out == f"301\t/from-{host}/1\n"


def test_errors_name_the_sites_file(hosts):
    two(hosts)
    hosts.write("b.example/_redirects", "/a /b 299\n")
    hosts.write("a.example/_headers", "/x\n  Date: now\n")
    errors = hosts.refuse()
    assert [error.split(": ")[0] for error in errors] == [
        f"{hosts.root}/a.example/_headers:2", f"{hosts.root}/b.example/_redirects:1"]


def test_the_manifest_names_hosts(hosts):
    two(hosts)
    found = hosts.manifest("--clean-urls=off")
    assert found["//a.example/"] == (200, "index.html")
    assert found["//b.example/only-b.txt"] == (200, "only-b.txt")
    assert found["//b.example/*"] == (404, "-")


def test_the_summary_counts_all_sites(hosts):
    two(hosts)
    hosts.write("a.example/.git/config")
    hosts.write(".git/config")
    hosts.hosts("alias c.example a.example")
    run = hosts.run()
    assert run.out == (
        f"files   3\nfolders 2\ninput   9 bytes\nrom     {hosts.image.stat().st_size} bytes\n"
        "hosts   3  a.example, b.example, c.example\nskipped 2  .git, a.example/.git\n")


@pytest.mark.parametrize("name, reason", [
    ("a_b.example", "no host name: letters, digits, '-' and '.' make one"),
    ("a b", "no host name: letters, digits, '-' and '.' make one"),
    ("a.example:80", "no host name: letters, digits, '-' and '.' make one"),
    ("b\u00fccher.example", "no host name: write its form in ASCII, with xn--"),
    ("a..example", "no host name: each part has 1 to 63 characters and no '-' at its ends"),
    ("a.example.", "no host name: each part has 1 to 63 characters and no '-' at its ends"),
    ("a-.example", "no host name: each part has 1 to 63 characters and no '-' at its ends"),
    ("-a.example", "no host name: letters, digits, '-' and '.' make one"),
    ("x" * 64 + ".example", "no host name: each part has 1 to 63 characters and no '-' at its "
     "ends"),
])
def test_a_folder_that_is_no_host_name_is_refused(hosts, name, reason):
    two(hosts)
    hosts.write(f"{name}/a.txt")
    assert hosts.refuse() == [f"{hosts.root}/{name}: {reason}"]


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "xn--bcher-kva.example", "a--b.c",
                                  "x" * 63 + "." + "y" * 63, "4.example"])
def test_a_host_name_is_taken(hosts, name):
    hosts.write(f"{name}/a.txt")
    assert list(hosts.bake().names) == [name]


def test_what_is_no_folder_is_refused(hosts):
    two(hosts)
    hosts.write("readme.txt")
    hosts.link("gone", "nowhere")
    assert hosts.refuse() == [
        f"{hosts.root}/gone: No such file or directory",
        f"{hosts.root}/readme.txt: not a folder: every host name has one here"]


def test_links_lead_to_folders_here(hosts, tmp_path):
    two(hosts)
    hosts.link("c.example", "a.example")
    assert list(hosts.bake().names) == ["a.example", "b.example", "c.example"]
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "secret.txt").write_text("x")
    hosts.link("d.example", tmp_path / "elsewhere")
    assert hosts.refuse() == [
        f"{hosts.root}/d.example: symlink leads outside the folder of sites"]


def test_hosts_is_a_file(hosts):
    two(hosts)
    hosts.link("_hosts", "/dev/zero")
    assert hosts.refuse() == [f"{hosts.root}/_hosts: a device, not a file"]


def test_the_same_name_twice_is_refused(hosts):
    two(hosts)
    hosts.write("A.example/x")
    assert hosts.refuse() == [f"{hosts.root}/a.example: the same host name once more"]


def test_an_empty_folder_of_sites_is_refused(hosts):
    assert hosts.refuse() == [f"{hosts.root}: no folders here: every host name wants one"]
    hosts.write("a.example/.hidden")
    assert hosts.refuse() == [f"{hosts.root}/a.example: no files to serve in this folder"]
    run = mkromfs("--sites", hosts.root / "none", hosts.image)
    assert (run.status, run.errors) == (
        1, [f"mkromfs: {hosts.root}/none: No such file or directory"])


@pytest.mark.parametrize("line, reason", [
    ("aliases x.example a.example", "a line begins with alias, redirect or default"),
    ("alias x.example", "a line is: alias NAME SITE"),
    ("alias x.example a.example b.example", "a line is: alias NAME SITE"),
    ("redirect a", "a line is: redirect NAME SITE"),
    ("default", "a line is: default SITE"),
    ("default a.example b.example", "a line is: default SITE"),
    ("alias x.example c.example", "the site has no folder here"),
    ("default c.example", "the site has no folder here"),
    ("default first.example", "the site has no folder here"),
    ("alias b.example a.example", "this name has a site already"),
    ("redirect first.example a.example", "this name has a site already"),
    ("alias x_y a.example", "no host name: letters, digits, '-' and '.' make one"),
    ("default b.example", "there is a default already"),
    ("alias " + "x." * 127 + "xx a.example", "longer than a host name can be"),
])
def test_a_wrong_line_is_refused(hosts, line, reason):
    two(hosts)
    hosts.hosts("alias first.example a.example", "default a.example", line)
    assert hosts.refuse() == [f"{hosts.root}/_hosts:3: {reason}"]


def test_all_wrong_lines_are_reported(hosts):
    two(hosts)
    hosts.hosts("x", "alias", "default nowhere")
    assert len(hosts.refuse()) == 3


def test_an_image_in_one_of_the_sites_is_refused(hosts):
    two(hosts)
    out = hosts.root / "a.example" / "x.rom"
    run = mkromfs("--sites", hosts.root, out)
    assert (run.status, run.errors) == (
        1, [f"mkromfs: {out}: lies inside the site: put the image elsewhere"])


def test_the_order_of_folders_does_not_matter(hosts):
    two(hosts)
    first = hosts.bake().data
    elsewhere = hosts.base / "else"
    elsewhere.mkdir()
    other = Hosts(elsewhere)
    other.write("b.example/only-b.txt", "b")
    other.write("b.example/index.html", "<p>b")
    other.write("a.example/index.html", "<p>a")
    assert other.bake().data == first
    assert os.path.exists(other.image)
    assert Image(first).sites[1].files == 2
