"""Follows the references of all files through the site's own answers."""
from . import urls
from .answers import STEPS
from .found import Finding, LINK

REDIRECTS = 301, 302, 303, 307, 308


class Checker:
    def __init__(self, hosts, host, anchors):
        """hosts: {name: Answers}, of a single site {"": Answers}
        host: whose files are looked at; anchors: {(host, file): set of names}"""
        self.hosts = hosts
        self.host = host
        self.anchors = anchors

    def place(self, reference, base):
        """(host, target) on this image's sites, or None: elsewhere, or no place."""
        target = urls.resolve(base, reference.url)
        if target is None:
            return None
        if not target.host:
            return self.host, target
        return (target.host, target) if target.host in self.hosts else None

    def follow(self, host, path):
        """The end of a target's redirects: (status, host, path, how it went)."""
        seen = []
        while True:
            status, where = self.hosts[host].one(path)
            if status not in REDIRECTS:
                return status, host, where if status == 200 else path, seen
            if (host, path) in seen or len(seen) == STEPS:
                return 310, host, path, seen
            seen.append((host, path))
            try:
                target = urls.resolve(path, where)
            except urls.BadURL:
                return 400, host, where, seen
            if target is None or (target.host and target.host not in self.hosts):
                return 200, None, where, seen
            host, path = target.host or host, target.path

    def check(self, file, reference, base):
        """Findings about one reference, seen from one of its page's URLs."""
        def finding(what, why):
            return Finding(file, reference.line, what, why)

        try:
            place = self.place(reference, base)
        except urls.BadURL as error:
            yield finding("bad URL", f"<{reference.by}> {shown(reference.url)}: {error}")
            return
        if place is None:
            yield from self.elsewhere(finding, reference, base)
            return
        host, target = place
        if target.scheme == "http" and reference.role != LINK:
            yield mixed(finding, reference)
        status, there, path, seen = self.follow(host, target.path)
        if status == 310:
            yield finding("broken link", f"{target.path}: redirects go round in a circle"
                          if len(seen) < STEPS else
                          f"{target.path}: more than {STEPS} redirects")
        elif status != 200:
            yield self.broken(finding, reference, target, status, path, there)
        elif there is not None and reference.role == LINK:
            yield from self.anchor(finding, target, there, path)

    def elsewhere(self, finding, reference, base):
        target = urls.resolve(base, reference.url)
        if target and target.scheme == "http" and reference.role != LINK:
            yield mixed(finding, reference)

    def broken(self, finding, reference, target, status, path, host):
        what = "broken link" if reference.role in (LINK, "frame", "form") else \
            "missing asset"
        like = self.hosts[host].like(path) if status == 404 else None
        end = "" if path == target.path else f", redirected to {path},"
        why = f"<{reference.by}> {target.path}{end} answers {status}"
        if like:
            return finding("wrong case", f"{why}: the name is {like}")
        name = urls.decode(path).rsplit(b"/", 1)[-1]
        if status == 404 and b"/." in urls.decode(path):
            why += ": names that begin with a dot are not served"
        elif status == 404 and name in (b"_redirects", b"_headers"):
            why += ": it is for the build, and not served"
        return finding(what, why)

    def anchor(self, finding, target, host, path):
        name = target.fragment.split(":~:", 1)[0]
        # "" and "top" are the top of any page; "/" and "!" are a script's own.
        if name.lower() in ("", "top") or name[0] in "/!":
            return
        file = self.hosts[host].file_at(path)
        names = self.anchors.get((host, file))
        if names is None or name in names:
            return
        # A page that answers for others builds itself, anchors included.
        if file == "index.html" and target.path.partition("?")[0] not in (
                "/", "/index.html"):
            return
        why = f"{target.path} has no #{name}"
        like = [n for n in names if n.casefold() == name.casefold()]
        yield finding("broken anchor", f"{why}, but #{like[0]}" if like else why)


def mixed(finding, reference):
    return finding("mixed content", f"<{reference.by}> {shown(reference.url)}: browsers"
                                    " do not load http: into pages that came by https:")


def shown(url, most=120):
    return url if len(url) <= most else url[:most] + "..."
