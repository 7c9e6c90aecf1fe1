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

    def __init__(self, manifest, ask):
        """manifest: lines of `mkromfs --manifest` about this host, less its name
        ask: from a list of targets to a list of (status, location or path), or None:
        then only what the manifest lists is known"""
        self.mkromfs = ask
        self.files = {}         # file: its URLs, as it is served with 200
        self.not_found = set()  # files that are 404 pages
        self.listed = {}        # decoded path: (status, file or location)
        self.asked = {}         # target: (status, location or path)
        for line in manifest:
            url, status, where = line.split("\t", 2)
            if url.endswith("*") and status == "404":
                self.not_found.add(name_of(where))
            elif url.endswith("*") and status == "200" and where == "index.html":
                pass    # the page of an application, for whatever nothing else answers
            else:
                self._list(url, int(status), where)
        self.by_case = {}
        for path in self.listed:
            self.by_case.setdefault(urls.folded(urls.encode(path)), path)

    def _list(self, url, status, where):
        if status == 200:
            where = name_of(where)
            # A listing and a built-in page are no files.
            if where != "-" and not where.endswith("/"):
                self.files.setdefault(where, []).append(url)
        self.listed[urls.decode(url)] = status, where

    def ask(self, targets):
        """Learn the answers to these targets (percent-encoded, with query) at once."""
        new = sorted(set(targets) - self.asked.keys())
        if new and self.mkromfs:
            self.asked.update(zip(new, self.mkromfs(new)))

    def one(self, target):
        """(status, location or path) of one target."""
        if not self.mkromfs:
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


# ---- mkromfs ---------------------------------------------------------------------------

def run(mkromfs, words, text=""):
    done = subprocess.run([mkromfs, *words], input=text.encode(), check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode != 0:
        raise Trouble(done.stderr.decode("utf-8", "replace"))
    return done.stdout.decode("utf-8", "surrogateescape")


def asker(mkromfs, image, host):
    """A function from targets to answers, of an image that was baked."""
    def ask(targets):
        words = ["--resolve", image] + ([host] if host else [])
        lines = run(mkromfs, words, "".join(t + "\n" for t in targets)).split("\n")[:-1]
        if len(lines) != len(targets):
            raise Trouble("mkromfs --resolve answers other than it was asked\n")
        split = (line.partition("\t") for line in lines)
        return [(int(status), where) for status, _, where in split]
    return ask


def by_host(manifest, hosts):
    """{host: its lines}; of several, a line begins with "//" and a name of the host, and
    they are in the order of the folders."""
    lines = manifest.split("\n")[:-1]
    if hosts == [""]:
        return {"": lines}
    groups = {}
    for line in lines:
        name, _, rest = line[2:].partition("/")
        groups.setdefault(name, []).append("/" + rest)
    if len(groups) != len(hosts):
        raise Trouble("mkromfs --manifest has other sites than there are folders\n")
    return dict(zip(hosts, groups.values()))
