"""Sites for the system tests: one that nobody here wrote, and one of odd names."""
import os
import random
import shutil
import urllib.parse

import vm

DEBIAN_SITES = {
    "python": "/usr/share/doc/python3.11/html",
    "reference": "/usr/share/debian-reference",
}

ODD_NAMES = (
    "plain.txt", "two words.txt", "100%.txt", "%41.txt", "a+b&c=d.txt",
    "question?mark.txt", "hash#tag.txt", "quote\"'.txt", "semi;colon.txt",
    "\u00fcml\u00e4ut.html", "\u65e5\u672c\u8a9e/\u30d5\u30a1\u30a4\u30eb.html",
    "long/" + "n" * 240 + ".txt", "back\\slash.txt", "tilde~.txt", "two..dots.txt",
    "deep/" + "d/" * 40 + "file.txt", "empty.bin", "index.html",
    "folder with index/index.html", ".well-known/security.txt", "UPPER.TXT",
    "no-ending", "a:b.txt", "at@sign.txt", "new\nline.txt",
)


def debian_site(name):
    """A copy without links that lead out of it; returns its path."""
    out = os.path.join(vm.BUILD, "system", "site-" + name)
    source = DEBIAN_SITES[name]
    if not os.path.isdir(source):
        raise vm.Skip(f"{source} is not installed")
    if not os.path.isdir(out):
        shutil.rmtree(out + ".new", ignore_errors=True)
        shutil.copytree(source, out + ".new", symlinks=False,
                        ignore_dangling_symlinks=True)
        os.rename(out + ".new", out)
    return out


def odd_site():
    """Names that need care, an empty file, and one of 24 MiB; returns its path."""
    out = os.path.join(vm.BUILD, "system", "site-odd")
    if not os.path.isdir(out):
        numbers = random.Random(1)
        for name in ODD_NAMES:
            path = os.path.join(out + ".new", name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as f:
                if name != "empty.bin":
                    f.write(numbers.randbytes(numbers.randrange(1, 40000)))
        with open(os.path.join(out + ".new", "large.bin"), "wb") as f:
            f.write(numbers.randbytes(24 << 20))
        os.rename(out + ".new", out)
    return out


def many_files_site(count=3000):
    """Thousands of files of assorted sizes, one of 1 and one of 20 MiB; returns its
    path."""
    out = os.path.join(vm.BUILD, "system", f"site-many-{count}")
    if not os.path.isdir(out):
        numbers = random.Random(2)
        shutil.rmtree(out + ".new", ignore_errors=True)
        for number in range(count):
            # Up to 300 KiB, most of them small; and the edges of records.
            size = (number * 1021 % 16700 if number % 10 == 0 else
                    int(2 ** numbers.uniform(0, 14)) if number % 20 else
                    numbers.randrange(300 << 10))
            path = os.path.join(out + ".new", str(number % 37), f"{number}.bin")
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as f:
                f.write(numbers.randbytes(size))
        for name, size in ("large.bin", 20 << 20), ("middle.bin", 1 << 20):
            with open(os.path.join(out + ".new", name), "wb") as f:
                f.write(numbers.randbytes(size))
        os.rename(out + ".new", out)
    return out


def small_site(size=1024):
    """One page of a given size; returns the folder's path."""
    out = os.path.join(vm.BUILD, "system", f"site-{size}")
    os.makedirs(out, exist_ok=True)
    with open(os.path.join(out, "index.html"), "wb") as f:
        f.write(b"x" * size)
    return out


def files_of(folder):
    """Yield (URL path, file) for every file that the site has to answer with.

    This walk is the test's own: it must not ask mkromfs what the site holds.
    """
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(f for f in folders
                            if not f.startswith(".") or f == ".well-known")
        for name in sorted(names):
            if name.startswith("."):
                continue
            path = os.path.join(place, name)
            url = "/" + urllib.parse.quote(os.path.relpath(path, folder))
            yield url, path
            if name == "index.html":
                yield url[:-len("index.html")], path
