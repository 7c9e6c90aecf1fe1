"""Which URL of a site answers what.  mkromfs knows, so it is asked, never second-guessed:
the rules of _redirects, clean URLs and whatever it learns next count here, too.
"""
import subprocess

from . import urls

STEPS = 10      # redirects that a browser follows is twice that


class Trouble(Exception):
    """mkromfs refused the site; its own words."""


class Answers:
    """The answers of one host."""

    def __init__(self, mkromfs, folder, image=None, host=None):
        """folder: the host's files; image: baked from them (without it, only what
        `mkromfs --manifest` lists is known); host: its name in an image of several"""
        self.mkromfs = mkromfs
        self.image = image
        self.host = host
        self.files = {}         # file: its URLs, as it is served with 200
        self.listed = {}        # decoded path: (status, file or location)
        self.asked = {}         # target: (status, location or path)
        for line in self._run(["--manifest", folder]).splitlines():
            url, status, where = line.split("\t", 2)
            if url == "*":
                self.not_found = None if where == "-" else name_of(where)
                continue
            if status == "200":
                where = name_of(where)
                self.files.setdefault(where, []).append(url)
            self.listed[urls.decode(url)] = (int(status), where)
        self.by_case = {}
        for path in self.listed:
            self.by_case.setdefault(urls.folded(urls.encode(path)), path)

    def _run(self, words, text=""):
        done = subprocess.run([self.mkromfs, *words], input=text.encode(), check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if done.returncode != 0:
            raise Trouble(done.stderr.decode("utf-8", "replace"))
        return done.stdout.decode("utf-8", "surrogateescape")

    def ask(self, targets):
        """Learn the answers to these targets (percent-encoded, with query) at once."""
        if not self.image:
            return
        new = sorted(set(targets) - self.asked.keys())
        if not new:
            return
        words = ["--resolve", self.image] + ([self.host] if self.host else [])
        lines = self._run(words, "".join(t + "\n" for t in new)).splitlines()
        if len(lines) != len(new):
            raise Trouble("mkromfs --resolve answers other than it was asked\n")
        for target, line in zip(new, lines):
            status, _, where = line.partition("\t")
            self.asked[target] = (int(status), where)

    def one(self, target):
        """(status, location or path) of one target."""
        if not self.image:
            status, where = self.listed.get(urls.decode(target), (404, ""))
            return status, where if status != 200 else target.partition("?")[0]
        if target not in self.asked:
            self.ask([target])
        return self.asked[target]

    def file_at(self, path):
        """The file behind a path that answers 200, or None."""
        return self.listed.get(urls.decode(path), (0, None))[1]

    def like(self, target):
        """A path that answers and differs in case or Unicode form only, or None."""
        path = self.by_case.get(urls.folded(target))
        return None if path is None else urls.encode(path)


def name_of(column):
    """A file's name from a column of mkromfs, where '%' and control bytes are %XX."""
    return urls.decode_column(column)
