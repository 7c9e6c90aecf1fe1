"""From a URL as a page writes it to what a browser would ask for.

Follows the parts of the URL Standard (url.spec.whatwg.org) that pages lean on, where the
standard library follows RFC 3986: blanks around, line breaks within, backslashes.
"""
import functools
import unicodedata
import urllib.parse
from typing import NamedTuple

# What needs no escape in a request's target; '%' because escapes stay as they are.
PLAIN = "/?%:@!$&'()*+,;=-._~[]|^`{}"
BLANK = "".join(map(chr, range(0x21)))
WEB = "http", "https"
OWN = "own.invalid"     # the page's own host, whatever it is (RFC 2606)


class Target(NamedTuple):
    scheme: str     # "" on the page's own site
    host: str       # in small letters, without port; "" on the page's own site
    path: str       # percent-encoded, with the query
    fragment: str   # decoded
    origin: str     # scheme://host:port; "" on the page's own site


class BadURL(ValueError):
    pass


def tidy(url):
    """Without what browsers take out before they look at a URL."""
    url = url.strip(BLANK).translate({9: None, 10: None, 13: None})
    cut = min((i for i in (url.find("?"), url.find("#")) if i >= 0), default=len(url))
    if "\\" in url[:cut] and scheme_of(url) in ("",) + WEB:
        url = url[:cut].replace("\\", "/") + url[cut:]
    return url


def scheme_of(url):
    """The scheme in small letters, "" for a relative URL."""
    name, colon, _ = url.partition(":")
    if colon and name[:1].isascii() and name[:1].isalpha() and all(
            c.isascii() and (c.isalnum() or c in "+-.") for c in name):
        return name.lower()
    return ""


@functools.lru_cache(1 << 16)
def resolve(base, url):
    """A Target, or None for what is no place on the web (mailto:, data:, ...).

    base  path of the page, percent-encoded, or a whole URL (from <base href>)
    """
    url = tidy(url)
    scheme = scheme_of(url)
    if scheme and scheme not in WEB:
        return None
    if base.startswith("/"):
        base = f"https://{OWN}{base}"
    try:
        parts = urllib.parse.urlsplit(urllib.parse.urljoin(base, url))
        host = (parts.hostname or "").rstrip(".")
        port = parts.port
    except ValueError as error:
        raise BadURL(str(error)) from error
    if not host:
        raise BadURL("names no host")
    path = urllib.parse.quote(parts.path or "/", PLAIN)
    if parts.query:
        path += "?" + urllib.parse.quote(parts.query, PLAIN)
    fragment = urllib.parse.unquote(parts.fragment, errors="replace")
    if host == OWN:
        return Target("", "", path, fragment, "")
    origin = f"{parts.scheme}://{host}" + (f":{port}" if port else "")
    return Target(parts.scheme, host, path, fragment, origin)


def decode(path):
    """A path's bytes, without its query."""
    return urllib.parse.unquote_to_bytes(path.split("?", 1)[0])


def folded(path):
    """What two paths have in common that differ in case or in Unicode form only."""
    text = decode(path).decode("utf-8", "replace")
    return unicodedata.normalize("NFC", text).casefold()


def encode(path):
    """A path's bytes as mkromfs writes them."""
    return urllib.parse.quote(path, "/!$&'()*+,;=:@-._~")


def decode_column(text):
    """A name in mkromfs's tables: only '%' and control bytes are escaped there."""
    return urllib.parse.unquote(text, errors="surrogateescape")
