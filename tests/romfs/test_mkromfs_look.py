"""Looking into images and sites: --list, --check, --manifest."""
import os

from baked import mkromfs

def test_list_and_manifest_agree_with_the_image(site):
    site.write("index.html", b"<p>i")
    site.write("a b/index.html", b"<p>ab")
    site.write("tab\t%.bin", b"123")
    site.write("404.html", b"<p>404")
    site.write("sub/404.html", b"<p>40")
    image = site.bake()
    html = "text/html; charset=utf-8"
    redirect = len(image.find(b"/a b").body)
    listed = (
        f"/\t200\t{html}\t4\n/404.html\t200\t{html}\t6\n/a%20b\t301\t{html}\t{redirect}\n"
        f"/a%20b/\t200\t{html}\t5\n/a%20b/index.html\t200\t{html}\t5\n"
        f"/index.html\t200\t{html}\t4\n/sub/404.html\t200\t{html}\t5\n"
        f"/tab%09%25.bin\t200\tapplication/octet-stream\t3\n"
        f"*\t404\t{html}\t6\n*\t404\t{html}\t5\n")
    assert mkromfs("--list", site.image).out == listed.replace("\n", "\tidentity\n")
    assert mkromfs("--manifest", site.root).out == (
        "/404.html\t200\t404.html\n"
        "/a%20b/index.html\t200\ta b/index.html\n/index.html\t200\tindex.html\n"
        "/sub/404.html\t200\tsub/404.html\n"
        "/tab%09%25.bin\t200\ttab%09%25.bin\n"
        "/a%20b/\t200\ta b/index.html\n/\t200\tindex.html\n/a%20b\t301\t/a%20b/\n"
        "/sub/*\t404\tsub/404.html\n*\t404\t404.html\n")
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
    assert check(data[:8] + b"\1" + data[9:]) == "made for another version of the ROM format"
    assert check(data[:28] + b"\1" + data[29:]) == \
        "the hash table or the entry table is inconsistent"
    assert mkromfs("--check", site.base / "absent").errors == [
        f"mkromfs: {site.base}/absent: No such file or directory"]
    run = mkromfs("--check", site.image)
    assert run.out == f"{site.image}: ok, 1 files at 1 paths, {len(data)} bytes\n"
