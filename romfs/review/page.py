"""What an HTML page holds: references, anchors, and what is wrong with the page itself.

The parser is html5-parser: the algorithm of the HTML Standard, so that we see the tree
that a browser sees, broken pages included.
"""
import base64
import codecs
import hashlib

import html5_parser
from html5_parser import check_bom, check_for_meta_charset

from . import style
from .found import Finding, LINK, Reference
from .urls import BLANK, scheme_of, tidy

PRESCAN = 1024          # where the HTML Standard wants <meta charset>
LINES_KEPT = 65000      # libxml2 counts lines of elements in 16 bits
LINE = "stele-line"     # an attribute of ours, for longer pages
XLINK = "{http://www.w3.org/1999/xlink}href"

# element: ((attribute, role), ...)
ATTRIBUTES = {
    "a": (("href", LINK), (XLINK, LINK)), "area": (("href", LINK),),
    "audio": (("src", "media"),), "body": (("background", "image"),),
    "button": (("formaction", "form"),), "embed": (("src", "object"),),
    "feImage": (("href", "image"), (XLINK, "image")),
    "form": (("action", "form"),), "frame": (("src", "frame"),),
    "iframe": (("src", "frame"),),
    "image": (("href", "image"), (XLINK, "image")), "img": (("src", "image"),),
    "input": (("src", "image"), ("formaction", "form")),
    "object": (("data", "object"),),
    "script": (("src", "script"), ("href", "script"), (XLINK, "script")),
    "source": (("src", "media"),), "table": (("background", "image"),),
    "td": (("background", "image"),), "track": (("src", "media"),),
    "use": (("href", "image"), (XLINK, "image")),
    "video": (("src", "media"), ("poster", "image")),
}
SETS = {"img": "srcset", "source": "srcset", "link": "imagesrcset"}

# <link rel>: what the browser loads; None: only an origin, nothing is asked for.
RELS = {
    "stylesheet": "style", "icon": "image", "apple-touch-icon": "image",
    "apple-touch-icon-precomposed": "image", "apple-touch-startup-image": "image",
    "mask-icon": "image", "manifest": "manifest", "modulepreload": "script",
    "preload": "other", "prefetch": "other", "dns-prefetch": None, "preconnect": None,
}
PRELOADS = {"script": "script", "style": "style", "image": "image", "font": "font",
            "video": "media", "audio": "media", "track": "media", "fetch": "other"}

# <script type>: anything else is data, which a browser does not run.
SCRIPT_TYPES = {"", "module", "importmap", "speculationrules", "text/javascript",
                "application/javascript", "text/ecmascript", "application/ecmascript",
                "text/jscript", "text/livescript", "application/x-javascript",
                "text/x-javascript"}


class Page:
    """What was found in one page."""

    def __init__(self, file):
        self.file = file
        self.references = []
        self.anchors = set()
        self.findings = []
        self.base = None        # of <base href>
        self.inline = []        # (directive, hash): inline scripts and styles
        self.unruly = []        # (line, why): what no hash in a policy can allow

    def add(self, line, what, why):
        self.findings.append(Finding(self.file, line, what, why))


def read(file, data):
    page = Page(file)
    text = decode(page, data)
    long = text.count("\n") + text.count("\r") > LINES_KEPT
    root = html5_parser.parse(text, line_number_attr=LINE if long else None)
    ids = set()
    has_title = False
    for element in root.iter():
        tag = element.tag
        if not isinstance(tag, str):
            continue
        line = int(element.get(LINE)) if long else element.sourceline or 0
        if element.keys():
            read_id(page, ids, element, line)
            read_attributes(page, element, tag, line)
        if tag == "title" and element.getparent().tag == "head":
            has_title = has_title or bool((element.text or "").strip())
        elif tag == "link":
            read_link(page, element, line)
        elif tag == "meta":
            read_meta(page, element, line)
        elif tag == "base":
            if page.base is None and element.get("href") is not None:
                page.base = tidy(element.get("href"))
        elif tag == "style":
            read_style(page, element, line)
        elif tag == "script":
            read_script(page, element)
    if not has_title:
        page.add(0, "no title", "without <title>, tabs, bookmarks and search results"
                                " have no name for it")
    return page


# ---- Characters ----------------------------------------------------------------------

def decode(page, data):
    """The text as a browser would read it, with findings about how it can tell."""
    bom = check_bom(data)
    if bom:
        if bom == codecs.BOM_UTF8:
            return data[len(bom):].decode("utf-8", "replace")
        wide = "utf-16-be" if bom == codecs.BOM_UTF16_BE else "utf-16-le"
        return data[len(bom):].decode(wide, "replace")
    name = check_for_meta_charset(data[:PRESCAN])
    if not name:
        if check_for_meta_charset(data):
            page.add(0, "no charset", f"<meta charset> comes after the first {PRESCAN}"
                                      " bytes, where browsers do not look")
        else:
            page.add(0, "no charset", "without <meta charset=utf-8> near its top, saved"
                                      " or served elsewhere it may show wrong letters")
    try:
        text = data.decode(name or "utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        page.add(line, "wrong charset", f"says it is {name}, and these bytes are not"
                 if name else "is not UTF-8, and says nothing else")
        text = data.decode(name or "windows-1252", "replace")
    except LookupError:
        page.add(0, "wrong charset", f"'{name}' is no encoding that is known here")
        text = data.decode("utf-8", "replace")
    return text


# ---- Elements ------------------------------------------------------------------------

def read_id(page, ids, element, line):
    own = element.get("id")
    if own:
        if own in ids:
            page.add(line, "duplicate id",
                     f'id="{own}" is there before: links lead to the first')
        ids.add(own)
        page.anchors.add(own)
    if element.tag == "a" and element.get("name"):
        page.anchors.add(element.get("name"))


def read_attributes(page, element, tag, line):
    for name, role in ATTRIBUTES.get(tag, ()):
        url = element.get(name)
        # An empty address is the page itself, and no browser loads one as an image.
        if url is None or (not url.strip(BLANK) and role != LINK):
            continue
        refer(page, line, role, url, tag)
    if tag in SETS and element.get(SETS[tag]):
        for url in srcset(element.get(SETS[tag])):
            refer(page, line, "image", url, f"{tag} {SETS[tag]}")
    for name, value in element.attrib.items():
        if name == "style":
            page.inline.append(("style-attr", digest(value)))
            if "url" in value.lower() or "\\" in value:
                page.references += style.of_attribute(value, line)
        elif name[:2] == "on":
            page.unruly.append((line, f"{name}=\"\" on <{tag}>"))


def refer(page, line, role, url, by):
    if scheme_of(tidy(url)) == "javascript":
        page.unruly.append((line, f"javascript: in <{by}>"))
    else:
        page.references.append(Reference(line, role, url, by))


def read_link(page, element, line):
    rels = (element.get("rel") or "").lower().split()
    url = element.get("href")
    if url is None or not rels:
        return
    known = [r for r in rels if r in RELS]
    if not known:
        page.references.append(Reference(line, LINK, url, f"link rel={rels[0]}"))
    elif RELS[known[0]]:
        role = RELS[known[0]]
        if role == "other":
            role = PRELOADS.get((element.get("as") or "").lower(), role)
        page.references.append(Reference(line, role, url, f"link rel={known[0]}"))


def read_meta(page, element, line):
    """<meta http-equiv=refresh content="0; url=...">"""
    if (element.get("http-equiv") or "").lower() != "refresh":
        return
    _, separator, rest = (element.get("content") or "").replace(",", ";").partition(";")
    rest = rest.strip()
    if separator and rest[:3].lower() == "url" and rest[3:].lstrip()[:1] == "=":
        url = rest[3:].lstrip()[1:].strip().strip("'\"")
        page.references.append(Reference(line, LINK, url, "meta refresh"))


def read_style(page, element, line):
    text = element.text or ""
    page.inline.append(("style", digest(text)))
    page.references += style.of_text(text, line)


def read_script(page, element):
    if element.get("src") is not None:
        return
    kind = (element.get("type") or "").strip().lower()
    if kind.partition(";")[0].strip() in SCRIPT_TYPES:
        page.inline.append(("script", digest(element.text or "")))


def digest(text):
    """As a Content-Security-Policy names an inline script: CSP 3, section 6.7.2.2."""
    raw = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    return "'sha256-" + base64.b64encode(raw).decode() + "'"


def srcset(text):
    """The URLs of a srcset, after "parse a srcset attribute" of the HTML Standard."""
    at = 0
    while True:
        while at < len(text) and (text[at] in BLANK or text[at] == ","):
            at += 1
        start = at
        while at < len(text) and text[at] not in BLANK:
            at += 1
        if start == at:
            return
        url = text[start:at]
        if url.endswith(","):
            yield url.rstrip(",")
            continue
        yield url
        depth = 0
        while at < len(text) and (depth or text[at] != ","):
            depth += (text[at] == "(") - (text[at] == ")" and depth > 0)
            at += 1
