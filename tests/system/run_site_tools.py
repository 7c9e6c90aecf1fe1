#!/usr/bin/env python3
"""What a person sees who types `make check`, `make csp`, `make diff`, or takes a site
from git.  Works in a copy of this checkout, as run_make.py does.  Prints TAP.

timeout: 600
"""
import os
import signal
import subprocess
import sys
import tempfile
import time

import vm
from run_make import Checkout, check

HEAD = b"<!doctype html><meta charset=utf-8><title>t</title>"
GIT = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_AUTHOR_NAME": "a", "GIT_COMMITTER_NAME": "a",
       "GIT_AUTHOR_EMAIL": "a@a.example", "GIT_COMMITTER_EMAIL": "a@a.example",
       "GIT_AUTHOR_DATE": "2020-01-02T03:04:05Z",
       "GIT_COMMITTER_DATE": "2020-01-02T03:04:05Z"}


class Copy(Checkout):
    """A checkout whose name in the report is nothing."""

    def __str__(self):
        return "in a copy"

    def fresh(self, files):
        """A folder of its own; all files have one time, which is in the answers."""
        site = self.site(os.path.basename(tempfile.mkdtemp(dir=self.folder)), files)
        for name in files:
            os.utime(os.path.join(site, name), (10**9, 10**9))
        return site


def expect(checkout, words, status, *texts):
    found, text, _ = checkout.make(*words)
    check((found == 0) == (status == 0), f"make {' '.join(words)}: status {found}: {text}")
    for wanted in texts:
        check(wanted in text, f"make {' '.join(words)}: not said: {wanted}: {text}")
    return text


def git(folder, *words):
    return subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True,
                          text=True, env={**os.environ, **GIT}).stdout.strip()


def check_warns_and_fails_only_if_asked(checkout):
    site = checkout.fresh({"index.html": HEAD + b"<a href=no>"})
    finding = "index.html:1: broken link: <a> /no answers 404"
    expect(checkout, ["check", f"SITE={site}"], 0, finding, "1 warning in 1 file")
    expect(checkout, ["check", f"SITE={site}", "STRICT=1"], 1, finding)
    clean = checkout.fresh({"index.html": HEAD})
    expect(checkout, ["check", f"SITE={clean}", "STRICT=1"], 0, "0 warnings in 0 files")


def check_knows_what_the_build_was_asked_for(checkout):
    site = checkout.fresh({"index.html": HEAD + b"<a href=/about><a href=/old>",
                           "about.html": HEAD, "_redirects": b"/old /gone\n"})
    expect(checkout, ["check", f"SITE={site}"], 0, "/old, redirected to /gone,",
           "1 warning")
    expect(checkout, ["check", f"SITE={site}", "CLEAN_URLS=off"], 0, "/about answers 404",
           "2 warnings")


def check_says_what_is_wrong_with_its_words(checkout):
    site = checkout.fresh({"index.html": HEAD})
    for words, reason in ((["STRICT=yes"], "STRICT=yes is neither 1 nor 0"),
                          (["ALL=yes"], "ALL=yes is neither 1 nor 0"),
                          (["BUDGET=big"], "BUDGET=big is not a number of KiB"),
                          (["SITE=/nowhere"], "/nowhere"), (["SITE="], "SITE is empty")):
        text = expect(checkout, ["check", f"SITE={site}", *words], 1, reason)
        check("Traceback" not in text, text)


def check_takes_odd_names(checkout):
    for name in "two words", "quote\"'$HOME`", "new\nline\n", "-x", "\u65e5":
        site = checkout.site(os.path.join(checkout.folder, "odd", name),
                             {"a \n'.html": HEAD})
        expect(checkout, ["check", f"SITE={site}"], 0, "0 warnings in 0 files")


def check_of_several_sites(checkout):
    sites = checkout.fresh({"a.example/index.html": HEAD + b"<a href=//b.example/no>",
                            "b.example/index.html": HEAD})
    expect(checkout, ["check", f"SITES={sites}"], 0,
           "a.example/index.html:1: broken link: <a> /no answers 404", "1 warning")


def check_of_a_large_site_takes_less_than_a_minute(checkout):
    source = "/usr/share/doc/python3.11/html"
    if not os.path.isdir(source):
        raise vm.Skip(f"{source} is not installed")
    site = os.path.join(checkout.folder, "python")
    subprocess.run(["cp", "-rL", source, site], check=False, stderr=subprocess.DEVNULL)
    start = time.monotonic()
    expect(checkout, ["check", f"SITE={site}"], 0, "broken anchor")
    seconds = time.monotonic() - start
    check(seconds < 60, f"{seconds:.0f} s")
    print(f"# {seconds:.0f} s")


def check_ends_with_ctrl_c(checkout):
    pages = {f"{n}.html": HEAD + b"<p id=a><a href=no>" * 40000 for n in range(40)}
    site = checkout.fresh(pages)
    with checkout.running("check", f"SITE={site}") as process:
        time.sleep(4)
        check(process.poll() is None, "too quick to be interrupted")
        os.killpg(process.pid, signal.SIGINT)
        check(process.wait(10) != 0, "ended well")
        check("Traceback" not in process.text(), process.text())
    done = subprocess.run(["pgrep", "-f", site], check=False, capture_output=True)
    check(done.stdout == b"", "processes are left")


def csp_proposes_what_the_build_takes(checkout):
    site = checkout.fresh({"index.html": HEAD + b"<script>alert(1)</script>"})
    text = expect(checkout, ["csp", f"SITE={site}"], 0, "script-src 'self' 'sha256-")
    policy = text.splitlines()[-1]
    expect(checkout, ["build/site.rom", f"SITE={site}", f"CSP={policy}"], 0)
    with open(os.path.join(checkout.top, "build/site.rom"), "rb") as rom:
        check(b"Content-Security-Policy: " + policy.encode() in rom.read(),
              "the policy is not in the image")


def diff_lists_urls(checkout):
    one = {"index.html": HEAD, "gone.txt": b"1", "same.txt": b"2"}
    two = {"index.html": HEAD + b"!", "new.txt": b"3", "same.txt": b"2"}
    images = []
    for files in one, two:
        expect(checkout, [f"SITE={checkout.fresh(files)}"], 0, "image   build/stele.elf")
        image = os.path.join(checkout.folder, f"image '{len(images)}.elf")
        os.rename(os.path.join(checkout.top, "build/stele.elf"), image)
        images.append(image)
    text = expect(checkout, ["diff", f"A={images[0]}", f"B={images[1]}"], 0,
                  "1 added, 1 removed, 2 changed")
    check(text.splitlines() == ["changed\t/", "removed\t/gone.txt", "changed\t/index.html",
                                "added\t/new.txt", "1 added, 1 removed, 2 changed"], text)
    expect(checkout, ["diff", f"A={images[0]}", f"B={images[0]}"], 0,
           "0 added, 0 removed, 0 changed")
    expect(checkout, ["diff", f"A={images[0]}"], 1, "B is empty")
    expect(checkout, ["diff", f"A={images[0]}", "B=/nowhere"], 1, "/nowhere")
    expect(checkout, ["diff", f"A={images[0]}", "B=Makefile"], 1, "Makefile: refused")


def a_commit_is_built_and_named(checkout):
    repository = checkout.fresh({"public/index.html": HEAD, "draft": b""})
    git(repository, "init", "-q", "-b", "main")
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "x")
    commit = git(repository, "rev-parse", "HEAD")
    tree = git(repository, "rev-parse", "HEAD:public")
    roms = []
    for _ in range(2):
        expect(checkout, [f"SITE=git:{repository}#main:public"], 0, f"commit  {commit}",
               f"tree    {tree}", "files   1")
        with open(os.path.join(checkout.top, "build/site.rom"), "rb") as rom:
            roms.append(rom.read())
        subprocess.run(["rm", "-rf", "build/git", "build/site.rom"], cwd=checkout.top,
                       check=True)
    check(commit.encode() in roms[0] and tree.encode() in roms[0], "not in the image")
    check(b"Last-Modified: Thu, 02 Jan 2020 03:04:05 GMT" in roms[0], "another time")
    check(roms[0] == roms[1], "two builds differ")
    expect(checkout, [f"SITE=git:{repository}#none"], 1, "'none' is no branch")
    expect(checkout, ["check", f"SITE=git:{repository}#main:public"], 0, "0 warnings")


def main():
    with tempfile.TemporaryDirectory(prefix="stele-tools-") as folder:
        checkout = Copy(folder)
        status, text, _ = checkout.make("image")
        assert status == 0, text
        suite = vm.Suite()
        for test in (check_warns_and_fails_only_if_asked,
                     check_knows_what_the_build_was_asked_for,
                     check_says_what_is_wrong_with_its_words, check_takes_odd_names,
                     check_of_several_sites, check_of_a_large_site_takes_less_than_a_minute,
                     check_ends_with_ctrl_c, csp_proposes_what_the_build_takes,
                     diff_lists_urls, a_commit_is_built_and_named):
            suite.add(test, checkout)
        return suite.main()


if __name__ == "__main__":
    sys.exit(main())
