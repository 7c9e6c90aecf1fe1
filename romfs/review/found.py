"""What the reviewer's modules tell each other: references and findings."""
from typing import NamedTuple


class Reference(NamedTuple):
    """A URL that a file names.  `url` is as written; `role` says what a browser does."""
    line: int
    role: str       # LINK, or one of the roles of SUBRESOURCES
    url: str
    by: str         # what names it, for people: "img", "link rel=icon", "url()"


LINK = "link"       # followed by a person: another page, or a part of one

# What a browser loads by itself, and the CSP directive that allows it.
SUBRESOURCES = {
    "script": "script-src",
    "style": "style-src",
    "image": "img-src",
    "font": "font-src",
    "media": "media-src",
    "frame": "frame-src",
    "object": "object-src",
    "manifest": "manifest-src",
    "form": "form-action",
    "other": "default-src",
}


class Finding(NamedTuple):
    file: str
    line: int       # 0: of the file as a whole
    what: str       # a group: "broken link"
    why: str        # of this one: "/x answers 404"
