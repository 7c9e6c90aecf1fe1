#!/usr/bin/python3
"""The same requests to us and to Debian's nginx, with the same files: every difference has
a reason below, and every reason is needed.

Most reasons say how to ask for the same thing so that both understand it, by what the
RFC says: nginx's answer to that has to be what we answered to the original.

timeout: 300
"""
import collections
import functools
import gzip
import os
import random
import re
import shutil
import subprocess
import sys
import time

import asking
import nginx
import vm

SEED = 9110
REQUESTS = 10000
MODIFIED = 1700000000       # of the first file; each other one is a day older

WORDS = ("stele", "stone", "slab", "text", "cut", "stands", "public", "reads", "edits",
         "nobody", "machine", "virtual", "<p>", "</p>", "\n")


# ---- The site ------------------------------------------------------------------------

def files():
    """{name: bytes} of files that both servers answer with, each without a doubt.

    What can be compressed has a sidecar, so that both send the same gzip; the rest
    is noise, or too small for a coding to be worth it.
    """
    numbers = random.Random(SEED)

    def text(size):
        out = ""
        while len(out) < size:
            out += numbers.choice(WORDS) + " "
        return out[:size].encode()

    return {
        "index.html": text(6000), "style.css": text(3000), "app.js": text(40000),
        "data.json": text(1500), "picture.svg": text(2500), "notes.txt": text(900),
        "folder/index.html": text(5000), "folder/page.html": text(700),
        "noise.bin": numbers.randbytes(5000), "large.bin": numbers.randbytes(150000),
        "font.woff2": numbers.randbytes(1100), "bare/file.txt": text(90),
        "one.txt": b"x", "two words.txt": b"xy", "100%.txt": b"abc",
        "\u00fcml\u00e4ut.txt": b"abcdefghij", "empty.txt": b"",
    }


TARGETS = {
    "/": "index.html", "/folder/": "folder/index.html", "/two%20words.txt":
    "two words.txt", "/100%25.txt": "100%.txt", "/%C3%BCml%C3%A4ut.txt":
    "\u00fcml\u00e4ut.txt", "/index.html?query=1": "index.html", "/%6eotes.txt":
    "notes.txt", "/folder/../style.css": "style.css", "/./app.js": "app.js",
}

ODD_TARGETS = (
    "/missing", "/missing/", "/missing.html?query", "/folder", "/folder?a=b&c",
    "/folder/..", "/bare", "/bare/", "/index.html/", "/one.txt/x", "//one.txt",
    "/folder//page.html", "/folder%2fpage.html", "/folder/%2e%2e/one.txt", "/..",
    "/../one.txt", "/%zz", "/%00", "/one%00.txt", "/%ff", "/.hidden",
    "/.well-known/security.txt", "/ONE.TXT", "/one.txt.", "/two+words.txt",
    "/folder/.", "/" + "n" * 300, "/one.txt?" + "q" * 2000, "/one.txt#x",
)


def build_site():
    """Returns (folder, {target: modified})."""
    folder = os.path.join(vm.BUILD, "system", "site-nginx")
    shutil.rmtree(folder, ignore_errors=True)
    modified = {}
    others = {".hidden": b"hidden", ".well-known/security.txt": b"Contact: x"}
    for number, (name, data) in enumerate((files() | others).items()):
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        when = modified[name] = MODIFIED - number * 86400
        packed = gzip.compress(data, 9, mtime=0)
        write(path, data, when)
        if len(packed) + 64 < len(data) * 0.95:
            write(path + ".gz", packed, when)
    named = {"/" + name: name for name in files() if name.isascii() and " " not in name
             and "%" not in name}
    return folder, {target: modified[name]
                    for target, name in sorted((named | TARGETS).items())}


def write(path, data, when):
    with open(path, "wb") as f:
        f.write(data)
    os.utime(path, (when, when))


# ---- What is compared ----------------------------------------------------------------

FIELDS = {
    200: ("content-type", "content-encoding", "content-length", "last-modified",
          "accept-ranges", "vary"),
    206: ("content-encoding", "last-modified", "vary"),
    301: ("location",),
    304: ("vary",),
    416: ("content-range",),
}


def differences(ours, theirs, ignored):
    """Names of what differs.  With another status nothing else is looked at, with
    another coding nothing that follows from it."""
    if ours.status != theirs.status:
        return ["status"]
    found = [name for name in FIELDS.get(ours.status, ())
             if name not in ignored and ours.fields.get(name) != theirs.fields.get(name)]
    if "content-encoding" in found:
        return ["content-encoding"]
    if ours.closes != theirs.closes:
        found.append("connection")
    if ours.status == 200 and ours.body != theirs.body:
        found.append("body")
    if ours.status == 206:
        mine, yours = ours.parts(), theirs.parts()
        if "content-type" not in ignored and \
                [part.media for part in mine] != [part.media for part in yours]:
            found.append("content-type")
        if [part[1:] for part in mine] != [part[1:] for part in yours]:
            found.append("parts")
    return found


# ---- Why they differ: the same request, as nginx understands it ----------------------
#
# Each takes what was asked and returns a request that by the RFC is answered in the same
# way, or None if it has nothing to say.

DATES = ("%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT",
         "%a %b %d %H:%M:%S %Y")


def is_date(value):
    """One of the three forms of RFC 9110, section 5.6.7, and a day that exists."""
    for form in DATES:
        try:
            return bool(time.strptime(value, form))
        except ValueError:
            pass
    return False


def numbers_of(value, length):
    """The ranges that can be satisfied, [(first, last)]; None: not a valid Range."""
    if not re.match("bytes=", value, re.I):
        return None
    found, seen = [], False
    for spec in re.split("[ \t]*,[ \t]*", value[6:].strip()):
        if not spec:
            continue
        seen = True
        match = re.fullmatch(r"(\d*)-(\d*)", spec)
        if not match or spec == "-":
            return None
        first, last = match.groups()
        if not first:
            first, last = length - min(int(last), length), length - 1
        elif last and int(last) < int(first):
            return None
        else:
            first, last = int(first), min(int(last or length), length - 1)
        if first <= last:
            found.append((first, last))
    return found if seen else None


def joined(ranges):
    """RFC 9110, section 15.3.7.2: those that overlap or touch become one."""
    out = []
    for first, last in ranges:
        place = len(out)
        for other in [o for o in out if first <= o[1] + 1 and o[0] <= last + 1]:
            place = min(place, out.index(other))
            first, last = min(first, other[0]), max(last, other[1])
        out.insert(place, (first, last))
        out = [o for i, o in enumerate(out) if i == place or
               not (first <= o[0] and o[1] <= last)]
    return out


class Asked:
    """A request and what a reason may want to know of it."""

    def __init__(self, request, them):
        self.request = request
        self.method, self.target = request.method, request.target
        self.accept = request.field("Accept-Encoding")
        self.range = request.field("Range")
        self.whole = them.representation(self.target, self.accept)
        self.ranges = None if self.range is None else \
            numbers_of(self.range, len(self.whole.body))

    def has(self, *names):
        return all(self.request.field(name) is not None for name in names)

    def without(self, *names):
        return self.request.changed({name: None for name in names})

    def ranging(self, value):
        return self.request.changed({"Range": value})


def if_match_outranks_a_date(asked):
    """RFC 9110, section 13.2.2: If-Unmodified-Since only when there is no If-Match."""
    if asked.has("If-Match", "If-Unmodified-Since"):
        return asked.without("If-Unmodified-Since")


def if_none_match_outranks_a_date(asked):
    """RFC 9110, section 13.2.2: If-Modified-Since only when there is no If-None-Match;
    nginx wants both to hold."""
    if asked.has("If-None-Match", "If-Modified-Since"):
        return asked.without("If-Modified-Since")


def an_invalid_if_unmodified_since_is_ignored(asked):
    """RFC 9110, section 13.1.4: MUST; nginx says 412."""
    if asked.has("If-Unmodified-Since") and \
            not is_date(asked.request.field("If-Unmodified-Since")):
        return asked.without("If-Unmodified-Since")


def an_invalid_if_modified_since_is_ignored(asked):
    """RFC 9110, section 13.1.3: MUST; nginx reads more than section 5.6.7 has."""
    if asked.has("If-Modified-Since") and \
            not is_date(asked.request.field("If-Modified-Since")):
        return asked.without("If-Modified-Since")


def an_invalid_if_range_is_false(asked):
    """RFC 9110, section 13.1.5: neither a tag nor a date matches nothing."""
    value = asked.request.field("If-Range")
    if value is not None and not is_date(value) and \
            not re.fullmatch('(W/)?({etag}|"[^"]*")', value):
        return asked.without("If-Range", "Range")


def head_has_no_ranges(asked):
    """RFC 9110, section 14.2: Range MUST be ignored with methods other than GET."""
    if asked.method == "HEAD":
        return asked.without("Range", "If-Range")


def an_invalid_range_is_ignored(asked):
    """RFC 9110, section 14.2: MAY be ignored or refused; nginx refuses, or takes what
    it can."""
    if asked.range is not None and asked.ranges is None:
        return asked.without("Range")


def positions_have_any_size(asked):
    """RFC 9110, section 14.1.2: "anticipate potentially large decimal numerals"."""
    if asked.ranges is not None:
        return asked.ranging(re.sub(r"\d{18,}", "999999999", asked.range))


def blanks_may_be_anywhere_in_a_list(asked):
    """RFC 9110, section 5.6.1.2: OWS on both sides of a comma, and empty elements."""
    if asked.ranges is not None:
        return asked.ranging(re.sub(r"[ \t]*,[ \t,]*", ",", asked.range))


def ranges_are_joined(asked):
    """RFC 9110, section 15.3.7.2: MAY be coalesced; nginx sends overlapping ones twice, and
    the whole when that would be shorter."""
    if asked.ranges and asked.ranges != joined(asked.ranges):
        return asked.ranging(asking.listed(joined(asked.ranges)))


def of_nothing_everything_is_sent(asked):
    """RFC 9110, section 14.2: MAY be ignored for a representation without content."""
    if asked.range is not None and not asked.whole.body:
        return asked.without("Range")


def coded_representations_have_ranges(asked):
    """RFC 9110, section 14.2: of the selected representation, which may be coded; for
    nginx's sidecars there are none.  The sidecar as a file of its own has.  A date
    in If-Range is no strong validator of it (section 8.8.2.2)."""
    if_range = asked.request.field("If-Range") or ""
    if asked.range is not None and "content-encoding" in asked.whole.fields and \
            not is_date(if_range):
        path = asked.target.split("?")[0]
        path += "index.html.gz" if path.endswith("/") else ".gz"
        return asked.request.changed({"Accept-Encoding": None}, target=path)


def gzip_has_two_names(asked):
    """RFC 9110, section 8.4.1.3: x-gzip SHOULD be taken as gzip."""
    if asked.accept == "x-gzip":
        return asked.request.changed({"Accept-Encoding": "gzip"})


def the_highest_weight_wins(asked):
    """RFC 9110, section 12.5.3: nginx takes gzip whenever it is allowed."""
    if asked.accept in ("gzip;q=0.5, identity", "identity, gzip;q=0.999"):
        return asked.without("Accept-Encoding")


def of_two_weights_the_last_counts(asked):
    """RFC 9110, section 12.5.3 does not say which; nginx takes the first."""
    if asked.accept == "gzip, gzip;q=0":
        return asked.without("Accept-Encoding")


def a_malformed_weight_is_none(asked):
    """RFC 9110, section 12.4.2: three digits, at most 1, nothing else."""
    if asked.accept in ("gzip;q=1.5", "gzip;q=0.0001", "gzip;level=1",
                        "gzip;q=0.5;q=0", "deflate gzip"):
        return asked.without("Accept-Encoding")


def dots_do_not_lead_out(asked):
    """RFC 3986, section 5.2.4: ".." in the root is the root; nginx says 400."""
    above = {"/..": "/", "/../one.txt": "/one.txt"}
    if asked.target in above:
        return asked.request.changed({}, target=above[asked.target])


def only_names_are_found(asked):
    """RFC 3986, sections 2.2 and 3.3: "%2f" is no separator, an empty segment is a
    segment; files whose names begin with a dot are not served, and folders only
    if they have an index."""
    if asked.target in ("//one.txt", "/folder//page.html", "/folder%2fpage.html",
                        "/.hidden", "/bare", "/bare/"):
        return asked.request.changed({}, target="/missing")


REWRITES = (
    if_match_outranks_a_date, if_none_match_outranks_a_date,
    an_invalid_if_unmodified_since_is_ignored, an_invalid_if_modified_since_is_ignored,
    an_invalid_if_range_is_false, head_has_no_ranges, an_invalid_range_is_ignored,
    positions_have_any_size, blanks_may_be_anywhere_in_a_list, ranges_are_joined,
    of_nothing_everything_is_sent, coded_representations_have_ranges,
    gzip_has_two_names, the_highest_weight_wins, of_two_weights_the_last_counts,
    a_malformed_weight_is_none, dots_do_not_lead_out, only_names_are_found,
)


# ---- Why they differ: what no other request would bring out --------------------------
#
# Each says whether it is the reason for a difference in `name`.

@functools.lru_cache(maxsize=None)
def decoded(coding, body):
    tool = {"br": "brotli", "zstd": "zstd"}[coding]
    return subprocess.run([tool, "-d", "-c"], input=body, check=True,
                          capture_output=True).stdout


def there_are_better_codings(asked, name, ours, theirs, them):
    """RFC 9110, section 12.5.3: brotli and zstd, and "*"; nginx has gzip only."""
    coding = ours.fields.get("content-encoding")
    if name != "content-encoding" or coding not in ("br", "zstd") or \
            not ({coding, "*", "*;q=0.5"} & set(re.split(", *", asked.accept))):
        return False
    plain = them.representation(asked.target, None).body
    return asked.method == "HEAD" or decoded(coding, ours.body) == plain


def identity_can_be_refused(asked, name, ours, theirs, them):
    """RFC 9110, section 12.5.3: then there is nothing to send; nginx sends it."""
    return name == "status" and (ours.status, theirs.status) == (406, 200) and \
        "content-encoding" not in theirs.fields and \
        asked.accept in ("identity;q=0", "*;q=0", "identity;q=0, gzip")


def coded_representations_say_so(asked, name, ours, theirs, them):
    """RFC 9110, section 14.3: Accept-Ranges; see coded_representations_have_ranges."""
    return name == "accept-ranges" and ours.fields.get(name) == "bytes" and \
        "content-encoding" in theirs.fields


def javascript_is_text(asked, name, ours, theirs, them):
    """RFC 9239, section 6: text/javascript; Debian's mime.types has the obsolete name."""
    return name == "content-type" and asked.target.endswith(".js")


def a_fragment_is_refused(asked, name, ours, theirs, them):
    """RFC 9112, section 3.2: no target has one; nginx cuts it off."""
    return name == "status" and ours.status == 400 and "#" in asked.target


def paths_are_utf_8(asked, name, ours, theirs, them):
    """No file has such a name, and that is known before it is looked for."""
    return name == "status" and (ours.status, theirs.status) == (400, 404) and \
        asked.target == "/%ff"


def methods_are_tokens(asked, name, ours, theirs, them):
    """RFC 9110, section 9.1: "get" is another method than GET; to nginx it is none."""
    return name == "status" and (ours.status, theirs.status) == (405, 400) and \
        asked.method == "get"


def a_refused_target_ends_no_connection(asked, name, ours, theirs, them):
    """RFC 9112, section 9.3: it persists, for it is clear where the request ended."""
    return name == "connection" and theirs.closes and ours.status in (400, 405)


FACTS = (
    there_are_better_codings, identity_can_be_refused, coded_representations_say_so,
    javascript_is_text, a_fragment_is_refused, paths_are_utf_8, methods_are_tokens,
    a_refused_target_ends_no_connection,
)

# A sidecar as a file of its own is another resource.
IGNORED = {
    coded_representations_have_ranges: {"content-encoding", "content-type", "vary"},
}


# ---- The comparison ------------------------------------------------------------------

class Comparison:
    """used: how often each reason was one; only those that explain a difference alone."""

    def __init__(self, us, them):
        self.us, self.them = us, them
        self.used = collections.Counter()
        self.kinds = collections.Counter()
        self.unexplained = []

    def left(self, asked, ours, theirs, ignored=frozenset()):
        """Differences that no fact explains."""
        left = []
        for name in differences(ours, theirs, ignored):
            facts = [fact for fact in FACTS
                     if fact(asked, name, ours, theirs, self.them)]
            self.used.update(facts)
            if not facts:
                left.append(name)
        return left

    def compare(self, request):
        ours, theirs = self.us.ask(request), self.them.ask(request)
        self.kinds[ours.status] += 1
        asked = Asked(request, self.them)
        left = self.left(asked, ours, theirs)
        if left and not self.explain(asked, ours):
            self.unexplained.append(
                f"{request}: {', '.join(left)} ({ours.status}, not {theirs.status})")

    def explain(self, asked, ours):
        """By one rewriting, or by all that apply, one after the other."""
        together, ignored, several = asked, set(), []
        for rewrite in REWRITES:
            other = rewrite(asked)
            if other is not None and other != asked.request:
                theirs = self.them.ask(other)
                if not self.left(asked, ours, theirs, IGNORED.get(rewrite, set())):
                    self.used[rewrite] += 1
                    return True
            other = rewrite(together)
            if other is not None and other != together.request:
                together = Asked(other, self.them)
                ignored |= IGNORED.get(rewrite, set())
                several.append(rewrite)
        return bool(several) and not self.left(
            asked, ours, self.them.ask(together.request), ignored)


def compared():
    """All requests, once; returns the comparison."""
    if not hasattr(compared, "result"):
        folder, targets = build_site()
        rom = vm.make_rom(folder, "nginx")
        with vm.Process(rom) as process, nginx.Nginx(folder) as witness:
            process.wait_ready()
            us = asking.Server(process.ipv4, 80)
            them = asking.Server("127.0.0.1", witness.port, faithless=True)
            result = Comparison(us, them)
            requests = asking.Generator(
                SEED, targets, ODD_TARGETS,
                lambda target, accept: len(them.representation(target, accept).body))
            for _ in range(REQUESTS):
                result.compare(requests.one())
            us.close()
            them.close()
        compared.result = result
    return compared.result


def every_difference_is_explained():
    result = compared()
    print("# " + ", ".join(f"{count} times {status}" for status, count
                           in sorted(result.kinds.items())))
    for line in result.unexplained[:20]:
        print("#   " + line)
    assert not result.unexplained, f"{len(result.unexplained)} differences"


def every_status_occurs():
    """A generator that no longer makes what it is for would be content with itself."""
    missing = {200, 206, 301, 304, 400, 404, 405, 406, 412, 416} - \
        set(compared().kinds)
    assert not missing, f"{missing} were never answered"


def this_is_needed(name):
    reason = next(r for r in REWRITES + FACTS if r.__name__ == name)
    count = compared().used[reason]
    print(f"# {count} times: {' '.join(reason.__doc__.split())}")
    assert count > 0, "a reason for nothing"


def main():
    vm.enter_private_network()
    suite = vm.Suite()
    suite.add(every_difference_is_explained)
    suite.add(every_status_occurs)
    for reason in REWRITES + FACTS:
        suite.add(this_is_needed, reason.__name__)
    return suite.main()


if __name__ == "__main__":
    sys.exit(main())
