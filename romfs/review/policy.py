"""Proposes a Content-Security-Policy (CSP, level 3) that allows what the site's pages do
and nothing else: inline scripts and styles by their hashes.
"""
from . import urls
from .found import LINK, SUBRESOURCES

ORDER = ("default-src", "script-src", "style-src", "img-src", "font-src", "media-src",
         "frame-src", "object-src", "manifest-src", "connect-src", "form-action",
         "base-uri")
LONG = 4096     # bytes; a field much longer than that is a burden of its own


class Policy:
    def __init__(self):
        self.sources = {name: set() for name in ORDER}
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
        lines = []
        for name in ORDER:
            words = sorted(self.sources[name], key=lambda s: (s != "'self'", s))
            if name in ("default-src", "connect-src", "form-action", "base-uri",
                        "manifest-src"):
                words = ["'self'"] + [w for w in words if w != "'self'"]
            if name == "style-src" and self.hashed_attributes:
                words.append("'unsafe-hashes'")
            lines.append(f"{name} {' '.join(words or [chr(39) + 'none' + chr(39)])}")
        return "; ".join(lines)
