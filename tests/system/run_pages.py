#!/usr/bin/python3
"""A site with everything that pages are made of, in a browser: scripts, styles, a font,
images, a video that is sought into, pages that are not there, redirects, rewrites.

Playwright (playwright/package.json; npm checks its digest) drives Debian's Chromium over
plain HTTP and HTTPS.  The pictures stay in build/system/playwright-*.png.

timeout: 420
"""
import functools
import json
import os
import re
import shutil
import subprocess
import sys

import certs
import vm
from certs import Leaf

HERE = os.path.dirname(os.path.abspath(__file__))
OUT = os.path.join(vm.BUILD, "system")
PLAYWRIGHT = os.path.join(OUT, "playwright")
FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"

PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<title>%s</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/style.css">
%s
"""

FILES = {
    "index.html": PAGE % ("Everything", """<script type="module" src="/script.js"></script>
<h1>Everything</h1>
<p>A page with a font, pictures and a script. """ + "Words that repeat. " * 200 + """</p>
<img src="/logo.svg" alt="a square" width="40" height="40">
<img src="/dot.png" alt="a dot">"""),
    "about.html": PAGE % ("About", "<h1>About</h1><p>It is about.</p>"),
    "404.html": PAGE % ("Nothing here", "<h1>Nothing here</h1>"),
    "docs/404.html": PAGE % ("No such document", "<h1>No such document</h1>"),
    "app/index.html": PAGE % ("App", "<h1>The app</h1>"),
    "posts/stone.html": PAGE % ("Stone", "<h1>Stone</h1>"),
    "film/index.html": PAGE % ("Film", """<video src="/film/film.webm" preload="metadata" muted controls></video>"""),
    "style.css": "@font-face { font-family: Carved; src: url(/carved.ttf) }\n"
                 "h1 { color: rgb(1, 2, 3) }\nbody { font: 16px Carved }\n" +
                 "/* so much more to say */\n" * 50,
    "script.js": "import { word } from './part.js';\n"
                 "const data = await (await fetch('/data.json')).json();\n"
                 "document.body.dataset.fetched = data.word;\n"
                 "document.body.dataset.script = word;\n",
    "part.js": "export const word = 'ran';\n",
    "data.json": '{"word": "carved"}\n',
    "logo.svg": '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40">'
                '<rect width="40" height="40"/></svg>\n',
    "_redirects": "/blog/:year/:post  /posts/:post  301\n/app/*  /app/index.html  200\n",
    "_headers": "/*\n  Content-Security-Policy: default-src 'self'; img-src 'self' data:\n"
                "  X-Test: yes\n",
}

# The smallest PNG: one grey dot.
DOT = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55"
    "0000000a49444154789c6368000000820081772cd3c90000000049454e44ae426082")


def fetch_playwright():
    """npm checks what it gets against the lock.  Without a registry there is nothing."""
    shutil.rmtree(PLAYWRIGHT, ignore_errors=True)
    shutil.copytree(os.path.join(HERE, "playwright"), PLAYWRIGHT)
    subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund",
                    "--loglevel=error"], cwd=PLAYWRIGHT, check=False, timeout=120,
                   stdout=subprocess.DEVNULL)


def make_site():
    root = os.path.join(OUT, "site-pages")
    shutil.rmtree(root, ignore_errors=True)
    for name, text in FILES.items():
        path = os.path.join(root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
    with open(os.path.join(root, "dot.png"), "wb") as f:
        f.write(DOT)
    shutil.copy(FONT, os.path.join(root, "carved.ttf"))
    # Noise does not compress: half a minute is several MB.
    vm.run("ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i",
           "nullsrc=s=320x240:r=10:d=30,geq=random(1)*255:128:128", "-c:v", "libvpx",
           "-b:v", "3M", "-deadline", "realtime", "-cpu-used", "8", "-g", "10",
           os.path.join(root, "film", "film.webm"))
    return root


@functools.lru_cache(maxsize=None)
def built():
    rom = vm.make_rom(make_site(), "pages")
    bundle = certs.Authority("pages").bundle("localhost", (
        Leaf("p256", ("localhost",)),), settings="redirect=off")
    return rom, vm.make_image(rom, "pages"), bundle


def browse(base):
    if not os.path.isdir(os.path.join(PLAYWRIGHT, "node_modules", "playwright-core")):
        raise vm.Skip("npm could not fetch Playwright, see the lines above")
    done = subprocess.run(
        ["node", os.path.join(PLAYWRIGHT, "pages.js"), base, shutil.which("chromium"),
         OUT], cwd=PLAYWRIGHT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


def of(page, path):
    return [r for r in page["responses"] if r["path"] == path]


def check_quiet(page, name):
    assert not page["errors"] and not page["failed"], (name, page["errors"], page["failed"])
    assert not page["console"], (name, page["console"])


def check_start(page, name):
    check_quiet(page, name)
    assert page["found"] == {"title": "Everything", "color": "rgb(1, 2, 3)", "font": True,
                             "images": [40, 1], "fetched": "carved"}, page["found"]
    assert {r["status"] for r in page["responses"]} <= {200, 304}, page["responses"]
    assert of(page, "/")[0]["coding"] in ("br", "zstd", "gzip"), of(page, "/")
    assert of(page, "/dot.png")[0]["type"] == "image/png"


def check_video(page):
    check_quiet(page, "film")
    film = page["found"]
    assert film["duration"] > 25 and film["at"] > 0.85 * film["duration"], film
    assert film["width"] == 320 and film["ready"] >= 2, film
    parts = of(page, "/film/film.webm")
    assert {r["status"] for r in parts} == {206}, parts
    starts = [int(re.match(r"bytes (\d+)-\d+/\d+$", r["range"]).group(1)) for r in parts]
    length = os.path.getsize(os.path.join(OUT, "site-pages/film/film.webm"))
    assert max(starts) > length // 2, f"no range from the second half: {starts}, {length}"


def check_others(seen):
    check_quiet(seen["about"], "about")
    assert (seen["about"]["status"], seen["about"]["url"]) == (200, "/about")
    missing = seen["missing"]
    assert missing["status"] == 404 and missing["found"]["title"] == "No such document"
    # The browser itself says that the page was not there, and nothing else.
    assert len(missing["console"]) == 1 and "404" in missing["console"][0], missing
    moved = seen["moved"]
    assert moved["url"] == "/posts/stone?from=mail", moved["url"]
    assert moved["found"]["title"] == "Stone" and moved["status"] == 200
    assert of(moved, "/blog/2024/stone?from=mail")[0]["status"] == 301
    rewritten = seen["rewritten"]
    check_quiet(rewritten, "app")
    assert (rewritten["status"], rewritten["url"], rewritten["found"]["title"]) == \
        (200, "/app/deep/link", "App")


def a_browser_shows_the_site(scheme):
    _, image, bundle = built()
    with vm.Machine("q35", image, network="user", instance=bundle) as server:
        server.wait_console("^boot: .*ready")
        port = server.tls_port if scheme == "https" else server.port
        seen = browse(f"{scheme}://localhost:{port}")
        check_start(seen["start"], "start")
        check_start(seen["again"], "start, again")
        check_video(seen["video"])
        check_others(seen)
        assert not re.search('" 5\\d\\d ', server.console())
        for name in "start", "video", "about", "404":
            assert os.path.getsize(f"{OUT}/playwright-{name}.png") > 2000, name


def main():
    if vm.DONE_MARK not in os.environ:
        fetch_playwright()      # while there is a network
    vm.enter_private_network()
    suite = vm.Suite()
    suite.add(a_browser_shows_the_site, "http")
    suite.add(a_browser_shows_the_site, "https")
    return suite.main()


if __name__ == "__main__":
    sys.exit(main())
