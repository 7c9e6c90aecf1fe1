"""Proposes a Content-Security-Policy (CSP, level 3): what comes from the site itself is
allowed, and of the rest only what its pages name; inline scripts and styles by hash.
"""
from . import urls
from .found import LINK, SUBRESOURCES

# Directives that fall back to default-src are left out where they would say the same.
FALLS_BACK = ("script-src", "style-src", "img-src", "font-src", "media-src", "frame-src",
              "manifest-src")
LONG = 4096     # bytes; a field much longer than that is a burden of its own


class Policy:
    def __init__(self):
        self.sources = {name: set() for name in SUBRESOURCES.values()}
        self.hashed_attributes = False

    def add_page(self, references, inline, base):
        for directive, value in inline:
            if directive == "style-attr":
                self.hashed_attributes = True
                directive = "style"
            self.sources[directive + "-src"].add(value)
        for reference in references:
            if reference.role != LINK:
                self.add_reference(reference, base)

    def add_reference(self, reference, base):
        directive = SUBRESOURCES[reference.role]
        scheme = urls.scheme_of(urls.tidy(reference.url))
        if scheme in ("data", "blob"):
            self.sources[directive].add(scheme + ":")
            return
        try:
            target = urls.resolve(base, reference.url)
        except urls.BadURL:
            return
        if target is None:
            return
        self.sources[directive].add(target.origin or "'self'")

    def text(self):
        """The field's value."""
        parts = [("default-src", self.beyond("default-src"))]
        parts += [(name, self.beyond(name)) for name in FALLS_BACK if self.beyond(name)]
        parts += [("form-action", self.beyond("form-action")), ("base-uri", [])]
        words = [" ".join([name, "'self'", *more]) for name, more in parts]
        if self.sources["object-src"]:
            words.append(" ".join(["object-src", *sorted(self.sources["object-src"])]))
        else:
            words.append("object-src 'none'")
        return "; ".join(words)

    def beyond(self, name):
        """What a directive allows beyond 'self'."""
        more = sorted(self.sources[name] - {"'self'"})
        if name == "style-src" and self.hashed_attributes:
            more.append("'unsafe-hashes'")
        return more
